"""The data set that ships with the program: all of MNIST."""

from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np

from vae_explorer import paths
from vae_explorer.data.dataset import Dataset, ImageSet
from vae_explorer.data.idx import read_idx
from vae_explorer.errors import DataError
from vae_explorer.types import Int64, OneSplit, Split

TRAINING_IMAGES, TEST_IMAGES = 60_000, 10_000
FINGERPRINTS: dict[OneSplit, str] = {
    "train": "251afd29f3c6f204bed9fbe0c5c03f896b5e76daf429154e931f2447cdcca89d",
    "test": "26120b4578752d7d87c2cb6601f15f4b0efd4dd7947b156b4f7aa2d35f931d2f",
}
"""``ImageSet.fingerprint`` of MNIST as published."""

Index = TypeVar("Index", int, Int64)

_PREFIXES: dict[OneSplit, str] = {"train": "train", "test": "t10k"}


@cache
def mnist(split: Split) -> ImageSet:
    """The 60,000 "train" or 10,000 "test" images of MNIST, (n, 28, 28); read once, then shared.

    "both" are all 70,000, those to train on first.

    Raises:
        DataError: there is no such split, or the bundled files are missing or damaged.
    """
    if split == "both":
        parts = [mnist(part) for part in _PREFIXES]
        images = np.concatenate([part.images for part in parts])
        labels = np.concatenate([part.labels for part in parts if part.labels is not None])
        return ImageSet(images, labels, "MNIST", split)
    if split not in _PREFIXES:
        choices = ", ".join((*_PREFIXES, "both"))
        raise DataError(f"MNIST has no split '{split}'; choose one of {choices}.")
    folder = paths.resources() / "mnist"
    prefix = _PREFIXES[split]
    return read_idx_pair(
        folder / f"{prefix}-images-idx3-ubyte.gz",
        folder / f"{prefix}-labels-idx1-ubyte.gz",
        name="MNIST",
        split=split,
    )


class _Mnist(Dataset):
    """Which is read when an image of it is wanted, and known before."""

    def __init__(self) -> None:
        for name, value in (("name", "MNIST"), ("source", None)):
            object.__setattr__(self, name, value)

    @property
    def train(self) -> ImageSet:
        return mnist("train")

    @property
    def test(self) -> ImageSet:
        return mnist("test")

    def of(self, split: Split) -> ImageSet:
        return mnist(split)

    @property
    def image_shape(self) -> tuple[int, int]:
        return (28, 28)

    @property
    def training_images(self) -> int:
        return TRAINING_IMAGES

    @property
    def fingerprint(self) -> str:
        return FINGERPRINTS["train"]

    def fingerprint_of(self, split: Split) -> str:
        return "".join(FINGERPRINTS[part] for part in _PREFIXES if split in (part, "both"))

    def sizes(self) -> dict[Split, int]:
        both = TRAINING_IMAGES + TEST_IMAGES
        return {"train": TRAINING_IMAGES, "test": TEST_IMAGES, "both": both}

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple("0123456789")


@cache
def mnist_dataset() -> Dataset:
    """MNIST, both splits; its files are read when an image is wanted."""
    return _Mnist()


def sizes() -> dict[Split, int]:
    """How many images there are of each split, and of both.

    Raises:
        DataError: the bundled files are missing or damaged.
    """
    train, test = (len(mnist(split)) for split in _PREFIXES)
    return {"train": train, "test": test, "both": train + test}


def in_both(split: Split, index: Index) -> Index:
    """Where an image of ``split``, or several, are in both splits; also the seed of its draw."""
    return index + (TRAINING_IMAGES if split == "test" else 0)


def origin(split: Split, index: int) -> tuple[OneSplit, int]:
    """The split and the index in it of image ``index`` of ``split``."""
    if split != "both":
        return split, index
    return ("train", index) if index < TRAINING_IMAGES else ("test", index - TRAINING_IMAGES)


def read_idx_pair(
    images_path: Path, labels_path: Path | None, *, name: str, split: str
) -> ImageSet:
    """Read images, and their labels where there are any, from IDX files.

    Raises:
        DataError: a file cannot be read, holds another number of dimensions, or the two disagree.
    """
    images = read_idx(images_path)
    if images.ndim != 3:
        raise DataError(
            f"{images_path} has {images.ndim} dimensions, expected 3 (images, height, width); "
            "is it the labels file?"
        )
    if labels_path is None:
        return ImageSet(images, None, name, split)
    labels = read_idx(labels_path)
    if labels.ndim != 1:
        raise DataError(
            f"{labels_path} has {labels.ndim} dimensions, expected 1 (labels); "
            "is it the images file?"
        )
    if len(labels) != len(images):
        raise DataError(
            f"{images_path} holds {len(images):,} images but {labels_path} {len(labels):,} labels; "
            "name two files of the same split."
        )
    return ImageSet(images, labels, name, split)
