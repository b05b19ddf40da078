import os
import tracemalloc
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vae_explorer import schema
from vae_explorer.data.opening import inspect, open_images
from vae_explorer.data.reading import Reading
from vae_explorer.data.splitting import digests, mixed, stratified
from vae_explorer.errors import DataError
from vae_explorer.types import UInt8


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nowhere", "nowhere does not exist; give a path, or one of mnist, digits"),
        ("model.pt", "may run any program"),
        ("data.pkl", "numpy.save"),
        ("text.docx", "is of no kind that is read"),
        ("x" * 300, "Cannot read"),
    ],
)
def test_refuses_other_files_by_name(folder: Path, name: str, says: str) -> None:
    if len(name) < 100 and name != "nowhere":
        (folder / name).write_bytes(b"hello")
    with pytest.raises(DataError, match=says):
        open_images(folder / name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_does_not_wait_for_a_pipe(folder: Path) -> None:
    os.mkfifo(folder / "pipe.npy")
    with pytest.raises(DataError, match="neither a folder nor a regular file"):
        open_images(folder / "pipe.npy")


def test_the_preview_is_what_is_read(folder: Path, images: UInt8) -> None:
    np.savez(folder / "a.npz", images=images, labels=np.arange(14) % 2)
    preview = inspect(folder / "a.npz")
    data = open_images(folder / "a.npz")
    assert preview.counts == data.sizes()
    assert preview.image_shape == data.image_shape
    assert preview.classes == {"0": 7, "1": 7}
    assert data.source.reading == preview.reading
    assert len(preview.samples) == len(preview.sample_labels) == 14
    assert preview.split == "14% of each class, by seed 0"
    again = open_images(folder / "a.npz", preview.reading)
    assert again.of("both").fingerprint == data.of("both").fingerprint


def test_of_few_images_a_class_the_largest_gives_the_one_to_test_on(
    folder: Path, images: UInt8
) -> None:
    labels = np.array([0, 1, 1, 1, 2, 2])
    np.savez(folder / "a.npz", images=images[:6], labels=labels)
    preview, data = inspect(folder / "a.npz"), open_images(folder / "a.npz")
    assert preview.split == "14% of the larger classes, at least one image, by seed 0"
    assert preview.counts == data.sizes() == {"train": 5, "test": 1, "both": 6}
    assert data.test.labels is not None
    assert data.test.labels.tolist() == [1]


@pytest.mark.parametrize("sizes", [[50], [10] * 5, [3, 400, 33], [1, 1], [2] * 20])
@pytest.mark.parametrize("share", [1 / 7, 0.25, 0.9])
def test_the_split_of_the_preview_is_that_of_the_run(
    folder: Path, sizes: list[int], share: float
) -> None:
    images = np.random.default_rng(0).integers(0, 256, (sum(sizes), 4, 4), np.uint8)
    np.savez(folder / "a.npz", images=images, labels=np.repeat(np.arange(len(sizes)), sizes))
    reading = Reading(test_share=share)
    assert (
        inspect(folder / "a.npz", reading).counts == open_images(folder / "a.npz", reading).sizes()
    )


def test_a_reading_survives_a_file(folder: Path, images: UInt8) -> None:
    np.save(folder / "a.npy", images)
    reading = inspect(folder / "a.npy", Reading(range=(0, 99), size=(4, 4))).reading
    said = {key: value for key, value in vars(reading).items() if value is not None}
    said["size"], said["range"] = [4, 4], [0, 99]
    assert schema.build(Reading, said, "a file") == reading


@pytest.mark.parametrize("level", [0, 7, 255])
def test_images_that_are_all_the_same_are_read(folder: Path, level: int) -> None:
    np.save(folder / "a.npy", np.full((8, 6, 6), level, np.uint8))
    preview, data = inspect(folder / "a.npy"), open_images(folder / "a.npy")
    assert (data.of("both").images == level).all()
    assert data.sizes()["test"] == preview.counts["test"] == 1
    assert "All images are the same" in " ".join(data.report.notes)


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (np.zeros(14, int), ("0",)),
        (np.arange(14) * 70, 14),
        (np.arange(14) - 3, 14),
        (np.arange(14) / 2, 14),
        (np.array([np.nan, *range(13)]), 0),
    ],
)
def test_labels_of_any_kind(folder: Path, images: UInt8, labels: Any, classes: Any) -> None:
    np.savez(folder / "a.npz", images=images, labels=labels)
    data = open_images(folder / "a.npz")
    if isinstance(classes, int):
        used = set() if data.of("both").labels is None else {*data.of("both").labels.tolist()}
        assert len(used) == classes
    else:
        assert data.classes == classes
    if classes == 0:
        assert "The labels are no classes: Label 0 is nan" in " ".join(data.report.notes)
        assert "label" in data.train.columns


def test_a_thousand_classes_and_more(folder: Path) -> None:
    images = np.arange(1001 * 18, dtype=np.uint16).view(np.uint8).reshape(1001, 6, 6)
    np.savez(folder / "a.npz", images=images[:1000], labels=np.arange(1000))
    data = open_images(folder / "a.npz")
    assert len(data.classes) == 1000
    assert data.train.labels.dtype == np.uint16
    np.savez(folder / "a.npz", images=images, labels=np.arange(1001))
    data = open_images(folder / "a.npz")
    assert data.classes == ()
    assert "label" in data.train.columns


