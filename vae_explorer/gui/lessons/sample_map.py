"""The latent plane with p(z|x) and the samples that fall on it."""

from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPen, QPolygonF, QWheelEvent
from PySide6.QtWidgets import QGraphicsObject, QStyleOptionGraphicsItem, QWidget
from typing_extensions import override

from vae_explorer.gui.map.layer_item import LayerItem
from vae_explorer.gui.map.plot import LatentPlot
from vae_explorer.gui.theme import Theme, current_theme
from vae_explorer.session.lessons.sampling import Lit
from vae_explorer.session.map.marks import Field, LayerContent
from vae_explorer.types import Region

_GROUND = 2.5  # pixels across a sample that does not matter
_SMALLEST, _LARGEST = 4.0, 17.0
_FAINT = 0.1  # share of a sample that does not matter, as it is shaded
_ZOOM_PER_DEGREE = 1.013
_COLORS = "train", "held_out"
"""Of the prior's samples and of q's."""


class SampleMap(LatentPlot):
    """Samples are lit by their share of the sum: the larger, the more of it.

    The wheel zooms and a drag pans.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Map of the samples")
        self.setToolTip(
            "The shade is the exact p(z|x). The samples that carry the mean are large. "
            "The wheel zooms, a drag moves."
        )
        self.setMinimumSize(220, 200)
        self._layer = LayerItem(self.view_box)
        self.add_item(self._layer)
        self._samples = _SampleItem(self.view_box)
        self.add_item(self._samples)
        self._last = QPointF()
        self.set_whole()

    def set_density(self, density: Field | None) -> None:
        """Shade p(z|x)."""
        self._layer.set_drawing(LayerContent((density,) if density else ()))

    def set_lit(self, lit: tuple[Lit, ...]) -> None:
        """Show the samples of the prior, then those of q."""
        self._samples.set_samples(lit)

    def set_whole(self) -> None:
        """Show where the prior's samples fall."""
        self.show_region(-3.4, 3.4, -3.4, 3.4)

    def set_near(self, region: Region) -> None:
        """Show one region."""
        self.show_region(*region)

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._last = event.position()

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            moved = event.position() - self._last
            self.pan_by(moved.x(), moved.y())
            self._last = event.position()

    @override
    def wheelEvent(self, event: QWheelEvent) -> None:
        self.zoom(_ZOOM_PER_DEGREE ** (event.angleDelta().y() / 8), event.position())
        event.accept()


class _SampleItem(QGraphicsObject):
    """Points for where samples fall, and discs for those that matter. In latent units."""

    def __init__(self, view_box: Any) -> None:
        super().__init__()
        self._view_box = view_box
        self._theme: Theme | None = None
        """That of the colours."""
        self._lit: tuple[Lit, ...] = ()
        self._grounds: list[tuple[QPolygonF, QPen]] = []
        self._discs: list[tuple[QPointF, float, QColor]] = []
        view_box.sigRangeChanged.connect(self.prepareGeometryChange)

    def set_samples(self, lit: tuple[Lit, ...]) -> None:
        """Show these."""
        self._lit, self._theme = lit, None
        self.update()

    def _prepare(self, theme: Theme) -> None:
        self._theme, self._grounds, self._discs = theme, [], []
        for one, name in zip(self._lit, _COLORS, strict=False):
            color = QColor(getattr(theme, name))
            pen = QPen(_shade(color, _FAINT), _GROUND)
            pen.setCosmetic(True)
            pen.setCapStyle(Qt.PenCapStyle.RoundCap)
            places = [QPointF(*place) for place in one.ground.tolist()]
            self._grounds.append((QPolygonF(places), pen))
            size = _LARGEST * np.sqrt(one.shares / one.shares[0])
            # The heaviest on top.
            rows = zip(one.points.tolist(), size.tolist(), strict=True)
            self._discs += [
                (QPointF(*place), max(part, _SMALLEST) / 2, _shade(color, part / _LARGEST))
                for place, part in reversed(list(rows))
            ]

    @override
    def boundingRect(self) -> QRectF:
        return QRectF(self._view_box.viewRect())

    @override
    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        if self._theme is not current_theme():
            self._prepare(current_theme())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for places, pen in self._grounds:
            painter.setPen(pen)
            painter.drawPoints(places)
        to_pixels = painter.worldTransform()
        painter.resetTransform()
        painter.setPen(Qt.PenStyle.NoPen)
        for place, radius, color in self._discs:
            painter.setBrush(color)
            painter.drawEllipse(to_pixels.map(place), radius, radius)


def _shade(color: QColor, share: float) -> QColor:
    shade = QColor(color)
    shade.setAlphaF(0.2 + 0.65 * share)
    return shade
