"""A set of labelled grey-level images: what the rest of the program calls the data."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from vae_explorer.data.arrays import as_bytes, as_images
from vae_explorer.errors import DataError
from vae_explorer.types import Brief, Int64, OneSplit, Split, UInt8

Index = TypeVar("Index", int, Int64)


@dataclass(frozen=True, eq=False, repr=False)
class ImageSet(Brief):
    """Images of one size, with or without labels.

    ``images`` is (n, h, w) uint8, ``labels`` (n,) uint8 or None, ``name`` what people call the data
    and ``split`` which part of it this is, such as "train" or "test". Lists, tensors and other
    integers from 0 to 255 will do for both; floats in [0, 1] become the nearest of 256 grey levels.
    Both arrays become read-only: the set is shared between threads and named by its fingerprint.

    Raises:
        DataError: an array has the wrong shape or values, there is no pixel, or images and labels
            differ in number.
    """

    images: UInt8
    labels: UInt8 | None = None
    name: str = "images"
    split: str = "all"

    def __post_init__(self) -> None:
        title = f"{self.name} ({self.split})"
        object.__setattr__(self, "images", _pixels(self.images, f"{title}: images"))
        _check(self.images, 3, f"{title}: images", "(n, height, width)")
        if self.images.size == 0:
            raise DataError(f"{title}: no pixels in images of shape {self.images.shape}.")
        if self.labels is not None:
            object.__setattr__(self, "labels", as_bytes(self.labels, f"{title}: labels"))
            _check(self.labels, 1, f"{title}: labels", "(n,)")
            if len(self.labels) != len(self.images):
                raise DataError(
                    f"{title}: {len(self.images):,} images but {len(self.labels):,} labels; "
                    "give one label an image, from the same split."
                )
        for field in ("images", "labels"):
            array = getattr(self, field)
            if array is not None:
                object.__setattr__(self, field, _read_only(array))

    def __len__(self) -> int:
        """The number of images."""
        return len(self.images)

    @property
    def image_shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return (self.images.shape[1], self.images.shape[2])

    @staticmethod
    def of(images: Any) -> "ImageSet":
        """The set itself, or a set without labels of bare images, as the class takes them."""
        return images if isinstance(images, ImageSet) else ImageSet(images)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of shape, pixels and labels, in hexadecimal; names do not enter."""
        digest = hashlib.sha256(repr(self.images.shape).encode())
        digest.update(self.images.data)
        digest.update(b"unlabelled" if self.labels is None else self.labels.data)
        return digest.hexdigest()

    def subset(self, indices: slice | NDArray[np.intp]) -> "ImageSet":
        """The images at ``indices``, in that order, under the same name and split.

        Raises:
            DataError: none are left.
        """
        labels = None if self.labels is None else self.labels[indices]
        return ImageSet(self.images[indices], labels, self.name, self.split)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images to train on and others to test on; what one window shows.

    ``source`` is the file or folder that they were read from, None of those that come along.
    """

    name: str
    train: ImageSet
    test: ImageSet
    source: Path | None = None

    @cached_property
    def _both(self) -> ImageSet:
        parts = self.train, self.test
        images = np.concatenate([part.images for part in parts])
        labels = [part.labels for part in parts if part.labels is not None]
        return ImageSet(images, np.concatenate(labels) if labels else None, self.name, "both")

    def of(self, split: Split) -> ImageSet:
        """The images of a split; of "both" those to train on come first."""
        return {"train": self.train, "test": self.test}[split] if split != "both" else self._both

    @property
    def image_shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.train.image_shape

    @property
    def training_images(self) -> int:
        """How many images there are to train on, which come first in both."""
        return len(self.train)

    @property
    def fingerprint(self) -> str:
        """That of the images to train on, as a checkpoint has it."""
        return self.train.fingerprint

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes; none of images without labels."""
        labels = self.train.labels
        return () if labels is None else tuple(map(str, range(int(labels.max()) + 1)))

    def sizes(self) -> dict[Split, int]:
        """How many images there are of each split, and of both."""
        train, test = len(self.train), len(self.test)
        return {"train": train, "test": test, "both": train + test}

    def in_both(self, split: Split, index: Index) -> Index:
        """Where an image of a split, or several, are in both; also the seed of its draw."""
        return index + (self.training_images if split == "test" else 0)

    def origin(self, split: Split, index: int) -> tuple[OneSplit, int]:
        """The split and the index in it of image ``index`` of ``split``."""
        if split != "both":
            return split, index
        first = self.training_images
        return ("train", index) if index < first else ("test", index - first)


def _pixels(images: Any, what: str) -> UInt8:
    array = as_images(images, what)
    if array.dtype == np.uint8:
        return array.astype(np.uint8, copy=False)
    if not ((array >= 0) & (array <= 1)).all():  # false for NaN too
        raise DataError(
            f"{what} that are floats must lie in [0, 1]; "
            "pass np.asarray(images).astype(int) for 0 to 255."
        )
    return np.rint(array * 255).astype(np.uint8)


def _check(array: NDArray[Any], dimensions: int, what: str, wanted: str) -> None:
    if array.ndim != dimensions:
        raise DataError(f"{what} have shape {array.shape}, expected {wanted}.")


def _read_only(array: UInt8) -> UInt8:
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view
