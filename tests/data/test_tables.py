import csv
import os
from pathlib import Path
from string import ascii_letters

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.tables import REST, names_of, numbers_of, read, sizes
from vae_explorer.data.table_columns import MAX_BYTES
from vae_explorer.data.table_layout import TableLayout, draft_table
from vae_explorer.data.table_text import read_numbers
from vae_explorer.data.tables import Classes, Numbers, read_table
from vae_explorer.errors import DataError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "table.csv"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_reads_a_row_an_image(path: Path, delimiter: str, end: str, encoding: str) -> None:
    lines = ["slant,writer,size", "0.5,Zoë,1", "-2e1,Ann,2", " 3 , Zoë ,3", ""]
    path.write_bytes(end.join(lines).replace(",", delimiter).encode(encoding))
    table = read(path, 3)
    assert table.name == "table.csv"
    assert list(table.columns) == ["slant", "writer", "size"]
    assert numbers_of(table.columns["slant"]) == [0.5, -20, 3]
    writer = table.columns["writer"]
    assert isinstance(writer, Classes)
    assert writer.names == ("Ann", "Zoë")
    assert writer.codes.tolist() == [1, 0, 1, *[-1] * REST]
    assert not writer.codes.flags.writeable
    assert table.skipped == {}


def test_an_index_says_which_image(path: Path) -> None:
    path.write_text("size,Index,group\n7,4,b\n5,0,a\n")
    table = read(path, 5)
    assert list(table.columns) == ["size", "group"]
    np.testing.assert_array_equal(numbers_of(table.columns["size"]), [5, *[np.nan] * 3, 7])
    assert names_of(table.columns["group"]) == ["a", "", "", "", "b"]


def test_empty_cells_are_missing(path: Path) -> None:
    path.write_text("size,group,gone,far\n1,,,inf\n,a,,1e300\nnan,b,,2\n")
    table = read(path, 3)
    np.testing.assert_array_equal(numbers_of(table.columns["size"]), [1, np.nan, np.nan])
    np.testing.assert_array_equal(numbers_of(table.columns["far"]), [np.nan, np.nan, 2])
    assert names_of(table.columns["group"]) == ["", "a", "b"]
    gone = next(c for c in draft_table(path, sizes(3), "train").columns if c.name == "gone")
    assert (gone.kinds, gone.why) == ((), "holds no value")
    table = read_table(path, TableLayout(numbers=("size", "gone")), sizes(3))
    assert table.skipped == {"gone": "holds no value"}


def test_one_word_makes_classes_and_too_many_are_left_out(path: Path) -> None:
    rows = [f"{i},{i % 10},{i}_{i},n{i}" for i in range(21)]
    path.write_text("\n".join(["number,few,pair,many", *rows]).replace("9,9,", "9,x,", 1))
    table = read(path, 21)
    assert len(numbers_of(table.columns["number"])) == 21
    assert sorted(set(names_of(table.columns["few"]))) == sorted([*map(str, range(9)), "9", "x"])
    draft = draft_table(path, sizes(21), "train")
    reason = "holds 21 different names, more than 20"
    assert {c.name: c.why for c in draft.columns if c.why} == {"pair": reason, "many": reason}
    layout = TableLayout(classes=("few", "many"))
    assert read_table(path, layout, sizes(21)).skipped == {
        "many": "holds more than 20 different values"
    }


