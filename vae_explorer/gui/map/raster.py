"""Points to pixels: colours and numbers added up, a million points a frame, in NumPy alone.

Pixels are put together byte by byte, in the order of a little-endian machine: all that Qt and
PyTorch run on.
"""

from math import sqrt
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vae_explorer.types import Float32, Region, UInt32

FAINTEST: Final = 0.3
"""Opacity that no pixel with a point goes below, however crowded the others are."""

_BLOCK: Final = 16_384  # points at a time: the scratch of one block stays in the second-level cache
_ONE_POINT: Final = np.uint32(0x01FFFFFF)  # leaves 1 of the opacity of a colour
_CROWD: Final = 257  # points whose colours 16 bits can add up
_TRUSTED: Final = 65_000  # points whose number fits into 16 bits even if their colours did not
_FEW: Final = 6  # pixels to a point: with fewer points it is quicker to ask them than all pixels

_Sums = NDArray[np.unsignedinteger[Any]]


def opacity(counts: Float32, crowd: float) -> Float32:
    """How opaque pixels are, 0 to 1: for n points ``FAINTEST`` + (1 − ``FAINTEST``) n / (n + k).

    It always grows with n, and grows most about k: there it tells 1 from 10 from 100 points.

    Args:
        counts: (m,) points of each pixel, at least 1.
        crowd: k, at least 0, where everything is opaque.
    """
    share = counts / (counts + np.float32(crowd))
    result: Float32 = np.float32(FAINTEST) + np.float32(1 - FAINTEST) * share
    return result


