"""What a reader finds: images as they are, before they get one size and one range."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vae_explorer.data.reading import Skipped
from vae_explorer.data.tables import Classes, Column, Numbers
from vae_explorer.types import OneSplit

Kind = Literal[
    "folder", "idx", "npz", "npy", "csv", "amat", "sheet", "stack", "parquet", "ready-made"
]
Check = Callable[[], object]
"""Called now and then; it may raise what ends the reading."""

_SPLITS: Mapping[str, OneSplit] = {
    **dict.fromkeys(("train", "training", "val", "valid", "validation", "dev"), "train"),
    **dict.fromkeys(("test", "testing", "t10k", "eval"), "test"),
}
_MOST_NAMES = 1_000


class Pictures(Protocol):
    """Encoded images, each of a size of its own."""

    def __len__(self) -> int:
        """How many there are."""

    def name(self, index: int) -> str:
        """What one is called in a list."""

    def open(self, index: int) -> Image.Image:
        """One of them, whose pixels are not yet read; it is closed by whoever asked."""


@dataclass(frozen=True, eq=False)
class Part:
    """Images of one split; "" if the data does not say which.

    ``images`` are an array, maybe on disk, or pictures; ``labels`` (n,) numbers or texts, of which
    None has none.
    """

    images: NDArray[Any] | Pictures
    labels: Any = None
    split: OneSplit | Literal[""] = ""
    columns: Mapping[str, Column] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Found:
    """What is at a path.

    Attributes:
        kind: which reader found it.
        name: what people call it.
        parts: its images.
        classes: their names where the data has them; "" otherwise, and labels tell.
        skipped: what was left out, the first of it.
        skipped_count: how much was.
        notes: what was done or decided, in sentences.
        image_keys: what of the file may hold the images, the one that was taken first.
        label_keys: what may hold the labels, likewise; none taken, "-" comes first.
        transposed: the format is known to exchange rows and columns.
        fixed: pixels are 0 or 1, a binarisation published as such.
        grid: rows and columns that a sheet was cut into.
        unsure: what a person has to say before it is read, "" if nothing.
    """

    kind: Kind
    name: str
    parts: tuple[Part, ...]
    classes: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    skipped_count: int = 0
    notes: tuple[str, ...] = ()
    image_keys: tuple[str, ...] = ()
    label_keys: tuple[str, ...] = ()
    transposed: bool = False
    fixed: bool = False
    grid: tuple[int, int] | None = None
    unsure: str = ""


def split_of(name: str) -> OneSplit | Literal[""]:
    """The split that a name tells, such as that of a folder; validation counts as training."""
    return _SPLITS.get(name.lower(), "")


def split_in(name: str) -> OneSplit | Literal[""]:
    """The split that a part of a name tells, as in "emnist-letters-test-images"."""
    return next(filter(None, map(split_of, re.split(r"[^A-Za-z0-9]+", name))), "")


def shown_path(path: Path | str) -> str:
    """A path that can be written whatever bytes it has."""
    return str(path).encode(errors="backslashreplace").decode()


def columns_of(name: str, values: NDArray[Any]) -> dict[str, Column]:
    """Numbers or texts (n,) or (n, k) as columns; those of too many texts are left out."""
    if values.ndim == 2 and values.shape[1] > 1:
        parts = {f"{name}_{k}": values[:, k] for k in range(min(values.shape[1], 64))}
    else:
        parts = {name: values.reshape(len(values))}
    columns: dict[str, Column] = {}
    for title, part in parts.items():
        if part.dtype.kind in "buif":
            columns[title] = Numbers(np.where(np.isfinite(part), part, np.nan).astype(np.float32))
        elif part.dtype.kind == "U":
            names, codes = np.unique(part, return_inverse=True)
            if len(names) <= _MOST_NAMES:
                columns[title] = Classes(codes.astype(np.int16), tuple(names.tolist()))
    return columns
