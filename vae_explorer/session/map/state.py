"""What is on the map, as one frozen value."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vae_explorer.data.bundled import origin
from vae_explorer.model.trained import Posterior, TrainedVAE
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.types import Float32, Float64, Int64, Labels, OneSplit, Split, UInt8


@dataclass(frozen=True)
class MapPoints:
    """Points of the map.

    ``positions`` is (n, 2) float32 in latent units, ``labels`` (n,) uint8, ``indices`` (n,) int64
    into the split they come from; ``total`` is that split's size. ``kind`` says what a point is,
    such as "encoder mean", and ``orientation`` how the plane was turned to be comparable, if so.
    """

    positions: Float32
    labels: Labels
    indices: Int64
    total: int
    split: Split
    kind: str = "encoder mean"
    orientation: str = ""

    def origin(self, row: int) -> tuple[OneSplit, int]:
        """The split and the index in it of the image behind a row."""
        return origin(self.split, int(self.indices[row]))


@dataclass(frozen=True)
class Thumbnail:
    """One image of the data: ``index`` in its split, ``image`` (h, w) uint8."""

    index: int
    label: int
    image: UInt8


def same_images(one: MapPoints | None, other: MapPoints | None) -> bool:
    """Whether two sets of points are of the same images in the same order."""
    if one is None or other is None:
        return one is other
    return one is other or (one.split == other.split and np.array_equal(one.indices, other.indices))


@dataclass(frozen=True, eq=False)
class MapState:
    """A model and where it puts the images; all of it belongs to this one model.

    Attributes:
        snapshot: the model as it was trained.
        name: of the model, for people.
        path: where the model is saved; None while it exists only in memory.
        model: the same as the plane is rotated.
        points: None at start-up alone, until the first images have been encoded.
        posterior: q(z|x) of the points, by ``model``; None if they are.
        moving: a run goes on, and the next state will soon follow.
        before: the points under the model before this one.
        start: the points under the first model of the run.
        rotation: (2, 2), which led from the codes of ``snapshot`` to those of ``model``, if any.
    """

    snapshot: Snapshot
    name: str
    path: Path | None
    model: TrainedVAE
    points: MapPoints | None = None
    posterior: Posterior | None = None
    moving: bool = False
    before: MapPoints | None = None
    start: MapPoints | None = None
    rotation: Float64 | None = None
