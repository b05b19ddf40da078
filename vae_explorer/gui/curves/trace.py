"""A metric of a run on its way to the screen."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vae_explorer.gui.curves.curve_table import CurveSpec, TimeAxis
from vae_explorer.gui.plot.axis import Axis
from vae_explorer.session.training.run_history import RunHistory
from vae_explorer.types import Float64

_SAMPLED = 1_000
_NEGLIGIBLE = 1e-17


class TimeScale(NamedTuple):
    """What time is counted in, and whether the axis is logarithmic."""

    unit: TimeAxis = "epoch"
    log: bool = False


class Trace:
    """One curve of one run, smoothed as well if it may be; ``color`` is that of an overlay."""

    def __init__(
        self, history: RunHistory, spec: CurveSpec, color: str = "", smoothing: float = 0.0
    ) -> None:
        self.history = history
        self.spec = spec
        self.foreign = bool(color)
        self.color = color or spec.color
        self.smoothing = smoothing if spec.smooth else 0.0

    @property
    def values(self) -> Float64:
        """(n,) the metric."""
        return self.history.column(self.spec.column, self.spec.rows)

    def times(self, unit: TimeAxis) -> Float64:
        """(n,) when it was measured; empty where this run does not know."""
        if not self.history.has_time(unit):
            return np.empty(0)
        return self.history.column(unit, self.spec.rows)

    def at(self, unit: TimeAxis, time: float | None) -> float | None:
        """The newest value at a moment, or of all; None if there was none yet."""
        times = self.times(unit)
        end = len(times) if time is None else int(np.searchsorted(times, time, side="right"))
        values = self.values
        return float(values[end - 1]) if end and not np.isnan(values[end - 1]) else None


def smoothed(values: Float64, weight: float) -> Float64:
    """(n,) bias-corrected averages of all values (n,) so far, the newest having the most weight.

    mₜ = w·mₜ₋₁ + (1 − w)·yₜ from m₀ = 0, over 1 − wᵗ (Kingma & Ba, arXiv 1412.6980, §3). Values
    that are not finite have no weight; what stands in their position is not a number.
    """
    if not weight:
        return values
    finite = np.isfinite(values)
    averages = np.full(len(values), np.nan)
    counts = np.arange(1.0, finite.sum() + 1)
    sums, shift = values[finite], 1
    while shift < len(sums) and weight**shift > _NEGLIGIBLE:
        sums[shift:] += weight**shift * sums[:-shift]  # each sum then holds 2 · shift terms
        shift *= 2
    averages[finite] = (1 - weight) * sums / (1 - weight**counts)
    return averages


def robust_range(
    curves: Sequence[tuple[Float64, Float64]], x_axis: Axis, y_axis: Axis
) -> tuple[float, float] | None:
    """A y range, linear along its axis, in which the bulk of curves (n,) and (n,) can be read.

    A run starts hundreds of nats below where it ends, so the first tenth of each curve's time on
    the axis does not count, nor do the outermost hundredths and values that are not finite. None
    without values.
    """
    ends: list[float] = []
    for times, values in curves:
        x, y = x_axis.linear(times), y_axis.linear(values)
        known = np.isfinite(x)
        x, y = x[known], y[known]
        if not len(x):
            continue
        if len(x) > _SAMPLED:  # evenly along the axis, whatever it is
            rows = np.unique(np.searchsorted(x, np.linspace(x[0], x[-1], _SAMPLED)))
            x, y = x[rows], y[rows]
        tail = y[np.isfinite(y) & (x >= x[0] + 0.1 * (x[-1] - x[0]))]
        if len(tail):
            ends.extend(np.percentile(tail, (1, 99)))
    if not ends:
        return None
    low, high = float(min(ends)), float(max(ends))
    margin = 0.08 * (high - low) or max(1e-3 * abs(high), 1e-3)
    return low - margin, high + margin