def test_a_table_of_nothing_to_colour_by_is_refused(path: Path) -> None:
    path.write_text("index,gone\n0,\n1,\n")
    with pytest.raises(DataError, match="no column to colour by: 'gone' holds no value"):
        read(path, 2)


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
    table = read(path, len(cells))
    for name, column in zip("ab", zip(*cells, strict=True), strict=True):
        assert names_of(table.columns[name]) == [cell.strip() for cell in column]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "has no header"),
        (b"1,2\n3,4\n5,6\n", "has no header; put the names"),
        (b"a,b,a\n1,2,3\n1,2,3\n", "two columns 'a'"),
        (b"a,b\n1,2\n\n3\n", "line 4: the row has 1 cells, expected 2"),
        (b'a,b\n"1\n1",2\n3,4,5\n', "line 4: the row has 3 cells, expected 2"),
        (b'a,b\n1,"2\n3,4\n', "line 3: unexpected end of data; mend the quotes"),
        (b"a\n1\n2\n3\n4\n", "more than 3 rows for 3 images"),
        (b"a\n", "no column to colour by: 'a' holds no value"),
        (
            b"index,a\n0,1\n3,1\n",
            "line 3: there is no image '3'; the column 'index'",
        ),
        (b"index,a\n-1,1\n", "no training image '-1'"),
        (b"index,a\n1.5,1\n", "no training image '1.5'"),
        (b"index,a\n,1\n", "no training image ''"),
        (b"index,a\n" + b"9" * 5_000 + b",1\n", "no training image '999"),
        (b"index,a\n1,1\n1,1\n", "line 3: image 1 already has a row, line 2"),
        ("größe\n1\n2\n".encode("latin-1"), "not text in UTF-8"),
        ("a\n1\n2\n".encode("utf-16-le"), "not text but binary"),
        ("a\n1\n2\n".encode("utf-16") + b"1", "not text in UTF-16 (truncated data)"),
        (bytes(10), "not text but binary"),
    ],
)
def test_refuses_what_is_no_table_of_the_images(path: Path, content: bytes, says: str) -> None:
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read(path, 2, 1)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)


def test_names_what_is_no_readable_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere does not exist"):
        read(tmp_path / "nowhere", 1)
    with pytest.raises(DataError, match="not a regular file"):
        read(tmp_path, 1)
    with pytest.raises(DataError, match="Cannot read"):
        read(tmp_path / ("x" * 300), 1)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(DataError, match="not a regular file"):
            read(tmp_path / "pipe", 1)
    endless = tmp_path / "endless"
    endless.write_bytes(b"1" * (1 << 21))
    with pytest.raises(DataError, match="line 1: it is longer than 1,048,576 characters"):
        read(endless, 1)
    large = tmp_path / "large"
    large.touch()
    os.truncate(large, MAX_BYTES + 1)
    with pytest.raises(DataError, match="more than the 201,326,592"):
        read(large, 1)


@given(content=st.binary(max_size=64) | st.text("ai,;\t\"'\n_1.", max_size=64).map(str.encode))
def test_random_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "random.csv"
    path.write_bytes(content)
    try:
        table = read(path, 2, 1)
    except DataError:
        return
    for column in table.columns.values():
        assert len(column.values if isinstance(column, Numbers) else column.codes) == 3


# As programs of any country write them

AS_WRITTEN: dict[str, tuple[str, list[float | None]]] = {
    "pandas": (",z,cluster\n0,0.5,1.0\n3,,\n1,0.25,1.0\n", [0.5, 0.25, None, None]),
    "indices as floats": ("index,z\n3.0,0.5\n0.0,1\n", [1, None, None, 0.5]),
    "a header in capitals": ("Z;INDEX\n0,5;3\n1,25;0\n", [1.25, None, None, 0.5]),
    "Excel of Germany": ("sep=;\r\nz\r\n0,5\r\n1.234,5\r\n−3\r\n1E+3\r\n", [0.5, 1234.5, -3, 1000]),
    "a decimal comma alone": ("z\n3,14\n2,5\n1\n4\n", [3.14, 2.5, 1, 4]),
    "tabs": ("z\tgroup\n0,5\ta\n1,5\ta\n2\tb\n3\tb\n", [0.5, 1.5, 2, 3]),
    "thousands": ('z\n"1,500"\n"12,500.25"\n1 000\n2\n', [1500, 12500.25, 1000, 2]),
    "a decimal comma of three": ("z;w\n1,500;a\n2,250;a\n3;b\n0;b\n", [1.5, 2.25, 3, 0]),
    "comments": ("# by me\nz,w\n# amid\n1,a\n2,a\n3.5,b\n4,b\n", [1, 2, 3.5, 4]),
    "NumPy": ("# w,z\n7,1\n7,2\n7,3.5\n8,4\n", [1, 2, 3.5, 4]),
    "errors of Excel": ("index,z\n0,#N/A\n1,#DIV/0!\n3,2.5\n,\n", [None, None, None, 2.5]),
    "missing first": ("z,w\n#N/A,a\nNULL,a\n1.5,b\nnone,b\n", [None, None, 1.5, None]),
    "cells too many": ("z,w,\n1.5,a,\n2,a,\n3,b,\n4,b,\n", [1.5, 2, 3, 4]),
}


