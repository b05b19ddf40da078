"""NPZ and NPY, written by NumPy."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vae_explorer.data import scratch
from vae_explorer.data.opening import inspect, open_images
from vae_explorer.data.reading import Reading
from vae_explorer.errors import DataError
from vae_explorer.types import UInt8


@pytest.mark.parametrize("side", [28, 64])
@pytest.mark.parametrize("color", [(), (3,)])
def test_medmnist(folder: Path, rng: np.random.Generator, side: int, color: Any) -> None:
    arrays: dict[str, Any] = {}
    for split, count in (("train", 8), ("val", 3), ("test", 4)):
        arrays[f"{split}_images"] = rng.integers(0, 256, (count, side, side, *color), np.uint8)
        arrays[f"{split}_labels"] = rng.integers(0, 3, (count, 1), np.uint8)
    np.savez_compressed(folder / "pathmnist.npz", **arrays)
    data = open_images(folder / "pathmnist.npz")
    assert (data.name, data.image_shape) == ("pathmnist", (side, side, *color))
    assert data.sizes() == {"train": 11, "test": 4, "both": 15}
    np.testing.assert_array_equal(data.train.images[:8], arrays["train_images"])
    np.testing.assert_array_equal(data.test.labels, arrays["test_labels"][:, 0])
    assert "'val_images' joins the images to train on." in data.report.notes


def test_large_medmnist_is_proposed_smaller(folder: Path) -> None:
    np.savez(folder / "a.npz", train_images=np.zeros((3, 224, 224, 3), np.uint8))
    assert inspect(folder / "a.npz").image_shape == (64, 64, 3)


def test_several_labels_an_image_are_columns(folder: Path, images: UInt8) -> None:
    np.savez(folder / "chest.npz", train_images=images, train_labels=np.eye(14, dtype=np.uint8))
    data = open_images(folder / "chest.npz").of("both")
    assert data.labels is None
    assert list(data.columns) == [*(f"labels_{at}" for at in range(14)), "row"]


def test_keras(folder: Path, images: UInt8) -> None:
    np.savez(
        folder / "mnist.npz",
        x_test=images[10:], y_test=np.arange(4), x_train=images[:10], y_train=np.arange(10),
    )  # fmt: skip
    data = open_images(folder / "mnist.npz")
    np.testing.assert_array_equal(data.train.images, images[:10])
    np.testing.assert_array_equal(data.train.labels, range(10))
    assert data.sizes()["test"] == 4


def test_names_of_classes(folder: Path, images: UInt8) -> None:
    np.savez(folder / "a.npz", images=images, y=np.arange(14) % 2, classes=["cat", "dog"])
    assert open_images(folder / "a.npz").classes == ("cat", "dog")


def test_dsprites_without_its_pickle(folder: Path, rng: np.random.Generator) -> None:
    imgs = rng.integers(0, 2, (12, 8, 8), np.uint8)
    metadata = np.array({"title": "dSprites"}, dtype=object)
    values = rng.random((12, 6))
    np.savez(folder / "dsprites.npz", metadata=metadata, imgs=imgs, latents_values=values)
    preview = inspect(folder / "dsprites.npz")
    assert (preview.likelihood, preview.treatment) == ("bernoulli", "fixed")
    assert preview.range == (0, 1)
    data = open_images(folder / "dsprites.npz").of("both")
    assert set(np.unique(data.images)) == {0, 255}
    assert next(iter(data.columns)) == "latents_values_0"
    assert [(s.name, s.why) for s in preview.report.skipped] == [
        ("metadata", "is pickled, which is never opened")
    ]


def test_which_array_is_what_can_be_chosen(folder: Path, images: UInt8) -> None:
    np.savez(
        folder / "a.npz",
        one=images, two=images[:, :4], a=np.arange(14) % 2, kind=np.array(["x", "y"] * 7),
    )  # fmt: skip
    preview = inspect(folder / "a.npz")
    assert set(preview.image_keys) == {"one", "two"}
    assert preview.label_keys[0] == "-"
    assert preview.columns == ("a", "kind")
    data = open_images(folder / "a.npz", Reading(images="two", labels="kind"))
    assert (data.image_shape, data.classes) == ((4, 8), ("x", "y"))
    with pytest.raises(DataError, match="no images 'three'; choose one of one, two"):
        open_images(folder / "a.npz", Reading(images="three"))
    with pytest.raises(DataError, match="no labels 'b' of these images; choose one of a, kind, -"):
        open_images(folder / "a.npz", Reading(labels="b"))


def stacks() -> list[Any]:
    ramp = np.arange(14 * 48).reshape(14, 6, 8) % 256
    bytes_ = ramp.astype(np.uint8)
    return [
        pytest.param(bytes_, bytes_, id="uint8"),
        pytest.param(ramp / 255, bytes_, id="unit floats"),
        pytest.param((ramp / 255).astype(np.float16), bytes_, id="half"),
        pytest.param(ramp.astype(np.float32), bytes_, id="whole floats"),
        pytest.param(ramp / 127.5 - 1, bytes_, id="-1 to 1"),
        pytest.param(ramp.astype(">u2") * 257, bytes_, id="16 bit, big-endian"),
        pytest.param(np.asfortranarray(bytes_), bytes_, id="Fortran"),
        pytest.param(bytes_[:, None], bytes_, id="NCHW"),
        pytest.param(bytes_[..., None], bytes_, id="NHWC"),
        pytest.param(ramp > 100, (ramp > 100) * 255, id="bool"),
        pytest.param(np.stack([bytes_] * 3, 1), np.stack([bytes_] * 3, -1), id="RGB first"),
    ]


@pytest.mark.parametrize(("array", "expected"), stacks())
@pytest.mark.parametrize("kind", ["npy", "npz"])
def test_any_stack_of_numbers(folder: Path, array: Any, expected: Any, kind: str) -> None:
    path = folder / f"stack.{kind}"
    np.save(path, array) if kind == "npy" else np.savez(path, stack=array)
    found = open_images(path).of("both").images
    assert found.shape == expected.shape
    wanted = {image.tobytes() for image in np.asarray(expected, np.uint8)}
    near = {image.tobytes() for image in found}
    assert near == wanted or array.dtype == np.float16


def test_rows_of_pixels_are_images(folder: Path, images: UInt8) -> None:
    np.save(folder / "rows.npy", images[:, :6, :6].reshape(14, 36))
    data = open_images(folder / "rows.npy")
    assert data.image_shape == (6, 6)
    assert "Rows of 36 values read as 6×6." in data.report.notes
    np.save(folder / "rows.npy", images.reshape(14, 48))
    assert open_images(folder / "rows.npy", Reading(size=(6, 8))).image_shape == (6, 8)


def test_the_range_can_be_chosen(folder: Path) -> None:
    array = np.linspace(0, 1000, 2 * 36, dtype=np.float32).reshape(2, 6, 6)
    np.save(folder / "a.npy", array)
    assert inspect(folder / "a.npy").range == (0, 1000)
    data = open_images(folder / "a.npy", Reading(range=(0, 500)))
    assert (data.of("both").images == 255).mean() > 0.49
    with pytest.raises(DataError, match="range 5 to 5 is empty"):
        open_images(folder / "a.npy", Reading(range=(5, 5)))


def test_files_beside_hold_labels_and_the_other_split(folder: Path, images: UInt8) -> None:
    np.save(folder / "x_train.npy", images[:10])
    np.save(folder / "y_train.npy", np.arange(10))
    np.save(folder / "x_test.npy", images[10:])
    np.save(folder / "y_test.npy", np.arange(4))
    np.save(folder / "other.npy", images)
    data = open_images(folder / "x_train.npy")
    assert data.sizes() == {"train": 10, "test": 4, "both": 14}
    np.testing.assert_array_equal(data.test.labels, range(4))
    assert open_images(folder / "other.npy").sizes()["both"] == 14


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (np.zeros((3, 6, 6), complex), "has no images"),
        (np.array([["a" * 20] * 16] * 3), "has no images"),
        (np.zeros(30), "has no images"),
        (np.zeros((3, 2, 6, 6, 3)), "expected \\(n, height, width\\)"),
        (np.zeros((3, 5, 6, 2)), "pass images\\[..., :3\\]"),
        (np.array([[[0.0] * 4] * 4, [[np.nan] * 4] * 4]), "not finite, first in image 1"),
        (np.zeros((0, 6, 6)), "no image"),
        (np.array([{}] * 16, object), "pickled"),
    ],
)
def test_refuses_what_is_no_stack_of_images(folder: Path, array: Any, says: str) -> None:
    np.save(folder / "a.npy", array, allow_pickle=True)
    with pytest.raises(DataError, match=says):
        open_images(folder / "a.npy")


def bad_zips() -> list[Any]:
    good = io.BytesIO()
    np.savez(good, images=np.zeros((4, 6, 6), np.uint8))
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        head, {"descr": "|u1", "fortran_order": False, "shape": (2**20, 2**10, 2**10)}
    )
    crc = bytearray(good.getvalue())
    crc[200] ^= 1
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    odd = io.BytesIO()
    with zipfile.ZipFile(odd, "w") as file:
        file.writestr("images.npy", head.getvalue())
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as file:
        file.writestr("readme.txt", "hello")
    method = bytearray(good.getvalue())
    at = method.index(b"PK\x01\x02")
    method[8] = method[at + 10] = 99
    return [
        pytest.param(good.getvalue()[:-30], "damaged", id="cut"),
        pytest.param(bytes(crc), "damaged", id="CRC"),
        pytest.param(empty.getvalue(), "has no images", id="empty"),
        pytest.param(odd.getvalue(), "announces 1,099,511,627,776 bytes, but 0 follow", id="1 TiB"),
        pytest.param(other.getvalue(), "has no images", id="no array"),
        pytest.param(bytes(method), "has no images|damaged", id="method 99"),
    ]


@pytest.mark.parametrize(("content", "says"), bad_zips())
def test_refuses_a_damaged_archive(folder: Path, content: bytes, says: str) -> None:
    (folder / "a.npz").write_bytes(content)
    with pytest.raises(DataError, match=says):
        open_images(folder / "a.npz")


def test_more_than_the_budget_lies_in_a_file(
    folder: Path, images: UInt8, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez(folder / "a.npz", images=images)
    expected = open_images(folder / "a.npz")
    monkeypatch.setattr(scratch, "BUDGET", 100)
    data = open_images(folder / "a.npz")
    assert data.of("both").fingerprint == expected.of("both").fingerprint
    assert data.train.fingerprint == expected.train.fingerprint
