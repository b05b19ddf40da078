"""Paths through the latent plane, as positions in their order.

Every path is (n, 2) float64 in latent units. An open one has both its ends; a closed one goes on
from its last position to its first, which it does not say twice.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from vae_explorer.errors import DataError
from vae_explorer.types import Float64

_FINE = 1_024  # positions a leg, between which a curve is measured as straight
_HARMONICS = 6  # whitened, they reach √12 from the origin
_OPPOSITE = 1e-6  # radians


def straight(stops: ArrayLike, n: int, closed: bool = False) -> Float64:
    """n positions at equal latent steps along the polygon through ``stops`` (k, 2).

    Raises:
        DataError: n or k is below 2, or a stop is not finite.
    """
    corners = _corners(stops, closed)
    steps = np.linalg.norm(np.diff(corners, axis=0), axis=1)
    return _spread(corners, n, np.append(0, steps.cumsum()), closed)


def spherical(stops: ArrayLike, n: int, closed: bool = False) -> Float64:
    """n positions at equal latent steps through ``stops`` (k, 2), turning about the origin.

    Between two stops the direction goes by slerp (White, arXiv 1609.04468) and the radius
    linearly, so that stops equally far out are joined at that distance. Where there is no shorter
    way around, as a stop is the origin or the two are opposite, they are joined straight.

    Raises:
        DataError: as ``straight``.
    """
    corners = _corners(stops, closed)
    start, end = corners[:-1], corners[1:]
    radius = np.linalg.norm(corners, axis=1)
    cross = start[:, 0] * end[:, 1] - start[:, 1] * end[:, 0]
    turn = np.arctan2(cross, (start * end).sum(1))
    turns = (radius[:-1] * radius[1:] > 0) & (abs(turn) < np.pi - _OPPOSITE)
    heading = np.arctan2(start[:, 1], start[:, 0])

    def curve(t: Float64) -> Float64:
        leg = np.minimum(t.astype(int), len(start) - 1)
        share = (t - leg)[:, None]
        angle = heading[leg] + share[:, 0] * turn[leg]
        direction = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        around = np.interp(t, np.arange(len(radius)), radius)[:, None] * direction
        across = (1 - share) * start[leg] + share * end[leg]
        positions: Float64 = np.where(turns[leg, None], around, across)
        return positions

    return _along(curve, len(start), n, closed)


def circle(centre: tuple[float, float], radius: float, n: int) -> Float64:
    """n positions at equal steps around a circle, closed, counter-clockwise from the right.

    Raises:
        DataError: n is below 2, or the circle is not finite or its radius below 0.
    """
    if not np.isfinite([*centre, radius]).all() or radius < 0:
        raise DataError(f"There is no circle around {centre} with a radius of {radius}.")
    angle = 2 * np.pi * _turns(n)
    return centre + radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def row(z2: float, low: float, high: float, n: int) -> Float64:
    """n positions at equal steps from (low, z2) to (high, z2); errors as ``straight``."""
    return straight([(low, z2), (high, z2)], n)


def column(z1: float, low: float, high: float, n: int) -> Float64:
    """n positions at equal steps from (z1, low) to (z1, high); errors as ``straight``."""
    return straight([(z1, low), (z1, high)], n)


def smooth_walk(seed: int, n: int) -> Float64:
    """n positions, at equal times, of a closed smooth curve that is where the prior is.

    A Fourier series of a few harmonics with normal coefficients, a Gaussian process, then whitened:
    each walk has mean 0 and covariance I over its lap.

    Args:
        seed: fixes the walk, whatever n is.
        n: one lap.

    Raises:
        DataError: n is below 2, or the seed below 0.
    """
    if seed < 0:
        raise DataError(f"A walk's seed is a whole number from 0, not {seed}.")
    amplitudes = np.random.default_rng(seed).normal(size=(2 * _HARMONICS, 2))
    # Over a lap cosines and sines are orthogonal, and their squares have a mean of 1/2.
    values, axes = np.linalg.eigh(amplitudes.T @ amplitudes / 2)
    phases = 2 * np.pi * np.outer(_turns(n), np.arange(1, _HARMONICS + 1))
    waves = np.concatenate([np.cos(phases), np.sin(phases)], axis=1)
    walk: Float64 = waves @ amplitudes @ (axes / np.sqrt(values)) @ axes.T
    return walk


def resampled(path: Float64, n: int, lengths: Float64) -> Float64:
    """n positions at equal steps of some length along the polygon ``path``, ends included.

    Args:
        path: (m, 2), at least 2 positions.
        n: at least 2.
        lengths: (m,) from the first position to each, in any unit, never falling. If all are equal,
            each leg counts the same.

    Raises:
        DataError: n or m is below 2, or the lengths are not such.
    """
    corners = _corners(path, closed=False)
    if np.shape(lengths) != (len(corners),):
        raise DataError(f"{len(corners)} positions need as many lengths, not {np.shape(lengths)}.")
    if not np.isfinite(lengths).all() or (np.diff(lengths) < 0).any():
        raise DataError("The lengths along a path must be finite numbers that never fall.")
    return _spread(corners, n, lengths, closed=False)


def _corners(stops: ArrayLike, closed: bool) -> Float64:
    """The stops (k, 2), and where the path is closed the first again."""
    corners = np.array(stops, np.float64)
    if corners.ndim != 2 or corners.shape[1] != 2:
        raise DataError(f"The waypoints of a path must have shape (k, 2), not {corners.shape}.")
    if len(corners) < 2:
        raise DataError(f"A path needs at least 2 waypoints, not {len(corners)}.")
    if not np.isfinite(corners).all():
        raise DataError("The waypoints of a path must be finite numbers; found NaN or infinity.")
    return np.concatenate([corners, corners[:1]]) if closed else corners


def _along(curve: Callable[[Float64], Float64], legs: int, n: int, closed: bool) -> Float64:
    """n points at equal latent steps of ``curve``, which maps times 0 … ``legs`` to points."""
    t = np.linspace(0, legs, legs * _FINE + 1)
    steps = np.linalg.norm(np.diff(curve(t), axis=0), axis=1)
    return curve(_spread(t[:, None], n, np.append(0, steps.cumsum()), closed)[:, 0])


def _spread(values: Float64, n: int, lengths: Float64, closed: bool) -> Float64:
    """What lies at n equal steps of ``lengths`` (m,) among ``values`` (m, d), linearly between."""
    _enough(n)
    if lengths[-1] == lengths[0]:
        lengths = np.arange(len(values), dtype=np.float64)
    at = np.linspace(lengths[0], lengths[-1], n + closed)
    found = np.stack([np.interp(at, lengths, axis) for axis in values.T], axis=1)
    found[0], found[-1] = values[0], values[-1]  # also where no length leads to or from the end
    return found[:n]


def _turns(n: int) -> Float64:
    """The n equal shares 0 … 1 of a lap, without the last."""
    _enough(n)
    return np.arange(n) / n


def _enough(n: int) -> None:
    if n < 2:
        raise DataError(f"A path has at least 2 points, not {n}.")
