"""A long line as a few points a pixel, without losing a peak."""

import numpy as np

from vae_explorer.types import Float64

_A_COLUMN = 4
_BLOCKS = 1_000


def thinned(pixels: Float64, width: float) -> Float64:
    """A line (n, 2) that looks the same in ``width`` columns of pixels, with fewer points.

    Of a line that goes to the right, a column of pixels shows where it comes in and goes out and
    how far it reaches (M4; Jugel et al., "M4: a visualization-oriented time series data
    aggregation", VLDB 2014). Of any other, each of some hundred pieces keeps its extremes.
    """
    if len(pixels) <= _A_COLUMN * max(width, 16.0):
        return pixels
    x, y = pixels.T
    known = np.isfinite(x)
    if not known.all() or (np.diff(x) < 0).any():
        return _path(pixels)
    columns = np.floor(x).astype(np.intp)
    starts = np.flatnonzero(np.diff(columns, prepend=columns[0] - 1))
    ends = np.append(starts[1:], len(x)) - 1
    low, high = np.fmin.reduceat(y, starts), np.fmax.reduceat(y, starts)
    middle = (x[starts] + x[ends]) / 2
    across = np.stack([x[starts], middle, middle, x[ends]], axis=1)
    up = np.stack([y[starts], low, high, y[ends]], axis=1)
    return np.stack([across.ravel(), up.ravel()], axis=1)


def _path(pixels: Float64) -> Float64:
    size = -(-len(pixels) // _BLOCKS)
    whole = len(pixels) // size * size
    blocks = pixels[:whole].reshape(-1, size, 2)
    first = np.arange(0, whole, size)
    lows = np.where(np.isnan(blocks), np.inf, blocks).argmin(axis=1)
    highs = np.where(np.isnan(blocks), -np.inf, blocks).argmax(axis=1)
    gaps = np.isnan(blocks).any(-1).argmax(axis=1)
    picks = first[:, None] + np.column_stack([lows, highs, gaps])
    rows = np.concatenate([first, picks.ravel(), np.arange(whole, len(pixels)), [len(pixels) - 1]])
    kept: Float64 = pixels[np.unique(rows)]
    return kept