@pytest.mark.parametrize("bom", ["", "\ufeff"], ids=["", "with a mark"])
@pytest.mark.parametrize("program", AS_WRITTEN)
def test_tables_of_other_programs_are_read_as_they_are_meant(
    path: Path, program: str, bom: str
) -> None:
    text, wanted = AS_WRITTEN[program]
    path.write_bytes((bom + text).encode())
    z = next(column for name, column in read(path, 4).columns.items() if name.lower() == "z")
    np.testing.assert_array_equal(
        numbers_of(z), [np.nan if value is None else np.float32(value) for value in wanted]
    )


@pytest.mark.parametrize("word", ["NA", "n/a", "NaN", "#N/A", "null", "NULL", "None", "<NA>", ""])
def test_words_for_nothing_are_missing_in_classes_too(path: Path, word: str) -> None:
    path.write_text(f"index,group,z\n0,a,1.5\n1,{word},{word}\n2,a,2.5\n")
    table = read(path, 3)
    assert names_of(table.columns["group"]) == ["a", "", "a"]
    np.testing.assert_array_equal(numbers_of(table.columns["z"]), [1.5, np.nan, 2.5])


def test_a_comment_within_quotes_is_none(path: Path) -> None:
    path.write_text('group,z\n"two\n# lines",1.5\n"#1",2.5\n')
    assert names_of(read(path, 2).columns["group"]) == ["two\n# lines", "#1"]


@pytest.mark.parametrize(
    ("cells", "classes"),
    [
        ("0 1 2 0", ("0", "1", "2")),
        ("2.0 10.0 -1 2", ("−1", "2", "10")),
        ("3 3 3 3", ("3",)),
        ("1 2 3 4", ()),  # none is there twice
        ("0.5 0.5 1 1", ()),
        (" ".join(map(str, [*range(20), 0])), tuple(map(str, range(20)))),
        (" ".join(map(str, [*range(21), 0])), ()),
    ],
)
def test_few_whole_numbers_are_classes(path: Path, cells: str, classes: tuple[str, ...]) -> None:
    rows = cells.split()
    path.write_text("\n".join(["c", *rows]))
    column = read(path, len(rows)).columns["c"]
    if classes:
        assert isinstance(column, Classes)
        assert column.names == classes
    else:
        assert [float(row) for row in rows] == pytest.approx(numbers_of(column))


def test_numbers_may_be_classes_and_classes_numbers(path: Path) -> None:
    path.write_text("c;z\n1;0,5\n1;0,5\n2;0,25\n")
    draft = draft_table(path, sizes(3), "train")
    assert [column.kinds for column in draft.columns] == [("class", "number"), ("number", "class")]
    layout = TableLayout(separator=";", decimal=",", numbers=("c",), classes=("z",))
    table = read_table(path, layout, sizes(3))
    assert numbers_of(table.columns["c"]) == [1, 1, 2]
    assert names_of(table.columns["z"]) == ["0.5", "0.5", "0.25"]


def test_a_number_that_turns_out_to_be_none_leaves_its_column_out(path: Path) -> None:
    path.write_text("a,b\n1,1\n2,x\n")
    table = read_table(path, TableLayout(numbers=("a", "b")), sizes(2))
    assert [*table.columns] == ["a"]
    assert table.skipped == {"b": "is not of numbers: “x” is not a number"}


@pytest.mark.parametrize("decimal", [".", ","])
@given(st.lists(st.floats(-1e6, 1e6, width=32)))
def test_numbers_are_those_that_were_written(decimal: str, values: list[float]) -> None:
    cells = [f"{value:,.6f}".translate({ord(","): "'", ord("."): decimal}) for value in values]
    plain = [f"{value:.9g}".replace(".", decimal) for value in values]
    np.testing.assert_allclose(read_numbers(cells, decimal), values, atol=1e-2)
    np.testing.assert_array_equal(read_numbers(plain, decimal), np.array(values, np.float32))
