"""Text with an image a row: CSV and TSV as Kaggle has them, and the amat files."""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vae_explorer.data.readers.found import Check, Found, Part, columns_of, shown_path, split_in
from vae_explorer.data.reading import NONE, Reading
from vae_explorer.data.tables import Column
from vae_explorer.errors import DataError
from vae_explorer.files import read_lines
from vae_explorer.types import Float32

_MOST_BYTES = 1 << 33
_LONGEST = 1 << 22
_CELLS = 1 << 22
_PIXEL = re.compile(r"(?:pixel|pix|px|p|x)?[-_ ]?[0-9]+(?:[x_][0-9]+)*", re.IGNORECASE)
_LABEL = re.compile(r"label|labels|class|target|y|digit|category|letter", re.IGNORECASE)
_INDEX = ("", "unnamed: 0", "index", "id")


def find_csv(path: Path, reading: Reading, check: Check) -> Found:
    """The images in a table of pixels; which column is what, its names and values say.

    The table of the other split is read, too, where it lies beside with the same columns.

    Raises:
        DataError: a row is no row of numbers, or the columns can be read in more than one way.
    """
    found = _read_csv(path, reading, check)
    split = split_in(path.stem)
    other = path.with_name(
        re.sub(*(("train", "test") if split == "train" else ("test", "train")), path.name)
    )
    if not split or other == path or not other.is_file() or _first(other) != _first(path):
        return found
    parts = {split: found.parts[0], split_in(other.stem): _read_csv(other, reading, check).parts[0]}
    return replace(
        found,
        name=shown_path(_bare(path.stem) or path.resolve().parent.name),
        parts=tuple(replace(parts[name], split=name) for name in sorted(parts, reverse=True)),
    )


def _first(path: Path) -> list[str]:
    """The names of the columns; of a table without, only how many there are."""
    lines = read_lines(path, "a table of pixels", DataError, most=_MOST_BYTES, longest=_LONGEST)
    cells = next(lines, "").split(",")
    return cells if any(map(_no_number, cells)) else [""] * len(cells)


def _read_csv(path: Path, reading: Reading, check: Check) -> Found:
    lines = read_lines(path, "a table of pixels", DataError, most=_MOST_BYTES, longest=_LONGEST)
    first = next(lines, "")
    separator = max(",\t;", key=first.count)
    cells = [cell.strip().strip('"') for cell in first.rstrip("\r\n").split(separator)]
    header = cells if any(map(_no_number, cells)) else None
    width = len(cells)
    if width < 2:
        raise DataError(
            f"{shown_path(path)} has one column; a table of pixels has a row an image and a "
            "column a pixel, with commas, tabs or semicolons between."
        )
    texts: list[str] = []
    text_at = -1
    names = header or [f"column {number + 1}" for number in range(width)]
    body = lines if header else chain([first], lines)
    if header:
        second = next(lines, None)
        if second is None:
            raise DataError(f"{shown_path(path)} has a header and no rows.")
        body = chain([second], lines)
        row = [cell.strip().strip('"') for cell in second.rstrip("\r\n").split(separator)]
        strange = [at for at, cell in enumerate(row) if _no_number(cell)]
        if len(row) == width and len(strange) == 1 and not _PIXEL.fullmatch(names[strange[0]]):
            text_at = strange[0]
    numbers = [at for at in range(width) if at != text_at]
    values = _numbers(
        path, body, separator, width, numbers, text_at, texts, 2 if header else 1, check
    )
    used = [names[at] for at in numbers]
    pixels, label = _roles(path, used, values, reading, bool(header))
    labels: Any = None
    columns: dict[str, Column] = {}
    for at in sorted({*range(len(used))} - {*pixels}):
        if at == label:
            labels = values[:, at]
        elif used[at].lower() not in _INDEX:
            columns |= columns_of(used[at], values[:, at])
    label_name = used[label] if label >= 0 else NONE
    if text_at >= 0 and reading.labels in ("", names[text_at]):
        if labels is None:
            labels, label_name = texts, names[text_at]
        else:
            columns |= columns_of(names[text_at], np.array(texts))
    images = values if len(pixels) == values.shape[1] else values[:, pixels]
    others = [name for at, name in enumerate(used) if at not in {*pixels}]
    return Found(
        "csv",
        shown_path(path.stem),
        (Part(images, labels, "", columns),),
        label_keys=tuple(dict.fromkeys((label_name, *others, NONE))),
    )


def find_amat(path: Path, reading: Reading, check: Check) -> Found:
    """The images in an amat file, numbers with blanks between, with its splits beside it.

    Raises:
        DataError: a row is no row of numbers, or rows are no images.
    """
    files = {path: split_in(path.stem)}
    if files[path]:
        bare = _bare(path.stem)
        for other in sorted(path.parent.glob("*.amat")):
            if split_in(other.stem) and _bare(other.stem) == bare:
                files[other] = split_in(other.stem)
    parts = []
    fixed = True
    keys: tuple[str, ...] = (NONE,)
    for file, split in files.items():
        lines = read_lines(file, "an amat file", DataError, most=_MOST_BYTES, longest=_LONGEST)
        first = next(lines, "")
        width = len(first.split())
        values = _numbers(
            file, chain([first], lines), None, width, [*range(width)], -1, [], 1, check
        )
        labels = None
        if not _square(width) and _square(width - 1):  # the format: inputs, then the label
            values, labels = values[:, :-1], values[:, -1]
            keys = ("last", NONE) if reading.labels != NONE else (NONE, "last")
            labels = labels if reading.labels != NONE else None
        elif not _square(width) and not (reading.size and math.prod(reading.size) == width):
            raise DataError(
                f"{shown_path(file)} has {width} numbers a row, which are no square image; give "
                "the size."
            )
        fixed = fixed and bool(((values == 0) | (values == 1)).all())
        parts.append(Part(values, labels, split))
    return Found(
        "amat",
        shown_path(_bare(path.stem) or path.stem),
        tuple(sorted(parts, key=lambda part: part.split == "test")),
        label_keys=keys,
        fixed=fixed,
        notes=tuple(
            f"'{shown_path(file.name)}' joins the images to train on."
            for file in files
            if "val" in file.stem
        ),
    )


