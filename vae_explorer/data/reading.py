"""How images are read from a file or folder: what a person may choose of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

Fit = Literal["fit", "crop", "stretch"]
Layout = Literal["", "NHWC", "NCHW"]
Channels = Literal["", "gray", "rgb"]

NONE = "-"
"""The name of labels that are not read though there are some."""


@dataclass(frozen=True)
class Reading:
    """Choices; what is empty, None or 0 is decided by what is found.

    Attributes:
        kind: the reader, one of ``readers.KINDS``.
        images: the array of a NPZ file or the column of a Parquet file that holds the images.
        labels: the array or column that holds the labels, or a CSV file of them; "-" for none.
        size: height and width of the images in the end.
        fit: how images of another size get there: padded, cut to the middle, or stretched.
        channels: gray or in colour.
        range: the values that become black and white.
        invert: exchange dark and light.
        transpose: exchange rows and columns, as EMNIST needs it.
        layout: where the channels are in an array.
        grid: rows and columns of images in one large image.
        test_share: of the images, where the data has no test images of its own.
        seed: of the choice of these.
    """

    kind: str = ""
    images: str = ""
    labels: str = ""
    size: tuple[Annotated[int, Meta(ge=1, le=1024)], Annotated[int, Meta(ge=1, le=1024)]] | None = (
        None
    )
    fit: Fit = "fit"
    channels: Channels = ""
    range: tuple[float, float] | None = None
    invert: bool = False
    transpose: bool = False
    layout: Layout = ""
    grid: tuple[Annotated[int, Meta(ge=1)], Annotated[int, Meta(ge=1)]] | None = None
    test_share: Annotated[float, Meta(gt=0, lt=1)] = 1 / 7
    seed: Annotated[int, Meta(ge=0, lt=2**32)] = 0


@dataclass(frozen=True)
class Source:
    """Where a data set was read from, and how; ``path`` may be the name of a ready-made one."""

    path: Path
    reading: Reading = Reading()


@dataclass(frozen=True)
class Skipped:
    """What was left out, and why."""

    name: str
    why: str


@dataclass(frozen=True)
class Report:
    """What became of the images on their way in.

    Attributes:
        notes: what was converted or decided, in sentences.
        skipped: what was left out, the first thousand of it.
        skipped_count: how much was.
        duplicates: test images that are among those to train on, too.
    """

    notes: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    skipped_count: int = 0
    duplicates: int = 0
