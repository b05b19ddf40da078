"""The decoder as a function from the plane to a plane: two principal components of its images."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vae_explorer.latent.geodesic import mean_images
from vae_explorer.latent.metric import magnification, pullback_metric
from vae_explorer.lessons.pushforward import EXTENT, normal_density
from vae_explorer.model.trained import Check, TrainedVAE, unchecked
from vae_explorer.types import Float64

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

    def onto(self, first: int, second: int) -> Callable[[Float64], Float64]:
        """The function from z (n, 2) to two components (n, 2), numbered from 0; bicubic between."""
        from scipy.interpolate import RectBivariateSpline

        splines = [
            RectBivariateSpline(self.axis, self.axis, self.coordinates[..., which])
            for which in (first, second)
        ]
        return lambda z: np.stack([spline.ev(z[:, 0], z[:, 1]) for spline in splines], axis=1)


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
    _, sizes, directions = np.linalg.svd(scaled, full_matrices=False)
    directions = directions[:COMPONENTS]
    # A component may point either way; its largest pixel is bright on the positive side.
    largest = np.take_along_axis(directions, np.abs(directions).argmax(1)[:, None], axis=1)
    directions = directions * np.sign(largest)
    everywhere = _places(axis)
    parts = []
    for start in range(0, len(everywhere), _DECODED):
        check()
        parts.append((f(everywhere[start : start + _DECODED]) - middle) @ directions.T)
    coordinates = np.concatenate(parts).reshape(_SIDE, _SIDE, -1)
    return DecodedSheet(axis, coordinates, sizes[:COMPONENTS] ** 2 / np.square(sizes).sum())


def sheet_magnification(model: TrainedVAE, z: Float64, check: Check = unchecked) -> Float64:
    """√det JᵀJ (n,) of the decoder at z (n, 2): the image area of a unit of latent area."""
    return magnification(pullback_metric(model, z, check=check))


def _places(axis: Float64) -> Float64:
    return np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=2).reshape(-1, 2)