class PointRaster:
    """A premultiplied ARGB32 picture of points, with a margin on every side.

    A pixel has the mean colour of its points, and is the more opaque the more they are. It is
    the same picture in whatever order the points come.

    The margin holds points just outside of the view, so that whoever thickens the pixels into
    dots gets the halves that reach in; its outermost pixel is always empty. The picture lives
    between frames and is drawn over.

    Attributes:
        image: (height + 2 margin, width + 2 margin) uint32, row 0 at the top; 0 is empty.
        occupied: how many of its pixels hold a point.
        crowd: how many points meet in a pixel: the geometric mean of those a pixel of the
            picture and, but for one, those an occupied pixel. Nearly 0 if few points happen to
            coincide.
    """

    def __init__(self) -> None:
        self.image: UInt32 = np.zeros((2, 2), np.uint32)
        self.occupied = 0
        self.crowd = 0.0
        # Sums of blue, green, red and one. In 16 bits each they are added up at once; when a pixel
        # of the last picture was too crowded for that, in 32, which hold 16 million points.
        self._sums: _Sums = np.empty((0, 4), np.uint16)
        self._coordinate: Float32 = np.empty(_BLOCK, np.float32)
        self._column: UInt32 = np.empty(_BLOCK, np.uint32)
        self._row: UInt32 = np.empty(_BLOCK, np.uint32)
        self._color: UInt32 = np.empty(_BLOCK, np.uint32)
        self._word: NDArray[np.uint64] = np.empty(2 * _BLOCK, np.uint64)

    def draw(
        self,
        points: tuple[Float32, Float32, UInt32],
        view: Region,
        size: tuple[int, int],
        margin: int = 1,
        crowd: float | None = None,
    ) -> None:
        """Fill ``image``.

        Args:
            points: n finite x, n finite y, n opaque ARGB colours; at most 16 million.
            view: left, right, bottom and top edge of the picture without its margin.
            size: its width and height in pixels.
            margin: pixels more on every side, at least 1.
            crowd: what ``opacity`` compares with; None takes the crowd of this view, so that points
                are opaque where they are few, and shade where they are many.
        """
        width, height = (side + 2 * margin for side in size)
        if self.image.shape != (height, width):
            self.image = np.empty((height, width), np.uint32)
            self._sums = np.empty((height * width, 4), self._sums.dtype)
        left, right, bottom, top = view
        across, down = size[0] / (right - left), size[1] / (bottom - top)
        corner = left - margin / across, top - margin / down
        few = len(points[0]) <= min(self.image.size // _FEW, _TRUSTED)
        where, sums, inside = self._add(points, corner, (across, down), few)
        n = len(where) if few else int(sums[:, 3].sum(dtype=np.int64))
        crowded = n < inside or int(sums[:, 3].max(initial=0)) > _CROWD
        if crowded != (self._sums.dtype == np.uint32):
            self._sums = np.empty(self._sums.shape, np.uint32 if crowded else np.uint16)
            if crowded:
                where, sums, n = self._add(points, corner, (across, down), few)
        self._shade(where, sums, n, crowd)

    @np.errstate(invalid="ignore")  # positions too far off for an integer
    def _add(
        self,
        points: tuple[Float32, Float32, UInt32],
        corner: tuple[float, float],
        scale: tuple[float, float],
        few: bool,
    ) -> tuple[NDArray[np.intp], _Sums, int]:
        """Add colours and numbers up, 64 bits at a time.

        Returns:
            m pixels with points and their sums; each once, or if points are few as often as it has
            points; and the number of those points, which sums that are too large miss.
        """
        height, width = self.image.shape
        self._sums.fill(0)
        words = self._sums.view(np.uint64)
        many = words.shape[1]
        xs, ys, colors = points
        flats = np.empty(len(xs) if few else _BLOCK, np.intp)
        inside = len(xs)
        for start in range(0, len(xs), _BLOCK):
            block = slice(start, start + _BLOCK)
            n = len(xs[block])
            column, row, color = self._column[:n], self._row[:n], self._color[:n]
            self._cells(xs[block], corner[0], scale[0], width - 1, column)
            self._cells(ys[block], corner[1], scale[1], height - 1, row)
            if not few:
                inside -= int(np.count_nonzero((column == width - 1) | (row == height - 1)))
            np.multiply(row, np.uint32(width), out=row)
            flat = flats[block] if few else flats[:n]
            np.copyto(flat, np.add(row, column, out=row))
            np.bitwise_and(colors[block], _ONE_POINT, out=color)
            word = self._word[: many * n]
            np.copyto(word.view(self._sums.dtype), color.view(np.uint8))
            for each in range(many):
                np.add.at(words[:, each], flat, word[each::many])
        # Points out of sight were clipped onto the outermost pixels: cheaper than to ask of every
        # point whether it is in view.
        frame = self._sums.reshape(height, width, 4)
        inside -= int(frame[0, :-1, 3].sum()) + int(frame[1:-1, 0, 3].sum())
        frame[[0, -1]] = 0
        frame[:, [0, -1]] = 0
        if few:
            where = flats[self._sums.take(flats, axis=0)[:, 3] != 0]
            return where, self._sums.take(where, axis=0), len(where)
        where = np.flatnonzero(words[:, -1] != 0)
        return where, self._sums.take(where, axis=0), inside

    def _cells(self, values: Float32, origin: float, scale: float, last: int, out: UInt32) -> None:
        """Whole pixels from ``origin``; what is not within 0 … ``last`` goes to one of the two."""
        scratch = self._coordinate[: len(values)]
        np.subtract(values, np.float32(origin), out=scratch)
        np.multiply(scratch, np.float32(scale), out=scratch)
        np.copyto(out.view(np.int32), scratch, casting="unsafe")
        np.minimum(out, np.uint32(last), out=out)  # a negative number has become a large one

    def _shade(self, where: NDArray[np.intp], sums: _Sums, n: int, crowd: float | None) -> None:
        """Sums of ``n`` points to premultiplied pixels."""
        self.image.fill(0)
        counts = sums[:, 3].astype(np.float32)
        again = n == len(where)  # a pixel is here for each of its points
        self.occupied = round(float((1 / counts).sum(dtype=np.float64))) if again else len(where)
        self.crowd = sqrt((n / self.occupied - 1) * n / self.image.size) if n else 0.0
        alpha = np.rint(opacity(counts, self.crowd if crowd is None else crowd) * np.float32(255))
        scale = alpha / (counts * np.float32(255))
        pixels = np.empty((len(where), 4), np.uint8)
        for channel in range(3):
            pixels[:, channel] = sums[:, channel].astype(np.float32) * scale + np.float32(0.5)
        pixels[:, 3] = alpha
        self.image.reshape(-1)[where] = pixels.view(np.uint32)[:, 0]