def _bare(name: str) -> str:
    return re.sub(r"[-_]?(train|training|valid|validation|val|test)$", "", name)


def _no_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return True
    return False


def _numbers(
    path: Path,
    lines: Iterable[str],
    separator: str | None,
    width: int,
    numbers: Sequence[int],
    text_at: int,
    texts: list[str],
    line: int,
    check: Check,
) -> Float32:
    """Rows as numbers (rows, numbers), uint8 where they all are."""
    blocks: list[NDArray[Any]] = []
    rest: Iterator[str] = (text for text in lines)
    most = max(1, _CELLS // max(1, width))
    while some := list(islice(rest, most)):
        check()
        kept = [text for text in some if text.strip()]
        if text_at >= 0:
            for row in kept:
                cells = row.split(separator)
                texts.append(cells[text_at].strip().strip('"') if len(cells) > text_at else "")
        if kept:
            try:
                block = np.loadtxt(
                    kept,
                    np.float32,
                    comments=None,
                    delimiter=separator,
                    usecols=numbers,
                    ndmin=2,
                    quotechar='"' if separator else None,
                )
                if any(len(row.split(separator)) != width for row in (kept[0], kept[-1])):
                    raise ValueError("rows of different lengths")
            except ValueError as error:
                raise DataError(_wrong_row(path, some, separator, width, text_at, line)) from error
            whole = ((block >= 0) & (block <= 255) & (block == np.rint(block))).all()
            blocks.append(block.astype(np.uint8) if whole else block)
        line += len(some)
    if not blocks:
        raise DataError(f"{shown_path(path)} is empty; it should have a row an image.")
    return np.concatenate(blocks)


def _wrong_row(
    path: Path, lines: Sequence[str], separator: str | None, width: int, text_at: int, line: int
) -> str:
    for number, text in enumerate(lines, line):
        cells = text.split(separator)
        if text.strip() and len(cells) != width:
            return (
                f"{shown_path(path)}, line {number:,}: the row has {len(cells):,} cells, expected "
                f"{width:,} as the first; mend or remove it."
            )
        for at, cell in enumerate(cells):
            if text.strip() and at != text_at and _no_number(cell.strip().strip('"')):
                return (
                    f"{shown_path(path)}, line {number:,}: '{cell.strip()[:40]}' in column "
                    f"{at + 1:,} is no number; mend or remove the row."
                )
    return f"{shown_path(path)} has rows of different lengths; mend it."


def _square(count: int) -> bool:
    return count >= 16 and (
        math.isqrt(count) ** 2 == count
        or (count % 3 == 0 and math.isqrt(count // 3) ** 2 == count // 3 and count >= 48)
    )


def _is_image(count: int, reading: Reading) -> bool:
    if reading.size:
        pixels = math.prod(reading.size)
        if count in (pixels, 3 * pixels):
            return True
    return _square(count)


def _roles(
    path: Path, names: Sequence[str], values: NDArray[Any], reading: Reading, named: bool
) -> tuple[list[int], int]:
    """Which columns are pixels, and which holds the labels, −1 for none."""
    everything = [*range(len(names))]
    label = -1
    if reading.labels not in ("", NONE):
        if reading.labels not in names:
            raise DataError(f"{shown_path(path)} has no column '{reading.labels}'.")
        label = names.index(reading.labels)
    if named:
        pixels = [at for at in everything if _PIXEL.fullmatch(names[at]) and at != label]
        if label < 0:
            labels = [at for at in everything if _LABEL.fullmatch(names[at])]
            label = labels[0] if labels and reading.labels != NONE else -1
        if _is_image(len(pixels), reading):
            return pixels, label
        raise DataError(
            f"{shown_path(path)} has {len(pixels):,} columns named as pixels are, which are no "
            "square image; name them pixel0, pixel1, …, or give the size."
        )
    count = len(names)
    if label >= 0:
        pixels = [at for at in everything if at != label]
    elif _is_image(count, reading):
        return everything, -1
    elif _is_image(count - 1, reading):
        ends = [at for at in (0, count - 1) if _may_be_label(values[:, at])]
        if len(ends) != 1:
            raise DataError(
                f"{shown_path(path)} has {count:,} columns and no header: a label and "
                f"{count - 1:,} pixels, but the values do not tell whether it is 'column 1' or "
                f"'column {count}'; say which holds the labels, or add a header."
            )
        label = ends[0]
        pixels = [at for at in everything if at != label]
        label = label if reading.labels != NONE else -1
    else:
        pixels = []
    if not _is_image(len(pixels), reading):
        raise DataError(
            f"{shown_path(path)} has {count:,} columns, which are neither a square image nor one "
            "with a label; add a header, or give the size."
        )
    return pixels, label


def _may_be_label(values: NDArray[Any]) -> bool:
    """Whether a column may hold labels: several whole numbers from 0 on, none far from others."""
    if not np.isfinite(values).all() or (values != np.rint(values)).any() or values.min() < 0:
        return False
    found = np.unique(values)
    return 1 < len(found) <= 1000 and found[-1] < 2 * len(found) + 2
