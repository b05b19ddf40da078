import hashlib
from typing import Any

import numpy as np
import pytest
import torch

from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import DataError
from vae_explorer.types import UInt8


@pytest.fixture
def images() -> UInt8:
    return np.arange(24, dtype=np.uint8).reshape(4, 2, 3)


@pytest.fixture
def labels() -> UInt8:
    return np.array([3, 1, 4, 1], np.uint8)


def test_describes_itself(images: UInt8, labels: UInt8) -> None:
    data = ImageSet(images, labels, "digits", "train")
    assert len(data) == 4
    assert data.image_shape == (2, 3)


def test_arrays_are_read_only(images: UInt8, labels: UInt8) -> None:
    data = ImageSet(images, labels, "digits", "train")
    assert data.labels is not None
    with pytest.raises(ValueError, match="read-only"):
        data.images[0] = 0
    with pytest.raises(ValueError, match="read-only"):
        data.labels[0] = 0
    assert images.flags.writeable  # the caller's own array keeps its flag


@pytest.mark.parametrize(
    ("images", "labels", "says"),
    [
        (np.full((2, 3, 3), 1.5), None, "pass np.asarray(images).astype(int) for 0 to 255"),
        (np.full((2, 3, 3), np.nan), None, "must lie in [0, 1]"),
        (np.full((2, 3, 3), 256), None, "must lie in 0 to 255; found 256 to 256"),
        (np.full((2, 3, 3), -1), None, "must lie in 0 to 255; found -1 to -1"),
        (np.zeros((2, 3, 3), complex), None, "must be real numbers, not complex128"),
        ([[[1, 2]], [[1]]], None, "must be a regular array of numbers"),
        (np.zeros((2, 9), np.uint8), None, "images have shape (2, 9), expected (n, height, width)"),
        (np.zeros((0, 3, 3), np.uint8), None, "no pixels in images of shape (0, 3, 3)"),
        (np.zeros((2, 3, 0), np.uint8), None, "no pixels"),
        (
            np.zeros((2, 3, 3), np.uint8),
            np.zeros(2),
            "labels must be integers from 0 to 255, not float64",
        ),
        (np.zeros((2, 3, 3), np.uint8), np.zeros((2, 1), np.uint8), "labels have shape (2, 1)"),
        (np.zeros((2, 3, 3), np.uint8), np.zeros(3, np.uint8), "2 images but 3 labels"),
    ],
)
def test_refuses_arrays_that_do_not_fit(images: UInt8, labels: UInt8 | None, says: str) -> None:
    with pytest.raises(DataError) as caught:
        ImageSet(images, labels, "digits", "train")
    assert says in str(caught.value)
    assert "digits (train)" in str(caught.value)


def test_images_of_any_kind_are_the_same_set(images: UInt8, labels: UInt8) -> None:
    data = ImageSet(images, labels, "digits", "train")
    kinds: list[Any] = [
        images.tolist(),
        images.astype(np.int64),
        images / 255,
        (images / 255).astype(np.float32),
        torch.tensor(images),
        torch.tensor(images / 255, requires_grad=True),
    ]
    for kind in kinds:
        same = ImageSet(kind, labels.tolist())
        assert same.fingerprint == data.fingerprint
        assert same.images.dtype == same.labels.dtype == np.uint8
    assert ImageSet.of(data) is data
    assert ImageSet.of(images.tolist()).labels is None


def test_its_repr_says_what_it_holds(images: UInt8, labels: UInt8) -> None:
    assert repr(ImageSet(images, labels, "digits", "train")) == (
        "ImageSet(images=<uint8 (4, 2, 3)>, labels=<uint8 (4,)>, name='digits', split='train')"
    )


def test_fingerprint_is_sha256_of_shape_pixels_and_labels(images: UInt8, labels: UInt8) -> None:
    data = ImageSet(images, labels, "digits", "train")
    content = b"(4, 2, 3)" + bytes(range(24)) + bytes([3, 1, 4, 1])
    assert data.fingerprint == hashlib.sha256(content).hexdigest()
    # What decides is the content, not the name, the split or the memory layout.
    strided = np.repeat(images, 2, axis=0)[::2]
    assert ImageSet(strided, labels, "other", "test").fingerprint == data.fingerprint


def test_fingerprint_sees_every_difference(images: UInt8, labels: UInt8) -> None:
    pixel, label = images.copy(), labels.copy()
    pixel[3, 1, 2] += 1
    label[0] = 9
    variants = [
        ImageSet(images, labels, "digits", "train"),
        ImageSet(pixel, labels, "digits", "train"),
        ImageSet(images, label, "digits", "train"),
        ImageSet(images, None, "digits", "train"),
        ImageSet(images.reshape(4, 3, 2), labels, "digits", "train"),
    ]
    assert len({variant.fingerprint for variant in variants}) == len(variants)


def test_subset_keeps_images_with_their_labels(images: UInt8, labels: UInt8) -> None:
    data = ImageSet(images, labels, "digits", "train")
    picked = data.subset(np.array([2, 0]))
    np.testing.assert_array_equal(picked.images, images[[2, 0]])
    np.testing.assert_array_equal(picked.labels, [4, 3])
    assert (picked.name, picked.split) == ("digits", "train")
    assert data.subset(slice(1, 3)).images.base is not None  # a slice copies nothing
    assert ImageSet(images, None, "digits", "train").subset(slice(0, 1)).labels is None
    with pytest.raises(DataError, match="no pixels"):
        data.subset(slice(4, 9))
