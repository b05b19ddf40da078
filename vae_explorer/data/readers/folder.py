"""A folder of pictures: classes are its sub-folders, or stand in a table beside them."""

import csv
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from vae_explorer.data.arrays import natural
from vae_explorer.data.readers.found import (
    Check,
    Found,
    Part,
    columns_of,
    shown_path,
    split_of,
)
from vae_explorer.data.reading import NONE, Reading, Skipped
from vae_explorer.data.tables import Column
from vae_explorer.errors import DataError
from vae_explorer.files import read_text
from vae_explorer.types import OneSplit

_KINDS = "bmp gif jp2 jpe jpeg jpg pbm pgm png pnm ppm tif tiff webp".split()  # noqa: SIM905
SUFFIXES = frozenset(f".{kind}" for kind in _KINDS)
_TABLES = (".csv", ".tsv")
_LABELS = ("label", "labels", "class", "classes", "category", "target", "y", "name")
_MOST_SKIPPED = 1_000
_MOST_TABLE = 256 << 20


class Files:
    """Pictures in files of their own."""

    def __init__(self, root: Path, paths: Sequence[str]) -> None:
        self._root, self._paths = root, paths

    def __len__(self) -> int:
        return len(self._paths)

    def name(self, index: int) -> str:
        """The path within the folder."""
        return shown_path(self._paths[index])

    def open(self, index: int) -> Image.Image:
        """The picture, whose file stays open until it is read or closed."""
        return Image.open(self._root / self._paths[index])


class _Skips:
    def __init__(self) -> None:
        self.first: list[Skipped] = []
        self.count = 0

    def add(self, name: str, why: str) -> None:
        self.count += 1
        if len(self.first) < _MOST_SKIPPED:
            self.first.append(Skipped(shown_path(name), why))


def find_folder(root: Path, reading: Reading, check: Check) -> Found:
    """The pictures in a folder and in its sub-folders, in natural order.

    Raises:
        DataError: there are none, or the folder or the table of labels cannot be read.
    """
    skips = _Skips()
    files, tables = _walk(root, skips, check)
    if not files:
        raise DataError(
            f"{shown_path(root)} holds no pictures ({skips.count:,} other files); choose a folder "
            f"of {', '.join(_KINDS)} files."
        )
    files.sort(key=lambda path: (natural(path), path))
    tops = {path.split(os.sep, 1)[0] for path in files if os.sep in path}
    apart = any(split_of(top) == "train" for top in tops) and len(tops) > 1
    apart = apart and all(map(split_of, tops))
    table = _label_table(root, reading, tables, files)
    by_split: dict[OneSplit | Literal[""], tuple[list[str], list[str | None], list[int]]] = {}
    classes = {c for path in files if (c := _class_of(path, apart)) is not None}
    for at, path in enumerate(files):
        split = split_of(path.split(os.sep, 1)[0]) if apart else ""
        label = _class_of(path, apart)
        if table is not None:
            if table.rows[at] < 0:
                skips.add(path, f"has no row in {table.name}")
                continue
            split = table.splits[at] or split
            label = table.labels[at] if table.labels else None
        elif classes and label is None:
            skips.add(path, "is in no class folder")
            continue
        paths, labels, places = by_split.setdefault(split, ([], [], []))
        paths.append(path)
        labels.append(label)
        places.append(at)
    if not by_split:
        raise DataError(f"{table.name if table else root} names none of the pictures.")
    if "" in by_split and len(by_split) > 1:
        by_split["train"] = _merged(by_split.get("train", ([], [], [])), by_split.pop(""))
    labelled = reading.labels != NONE and any(
        label is not None for _, labels, _ in by_split.values() for label in labels
    )
    parts = tuple(
        Part(
            Files(root, paths),
            labels if labelled else None,
            split,
            table.columns(places) if table else {},
        )
        for split, (paths, labels, places) in sorted(by_split.items(), reverse=True)
    )
    keys = (table.name if table else "folders") if labelled else NONE
    others = [name for name in (*tables, "folders" if classes else "", NONE) if name]
    notes = (f"Labels and columns are of {table.name}.",) if table else ()
    return Found(
        "folder",
        shown_path(root.resolve().name or root),
        parts,
        skipped=tuple(skips.first),
        skipped_count=skips.count,
        notes=notes,
        label_keys=(keys, *(name for name in others if name != keys)),
    )


def _merged(
    one: tuple[list[str], list[str | None], list[int]],
    other: tuple[list[str], list[str | None], list[int]],
) -> tuple[list[str], list[str | None], list[int]]:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]


def _class_of(path: str, apart: bool) -> str | None:
    steps = path.split(os.sep)[1 if apart else 0 : -1]
    return shown_path(steps[0]) if steps else None


