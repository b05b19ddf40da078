"""A plane of points in the colours of their classes: the maps of the lessons."""

from collections.abc import Iterable

import numpy as np
from PySide6.QtCore import Signal

from vae_explorer.gui.plot.axis import Axis
from vae_explorer.gui.plot.chart import Chart
from vae_explorer.gui.plot.layout import Plot
from vae_explorer.gui.plot.marks import Entry, Mark, class_dots
from vae_explorer.types import Floats, Labels

_REACH = 12.0
"""Pixels from the pointer to the point it means."""
_NUDGE = 0.02
"""Of the width, by an arrow key."""


class CodeMap(Chart):
    """Points and lines at one scale; an arrow key drags on from the position dragged to last.

    Signals:
        pointed(object): the position (x, y) under the pointer, or None as it leaves.
    """

    pointed = Signal(object)

    def __init__(self, title: str) -> None:
        super().__init__(movable=True)
        axis = Axis(-3.0, 3.0, numbers=False)
        self.set_plot(Plot(title, axis, axis, entries=(), aspect="equal"))
        self.setMinimumSize(150, 150)
        self._places: Floats = np.zeros((0, 2))
        self._hand = (0.0, 0.0)
        self.hovered.connect(self._on_hovered)
        self.left.connect(lambda: self.pointed.emit(None))
        self.dragged.connect(lambda x, y: self.set_hand((x, y)))
        self.nudged.connect(self._on_nudged)

    def set_points(self, positions: Floats, labels: Labels, lines: Iterable[Mark] = ()) -> None:
        """Show points (n, 2) of classes (n,), and lines over them."""
        self._places = positions
        dots = class_dots(positions, labels)
        self.set_marks([*dots, *lines])
        digits = (dot.name.removeprefix("class ") for dot in dots)
        self.set_entries(Entry(d.color, "●", digit) for d, digit in zip(dots, digits, strict=True))

    def set_hand(self, position: tuple[float, float]) -> None:
        """Let the arrow keys go on from a position."""
        self._hand = position

    def nearest(self, position: tuple[float, float]) -> int | None:
        """The row of the point at a position; None if none is near."""
        if not len(self._places):
            return None
        at = self.to_pixel(*position)
        away = np.hypot(*(self.placed.pixels(*self._places.T) - (at.x(), at.y())).T)
        row = int(away.argmin())
        return row if away[row] < _REACH else None

    def _on_hovered(self, x: float, y: float) -> None:
        inside = self.frame.contains(self.to_pixel(x, y))
        self.pointed.emit((x, y) if inside else None)

    def _on_nudged(self, right: float, up: float) -> None:
        left, end, _, _ = self.region
        step = _NUDGE * (end - left)
        self.dragged.emit(self._hand[0] + right * step, self._hand[1] + up * step)
