"""The two sides of a comparison, as values."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vae_explorer.types import Float32

Side = Literal["A", "B"]
SIDES: tuple[Side, Side] = ("A", "B")


@dataclass(frozen=True)
class SideInfo:
    """What a side shows.

    ``path`` is None if the model was not opened for the comparison but given to it. ``split`` is
    "train", "test" or "both", ``orientation`` how the plane was turned to fit the other's, if it
    was.
    """

    name: str
    path: Path | None
    split: str
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
