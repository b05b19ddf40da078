"""Points to pixels: colours and numbers added up, a million points a frame, in NumPy alone.

Pixels are put together byte by byte, in the order of a little-endian machine: all that Qt and
PyTorch run on.
"""

from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vae_explorer.types import Float32, Region, UInt32

FAINTEST: Final = 0.3
"""Opacity that no pixel with a point goes below, however crowded the others are."""

_BLOCK: Final = 16_384  # points at a time: the scratch of one block stays in the second-level cache
_LOW_BYTES: Final = np.uint64(0x000000FF_000000FF)
_ONE_POINT: Final = np.uint64(1 << 32)


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
        # Sums of blue, green, red and one: in 32 bits each they hold 16 million points.
        self._sums: UInt32 = np.empty((0, 4), np.uint32)
        self._coordinate: Float32 = np.empty(_BLOCK, np.float32)
        self._column: NDArray[np.int32] = np.empty(_BLOCK, np.int32)
        self._row: NDArray[np.int32] = np.empty(_BLOCK, np.int32)
        self._flat: NDArray[np.intp] = np.empty(_BLOCK, np.intp)
        self._color: NDArray[np.uint64] = np.empty(_BLOCK, np.uint64)
        self._pair: NDArray[np.uint64] = np.empty(_BLOCK, np.uint64)

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
            self._sums = np.empty((height * width, 4), np.uint32)
        self._sums.fill(0)
        left, right, bottom, top = view
        across, down = size[0] / (right - left), size[1] / (bottom - top)
        self._add(points, (left - margin / across, top - margin / down), (across, down))
        # Points out of sight were clipped onto the outermost pixels: cheaper than to ask of every
        # point whether it is in view.
        frame = self._sums.reshape(height, width, 4)
        frame[[0, -1]] = 0
        frame[:, [0, -1]] = 0
        self._shade(crowd)

    def _add(
        self,
        points: tuple[Float32, Float32, UInt32],
        corner: tuple[float, float],
        scale: tuple[float, float],
    ) -> None:
        """Add colours and numbers up, two 32-bit sums at a time."""
        height, width = self.image.shape
        blue_green = self._sums.reshape(-1).view(np.uint64)
        red_one = blue_green[1:]
        xs, ys, colors = points
        for start in range(0, len(xs), _BLOCK):
            block = slice(start, start + _BLOCK)
            n = len(xs[block])
            column, row, flat = self._column[:n], self._row[:n], self._flat[:n]
            self._cells(xs[block], corner[0], scale[0], width - 1, column)
            self._cells(ys[block], corner[1], scale[1], height - 1, row)
            np.multiply(row, np.int32(width), out=row)
            np.add(row, column, out=row)
            np.add(row, row, out=row)
            np.copyto(flat, row)
            color, pair = self._color[:n], self._pair[:n]
            np.copyto(color, colors[block])
            np.left_shift(color, np.uint64(24), out=pair)
            np.bitwise_or(pair, color, out=pair)
            np.bitwise_and(pair, _LOW_BYTES, out=pair)
            np.add.at(blue_green, flat, pair)
            np.right_shift(color, np.uint64(16), out=pair)
            np.bitwise_and(pair, np.uint64(0xFF), out=pair)
            np.bitwise_or(pair, _ONE_POINT, out=pair)
            np.add.at(red_one, flat, pair)

    def _cells(
        self, values: Float32, origin: float, scale: float, last: int, out: NDArray[np.int32]
    ) -> None:
        """Whole pixels from ``origin``, clipped to 0 … ``last``, both of them on the frame."""
        scratch = self._coordinate[: len(values)]
        np.subtract(values, np.float32(origin), out=scratch)
        np.multiply(scratch, np.float32(scale), out=scratch)
        np.clip(scratch, np.float32(0), np.float32(last), out=scratch)
        np.copyto(out, scratch, casting="unsafe")

    def _shade(self, crowd: float | None) -> None:
        """Sums to premultiplied pixels."""
        self.image.fill(0)
        where = np.flatnonzero(self._sums[:, 3] != 0)
        self.occupied = len(where)
        if not self.occupied:
            self.crowd = 0.0
            return
        sums = self._sums.take(where, axis=0).astype(np.float32)
        counts = sums[:, 3].copy()
        n = float(counts.sum(dtype=np.float64))
        self.crowd = sqrt((n / self.occupied - 1) * n / self.image.size)
        alpha = np.rint(opacity(counts, self.crowd if crowd is None else crowd) * np.float32(255))
        sums *= (alpha / (counts * np.float32(255)))[:, None]
        sums += np.float32(0.5)
        sums[:, 3] = alpha
        self.image.reshape(-1)[where] = sums.astype(np.uint8).view(np.uint32)[:, 0]
