import time
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.tables import names_of, numbers_of, read, sizes
from vae_explorer.data.table_layout import TableLayout, draft_table
from vae_explorer.data.tables import read_table
from vae_explorer.errors import DataError
from vae_explorer.types import Float64


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "table.csv"


def write_large(path: Path, rows: int, columns: int, decimal: str = ".") -> Float64:
    """A table of such numbers with every kind of row among them; what is in it."""
    values = np.random.default_rng(0).normal(size=(rows, columns)).round(4)
    values[7, :3] = np.nan
    values[rows // 2, -2:] = np.nan
    cells = [[str(value).replace(".", decimal) for value in row] for row in values.tolist()]
    cells[7][:3] = ["", "NA", "n/a"]
    cells[rows // 2][-2:] = ["", "NA"]
    cells[-1][0] = f'"{cells[-1][0]}"'
    separator = "," if decimal == "." else ";"
    head = separator.join(f"c{column}" for column in range(columns))
    lines = [head, *map(separator.join, cells)]
    path.write_text("\n".join([*lines[:40], "# a comment", "", *lines[40:]]))
    return values


@pytest.mark.parametrize("decimal", [".", ","])
def test_many_rows_at_once_are_what_each_is(
    path: Path, decimal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vae_explorer.data.table_text._CELLS", 60)  # twelve rows
    values = write_large(path, 100, 5, decimal)
    table = read(path, 100)
    found = np.array([numbers_of(column) for column in table.columns.values()])
    np.testing.assert_array_equal(found.T, values.astype(np.float32))


def test_a_line_of_a_quoted_cell_that_looks_like_a_row_is_none(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vae_explorer.data.table_text._CELLS", 4)  # two rows
    path.write_text('z,group\n1.5,a\n2.5,"b\n3.5,c\n4.5,d"\n5.5,a\n6.5,a,\n7.5,a\n')
    table = read(path, 5)
    assert numbers_of(table.columns["z"]) == [1.5, 2.5, 5.5, 6.5, 7.5]
    assert names_of(table.columns["group"]) == ["a", "b\n3.5,c\n4.5,d", "a", "a", "a"]


def test_a_bad_row_far_down_is_told_by_its_line(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vae_explorer.data.table_text._CELLS", 6)
    path.write_text("index,split,z\n0,train,1.5\n# one\n\n1,train,2.5\n2,train,3.5\n1,train,1\n")
    layout = TableLayout(index="index", split="split", numbers=("z",))
    with pytest.raises(DataError, match="line 7: image 1 already has a row, line 5"):
        read_table(path, layout, sizes(4, 2))


@pytest.mark.long
def test_a_table_of_sixty_thousand_rows_and_four_hundred_columns_takes_seconds(path: Path) -> None:
    values = write_large(path, 60_000, 400)
    images = sizes(60_000, 10_000)
    layout = draft_table(path, images, "train").layout
    tracemalloc.start()
    try:
        read_table(path, replace(layout, numbers=layout.numbers[:4]), images)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 40e6, "but for the columns that were asked for"
    start = time.perf_counter()
    table = read_table(path, layout, images)
    assert time.perf_counter() - start < 20
    assert len(table.columns) == 400
    np.testing.assert_array_equal(
        numbers_of(table.columns["c9"])[:60_000], values[:, 9].astype(np.float32)
    )


def test_only_the_beginning_of_a_large_table_is_looked_at(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vae_explorer.data.table_layout._SAMPLE", 2_000)
    path.write_text("z,group\n" + "".join(f'{i}.5,"a ""{i % 3}"""\n' for i in range(1_000)))
    draft = draft_table(path, sizes(1_000, 300), "test")
    assert len(draft.beginning) < 300
    assert (draft.layout.images, draft.layout.numbers) == ("train", ("z",))
    assert read(path, 1_000, 300).columns.keys() == {"z", "group"}


def test_a_wide_table_needs_the_memory_of_what_is_kept(path: Path) -> None:
    row = ",".join(f"{value:.3f}" for value in np.random.default_rng(0).normal(size=300))
    path.write_text("\n".join([",".join(f"c{i}" for i in range(300)), *[row] * 1_500]))
    layout = draft_table(path, sizes(1_500), "train").layout
    tracemalloc.start()
    try:
        table = read_table(path, replace(layout, numbers=("c7",), classes=()), sizes(1_500))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [*table.columns] == ["c7"]
    assert most < 18e6, "all cells are twice as much"
