"""Training figures in growing arrays, ready to draw."""

from collections.abc import Sequence
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from vae_explorer.session.state import HistoryPoint

Float64 = NDArray[np.float64]

_FIGURES = attrgetter(
    "epoch",
    "elbo",
    "log_likelihood",
    "kl",
    "objective",
    "held_out_elbo",
    "held_out_log_likelihood",
    "held_out_kl",
    "held_out_log_marginal",
)
_TOLERANCE = 1e-3  # nats; less cannot be seen


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
    """The points of a run, in order of epoch."""

    def __init__(self) -> None:
        self._train = GrowingColumns(5)
        self._held_out = GrowingColumns(5)
        self._own_objective = False

    def append(self, points: Sequence[HistoryPoint]) -> None:
        """Add points; those without held-out figures add no held-out row."""
        if not points:
            return
        # None becomes NaN here.
        rows = np.array([_FIGURES(point) for point in points], dtype=np.float64)
        self._train.extend(rows[:, :5])
        self._own_objective |= bool(np.any(np.abs(rows[:, 4] - rows[:, 1]) > _TOLERANCE))
        self._held_out.extend(rows[~np.isnan(rows[:, 5])][:, [0, 5, 6, 7, 8]])

    @property
    def train(self) -> Float64:
        """(5, n): epoch, ELBO, log-likelihood, KL and the objective, nats per image."""
        return self._train.values

    @property
    def held_out(self) -> Float64:
        """(5, m): the same of the held-out images, at the moments they were measured.

        In place of the objective stands the exact log p(x), or NaN.
        """
        return self._held_out.values

    @property
    def own_objective(self) -> bool:
        """Whether training maximises something else than the ELBO."""
        return self._own_objective
