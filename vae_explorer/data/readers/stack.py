"""Many images in one picture: the pages of a TIFF, the frames of a GIF, or a sheet in a grid."""

import math
from pathlib import Path

import numpy as np
from PIL import Image

from vae_explorer.data.pictures import header, pillow_trouble, pixels
from vae_explorer.data.readers.found import Check, Found, Part, shown_path
from vae_explorer.data.reading import NONE, Reading
from vae_explorer.errors import DataError

_SIDES = (28, 32, 64, 8, 16, 48, 96, 128)
_LEAST = 4
"""Pixels along a side of an image."""


class Pages:
    """The pages of a file."""

    def __init__(self, path: Path, count: int) -> None:
        self._path, self._count = path, count

    def __len__(self) -> int:
        return self._count

    def name(self, index: int) -> str:
        """The number of the page, from 1."""
        return f"page {index + 1}"

    def open(self, index: int) -> Image.Image:
        """A page; the file is opened for each, as pages of their own have no common state."""
        picture = Image.open(self._path)
        picture.seek(index)
        return picture


def find_stack(path: Path, reading: Reading, check: Check) -> Found:
    """The images in a picture of several pages, or in a sheet of rows and columns.

    Raises:
        DataError: it is no picture, or one whose grid is not known.
    """
    check()
    try:
        with pillow_trouble(), Image.open(path) as picture:
            count = int(getattr(picture, "n_frames", 1))
            if count > 1 and reading.kind != "sheet" and reading.grid is None:
                pages = Pages(path, count)
                return Found("stack", shown_path(path.stem), (Part(pages),), label_keys=(NONE,))
            color = header(picture).color
            sheet = pixels(picture, color=color, span=reading.range)
    except DataError as error:
        raise DataError(f"{shown_path(path)} cannot be read: {error}.") from error
    height, width = sheet.shape[:2]
    grid, unsure = reading.grid or _likely_grid(height, width), ""
    if grid is None:
        unsure = (
            f"{shown_path(path)} is one picture of {height}×{width}; to read it as a sheet of "
            "images, give the grid, its rows and columns. Of single pictures choose their folder."
        )
        grid = _possible_grid(height, width)
        if grid is None:
            raise DataError(unsure)
    rows, columns = grid
    if height % rows or width % columns:
        raise DataError(
            f"{shown_path(path)} has {height}×{width} pixels, which {rows} rows and {columns} "
            "columns do not divide; give other ones."
        )
    tall, wide = height // rows, width // columns
    cells = sheet.reshape(rows, tall, columns, wide, *sheet.shape[2:]).swapaxes(1, 2)
    images = np.ascontiguousarray(cells).reshape(rows * columns, tall, wide, *sheet.shape[2:])
    note = f"A sheet cut into {rows} rows and {columns} columns of {tall}×{wide}."
    return Found(
        "sheet",
        shown_path(path.stem),
        (Part(images),),
        notes=(note,),
        label_keys=(NONE,),
        grid=grid,
        unsure=unsure,
    )


def _likely_grid(height: int, width: int) -> tuple[int, int] | None:
    for side in _SIDES:
        if height % side == 0 and width % side == 0 and height * width >= 4 * side * side:
            return height // side, width // side
    return None


def _possible_grid(height: int, width: int) -> tuple[int, int] | None:
    """One that divides the sheet into at least two images, as square and as usual as can be."""
    grids = [
        (rows, columns)
        for rows in _divisors(height)
        for columns in _divisors(width)
        if rows * columns > 1
    ]

    def oddness(grid: tuple[int, int]) -> float:
        tall, wide = math.log(height / grid[0] / _SIDES[0]), math.log(width / grid[1] / _SIDES[0])
        return 2 * abs(tall - wide) + abs(tall + wide)

    return min(grids, key=oddness, default=None)


def _divisors(length: int) -> list[int]:
    """Those that leave images of some pixels."""
    return [part for part in range(1, length // _LEAST + 1) if length % part == 0]
