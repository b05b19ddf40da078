"""The text of a table: its rows, cells and numbers, as programs of any country write them."""

import csv
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import numpy as np

from vae_explorer.errors import DataError
from vae_explorer.files import read_lines
from vae_explorer.number_format import parse_number
from vae_explorer.types import Float32

MAX_BYTES = 192 << 20
MAX_COLUMNS = 1_000
SEPARATORS = ";\t,"

_LONGEST_LINE = 1 << 20
_ERRORS = ("#div/0!", "#n/a", "#na", "#name?", "#null!", "#num!", "#ref!", "#value!")
_MISSING = {"", "#n/a n/a", "<na>", "n/a", "na", "nan", "-nan", "none", "null", *_ERRORS}
_SEPARATOR = re.compile(r'"?sep=([,;\t])"?', re.IGNORECASE)
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Row:
    """The cells of a row without outer spaces, and the line of the file that it ends on."""

    line: int
    cells: list[str]


def table_lines(path: Path) -> Iterator[str]:
    """The lines of a table's file.

    Raises:
        DataError: it is missing, no text in UTF-8, or too large.
    """
    wanted = "a table in UTF-8 (.csv or .tsv)"
    return read_lines(path, wanted, DataError, most=MAX_BYTES, longest=_LONGEST_LINE)


def likely_separator(path: Path, lines: Sequence[str]) -> str:
    """What a first line such as ``sep=;`` says, or what cuts the lines into cells, all alike."""
    if said := _said_separator(lines[0] if lines else ""):
        return said
    likely = {}
    for separator in SEPARATORS:
        rows = _Text(path, lines[:200]).rows(separator)
        widths: list[int] = []
        with suppress(DataError):  # told when the table is read
            widths.extend(len(row.cells) for row in islice(rows, 50))
        width = widths[0] if widths else 0
        share = widths.count(width) / max(len(widths), 1)
        likely[separator] = width > 1 and share > 0.5, share, width
    return max(likely, key=likely.__getitem__)


def read_rows(
    path: Path, lines: Iterable[str], separator: str
) -> tuple[tuple[str, ...], Iterator[Row]]:
    """The names of the columns, and the rows of as many cells, one after another.

    Comments, lines that begin with #, are left out; the last before the first row may be the
    header. A column without a name has that of its position.

    Raises:
        DataError: it is no table, maybe amid the rows.
    """
    text = _Text(path, lines)
    rows = text.rows(separator)
    first = list(islice(rows, 1))
    header = first[0].cells if first else []
    if _are_numbers(header) and text.comment.count(separator) == len(header) - 1:
        header = text.comment.split(separator)
    else:
        first.clear()
    if not header or _are_numbers(header):
        raise DataError(f"{path} has no header; put the names of the columns in its first line.")
    if len(header) > MAX_COLUMNS:
        raise DataError(f"{path} has {len(header):,} columns; leave at most {MAX_COLUMNS:,}.")
    names = tuple(
        name.strip() or f"column {position}" for position, name in enumerate(header, start=1)
    )
    for position, name in enumerate(names):
        if name in names[:position]:
            raise DataError(f"{path} has two columns '{name}'; rename or remove one.")
    return names, _fitting(path, len(names), chain(first, rows))


def is_missing(cell: str) -> bool:
    """Whether it is empty or a word for it, such as "NA"."""
    return cell.lower() in _MISSING


def read_numbers(cells: Sequence[str], decimal: str) -> Float32:
    """The numbers of cells, with this decimal sign; NaN where nothing is known, or not finite.

    Raises:
        ValueError: one is no number; it is in the message.
    """
    if not set("".join(cells)) <= set(f"0123456789+-eE{decimal}"):
        values = np.array([_number(cell, decimal) for cell in cells])
    else:
        try:
            plain = cells if decimal == "." else [cell.replace(",", ".") for cell in cells]
            values = np.array([float(cell) if cell else math.nan for cell in plain])
        except ValueError:
            values = np.array([_number(cell, decimal) for cell in cells])
    values[~(np.abs(values) <= _LARGEST)] = math.nan
    return values.astype(np.float32)


