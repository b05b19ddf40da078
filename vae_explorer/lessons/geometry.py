"""Straight and shortest paths through the latent plane, and their pictures at equal steps."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vae_explorer.errors import DataError
from vae_explorer.latent.geodesic import GeodesicGraph, Immersion, geodesic, mean_images
from vae_explorer.latent.paths import resampled, straight
from vae_explorer.model.likelihood import Bernoulli, ContinuousBernoulli, Gaussian
from vae_explorer.model.trained import Check, TrainedVAE, unchecked
from vae_explorer.types import Float32, Float64, Floats

KINDS = ("euclidean", "fisher")
"""Metrics of ``latent.metric``."""

_MEASURED = 513  # positions along a path, between which it is measured as straight
_TABLE = 6.5, 4_001  # asinh of the largest natural parameter, and how many


@dataclass(frozen=True, eq=False)
class Route:
    """A path (n, 2) and how far the image has gone from its first position to each, (n,)."""

    path: Float64
    lengths: Float64

    @property
    def length(self) -> float:
        """Of all of it, in the units of the metric."""
        return float(self.lengths[-1])


@dataclass(frozen=True, eq=False)
class Frames:
    """Positions (n, 2) along a route, and how far the image goes from each to the next (n − 1,)."""

    positions: Float64
    steps: Float64


def immersion(model: TrainedVAE, kind: str) -> Immersion:
    """A surface whose Euclidean lengths are those of a metric of ``latent.metric``.

    "euclidean": the mean images. "fisher": each pixel's parameter stretched so that its Fisher
    information is 1, φ = ∫ √(dμ/da) da with a natural and μ mean parameter; of a Bernoulli
    φ = 2 arcsin √μ. Then dφ² = dμ da, which pulled back is the Fisher metric (Arvanitidis et al.,
    arXiv 2106.05367).

    Raises:
        DataError: the kind is unknown.
    """
    if kind not in KINDS:
        raise DataError(f"A metric is one of {', '.join(KINDS)}, not '{kind}'.")
    if kind == "euclidean":
        return mean_images(model)
    likelihood = model.vae.likelihood

    def stretched(outputs: Tensor) -> Float64:
        match likelihood:
            case ContinuousBernoulli():
                naturals, angles = _continuous_bernoulli_angles(likelihood)
                return np.asarray(np.interp(outputs.numpy(), naturals, angles))
            case Bernoulli():
                return np.asarray((2 * outputs.sigmoid().sqrt().asin()).numpy())
            case Gaussian():
                return np.asarray((outputs * torch.exp(-0.5 * likelihood.log_variance)).numpy())
        raise DataError(f"Of {type(likelihood).__name__} no Fisher metric is known here.")

    @torch.inference_mode()
    def f(z: Float64) -> Floats:
        # Float64: near 0 and 1 the angle has an infinite slope, which magnifies rounding.
        outputs = model.vae.outputs(torch.from_numpy(z.astype(np.float32)))
        images: Float32 = stretched(outputs.double()).astype(np.float32)
        return images

    return f


def straight_route(
    f: Immersion, start: tuple[float, float], end: tuple[float, float], n: int = _MEASURED
) -> Route:
    """The straight line of the latent plane, measured on the surface f at n positions."""
    return _route(f, straight([start, end], n))


def geodesic_route(
    graph: GeodesicGraph,
    start: tuple[float, float],
    end: tuple[float, float],
    check: Check = unchecked,
) -> Route:
    """The shortest path that is found, measured likewise; never longer than the straight line."""
    found = geodesic(graph, start, end, _MEASURED, check)
    shortest = _route(graph.f, found.path)
    line = straight_route(graph.f, start, end)
    return min(shortest, line, key=lambda route: route.length)


def frames(route: Route, n: int, by: str) -> Frames:
    """n positions along a route, its ends included.

    Args:
        route: of ``straight_route`` or ``geodesic_route``.
        n: at least 2.
        by: "latent", at equal latent steps, or "image", at equal steps of the image.

    Raises:
        DataError: n is below 2, or it is another ``by``.
    """
    latent = np.append(0, np.linalg.norm(np.diff(route.path, axis=0), axis=1).cumsum())
    if by not in ("latent", "image"):
        raise DataError(f"Steps are equal in latent or image, not in '{by}'.")
    lengths = latent if by == "latent" else route.lengths
    if lengths[-1] == 0:
        return Frames(np.repeat(route.path[:1], n, axis=0), np.zeros(max(n - 1, 0)))
    positions = resampled(route.path, n, lengths)
    gone = np.interp(np.linspace(0, lengths[-1], n), lengths, route.lengths)
    return Frames(positions, np.diff(gone))


def _route(f: Immersion, path: Float64) -> Route:
    steps = np.linalg.norm(np.diff(f(path), axis=0), axis=1)
    return Route(path, np.append(0, steps.cumsum(dtype=np.float64)))


def _continuous_bernoulli_angles(likelihood: ContinuousBernoulli) -> tuple[Float64, Float64]:
    """Natural parameters (m,) and φ at each (m,), from the middle outwards."""
    most, count = _TABLE
    naturals = np.sinh(np.linspace(-most, most, count))
    means = likelihood.mean(torch.from_numpy(naturals)).numpy()
    steps = np.sqrt((np.diff(means) * np.diff(naturals)).clip(min=0))
    return naturals, np.append(0, steps.cumsum())
