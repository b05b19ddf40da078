"""A chart with places that one takes hold of."""

import math
from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from vae_explorer.gui.lessons.sketch import Sketch

_RADIUS = 7.0
_KEYS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, 1),
    Qt.Key.Key_Down: (0, -1),
}


class HandleSketch(Sketch):
    """A chart whose handles are dragged; the nearest one follows the mouse.

    Signals:
        dragged(int, float, float): a handle, by its number, is wanted at (x, y).
        nudged(int, int): an arrow key, to the right and up, −1 to 1.
    """

    dragged = Signal(int, float, float)
    nudged = Signal(int, int)

    def __init__(self, title: str, across: str = "", parent: QWidget | None = None) -> None:
        super().__init__(title, across, parent)
        self._handles: Sequence[tuple[float, float]] = ()
        self._taken: int | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def set_handles(self, places: Sequence[tuple[float, float]]) -> None:
        """Let there be handles at these (x, y)."""
        self._handles = places
        self.setCursor(Qt.CursorShape.PointingHandCursor if places else Qt.CursorShape.ArrowCursor)
        self.update()

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton and self._handles:
            pixel = event.position()
            gaps = [self.to_pixel(*place) - pixel for place in self._handles]
            distances = [math.hypot(gap.x(), gap.y()) for gap in gaps]
            self._taken = distances.index(min(distances))
            self._drag(event)

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._taken is not None:
            self._drag(event)

    @override
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._taken = None

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = _KEYS.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            self.nudged.emit(*step)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.hasFocus():
            painter.setPen(QPen(QColor(self._theme.accent), 1.5))
            painter.drawRect(self.frame)
        painter.setPen(QPen(QColor(self._theme.text), 1.5))
        painter.setBrush(QColor(self._theme.canvas))
        for place in self._handles:
            painter.drawEllipse(self.to_pixel(*place), _RADIUS, _RADIUS)

    def _drag(self, event: QMouseEvent) -> None:
        if self._taken is not None:
            self.dragged.emit(self._taken, *self.to_place(event.position()))
