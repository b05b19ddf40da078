"""What all panels of the training curves share: a chart of a run, a reading and a moment."""

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QMouseEvent
from typing_extensions import override

from vae_explorer.export.figure import FigureStyle
from vae_explorer.gui.plot.chart import Chart
from vae_explorer.gui.plot.export import render_charts
from vae_explorer.gui.plot.layout import Plot
from vae_explorer.gui.plot.marks import Entry, Line, Mark
from vae_explorer.types import Float64, Region

_NEAR = 8  # pixels
_LEAST_HEIGHT = 72
GROWTH = 1.25
"""Of the span that is shown of what there is, so that a growing run seldom moves the axes."""


class Panel(Chart):
    """A chart whose view can be moved; a click on one of the run's own curves is ``chosen``.

    Signals:
        chosen(float, float): where it was clicked, in units of the axes.
    """

    timed = True
    """Whether the x axis is time, shared with the other panels."""

    chosen = Signal(float, float)

    def __init__(self, title: str, x_label: str, y_label: str) -> None:
        super().__init__(title, x_label, y_label, zoomable=True)
        self.setMinimumSize(120, _LEAST_HEIGHT)
        self.setAccessibleName(f"{title}, curves")
        self.name = ""
        """By which workspaces know it."""
        self._own: tuple[Line, ...] = ()
        """The curves a click can hit."""
        self._reading: float | None = None
        self._moment: float | None = None
        self.clicked.connect(self._on_clicked)

    # What a panel is asked

    def refresh(self) -> None:
        """Draw the metrics as they are now."""
        raise NotImplementedError

    def fit(self) -> None:
        """Show the whole run, at a scale in which it can be read."""
        raise NotImplementedError

    def fit_y(self) -> None:
        """Show the values of this panel, whatever part of the time is in sight."""
        raise NotImplementedError

    def follow(self) -> None:
        """Show the whole run as it grows, moving the axes only when they no longer suit it."""
        raise NotImplementedError

    def show_marks(self) -> None:
        """Show what is read, and the moment that is marked."""
        raise NotImplementedError

    def time_at(self, x: float, y: float) -> float | None:
        """When the run was at a position; None far from its curves."""
        return x

    # What all panels do

    def set_reading(self, time: float | None) -> None:
        """Read all curves at a moment, or at the end of each."""
        self._reading = time
        self.show_marks()

    def set_moment(self, time: float | None) -> None:
        """Mark the moment that the rest of the window shows, or none."""
        self._moment = time
        self.show_marks()

    def set_x_range(self, left: float, right: float) -> None:
        """Show what is between these times."""
        self.set_plot(replace(self.plot, x=self.plot.x.ranged(left, right)))

    def set_x_axis_shown(self, shown: bool) -> None:
        """Show the numbers and the name of the x axis, or leave them to a panel below."""
        self.set_plot(replace(self.plot, x=replace(self.plot.x, numbers=shown)))
        axis = 2 * self.fontMetrics().height() if shown else 0
        self.setMinimumHeight(_LEAST_HEIGHT + axis)

    @property
    def view(self) -> Region:
        """What of it is in sight, by its axes."""
        x, y = self.plot.x, self.plot.y
        return x.low, x.high, y.low, y.high

    @property
    @override
    def whole(self) -> Plot:
        # Its axes are the workspace's; whatever is below it on screen, it has numbers.
        return replace(self.plot, x=replace(self.plot.x, numbers=True))

    @override
    def export(self, kind: str, style: FigureStyle | None = None, /) -> bytes:
        return render_charts(kind, [self.whole], style)

    def show_read(self, front: tuple[Mark, ...], entries: list[Entry], x_label: str) -> None:
        """Show what a reading says."""
        plot = self.plot
        x = replace(plot.x, label=x_label)
        self.set_plot(replace(plot, front=front, entries=tuple(entries), x=x))

    def is_near(self, x: float, y: float) -> bool:
        """Whether a position is within a few pixels of a curve."""
        at = self.to_pixel(x, y)
        return any(
            distance(self.placed.pixels(curve.x, curve.y), at) <= _NEAR for curve in self._own
        )

    @override
    def set_plot(self, plot: Plot) -> None:
        name = self.accessibleName()
        super().set_plot(plot)
        self.setAccessibleName(name)

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        inside = self.frame.contains(at)
        near = inside and self.is_near(*self.to_data(at))
        shapes = Qt.CursorShape
        self.setCursor(shapes.PointingHandCursor if near else shapes.ArrowCursor)
        if inside or event.buttons():
            super().mouseMoveEvent(event)
        else:
            self.left.emit()

    def _on_clicked(self, x: float, y: float) -> None:
        if self.frame.contains(self.to_pixel(x, y)) and self.is_near(x, y):
            self.chosen.emit(x, y)


def distance(pixels: Float64, at: QPointF) -> float:
    """Pixels from a position to the nearest point of a polyline (n, 2)."""
    points = pixels - (at.x(), at.y())
    points = points[np.isfinite(points).all(axis=1)]
    if len(points) < 2:
        return float(np.hypot(*points.T).min(initial=np.inf))
    starts, ways = points[:-1], np.diff(points, axis=0)
    lengths = np.maximum((ways**2).sum(axis=1), 1e-12)
    shares = np.clip(-(starts * ways).sum(axis=1) / lengths, 0, 1)
    return float(np.hypot(*(starts + shares[:, None] * ways).T).min())
