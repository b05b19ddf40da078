"""One layer on the map: its marks are prepared once and only transformed when the view moves."""

from typing import Any

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QGraphicsObject, QStyleOptionGraphicsItem, QWidget
from typing_extensions import override

from vae_explorer.gui.plot.latent_marks import Caption, Paint, captions, prepared
from vae_explorer.gui.theme import Theme, current_theme
from vae_explorer.session.map.marks import LayerContent

_TEXT_HALO = 6.0  # closes the gap before a percent sign
_TEXT_ROOM = 18.0  # logical pixels a text keeps from the edges of the view


class LayerItem(QGraphicsObject):
    """Draws one layer inside a pyqtgraph view box, in latent units with z₂ upwards.

    Qt's ``setOpacity`` and ``setZValue`` say how strong it is and what it covers.
    """

    def __init__(self, view_box: Any) -> None:
        super().__init__()
        self._view_box = view_box
        self._theme: Theme | None = None
        """That of the paints."""
        self._content = LayerContent()
        self._paints: list[Paint] = []
        self._captions: list[Caption] = []
        view_box.sigRangeChanged.connect(self.prepareGeometryChange)

    def set_content(self, content: LayerContent) -> None:
        """Show these marks and no others."""
        self._content, self._theme = content, None
        self._captions = [caption for mark in content.marks for caption in captions(mark)]
        self.update()

    @override
    def boundingRect(self) -> QRectF:
        return QRectF(self._view_box.viewRect())

    @override
    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """Draw every mark over the ones before it, and the texts over all of them."""
        view, theme = self.boundingRect(), current_theme()
        if self._theme is not theme:
            self._theme = theme
            self._paints = [p for mark in self._content.marks for p in prepared(mark, theme)]
        for paint in self._paints:
            painter.save()
            paint(painter)
            painter.restore()
        if self._captions:
            painter.save()
            self._write(painter, view, theme)
            painter.restore()

    def _write(self, painter: QPainter, view: QRectF, theme: Theme) -> None:
        """Write each caption where its line is in view and no other caption stands."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        to_pixels = painter.worldTransform()
        painter.resetTransform()
        room_x, room_y = _TEXT_ROOM / to_pixels.m11(), _TEXT_ROOM / abs(to_pixels.m22())
        inner = view.adjusted(room_x, room_y, -room_x, -room_y)
        ground = QPen(QColor(theme.canvas), _TEXT_HALO)
        ground.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        taken: list[QRectF] = []
        for caption in self._captions:
            for position in caption.positions(inner):
                at = to_pixels.map(position)
                box = caption.glyphs.boundingRect().translated(at).adjusted(-2, -2, 2, 2)
                if not any(box.intersects(other) for other in taken):
                    taken.append(box)
                    glyphs = caption.glyphs.translated(at)
                    painter.strokePath(glyphs, ground)
                    painter.fillPath(glyphs, QColor(theme.text))
                    break
