"""An axis: from data to a share of its length, linear or logarithmic, and its round numbers."""

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from vae_explorer.number_format import figure, scientific, superscript
from vae_explorer.types import Float64, Floats

_FURTHEST = 300.0
"""Powers of ten that a logarithmic axis reaches to either side."""
_LARGEST = 1e300
_MOST = 200
"""More ticks than these are a span that numbers cannot resolve."""
_PLAIN = 1e6


class Tick(NamedTuple):
    """A round number of an axis, and how it is written."""

    value: float
    text: str


@dataclass(frozen=True)
class Axis:
    """The ends shown, in units of the data, and what they measure.

    Without ``numbers`` neither they nor the label are written. Ticks are ``least_step`` apart or
    further, or those ``given``.
    """

    low: float = 0.0
    high: float = 1.0
    label: str = ""
    log: bool = False
    numbers: bool = True
    least_step: float = 0.0
    given: tuple[Tick, ...] = ()

    def to_share(self, values: Floats | float) -> Float64:
        """Where values are from ``low`` (0) to ``high`` (1); NaN where the axis has no position."""
        low, high = self.ends
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray((self.linear(values) - low) / (high - low), np.float64)

    def share(self, value: float) -> float:
        """``to_share`` of one value."""
        low, high = self.ends
        if self.log:
            value = math.log10(value) if value > 0 else math.nan
        return (value - low) / (high - low)

    def at_share(self, share: float) -> float:
        """The value at a share of the length."""
        low, high = self.ends
        return self.value(low + share * (high - low))

    def zoomed(self, factor: float, share: float = 0.5) -> "Axis":
        """Magnified by a factor; the value at ``share`` stays."""
        low, high = (share + (end - share) / factor for end in (0.0, 1.0))
        return self.ranged(self.at_share(low), self.at_share(high))

    def panned(self, share: float) -> "Axis":
        """Moved on by a share of its length."""
        return self.ranged(self.at_share(share), self.at_share(1.0 + share))

    def ranged(self, low: float, high: float) -> "Axis":
        """With other ends; unchanged where these are too close to tell apart."""
        wide = high - low > 1e-12 * max(abs(low), abs(high)) if not self.log else high > low > 0
        return replace(self, low=low, high=high) if wide else self

    def ticks(self, most: int) -> list[Tick]:
        """Round numbers in sight, about ``most`` of them or fewer.

        Steps are 1, 2 or 5 times a power of ten. A logarithmic axis has powers of ten, and 2 and 5
        times those if there is room; where these are further apart, those of a linear one.
        """
        if self.given:
            return list(self.given)
        low, high = self.ends
        if self.log:
            found = _log_ticks(low, high, most)
            if len(found) > 1 or high - low > 1:
                return found
            low, high = self.value(low), self.value(high)
        return _ticks(low, high, most, self.least_step)

    @cached_property
    def ends(self) -> tuple[float, float]:
        """In the ``linear`` coordinate, never equal and never infinite."""
        low, high = float(self.linear(self.low)), float(self.linear(self.high))
        if not (math.isfinite(low) and math.isfinite(high) and high > low):
            middle = low if math.isfinite(low) else 0.0
            low, high = middle - 0.5, middle + 0.5
        low, high = (min(max(end, -_LARGEST), _LARGEST) for end in (low, high))
        tiny = 1e-300 + 1e-13 * max(abs(low), abs(high))
        return (low, high) if high - low > tiny else (low - tiny, high + tiny)

    def linear(self, values: Floats | float) -> Float64:
        """Values in the coordinate that is linear along the axis; NaN where it has no position."""
        plain: Float64 = np.array(values, dtype=np.float64)
        if not self.log:
            return plain
        found = np.full(plain.shape, np.nan)
        np.log10(plain, where=plain > 0, out=found)
        return found

    def value(self, at: float) -> float:
        """Back from that coordinate."""
        return 10.0 ** min(max(at, -_FURTHEST), _FURTHEST) if self.log else at


def _ticks(low: float, high: float, most: int, least: float) -> list[Tick]:
    if most < 1:
        return []
    rough = max(high / most - low / most, least)
    if not rough > 0:
        return []
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next((x * unit for x in (1, 2, 5, 10) if x * unit >= rough * (1 - 1e-9)), 0.0)
    if not step:
        return []
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    if last - first > _MOST:
        return []
    return [
        Tick(number * step, tick_text(number * step, step)) for number in range(first, last + 1)
    ]


def tick_text(value: float, step: float) -> str:
    """A number with the decimals that tell it from the next, ``step`` further on."""
    if not value and step < 1e-4:
        return "0"
    if value and (abs(value) >= _PLAIN or step < 1e-4):
        return scientific(value, ".3g")
    return figure(value, f",.{max(0, -math.floor(math.log10(step) + 1e-9))}f")


def _log_ticks(low: float, high: float, most: int) -> list[Tick]:
    powers = range(math.floor(low), math.ceil(high) + 1)
    found: list[Tick] = []
    for factors in ((1, 2, 5), (1,)):
        found = [
            Tick(factor * 10.0**power, _power_text(factor, power))
            for power in powers
            for factor in factors
            if low <= power + math.log10(factor) <= high
        ]
        if len(found) <= max(most, 1):
            return found
    return found[:: -(-len(found) // max(most, 1))]


def _power_text(factor: int, power: int) -> str:
    if -3 <= power < 0:
        return f"{factor * 10.0**power:.{-power}f}"
    if 0 <= power < 5:
        return f"{factor * 10**power:,}"
    return f"{'' if factor == 1 else f'{factor}·'}10{superscript(str(power))}"
