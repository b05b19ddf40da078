"""One layer on the map: its marks are prepared once and only transformed when the view moves."""

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QGraphicsObject, QStyleOptionGraphicsItem, QWidget
from typing_extensions import override

from vae_explorer.gui.plot.captions import Caption, captions, write_captions
from vae_explorer.gui.plot.latent_marks import Paint, prepared
from vae_explorer.gui.theme import Theme, current_theme
from vae_explorer.session.map.marks import LayerContent
from vae_explorer.types import LatentPoint


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
        self._names: Mapping[LatentPoint, QRectF] = {}
        view_box.sigRangeChanged.connect(self.prepareGeometryChange)

    def set_content(self, content: LayerContent) -> None:
        """Show these marks and no others."""
        self._content, self._theme = content, None
        self._captions = [caption for mark in content.marks for caption in captions(mark)]
        self.update()

    def set_names(self, boxes: Mapping[LatentPoint, QRectF]) -> None:
        """Write nothing where the names of classes are, see ``name_boxes``."""
        self._names = boxes
        if self._captions:
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
            write_captions(painter, self._captions, view, theme, self._names)
            painter.restore()
