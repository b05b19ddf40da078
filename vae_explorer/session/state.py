"""What the window shows, as frozen values: NumPy arrays in, no tensors, no widgets."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from vae_explorer.types import Float32, Int64, UInt8

LATENT_LIMIT = 6.0
"""The cursor stays within ±this many latent units of the origin, on both axes."""


@dataclass(frozen=True)
class ModelInfo:
    """The model on the map.

    ``name`` is for people; ``path`` is None while it exists only in memory. ``epoch`` counts
    finished epochs (fractional during one). ``held_out_elbo`` is in nats per image.
    """

    name: str
    path: Path | None
    epoch: float
    held_out_elbo: float | None
    image_shape: tuple[int, int]
    parameters: int


@dataclass(frozen=True)
class MapPoints:
    """Points of the map.

    ``positions`` is (n, 2) float32 in latent units, ``labels`` (n,) uint8, ``indices`` (n,) int64
    into the split they come from; ``total`` is that split's size, ``split`` "train", "test" or
    "both". ``kind`` says what a point is, such as "encoder mean", and ``orientation`` how the plane
    was turned to be comparable, if it was.
    """

    positions: Float32
    labels: UInt8
    indices: Int64
    total: int
    split: str
    kind: str = "encoder mean"
    orientation: str = ""

    def origin(self, row: int) -> tuple[str, int]:
        """The split, "train" or "test", and the index in it of the image behind a row."""
        return origin(self.split, int(self.indices[row]))


TRAINING_IMAGES = 60_000
"""Of "both" splits these come first."""


def origin(split: str, index: int) -> tuple[str, int]:
    """The split, "train" or "test", and the index in it of image ``index`` of ``split``."""
    if split != "both":
        return split, index
    return ("train", index) if index < TRAINING_IMAGES else ("test", index - TRAINING_IMAGES)


def index_in(split: str, part: str, index: int) -> int:
    """Where image ``index`` of ``part``, "train" or "test", is in ``split``; −1 if it is not."""
    if split == "both":
        return index + (TRAINING_IMAGES if part == "test" else 0)
    return index if split == part else -1


def draw_seeds(split: str, indices: Int64) -> Int64:
    """The seeds (n,) of the draws that images ``indices`` (n,) of ``split`` are scored on."""
    return indices + (TRAINING_IMAGES if split == "test" else 0)


@dataclass(frozen=True)
class Thumbnail:
    """One image of the data: ``index`` in its split, ``image`` (h, w) uint8."""

    index: int
    label: int
    image: UInt8


@dataclass(frozen=True)
class Decoded:
    """One decoded place: ``image`` is (h, w) float32 Bernoulli means, ``milliseconds`` its cost.

    ``preview`` is True while the pointer merely hovers and the cursor stays where it was.
    """

    z: tuple[float, float]
    image: Float32
    milliseconds: float
    preview: bool


@dataclass(frozen=True)
class DataPoint:
    """One image of the data beside its reconstruction from the posterior mean.

    ``original`` is (h, w) uint8, ``reconstruction`` (h, w) float32, ``mean`` (2,) and
    ``covariance`` (2, 2) the encoder's posterior, the three figures nats of this image (one draw
    of its data treatment, fixed seed; no other noise): elbo = log_likelihood − kl.
    """

    index: int
    label: int
    split: str
    original: UInt8
    reconstruction: Float32
    mean: Float32
    covariance: Float32
    elbo: float
    log_likelihood: float
    kl: float


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


class Phase(Enum):
    """Where training stands."""

    IDLE = "idle"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"


@dataclass(frozen=True)
class TrainingStatus:
    """Progress of the run: ``epoch`` of ``epochs`` (fractional), ``eta_seconds`` to the end."""

    phase: Phase
    epoch: float = 0.0
    epochs: int = 0
    images_per_second: float = 0.0
    eta_seconds: float | None = None
    device: str = ""
