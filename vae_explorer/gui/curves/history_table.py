"""The reports of a run as columns, ready to draw."""

import dataclasses
import math
from collections.abc import Sequence
from operator import attrgetter
from typing import Literal

import numpy as np

from vae_explorer.training.history import HistoryPoint
from vae_explorer.types import Float64

Rows = Literal["all", "held_out", "exact"]
"""Every report, those with held-out figures, or those with an exact log p(x)."""

COLUMNS = tuple(field.name for field in dataclasses.fields(HistoryPoint))
"""The figures of a report, in the order of the table's rows."""

_ROW = {name: row for row, name in enumerate(COLUMNS)}
_FIGURES = attrgetter(*COLUMNS)
_ELBO, _OBJECTIVE = _ROW["elbo"], _ROW["objective"]
_MEASURED = {"held_out": _ROW["held_out_elbo"], "exact": _ROW["held_out_log_marginal"]}
_WHOLE = {"active_units", "step", "samples"}
_NEEDED = 5
_TOLERANCE = 1e-3  # nats; less cannot be seen
_USUAL = 1.0
"""β and the draws of z an image, unless a recipe says otherwise."""


class HistoryTable:
    """The reports of a run, in order of epoch; figures that are not known are NaN."""

    def __init__(self, points: Sequence[HistoryPoint] = ()) -> None:
        self._figures: Float64 = np.empty((len(COLUMNS), 0))
        self._own_objective = False
        self._timed = {"epoch": True, "step": True, "seconds": True}
        self._known: set[str] = set()
        self._varied: set[str] = set()
        self.append(points)

    def append(self, points: Sequence[HistoryPoint]) -> None:
        """Add later reports."""
        if not points:
            return
        # None becomes NaN here.
        rows = np.array([_FIGURES(point) for point in points], dtype=np.float64)
        before = self._figures[:, -1:].T
        self._figures = np.concatenate([self._figures, rows.T], axis=1)
        self._own_objective |= bool(
            np.any(np.abs(rows[:, _OBJECTIVE] - rows[:, _ELBO]) > _TOLERANCE)
        )
        self._known.update(name for name in COLUMNS if not np.isnan(rows[:, _ROW[name]]).all())
        for name in self._timed:
            times = np.concatenate([before, rows])[:, _ROW[name]]
            self._timed[name] &= not np.isnan(times).any() and bool(np.all(np.diff(times) >= 0))
        for name in ("beta", "samples"):
            values = rows[:, _ROW[name]]
            if np.any(np.abs(values[~np.isnan(values)] - _USUAL) > 0):
                self._varied.add(name)

    def __len__(self) -> int:
        return len(self.column("epoch"))

    def column(self, name: str, rows: Rows = "all") -> Float64:
        """(n,) values of a figure at these reports."""
        values: Float64 = self._figures[_ROW[name]]
        return values if rows == "all" else values[~np.isnan(self._figures[_MEASURED[rows]])]

    def knows(self, name: str) -> bool:
        """Whether the figure was reported at all."""
        return name in self._known

    def has_time(self, name: str) -> bool:
        """Whether each report says its "epoch", "step" or "seconds", none less than before."""
        return self._timed[name]

    def unusual(self, name: str) -> bool:
        """Whether "beta" or "samples" was anything but one at any time."""
        return name in self._varied

    @property
    def own_objective(self) -> bool:
        """Whether training maximises something else than the ELBO."""
        return self._own_objective

    def points(self) -> list[HistoryPoint]:
        """The reports as they came, but that a held-out figure that is not a number is None."""
        return [_point(row) for row in self._figures.T.tolist()]


def _point(row: list[float]) -> HistoryPoint:
    cells = dict(zip(COLUMNS, row, strict=True))
    known = {name: x for name, x in cells.items() if name in COLUMNS[:_NEEDED] or not math.isnan(x)}
    counts = {name: int(known[name]) for name in _WHOLE & known.keys()}
    return HistoryPoint(**{**known, **counts})  # type: ignore[arg-type]
