"""Pictures in rows, some of them framed: what a model makes of several places."""

from collections.abc import Collection

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget
from typing_extensions import override

from vae_explorer.gui.explore.decode.image import gray8
from vae_explorer.gui.lessons.heading import draw_heading, heading_height
from vae_explorer.gui.theme import current_theme
from vae_explorer.types import Float32, UInt8

_GAP = 2
"""Pixels between pictures."""


class PictureGrid(QWidget):
    """Pictures of one size, as large as there is room, the first at the upper left.

    Args:
        title: above them.
        columns: in a row; 0 takes as many as make the pictures largest.

    Signals:
        pointed(object): the number of the picture under the pointer, or None.
    """

    pointed = Signal(object)

    def __init__(self, title: str, columns: int = 0, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title, self._note = title, ""
        self._columns = columns
        self._pictures: list[QImage] = []
        self._framed: Collection[int] = ()
        self._chosen: int | None = None
        self.setAccessibleName(title)
        self.setMouseTracking(True)
        self.setMinimumSize(120, 100)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_title(self, title: str, note: str = "") -> None:
        """Write another title above, and after it a note."""
        self._title, self._note = title, note
        self.setAccessibleName(title)
        self.setAccessibleDescription(note)
        self.update()

    def set_images(self, images: Float32 | UInt8, framed: Collection[int] = ()) -> None:
        """Show images (n, h, w), those of some numbers in a frame."""
        self._pictures = [gray8(image) for image in images]
        self._framed = framed
        self.update()

    def set_chosen(self, number: int | None) -> None:
        """Set one off from the others."""
        self._chosen = number
        self.update()

    @override
    def sizeHint(self) -> QSize:
        return QSize(300, 200)

    def box(self, number: int) -> QRectF:
        """Where a picture is."""
        columns, side = self._fit()
        row, column = divmod(number, columns)
        top = heading_height(self)
        return QRectF(column * (side + _GAP), top + row * (side + _GAP), side, side)

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.pointed.emit(self._at(event.position()))

    @override
    def leaveEvent(self, event: QEvent) -> None:
        self.pointed.emit(None)
        super().leaveEvent(event)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        draw_heading(painter, self, self._title, self._note, current_theme())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self._fit()[1] < 40)
        for number, picture in enumerate(self._pictures):
            painter.drawImage(self.box(number), picture)
        frames = [(number, current_theme().held_out) for number in self._framed]
        if self._chosen is not None:
            frames.append((self._chosen, current_theme().accent))
        for number, color in frames:
            painter.setPen(QPen(QColor(color), 2))
            painter.drawRect(self.box(number).adjusted(1, 1, -1, -1))

    def _at(self, pixel: QPointF) -> int | None:
        for number in range(len(self._pictures)):
            if self.box(number).contains(pixel):
                return number
        return None

    def _fit(self) -> tuple[int, int]:
        """Columns, and the side of a picture in pixels."""
        count = max(1, len(self._pictures))
        height = self.height() - heading_height(self)
        choices = [self._columns] if self._columns else range(1, count + 1)
        best = (1, 1)
        for columns in choices:
            rows = -(-count // columns)
            side = int(min((self.width() + _GAP) / columns - _GAP, (height + _GAP) / rows - _GAP))
            if side > best[1] or self._columns:
                best = columns, max(side, 1)
        return best
