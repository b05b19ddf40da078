"""The decoder as a function from the plane to a plane: two principal components of its images."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from vae_explorer.latent.geodesic import mean_images
from vae_explorer.latent.metric import magnification, pullback_metric
from vae_explorer.lessons.pushforward import EXTENT, normal_density
from vae_explorer.model.trained import Check, TrainedVAE, unchecked
from vae_explorer.types import Float64

if TYPE_CHECKING:
    from scipy.interpolate import RectBivariateSpline

COMPONENTS = 6
"""Principal components that are kept."""

_SIDE = 151  # nodes, 0.06 latent units apart
_EVERY = 5  # nodes whose images make the components
_DECODED = 2_048  # at once


@dataclass(frozen=True, eq=False)
class DecodedSheet:
    """Where the decoded images lie among their own principal components.

    ``coordinates`` (m, m, k) are those of the images at ``axis`` (m,), z₁ first, in the unit of a
    pixel's full range; ``shares`` (k,) of the images' variance under the prior are along each
    component, the largest first.
    """

    axis: Float64
    coordinates: Float64
    shares: Float64
    _splines: "dict[int, RectBivariateSpline]" = field(default_factory=dict, repr=False)

    def onto(self, first: int, second: int) -> "Components":
        """The function from z (n, 2) to two components (n, 2), numbered from 0.

        The first time it takes a while.
        """
        from scipy.interpolate import RectBivariateSpline

        for which in {first, second} - self._splines.keys():
            values = self.coordinates[..., which]
            self._splines[which] = RectBivariateSpline(self.axis, self.axis, values)
        return Components([self._splines[which] for which in (first, second)])


@dataclass(frozen=True, eq=False)
class Components:
    """Two components (n, 2) at z (n, 2), bicubic between the nodes of a sheet."""

    splines: "list[RectBivariateSpline]"

    def __call__(self, z: Float64) -> Float64:
        """Their values."""
        return np.stack([spline.ev(z[:, 0], z[:, 1]) for spline in self.splines], axis=1)

    def jacobian(self, z: Float64) -> Float64:
        """Their derivatives (n, 2, 2): rows are components."""
        found = [
            [slope(z[:, 0], z[:, 1], grid=False) for slope in slopes] for slopes in self._slopes
        ]
        return np.asarray(found).transpose(2, 0, 1)

    @cached_property
    def _slopes(self) -> list[list[Any]]:
        ways = ((1, 0), (0, 1))
        return [[spline.partial_derivative(*way) for way in ways] for spline in self.splines]


def decoded_sheet(model: TrainedVAE, check: Check = unchecked) -> DecodedSheet:
    """Decode a lattice over ±``EXTENT`` and find the principal components of the images.

    Each image counts by the prior's density at its position.
    """
    f = mean_images(model)
    axis = np.linspace(-EXTENT, EXTENT, _SIDE)
    few = axis[::_EVERY]
    positions = _places(few)
    weights = normal_density(positions)
    weights /= weights.sum()
    images = f(positions).astype(np.float64)
    middle = weights @ images
    scaled = (images - middle) * np.sqrt(weights)[:, None]
    check()
    variances, directions = np.linalg.eigh(scaled.T @ scaled)  # faster than an SVD
    variances, directions = variances[::-1].clip(min=0.0), directions.T[: -COMPONENTS - 1 : -1]
    # A component may point either way; its largest pixel is bright on the positive side.
    largest = np.take_along_axis(directions, np.abs(directions).argmax(1)[:, None], axis=1)
    directions = directions * np.sign(largest)
    everywhere = _places(axis)
    parts = []
    for start in range(0, len(everywhere), _DECODED):
        check()
        some = f(everywhere[start : start + _DECODED])
        parts.append(some @ directions.T.astype(np.float32) - middle @ directions.T)
    coordinates = np.concatenate(parts).reshape(_SIDE, _SIDE, -1).astype(np.float64)
    return DecodedSheet(axis, coordinates, variances[:COMPONENTS] / variances.sum())


def sheet_magnification(model: TrainedVAE, z: Float64, check: Check = unchecked) -> Float64:
    """√det JᵀJ (n,) of the decoder at z (n, 2): the image area of a unit of latent area."""
    return magnification(pullback_metric(model, z, check=check))


def _places(axis: Float64) -> Float64:
    return np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=2).reshape(-1, 2)
