"""The plane of rate and distortion with the points of several β."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from vae_explorer.gui.plot.chart import Chart
from vae_explorer.gui.plot.marks import Line, Mark, Ring
from vae_explorer.types import Region

Place = tuple[float, float]
"""Rate and distortion, nats per image."""

_REACH = 14.0  # pixels from the pointer to the point it means
_DOT = 5.0
_AIR = 0.08
_HIGHEST = 215.0
"""Nats of distortion, from which a trail comes into sight: above is hardly a digit yet."""


@dataclass(frozen=True)
class PlanePoint:
    """A model of the plane: its ``name`` is written beside it, ``beta`` the slope of its line.

    ``own`` is drawn as a diamond, and is on no curve.
    """

    name: str
    beta: float
    position: Place
    own: bool = False


class RatePlane(Chart):
    """Points, the curve through those that are not own, and a line of slope −β through one.

    Signals:
        chosen(int): the number of a point that was clicked, or walked to by an arrow key.
    """

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            "Rate and distortion",
            "rate R = KL(q(z|x) ‖ p(z))",
            "distortion D (nats)",
            movable=True,
            parent=parent,
        )
        self._points: Sequence[PlanePoint] = ()
        self._shown: int | None = None
        self._trail: Sequence[Place] = ()
        self.setToolTip(
            "Each point is a model. Along its dashed line D + β R stays the same. "
            "Click a point, or walk by ← and →"
        )
        self.setMinimumSize(200, 160)
        self.nudged.connect(self._on_nudged)
        self._show()

    def set_points(self, points: Sequence[PlanePoint], shown: int | None) -> None:
        """Show these, by rising β, and the line of one."""
        self._points, self._shown = points, shown
        said = "; ".join(f"{p.name}: {p.position[0]:.1f}, {p.position[1]:.1f}" for p in points)
        self.setAccessibleDescription(said)
        self._show()

    def set_trail(self, trail: Sequence[Place]) -> None:
        """Show where a training is going."""
        self._trail = trail
        self._show()

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        if event.button() != Qt.MouseButton.LeftButton or not self._points:
            return
        gaps = [self.to_pixel(*point.position) - event.position() for point in self._points]
        distances = [float(np.hypot(gap.x(), gap.y())) for gap in gaps]
        if min(distances) < _REACH:
            self.chosen.emit(distances.index(min(distances)))

    def _on_nudged(self, right: float, _: float) -> None:
        if not self._points or not right:
            return
        order = np.argsort([-point.position[0] for point in self._points]).tolist()
        at = order.index(self._shown) if self._shown in order else 0
        step = 1 if right < 0 else -1
        self.chosen.emit(order[min(max(at + step, 0), len(order) - 1)])

    def _show(self) -> None:
        region = self._sight()
        marks: list[Mark] = []
        if self._shown is not None:
            point, ends = self._points[self._shown], np.array(region[:2])
            slope = point.position[1] - point.beta * (ends - point.position[0])
            marks.append(Line(ends, slope, "accent", "", 1.5, dashed=True))
        curve = np.array([p.position for p in self._points if not p.own]).reshape(-1, 2)
        marks.append(Line(curve[:, 0], curve[:, 1], "train", "", 1.5))
        if self._trail:
            trail = np.array(self._trail)
            marks.append(Line(trail[:, 0], trail[:, 1], "kl", "", 1.5, dotted=True))
            marks.append(Ring(self._trail[-1], "kl", 4.0, "."))
        for number, point in enumerate(self._points):
            shown, shape = number == self._shown, "d" if point.own else "."
            color, edge = "held_out" if point.own else "train", "accent" if shown else "canvas"
            marks.append(Ring(point.position, color, _DOT + 2 * shown, shape, point.name, edge))
        self.set_range(*region)
        self.set_marks(marks)

    def _sight(self) -> Region:
        """What holds the points, and what is near of the trail."""
        known = [point.position for point in self._points]
        near = [position for position in self._trail if position[1] < _HIGHEST]
        places = np.array(known + near).reshape(-1, 2)
        if not len(places):
            return 0.0, 16.0, 110.0, 210.0
        (right, top), bottom = places.max(0), places[:, 1].min()
        wide, high = max(right, 4.0), max(top - bottom, 20.0)
        top = bottom + (1 + 2 * _AIR) * high
        return -0.02 * wide, (1 + 6 * _AIR) * wide, bottom - _AIR * high, top
