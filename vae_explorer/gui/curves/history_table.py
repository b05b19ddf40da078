"""Training figures in growing arrays, ready to draw."""

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
_HELD_OUT, _EXACT = _ROW["held_out_elbo"], _ROW["held_out_log_marginal"]
_WHOLE = {"active_units", "step", "samples"}
_NEEDED = 5
_TOLERANCE = 1e-3  # nats; less cannot be seen
_USUAL = 1.0
"""β and the draws of z an image, unless a recipe says otherwise."""


class GrowingColumns:
    """Columns that grow by doubling, so that adding a row costs O(1) on average."""

    def __init__(self, columns: int) -> None:
        self._data: Float64 = np.empty((columns, 256))
        self._used = 0

    def extend(self, rows: Float64) -> None:
        """Add rows of shape (n, columns)."""
        end = self._used + len(rows)
        if end > self._data.shape[1]:
            grown = np.empty((len(self._data), max(end, 2 * self._data.shape[1])))
            grown[:, : self._used] = self._data[:, : self._used]
            self._data = grown
        self._data[:, self._used : end] = rows.T
        self._used = end

    @property
    def values(self) -> Float64:
        """A (columns, n) view; later rows never change it."""
        return self._data[:, : self._used]


class HistoryTable:
    """The reports of a run, in order of epoch; figures that are not known are NaN."""

    def __init__(self, points: Sequence[HistoryPoint] = ()) -> None:
        self._rows: dict[Rows, GrowingColumns] = {
            "all": GrowingColumns(len(COLUMNS)),
            "held_out": GrowingColumns(len(COLUMNS)),
            "exact": GrowingColumns(len(COLUMNS)),
        }
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
        before = self._rows["all"].values[:, -1:].T
        self._rows["all"].extend(rows)
        self._rows["held_out"].extend(rows[~np.isnan(rows[:, _HELD_OUT])])
        self._rows["exact"].extend(rows[~np.isnan(rows[:, _EXACT])])
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
        values: Float64 = self._rows[rows].values[_ROW[name]]
        return values

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
        return [_point(row) for row in self._rows["all"].values.T.tolist()]


def _point(row: list[float]) -> HistoryPoint:
    cells = dict(zip(COLUMNS, row, strict=True))
    known = {name: x for name, x in cells.items() if name in COLUMNS[:_NEEDED] or not math.isnan(x)}
    counts = {name: int(known[name]) for name in _WHOLE & known.keys()}
    return HistoryPoint(**{**known, **counts})  # type: ignore[arg-type]
