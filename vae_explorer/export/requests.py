"""What can be asked of the exporters, as frozen values without torch."""

from dataclasses import dataclass
from typing import Literal

Spacing = Literal["quantile", "linear"]


@dataclass(frozen=True)
class DigitRequest:
    """One decoded position, each pixel drawn ``scale`` × ``scale``."""

    z: tuple[float, float]
    scale: int = 10


@dataclass(frozen=True)
class ManifoldRequest:
    """An ``n`` × ``n`` sheet of decoded positions, each pixel drawn ``scale`` × ``scale``.

    ``spacing`` is "quantile" (equal prior mass) or "linear" over ±``extent`` latent units.
    """

    n: int = 20
    spacing: Spacing = "quantile"
    extent: float = 3.0
    scale: int = 1
