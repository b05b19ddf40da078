"""The text of a table: its rows, cells and numbers, as programs of any country write them."""

import csv
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice
from operator import length_hint
from pathlib import Path

import numpy as np

from vae_explorer.data.table_columns import MAX_BYTES, column_lines
from vae_explorer.errors import DataError
from vae_explorer.files import read_lines
from vae_explorer.number_format import parse_number
from vae_explorer.types import Float32, Float64

MAX_COLUMNS = 1_000
SEPARATORS = ";\t,"

_LONGEST_LINE = 1 << 20
_ERRORS = ("#div/0!", "#n/a", "#na", "#name?", "#null!", "#num!", "#ref!", "#value!")
_MISSING = {"", "#n/a n/a", "<na>", "n/a", "na", "nan", "-nan", "none", "null", *_ERRORS}
_SEPARATOR = re.compile(r'"?sep=([,;\t])"?', re.IGNORECASE)
_LARGEST = float(np.finfo(np.float32).max)
_CELLS = 100_000
"""Read before they are looked at."""


@dataclass(frozen=True)
class Row:
    """The cells of a row without outer spaces, and the line of the file that it ends on."""

    line: int
    cells: list[str]


@dataclass(frozen=True)
class Block:
    """Rows one after another, and the ``lines`` of the file that they end on.

    Either ``rows`` are their cells, or these are still to be cut off ``plain`` lines.
    """

    lines: list[int]
    separator: str
    plain: list[str]
    rows: list[list[str]]

    def texts(self, positions: Sequence[int]) -> list[list[str]]:
        """The cells of some columns."""
        most = max(positions, default=0) + 1
        rows = self.rows or [line.split(self.separator, most) for line in self.plain]
        return [[row[position].strip() for row in rows] for position in positions]

    def numbers(self, positions: Sequence[int], decimal: str) -> Float32 | None:
        """Columns (rows, positions) as ``read_numbers``, or None if each is to be looked at."""
        lines = self.plain
        if not lines or not positions:
            return None
        if decimal == ",":
            if any("." in line for line in lines):
                return None
            if self.separator != ",":
                lines = [line.replace(",", ".") for line in lines]
        for form in (list, self._known):
            with suppress(ValueError):
                return _finite(
                    np.loadtxt(
                        form(lines),
                        np.float64,
                        comments=None,
                        delimiter=self.separator,
                        usecols=positions,
                        ndmin=2,
                    )
                )
        return None

    def _known(self, lines: Sequence[str]) -> list[str]:
        """With "nan" in empty cells, and in those of R that it has no number for."""
        cut, end = self.separator, f"{self.separator}\n{self.separator}"
        text = f"{cut}{end.join(line.rstrip(chr(10)) for line in lines)}{cut}"
        for word in ("", "NA") * 2:  # of two beside each other the second is not met at once
            text = text.replace(f"{cut}{word}{cut}", f"{cut}nan{cut}")
        return text[1:-1].split(end)


def table_lines(path: Path) -> Iterator[str]:
    """The lines of a table's file; of Parquet and NPZ what they would be as text with commas.

    Raises:
        DataError: it is missing, no text in UTF-8 or UTF-16, damaged or too large.
    """
    if path.suffix.lower() in (".parquet", ".npz"):
        return column_lines(path)
    wanted = "a table in UTF-8 (.csv or .tsv)"
    return read_lines(path, wanted, DataError, most=MAX_BYTES, longest=_LONGEST_LINE)


def likely_separator(path: Path, lines: Sequence[str]) -> str:
    """What a first line such as ``sep=;`` says, or what cuts the lines into cells, all alike."""
    if said := _said_separator(lines[0] if lines else ""):
        return said
    likely = {}
    for separator in SEPARATORS:
        rows = _Text(path, lines[:200], separator).rows()
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
    text = _Text(path, lines, separator)
    names, first = _header(text)
    return names, text.fitting(len(names), chain(first, text.rows()))


def read_blocks(
    path: Path, lines: Iterable[str], separator: str, *, blank: bool
) -> tuple[tuple[str, ...], Iterator[Block]]:
    """As ``read_rows``, many rows at once; ``blank`` ones, of empty cells, are kept or left out."""
    text = _Text(path, lines, separator)
    names, first = _header(text)
    return names, text.blocks(len(names), first, blank=blank)


