"""Shortest paths between two positions of the latent plane, by how much the picture changes.

The length of a path is that of its picture: the sum of the Euclidean distances between the images
decoded along it, at steps so small that it is the length in the pull-back metric too. A graph
over the plane finds the way (Chen et al., arXiv 1812.08284), and a discrete geodesic energy draws
it tight (Shao, Kumar & Fletcher, arXiv 1711.08014).
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import ArrayLike

from vae_explorer.errors import DataError
from vae_explorer.latent.manifold import linear_axis
from vae_explorer.latent.paths import resampled, straight
from vae_explorer.latent.tiling import EXTENT
from vae_explorer.model.trained import Check, TrainedVAE, unchecked
from vae_explorer.types import Float32, Float64, Floats

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Immersion = Callable[[Float64], Floats]
"""Positions (n, 2) to images (n, D), each by itself."""

_SIDE = 128  # nodes
_OFFSETS = ((0, 1), (1, 0), (1, 1), (1, -1), (1, 2), (2, 1), (1, -2), (2, -1))  # and back
_DECODED = 2_048  # positions in one call of the decoder
_MEASURED = 1_025  # positions along a path, between which images change along a straight line
_LEGS = 64  # of a path while it is drawn tight
_LEG = 257  # positions of a path between two stops, before it is cut into its n
_STEP = 1 / 256  # latent units, of central differences
_ROUNDS = 12
_ENOUGH = 1e-4  # of the energy, saved in a round
_DAMPING = (1e-6, 1e6)  # of the mean curvature, the least and the most


@dataclass(frozen=True)
class GeodesicGraph:
    """What is found out once about a model: the images ``f`` decodes and how far apart they are.

    ``axis`` (m,) are the coordinates of m × m nodes in latent units, numbered with z₂ innermost;
    ``edges`` (m², m²) is sparse and symmetric, with the distance of the images of nodes no
    further apart than a knight's move.
    """

    f: Immersion
    axis: Float64
    edges: "csr_array[np.float64, tuple[int, int]]"


@dataclass(frozen=True)
class Geodesic:
    """A shortest path: n positions ``path`` (n, 2), float64, at equal steps of the image.

    ``length``, and ``straight_length`` of the straight line between the same ends, are the
    distances that the image E[x|z] goes, in the unit of a pixel's full range.
    """

    path: Float64
    length: float
    straight_length: float


def mean_images(model: TrainedVAE) -> Immersion:
    """E[x|z] of a model, (n, pixels) float32, without cutting off a Gaussian's mean."""

    @torch.inference_mode()
    def f(z: Float64) -> Floats:
        positions = torch.from_numpy(z.astype(np.float32)).to(model.device)
        images: Float32 = model.vae.likelihood.mean(model.vae.outputs(positions)).cpu().numpy()
        return images

    return f


def geodesic_graph(f: Immersion, extent: float = EXTENT, check: Check = unchecked) -> GeodesicGraph:
    """The graph of the images over the square of ±``extent`` latent units.

    Args:
        f: of a model, ``mean_images``.
        extent: paths may lead beyond, but are looked for within.
        check: called between chunks; what it raises ends the work.

    Raises:
        DataError: the images are not finite.
    """
    # Imported late: it costs the start of the window time, and few ask for it.
    from scipy.sparse import coo_array

    axis = linear_axis(_SIDE, extent)
    positions = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=2).reshape(-1, 2)
    parts = []
    for start in range(0, len(positions), _DECODED):
        check()
        parts.append(f(positions[start : start + _DECODED]))
    images = np.concatenate(parts).reshape(_SIDE, _SIDE, -1)
    if not np.isfinite(images).all():
        raise DataError("The decoder's images are not finite; the model cannot be used.")
    nodes = np.arange(_SIDE**2).reshape(_SIDE, _SIDE)
    ends, others, lengths = [], [], []
    for down, across in _OFFSETS:
        check()
        here = slice(max(-across, 0), _SIDE - max(across, 0))
        there = slice(max(across, 0), _SIDE - max(-across, 0))
        for line in range(_SIDE - down):  # one at a time, as it stays in the cache
            difference = images[line + down, there] - images[line, here]
            lengths.append(np.sqrt(np.einsum("nd,nd->n", difference, difference)))
            ends.append(nodes[line, here])
            others.append(nodes[line + down, there])
    a, b, length = np.concatenate(ends), np.concatenate(others), np.concatenate(lengths)
    both = np.concatenate([a, b]), np.concatenate([b, a])
    # A sparse graph takes 0 for no edge.
    weights = np.tile(length.astype(np.float64).clip(min=np.finfo(np.float32).tiny), 2)
    return GeodesicGraph(f, axis, coo_array((weights, both), (_SIDE**2, _SIDE**2)).tocsr())


def geodesic(
    graph: GeodesicGraph, start: ArrayLike, end: ArrayLike, n: int, check: Check = unchecked
) -> Geodesic:
    """The shortest path that is found from ``start`` to ``end``, never longer than the straight.

    Another may be shorter: only the energy near the graph's best path is made minimal.

    Args:
        graph: of ``geodesic_graph``.
        start: (2,) latent units.
        end: likewise.
        n: positions of the path, both ends included.
        check: called between rounds; what it raises ends the work.

    Raises:
        DataError: n is below 2, or an end is not two finite numbers.
    """
    line = _Measured.of(graph.f, np.array([start, end]))
    check()
    way = _Measured.of(graph.f, _way(graph, line.path[0], line.path[-1]))
    tight = _tightened(graph.f, resampled(way.path, _LEGS + 1, way.lengths), check)
    best = min(line, way, _Measured.of(graph.f, tight), key=lambda path: path.length)
    return Geodesic(resampled(best.path, n, best.lengths), best.length, line.length)


