"""A chart whose curve or bars one takes hold of."""

from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from vae_explorer.gui.lessons.sketch import Sketch

_NUDGE = 0.02
"""Of the height in sight, by which a key raises the density."""


class Density(Sketch):
    """A chart that can be drawn on, by the mouse and by keys.

    Signals:
        pulled(tuple, tuple): a stroke from (x, y) to (x, y); with bars its start is in the bar that
            was pressed.
        let_go(): the hand is off.
        nudged(float, float): raise what is at x by so much.
    """

    pulled = Signal(tuple, tuple)
    let_go = Signal()
    nudged = Signal(float, float)

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(title, "", parent)
        self._bars = 0
        self._before: tuple[float, float] | None = None
        self._caret = 0.5
        self._keyed = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setMinimumHeight(180)

    def set_places(self, bars: int) -> None:
        """Say how many bars there are; 0 for a curve."""
        self._bars = bars

    @property
    def caret(self) -> float:
        """Which x the keys move."""
        left, right, _, _ = self.range
        x = left + self._caret * (right - left)
        return float(min(max(round(x), 1), self._bars)) if self._bars else x

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton and self.frame.contains(event.position()):
            self._pull(self.to_place(event.position()))

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._before is not None:
            self._pull(self.to_place(event.position()))

    @override
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._before is not None:
            self._before = None
            self.let_go.emit()

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        left, right, bottom, top = self.range
        self._keyed = True
        fine = 0.2 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1.0
        match event.key():
            case Qt.Key.Key_Left | Qt.Key.Key_Right:
                forth = 1 if event.key() == Qt.Key.Key_Right else -1
                if self._bars:
                    index = min(max(self.caret + forth, 1), self._bars)
                    self._caret = (index - left) / (right - left)
                else:
                    self._caret = min(max(self._caret + 0.02 * fine * forth, 0.0), 1.0)
                self.update()
            case Qt.Key.Key_Up | Qt.Key.Key_Down:
                up = 1 if event.key() == Qt.Key.Key_Up else -1
                self.nudged.emit(self.caret, up * fine * _NUDGE * (top - bottom))
            case _:
                super().keyPressEvent(event)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self.hasFocus():
            return
        painter, frame = QPainter(self), self.frame
        painter.setPen(QPen(QColor(self._theme.accent), 1.5))
        painter.drawRect(frame)
        if self._keyed:
            painter.setPen(QPen(QColor(self._theme.text), 1, Qt.PenStyle.DotLine))
            x = self.to_pixel(self.caret, 0.0).x()
            painter.drawLine(QPointF(x, frame.top()), QPointF(x, frame.bottom()))

    def _pull(self, place: tuple[float, float]) -> None:
        left, right, _, _ = self.range
        x, y = min(max(place[0], left), right), max(place[1], 0.0)
        if self._before is None:
            self._before = (x, y)
            self._keyed = False
            self._caret = (x - left) / (right - left)
        start = self._before
        if self._bars:
            start = (float(min(max(round(start[0]), 1), self._bars)), start[1])
            self.pulled.emit(start, (x, y))
        else:
            self._before = (x, y)
            self.pulled.emit(start, (x, y))