def test_opening_takes_little_more_than_the_pixels(folder: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (20_000, 28, 28), np.uint8)
    np.save(folder / "a.npy", images)
    size = images.nbytes
    del images
    tracemalloc.start()
    data = open_images(folder / "a.npy")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert data.sizes()["both"] == 20_000
    assert peak < 1.3 * size + (32 << 20)  # and blocks in passing


@given(
    count=st.integers(2, 60),
    kinds=st.integers(1, 5),
    different=st.integers(1, 60),
    share=st.floats(0.05, 0.9),
    seed=st.integers(0, 5),
)
def test_a_split_is_disjoint_complete_and_of_each_class(
    count: int, kinds: int, different: int, share: float, seed: int
) -> None:
    hashes = (np.arange(count) % different).astype(np.uint64)
    labels = (hashes % np.uint64(kinds)).astype(np.uint8)
    train, test = stratified(hashes, labels, share, seed)
    assert sorted([*train, *test]) == list(range(count))
    assert len(train)
    assert len(test)
    assert (np.diff(train) > 0).all()
    assert (np.diff(test) > 0).all()
    if len(np.unique(hashes)) > 1:
        assert not {*hashes[train]} & {*hashes[test]}
    again = stratified(hashes, labels, share, seed)
    np.testing.assert_array_equal(test, again[1])


def test_a_split_keeps_the_share_of_every_class() -> None:
    labels = np.repeat(np.arange(4, dtype=np.uint8), [700, 70, 140, 7])
    hashes = np.arange(len(labels), dtype=np.uint64)
    _, test = stratified(hashes, labels, 1 / 7, 3)
    assert np.bincount(labels[test]).tolist() == [100, 10, 20, 1]


@given(width=st.integers(1, 30), at=st.integers(0, 29), other=st.integers(0, 29))
def test_digests_see_every_pixel(width: int, at: int, other: int) -> None:
    images = np.zeros((3, 1, width), np.uint8)
    images[1, 0, at % width] = 128
    images[2, 0, other % width] = 64
    assert len(np.unique(digests(images))) == 3


SUFFIXES = ("npy", "npz", "csv", "amat", "idx3-ubyte", "gz", "png", "tif", "gif", "jpg", "parquet")
STARTS = (
    b"", b"\x93NUMPY\x01\x00v\x00", b"PK\x03\x04", b"\x1f\x8b\x08", b"\0\0\x08\x03", b"PAR1",
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"II*\0\x08\0\0\0", b"GIF89a", b"\xff\xd8\xff\xe0",
    b"1 0 1 0\n",
)  # fmt: skip


@given(
    content=st.binary(max_size=80), start=st.sampled_from(STARTS), suffix=st.sampled_from(SUFFIXES)
)
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, start: bytes, suffix: str
) -> None:
    path = tmp_path_factory.getbasetemp() / f"any.{suffix}"
    path.write_bytes(start + content)
    for read in (inspect, open_images):
        with suppress(DataError):
            read(path)


@given(data=st.data())
def test_a_damaged_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    base = tmp_path_factory.getbasetemp()
    kind = data.draw(st.sampled_from(["npy", "npz"]))
    path = base / f"damaged.{kind}"
    images = np.arange(4 * 36, dtype=np.uint8).reshape(4, 6, 6)
    np.save(path, images) if kind == "npy" else np.savez_compressed(path, images=images)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    with suppress(DataError):
        assert len(open_images(path).of("both")) > 1


def test_a_choice_changes_the_preview(folder: Path, images: UInt8) -> None:
    np.save(folder / "a.npy", images)
    preview = inspect(folder / "a.npy")
    other = inspect(folder / "a.npy", replace(preview.reading, invert=True, channels="rgb"))
    assert other.image_shape == (6, 8, 3)
    np.testing.assert_array_equal(other.samples[..., 0], 255 - preview.samples)


@pytest.mark.parametrize("own", [False, True])
def test_the_last_images_to_train_on_are_of_all_classes_and_no_copies(
    folder: Path, rng: np.random.Generator, own: bool
) -> None:
    images = rng.integers(0, 256, (120, 6, 6), np.uint8)
    images[110:] = images[100:110]
    labels = np.repeat(np.arange(3), 40)
    test: Any = {"test_images": images[:3] + 1, "test_labels": np.arange(3)} if own else {}
    np.savez(folder / "a.npz", train_images=images, train_labels=labels, **test)
    train = open_images(folder / "a.npz").train
    held_out = train.subset(slice(-30, None))
    assert {*np.asarray(held_out.labels).tolist()} == {0, 1, 2}
    trained = {image.tobytes() for image in train.images[:-30]}
    assert not trained & {image.tobytes() for image in held_out.images}
    rows = train.columns["row"].values.astype(int)
    np.testing.assert_array_equal(train.images, images[rows])
    np.testing.assert_array_equal(train.labels, labels[rows])


def test_images_are_mixed_by_their_seed() -> None:
    rows, hashes = np.arange(50), np.arange(50, dtype=np.uint64)
    first = mixed(rows, hashes, 0)
    np.testing.assert_array_equal(first, mixed(rows, hashes, 0))
    assert sorted(first) == rows.tolist()
    assert first.tolist() != mixed(rows, hashes, 1).tolist()
