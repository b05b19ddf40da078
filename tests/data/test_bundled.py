import gzip
import hashlib
from pathlib import Path

import numpy as np
import pytest

from vae_explorer import paths
from vae_explorer.data.bundled import FINGERPRINTS, mnist, mnist_dataset, read_idx_pair
from vae_explorer.errors import DataError

# Of the files as their authors published them, unpacked.
MD5 = {
    "train-images-idx3-ubyte.gz": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte.gz": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte.gz": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte.gz": "27ae3e4e09519cfbb04c329615203637",
}


@pytest.mark.parametrize("name", MD5)
def test_the_bundled_files_are_the_published_ones(name: str) -> None:
    content = gzip.decompress((paths.resources() / "mnist" / name).read_bytes())
    assert hashlib.md5(content).hexdigest() == MD5[name]
    assert MD5[name] in (paths.resources() / "mnist" / "README.md").read_text()


@pytest.mark.parametrize(
    ("split", "count", "labels"),
    [("train", 60_000, [5, 0, 4, 1, 9, 2, 1, 3]), ("test", 10_000, [7, 2, 1, 0, 4, 1, 4, 9])],
)
def test_mnist_is_complete(split: str, count: int, labels: list[int]) -> None:
    data = mnist(split)
    assert data.images.shape == (count, 28, 28)
    assert data.labels is not None
    assert list(data.labels[:8]) == labels
    assert set(np.unique(data.labels)) == set(range(10))
    assert (data.name, data.split) == ("MNIST", split)
    assert mnist(split) is data  # read once


def test_mean_intensity_is_the_known_one() -> None:
    assert mnist("train").images.mean() / 255 == pytest.approx(0.1307, abs=5e-5)


def test_an_unknown_split_is_named() -> None:
    with pytest.raises(DataError, match="no split 'validation'; choose one of train, test"):
        mnist("validation")


def test_a_broken_installation_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "resources", lambda: tmp_path)
    with pytest.raises(DataError, match=r"t10k-images-idx3-ubyte\.gz does not exist"):
        mnist.__wrapped__("test")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "images").write_bytes(b"\0\0\x08\x03" + b"\0\0\0\x02" * 3 + bytes(range(8)))
    (tmp_path / "labels").write_bytes(b"\0\0\x08\x01" + b"\0\0\0\x02" + b"\x05\x06")
    (tmp_path / "three").write_bytes(b"\0\0\x08\x01" + b"\0\0\0\x03" + b"\x05\x06\x07")
    return tmp_path


def test_reads_a_pair_of_files(folder: Path) -> None:
    data = read_idx_pair(folder / "images", folder / "labels", name="mine", split="train")
    np.testing.assert_array_equal(data.images, np.arange(8).reshape(2, 2, 2))
    np.testing.assert_array_equal(data.labels, [5, 6])
    unlabelled = read_idx_pair(folder / "images", None, name="mine", split="train")
    assert unlabelled.labels is None


@pytest.mark.parametrize(
    ("images", "labels", "says"),
    [
        ("labels", "labels", "labels has 1 dimensions, expected 3"),
        ("images", "images", "images has 3 dimensions, expected 1"),
        ("images", "three", "holds 2 images but .*three 3 labels"),
    ],
)
def test_refuses_files_that_are_no_pair(folder: Path, images: str, labels: str, says: str) -> None:
    with pytest.raises(DataError, match=says):
        read_idx_pair(folder / images, folder / labels, name="mine", split="train")


def test_mnist_is_a_data_set_known_before_it_is_read() -> None:
    data = mnist_dataset()
    assert (data.image_shape, data.training_images) == ((28, 28), 60_000)
    assert data.fingerprint == FINGERPRINTS["train"]
    assert data.train is mnist("train")
    assert data.of("both") is mnist("both")
    assert data.train.classes == data.classes
    assert data.sizes() == {"train": 60_000, "test": 10_000, "both": 70_000}
