import hashlib
from typing import Any

import numpy as np
import pytest
import torch

from vae_explorer.data.dataset import Dataset, ImageSet
from vae_explorer.data.tables import Classes, Numbers
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
        (
            np.zeros((2, 9), np.uint8),
            None,
            "images have shape (2, 9), expected (n, height, width) or (n, height, width, 3)",
        ),
        (np.zeros((0, 3, 3), np.uint8), None, "no pixels in images of shape (0, 3, 3)"),
        (np.zeros((2, 3, 0), np.uint8), None, "no pixels"),
        (
            np.zeros((2, 3, 3), np.uint8),
            np.zeros(2),
            "labels must be integers from 0 to 999, not float64",
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


def test_many_classes_take_two_bytes_and_names_count_them(images: UInt8) -> None:
    many = ImageSet(images, np.array([0, 300, 999, 1]))
    assert many.labels.dtype == np.uint16
    assert len(many.classes) == 1000
    named = ImageSet(images, np.array([0, 1, 1, 0]), classes=("cat", "dog"))
    assert named.labels.dtype == np.uint8
    assert named.subset(slice(0, 1)).classes == ("cat", "dog")
    assert named.fingerprint == ImageSet(images, np.array([0, 1, 1, 0])).fingerprint
    with pytest.raises(DataError, match="integers from 0 to 1; found 0 to 2"):
        ImageSet(images, np.array([0, 1, 2, 0]), classes=("cat", "dog"))
    with pytest.raises(DataError, match="from 0 to 999; found 0 to 1000"):
        ImageSet(images, np.array([0, 1, 1000, 0]))


def test_columns_follow_their_images(images: UInt8) -> None:
    height = Numbers(np.arange(4, dtype=np.float32))
    side = Classes(np.array([0, 1, -1, 0], np.int16), ("left", "right"))
    data = ImageSet(images, columns={"height": height, "side": side})
    picked = data.subset(np.array([3, 1]))
    np.testing.assert_array_equal(picked.columns["height"].values, [3, 1])
    np.testing.assert_array_equal(picked.columns["side"].codes, [0, 1])
    with pytest.raises(DataError, match="4 images but 3 values in the column 'short'"):
        ImageSet(images, columns={"short": Numbers(np.zeros(3, np.float32))})


GRAY = np.arange(48, dtype=np.uint8).reshape(4, 3, 4)
COLOR = np.arange(108, dtype=np.uint8).reshape(2, 6, 3, 3)


@pytest.mark.parametrize(
    ("given", "choices", "expected"),
    [
        (GRAY[:, None], {}, GRAY),
        (GRAY[..., None], {}, GRAY),
        (GRAY[:, None, :, :, None], {}, GRAY),
        (GRAY.astype(np.float64), {}, GRAY),
        (GRAY.astype(np.int64), {}, GRAY),
        (GRAY / 255, {}, GRAY),
        (GRAY / 127.5 - 1, {"range": (-1, 1)}, GRAY),
        (GRAY.astype(np.uint16) * 257, {"range": (0, 65535)}, GRAY),
        (GRAY > 20, {}, (GRAY > 20) * 255),
        (torch.tensor(GRAY)[:, None], {}, GRAY),
        (COLOR, {}, COLOR),
        (np.moveaxis(COLOR, -1, 1)[..., :2], {}, COLOR[:, :, :2]),
        (np.moveaxis(COLOR, -1, 1), {"layout": "NCHW"}, COLOR),
    ],
)
def test_takes_arrays_as_people_have_them(given: Any, choices: Any, expected: UInt8) -> None:
    np.testing.assert_array_equal(ImageSet.from_arrays(given, **choices).images, expected)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (np.zeros((2, 784)), "pass images.reshape(-1, 28, 28)"),
        (np.zeros((2, 30)), "of one image pass images[None]"),
        (np.zeros((2, 5, 6, 4)), "pass images[..., :3]"),
        (np.zeros((2, 4, 5, 6)), "pass images[:, :3]"),
        (np.full((2, 3, 3), 65535, np.uint16), "pass range=(0, 65535)"),
        (np.linspace(-1, 1, 18).reshape(2, 3, 3), "pass range=(-1, 1)"),
        (np.array([[[0.0]], [[np.nan]]]), "not finite, first in image 1"),
    ],
)
def test_refuses_what_would_lose_something_with_the_line(given: Any, says: str) -> None:
    with pytest.raises(DataError) as caught:
        ImageSet.from_arrays(given)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("labels", "classes", "codes", "names"),
    [
        ([[3], [1], [0], [1]], (), [3, 1, 0, 1], ("0", "1", "2", "3")),
        ([1.0, 0.0, 1.0, 0.0], (), [1, 0, 1, 0], ("0", "1")),
        ([True, False, True, True], (), [1, 0, 1, 1], ("0", "1")),
        (["b10", "b2", "猫", "b2"], (), [1, 0, 2, 0], ("b2", "b10", "猫")),
        ([-1, 7, 7, -1], (), [0, 1, 1, 0], ("-1", "7")),
        ([50_000, 7, 7, 9], (), [2, 0, 0, 1], ("7", "9", "50000")),
        ([0.5, 1.5, 0.5, 0.5], (), [0, 1, 0, 0], ("0.5", "1.5")),
        (["dog", "cat", "dog", "dog"], ("dog", "cat"), [0, 1, 0, 0], ("dog", "cat")),
        ([1, 0, 0, 0], ("dog", "cat", "cow"), [1, 0, 0, 0], ("dog", "cat", "cow")),
    ],
)
def test_takes_labels_of_any_kind(labels: Any, classes: Any, codes: Any, names: Any) -> None:
    data = ImageSet.from_arrays(GRAY, labels, classes=classes)
    assert (data.labels.tolist(), data.classes) == (codes, names)


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (np.eye(4), "np.asarray(labels).argmax(1)"),
        ([0, np.nan, 1, 1], "Label 1 is nan"),
        ([None, "a", "b", "c"], "must be numbers or names"),
    ],
)
def test_refuses_what_are_no_labels(labels: Any, says: str) -> None:
    with pytest.raises(DataError) as caught:
        ImageSet.from_arrays(GRAY, labels)
    assert says in str(caught.value)


def test_a_data_set_is_of_two_splits_and_of_both(images: UInt8, labels: UInt8) -> None:
    whole = ImageSet(images, labels, "mine", columns={"n": Numbers(np.arange(4, dtype="f4"))})
    cut = Dataset.cut(whole, 3)
    joined = Dataset("mine", cut.train, cut.test)
    for data in (cut, joined):
        assert data.sizes() == {"train": 3, "test": 1, "both": 4}
        assert data.of("both").fingerprint == whole.fingerprint
        assert data.of("both").split == "both"
        np.testing.assert_array_equal(data.of("both").columns["n"].values, range(4))
        assert (data.train.split, data.test.split) == ("train", "test")
        assert data.in_both("test", 0) == 3
        assert data.origin("both", 3) == ("test", 0)
        assert data.fingerprint == data.train.fingerprint
        assert data.classes == whole.classes
    assert np.shares_memory(cut.train.images, whole.images)
    with pytest.raises(DataError, match="give them one size"):
        Dataset("x", ImageSet(images), ImageSet(images.reshape(4, 3, 2)))
    with pytest.raises(DataError, match="different classes"):
        Dataset("x", ImageSet(images, labels), ImageSet(images))
