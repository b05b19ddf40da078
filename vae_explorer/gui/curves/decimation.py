"""Curves of any length as a few vertices a pixel, without losing a peak.

Within a column of pixels a line can only be seen by where it comes in, where it goes out and how
far it reaches (M4; Jugel et al., "M4: a visualization-oriented time series data aggregation",
VLDB 2014). How far it reaches is looked up in a pyramid, so that neither a new point nor a drawing
looks at all the points there are.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vae_explorer.gui.curves.history_table import GrowingColumns
from vae_explorer.types import Float64

Index = NDArray[np.intp]

VERTICES_A_COLUMN = 4
_BRANCHES = 8
_FINE = 8
"""A column of pixels is looked up in at least so many blocks; its borders are no rougher."""


class Pyramid:
    """Where the least and the greatest of each 8, 64, 512, … values of a growing column are."""

    def __init__(self) -> None:
        self._levels: list[GrowingColumns] = []
        self._values = np.empty(0)

    def update(self, values: Float64) -> None:
        """Take the column (n,) as it is now; the values known before must not have changed."""
        self._values = values
        level, below = 0, len(values)
        while below >= _BRANCHES:
            if level == len(self._levels):
                self._levels.append(GrowingColumns(2))
            blocks = self._levels[level]
            # Only blocks that are full, so none changes later.
            start, below = blocks.values.shape[1], below // _BRANCHES
            if below > start:
                span = slice(start * _BRANCHES, below * _BRANCHES)
                lows, highs = self._children(level, span)
                blocks.extend(np.stack([self._least(lows, 1), self._least(highs, -1)], axis=1))
            level += 1

    def extremes(self, starts: Index, ends: Index) -> tuple[Float64, Float64]:
        """The least and greatest finite values (k,) of spans of the column, neither one empty.

        ``starts`` and ``ends`` (k,) ascend. A span of many values reaches out to whole blocks, by
        an eighth of its length at most. NaN where a span has no finite value.
        """
        low, high = np.empty((2, len(starts)))
        # Block sizes 8^level such that the span still has several; level 0 are the values.
        levels = np.log((ends - starts) / _FINE) / np.log(_BRANCHES) + 1e-9
        levels = np.clip(levels, 0, len(self._levels)).astype(int)
        for level in np.unique(levels).tolist():
            here = levels == level
            low[here], high[here] = self._reduce(level, starts[here], ends[here])
        return low, high

    def outline(self, most: int) -> Index:
        """Ascending indices of the extremes of equal blocks, ``most`` blocks or fewer."""
        count, level = len(self._values), 0
        while count > most and level < len(self._levels):
            count, level = count // _BRANCHES, level + 1
        if not level:
            return np.arange(len(self._values))
        found = self._levels[level - 1].values
        tail = np.arange(found.shape[1] * _BRANCHES**level, len(self._values))
        tail = tail[:: max(1, len(tail) // _BRANCHES)]
        return np.unique(np.concatenate([found.ravel().astype(np.intp), tail]))

    def _children(self, level: int, span: slice) -> tuple[Index, Index]:
        """Indices into the column, (blocks, 8), among which the extremes of the blocks are."""
        if level:
            low, high = self._levels[level - 1].values[:, span].astype(np.intp)
        else:
            low = high = np.arange(span.start, span.stop)
        return low.reshape(-1, _BRANCHES), high.reshape(-1, _BRANCHES)

    def _least(self, among: Index, sign: int) -> Index:
        values = sign * self._values[among]
        values[~np.isfinite(values)] = np.inf
        least: Index = among[np.arange(len(among)), values.argmin(axis=1)]
        return least

    def _reduce(self, level: int, starts: Index, ends: Index) -> tuple[Float64, Float64]:
        size = _BRANCHES**level
        first, last = starts // size, -(-ends // size)
        origin, stop = int(first[0]), int(last[-1])
        if level:
            blocks = self._levels[level - 1].values[:, origin:stop].astype(np.intp)
            low, high = self._values[blocks]
            # What is left after the last full block.
            rest = self._values[(origin + blocks.shape[1]) * size : int(ends[-1])]
            if blocks.shape[1] < stop - origin:
                low = np.append(low, _fold(np.fmin, rest))
                high = np.append(high, _fold(np.fmax, rest))
        else:
            low = high = self._values[origin:stop]
        low = np.append(np.where(np.isfinite(low), low, np.nan), np.nan)
        high = np.append(np.where(np.isfinite(high), high, np.nan), np.nan)
        spans = np.stack([first - origin, last - origin], axis=1).ravel()
        return np.fmin.reduceat(low, spans)[::2], np.fmax.reduceat(high, spans)[::2]


class Vertices(NamedTuple):
    """What is drawn of a curve, in the units of the axes, (n,) each."""

    x: Float64
    y: Float64


def decimate(x: Float64, y: Float64, pyramid: Pyramid, edges: Float64) -> Vertices:
    """The part of a curve between the outer ``edges``, and one point beyond on either side.

    At most four vertices a column, and all its points where there are no more than that.

    Args:
        x: (n,), ascending.
        y: (n,).
        pyramid: of y.
        edges: (columns + 1,), ascending, in units of x.
    """
    borders = np.searchsorted(x, edges)
    begin, end = max(int(borders[0]) - 1, 0), min(int(borders[-1]) + 1, len(x))
    if end - begin <= VERTICES_A_COLUMN * (len(edges) - 1):
        return Vertices(x[begin:end], y[begin:end])
    full = np.flatnonzero(np.diff(borders))
    starts, ends = borders[full], borders[full + 1]
    low, high = pyramid.extremes(starts, ends)
    middle = (x[starts] + x[ends - 1]) / 2
    xs = np.stack([x[starts], middle, middle, x[ends - 1]], axis=1).ravel()
    ys = np.stack([y[starts], low, high, y[ends - 1]], axis=1).ravel()
    before, after = slice(begin, int(borders[0])), slice(int(borders[-1]), end)
    return Vertices(
        np.concatenate([x[before], xs, x[after]]), np.concatenate([y[before], ys, y[after]])
    )


def _fold(fold: np.ufunc, values: Float64) -> float:
    finite = values[np.isfinite(values)]
    return float(fold.reduce(finite)) if len(finite) else np.nan
