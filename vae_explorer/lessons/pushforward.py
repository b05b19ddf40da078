"""What a function makes of a normal density: samples, the lattice and the change of variables.

If z ~ N(0, I) in the plane and x = f(z), the density of x is the sum over all z with f(z) = x of
p(z) / |det ∂f/∂z| (Rezende & Mohamed, arXiv 1505.05770, equation 5, there for one such z). The
preimages are found by a lattice whose triangles f carries along, and then by Newton's method.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from vae_explorer.lessons.expression import Expression, parse
from vae_explorer.model.trained import Check, unchecked
from vae_explorer.model.vae import log_prior
from vae_explorer.types import Bools, Float64, Region

Map = Callable[[Float64], Float64]
"""Positions z (n, 2) to positions x (n, 2), each by itself."""


@runtime_checkable
class Smooth(Protocol):
    """A map that knows its derivatives (n, 2, 2)."""

    def jacobian(self, z: Float64, /) -> Float64: ...  # noqa: D102


FORMULAS: dict[str, tuple[str, str]] = {
    "half-moon": ("(1 + 0.15*z2)*sin(0.8*z1)", "(1 + 0.15*z2)*cos(0.8*z1)"),
    "ring": ("z1/10 + z1/hypot(z1, z2)", "z2/10 + z2/hypot(z1, z2)"),
    "spiral": (
        "z1*cos(2*hypot(z1, z2/7)) - z2/7*sin(2*hypot(z1, z2/7))",
        "z1*sin(2*hypot(z1, z2/7)) + z2/7*cos(2*hypot(z1, z2/7))",
    ),
    "fold": ("z1", "z2**2 + z1/2"),
}
"""x₁ and x₂ of some functions; the ring is that of Doersch, arXiv 1606.05908, figure 2."""

EXTENT = 4.5
"""Half the side of the lattice; beyond lie 1e-5 of the prior's mass."""

_FINE = 800  # points along each axis, for the masses of cells
_SIDE = 160  # nodes; even, so that none is the origin, where a function may have no value
_STEP = 1e-5  # latent units, of central differences
_PAIRS = 400_000  # of a triangle and a position in its bounding box, looked at at once
_AROUND = 0.35  # of a triangle, beyond its edges
_ROUNDS = 6  # of Newton's method
# Of the image's spread, that a preimage aims at and that it may miss its position by.
_EXACT, _MISS = 1e-9, 1e-6
_FAR = 1e9
_COARSE = 0.995  # share of the samples within the window along each axis


@dataclass(frozen=True)
class Formula:
    """A function of the plane, from an expression of z1 and z2 for either coordinate."""

    x1: Expression
    x2: Expression

    @classmethod
    def parse(cls, x1: str, x2: str) -> "Formula":
        """Read both.

        Raises:
            ExpressionError: one is not a formula.
        """
        return cls(parse(x1, ("z1", "z2")), parse(x2, ("z1", "z2")))

    def __call__(self, z: Float64) -> Float64:
        """f(z) (n, 2) of z (n, 2); not finite where a formula has no value."""
        z1, z2 = z.T
        return np.stack([self.x1(z1=z1, z2=z2), self.x2(z1=z1, z2=z2)], axis=1)


def formula(name: str) -> Formula:
    """One of ``FORMULAS``."""
    return Formula.parse(*FORMULAS[name])


def towards(f: Map, t: float) -> Map:
    """(1 − t) z + t f(z): from the identity to f."""
    # Not 0 · f, which is no number where f is infinite.
    return f if t == 1 else lambda z: (1 - t) * z + (t * f(z) if t else 0.0)


def normal_density(z: Float64) -> Float64:
    """p(z) (n,) of N(0, I) at z (n, 2)."""
    density: Float64 = np.exp(log_prior(z))
    return density


def jacobian(f: Map, z: Float64) -> Float64:
    """∂f/∂z (n, 2, 2) at z (n, 2), by central differences unless f knows it."""
    if isinstance(f, Smooth):
        return f.jacobian(z)
    with np.errstate(invalid="ignore", over="ignore"):  # where f has no value, nor has this
        columns = [(f(z + step) - f(z - step)) / (2 * _STEP) for step in (_STEP * np.eye(2))]
    return np.stack(columns, axis=2)


def stretch(f: Map, z: Float64) -> Float64:
    """|det ∂f/∂z| (n,) at z (n, 2): the area that a unit of area becomes."""
    (a, b), (c, d) = jacobian(f, z).transpose(1, 2, 0)
    with np.errstate(invalid="ignore", over="ignore"):
        return np.asarray(np.abs(a * d - b * c))


def samples(n: int, seed: int = 0) -> Float64:
    """n draws from N(0, I), (n, 2)."""
    return np.random.default_rng(seed).standard_normal((n, 2))


