"""What is on the map, as one frozen value."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from vae_explorer.data.dataset import Dataset
from vae_explorer.number_format import AXES
from vae_explorer.types import Float32, Float64, Int64, Labels, OneSplit, Split, UInt8

if TYPE_CHECKING:  # the map is looked at while PyTorch is imported
    from vae_explorer.model.trained import Posterior, TrainedVAE
    from vae_explorer.training.snapshot import Snapshot

Mode = Literal["replace", "add", "remove"]
"""What becomes of newly chosen images: they are the selection, join it or leave it."""


@dataclass(frozen=True)
class MapPoints:
    """Points of the map.

    ``positions`` is (n, 2) float32 in latent units, ``labels`` (n,) the class of each, 0 of images
    without labels, ``indices`` (n,) int64 into the split of ``data`` they come from; ``total`` is
    that split's size. ``kind`` says what a point is, such as "encoder mean", and ``orientation``
    how the plane was turned to be comparable, if so, ``axes`` what its axes are called; ``foreign``
    says of which data the images are if the model was trained on others.
    """

    positions: Float32
    labels: Labels
    indices: Int64
    total: int
    split: Split
    data: Dataset
    kind: str = "encoder mean"
    orientation: str = ""
    axes: tuple[str, str] = AXES
    foreign: str = ""

    def origin(self, row: int) -> tuple[OneSplit, int]:
        """The split and the index in it of the image behind a row."""
        return self.data.origin(self.split, int(self.indices[row]))

    @property
    def images(self) -> UInt8:
        """All images (total, h, w) of the split, which ``indices`` index."""
        return self.data.of(self.split).images

    @property
    def seeds(self) -> Int64:
        """(n,), of the draw of each image."""
        return self.data.in_both(self.split, self.indices)


@dataclass(frozen=True, eq=False)
class PointColors:
    """What the points' colours mean: ``values`` (n,) float32, NaN where not known.

    Of a scale ``low`` and ``high`` are its ends, beyond which a value takes the colour of the end,
    and ``unit`` is its unit. Of categories ``names`` are theirs, and ``values`` index them.
    ``about`` is one line on what exactly is shown.
    """

    title: str
    about: str
    values: Float32
    low: float = 0.0
    high: float = 1.0
    unit: str = ""
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Thumbnail:
    """One image of the data: ``index`` in its split, ``image`` (h, w) uint8.

    ``name`` is that of its class, "" without one.
    """

    index: int
    label: int
    image: UInt8
    name: str


def class_name(data: Dataset, label: int) -> str:
    """What people call a class of the data; "" where it has none."""
    return data.classes[label] if label < len(data.classes) else ""


def described(data: Dataset, label: int) -> str:
    """A class in a sentence: a number is a "digit 7" of MNIST, a "class 7" of other data."""
    name = class_name(data, label)
    if not name:
        return "image"
    return f"{'digit' if data.name == 'MNIST' else 'class'} {name}" if name.isdecimal() else name


def same_images(one: MapPoints | None, other: MapPoints | None) -> bool:
    """Whether two sets of points are of the same images in the same order."""
    if one is None or other is None:
        return one is other
    return one is other or (
        one.data is other.data
        and one.split == other.split
        and np.array_equal(one.indices, other.indices)
    )


@dataclass(frozen=True, eq=False)
class MapState:
    """A model and where it puts the images of ``data``; all of it belongs to this one model.

    Attributes:
        snapshot: the model as it was trained.
        name: of the model, for people.
        path: where the model is saved; None while it exists only in memory.
        model: the same as the plane is rotated.
        data: the images it is shown on, of the size that it reads.
        points: None at start-up alone, until the first images have been encoded.
        posterior: q(z|x) of the points, by ``model``; None if they are.
        moving: a run goes on, and the next state will soon follow.
        before: the points under the model before this one.
        start: the points under the first model of the run.
        rotation: (2, 2), which led from the codes of ``snapshot`` to those of ``model``, if any.
    """

    snapshot: "Snapshot"
    name: str
    path: Path | None
    model: "TrainedVAE"
    data: Dataset
    points: MapPoints | None = None
    posterior: "Posterior | None" = None
    moving: bool = False
    before: MapPoints | None = None
    start: MapPoints | None = None
    rotation: Float64 | None = None