def _walk(root: Path, skips: _Skips, check: Check) -> tuple[list[str], list[str]]:
    """The pictures below a folder and the tables in it, as paths within it."""
    pictures: list[str] = []
    tables: list[str] = []
    seen: set[tuple[int, int]] = set()
    waiting = [""]
    while waiting:
        inner = waiting.pop()
        try:
            status = os.stat(root / inner)
            if (status.st_dev, status.st_ino) in seen:
                skips.add(inner, "a link to a folder that was read already")
                continue
            seen.add((status.st_dev, status.st_ino))
            entries = os.scandir(root / inner)
        except OSError as error:
            if not inner:
                raise DataError(
                    f"Cannot read {shown_path(root)}: {error.strerror or error}."
                ) from error
            skips.add(inner, f"cannot be read: {error.strerror or error}")
            continue
        with entries:
            for number, entry in enumerate(entries):
                if number % 256 == 0:
                    check()
                path = os.path.join(inner, entry.name)
                if entry.name.startswith(".") or entry.name.startswith("__MACOSX"):
                    skips.add(path, "hidden")
                elif entry.is_dir():
                    waiting.append(path)
                elif (suffix := os.path.splitext(entry.name)[1].lower()) in SUFFIXES:
                    if entry.is_file():
                        pictures.append(path)
                    else:
                        skips.add(path, "no regular file")
                elif suffix in _TABLES and not inner:
                    tables.append(entry.name)
                else:
                    skips.add(path, "is no picture")
    return pictures, sorted(tables)


class _Table:
    """A table with a row for each file."""

    def __init__(self, name: str, header: list[str], rows: list[list[str]], at: int) -> None:
        self.name, self._header, self._at = name, header, at
        self._cells = rows
        self.rows: list[int] = []
        self.labels: list[str | None] = []
        self.splits: list[OneSplit | Literal[""]] = []

    def match(self, files: Sequence[str]) -> int:
        """Find the row of each file; says how many have one."""
        known: dict[str, int] = {}
        for number, row in enumerate(self._cells):
            known.setdefault(row[self._at].replace("\\", "/").removeprefix("./"), number)
        self.rows = []
        for path in files:
            plain = path.replace(os.sep, "/")
            base = plain.rsplit("/", 1)[-1]
            names = (plain, base, os.path.splitext(plain)[0], os.path.splitext(base)[0])
            self.rows.append(next((known[name] for name in names if name in known), -1))
        lower = [name.lower() for name in self._header]
        label = next((lower.index(name) for name in _LABELS if name in lower), -1)
        if label in (-1, self._at) and len(self._header) == 2:
            label = 1 - self._at
        split = lower.index("split") if "split" in lower else -1
        if label != self._at and label >= 0:
            self.labels = [self._cells[row][label] if row >= 0 else None for row in self.rows]
        self.splits = [
            split_of(self._cells[row][split]) if row >= 0 and split >= 0 else ""
            for row in self.rows
        ]
        self._others = [
            number for number in range(len(lower)) if number not in (self._at, label, split)
        ]
        return sum(row >= 0 for row in self.rows)

    def columns(self, places: Sequence[int]) -> Mapping[str, Column]:
        """The other columns, of these files."""
        columns: dict[str, Column] = {}
        for number in self._others:
            cells = np.array([self._cells[self.rows[at]][number] for at in places])
            try:
                values = np.array([float(cell) if cell else np.nan for cell in cells])
            except ValueError:
                values = cells
            columns |= columns_of(self._header[number], values)
        return columns


def _label_table(
    root: Path, reading: Reading, tables: Sequence[str], files: Sequence[str]
) -> _Table | None:
    if reading.labels in (NONE, "folders"):
        return None
    chosen = Path(reading.labels) if reading.labels else None
    best: tuple[int, _Table] | None = None
    for path in [chosen] if chosen else [Path(name) for name in tables]:
        try:
            table = _read_table(root / path, files)
        except DataError:
            if chosen:
                raise
            continue
        if table and (best is None or table[0] > best[0]):
            best = table
    if best is None or best[0] == 0:
        if chosen:
            raise DataError(
                f"{shown_path(root / chosen)} names none of the pictures in {shown_path(root)}; "
                "give it a column of file names."
            )
        return None
    return best[1]


def _read_table(path: Path, files: Sequence[str]) -> tuple[int, _Table] | None:
    text = read_text(path, "a table of labels (.csv)", DataError, most=_MOST_TABLE)
    first = text.split("\n", 1)[0]
    separator = max(",;\t", key=first.count)
    try:
        rows = [
            [cell.strip() for cell in row]
            for row in csv.reader(text.splitlines(), delimiter=separator)
            if row
        ]
    except csv.Error as error:
        raise DataError(f"{shown_path(path)}: {error}; mend the quotes.") from error
    if not rows:
        return None
    width = len(rows[0])
    if any(len(row) != width for row in rows):
        raise DataError(f"{shown_path(path)} has rows of different lengths; mend it.")
    some = rows[: 1 + min(len(rows), 200)]
    best: tuple[int, _Table] | None = None
    for at in range(width):
        if any(os.path.splitext(row[at])[1].lower() in SUFFIXES for row in some[:1]):
            head, body = [f"column {number + 1}" for number in range(width)], rows
        else:
            head, body = rows[0], rows[1:]
        table = _Table(shown_path(path.name), head, body, at)
        count = table.match(files)
        if best is None or count > best[0]:
            best = count, table
    return best
