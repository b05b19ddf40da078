"""How images are read from a file or folder: what a person may choose of it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta

from vae_explorer.errors import DataError
from vae_explorer.fields import FieldSpec
from vae_explorer.number_format import field_value
from vae_explorer.schema import build

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


CHOICES: Mapping[str, FieldSpec] = {
    "images": FieldSpec("", "Images from", "The array or the column that holds the images."),
    "labels": FieldSpec("", "Labels from", "What holds the labels; - reads none."),
    "size": FieldSpec("", "Height, width", "Pixels of an image as the model reads it.", "", 1, 256),
    "fit": FieldSpec(
        "",
        "Other sizes",
        "How images of another size get this one.",
        choices=("fit", "crop", "stretch"),
        titles=("padded", "cropped", "stretched"),
    ),
    "channels": FieldSpec(
        "", "Colour", "Gray or in colour.", choices=("gray", "rgb"), titles=("gray", "RGB")
    ),
    "range": FieldSpec(
        "", "Black, white", "The values that become black and white.", "", -1e9, 1e9, step=1
    ),
    "layout": FieldSpec(
        "",
        "Channels",
        "Which axis of the array has the channels.",
        choices=("", "NHWC", "NCHW"),
        titles=("by the shape", "last", "first"),
        needs=("kind", ("npz", "npy")),
    ),
    "grid": FieldSpec(
        "",
        "Rows, columns",
        "How many images the sheet has down and across.",
        "",
        1,
        1_000,
        needs=("kind", ("sheet",)),
    ),
    "test_share": FieldSpec(
        "", "Test images", "Their share, chosen alike in each class.", "", 0.01, 0.9, step=0.01
    ),
    "seed": FieldSpec("", "Seed of the split", "Chooses the test images.", "", 0, 2**31 - 1),
    "invert": FieldSpec("", "Exchange dark and light", "For dark ink on light paper."),
    "transpose": FieldSpec("", "Exchange rows and columns", "EMNIST's files need it."),
}
"""What a form and a command line need to know of the choices."""


def parse_choices(changes: Iterable[str]) -> Reading:
    """Choices written as NAME=VALUE: size=64x64, range=0:16, fit=crop, invert=true.

    Raises:
        DataError: one is no choice, or has a value that it cannot have.
    """
    values: dict[str, Any] = {}
    for change in changes:
        name, equals, text = (part.strip() for part in change.partition("="))
        if not equals or name not in CHOICES:
            raise DataError(
                f"'{change}' is no choice; write NAME=VALUE with one of {', '.join(CHOICES)}."
            )
        if name in ("size", "range", "grid"):
            values[name] = [field_value(part) for part in re.split(r"[x×:,]", text)]
        elif name in ("invert", "transpose"):
            values[name] = {"true": True, "false": False}.get(text.lower(), text)
        else:
            values[name] = text if name in ("images", "labels") else field_value(text)
    return build(Reading, values, "--read", DataError)


def as_changes(reading: Reading) -> Iterator[str]:
    """What ``parse_choices`` reads to the same choices."""
    for name in CHOICES:
        value = getattr(reading, name)
        if value != getattr(Reading(), name):
            text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
            yield f"{name}={text.lower() if isinstance(value, bool) else text}"


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
