"""A table of one row an image, such as a measurement or a group, to colour the map by.

Text with commas, semicolons or tabs between the cells (RFC 4180) and column names in the first
line.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vae_explorer.data.table_layout import MAX_NAMES, SPLITS, TableLayout
from vae_explorer.data.table_text import (
    Block,
    is_missing,
    read_blocks,
    read_numbers,
    table_lines,
)
from vae_explorer.errors import DataError
from vae_explorer.number_format import figure
from vae_explorer.types import Float32, Split

_NAMES: Mapping[Split, str] = {"train": "training ", "test": "test ", "both": ""}


@dataclass(frozen=True, eq=False)
class Numbers:
    """``values`` (images,) float32, NaN for an image of which nothing is known."""

    values: Float32


@dataclass(frozen=True, eq=False)
class Classes:
    """``codes`` (images,) int16: in ``names``, or −1 for an image of which nothing is known.

    The names are in order: numbers by their size, others by the alphabet.
    """

    codes: NDArray[np.int16]
    names: tuple[str, ...]


Column = Numbers | Classes


@dataclass(frozen=True, eq=False)
class Table:
    """``columns`` by their names, in the file's order, and why others were ``skipped``.

    ``name`` is the file's. The arrays are of all images, those to train on first, and read-only.
    """

    name: str
    columns: dict[str, Column]
    skipped: dict[str, str]


def read_table(
    path: Path,
    layout: TableLayout,
    sizes: Mapping[Split, int],
    between: Callable[[], object] = lambda: None,
) -> Table:
    """Read the columns that a layout names, part by part, into these columns alone.

    What is no finite number counts as empty.

    Args:
        path: the file.
        layout: how it is read.
        sizes: how many images there are of each split, "both" among them.
        between: called now and then; it may raise what ends the reading.

    Raises:
        DataError: the file is no table of the images, or has not the layout's columns. The message
            names the file and the line.
    """
    # Spreadsheets add rows of empty cells; in the order of the images they count.
    header, blocks = read_blocks(path, table_lines(path), layout.separator, blank=not layout.index)
    names = [name for name in header if name in (*layout.numbers, *layout.classes)]
    wanted = {layout.index, layout.split, *layout.numbers, *layout.classes} - {""}
    if missing := wanted - {*header}:
        raise DataError(f"{path} has no column '{min(missing)}'.")
    images = _Images(path, header, layout, sizes)
    columns: dict[str, _Numbers | _Classes] = {
        name: (_Numbers if name in layout.numbers else _Classes)(images.total, layout.decimal)
        for name in names
    }
    skipped: dict[str, str] = {}
    for block in blocks:
        between()
        at = images.of(block)
        left = {name: column for name, column in columns.items() if name not in skipped}
        quick = {name: column for name, column in left.items() if isinstance(column, _Numbers)}
        values = block.numbers([header.index(name) for name in quick], layout.decimal)
        if values is not None:
            for (name, own), numbers in zip(quick.items(), values.T, strict=True):
                own.put(at, numbers)
                del left[name]
        cells = block.texts([header.index(name) for name in left])
        for (name, other), texts in zip(left.items(), cells, strict=True):
            if why := other.take(at, texts):
                skipped[name] = why
    images.check()
    read: dict[str, Column] = {}
    for name, column in columns.items():
        if name in skipped:
            continue
        if (known := column.read()) is not None:
            read[name] = known
        else:
            skipped[name] = "holds no value"
    if not read:
        reasons = "; ".join(f"'{name}' {why}" for name, why in skipped.items()) or "none was chosen"
        raise DataError(f"{path} has no column to colour by: {reasons}.")
    return Table(path.name, read, skipped)


class _Images:
    """Which images rows are of, as their positions among all of them."""

    def __init__(
        self,
        path: Path,
        header: Sequence[str],
        layout: TableLayout,
        sizes: Mapping[Split, int],
    ) -> None:
        self._path = path
        self._index = header.index(layout.index) if layout.index else -1
        self._split = header.index(layout.split) if layout.split else -1
        self._layout = layout
        self._sizes = sizes
        self.total = sizes["both"]
        self._lines = np.zeros(self.total, np.int64)  # on which each has its row; 0: it has none
        self._next = dict.fromkeys(self._sizes, 0)

    def of(self, block: Block) -> NDArray[np.intp]:
        """Where the images of the next rows are, (rows,)."""
        lines = block.lines
        splits: Sequence[Split] = [self._layout.images] * len(lines)
        if self._split >= 0:
            (cells,) = block.texts([self._split])
            splits = [*map(self._one_split, lines, cells)]
        if self._index < 0:
            indices = map(self._count, splits)
        else:
            (cells,) = block.texts([self._index])
            indices = map(self._read, lines, cells, splits, self._numbers(cells))
        return np.array([*map(self._place, lines, splits, indices)], np.intp)

    def check(self) -> None:
        """Refuse to have had fewer rows than images where the order of the rows tells."""
        split = self._layout.images
        rows, images = self._next[split], self._sizes[split]
        if self._index < 0 and self._split < 0 and rows != images:
            raise DataError(self._misfit(f"{rows:,}"))

    def _one_split(self, line: int, cell: str) -> Split:
        if cell.lower() not in SPLITS:
            raise DataError(
                f"{self._path}, line {line}: the split is '{cell[:40]}'; write train or test."
            )
        return SPLITS[cell.lower()]

    def _count(self, split: Split) -> int:
        index = self._next[split]
        self._next[split] += 1
        if index >= self._sizes[split]:
            raise DataError(self._misfit(f"more than {index:,}"))
        return index

    def _numbers(self, cells: Sequence[str]) -> list[float]:
        try:
            return list(read_numbers(cells, self._layout.decimal).tolist())
        except ValueError:
            return [math.nan] if len(cells) == 1 else [self._numbers([cell])[0] for cell in cells]

    def _read(self, line: int, cell: str, split: Split, value: float) -> int:
        if not (0 <= value < self._sizes[split] and value == int(value)):
            raise DataError(
                f"{self._path}, line {line}: there is no {_NAMES[split]}image '{cell[:40]}'; "
                f"the column '{self._layout.index}' counts from 0 to {self._sizes[split] - 1:,}."
            )
        return int(value)

    def _place(self, line: int, split: Split, index: int) -> int:
        place = index + (self._sizes["train"] if split == "test" else 0)
        if self._lines[place]:
            raise DataError(
                f"{self._path}, line {line}: image {index:,} already has a row, line "
                f"{self._lines[place]}; remove one of them, or add a column 'split' of train and "
                "test."
            )
        self._lines[place] = line
        return place

    def _misfit(self, rows: str) -> str:
        split = self._layout.images
        return (
            f"{self._path} holds {rows} rows for {self._sizes[split]:,} {_NAMES[split]}images; "
            "give one row an image, or a column 'index' that says which image each row is of, "
            "from 0."
        )


class _Numbers:
    """A column of numbers while it is read."""

    def __init__(self, total: int, decimal: str) -> None:
        self._values = np.full(total, np.nan, np.float32)
        self._decimal = decimal

    def take(self, at: NDArray[np.intp], cells: Sequence[str]) -> str:
        """Take the cells of some rows; says why it cannot."""
        try:
            self._values[at] = read_numbers(cells, self._decimal)
        except ValueError as wrong:
            return f"is not of numbers: {wrong}"
        return ""

    def put(self, at: NDArray[np.intp], values: Float32) -> None:
        """Take the numbers of some rows."""
        self._values[at] = values

    def read(self) -> Numbers | None:
        """All of it, or None if it holds no value."""
        self._values.flags.writeable = False
        return None if np.isnan(self._values).all() else Numbers(self._values)


class _Classes:
    """A column of classes while it is read."""

    def __init__(self, total: int, decimal: str) -> None:
        self._codes = np.full(total, -1, np.int16)
        self._decimal = decimal
        self._known: dict[str, int] = {}

    def take(self, at: NDArray[np.intp], cells: Sequence[str]) -> str:
        """Take the cells of some rows; says why it cannot."""
        for cell in set(cells):
            if cell not in self._known:
                code = -1 if is_missing(cell) else len(self._known)
                self._known[cell] = code
        if sum(code >= 0 for code in self._known.values()) > MAX_NAMES:
            return f"holds more than {MAX_NAMES} different values"
        self._codes[at] = [self._known[cell] for cell in cells]
        return ""

    def read(self) -> Classes | None:
        """All of it, or None if it holds no value."""
        cells = [cell for cell, code in self._known.items() if code >= 0]
        if not cells:
            return None
        names, order = cells, sorted(cells)
        with suppress(ValueError):
            values = read_numbers(cells, self._decimal).tolist()
            if all(map(math.isfinite, values)):
                names = [figure(value, ".7g") for value in values]
                order = [name for _, name in sorted({*zip(values, names, strict=True)})]
        places = np.full(len(self._known) + 1, -1, np.int16)  # the last is that of nothing
        for cell, name in zip(cells, names, strict=True):
            places[self._known[cell]] = order.index(name)
        codes = places[self._codes]
        codes.flags.writeable = False
        return Classes(codes, tuple(order))
