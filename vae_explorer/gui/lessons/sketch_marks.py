"""What can stand on a ``Sketch``, and the numbers at its axes."""

import math
from dataclasses import dataclass

from vae_explorer.gui.widgets.number_format import figure
from vae_explorer.types import Floats


@dataclass(frozen=True, eq=False)
class Line:
    """A curve through (x, y), each (n,), in a colour; ``filled`` down to 0."""

    x: Floats
    y: Floats
    color: str
    name: str = ""
    width: float = 2.0
    dashed: bool = False
    filled: bool = False


@dataclass(frozen=True, eq=False)
class Columns:
    """Columns between ``edges`` (n + 1,) of ``heights`` (n,); ``gap`` is left of their width."""

    edges: Floats
    heights: Floats
    color: str
    name: str = ""
    gap: float = 0.0


@dataclass(frozen=True, eq=False)
class Dots:
    """Dots at ``places`` (n, 2), ``size`` pixels wide."""

    places: Floats
    color: str
    name: str = ""
    size: float = 3.0
    opacity: float = 0.5


@dataclass(frozen=True)
class Level:
    """A line across the whole chart at a value of y, or of x if it is ``upright``."""

    value: float
    color: str
    name: str = ""
    upright: bool = False
    dashed: bool = True


@dataclass(frozen=True)
class Arrow:
    """An arrow from ``start`` to ``end``, (x, y) each."""

    start: tuple[float, float]
    end: tuple[float, float]
    color: str
    name: str = ""


Mark = Line | Columns | Dots | Level | Arrow


def ticks(low: float, high: float, most: int, least: float = 0.0) -> list[float]:
    """Round numbers from ``low`` to ``high``, about ``most`` of them, ``least`` apart."""
    if not high > low or most < 1:
        return []
    rough = max((high - low) / most, least)
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * unit for factor in (1, 2, 5, 10) if factor * unit >= 0.999 * rough)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def tick_text(value: float, step: float) -> str:
    """A tick's number, with the decimals that tell it from the next."""
    if value and (abs(value) >= 1e5 or abs(step) < 1e-4):
        return f"{value:.0e}".replace("-", "−").replace("e+0", "e").replace("e−0", "e−")
    return figure(value, max(0, -math.floor(math.log10(step) + 1e-9)) if step > 0 else 0)
