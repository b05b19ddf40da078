"""A table of one row an image, such as a measurement or a group, to colour the map by.

Text with commas, semicolons or tabs between the cells (RFC 4180) and column names in the first
line.
"""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from vae_explorer.errors import DataError
from vae_explorer.files import read_text
from vae_explorer.types import Float32

INDEX = "index"
"""The column that says which image a row is of."""
MAX_NAMES = 10
"""A column of more categories than colours can tell apart is left out."""
MAX_BYTES = 2**28

_DELIMITERS = ",;\t"
_Value = TypeVar("_Value", np.float32, np.int16)


@dataclass(frozen=True, eq=False)
class Numbers:
    """``values`` (rows,) float32, NaN for an image of which nothing is known."""

    values: Float32


@dataclass(frozen=True, eq=False)
class Categories:
    """``codes`` (rows,) int16: points in ``names``, or −1 for an image of which nothing is known.

    The names are in alphabetical order.
    """

    codes: NDArray[np.int16]
    names: tuple[str, ...]


Column = Numbers | Categories


@dataclass(frozen=True, eq=False)
class Table:
    """``columns`` by their names, in the file's order, and why others were ``skipped``.

    ``name`` is the file's. The arrays are read-only.
    """

    name: str
    columns: dict[str, Column]
    skipped: dict[str, str]


@dataclass(frozen=True)
class _Row:
    line: int
    cells: list[str]


def read_table(path: Path, rows: int) -> Table:
    """Read a table about ``rows`` images.

    A column named "index" says which image each row is of, 0 to ``rows`` − 1, in any order and not
    necessarily all of them; without it there is a row an image, in the order of the data. A column
    holds numbers if all its cells do that are not empty, otherwise categories. What is no finite
    number counts as empty.

    Raises:
        DataError: the file is missing, no UTF-8 text, too large or no table; a column has no name
            or the name of another; or the rows do not fit the images. The message names the file.
    """
    text = read_text(path, "a table in UTF-8 (.csv or .tsv)", DataError, most=MAX_BYTES)
    if "\0" in text:
        raise DataError(f"{path} is not text but binary; save the table as CSV in UTF-8.")
    header, body = _parse(text, path)
    if INDEX in header:
        images = _indices(body, header.index(INDEX), rows, path)
    elif len(body) == rows:
        images = np.arange(rows)
    else:
        raise DataError(
            f"{path} holds {len(body):,} rows for {rows:,} images; give one row an image, or a "
            f"column '{INDEX}' that says which image each row is of, from 0."
        )
    columns: dict[str, Column] = {}
    skipped: dict[str, str] = {}
    for position, name in enumerate(header):
        if name == INDEX:
            continue
        cells = [row.cells[position] for row in body]
        numbers = _numbers(cells)
        if numbers is not None and np.isnan(numbers).all():
            skipped[name] = "holds no value"
        elif numbers is not None:
            columns[name] = Numbers(_placed(numbers, images, rows, np.nan))
        elif len(names := sorted(set(cells) - {""})) > MAX_NAMES:
            skipped[name] = f"holds {len(names):,} different names, more than {MAX_NAMES}"
        else:
            positions = {name: code for code, name in enumerate(names)} | {"": -1}
            codes = np.array([positions[cell] for cell in cells], np.int16)
            columns[name] = Categories(_placed(codes, images, rows, -1), tuple(names))
    if not columns:
        reasons = "; ".join(f"'{name}' {why}" for name, why in skipped.items()) or "there is none"
        raise DataError(f"{path} has no column to colour by: {reasons}.")
    return Table(path.name, columns, skipped)


def _parse(text: str, path: Path) -> tuple[list[str], list[_Row]]:
    """The column names, and the rows with as many cells each, all without outer spaces."""
    first = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True, strict=True)
    try:
        rows = [_Row(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: {error}; mend the quotes.") from error
    if not rows or _numbers(header := rows[0].cells) is not None:
        raise DataError(f"{path} has no header; put the names of the columns in its first line.")
    for position, name in enumerate(header):
        if not name:
            raise DataError(
                f"{path}: column {position + 1} has no name; name it in the first line."
            )
        if name in header[:position]:
            raise DataError(f"{path} has two columns '{name}'; rename or remove one.")
    body = [row for row in rows[1:] if row.cells]
    for row in body:
        if len(row.cells) != len(header):
            raise DataError(
                f"{path}, line {row.line}: the row has {len(row.cells)} cells, expected "
                f"{len(header)} as in the header; put quotes around a cell that holds a separator."
            )
    return header, body


def _indices(body: Sequence[_Row], position: int, rows: int, path: Path) -> NDArray[np.intp]:
    """Which image each row is of, (len(body),)."""
    lines: dict[int, int] = {}
    for row in body:
        cell = row.cells[position]
        # Python refuses to read thousands of digits.
        image = int(cell) if cell.isdecimal() and len(cell) < 20 else rows
        if image >= rows:
            raise DataError(
                f"{path}, line {row.line}: there is no image '{cell}'; the column '{INDEX}' counts "
                f"from 0 to {rows - 1:,}."
            )
        if image in lines:
            raise DataError(
                f"{path}, line {row.line}: image {image:,} already has a row, line {lines[image]}; "
                "remove one of them."
            )
        lines[image] = row.line
    return np.array(list(lines), np.intp)


def _numbers(cells: Sequence[str]) -> Float32 | None:
    """The cells as float32, NaN where empty or not finite; None if one is no number."""
    if any("_" in cell for cell in cells):  # Python reads 3_7 as 37
        return None
    try:
        values = np.array([float(cell) if cell else math.nan for cell in cells])
    except ValueError:
        return None
    values[np.abs(values) > np.finfo(np.float32).max] = math.nan
    return values.astype(np.float32)


def _placed(
    values: NDArray[_Value], images: NDArray[np.intp], rows: int, missing: float
) -> NDArray[_Value]:
    """The values (m,) of ``images`` (m,) among those of all images, (rows,) and read-only."""
    placed = np.full(rows, missing, values.dtype)
    placed[images] = values
    placed.flags.writeable = False
    return placed
