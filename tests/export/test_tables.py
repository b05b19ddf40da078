import csv
import sys
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

from vae_explorer.data.dataset import Dataset, ImageSet
from vae_explorer.data.table_layout import draft_table
from vae_explorer.data.tables import Classes, Column, Numbers, read_table
from vae_explorer.errors import DataError, ExportError
from vae_explorer.export.content import export_content
from vae_explorer.export.kinds import KINDS
from vae_explorer.export.tables import (
    Columns,
    point_columns,
    table_content,
)


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
    path.write_bytes(table_content({"index": index, "z1": z1, "elbo": elbo}, ".csv"))
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
    path.write_bytes(table_content(columns, ".csv"))
    assert path.read_bytes() == (
        b"index,split,label,z1,z2\n5,train,3,0.1,nan\n70,test,9,-2.5,1e-09\n"
    )


def test_texts_may_hold_anything(tmp_path: Path) -> None:
    texts = ["a, b", 'the "third"', "two\nlines", "數字", ""]
    path = tmp_path / "points.csv"
    path.write_bytes(table_content({"name, z₁": np.array(texts), "n": np.arange(5)}, ".csv"))
    header, columns = _read(path)
    assert header == ["name, z₁", "n"]
    assert list(columns[0]) == texts


def test_no_points_leave_the_header(tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_bytes(
        table_content({"z1": np.empty(0, np.float32), "z2": np.empty(0, np.float32)}, ".csv")
    )
    assert path.read_text() == "z1,z2\n"


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(ExportError, match="index 3, z1 2"):
        table_content({"index": np.arange(3), "z1": np.zeros(2)}, ".csv")


def test_a_place_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "points.csv"
    with pytest.raises(ExportError, match="Cannot write") as caught:
        export_content(path, b"index\n0\n")
    assert str(path) in str(caught.value)
    assert list(tmp_path.iterdir()) == []


MIXED: Columns = {
    "split": np.array(["train", "test", "test"]),
    "index": np.array([5, 0, 1]),
    "class": np.array(["été", "a; b", ""]),
    "elbo": np.array([-0.1, np.nan, 1e-9], np.float32),
    "file": np.array([0.5, -1234.5678, 3.25]),
}


def test_pyarrow_and_numpy_read_the_same_columns(tmp_path: Path) -> None:
    path = tmp_path / "points.parquet"
    path.write_bytes(table_content(MIXED, ".parquet"))
    table = parquet.read_table(path)
    (tmp_path / "points.npz").write_bytes(table_content(MIXED, ".npz"))
    with np.load(tmp_path / "points.npz") as arrays:
        assert table.column_names == [*arrays] == [*MIXED]
        for name, column in MIXED.items():
            np.testing.assert_array_equal(arrays[name], column)
            np.testing.assert_array_equal(table[name].to_numpy(), column)
            assert arrays[name].dtype == column.dtype


@pytest.mark.parametrize(
    ("suffix", "numbers", "cut", "cells"),
    [
        (".tsv", "plain", "\t", ["-0.1", "nan", "1e-09"]),
        (".csv", "point", ",", ["-0.1", "", "1e-09"]),
        (".csv", "comma", ";", ["-0,1", "", "1e-09"]),
        (".tsv", "comma", "\t", ["-0,1", "", "1e-09"]),
    ],
)
def test_a_spreadsheet_gets_what_it_takes_for_numbers(
    suffix: str, numbers: str, cut: str, cells: list[str]
) -> None:
    content = table_content(MIXED, suffix, numbers)
    assert content.startswith(b"\xef\xbb\xbf") == (numbers != "plain")
    text = content.decode("utf-8-sig").splitlines()
    rows = list(csv.DictReader(text, delimiter=cut))
    assert [row["elbo"] for row in rows] == cells
    assert [row["class"] for row in rows] == ["été", "a; b", ""]


@pytest.mark.parametrize("numbers", ["plain", "point", "comma"])
@pytest.mark.parametrize("suffix", KINDS["codes"].suffixes)
def test_what_is_written_is_read_and_the_same_twice(
    suffix: str, numbers: str, tmp_path: Path
) -> None:
    content = table_content(MIXED, suffix, numbers)
    assert table_content(MIXED, suffix, numbers) == content
    path = tmp_path / f"points{suffix}"
    path.write_bytes(content)
    draft = draft_table(path, {"train": 9, "test": 4, "both": 13}, "train")
    assert (draft.layout.index, draft.layout.split) == ("index", "split")
    table = read_table(path, draft.layout, draft.sizes)
    elbo, names = table.columns["elbo"], table.columns["class"]
    assert isinstance(elbo, Numbers)
    np.testing.assert_array_equal(elbo.values[[5, 9, 10]], MIXED["elbo"])
    assert np.isnan(np.delete(elbo.values, [5, 9, 10])).all()
    assert isinstance(names, Classes)
    assert [names.names[code] for code in names.codes[[5, 9]]] == ["été", "a; b"]


def test_all_that_is_known_of_images_is_in_their_rows() -> None:
    rng = np.random.default_rng(0)
    first = ImageSet(
        rng.integers(0, 256, (4, 2, 2), np.uint8),
        np.array([0, 1, 1, 0], np.uint8),
        classes=("ox", "дом"),
        columns={"weight": Numbers(np.arange(4, dtype=np.float32))},
    )
    data = Dataset.cut(first, 3)
    rows, mean = np.array([3, 1]), rng.random((2, 2), np.float32)
    covariance = np.array([[[1, 2], [2, 5]], [[3, 4], [4, 9]]], np.float32)
    parity = Classes(np.array([0, 1, -1, 0], np.int16), ("even", "odd"))
    own: dict[str, Column] = {"elbo": Numbers(np.zeros(4, np.float32)), "parity": parity}
    figures = {"elbo": np.array([-1.5, -2], np.float32)}
    columns = point_columns(data, "both", rows, mean, covariance, figures, own, "remarkable")
    told = {name: column.tolist() for name, column in columns.items()}
    assert told == {
        "split": ["test", "train"],
        "index": [0, 1],
        "label": [0, 1],
        "class": ["ox", "дом"],
        "z1": mean[:, 0].tolist(),
        "z2": mean[:, 1].tolist(),
        "var1": [1, 3],
        "cov12": [2, 4],
        "var2": [5, 9],
        "elbo": [-1.5, -2],
        "weight": [3, 1],
        "elbo_own": [0, 0],
        "parity": ["even", "odd"],
        "remark": ["remarkable"] * 2,
    }
    of_test = point_columns(data, "test", np.array([0]), mean[:1], covariance[:1], {}, own, "")
    assert (of_test["split"][0], of_test["index"][0], of_test["parity"][0]) == ("test", 0, "even")


def test_without_pyarrow_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ExportError, match=r"pip install 'vae-explorer\[parquet\]'"):
        table_content(MIXED, ".parquet")
    path = tmp_path / "table.parquet"
    path.write_bytes(b"PAR1")
    with pytest.raises(DataError, match=r"pip install 'vae-explorer\[parquet\]'"):
        draft_table(path, {"train": 9, "test": 4, "both": 13}, "train")


@pytest.mark.parametrize("suffix", [".parquet", ".npz"])
def test_a_table_that_is_damaged_or_none_is_told(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"points{suffix}"
    path.write_bytes(table_content(MIXED, suffix)[:-9])
    with pytest.raises(DataError, match="damaged"):
        draft_table(path, {"train": 9, "test": 4, "both": 13}, "train")
    path.write_bytes(table_content({}, suffix))
    with pytest.raises(DataError, match="no table"):
        draft_table(path, {"train": 9, "test": 4, "both": 13}, "train")
