"""Sets of images, gray or in colour: what the rest of the program calls the data."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from vae_explorer.data.arrays import (
    as_codes,
    as_images,
    as_pixels,
    label_codes,
)
from vae_explorer.data.reading import Layout, Report, Source
from vae_explorer.data.tables import Classes, Column, Numbers
from vae_explorer.errors import DataError
from vae_explorer.types import Brief, ImageShape, Int64, Labels, OneSplit, Split, UInt8

Index = TypeVar("Index", int, Int64)


@dataclass(frozen=True, eq=False, repr=False)
class ImageSet(Brief):
    """Images of one size, with or without labels.

    ``images`` is (n, h, w) uint8, in colour (n, h, w, 3), ``labels`` (n,) or None, ``name`` what
    people call the data and ``split`` which part of it this is, such as "train" or "test". Lists,
    tensors and other integers from 0 to 255 will do for both; floats in [0, 1] become the nearest
    of 256 grey levels. Labels count in ``classes``, the names, from 0: they are uint8 or, of more
    than 256 classes, uint16. ``columns`` are what else is known of each image; ``source`` is where
    they are the images to train on, or the first of these, if anywhere. The arrays become
    read-only: the set is shared between threads and named by its fingerprint.

    Raises:
        DataError: an array has the wrong shape or values, there is no pixel, or images, labels and
            columns differ in number.
    """

    images: UInt8
    labels: Labels | None = None
    name: str = "images"
    split: str = "all"
    classes: tuple[str, ...] = field(default=(), repr=False)
    columns: Mapping[str, Column] = field(default_factory=dict, repr=False)
    source: Source | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        title = f"{self.name} ({self.split})"
        pixels = _pixels(self.images, f"{title}: images")
        shape = "(n, height, width) or (n, height, width, 3)"
        _check(pixels, 4 if pixels.shape[3:] == (3,) else 3, f"{title}: images", shape)
        if pixels.size == 0:
            raise DataError(f"{title}: no pixels in images of shape {pixels.shape}.")
        object.__setattr__(self, "images", _read_only(pixels))
        if self.labels is not None:
            codes = as_codes(self.labels, f"{title}: labels", len(self.classes))
            _check(codes, 1, f"{title}: labels", "(n,)")
            if len(codes) != len(pixels):
                raise DataError(
                    f"{title}: {len(pixels):,} images but {len(codes):,} labels; "
                    "give one label an image, from the same split."
                )
            object.__setattr__(self, "labels", _read_only(codes))
            if not self.classes:
                names = tuple(map(str, range(int(codes.max()) + 1)))
                object.__setattr__(self, "classes", names)
        for name, column in self.columns.items():
            if len(_values(column)) != len(pixels):
                raise DataError(
                    f"{title}: {len(pixels):,} images but {len(_values(column)):,} values in the "
                    f"column '{name}'; give one an image."
                )
        object.__setattr__(self, "columns", MappingProxyType(dict(self.columns)))

    def __len__(self) -> int:
        """The number of images."""
        return len(self.images)

    def __reduce__(self) -> tuple[type["ImageSet"], tuple[object, ...]]:
        """For other processes: as it is made."""
        columns = dict(self.columns)
        fields = (self.images, self.labels, self.name, self.split, self.classes, columns)
        return ImageSet, fields

    @property
    def image_shape(self) -> ImageShape:
        """Height and width in pixels, and 3 after these in colour."""
        return cast(ImageShape, self.images.shape[1:])

    @staticmethod
    def of(images: Any) -> "ImageSet":
        """The set itself, or one without labels of bare images, see ``from_arrays``."""
        return images if isinstance(images, ImageSet) else ImageSet.from_arrays(images)

    @staticmethod
    def from_arrays(
        images: Any,
        labels: Any = None,
        *,
        classes: Sequence[str] = (),
        layout: Layout = "",
        range: tuple[float, float] | None = None,  # noqa: A002
        name: str = "images",
        split: str = "all",
        columns: Mapping[str, Column] | None = None,
    ) -> "ImageSet":
        """A set of arrays, lists or tensors as NumPy and PyTorch people have them.

        Where nothing is lost they are converted: axes of size 1, channels first or last, integers
        of any type and whole floats from 0 to 255, labels that are any numbers or names.

        Args:
            images: (n, h, w), (n, 1, h, w), (n, h, w, 1), (n, 3, h, w) or (n, h, w, 3). Without
                ``range``, integers or whole floats from 0 to 255, or floats in [0, 1], which
                become the nearest of 256 levels.
            labels: (n,) or (n, 1), numbers or texts; None for none.
            classes: the names of the classes, in order; the labels are then texts among them or
                numbers that count in them from 0.
            layout: "NHWC" or "NCHW", where the shape leaves it open or misleads.
            range: the values that become black and white, such as (-1, 1) or (0, 65535); what is
                beyond is refused.
            name: what the data is called.
            split: which part of it this is.
            columns: further values an image, by name.

        Raises:
            DataError: the arrays do not fit, or something would be lost. The message has the line
                of Python that converts them.
        """
        pixels = as_pixels(images, "Images", layout, range)
        codes, names = label_codes(labels, tuple(classes)) if labels is not None else (None, ())
        return ImageSet(pixels, codes, name, split, names, columns or {})

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of shape, pixels and labels, in hexadecimal; names do not enter."""
        digest = hashlib.sha256(repr(self.images.shape).encode())
        digest.update(self.images.data)
        digest.update(b"unlabelled" if self.labels is None else self.labels.data)
        return digest.hexdigest()

    def first(self, count: int) -> "ImageSet":
        """The first ``count`` images, or all if there are no more."""
        return self if count >= len(self) else self.subset(slice(count))

    def subset(self, indices: slice | NDArray[np.intp]) -> "ImageSet":
        """The images at ``indices``, in that order, under the same names.

        Raises:
            DataError: none are left.
        """
        return replace(
            self,
            images=self.images[indices],
            labels=None if self.labels is None else self.labels[indices],
            columns={
                name: _with_values(column, _values(column)[indices])
                for name, column in self.columns.items()
            },
        )


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images to train on and others to test on; what one window shows.

    ``source`` says what they were read from, None of those that come along or are of no file;
    ``report`` what was converted or left out on the way.

    Raises:
        DataError: the two differ in the size or the classes of their images.
    """

    name: str
    train: ImageSet
    test: ImageSet
    source: Source | None = None
    report: Report = field(default=Report(), repr=False)

    def __post_init__(self) -> None:
        train, test = self.train, self.test
        if train.image_shape != test.image_shape:
            raise DataError(
                f"{self.name}: the images to train on are {size_text(train.image_shape)}, those to "
                f"test on {size_text(test.image_shape)}; give them one size."
            )
        if (train.labels is None) != (test.labels is None) or train.classes != test.classes:
            raise DataError(
                f"{self.name}: the images to train on and to test on have different classes; "
                "give both the same, in the same order."
            )

    @staticmethod
    def cut(
        everything: ImageSet,
        training: int,
        source: Source | None = None,
        report: Report = Report(),  # noqa: B008
    ) -> "Dataset":
        """The first images to train on, the others to test on; no pixel is copied."""
        first, rest = slice(0, training), slice(training, None)
        train, test = (
            replace(everything.subset(part), split=split)
            for part, split in ((first, "train"), (rest, "test"))
        )
        train = replace(train, source=source)
        dataset = Dataset(everything.name, train, test, source, report)
        dataset.__dict__["_both"] = replace(everything, split="both")
        return dataset

    @cached_property
    def _both(self) -> ImageSet:
        train, test = self.train, self.test
        labels = None
        if train.labels is not None and test.labels is not None:
            labels = np.concatenate([train.labels, test.labels])
        columns = {
            name: joined
            for name, column in train.columns.items()
            if name in test.columns and (joined := _joined(column, test.columns[name]))
        }
        images = np.concatenate([train.images, test.images])
        return ImageSet(images, labels, self.name, "both", train.classes, columns)

    def of(self, split: Split) -> ImageSet:
        """The images of a split; of "both" those to train on come first."""
        if split == "both":
            return self._both
        return self.train if split == "train" else self.test

    @property
    def image_shape(self) -> ImageShape:
        """Height and width in pixels, and 3 after these in colour."""
        return self.train.image_shape

    @property
    def training_images(self) -> int:
        """How many images there are to train on, which come first in both."""
        return len(self.train)

    @property
    def fingerprint(self) -> str:
        """That of the images to train on, as a checkpoint has it."""
        return self.train.fingerprint

    def fingerprint_of(self, split: Split) -> str:
        """That of the images of a split."""
        return self.of(split).fingerprint

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes; none of images without labels."""
        return self.train.classes

    def sizes(self) -> dict[Split, int]:
        """How many images there are of each split, and of both."""
        train, test = self.training_images, len(self.test)
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


def labels_of(data: ImageSet) -> Labels:
    """The labels (n,) of a set, all 0 if it has none."""
    return np.zeros(len(data), np.uint8) if data.labels is None else data.labels


def size_text(shape: Sequence[int]) -> str:
    """A size in pixels, as 28×28 or 64×64 RGB."""
    return f"{shape[0]}×{shape[1]}{' RGB' if len(shape) == 3 else ''}"


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


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def _values(column: Column) -> NDArray[Any]:
    return column.values if isinstance(column, Numbers) else column.codes


def _with_values(column: Column, values: NDArray[Any]) -> Column:
    return Numbers(values) if isinstance(column, Numbers) else Classes(values, column.names)


def _joined(first: Column, second: Column) -> Column | None:
    """A column of both splits, if both have the same of it."""
    if type(first) is not type(second) or getattr(first, "names", ()) != getattr(
        second, "names", ()
    ):
        return None
    return _with_values(first, np.concatenate([_values(first), _values(second)]))
