"""What the columns of a table are, as guessed from its beginning."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import numpy as np

from vae_explorer.data.table_text import (
    SEPARATORS,
    Row,
    decimal_sign,
    is_missing,
    likely_separator,
    read_numbers,
    read_rows,
    table_lines,
)
from vae_explorer.errors import DataError
from vae_explorer.schema import one_of
from vae_explorer.types import OneSplit, Split

Kind = Literal["number", "class"]

MAX_NAMES = 20
"""A column of more classes than colours can tell apart is left out."""
SPLITS: Mapping[str, OneSplit] = {
    "train": "train",
    "training": "train",
    "test": "test",
    "testing": "test",
}
"""What cells call the parts of the data."""

_SAMPLE = 1 << 20  # characters
_INDICES = ("index", "idx", "image", "image_index", "image index", "image_id", "id")
_ROW_NUMBERS = ("column 1", "unnamed: 0")  # as pandas writes them


@dataclass(frozen=True)
class TableLayout:
    """How a table is read.

    Attributes:
        header: a digest of the names of its columns, by which it is known again.
        separator: of cells.
        decimal: the decimal sign.
        index: the column that says which image a row is of; "": rows are in the images' order.
        split: the column that says of which split the image is; "": all are of ``images``.
        images: what the table is of if it does not say.
        numbers: the columns to colour by on a scale.
        classes: the columns to colour by with a colour for each of their values.
    """

    header: str = ""
    separator: Annotated[str, one_of(*SEPARATORS)] = ","
    decimal: Annotated[str, one_of(".", ",")] = "."
    index: str = ""
    split: str = ""
    images: Split = "train"
    numbers: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """What a column seems to be.

    ``kinds`` is what it may be coloured as, the best first, and ``why`` it cannot; ``example`` are
    some of its cells. It may be an ``index``, or say the ``split``.
    """

    name: str
    kinds: tuple[Kind, ...]
    why: str
    example: str
    index: bool = False
    split: bool = False


@dataclass(frozen=True)
class TableDraft:
    """A table as guessed from its ``beginning``, which is the ``whole`` of it if that is small."""

    path: Path
    columns: tuple[Found, ...]
    layout: TableLayout
    sizes: Mapping[Split, int]
    shown: Split
    beginning: tuple[str, ...]
    whole: bool
    bytes: int

    def read_with(self, separator: str, decimal: str) -> "TableDraft":
        """The same text with another separator or decimal sign.

        Raises:
            DataError: with these it is no table.
        """
        return _guessed(self, separator, decimal)

    def remembering(self, layout: TableLayout) -> "TableDraft":
        """With what was chosen for a table of these columns before, as far as it can be."""
        try:
            again = self.read_with(layout.separator, layout.decimal)
        except DataError:
            return self
        found = {column.name: column for column in again.columns}
        if layout.index and not (layout.index in found and found[layout.index].index):
            return self
        if layout.split and not (layout.split in found and found[layout.split].split):
            return self

        def still(names: Sequence[str], kind: Kind) -> tuple[str, ...]:
            return tuple(name for name in names if name in found and kind in found[name].kinds)

        numbers, classes = still(layout.numbers, "number"), still(layout.classes, "class")
        return replace(again, layout=replace(layout, numbers=numbers, classes=classes))


def draft_table(path: Path, sizes: Mapping[Split, int], shown: Split) -> TableDraft:
    """Guess what a table is, of which of the images.

    Args:
        path: the file.
        sizes: how many images there are of each split, "both" among them.
        shown: the split on the map.

    Raises:
        DataError: it is no table to colour by; the message names the file.
    """
    lines, characters = [], 0
    for line in table_lines(path):
        lines.append(line)
        characters += len(line)
        if characters > _SAMPLE:
            break
    whole, size = characters <= _SAMPLE, path.stat().st_size
    begun = TableDraft(path, (), TableLayout(), sizes, shown, tuple(lines), whole, size)
    draft = begun.read_with(likely_separator(path, lines), "")
    keys = {draft.layout.index, draft.layout.split}
    if not any(column.kinds for column in draft.columns if column.name not in keys):
        useless = (column for column in draft.columns if column.why)
        reasons = "; ".join(f"'{column.name}' {column.why}" for column in useless) or "only a key"
        raise DataError(f"{path} has no column to colour by: {reasons}.")
    return draft


def _found(name: str, cells: Sequence[str], decimal: str) -> Found:
    known = [cell for cell in cells if not is_missing(cell)]
    names = set(known)
    example = ", ".join(dict.fromkeys(known[:20]))
    found = Found(name, (), "holds no value", example)
    try:
        values = read_numbers(known, decimal)
    except ValueError:
        split = {cell.lower() for cell in names} <= SPLITS.keys()
        if len(names) > MAX_NAMES:
            why = f"holds {len(names):,} different names, more than {MAX_NAMES}"
            return replace(found, why=why)
        return replace(found, kinds=("class",), why="", split=split and len(known) == len(cells))
    values = values[np.isfinite(values)]
    if not len(values):
        return found
    whole = bool((values == np.floor(values)).all())
    kinds: tuple[Kind, ...] = ("number",)
    if len(names) <= MAX_NAMES:
        # Numbers of which none is there twice are measurements, however few they are.
        again = len(np.unique(values)) < len(values)
        kinds = ("class", "number") if whole and again else ("number", "class")
    index = whole and bool(values.min() >= 0)
    return replace(found, kinds=kinds, why="", index=index)


def _rows(draft: TableDraft, separator: str) -> tuple[tuple[str, ...], list[Row]]:
    """The header, and the rows of the beginning that are there in full."""
    header, body = read_rows(draft.path, draft.beginning, separator)
    if draft.whole:
        return header, [row for row in body if any(row.cells)]
    rows: list[Row] = []
    with suppress(DataError):  # of quotes that are closed later; of others it is told in the end
        for row in body:
            rows.append(row)  # noqa: PERF402 - it keeps those before an error
    return header, rows[:-1]


def _guessed(draft: TableDraft, separator: str, decimal: str) -> TableDraft:
    header, rows = _rows(draft, separator)
    cells = list(zip(*(row.cells for row in rows), strict=True)) or [()] * len(header)
    sign = decimal or decimal_sign(cells, separator)
    columns = tuple(_found(name, column, sign) for name, column in zip(header, cells, strict=True))
    split = next((column.name for column in columns if column.split), "")
    index = _index(columns, cells, unique=not split)
    sizes = draft.sizes
    most = len(rows)
    if index:
        of = [SPLITS[cell.lower()] for cell in cells[header.index(split)]] if split else []
        images = np.full(len(rows), np.nan)
        with suppress(ValueError):  # told when the table is read
            images = read_numbers(cells[header.index(index)], sign)
        most = int(np.nanmax(images, initial=-1)) + 1
        if split and most <= sizes["both"] and (images >= [sizes[one] for one in of]).any():
            split = ""  # it counts through both
    elif not draft.whole:
        most = round(most * draft.bytes / sum(map(len, draft.beginning)))
    keys = {split, index} | {name for name in header[:1] if name.casefold() in _ROW_NUMBERS}
    chosen = [column for column in columns if column.kinds and column.name not in keys]
    layout = TableLayout(
        header=draft.layout.header or _digest(header),
        separator=separator,
        decimal=sign,
        index=index,
        split=split,
        images=_images(draft, most, exactly=not index),
        numbers=tuple(column.name for column in chosen if column.kinds[0] == "number"),
        classes=tuple(column.name for column in chosen if column.kinds[0] == "class"),
    )
    return replace(draft, columns=columns, layout=layout)


def _index(columns: Sequence[Found], cells: Sequence[Sequence[str]], *, unique: bool) -> str:
    """The name of the column that says which image a row is of, or ""."""
    for wanted in (*_INDICES, *_ROW_NUMBERS):
        for column, texts in zip(columns, cells, strict=True):
            alone = column.index and (not unique or len({*texts}) == len(texts))
            if column.name.casefold() == wanted and (alone or wanted == "index"):
                return column.name
    return ""


def _images(draft: TableDraft, most: int, *, exactly: bool) -> Split:
    """The images that so many rows, or indices, may be of."""
    sizes = draft.sizes
    order: tuple[Split, ...] = (draft.shown, "train", "test", "both")
    if exactly:
        return min(order, key=lambda split: abs(math.log(max(most, 1) / sizes[split])))
    return next((split for split in order if most <= sizes[split]), "both")


def _digest(header: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(header).encode()).hexdigest()[:16]
