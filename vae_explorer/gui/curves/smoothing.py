"""An exponential moving average of a column that grows."""

import numpy as np

from vae_explorer.gui.curves.history_table import GrowingColumns
from vae_explorer.types import Float64

_NEGLIGIBLE = 1e-17
_SETTLED = 4_096  # values after which nothing is left of the start, with a weight of 0.99
_PORTION = 16_384
"""As many values as stay near the processor while they are summed."""


def exponential_sums(values: Float64, weight: float) -> Float64:
    """(n,) sums over i ≥ 0 of weightⁱ · values[t − i], for a weight in [0, 1).

    By doubling: after a pass with a shift of k each sum holds 2k terms.
    """
    sums = values.copy()
    shift = 1
    while shift < len(sums) and weight**shift > _NEGLIGIBLE:
        sums[shift:] += weight**shift * sums[:-shift]
        shift *= 2
    return sums


class Smoothed:
    """The bias-corrected average of all values so far, the newest having the most weight.

    mₜ = w·mₜ₋₁ + (1 − w)·yₜ from m₀ = 0, over 1 − wᵗ (Kingma & Ba, arXiv 1412.6980, §3). Values
    that are not finite have no weight; what stands in their place is not a number.
    """

    def __init__(self, weight: float) -> None:
        self._weight = weight
        self._values = GrowingColumns(1)
        self._sum = 0.0
        self._count = 0

    def update(self, values: Float64) -> Float64:
        """(n,) averages of the column (n,) as it is now, which may only have grown."""
        known = self._values.values.shape[1]
        for start in range(known, len(values), _PORTION):
            self._values.extend(self._next(values[start : start + _PORTION])[:, None])
        averages: Float64 = self._values.values[0]
        return averages

    def _next(self, values: Float64) -> Float64:
        finite = np.isfinite(values)
        sums = exponential_sums(np.append(self._sum, values[finite]), self._weight)
        self._sum = float(sums[-1])
        counts = self._count + np.arange(1, len(sums))
        self._count += len(sums) - 1
        averages = np.full(len(values), np.nan)
        weights = (1 - self._weight) / (1 - self._weight ** counts.clip(max=_SETTLED))
        averages[finite] = weights * sums[1:]
        return averages