def decimal_sign(columns: Iterable[Sequence[str]], separator: str) -> str:
    """The decimal sign that most cells speak for; if none does, the one usual beside commas."""
    text = "\n".join("\n".join(cells) for cells in columns)
    commas, points = (_speaking(sign, group, text) for sign, group in (",.", ".,"))
    if commas == points == 0 and separator == ";":
        commas = len(re.findall(r"^[+\-−]?\d{1,3},\d{3}$", text, re.MULTILINE))
    return "," if commas > points else "."


def _speaking(sign: str, group: str, text: str) -> int:
    """How many cells have ``sign`` where it cannot be that of groups of three."""
    head = r"^[+\-−]?"
    grouped = rf"[1-9]\d{{0,2}}(?:[{group} '\u00a0\u202f]\d{{3}})+"
    sure = rf"{head}(?:{grouped}|\d*)[{sign}]\d*(?:e[+-]?\d+)?$"
    either = rf"{head}[1-9]\d{{0,2}}[{sign}]\d{{3}}$"
    flags = re.MULTILINE | re.IGNORECASE
    return len(re.findall(sure, text, flags)) - len(re.findall(either, text, flags))


def _number(cell: str, decimal: str) -> float:
    if is_missing(cell):
        return math.nan
    if ("," if decimal == "." else ".") not in cell and "_" not in cell:
        try:
            return float(cell.replace(decimal, "."))
        except ValueError:
            pass
    return parse_number(cell, decimal=decimal)


def _said_separator(line: str) -> str:
    said = _SEPARATOR.fullmatch(line.strip())
    return said[1] if said else ""


def _are_numbers(cells: Sequence[str]) -> bool:
    """Whether it cannot be a header; the first name alone may be missing, as pandas has it."""
    if not cells or not cells[0]:
        return not any(cells)
    try:
        for cell in cells:
            if cell:
                parse_number(cell, decimal="," if "," in cell else ".")
    except ValueError:
        return False
    return True


class _Text:
    """Rows of any number of cells, and the line and the comment read last."""

    def __init__(self, path: Path, lines: Iterable[str]) -> None:
        self._path = path
        self._lines = lines
        self._line = 0
        self.comment = ""

    def rows(self, separator: str) -> Iterator[Row]:
        said = self._said()
        reader = csv.reader(said, delimiter=separator, skipinitialspace=True, strict=True)
        try:
            for cells in reader:
                if cells:
                    yield Row(self._line, [cell.strip() for cell in cells])
        except csv.Error as error:
            message = f"{self._path}, line {self._line}: {error}; mend the quotes."
            raise DataError(message) from error

    def _said(self) -> Iterator[str]:
        """The lines that are no comments, nor say what the separator is."""
        amid = False  # a quoted cell
        for line in self._lines:
            self._line += 1
            if "\0" in line:
                raise DataError(
                    f"{self._path} is not text but binary; save the table as CSV in UTF-8."
                )
            if not amid and line.startswith("#") and not line.lower().startswith(_ERRORS):
                self.comment = line.strip("# \n")
            elif self._line > 1 or not _said_separator(line):
                amid ^= line.count('"') % 2 == 1
                yield line


def _fitting(path: Path, width: int, rows: Iterable[Row]) -> Iterator[Row]:
    """The rows, all of ``width`` cells; empty ones beyond are left out."""
    for row in rows:
        if len(row.cells) != width:
            if len(row.cells) < width or any(row.cells[width:]):
                raise DataError(
                    f"{path}, line {row.line}: the row has {len(row.cells)} cells, expected "
                    f"{width} as in the header; put quotes around a cell that holds a separator."
                )
            del row.cells[width:]
        yield row
