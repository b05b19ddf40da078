"""The reports of a run, once: as they came, and as columns ready to draw."""

import dataclasses
from collections.abc import Sequence
from operator import attrgetter
from typing import Literal

import numpy as np

from vae_explorer.training.history import LONGEST_HISTORY, HistoryPoint, thinned
from vae_explorer.types import Float64

Rows = Literal["all", "held_out", "exact"]
"""Every report, those with held-out figures, or those with an exact log p(x)."""

_COLUMNS = tuple(field.name for field in dataclasses.fields(HistoryPoint))
_ROW = {name: row for row, name in enumerate(_COLUMNS)}
_FIGURES = attrgetter(*_COLUMNS)
_MEASURED = {"held_out": "held_out_elbo", "exact": "held_out_log_marginal"}
_TOLERANCE = 1e-3  # nats; less cannot be seen
_LARGEST = 1e30
"""Beyond it, or infinite, a figure is none: nothing can be drawn with it."""
_USUAL = 1.0
"""β and the draws of z an image, unless a recipe says otherwise."""


class RunHistory:
    """The reports of a run, in order of epoch; figures that are not known are NaN.

    Shared by all who read it. It grows as the run goes on, by its owner alone.
    """

    def __init__(self, points: Sequence[HistoryPoint] = ()) -> None:
        self.points: tuple[HistoryPoint, ...] = ()
        self._figures: Float64 = np.empty((len(_COLUMNS), 0))
        self.extend(points)

    def extend(self, points: Sequence[HistoryPoint]) -> None:
        """Add later reports; where they are very many all are thinned, as a trainer does."""
        self.points += tuple(points)
        if len(self.points) > LONGEST_HISTORY:
            points = self.points = tuple(thinned(self.points))
            self._figures = self._figures[:, :0]
        # None becomes NaN here.
        rows = np.array([_FIGURES(point) for point in points], dtype=np.float64)
        rows = rows.reshape(-1, len(_COLUMNS))
        rows[np.abs(rows) > _LARGEST] = np.nan
        self._figures = np.concatenate([self._figures, rows.T], axis=1)
        self._figures.flags.writeable = False

    def __len__(self) -> int:
        return len(self.points)

    def column(self, name: str, rows: Rows = "all") -> Float64:
        """(n,) values of a figure at these reports."""
        values: Float64 = self._figures[_ROW[name]]
        return values if rows == "all" else values[~np.isnan(self.column(_MEASURED[rows]))]

    def knows(self, name: str) -> bool:
        """Whether the figure was reported at all."""
        return not np.isnan(self.column(name)).all()

    def has_time(self, name: str) -> bool:
        """Whether each report says its "epoch", "step" or "seconds", none less than before."""
        times = self.column(name)
        return not np.isnan(times).any() and bool(np.all(np.diff(times) >= 0))

    def unusual(self, name: str) -> bool:
        """Whether "beta" or "samples" was anything but one at any time."""
        return bool(np.any(np.nan_to_num(self.column(name), nan=_USUAL) != _USUAL))

    @property
    def own_objective(self) -> bool:
        """Whether training maximises something else than the ELBO."""
        off = np.abs(self.column("objective") - self.column("elbo"))
        return bool(np.any(off > _TOLERANCE))
