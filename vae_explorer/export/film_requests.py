"""What can be asked of films, as frozen values without torch."""

from dataclasses import dataclass
from typing import Literal, get_args

from typing_extensions import override

from vae_explorer.export.requests import Request, asked, paired, points
from vae_explorer.types import ImageShape

Metric = Literal["straight", "spherical", "geodesic"]


@dataclass(frozen=True)
class Moving(Request):
    """A film: its size, rate and look."""

    width: int = asked(720, "Width", "Of a frame.", unit="px", low=160, high=3840, step=20)
    height: int = asked(600, "Height", "Of a frame.", unit="px", low=120, high=2160, step=20)
    rate: int = asked(10, "Rate", "Frames a second.", unit="per second", low=1, high=50, step=1)
    hold: float = asked(
        1.5, "Hold", "How much longer the last frame stays.", unit="s", high=30, step=0.5
    )
    loop: bool = asked(True, "Loop", "Begin again at the end; of a video the player decides.")
    text: float = asked(13.0, "Text size", "Of labels.", unit="px", low=6, high=64, step=1)
    caption: bool = asked(True, "Caption", "A line above, which says where the film is.")
    scheme: str = asked("light", "Colours", "Of the ground.", choices=("light", "dark"))

    @override
    def size(self, shape: ImageShape) -> str:
        return f"{self.width:,} × {self.height:,} pixels"


@dataclass(frozen=True)
class Film(Moving):
    """The training film of a run: map, decoded sheet and curves, from snapshot to snapshot."""

    snapshots: int = asked(
        0,
        "Snapshots",
        "A frame each, evenly over the run; of 1 it is the last.",
        high=60,
        step=1,
        lowest="all",
    )
    points: int = asked(2_000, "Points", "Test images on the map.", low=10, high=10_000, step=100)
    sheet: int = asked(
        14, "Sheet", "Decoded images per side.", unit="per side", low=2, high=30, step=1
    )

    @property
    @override
    def stem(self) -> str:
        return "training"

    @override
    def small(self, shape: ImageShape) -> Request:
        return self.replace(snapshots=1)


@dataclass(frozen=True)
class Walk(Moving):
    """A walk through latent points; a geodesic goes beside the straight line.

    ``z`` has z₁ and z₂ of each in turn.
    """

    height: int = asked(420, "Height", "Of a frame.", unit="px", low=120, high=2160, step=20)
    z: tuple[float, ...] | None = points("A latent point on the way, in latent units.")
    metric: str = asked(
        "straight", "Metric", "How to go: straight, about the origin, or so that the picture "
        "moves least, beside the straight line.",
        choices=get_args(Metric),
    )  # fmt: skip
    closed: bool = asked(False, "Closed", "Go back to the first point.")
    frames: int = asked(
        60, "Frames", "From the first point to the last.", low=2, high=2_000, step=10
    )
    sheet: int = asked(
        14, "Sheet", "Decoded images per side, under the way.", high=30, step=1, lowest="none"
    )

    @override
    def small(self, shape: ImageShape) -> Request:
        return self.replace(frames=2)

    @property
    def places(self) -> list[tuple[float, float]]:
        """The latent points.

        Raises:
            ExportError: there are fewer than two.
        """
        return paired(self.z, 2, "A walk needs two latent points or more")
