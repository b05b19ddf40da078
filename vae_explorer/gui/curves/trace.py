"""A figure of a run on its way to the screen."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vae_explorer.gui.curves.curve_table import CurveSpec, TimeAxis
from vae_explorer.gui.curves.decimation import Pyramid, Vertices, decimate
from vae_explorer.gui.curves.history_table import HistoryTable
from vae_explorer.gui.curves.smoothing import Smoothed
from vae_explorer.gui.theme import Theme
from vae_explorer.gui.widgets.number_format import figure
from vae_explorer.types import Float64

_SAMPLED = 4_096
_FAR = 300.0


class TimeScale(NamedTuple):
    """What time is counted in, and whether the axis is logarithmic."""

    unit: TimeAxis = "epoch"
    log: bool = False

    def to_view(self, times: Float64) -> Float64:
        """From epochs, steps or seconds to units of the axis; a log axis has no zero."""
        return to_axis(times, self.log)

    def from_view(self, places: Float64) -> Float64:
        """And back; what is further than a number can be is as far as that."""
        return np.power(10.0, places.clip(-_FAR, _FAR)) if self.log else places


class Trace:
    """One curve of one run, smoothed as well if it may be.

    ``update`` takes what is new in the table since the last time, at a cost that does not grow
    with what was there.
    """

    def __init__(self, table: HistoryTable, spec: CurveSpec, color: str = "") -> None:
        self.table = table
        self.spec = spec
        self._color = color
        self._pyramid = Pyramid()
        self._average: tuple[Smoothed, Pyramid] | None = None
        self._averages: Float64 = np.empty(0)
        self._seen = 0

    def color(self, theme: Theme) -> str:
        """Its own colour, or the theme's for the figure."""
        return self._color or str(getattr(theme, self.spec.color))

    @property
    def foreign(self) -> bool:
        """Whether it belongs to an overlay."""
        return bool(self._color)

    def set_smoothing(self, weight: float) -> None:
        """Average with this weight of the past, in [0, 1); 0 for not at all."""
        smooth = weight > 0 and self.spec.smooth
        self._average = (Smoothed(weight), Pyramid()) if smooth else None

    @property
    def smoothing(self) -> bool:
        """Whether there is an average to draw."""
        return self._average is not None

    def update(self) -> None:
        """Take the new rows of the table."""
        values = self.values
        self._seen = len(values)
        self._pyramid.update(values)
        if self._average:
            average, pyramid = self._average
            self._averages = average.update(values)
            pyramid.update(self._averages)

    @property
    def values(self) -> Float64:
        """(n,) the figures."""
        return self.table.column(self.spec.column, self.spec.rows)

    def times(self, unit: TimeAxis) -> Float64:
        """(n,) when they were measured; empty where this run does not know."""
        if not self.table.has_time(unit):
            return np.empty(0)
        return self.table.column(unit, self.spec.rows)

    def at(self, unit: TimeAxis, time: float | None) -> float | None:
        """The newest figure at a moment, or of all; None if there was none yet."""
        times = self.times(unit)
        end = len(times) if time is None else int(np.searchsorted(times, time, side="right"))
        return float(self.values[end - 1]) if end and not np.isnan(self.values[end - 1]) else None

    def drawn(self, scale: TimeScale, edges: Float64, *, smooth: bool) -> Vertices:
        """The curve as of ``update`` between the edges of pixel columns, in units of the x axis.

        ``smooth`` asks for the average, which is empty without smoothing.
        """
        values, pyramid = self.values[: self._seen], self._pyramid
        if smooth:
            if self._average is None:
                return Vertices(np.empty(0), np.empty(0))
            values, pyramid = self._averages, self._average[1]
        times = self.times(scale.unit)[: self._seen]
        x, y = decimate(times, values[: len(times)], pyramid, scale.from_view(edges))
        return Vertices(scale.to_view(x), y)

    def sample(self, scale: TimeScale) -> Vertices:
        """Some thousand points evenly along the axis, or all if there are fewer."""
        times = self.times(scale.unit)
        start = int(np.searchsorted(times, 0.0, side="right")) if scale.log else 0
        times, values = times[start:], self.values[start : len(times)]
        if len(times) > _SAMPLED:
            first, last = scale.to_view(times[[0, -1]])
            places = scale.from_view(np.linspace(first, last, _SAMPLED))
            found = np.searchsorted(times, places).clip(max=len(times) - 1)
            found = found[np.diff(found, prepend=-1) > 0]
            times, values = times[found], values[found]
        return Vertices(scale.to_view(times), values)


def to_axis(values: Float64, log: bool) -> Float64:
    """Values in units of an axis; what a logarithmic one cannot show is not a number."""
    if not log:
        return values
    return np.log10(values, where=values > 0, out=np.full(len(values), np.nan))


def written(value: float | None, digits: str) -> str:
    """A value as in the legend, nothing for none."""
    if value is None:
        return ""
    if digits.endswith("f"):
        return figure(value, int(digits[1:-1]))
    return format(value, digits).replace("-", "−")


def robust_range(curves: Sequence[Vertices]) -> tuple[float, float] | None:
    """A y range in which the bulk of some curves can be read, in units of the axes.

    A run starts hundreds of nats below where it ends, so the first tenth of each curve's time on
    the axis does not count, nor do the outermost hundredths and values that are not finite. None
    without values.
    """
    ends: list[float] = []
    for x, y in curves:
        known = x[np.isfinite(x)]
        if not len(known):
            continue
        tail = y[np.isfinite(y) & (x >= known[0] + 0.1 * (known[-1] - known[0]))]
        if len(tail):
            ends.extend(np.percentile(tail, (1, 99)))
    if not ends:
        return None
    low, high = float(min(ends)), float(max(ends))
    margin = 0.08 * (high - low) or max(1e-3 * abs(high), 1e-3)
    return low - margin, high + margin
