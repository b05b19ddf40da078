"""Which points lie where: a grid over them, for the nearest of a million in no time."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vae_explorer.types import Bools, Float32, Float64, Floats

Indices = NDArray[np.int32]
Mask = Bools

_SIDE: Final = 256  # cells a side, so that their numbers fill 16 bits, which sort by counting
_SAMPLE: Final = 4_096
_OUTERMOST: Final = 1.0  # per cent of the points that may lie beyond the grid on each side


class PointIndex:
    """An index of positions that never changes; it may be built and used on any thread.

    A grid of 256 × 256 equal cells lies over all positions but the outermost, which the cells of
    its edge take in. Positions that are not finite are in no cell. It needs four bytes a point
    besides the positions themselves, which it shares and which must not change.

    Attributes:
        positions: (n, 2) float32, latent units.
        fullest: points of the fullest cell; every look reads some cells to the end.

    Args:
        positions: likewise.

    Raises:
        ValueError: the shape is another one.
    """

    def __init__(self, positions: Float32) -> None:
        if positions.ndim != 2 or positions.shape[1] != 2:
            raise ValueError(f"positions are {positions.shape}, not (n, 2)")
        self.positions = positions
        finite = np.isfinite(positions[:, 0]) & np.isfinite(positions[:, 1])
        rows = np.flatnonzero(finite).astype(np.int32)
        places = positions if len(rows) == len(positions) else positions[rows]
        self._low, self._cells_per_unit = _grid(places)
        self._first_reach = 1 / float(self._cells_per_unit.min())  # a cell's longer side
        across, up = self._cell(places[:, 0], 0), self._cell(places[:, 1], 1)
        cells = up * np.uint16(_SIDE) + across
        counts = np.bincount(cells, minlength=_SIDE * _SIDE)
        self.fullest = int(counts.max())
        self._starts = np.append(0, np.cumsum(counts)).astype(np.int32)
        self._order: Indices = rows[np.argsort(cells, kind="stable")]

    @property
    def nbytes(self) -> int:
        """Bytes it holds, without the shared positions."""
        return self._order.nbytes + self._starts.nbytes

    def nearest(
        self, place: tuple[float, float], radius: float, allowed: Mask | None = None
    ) -> int:
        """Index of the point nearest to ``place``, or -1 with none within ``radius``.

        Args:
            place: latent units.
            radius: latent units, inclusive.
            allowed: (n,), which points count; None for all.
        """
        reach = min(self._first_reach, radius)
        while True:
            rows, squares = self._measure(self._around(place, reach), place, allowed)
            if len(rows) and squares[first := int(squares.argmin())] <= reach**2:
                return int(rows[first])
            if reach == radius:
                return -1
            reach = min(2 * reach, radius)

    def _measure(
        self, rows: Indices, place: tuple[float, float], allowed: Mask | None
    ) -> tuple[Indices, Float64]:
        """Those of the rows that are allowed, and the squares of their distances."""
        if allowed is not None:
            rows = rows[allowed[rows]]
        away = self.positions.take(rows, axis=0) - np.asarray(place, np.float64)
        return rows, np.einsum("ij,ij->i", away, away)

    def _around(self, place: tuple[float, float], reach: float) -> Indices:
        """All points within ``reach`` of ``place``, and some more."""
        x, y = place
        return self._candidates(x - reach, x + reach, y - reach, y + reach)

    def _candidates(self, left: float, right: float, bottom: float, top: float) -> Indices:
        """The points of all cells that a rectangle touches."""
        first, last = self._cell(np.array([left, right]), 0).tolist()
        lowest, highest = self._cell(np.array([bottom, top]), 1).tolist()
        rows = np.arange(lowest, highest + 1) * _SIDE
        starts, ends = self._starts[rows + first], self._starts[rows + last + 1]
        spans = zip(starts.tolist(), ends.tolist(), strict=True)
        return np.concatenate([self._order[start:end] for start, end in spans])

    def _cell(self, values: Floats, axis: int) -> NDArray[np.uint16]:
        """Column or row of each coordinate.

        Every step rounds without changing which of two is the greater, so that a point of a
        rectangle is in a cell between those of its edges.
        """
        with np.errstate(over="ignore"):
            scaled = values.astype(np.float32) - self._low[axis]
            scaled *= self._cells_per_unit[axis]
        np.clip(scaled, 0, _SIDE - 1, out=scaled)
        cells: NDArray[np.uint16] = scaled.astype(np.uint16)
        return cells


def _grid(places: Float32) -> tuple[Float32, Float32]:
    """Lower corner of the grid and its cells a unit, each (2,), from finite (n, 2) positions."""
    sample = places[:: max(len(places) // _SAMPLE, 1)].astype(np.float64)
    if not len(sample):
        return np.zeros(2, np.float32), np.ones(2, np.float32)
    low, high = np.percentile(sample, [_OUTERMOST, 100 - _OUTERMOST], axis=0)
    span = np.maximum(high - low, 1e-6)
    return low.astype(np.float32), (_SIDE / span).astype(np.float32)
