"""The decoder as a function from the plane to a plane: two principal components of its images."""

from collections.abc import Callable
from dataclasses import dataclass, field

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
_AT_ONCE = 2_048  # positions


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
    _known: "dict[tuple[int, int], Components]" = field(default_factory=dict, repr=False)

    def onto(self, first: int, second: int) -> "Components":
        """The function from z (n, 2) to two components (n, 2), numbered from 0."""
        which = first, second
        if which not in self._known:
            along = _cubics(self.coordinates[..., which])
            pieces = _cubics(np.moveaxis(along, 2, 0)).transpose(3, 1, 2, 0, 4)
            start, step = float(self.axis[0]), float(self.axis[1] - self.axis[0])
            self._known[which] = Components(start, step, np.ascontiguousarray(pieces))
        return self._known[which]


@dataclass(frozen=True, eq=False)
class Components:
    """Two components (n, 2) at z (n, 2), by the bicubic spline through the nodes of a sheet.

    Its ``pieces`` (m - 1, m - 1, 4, 4, 2) are polynomials by the powers of z₁ and z₂, from the
    lower corner of a cell. SciPy’s own takes twice as long, and does not let go of the
    interpreter.
    """

    start: float
    step: float
    pieces: Float64

    def __call__(self, z: Float64) -> Float64:
        """Their values."""
        return self._found(z, lambda piece, u, v: _value(_value(piece, u), v))

    def jacobian(self, z: Float64) -> Float64:
        """Their derivatives (n, 2, 2): rows are components."""

        def slopes(piece: Float64, u: Float64, v: Float64) -> Float64:
            return np.stack([_value(_slope(piece, u), v), _slope(_value(piece, u), v)], axis=2)

        return self._found(z, slopes) / self.step

    def _found(self, z: Float64, of: Callable[[Float64, Float64, Float64], Float64]) -> Float64:
        """A function of pieces (n, 4, 4, 2) and where z are in them; outside as at the edge."""
        count = len(self.pieces)
        pieces = self.pieces.reshape(count**2, 4, 4, 2)
        parts = []
        for some in np.array_split(z, 1 + len(z) // _AT_ONCE):  # a processor's cache holds so many
            place = np.nan_to_num((some - self.start) / self.step).clip(0.0, count)
            cell = place.astype(np.intp).clip(max=count - 1)
            parts.append(of(pieces[cell @ (count, 1)], *(place - cell).T))
        return np.concatenate(parts)


def _cubics(values: Float64) -> Float64:
    """The spline through values (m, …), as polynomials (4, m - 1, …) by the powers of a step."""
    inner = np.eye(len(values))[1:-1]
    slopes = 6 * np.gradient(values, axis=0, edge_order=2)
    slopes[[0, -1]] /= 6
    smooth = np.eye(len(values))
    smooth[1:-1] = 4 * inner + np.roll(inner, 1, 1) + np.roll(inner, -1, 1)
    slopes = np.linalg.solve(smooth, slopes.reshape(len(values), -1)).reshape(values.shape)
    rise, first, last = np.diff(values, axis=0), slopes[:-1], slopes[1:]
    return np.stack([values[:-1], first, 3 * rise - 2 * first - last, first + last - 2 * rise])


def _value(cubic: Float64, u: Float64) -> Float64:
    """Of polynomials (n, 4, …) at u (n,)."""
    a, b, c, d = np.moveaxis(cubic, 1, 0)
    u = u.reshape(-1, *[1] * (a.ndim - 1))
    return np.asarray(((d * u + c) * u + b) * u + a)


def _slope(cubic: Float64, u: Float64) -> Float64:
    """Of polynomials (n, 4, …) at u (n,), their derivatives."""
    _, b, c, d = np.moveaxis(cubic, 1, 0)
    u = u.reshape(-1, *[1] * (b.ndim - 1))
    return np.asarray((3 * d * u + 2 * c) * u + b)


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
    for start in range(0, len(everywhere), _AT_ONCE):
        check()
        some = f(everywhere[start : start + _AT_ONCE])
        parts.append(some @ directions.T.astype(np.float32) - middle @ directions.T)
    coordinates = np.concatenate(parts).reshape(_SIDE, _SIDE, -1).astype(np.float64)
    return DecodedSheet(axis, coordinates, variances[:COMPONENTS] / variances.sum())


def sheet_magnification(model: TrainedVAE, z: Float64, check: Check = unchecked) -> Float64:
    """√det JᵀJ (n,) of the decoder at z (n, 2): the image area of a unit of latent area."""
    return magnification(pullback_metric(model, z, check=check))


def _places(axis: Float64) -> Float64:
    return np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=2).reshape(-1, 2)
