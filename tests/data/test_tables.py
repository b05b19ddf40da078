import csv
import os
from pathlib import Path
from string import ascii_letters

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vae_explorer.data import tables
from vae_explorer.data.tables import Categories, Column, Numbers, read_table
from vae_explorer.errors import DataError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "table.csv"


def _numbers(column: Column) -> list[float]:
    assert isinstance(column, Numbers)
    assert column.values.dtype == np.float32
    return [float(value) for value in column.values]


def _names(column: Column) -> list[str]:
    assert isinstance(column, Categories)
    assert column.codes.dtype == np.int16
    return [column.names[code] if code >= 0 else "" for code in column.codes]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_reads_a_row_an_image(path: Path, delimiter: str, end: str, encoding: str) -> None:
    lines = ["slant,writer,size", "0.5,Zoë,1", "-2e1,Ann,2", " 3 , Zoë ,3", ""]
    path.write_bytes(end.join(lines).replace(",", delimiter).encode(encoding))
    table = read_table(path, 3)
    assert table.name == "table.csv"
    assert list(table.columns) == ["slant", "writer", "size"]
    assert _numbers(table.columns["slant"]) == [0.5, -20, 3]
    writer = table.columns["writer"]
    assert isinstance(writer, Categories)
    assert writer.names == ("Ann", "Zoë")
    assert writer.codes.tolist() == [1, 0, 1]
    assert not writer.codes.flags.writeable
    assert table.skipped == {}


def test_an_index_says_which_image(path: Path) -> None:
    path.write_text("size,index,group\n7,4,b\n5,0,a\n")
    table = read_table(path, 5)
    assert list(table.columns) == ["size", "group"]
    np.testing.assert_array_equal(_numbers(table.columns["size"]), [5, *[np.nan] * 3, 7])
    assert _names(table.columns["group"]) == ["a", "", "", "", "b"]


def test_empty_cells_are_missing(path: Path) -> None:
    path.write_text("size,group,gone,far\n1,,,inf\n,a,,1e300\nnan,b,,2\n")
    table = read_table(path, 3)
    np.testing.assert_array_equal(_numbers(table.columns["size"]), [1, np.nan, np.nan])
    np.testing.assert_array_equal(_numbers(table.columns["far"]), [np.nan, np.nan, 2])
    assert _names(table.columns["group"]) == ["", "a", "b"]
    assert table.skipped == {"gone": "holds no value"}


def test_one_word_makes_categories_and_too_many_are_left_out(path: Path) -> None:
    rows = [f"{i},{i % 10},{i}_{i},n{i}" for i in range(11)]
    path.write_text("\n".join(["number,few,pair,many", *rows]).replace("9,9,", "9,x,"))
    table = read_table(path, 11)
    assert len(_numbers(table.columns["number"])) == 11
    assert sorted(set(_names(table.columns["few"]))) == sorted([*map(str, range(9)), "x"])
    reason = "holds 11 different names, more than 10"
    assert table.skipped == {"pair": reason, "many": reason}


def test_a_table_of_nothing_to_colour_by_is_refused(path: Path) -> None:
    path.write_text("index,gone\n0,\n1,\n")
    with pytest.raises(DataError, match="no column to colour by: 'gone' holds no value"):
        read_table(path, 2)


@given(
    cells=st.lists(
        st.tuples(
            *[st.text(ascii_letters + ' ,;\t"\nß', min_size=1, max_size=8).map("x".__add__)] * 2
        ),
        min_size=1,
        max_size=10,
    )
)
def test_any_text_survives(
    tmp_path_factory: pytest.TempPathFactory, cells: list[tuple[str, str]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "quoted.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("a", "b"), *cells])
    table = read_table(path, len(cells))
    for name, column in zip("ab", zip(*cells, strict=True), strict=True):
        assert _names(table.columns[name]) == [cell.strip() for cell in column]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "has no header"),
        (b"1,2\n3,4\n5,6\n", "has no header; put the names"),
        (b"a,,c\n1,2,3\n1,2,3\n", "column 2 has no name"),
        (b"a,b,a\n1,2,3\n1,2,3\n", "two columns 'a'"),
        (b"a,b\n1,2\n\n3\n", "line 4: the row has 1 cells, expected 2"),
        (b'a,b\n"1\n1",2\n3,4,5\n', "line 4: the row has 3 cells, expected 2"),
        (b'a,b\n1,"2\n3,4\n', "line 3: unexpected end of data; mend the quotes"),
        (b"a\n1\n2\n3\n", "3 rows for 2 images"),
        (b"a\n1\n", "1 rows for 2 images; give one row an image, or a column 'index'"),
        (b"index,a\n0,1\n2,1\n", "line 3: there is no image '2'; the column 'index' counts"),
        (b"index,a\n-1,1\n", "no image '-1'"),
        (b"index,a\n1.0,1\n", "no image '1.0'"),
        (b"index,a\n,1\n", "no image ''"),
        (b"index,a\n" + b"9" * 5_000 + b",1\n", "no image '999"),
        (b"index,a\n1,1\n1,1\n", "line 3: image 1 already has a row, line 2"),
        ("größe\n1\n2\n".encode("latin-1"), "not text in UTF-8"),
        ("a\n1\n2\n".encode("utf-16"), "not text in UTF-8"),
        (bytes(10), "not text but binary"),
    ],
)
def test_refuses_what_is_no_table_of_the_images(path: Path, content: bytes, says: str) -> None:
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_table(path, 2)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)


def test_names_what_is_no_readable_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere does not exist"):
        read_table(tmp_path / "nowhere", 1)
    with pytest.raises(DataError, match="not a regular file"):
        read_table(tmp_path, 1)
    with pytest.raises(DataError, match="Cannot read"):
        read_table(tmp_path / ("x" * 300), 1)
    large = tmp_path / "large"
    large.touch()
    os.truncate(large, tables.MAX_BYTES + 1)
    with pytest.raises(DataError, match="more than the 268,435,456"):
        read_table(large, 1)


@given(content=st.binary(max_size=64) | st.text("ai,;\t\"'\n_1.", max_size=64).map(str.encode))
def test_random_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "random.csv"
    path.write_bytes(content)
    try:
        table = read_table(path, 2)
    except DataError:
        return
    for column in table.columns.values():
        assert len(column.values if isinstance(column, Numbers) else column.codes) == 2
