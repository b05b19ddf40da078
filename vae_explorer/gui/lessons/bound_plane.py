"""The plane of the bound: the exact posterior, and q with handles to drag."""

import math
from dataclasses import replace
from enum import IntEnum
from functools import partial

import numpy as np
from PySide6.QtCore import QPointF, Signal
from PySide6.QtGui import QResizeEvent
from typing_extensions import override

from vae_explorer.gui.map.plot import LARGEST_SPAN, SMALLEST_SPAN
from vae_explorer.gui.plot.axis import Axis
from vae_explorer.gui.plot.chart import Chart
from vae_explorer.gui.plot.layout import Bar, Plot
from vae_explorer.gui.plot.marks import Line
from vae_explorer.latent.normal import Normal
from vae_explorer.session.map.marks import Ellipses, Field
from vae_explorer.types import Region

_ON = 2.0
"""Standard deviations from the middle of q to the handles of its axes."""
_NEAREST = 18.0  # pixels from the middle to a handle, however narrow q is
_KNOB = 24.0  # pixels from the first axis's handle to the one that turns
_WIDER, _TURN = 1.1, math.radians(5)  # by a press of a key
_KEYS = {
    "+": (_WIDER, _WIDER, 0.0),
    "=": (_WIDER, _WIDER, 0.0),
    "-": (1 / _WIDER, 1 / _WIDER, 0.0),
    "PgUp": (_WIDER, _WIDER, 0.0),
    "PgDown": (1 / _WIDER, 1 / _WIDER, 0.0),
    "Shift+PgUp": (_WIDER, 1.0, 0.0),
    "Shift+PgDown": (1 / _WIDER, 1.0, 0.0),
    "End": (1.0, 1.0, _TURN),
    "Shift+End": (1.0, 1.0, -_TURN),
    "]": (_WIDER, 1.0, 0.0),
    "[": (1 / _WIDER, 1.0, 0.0),
    "}": (1.0, _WIDER, 0.0),
    "{": (1.0, 1 / _WIDER, 0.0),
    ",": (1.0, 1.0, _TURN),
    ".": (1.0, 1.0, -_TURN),
}
"""By how much keys multiply the widths of q, and turn it."""


class Handle(IntEnum):
    """What of q is held."""

    CENTRE = 0
    FIRST = 1
    SECOND = 2
    TURN = 3


class BoundPlane(Chart):
    """A latent plane with one Gaussian under the hand.

    Signals:
        q_moved(Normal): what a hand or a key made of q.
    """

    q_moved = Signal(object)

    def __init__(self) -> None:
        title = "q over the exact posterior"
        super().__init__(title, aspect="equal", zoomable=True, movable=True)
        self.setAccessibleDescription(
            "Arrow keys move q, plus and minus widen and narrow it, the brackets its first axis, "
            "with Shift its second, comma and full stop turn it, Home shows all of it. Page Up and "
            "Page Down widen and narrow it too, with Shift its first axis; End turns it too."
        )
        self.setMinimumSize(220, 200)
        self._q: Normal | None = None
        self._stretch = np.ones(2)
        """From either width to where its handle is, as the hand took hold of it."""
        for key, change in _KEYS.items():
            self.keys[key] = partial(self._change, *change)
        self.nudged.connect(self._on_nudged)
        self.handle_dragged.connect(self._on_dragged)
        self.released.connect(self._show)
        self.view_changed.connect(self._show)

    @property
    def q(self) -> Normal | None:
        """What is shown."""
        return self._q

    def set_q(self, q: Normal | None) -> None:
        """Show another q, or none."""
        self._q = q
        self._show()

    def set_picture(self, field: Field | None) -> None:
        """Show the exact posterior, or none."""
        self.set_marks([field] if field else [])
        if field:
            # The logarithmic one ends at its peak.
            name = "p(z|x)" if field.high else "log p(z|x), nats from its peak"
            self.set_bar(Bar(Axis(field.low, field.high, name), fading=True))
        self._show()  # the colour bar may leave less in sight, or more

    @property
    def view(self) -> Region:
        """What is to be in sight, by the axes; there may be room for more."""
        x, y = self.plot.x, self.plot.y
        return x.low, x.high, y.low, y.high

    def set_view(self, view: Region) -> None:
        """Show at least this."""
        if view != self.view:
            self.set_range(*view)
            self._show()

    @property
    @override
    def whole(self) -> Plot:
        return self.plot  # the lesson knows its view

    @override
    def handle_under(self, pixel: QPointF) -> int | None:
        """The inside of q counts as its centre."""
        found, q = super().handle_under(pixel), self._q
        if found is not None or q is None:
            return found
        away = np.subtract(self.to_data(pixel), q.mean)
        inside = np.linalg.norm(np.linalg.solve(q.factor, away)) <= _ON
        return Handle.CENTRE if inside else None

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show()

    @override
    def _look(self, x: Axis, y: Axis) -> None:
        if SMALLEST_SPAN <= x.high - x.low <= LARGEST_SPAN:
            super()._look(x, y)

    def _show(self) -> None:
        """Draw q's ellipses of 1 and 2 standard deviations, and put the handles on the second."""
        q = self._q
        if q is None:
            self.set_handles(())
            self.set_front(())
            self.set_pointer(())
            return
        pixel = (self.region[1] - self.region[0]) / self.frame.width()
        reach = np.maximum(_ON * np.array(q.widths), _NEAREST * pixel)
        if self._held is None:
            self._stretch = reach / q.widths
        first, second = (q.factor / q.widths).T
        ends = [(0.0, 0.0), first * reach[0], second * reach[1], first * (reach[0] + _KNOB * pixel)]
        positions = (q.mean + np.array(ends)).tolist()
        stem_x, stem_y = np.array([positions[Handle.FIRST], positions[Handle.TURN]]).T
        centre, covariance = np.array([q.mean], np.float32), q.covariance[None].astype(np.float32)
        self.set_front([Ellipses(centre, covariance, (1.0, _ON))])
        self.set_pointer([Line(stem_x, stem_y, "accent", width=1.2, dashed=True)])
        self.set_handles([(x, y) for x, y in positions], ".ss.")

    def _on_dragged(self, handle: int, x: float, y: float) -> None:
        q = self._q
        if q is None:
            return
        away = np.subtract((x, y), q.mean)
        if handle == Handle.CENTRE:
            self.q_moved.emit(replace(q, mean=(x, y)))
        elif handle == Handle.TURN:
            self.q_moved.emit(replace(q, angle=math.atan2(away[1], away[0])))
        else:
            axis = handle - Handle.FIRST
            along = float(away @ q.factor[:, axis]) / q.widths[axis]
            width = max(along / float(self._stretch[axis]), 0.0)
            widths = (q.widths[0], width) if axis else (width, q.widths[1])
            self.q_moved.emit(replace(q, widths=widths))

    def _on_nudged(self, right: float, up: float) -> None:
        if self._q:
            (x, y), step = self._q.mean, min(self._q.widths) / 2
            self.q_moved.emit(replace(self._q, mean=(x + step * right, y + step * up)))

    def _change(self, first: float, second: float, turn: float) -> None:
        q = self._q
        if q:
            widths = first * q.widths[0], second * q.widths[1]
            self.q_moved.emit(replace(q, widths=widths, angle=q.angle + turn))