def _header(text: "_Text") -> tuple[tuple[str, ...], list[Row]]:
    """The names of the columns, and the first row if they stand in a comment before it."""
    path, separator = text.path, text.separator
    first = list(islice(text.rows(), 1))
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
    return names, first


def is_missing(cell: str) -> bool:
    """Whether it is empty or a word for it, such as "NA"."""
    return cell.lower() in _MISSING


def read_numbers(cells: Sequence[str], decimal: str) -> Float32:
    """The numbers of cells, with this decimal sign; NaN where nothing is known, or not finite.

    Raises:
        ValueError: one is no number; it is in the message.
    """
    text = "".join(cells)
    if "_" not in text and (decimal == "." or "." not in text):
        plain = cells if decimal == "." else [cell.replace(",", ".") for cell in cells]
        with suppress(ValueError):
            return _finite(np.array([float(cell) if cell else math.nan for cell in plain]))
    return _finite(np.array([_number(cell, decimal) for cell in cells]))


def _finite(values: Float64) -> Float32:
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
    """Rows of any number of cells, and the comment read last."""

    def __init__(self, path: Path, lines: Iterable[str], separator: str) -> None:
        self.path = path
        self.separator = separator
        self.comment = ""
        self._line = 0
        self._said = self._numbered(lines)

    def rows(self, ahead: Iterable[tuple[int, str]] = ()) -> Iterator[Row]:
        """The rows of the lines read ``ahead``, and of those to come."""
        reader = csv.reader(
            self._taken(chain(ahead, self._said)),
            delimiter=self.separator,
            skipinitialspace=True,
            strict=True,
        )
        try:
            for cells in reader:
                if cells:
                    yield Row(self._line, [cell.strip() for cell in cells])
        except csv.Error as error:
            message = f"{self.path}, line {self._line}: {error}; mend the quotes."
            raise DataError(message) from error

    def fitting(self, width: int, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows, all of ``width`` cells; empty ones beyond are left out."""
        for row in rows:
            if len(row.cells) != width:
                if len(row.cells) < width or any(row.cells[width:]):
                    raise DataError(
                        f"{self.path}, line {row.line}: the row has {len(row.cells)} cells, "
                        f"expected {width} as in the header; put quotes around a cell that holds "
                        "a separator."
                    )
                del row.cells[width:]
            yield row

    def blocks(self, width: int, first: list[Row], *, blank: bool) -> Iterator[Block]:
        """The ``first`` rows and all others, in parts; those of empty cells only if ``blank``."""
        if first:
            yield self._block(first)
        most, outer = max(_CELLS // width, 1), f"{self.separator} \t\n"
        while some := list(islice(self._said, most)):
            numbers, lines = map(list, zip(*some, strict=True))
            if width > 1 and all(
                line.count(self.separator) == width - 1 and '"' not in line and line.strip(outer)
                for line in lines
            ):
                yield Block(numbers, self.separator, lines, [])
                continue
            ahead, rows = iter(some), list[Row]()
            for row in self.fitting(width, self.rows(ahead)):
                if blank or any(row.cells):
                    rows.append(row)
                if not length_hint(ahead):  # a quoted cell may have led beyond
                    break
            if rows:
                yield self._block(rows)

    def _block(self, rows: Sequence[Row]) -> Block:
        return Block([row.line for row in rows], self.separator, [], [row.cells for row in rows])

    def _taken(self, lines: Iterable[tuple[int, str]]) -> Iterator[str]:
        for self._line, line in lines:
            yield line

    def _numbered(self, lines: Iterable[str]) -> Iterator[tuple[int, str]]:
        """The lines that are no comments, nor say what the separator is, with their numbers."""
        amid = False  # a quoted cell
        for number, line in enumerate(lines, 1):
            if "\0" in line:
                raise DataError(
                    f"{self.path} is not text but binary; save the table as CSV in UTF-8."
                )
            if not amid and line.startswith("#") and not line.lower().startswith(_ERRORS):
                self.comment = line.strip("# \n")
            elif number > 1 or not _said_separator(line):
                amid ^= line.count('"') % 2 == 1
                yield number, line
