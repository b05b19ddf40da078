"""Round numbers along an axis."""

import math
from collections.abc import Sequence

import pyqtgraph as pg
from typing_extensions import override

_LOG_ROOM = {"bottom": 60, "left": 24}
"""Pixels for a number of a logarithmic axis."""


def ticks(low: float, high: float, most: int, *, log: bool) -> list[tuple[float, str]]:
    """Places from ``low`` to ``high``, about ``most`` or fewer, and their numbers.

    Steps are 1, 2 or 5 times a power of ten. A logarithmic axis is in powers of ten; it has ticks
    at those, and at 2 and 5 times those if there is room.
    """
    if not high > low:
        return []
    if log:
        return _log_ticks(low, high, most)
    rough = (high - low) / max(most, 1)
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * unit for factor in (1, 2, 5, 10) if factor * unit >= rough * (1 - 1e-9))
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [
        (number * step, f"{number * step:z,.{decimals}f}".replace("-", "−"))
        for number in range(first, last + 1)
    ]


def _log_ticks(low: float, high: float, most: int) -> list[tuple[float, str]]:
    powers = range(math.floor(low), math.ceil(high) + 1)
    for factors in ((1, 2, 5), (1,)):
        values = [factor * 10.0**power for power in powers for factor in factors]
        found = [(x, _short(v)) for v in values if low <= (x := math.log10(v)) <= high]
        if len(found) <= max(most, 1):
            return found
    return found[:: -(-len(found) // max(most, 1))]


def _short(value: float) -> str:
    return f"{value:,.0f}" if 1 <= value < 1e6 else f"{value:g}".replace("-", "−")


class NumberAxis(pg.AxisItem):  # type: ignore[misc]
    """An axis that numbers its logarithms sparsely, and writes a true minus sign."""

    @override
    def tickValues(
        self, low: float, high: float, size: float
    ) -> list[tuple[float, Sequence[float]]]:
        if not self.logMode:
            found: list[tuple[float, Sequence[float]]] = super().tickValues(low, high, size)
            return found
        most = int(size // _LOG_ROOM[self.orientation])
        return [(1.0, [x for x, _ in ticks(low, high, most, log=True)])]

    @override
    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        if self.logMode:
            return [_short(float(f"{10.0**x:.6g}")) for x in values]
        return [text.replace("-", "−") for text in super().tickStrings(values, scale, spacing)]