def window(x: Float64) -> Region:
    """A square with nearly all of the samples x (n, 2) in it; ±3 if all are out of reach."""
    x = x[_within_reach(x)]
    if not len(x):
        return -3.0, 3.0, -3.0, 3.0
    low, high = np.quantile(x, [1 - _COARSE, _COARSE], axis=0)
    a, b = (low + high) / 2
    half = max(0.6 * float((high - low).max()), 1e-3, 1e-6 * float(abs(a) + abs(b)))
    return float(a - half), float(a + half), float(b - half), float(b + half)


def histogram(
    x: Float64, region: Region, shape: tuple[int, int], weights: Float64 | None = None
) -> Float64:
    """The density (rows, columns) of samples x (n, 2) in the cells of a region, lowest first.

    Those that fall elsewhere count too, so that it compares with a density. ``weights`` (n,) are
    equal if there are none.
    """
    left, right, bottom, top = region
    rows, columns = shape
    with np.errstate(invalid="ignore"):
        position = (x - (left, bottom)) / (right - left, top - bottom)
        inside = ((position >= 0) & (position < 1)).all(1)
        column, row = (position[inside] * (columns, rows)).astype(np.intp).T
    some = None if weights is None else weights[inside]
    counts = np.bincount(row * columns + column, some, minlength=rows * columns).reshape(shape)
    area = (right - left) * (top - bottom) / (rows * columns)
    total = len(x) if weights is None else float(weights.sum())
    return np.asarray(counts / (total * area), np.float64)


def cell_means(f: Map, region: Region, shape: tuple[int, int]) -> Float64:
    """The density of f(z) averaged over each cell (rows, columns) of a region, lowest first.

    What a histogram of samples comes to, and a sum of the formula over points of a cell does not
    where the density has no bound: the prior's mass of all z that f takes to the cell, by their
    areas on a fine lattice.
    """
    axis = np.linspace(-EXTENT, EXTENT, _FINE, endpoint=False) + EXTENT / _FINE
    z = np.stack(np.meshgrid(axis, axis), axis=2).reshape(-1, 2)
    return histogram(f(z), region, shape, normal_density(z))


def density(f: Map, region: Region, shape: tuple[int, int], check: Check = unchecked) -> Float64:
    """The density of f(z) (rows, columns) in the middles of the cells of a region, lowest first."""
    index, z = preimages(f, region, shape, check)
    with np.errstate(divide="ignore"):
        weights = normal_density(z) / stretch(f, z)
    rows, columns = shape
    summed = np.bincount(index, weights, minlength=rows * columns)
    return np.asarray(summed.reshape(shape), np.float64)


def density_at(f: Map, x: Float64) -> tuple[float, Float64]:
    """The density of f(z) at one x (2,), 0 if not finite, and the z (k, 2) that go there."""
    if not _within_reach(x):
        return 0.0, np.empty((0, 2))
    near = 1e-9
    region = (x[0] - near, x[0] + near, x[1] - near, x[1] + near)
    _, z = preimages(f, region, (1, 1))
    with np.errstate(divide="ignore"):
        return float((normal_density(z) / stretch(f, z)).sum()), z


