import csv
from pathlib import Path

import numpy as np
import pytest

from vae_explorer.errors import ExportError
from vae_explorer.export.tables import export_points


def _read(path: Path) -> tuple[list[str], list[tuple[str, ...]]]:
    """Header and columns."""
    with path.open(newline="", encoding="utf-8") as stream:
        header, *rows = csv.reader(stream)
    return header, list(zip(*rows, strict=True))


def test_numbers_come_back_to_the_same_bits(tmp_path: Path) -> None:
    bits = np.random.default_rng(0).integers(0, 2**32, 20_000, np.uint32)
    z1 = bits.view(np.float32)
    z1 = z1[np.isfinite(z1)]
    n = len(z1)
    index = np.arange(n, dtype=np.int64) + 2**60
    elbo = np.random.default_rng(1).normal(size=n)
    path = tmp_path / "points.csv"
    export_points(path, {"index": index, "z1": z1, "elbo": elbo})
    header, columns = _read(path)
    assert header == ["index", "z1", "elbo"]
    assert [int(cell) for cell in columns[0]] == index.tolist()
    read = np.array([float(cell) for cell in columns[1]]).astype(np.float32)
    assert read.tobytes() == z1.tobytes()
    assert [float(cell) for cell in columns[2]] == elbo.tolist()


def test_numbers_have_no_more_digits_than_it_takes(tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    columns = {
        "index": np.array([5, 70]),
        "split": np.array(["train", "test"]),
        "label": np.array([3, 9], np.uint8),
        "z1": np.array([0.1, -2.5], np.float32),
        "z2": np.array([np.nan, 1e-9], np.float32),
    }
    export_points(path, columns)
    assert path.read_bytes() == (
        b"index,split,label,z1,z2\n5,train,3,0.1,nan\n70,test,9,-2.5,1e-09\n"
    )


def test_texts_may_hold_anything(tmp_path: Path) -> None:
    texts = ["a, b", 'the "third"', "two\nlines", "數字", ""]
    path = tmp_path / "points.csv"
    export_points(path, {"name, z₁": np.array(texts), "n": np.arange(5)})
    header, columns = _read(path)
    assert header == ["name, z₁", "n"]
    assert list(columns[0]) == texts


def test_no_points_leave_the_header(tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    export_points(path, {"z1": np.empty(0, np.float32), "z2": np.empty(0, np.float32)})
    assert path.read_text() == "z1,z2\n"


def test_columns_of_different_length_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_text("old")
    with pytest.raises(ExportError, match="index 3, z1 2"):
        export_points(path, {"index": np.arange(3), "z1": np.zeros(2)})
    assert path.read_text() == "old"


def test_a_place_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "points.csv"
    with pytest.raises(ExportError, match="Cannot write") as caught:
        export_points(path, {"index": np.arange(3)})
    assert str(path) in str(caught.value)
    assert list(tmp_path.iterdir()) == []
