"""Curves over a logarithmic axis, with a position under the hand."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from PySide6.QtCore import Qt, Signal

from vae_explorer.gui.plot.axis import Axis
from vae_explorer.gui.plot.chart import Chart
from vae_explorer.gui.plot.layout import Plot
from vae_explorer.gui.plot.marks import Level, Line, Mark

_AIR = 0.06


class LogPlot(Chart):
    """A chart whose x axis, and if ``log_y`` also the y axis, is logarithmic.

    Signals:
        x_dragged(float): the x that is pressed or dragged to.
    """

    x_dragged = Signal(float)

    def __init__(
        self, title: str, x_name: str, y_name: str, *, log_y: bool = False, parent: Any = None
    ) -> None:
        super().__init__(title, x_name, y_name, parent=parent)
        x, y = Axis(1.0, 10.0, x_name, log=True), Axis(1.0, 10.0, y_name, log=log_y)
        self.set_plot(Plot(title, x, y))
        self.setMinimumSize(180, 150)
        self._draggable = False
        self.dragged.connect(self._on_dragged)

    def set_x_range(self, low: float, high: float) -> None:
        """Show x from ``low`` to ``high``, and a little more."""
        air = (high / low) ** 0.02
        self.set_plot(replace(self.plot, x=replace(self.plot.x, low=low / air, high=high * air)))

    def set_content(
        self,
        marks: Iterable[Mark],
        levels: Sequence[Level] = (),
        limits: tuple[float, float] | None = None,
        note: str = "",
    ) -> None:
        """Show these, with y between ``limits`` or where the lines are; or say a ``note``."""
        shown = (*marks, *levels)
        limits = limits or _limits(shown, self.plot.y.log)
        y = replace(self.plot.y, low=limits[0], high=limits[1]) if limits else self.plot.y
        high = [mark for mark in shown if not (isinstance(mark, Level) and mark.upright)]
        y = replace(y, numbers=bool(high) or not note)  # there is nothing that they are of
        self.set_plot(replace(self.plot, marks=shown, y=y, note=note))

    def set_cursor(self, x: float | None) -> None:
        """Mark a position that can be dragged, or none."""
        self._draggable = x is not None
        shapes = Qt.CursorShape
        self.setCursor(shapes.SplitHCursor if self._draggable else shapes.ArrowCursor)
        front = () if x is None else (Level(x, "text", upright=True, dashed=False, width=1.5),)
        self.set_front(front)

    def legend(self) -> str:
        """What the legend says."""
        return " · ".join(entry.name for entry in self.plot.legend)

    def _on_dragged(self, x: float, _: float) -> None:
        if self._draggable:
            low, high, _, _ = self.region
            self.x_dragged.emit(min(max(x, low), high))


def _limits(marks: Iterable[Mark], log_y: bool) -> tuple[float, float] | None:
    found = [np.asarray(mark.y).ravel() for mark in marks if isinstance(mark, Line)]
    values = np.concatenate(found) if found else np.empty(0)
    values = values[np.isfinite(values) & ((values > 0) | (not log_y))]
    if not len(values):
        return None
    low, high = float(values.min()), float(values.max())
    if log_y:
        return low / 1.3, high * 1.3
    margin = _AIR * (high - low) or 1.0
    return low - margin, high + margin if math.isfinite(margin) else high
