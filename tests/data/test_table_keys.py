"""Which images the rows of a table are of."""

from pathlib import Path

import numpy as np
import pytest

from tests.support.tables import read, sizes
from vae_explorer.data.table_layout import TableLayout, draft_table
from vae_explorer.data.tables import Numbers, read_table
from vae_explorer.errors import DataError
from vae_explorer.types import Split


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "table.csv"


def test_too_few_rows_are_refused(path: Path) -> None:
    path.write_text("a\n1\n2\n3\n")
    with pytest.raises(DataError, match="3 rows for 4 training images; give one row an image, or"):
        read(path, 4)


@pytest.mark.parametrize("shown", ["train", "test", "both"])
def test_a_split_and_an_index_are_the_key(path: Path, shown: Split) -> None:
    path.write_text("Split,index,z\ntest,0,7\nTRAIN,3,2.5\ntrain,0,1.5\n")
    (column,) = read(path, 4, 2, shown).columns.values()
    assert isinstance(column, Numbers)
    nan = np.nan
    np.testing.assert_array_equal(column.values, [1.5, nan, nan, 2.5, 7, nan])


@pytest.mark.parametrize(
    ("index", "shown", "images"),
    [
        ("0 3", "train", "train"), ("0 1", "test", "test"), ("0 3", "test", "train"),
        ("0 5", "train", "both"), ("0 5", "test", "both"), ("0 1", "both", "both"),
    ],
)  # fmt: skip
def test_an_index_alone_is_of_the_images_shown_if_they_are_so_many(
    path: Path, index: str, shown: Split, images: Split
) -> None:
    path.write_text("\n".join(["index,z", *(f"{i},1.5" for i in index.split())]))
    assert draft_table(path, sizes(4, 2), shown).layout.images == images


@pytest.mark.parametrize("shown", ["train", "test", "both"])
@pytest.mark.parametrize(("rows", "images"), [(4, "train"), (2, "test"), (6, "both")])
def test_the_number_of_rows_tells_the_images(
    path: Path, shown: Split, rows: int, images: Split
) -> None:
    path.write_text("\n".join(["z", *["0.5"] * rows]))
    assert draft_table(path, sizes(4, 2), shown).layout.images == images
    (column,) = read(path, 4, 2, shown).columns.values()
    assert isinstance(column, Numbers)
    start = 4 if images == "test" else 0
    assert np.isfinite(column.values).nonzero()[0].tolist() == list(range(start, start + rows))


def test_an_index_through_both_splits_needs_no_split(path: Path) -> None:
    path.write_text("index,split,z\n0,train,1.5\n5,test,2.5\n")
    draft = draft_table(path, sizes(4, 2), "train")
    assert (draft.layout.split, draft.layout.images) == ("", "both")
    (column,) = (c for c in read(path, 4, 2).columns.values() if isinstance(c, Numbers))
    assert column.values[[0, 5]].tolist() == [1.5, 2.5]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (b"test,0,1\nvalid,0,1\n", "line 3: the split is 'valid'; write train or test"),
        (b"test,2,1\n", "there is no test image '2'; the column 'index' counts from 0 to 1"),
        (b"test,1,1\ntrain,1,1\ntest,1,1\n", "line 4: image 1 already has a row, line 2"),
    ],
)
def test_what_does_not_fit_the_key_is_refused(path: Path, rows: bytes, says: str) -> None:
    path.write_bytes(b"split,index,z\n" + rows)
    layout = TableLayout(index="index", split="split", numbers=("z",))
    with pytest.raises(DataError, match=says):
        read_table(path, layout, sizes(4, 2))


def test_what_was_chosen_is_taken_again_as_far_as_it_can_be(path: Path) -> None:
    path.write_text("id;c;z\n1;1,5;0,5\n0;1,5;0,25\n")
    draft = draft_table(path, sizes(2), "train")
    chosen = TableLayout(draft.layout.header, ";", ",", images="test", classes=("c", "gone"))
    again = draft.remembering(chosen).layout
    assert (again.index, again.images, again.classes) == ("", "test", ("c",))
    assert draft.remembering(TableLayout(index="gone", separator=";")).layout == draft.layout
