"""The two sides of a comparison, as values."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vae_explorer.types import Float32, Split

Side = Literal["A", "B"]
SIDES: tuple[Side, Side] = ("A", "B")


@dataclass(frozen=True)
class SideInfo:
    """What a side shows.

    ``path`` is None if the model was not opened for the comparison but given to it.
    ``orientation`` is how the plane was turned to fit the other's, if it was.
    """

    name: str
    path: Path | None
    split: Split
    epoch: float
    objective: str
    orientation: str


@dataclass(frozen=True)
class Preview:
    """What a side decodes at ``z``, (h, w) float32, there being image ``title``, or nothing, ""."""

    z: tuple[float, float]
    image: Float32
    title: str


def other_side(side: Side) -> Side:
    """B for A and A for B."""
    return "B" if side == "A" else "A"
