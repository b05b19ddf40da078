import hashlib

import numpy as np
import pytest

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
        (np.zeros((2, 3, 3)), None, "images are float64 of shape (2, 3, 3), expected uint8"),
        (np.zeros((2, 9), np.uint8), None, "images are uint8 of shape (2, 9)"),
        (np.zeros((0, 3, 3), np.uint8), None, "no pixels in images of shape (0, 3, 3)"),
        (np.zeros((2, 3, 0), np.uint8), None, "no pixels"),
        (np.zeros((2, 3, 3), np.uint8), np.zeros(2), "labels are float64 of shape (2,)"),
        (np.zeros((2, 3, 3), np.uint8), np.zeros((2, 1), np.uint8), "labels are uint8 of shape"),
        (np.zeros((2, 3, 3), np.uint8), np.zeros(3, np.uint8), "2 images but 3 labels"),
    ],
)
def test_refuses_arrays_that_do_not_fit(images: UInt8, labels: UInt8 | None, says: str) -> None:
    with pytest.raises(DataError) as caught:
        ImageSet(images, labels, "digits", "train")
    assert says in str(caught.value)
    assert "digits (train)" in str(caught.value)


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
