"""Points to pixels: one opaque pixel a point, up to a million points a frame, in NumPy alone."""

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
UInt32 = NDArray[np.uint32]

_BLOCK = 65_536  # points at a time: the scratch of one block stays in the second-level cache


def opaque(rgb: NDArray[np.uint8]) -> UInt32:
    """(n,) uint32 ARGB pixels of full alpha from (n, 3) uint8 colours."""
    red, green, blue = rgb.astype(np.uint32).T
    pixels: UInt32 = 0xFF000000 | red << 16 | green << 8 | blue
    return pixels


class PointRaster:
    """A premultiplied ARGB32 picture of points, with a margin on every side.

    The margin holds points just outside of the view, so that whoever thickens the pixels into
    dots gets the halves that reach in; its outermost pixel is always empty. The picture lives
    between frames and is drawn over.

    Attributes:
        image: (height + 2 margin, width + 2 margin) uint32, row 0 at the top; 0 is empty.
        occupied: how many of its pixels hold a point.
    """

    def __init__(self) -> None:
        self.image: UInt32 = np.zeros((2, 2), np.uint32)
        self.occupied = 0
        self._coordinate: Float32 = np.empty(_BLOCK, np.float32)
        self._column: NDArray[np.int32] = np.empty(_BLOCK, np.int32)
        self._row: NDArray[np.int32] = np.empty(_BLOCK, np.int32)
        self._flat: NDArray[np.intp] = np.empty(_BLOCK, np.intp)

    def draw(
        self,
        points: tuple[Float32, Float32, UInt32],
        view: tuple[float, float, float, float],
        size: tuple[int, int],
        margin: int = 1,
    ) -> None:
        """Fill ``image``.

        Args:
            points: n finite x, n finite y, n pixel values; of two on one pixel the later shows.
            view: left, right, bottom and top edge of the picture without its margin.
            size: its width and height in pixels.
            margin: pixels more on every side, at least 1.
        """
        width, height = (side + 2 * margin for side in size)
        if self.image.shape != (height, width):
            self.image = np.empty((height, width), np.uint32)
        self.image.fill(0)
        pixels = self.image.reshape(-1)
        left, right, bottom, top = view
        across, down = size[0] / (right - left), size[1] / (bottom - top)
        x_edge, y_edge = left - margin / across, top - margin / down
        xs, ys, colors = points
        for start in range(0, len(xs), _BLOCK):
            block = slice(start, start + _BLOCK)
            n = len(xs[block])
            column, row, flat = self._column[:n], self._row[:n], self._flat[:n]
            self._cells(xs[block], x_edge, across, width - 1, column)
            self._cells(ys[block], y_edge, down, height - 1, row)
            np.multiply(row, np.int32(width), out=row)
            np.add(row, column, out=row)
            np.copyto(flat, row)
            pixels[flat] = colors[block]
        # Points out of sight were clipped onto the outermost pixels: cheaper than to ask of every
        # point whether it is in view.
        self.image[[0, -1]] = 0
        self.image[:, [0, -1]] = 0
        self.occupied = int(np.count_nonzero(self.image))

    def _cells(
        self, values: Float32, origin: float, scale: float, last: int, out: NDArray[np.int32]
    ) -> None:
        """Whole pixels from ``origin``, clipped to 0 … ``last``, both of them on the frame."""
        scratch = self._coordinate[: len(values)]
        np.subtract(values, np.float32(origin), out=scratch)
        np.multiply(scratch, np.float32(scale), out=scratch)
        np.clip(scratch, np.float32(0), np.float32(last), out=scratch)
        np.copyto(out, scratch, casting="unsafe")
