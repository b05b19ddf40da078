"""Text of pixels, written by the csv module and NumPy."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vae_explorer.data.opening import inspect, open_images
from vae_explorer.data.reading import Reading
from vae_explorer.errors import DataError
from vae_explorer.types import UInt8


@pytest.fixture
def rows(rng: np.random.Generator) -> UInt8:
    pixels = rng.integers(0, 256, (14, 36), np.uint8)
    pixels[:, [0, 5, -1]] = 0
    return pixels


def write(path: Path, rows: Any, header: list[str] | None = None, delimiter: str = ",") -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        if header:
            writer.writerow(header)
        writer.writerows(rows)
    return path


def same(found: UInt8, rows: UInt8) -> bool:
    return {image.tobytes() for image in found} == {row.tobytes() for row in rows}


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
@pytest.mark.parametrize("pixel", ["pixel{}", "{}", "1x{}"])
def test_kaggle(folder: Path, rows: UInt8, delimiter: str, pixel: str) -> None:
    labels = np.arange(14) % 10
    header = ["label", *(pixel.format(at) for at in range(36))]
    table = np.column_stack([labels, rows])
    data = open_images(write(folder / "train.csv", table, header, delimiter)).of("both")
    assert data.image_shape == (6, 6)
    assert same(data.images, rows)
    assert sorted(np.asarray(data.labels)) == sorted(labels)
    alone = open_images(write(folder / "test.csv", rows, header[1:], delimiter))
    assert alone.classes == ()
    bare = open_images(folder / "train.csv", Reading(labels="-"))
    assert bare.classes == ()


def test_the_other_split_lies_beside_with_the_same_columns(folder: Path, rows: UInt8) -> None:
    header = ["label", *(f"pixel{at}" for at in range(36))]
    table = np.column_stack([np.arange(14) % 3, rows])
    for split, part in (("train", table[:10]), ("test", table[10:])):
        write(folder / f"fashion-mnist_{split}.csv", part, header)
    for split in ("train", "test"):
        data = open_images(folder / f"fashion-mnist_{split}.csv")
        assert (data.name, data.sizes()["train"], data.sizes()["test"]) == ("fashion-mnist", 10, 4)
        assert same(data.test.images, rows[10:])
    write(folder / "fashion-mnist_test.csv", table[10:, 1:], header[1:])  # as Kaggle asks for it
    assert open_images(folder / "fashion-mnist_train.csv").sizes()["both"] == 10


def test_names_and_further_columns(folder: Path, rows: UInt8) -> None:
    header = ["", *(f"pixel{at}" for at in range(36)), "class", "weight"]
    table = [[n, *row, "cat" if n % 2 else "dog", n / 2] for n, row in enumerate(rows.tolist())]
    data = open_images(write(folder / "a.csv", table, header)).of("both")
    assert data.classes == ("cat", "dog")
    assert list(data.columns) == ["weight", "row"]
    assert same(data.images, rows)


@pytest.mark.parametrize("last", [False, True])
def test_without_a_header_the_values_tell(folder: Path, rows: UInt8, last: bool) -> None:
    labels = np.arange(14) % 5
    table = np.column_stack([rows, labels] if last else [labels, rows])
    data = open_images(write(folder / "a.csv", table)).of("both")
    assert same(data.images, rows)
    assert len(data.classes) == 5
    assert open_images(write(folder / "b.csv", rows)).classes == ()


def test_what_could_be_either_is_asked(folder: Path, rows: UInt8) -> None:
    table = np.column_stack([np.arange(14) % 5, rows[:, 1:], np.arange(14) % 3])
    path = write(folder / "a.csv", table)
    with pytest.raises(DataError, match="do not tell whether it is 'column 1' or 'column 37'"):
        open_images(path)
    assert len(open_images(path, Reading(labels="column 37")).classes) == 3


def test_colour(folder: Path, rng: np.random.Generator) -> None:
    rows = rng.integers(0, 256, (4, 3 * 25), np.uint8)
    assert open_images(write(folder / "a.csv", rows)).train.images.shape[1:] == (5, 5, 3)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "one column"),
        ("hello\n", "one column"),
        ("a,b\n", "a header and no rows"),
        ("a,b\n1,2\n", "0 columns named as pixels"),
        ("1,2,3\n4,5,6\n", "neither a square image"),
        (",".join("1" * 16) + "\n" + ",".join("1" * 15) + "\n", "line 2: the row has 15 cells"),
        (",".join("1" * 16) + "\n" + ",".join("1" * 15) + ",x\n", "line 2: 'x' in column 16"),
        (",".join("1" * 16) + "\n" + ",".join("1" * 15) + ",nan\n", "not finite, first in image 1"),
        ("\0" * 40, "one column|no number|neither"),
    ],
)
def test_refuses_what_is_no_table_of_pixels(folder: Path, text: str, says: str) -> None:
    (folder / "a.csv").write_text(text)
    with pytest.raises(DataError, match=says):
        open_images(folder / "a.csv")


def test_amat_is_binarised_already(folder: Path, rng: np.random.Generator) -> None:
    for split, count in (("train", 9), ("valid", 3), ("test", 4)):
        pixels = rng.integers(0, 2, (count, 36))
        np.savetxt(folder / f"binarized_mnist_{split}.amat", pixels, fmt="%d")
    path = folder / "binarized_mnist_train.amat"
    preview = inspect(path)
    assert (preview.treatment, preview.split) == ("fixed", "its own")
    assert preview.counts == {"train": 12, "test": 4, "both": 16}
    data = open_images(path)
    assert data.name == "binarized_mnist"
    assert set(np.unique(data.train.images)) == {0, 255}


def test_amat_with_labels(folder: Path, rng: np.random.Generator) -> None:
    table = np.column_stack([rng.random((12, 36)), np.arange(12) % 4])
    np.savetxt(folder / "rotated.amat", table)
    data = open_images(folder / "rotated.amat")
    assert data.classes == ("0", "1", "2", "3")
    assert inspect(folder / "rotated.amat").treatment == "gray"
