import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from vae_explorer.data import idx
from vae_explorer.data.opening import inspect, open_images
from vae_explorer.data.reading import Reading
from vae_explorer.errors import DataError
from vae_explorer.types import UInt8

KINDS = {"u1": 8, "i1": 9, ">i2": 11, ">i4": 12, ">f4": 13, ">f8": 14}


def write(path: Path, array: np.ndarray, kind: str = "u1") -> None:
    head = struct.pack(f">HBB{array.ndim}I", 0, KINDS[kind], array.ndim, *array.shape)
    content = head + array.astype(kind).tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("given", ["train-images-idx3-ubyte", "t10k-labels-idx1-ubyte", ""])
def test_both_splits_and_labels_are_found_by_name(
    folder: Path, images: UInt8, ending: str, given: str
) -> None:
    for split, part in (("train", images[:10]), ("t10k", images[10:])):
        write(folder / f"{split}-images-idx3-ubyte{ending}", part)
        write(folder / f"{split}-labels-idx1-ubyte{ending}", np.arange(len(part)) % 3)
    data = open_images(folder / f"{given}{ending}" if given else folder)
    np.testing.assert_array_equal(data.train.images, images[:10])
    np.testing.assert_array_equal(data.test.labels, [0, 1, 2, 0])
    assert data.classes == ("0", "1", "2")


def test_images_alone_are_split(folder: Path, images: UInt8) -> None:
    write(folder / "mine-images.idx3-ubyte", images)
    data = open_images(folder / "mine-images.idx3-ubyte")
    assert data.sizes() == {"train": 12, "test": 2, "both": 14}
    assert data.train.labels is None


def test_qmnist_keeps_its_label_and_the_rest_as_columns(folder: Path, images: UInt8) -> None:
    labels = np.arange(14 * 8).reshape(14, 8)
    labels[:, 0] = np.arange(14) % 10
    write(folder / "qmnist-train-images-idx3-ubyte", images)
    write(folder / "qmnist-train-labels-idx2-int", labels, ">i4")
    data = open_images(folder).of("both")
    assert set(np.asarray(data.labels)) == set(range(10))
    assert list(data.columns) == [
        "series", "writer", "serial", "global", "nist class", "duplicate", "unused", "row",
    ]  # fmt: skip
    assert set(data.columns["writer"].values) == set(labels[:, 2])


def test_emnist_is_offered_turned(folder: Path, images: UInt8) -> None:
    write(folder / "emnist-letters-train-images-idx3-ubyte", images)
    path = folder / "emnist-letters-train-images-idx3-ubyte"
    (offer,) = inspect(path).offers
    assert (offer.field, offer.value) == ("transpose", True)
    assert offer.samples.shape == (14, 8, 6)
    turned = open_images(path, Reading(transpose=True))
    assert turned.image_shape == (8, 6)
    upright = open_images(path)
    np.testing.assert_array_equal(turned.train.images, upright.train.images.swapaxes(1, 2))


@pytest.mark.parametrize(
    ("kind", "factor"), [(">f4", 1 / 255), (">f8", 1 / 255), (">i2", 1), (">i4", 1)]
)
def test_other_types_become_bytes(folder: Path, images: UInt8, kind: str, factor: float) -> None:
    write(folder / "a-images-idx3", images * factor, kind)
    data = open_images(folder / "a-images-idx3").of("both")
    assert {image.tobytes() for image in data.images} == {image.tobytes() for image in images}


def test_a_large_raw_file_stays_on_disk(
    folder: Path, images: UInt8, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idx, "_LARGE", 100)
    write(folder / "a-images-idx3", images)
    found = idx.read_any_idx(folder / "a-images-idx3")
    assert isinstance(found, np.memmap)
    np.testing.assert_array_equal(found, images)
    with (folder / "a-images-idx3").open("ab") as file:
        file.write(b"x")
    with pytest.raises(DataError, match="more follow"):
        idx.read_any_idx(folder / "a-images-idx3")


def test_refuses_what_is_no_pair(folder: Path, images: UInt8) -> None:
    write(folder / "a-images-idx3", images)
    write(folder / "a-labels-idx1", np.zeros(3))
    with pytest.raises(DataError, match="holds 14 images but .* 3 labels"):
        open_images(folder / "a-images-idx3")
    assert open_images(folder / "a-images-idx3", Reading(labels="-")).classes == ()
    write(folder / "b-idx1", np.zeros(3))
    with pytest.raises(DataError, match="expected 3 .images, height, width."):
        open_images(folder / "b-idx1")