def preimages(
    f: Map, region: Region, shape: tuple[int, int], check: Check = unchecked
) -> tuple[NDArray[np.intp], Float64]:
    """All z within ±``EXTENT`` that f takes to the middles of the cells of a region.

    Args:
        f: continuous for the most part; what it tears apart is left out.
        region: of the image.
        shape: rows and columns of cells.
        check: called between chunks; what it raises ends the work.

    Returns:
        The cells (k,), numbered from the lowest row, each as often as it has preimages, and these
        z (k, 2).
    """
    left, right, bottom, top = region
    rows, columns = shape
    size = np.array([(right - left) / columns, (top - bottom) / rows])
    corners, images = _triangles(f)
    # In cells, whose middles have whole numbers.
    at = (images - (left, bottom)) / size - 0.5
    # Somewhat more than a triangle, as f bends its edges.
    around = _AROUND * (at.max(1) - at.min(1))
    low = np.ceil(at.min(1) - around).clip(0, (columns, rows))
    high = np.floor(at.max(1) + around).clip(-1, (columns - 1, rows - 1))
    wide, tall = (high - low + 1).clip(0).astype(np.intp).T
    some = np.flatnonzero(wide * tall)
    ends = np.cumsum((wide * tall)[some])
    indices, positions = [np.empty(0, np.intp)], [np.empty((0, 2))]
    start = 0
    while start < len(some):
        check()
        before = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + _PAIRS)))
        part = some[start:stop]
        start = stop
        pairs = np.repeat(part, (wide * tall)[part])
        count = np.arange(len(pairs)) - np.repeat(
            np.cumsum((wide * tall)[part]) - (wide * tall)[part], (wide * tall)[part]
        )
        cell = low[pairs] + np.stack([count % wide[pairs], count // wide[pairs]], axis=1)
        share, inside = _barycentric(at[pairs], cell)
        pairs, cell = pairs[inside], cell[inside]
        z = np.einsum("nk,nkd->nd", share[inside], corners[pairs])
        z, found = _tightened(f, z, (cell + 0.5) * size + (left, bottom))
        indices.append((cell[found, 1] * columns + cell[found, 0]).astype(np.intp))
        positions.append(z[found])
    index, z = np.concatenate(indices), np.concatenate(positions)
    kept = _distinct(index, z)
    return index[kept], z[kept]


def ring_density(x: Float64, t: float = 1.0) -> Float64:
    """The density (n,) at x (n, 2) of (1 − t) z + t (z/10 + z/‖z‖), in closed form.

    The radius r of z, which has Rayleigh's density r exp(−r²/2), becomes ρ = t + (1 − 0.9 t) r, and
    all directions are alike.
    """
    rho = np.linalg.norm(x, axis=1)
    r = ((rho - t) / (1 - 0.9 * t)).clip(min=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ring = r * np.exp(-(r**2) / 2) / ((1 - 0.9 * t) * 2 * np.pi * rho)
    return np.asarray(np.where(rho > 0, ring, normal_density(x) if t == 0 else 0.0))


def total_variation(p: Float64, q: Float64, area: float) -> float:
    """½ ∫ |p − q| over cells of this area: the share of the mass that lies elsewhere."""
    return float(0.5 * np.abs(p - q).sum() * area)


def block_means(values: Float64, block: int) -> Float64:
    """The means (rows / block, columns / block) of square blocks of values (rows, columns)."""
    rows, columns = values.shape
    blocks = values.reshape(rows // block, block, columns // block, block)
    return np.asarray(blocks.mean((1, 3)))


def _within_reach(x: Float64) -> Bools:
    """Which of x (..., 2) are numbers that can be drawn."""
    with np.errstate(invalid="ignore"):
        return np.asarray((np.abs(x) < _FAR).all(-1))


@lru_cache(maxsize=1)  # a hand that follows a point asks for those of one function again and again
def _triangles(f: Map) -> tuple[Float64, Float64]:
    """Corners (n, 3, 2) of the lattice's triangles, and where f takes them, if that is finite."""
    axis = np.linspace(-EXTENT, EXTENT, _SIDE)
    nodes = np.stack(np.meshgrid(axis, axis), axis=2)
    images = f(nodes.reshape(-1, 2)).reshape(nodes.shape)

    def triangles(grid: Float64) -> Float64:
        a, b, c, d = grid[:-1, :-1], grid[:-1, 1:], grid[1:, :-1], grid[1:, 1:]
        halves = np.stack([np.stack([a, b, c], axis=2), np.stack([d, c, b], axis=2)])
        return np.asarray(halves.reshape(-1, 3, 2))

    corners, there = triangles(nodes), triangles(images)
    finite = _within_reach(there).all(1)
    return corners[finite], there[finite]


def _barycentric(corners: Float64, x: Float64) -> tuple[Float64, Bools]:
    """Shares (n, 3) of the corners (n, 3, 2) in x (n, 2), and which x are inside or near."""
    a, b, c = corners.transpose(1, 0, 2)

    def area(p: Float64, q: Float64, r: Float64) -> Float64:
        u, v = q - p, r - p
        return np.asarray(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0])

    with np.errstate(divide="ignore", invalid="ignore"):
        parts = np.stack([area(x, b, c), area(a, x, c), area(a, b, x)], axis=1)
        shares = parts / area(a, b, c)[:, None]
        return shares, np.asarray((shares >= -_AROUND).all(1))


def _distinct(index: NDArray[np.intp], z: Float64) -> NDArray[np.intp]:
    """Which of the preimages z (k, 2) of cells (k,) to keep, as several triangles lead to one."""
    spots = 8 * _SIDE
    spot = ((z / EXTENT + 1) / 2 * spots).astype(np.intp)
    _, first = np.unique((index * spots + spot[:, 0]) * spots + spot[:, 1], return_index=True)
    return np.asarray(first)


def _tightened(f: Map, z: Float64, x: Float64) -> tuple[Float64, Bools]:
    """z (n, 2) moved to where f(z) = x (n, 2), and for which of them that was near."""
    cell = 2 * EXTENT / (_SIDE - 1)
    z, start = z.copy(), z
    scale = 1 + np.abs(x).max(initial=0.0)
    miss = f(z) - x
    todo = np.arange(len(z))
    with np.errstate(all="ignore"):
        for _ in range(_ROUNDS):
            (a, b), (c, d) = jacobian(f, z[todo]).transpose(1, 2, 0)
            first, second = miss[todo].T
            step = np.stack([d * first - b * second, a * second - c * first], axis=1)
            z[todo] -= np.clip(step / (a * d - b * c)[:, None], -cell, cell)
            miss[todo] = f(z[todo]) - x[todo]
            todo = todo[~(np.abs(miss[todo]).max(1, initial=0.0) < _EXACT * scale)]
            if not len(todo):
                break
        near = (np.abs(z - start) < 3 * cell).all(1) & (np.abs(z) < EXTENT).all(1)
        return z, near & (np.abs(miss) < _MISS * scale).all(1)
