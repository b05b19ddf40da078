"""Tables of so many images, read as they are guessed to be."""

from pathlib import Path

import numpy as np

from vae_explorer.data.table_layout import draft_table
from vae_explorer.data.tables import Classes, Column, Numbers, Table, read_table
from vae_explorer.types import Split

REST = 100
"""Images to test on, of which the tables here say nothing."""


def sizes(train: int, test: int = REST) -> dict[Split, int]:
    return {"train": train, "test": test, "both": train + test}


def read(path: Path, train: int, test: int = REST, shown: Split = "train") -> Table:
    """The table as it is guessed to be, of so many images."""
    of = sizes(train, test)
    return read_table(path, draft_table(path, of, shown).layout, of)


def numbers_of(column: Column) -> list[float]:
    """Of the training images."""
    assert isinstance(column, Numbers)
    assert column.values.dtype == np.float32
    assert not column.values.flags.writeable
    return [float(value) for value in column.values[:-REST]]


def names_of(column: Column) -> list[str]:
    assert isinstance(column, Classes)
    assert column.codes.dtype == np.int16
    return [column.names[code] if code >= 0 else "" for code in column.codes[:-REST]]
