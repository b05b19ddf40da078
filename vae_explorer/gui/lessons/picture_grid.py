"""Pictures in rows, some of them framed: what a model makes of several positions."""

from collections.abc import Collection

from PySide6.QtCore import QRectF, Signal
from PySide6.QtGui import QImage, QPainter, QPen, QResizeEvent
from typing_extensions import override

from vae_explorer.gui.explore.decode.image import qimage_of
from vae_explorer.gui.plot.axis import Axis
from vae_explorer.gui.plot.chart import Chart
from vae_explorer.gui.plot.layout import Layout, Plot
from vae_explorer.gui.plot.marks import Painted, theme_color
from vae_explorer.gui.theme import Theme
from vae_explorer.types import Float32, UInt8

_SMOOTH = QPainter.RenderHint.SmoothPixmapTransform
_CRISP_FROM = 40.0
"""Pixels of a side."""


class PictureGrid(Chart):
    """Pictures of one size, as large as there is room, the first at the upper left.

    Each has a unit of the plane to itself.

    Args:
        title: above them.
        columns: in a row; 0 takes as many as make the pictures largest.

    Signals:
        pointed(object): the number of the picture under the pointer, or None.
    """

    pointed = Signal(object)

    def __init__(self, title: str, columns: int = 0) -> None:
        super().__init__()
        self._columns = columns
        self._pictures: list[QImage] = []
        self._framed: Collection[int] = ()
        self._chosen: int | None = None
        axis = Axis(numbers=False)
        self.set_plot(Plot(title, axis, axis, entries=(), aspect="exact"))
        self.set_front([Painted(self._paint)])
        self.setMinimumSize(120, 100)
        self.hovered.connect(self._on_hovered)
        self.left.connect(lambda: self.pointed.emit(None))

    def set_images(self, images: Float32 | UInt8, framed: Collection[int] = ()) -> None:
        """Show images (n, h, w), those of some numbers in a frame."""
        self._pictures, self._framed = [qimage_of(image) for image in images], framed
        self._fit()

    def set_chosen(self, number: int | None) -> None:
        """Set one off from the others."""
        self._chosen = number
        self.update()

    def box(self, number: int) -> QRectF:
        """Where a picture is, in pixels."""
        return self._box(self.placed, number)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Make room for all, in as many columns as make them largest."""
        count = len(self._pictures) or self._columns**2 or 1
        width, height = self.width(), self.height() - self.fontMetrics().height()
        choices = [self._columns] if self._columns else range(1, count + 1)
        columns = max(choices, key=lambda n: min(width / n, height / -(-count // n)))
        self.set_range(0.0, columns, 0.0, -(-count // columns))

    def _box(self, layout: Layout, number: int) -> QRectF:
        row, column = divmod(number, round(layout.x.high))
        top = layout.y.high - row
        corners = layout.to_pixel(column, top), layout.to_pixel(column + 1, top - 1)
        return QRectF(QRectF(*corners).toRect().adjusted(1, 1, -1, -1))

    def _on_hovered(self, x: float, y: float) -> None:
        at = self.to_pixel(x, y)
        under = (n for n in range(len(self._pictures)) if self.box(n).contains(at))
        self.pointed.emit(next(under, None))

    def _paint(self, painter: QPainter, layout: Layout, theme: Theme) -> None:
        boxes = [self._box(layout, number) for number in range(len(self._pictures))]
        for box, picture in zip(boxes, self._pictures, strict=True):
            painter.setRenderHint(_SMOOTH, box.width() < _CRISP_FROM)
            painter.drawImage(box, picture)
        chosen = () if self._chosen is None else (self._chosen,)
        for numbers, color in ((self._framed, "held_out"), (chosen, "accent")):
            painter.setPen(QPen(theme_color(theme, color), 2))
            painter.drawRects([boxes[number].adjusted(1, 1, -1, -1) for number in numbers])