def geodesic_through(
    graph: GeodesicGraph, stops: Float64, n: int, closed: bool, check: Check = unchecked
) -> tuple[Geodesic, Float64]:
    """The shortest path through ``stops`` (k, 2) in their order, and its line, finer, (m, 2).

    A closed one goes back to the first stop, which is not said twice; errors as ``geodesic``.
    """
    corners = np.concatenate([stops, stops[:1]]) if closed else stops
    legs = [geodesic(graph, start, end, _LEG, check) for start, end in pairwise(corners)]
    line = np.concatenate([*(leg.path[:-1] for leg in legs), corners[-1:]])
    steps = np.repeat([leg.length / (_LEG - 1) for leg in legs], _LEG - 1)
    path = resampled(line, n + closed, np.append(0, steps.cumsum()))[:n]
    length = sum(leg.length for leg in legs)
    return Geodesic(path, length, sum(leg.straight_length for leg in legs)), line


@dataclass(frozen=True)
class _Measured:
    """A path of many positions (m, 2) and how far the image went from the first to each (m,)."""

    path: Float64
    lengths: Float64

    @classmethod
    def of(cls, f: Immersion, stops: ArrayLike) -> "_Measured":
        path = straight(stops, _MEASURED)
        steps = np.linalg.norm(np.diff(f(path), axis=0), axis=1)
        return cls(path, np.append(0, steps.cumsum(dtype=np.float64)))

    @property
    def length(self) -> float:
        return float(self.lengths[-1])


def _way(graph: GeodesicGraph, start: Float64, end: Float64) -> Float64:
    """The graph's shortest path between the nodes nearest to two points."""
    from scipy.sparse.csgraph import dijkstra

    side = len(graph.axis)
    first, last = (
        int(np.ravel_multi_index(abs(graph.axis[:, None] - position).argmin(0), (side, side)))
        for position in (start, end)
    )
    _, before = dijkstra(graph.edges, indices=[first], return_predecessors=True)
    nodes = [last]
    while nodes[-1] != first:
        nodes.append(int(before[0, nodes[-1]]))
    inner = np.array(nodes[-2:0:-1], int)
    between = np.stack([graph.axis[inner // side], graph.axis[inner % side]], axis=1)
    return np.concatenate([start[None], between, end[None]])


def _tightened(f: Immersion, path: Float64, check: Check) -> Float64:
    """The path (m, 2) of the least energy Σ |f(zᵢ₊₁) − f(zᵢ)|² between the same ends.

    By Gauss and Newton's method with Levenberg and Marquardt's damping. At its minimum the steps
    are equally long, and the images bend away from their straight line only across the surface.
    """
    images = f(path).astype(np.float64)
    energy = np.square(np.diff(images, axis=0)).sum()
    damping = 1e-3
    for _ in range(_ROUNDS):
        check()
        gradient, curvature = _expansion(f, path, images)
        scale = np.trace(curvature) / len(curvature)
        if scale == 0:
            break
        saved = 0.0
        while saved <= 0 and damping < _DAMPING[1]:
            step = _solved(curvature + damping * scale * np.eye(len(curvature)), gradient)
            moved = path.copy()
            moved[1:-1] -= step.reshape(-1, 2)
            there = f(moved).astype(np.float64)
            found = np.square(np.diff(there, axis=0)).sum()
            saved = energy - found
            damping = max(damping / 10, _DAMPING[0]) if saved > 0 else damping * 10
        if saved <= 0:
            break
        path, images, energy = moved, there, found
        if saved < _ENOUGH * energy:
            break
    return path


def _expansion(f: Immersion, path: Float64, images: Float64) -> tuple[Float64, Float64]:
    """Half the energy's gradient (2k,) and Gauss–Newton matrix (2k, 2k) for the k inner points."""
    inner = path[1:-1]
    k = len(inner)
    steps = _STEP * np.eye(2)
    near = np.concatenate([inner + steps[0], inner + steps[1], inner - steps[0], inner - steps[1]])
    ahead, behind = f(near).astype(np.float64).reshape(2, 2, k, -1)
    tangents = ((ahead - behind) / (2 * _STEP)).transpose(1, 2, 0)  # (k, D, 2)
    bend = -np.diff(images, 2, axis=0)
    gradient = np.einsum("kda,kd->ka", tangents, bend).ravel()
    curvature = np.zeros((k, 2, k, 2))
    at = np.arange(k)
    curvature[at, :, at] = 2 * _products(tangents, tangents)
    coupling = _products(tangents[:-1], tangents[1:])
    curvature[at[:-1], :, at[1:]] = -coupling
    curvature[at[1:], :, at[:-1]] = -coupling.mT
    return gradient, curvature.reshape(2 * k, 2 * k)


# Not by NumPy's own BLAS: its threads and PyTorch's, called in turn, wait for each other, and a
# path takes twenty times as long.


def _products(a: Float64, b: Float64) -> Float64:
    """aᵀb (k, 2, 2) of tangents (k, D, 2)."""
    products: Float64 = np.einsum("kda,kdb->kab", a, b)
    return products


def _solved(matrix: Float64, right: Float64) -> Float64:
    solution: Float64 = torch.linalg.solve(
        torch.from_numpy(matrix), torch.from_numpy(right)
    ).numpy()
    return solution
