"""Tables that are kept by columns, Parquet and NPZ, as the text that they would be."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vae_explorer.errors import DataError
from vae_explorer.files import opened
from vae_explorer.shell import install_line

MAX_BYTES = 192 << 20
"""Of any table."""

_ROWS = 1_000


def column_lines(path: Path) -> Iterator[str]:
    """The header and the rows, with commas; columns that are no list of numbers or texts are out.

    Raises:
        DataError: it is missing, damaged, too large, or no table; or pyarrow is not installed.
    """
    with opened(path, "a table (.csv, .tsv, .parquet or .npz)", DataError, most=MAX_BYTES) as file:
        try:
            read = _parquet if path.suffix.lower() == ".parquet" else _npz
            columns = read(file)
        except ImportError:
            raise DataError(
                f"{path} is read by pyarrow, which is not installed: {install_line('parquet')}."
            ) from None
        except Exception as error:  # of two foreign readers
            raise DataError(f"{path} is damaged or no table: {error}"[:300]) from error
    sizes = {len(column) for column in columns.values()}
    if len(sizes) != 1:
        raise DataError(f"{path} holds no columns of one length, so it is no table.")
    yield _line(columns)
    for start in range(0, sizes.pop(), _ROWS):
        cells = (_texts(column[start : start + _ROWS]) for column in columns.values())
        yield from map(_line, zip(*cells, strict=True))


def _parquet(file: Any) -> Mapping[str, NDArray[Any]]:
    from pyarrow import parquet

    table, columns = parquet.read_table(file), {}
    for name, column in zip(table.column_names, table, strict=True):
        values = column.to_numpy()
        if values.dtype != object:
            columns[name] = values
        elif all(isinstance(value, str | None) for value in values):
            columns[name] = np.array([value or "" for value in values], str)
    return columns


def _npz(file: Any) -> Mapping[str, NDArray[Any]]:
    with np.load(file) as arrays:
        found = {name: arrays[name] for name in arrays.files}
    return {name: array for name, array in found.items() if array.ndim == 1}


def _texts(column: NDArray[Any]) -> list[str]:
    texts: list[str] = column.astype(str).tolist()
    return texts


def _line(cells: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()
