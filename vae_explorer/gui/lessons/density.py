"""A chart whose curve or bars one takes hold of."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from vae_explorer.gui.plot.chart import Chart
from vae_explorer.gui.plot.marks import Level

_NUDGE = 0.02
"""Of the width or height in sight, by which a key moves the position or raises the density."""


class Density(Chart):
    """A chart that can be drawn on, by the mouse and by keys.

    Signals:
        pulled(tuple, tuple): a stroke from (x, y) to (x, y); with bars its start is in the bar that
            was pressed.
        raised(float, float): raise what is at x by so much.
    """

    pulled = Signal(tuple, tuple)
    raised = Signal(float, float)

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(title, movable=True, parent=parent)
        self._bars = 0
        self._before: tuple[float, float] | None = None
        self._at = 0.5
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setMinimumHeight(180)
        self.dragged.connect(self._pull)
        self.released.connect(self._let_go)
        self.nudged.connect(self._on_nudged)

    def set_places(self, bars: int) -> None:
        """Say how many bars there are; 0 for a curve."""
        self._bars = bars

    @property
    def caret(self) -> float:
        """Which x the keys move."""
        left, right, _, _ = self.region
        return self._snapped(left + self._at * (right - left))

    def _snapped(self, x: float) -> float:
        return float(min(max(round(x), 1), self._bars)) if self._bars else x

    def _pull(self, x: float, y: float) -> None:
        left, right, _, _ = self.region
        here = min(max(x, left), right), max(y, 0.0)
        if self._before is None:
            self._before = (self._snapped(here[0]), here[1])
            self._at = (here[0] - left) / (right - left)
            self.set_front(())
        start = self._before
        if not self._bars:
            self._before = here
        self.pulled.emit(start, here)

    def _let_go(self) -> None:
        self._before = None

    def _on_nudged(self, right: float, up: float) -> None:
        left, last, bottom, top = self.region
        if right:
            step = right / (last - left) if self._bars else _NUDGE * right
            self._at = min(max((self.caret - left) / (last - left) + step, 0.0), 1.0)
        else:
            self.raised.emit(self.caret, up * _NUDGE * (top - bottom))
        self.set_front([Level(self.caret, "text", upright=True, width=1.0)])
