"""IDX files: images, and labels beside them by name, of one split or of two."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vae_explorer.data.idx import read_any_idx
from vae_explorer.data.readers.found import (
    Check,
    Found,
    Part,
    columns_of,
    shown_path,
    split_in,
    split_of,
)
from vae_explorer.data.reading import NONE, Reading
from vae_explorer.data.tables import Column
from vae_explorer.errors import DataError
from vae_explorer.types import OneSplit

_NAME = re.compile(r"(.*?)(images|labels)([-_.]idx[0-9])?(.*)", re.IGNORECASE)
_QMNIST = ("class", "series", "writer", "serial", "global", "nist class", "duplicate", "unused")
_WORDS = {"train": ("train", "training"), "test": ("t10k", "test")}


def is_idx(path: Path) -> bool:
    """Whether a file's name says that it is IDX."""
    return bool(re.search(r"[-_.]idx[0-9]?([-_.]|$)|\.idx$", path.name.lower()))


def idx_folder(folder: Path) -> Path | None:
    """The images to train on, or any others, where a folder has IDX files of images."""
    images = [path for path in sorted(folder.iterdir()) if is_idx(path) and "image" in path.name]
    return min(images, key=lambda path: split_in(path.name) != "train", default=None)


def find_idx(path: Path, reading: Reading, check: Check) -> Found:
    """The images in an IDX file, with those of the other split and labels where these lie beside.

    Raises:
        DataError: a file is damaged, holds no images, or images and labels differ in number.
    """
    check()
    if (match := _NAME.fullmatch(path.name)) and match[2].lower() == "labels":
        path = next(_siblings(path, "images"), path)
    split = split_in(path.name)
    other: OneSplit = "train" if split == "test" else "test"
    files: list[tuple[Path, str]] = [(path, split)]
    if split and (beside := _other_split(path, split, other)):
        files.append((beside, other))
    parts = [_part(file, of, reading.labels) for file, of in files]
    labels = NONE if parts[0].labels is None else "labels"
    transposed = "emnist" in path.name.lower()
    return Found(
        "idx",
        _title(path),
        tuple(sorted(parts, key=lambda part: part.split != "train")),
        label_keys=tuple(dict.fromkeys((labels, "labels", NONE))),
        transposed=transposed,
    )


def _part(path: Path, split: str, chosen: str) -> Part:
    images = read_any_idx(path)
    if images.ndim < 3:
        raise DataError(
            f"{shown_path(path)} has {images.ndim} dimensions, expected 3 (images, height, width); "
            "is it the labels file?"
        )
    labels, columns = None, dict[str, Column]()
    if chosen != NONE and (file := next(_siblings(path, "labels"), None)):
        found = read_any_idx(file)
        if len(found) != len(images):
            raise DataError(
                f"{shown_path(path)} holds {len(images):,} images but {shown_path(file)} "
                f"{len(found):,} labels; name two files of the same split."
            )
        labels = found.reshape(len(found), -1)[:, 0] if found.size else found
        if found.ndim == 2 and found.shape[1] == len(_QMNIST):
            for name, values in zip(_QMNIST[1:], found.T[1:], strict=True):
                columns |= columns_of(name, np.ascontiguousarray(values))
    return Part(images, labels, split_of(split), columns)


def _siblings(path: Path, wanted: str) -> Iterator[Path]:
    """The files beside that a name says are of the same images."""
    match = _NAME.fullmatch(path.name)
    if not match or not path.parent.is_dir():
        return
    start = match[1].lower()
    ending = match[4].lower().endswith(".gz")
    found = []
    for other in path.parent.iterdir():
        its = _NAME.fullmatch(other.name)
        if its and its[1].lower() == start and its[2].lower() == wanted and other.is_file():
            found.append((other.name.lower().endswith(".gz") != ending, other.name, other))
    yield from (other for *_, other in sorted(found))


def _other_split(path: Path, split: OneSplit, other: OneSplit) -> Path | None:
    for word in _WORDS[split]:
        for instead in _WORDS[other]:
            name = re.sub(rf"(?<![A-Za-z]){word}(?![A-Za-z0-9])", instead, path.name)
            for ending in (name, f"{name}.gz", name.removesuffix(".gz")):
                if name != path.name and (path.parent / ending).is_file():
                    return path.parent / ending
    return None


def _title(path: Path) -> str:
    name = re.split(r"[-_.]?(?:train|t10k|test|images)(?![A-Za-z])", path.name)[0]
    return shown_path(name.removesuffix("-") or path.resolve().parent.name or path.name)
