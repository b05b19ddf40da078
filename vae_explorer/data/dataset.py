"""A set of labelled grey-level images: what the rest of the program calls the data."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from vae_explorer.data.arrays import as_bytes, as_images
from vae_explorer.errors import DataError
from vae_explorer.types import Brief, ImageShape, UInt8


@dataclass(frozen=True, eq=False, repr=False)
class ImageSet(Brief):
    """Images of one size, with or without labels.

    ``images`` is (n, h, w) uint8, in colour (n, h, w, 3), ``labels`` (n,) uint8 or None, ``name``
    what people call the data and ``split`` which part of it this is, such as "train" or "test".
    Lists, tensors and other integers from 0 to 255 will do for both; floats in [0, 1] become the
    nearest of 256 levels.
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
        color = self.images.shape[3:] == (3,)
        _check(
            self.images,
            3 + color,
            f"{title}: images",
            "(n, height, width) or (n, height, width, 3)",
        )
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
    def image_shape(self) -> ImageShape:
        """Height and width in pixels, and 3 after these in colour."""
        return cast(ImageShape, self.images.shape[1:])

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
