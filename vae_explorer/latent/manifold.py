"""Regular grids over the latent plane."""

from itertools import pairwise

import numpy as np

from vae_explorer.types import Float32, Float64, Region

_HALVINGS = 22


def linear_axis(n: int, extent: float) -> Float64:
    """n evenly spaced coordinates from −extent to extent; the middle, 0, if n is 1."""
    return np.linspace(-extent, extent, n) if n > 1 else np.zeros(1)


def quantile_axis(n: int) -> Float64:
    """The n mid-quantiles of N(0, 1): cells of equal prior mass (arXiv 1312.6114, figure 4)."""
    # Imported late: it costs the start of the window a quarter of a second.
    from scipy.special import ndtri

    return np.asarray(ndtri((np.arange(n) + 0.5) / n))


def grid(axis: Float64) -> Float32:
    """All pairs of one axis, (n², 2) float32, as a picture reads: z₂ falls from row to row."""
    first, second = np.meshgrid(axis, axis[::-1])
    return np.stack([first.ravel(), second.ravel()], axis=1).astype(np.float32)


def middles(region: Region, shape: tuple[int, int]) -> Float32:
    """Middles (rows · columns, 2) of the equal cells that fill a region, the lowest row first.

    Args:
        region: left, right, bottom and top edge.
        shape: rows and columns.
    """
    left, right, bottom, top = region
    rows, columns = shape
    across = left + (np.arange(columns) + 0.5) * (right - left) / columns
    up = bottom + (np.arange(rows) + 0.5) * (top - bottom) / rows
    first, second = np.meshgrid(across, up)
    return np.stack([first.ravel(), second.ravel()], axis=1).astype(np.float32)


def cells(region: Region, size: float, extent: float, quantiles: bool) -> Float64:
    """The cells (n, 4) that touch a region, each by its left, right, bottom and top edge.

    They come of halving the square of ±``extent`` again and again, so that what is drawn in a cell
    can be kept while one zooms. With ``quantiles`` the halves have equal prior mass and not equal
    width.

    Args:
        region: left, right, bottom and top edge.
        size: least side of a cell, latent units; the last halving is the last to keep it.
        extent: latent units; beyond it there is no cell.
        quantiles: cut at the quantiles of N(0, 1).
    """
    left, right, bottom, top = region
    cut = _quantiles if quantiles else np.linspace
    found = np.empty((0, 4))
    for halvings in range(_HALVINGS):
        edges = cut(-extent, extent, 2**halvings + 1)
        across, up = _touching(edges, left, right), _touching(edges, bottom, top)
        if not across or not up or min(b - a for a, b in across + up) < size:
            break
        found = np.array([(*x, *y) for y in up for x in across])
    return found


def cell_places(cells: Float64, quantiles: bool) -> Float64:
    """The point (n, 2) each of ``cells`` (n, 4) stands for, which halves its width or its mass."""
    from scipy.special import ndtr, ndtri

    edges = cells.reshape(-1, 2, 2)
    return np.asarray(ndtri(ndtr(edges).mean(2)) if quantiles else edges.mean(2))


def _quantiles(low: float, high: float, n: int) -> Float64:
    from scipy.special import ndtr, ndtri

    return np.asarray(ndtri(np.linspace(ndtr(low), ndtr(high), n)))


def _touching(edges: Float64, low: float, high: float) -> list[tuple[float, float]]:
    """Neighbouring edges, as pairs, between which some of low … high lies."""
    first = max(int(np.searchsorted(edges, low, "right")) - 1, 0)
    last = int(np.searchsorted(edges, high, "left")) + 1
    some = edges[first:last].tolist()
    return list(pairwise(some))
