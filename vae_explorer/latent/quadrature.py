"""Exact log p(x) and the exact posterior, by quadrature over the whole latent plane.

In two dimensions the integral p(x) = ∫ p(x|z) p(z) dz can be done: the square of ±6 latent units,
outside which the prior has a mass of 4e-9, is cut into tiles; a look at each tile's middle says
which of them can matter to an image. No window follows the encoder's q(z|x), which would miss the
modes that q misses. Within a tile log p(x|z) is a smooth function of z: known at a few Chebyshev
nodes, which is where the decoder is called, it is interpolated to as many places as the sum needs.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.polynomial.chebyshev import chebpts1, chebvander
from numpy.polynomial.legendre import leggauss
from numpy.typing import NDArray
from torch import Tensor

from vae_explorer.errors import DataError
from vae_explorer.model.trained import Float32, Images, TrainedVAE
from vae_explorer.model.vae import log_prior

Float64 = NDArray[np.float64]

CODES = ("mean", "mode")

_EXTENT = 6.0  # of the square
_TILE = 0.2  # latent units a side, halved where an image needs it
_HALVINGS = 4
_NODES = 10  # along a tile's side, where the decoder is called
_POINTS = 16  # along a tile's side, where the interpolant is summed
_FEWER_DEGREES, _FEWER_POINTS = 3, 4  # of the rougher sum that tells the error
_TOLERANCE = 1e-3  # nats of estimated error, above which an image's tiles are halved
_TILES = 32  # about as many matter to an image
_NEGLIGIBLE = 10.0  # nats below the whole
_IMAGES = 10_000  # integrated together
_LOOKED_AT = 1_000  # images in one product of the look
_DECODED = 4_096  # places in one call of the decoder


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class ExactPosterior:
    """p(x) and the moments of p(z|x) of n images, float64.

    ``log_marginal`` (n,) is log p(x) in nats and ``error`` (n,) its estimated error. ``mean``
    (n, 2) and ``mode`` (n, 2), the best place of the sum, are in latent units, ``covariance``
    (n, 2, 2) in their squares, ``entropy`` (n,) in nats.

    ``error`` adds what two things are estimated to cost. The interpolant can miss log p(x|z), and
    the sum be too coarse for a narrow posterior: by no more than what changes with an interpolant
    of two degrees less and a sum over fewer places. A posterior can reach out of the square: by the
    share of its outermost tiles.
    """

    log_marginal: Float64
    error: Float64
    mean: Float64
    mode: Float64
    covariance: Float64
    entropy: Float64


@torch.inference_mode()
def exact_posterior(
    model: TrainedVAE, x: Images, check: Callable[[], None] = _nothing
) -> ExactPosterior:
    """Integrate p(x|z) p(z) for each image (n, h, w), already data-treated.

    Posteriors narrower than about 0.001 latent units get a large ``error``, and may be missed
    altogether where the decoder changes abruptly within a tenth of a unit.

    Args:
        model: gives p(x|z).
        x: one draw of the model's data treatment, ``TrainedVAE.treated``.
        check: called between chunks of work; what it raises ends it.

    Raises:
        DataError: as ``TrainedVAE.encode``.
    """
    parts = [_Sums(*(torch.empty(0, columns).double() for columns in _COLUMNS))]
    for chunk in torch.split(model.tensor(x), _IMAGES) if len(x) else ():
        sums = _integrate(model, chunk, check)
        parts.append(_Sums(*(column.cpu() for column in sums)))
    sums = _joined(*parts)
    log_marginal, expectation = sums.log_integral[:, 0].numpy(), sums.expectation.numpy()
    mean, square = expectation[:, 1:3], expectation[:, [3, 4, 4, 5]].reshape(-1, 2, 2)
    return ExactPosterior(
        log_marginal=log_marginal,
        error=expectation[:, 6:].sum(1),
        mean=mean,
        mode=sums.peak[:, 1:].numpy(),
        covariance=square - mean[:, :, None] * mean[:, None, :],
        entropy=log_marginal - expectation[:, 0],
    )


def exact_codes(
    model: TrainedVAE, x: Images, kind: str = "mean", check: Callable[[], None] = _nothing
) -> Float32:
    """The mean or the mode of each exact posterior, (n, 2): codes that owe nothing to the encoder.

    Raises:
        DataError: the kind is unknown, or as ``exact_posterior``.
    """
    if kind not in CODES:
        raise DataError(f"Exact codes are one of {', '.join(CODES)}, not '{kind}'.")
    posterior = exact_posterior(model, x, check)
    return (posterior.mean if kind == "mean" else posterior.mode).astype(np.float32)


class _Tiling(NamedTuple):
    """The square of ±``extent`` cut into tiles of side ``size``, numbered row by row."""

    extent: float
    size: float

    @property
    def side(self) -> int:
        """Tiles in a row."""
        return round(2 * self.extent / self.size)

    def centres(self, tile: Tensor) -> Tensor:
        """The middles (m, 2) of tiles (m,)."""
        corner = torch.stack([tile // self.side, tile % self.side], dim=1)
        return (corner + 0.5) * self.size - self.extent

    def outermost(self, tile: Tensor) -> Tensor:
        """Which of tiles (m,) lie at the edge of the square, (m,) bool."""
        row, column = tile // self.side, tile % self.side
        return (row.minimum(column) == 0) | (row.maximum(column) == self.side - 1)

    def halved(self) -> "_Tiling":
        """Four tiles for each one."""
        return _Tiling(self.extent, self.size / 2)

    def quadrants(self, tile: Tensor) -> Tensor:
        """The four tiles (m, 4) of the halved tiling that make up each of tiles (m,)."""
        first = 4 * self.side * (tile // self.side) + 2 * (tile % self.side)
        return first[:, None] + first.new_tensor([0, 1, 2 * self.side, 2 * self.side + 1])


class _Sums(NamedTuple):
    """What is known of m integrals over a tile, or over all tiles of an image, float64.

    ``log_integral`` (m, 1) of the joint density. ``expectation`` (m, 8) under the posterior there:
    of the log-joint, z₁, z₂, z₁², z₁z₂, z₂², the relative error of the tile's integral as the
    rougher sum tells it, and of lying in an outermost tile. ``peak`` (m, 3): the largest log-joint
    and its place.
    """

    log_integral: Tensor
    expectation: Tensor
    peak: Tensor


_COLUMNS = (1, 8, 3)


def _joined(*parts: _Sums) -> _Sums:
    return _Sums(*(torch.cat(columns) for columns in zip(*parts, strict=True)))


class _Rule(NamedTuple):
    """How to interpolate and sum over a tile of side 1 around 0.

    ``nodes`` (_NODES², 2), Chebyshev's; ``places`` (p, 2), Gauss and Legendre's;
    ``interpolation`` (_NODES², p + q) from the nodes to the places and to the q places of the
    rougher sum; ``sums`` (p, 10): the places' weights, those of each quadrant, and those times the
    moments; ``rougher`` (q,): the weights of the rougher sum.
    """

    nodes: Tensor
    places: Tensor
    interpolation: Tensor
    sums: Tensor
    rougher: Tensor


def _rule(device: torch.device) -> _Rule:
    nodes = chebpts1(_NODES)
    coefficients = np.linalg.inv(chebvander(nodes, _NODES - 1))

    def gauss(fewer_points: int, fewer_degrees: int) -> tuple[Any, Any, Any]:
        places, weights = leggauss(_POINTS - fewer_points)
        degrees = _NODES - fewer_degrees
        along = chebvander(places, degrees - 1) @ coefficients[:degrees]
        return (
            _square(places / 2),
            np.outer(weights / 2, weights / 2).ravel(),
            np.kron(along, along),
        )

    places, weights, interpolation = gauss(0, 0)
    _, rougher, rougher_interpolation = gauss(_FEWER_POINTS, _FEWER_DEGREES)
    first, second = places.T
    quadrant = np.equal.outer(2 * (first > 0) + (second > 0), np.arange(4))
    moments = np.stack([first, second, first**2, first * second, second**2], axis=1)
    arrays = (
        _square(nodes / 2),
        places,
        np.vstack([interpolation, rougher_interpolation]).T,
        np.hstack([np.ones_like(weights)[:, None], quadrant, moments]) * weights[:, None],
        rougher,
    )
    return _Rule(*(torch.from_numpy(array).float().to(device) for array in arrays))


def _square(axis: Float64) -> Float64:
    return np.stack([np.repeat(axis, len(axis)), np.tile(axis, len(axis))], axis=1)


def _integrate(model: TrainedVAE, x: Tensor, check: Callable[[], None]) -> _Sums:
    """The integrals for x (n, pixels)."""
    rule, tiling = _rule(x.device), _Tiling(_EXTENT, _TILE)
    tile, image = _candidates(model, x, tiling, check)
    settled, owners = _Sums(*(x.new_empty(0, n).double() for n in _COLUMNS)), image[:0]
    for halvings in range(_HALVINGS + 1):
        pieces, quadrants = _sample(model, x, rule, tiling, tile, image, check)
        known, owners = _joined(settled, pieces), torch.cat([owners, image])
        sums = _combine(known, owners, len(x))
        log_share = pieces.log_integral[:, 0] - sums.log_integral[image, 0]
        error = pieces.expectation[:, 6]
        split = sums.expectation[image, 6] > _TOLERANCE
        split &= log_share.exp() * error > _TOLERANCE / _TILES
        if halvings == _HALVINGS or not split.any():
            break
        stay = torch.cat([split.new_ones(len(settled.peak)), ~split])
        settled, owners = _Sums(*(column[stay] for column in known)), owners[stay]
        log_quadrants = quadrants - sums.log_integral[image, :1]
        needed = split[:, None] & (log_quadrants + error.log1p()[:, None] > -_NEGLIGIBLE)
        pair, quadrant = needed.nonzero(as_tuple=True)
        tile, order = tiling.quadrants(tile)[pair, quadrant].sort(stable=True)
        image, tiling = image[pair][order], tiling.halved()
    return sums


def _candidates(
    model: TrainedVAE, x: Tensor, tiling: _Tiling, check: Callable[[], None]
) -> tuple[Tensor, Tensor]:
    """Which tile may matter to which image: (pairs,) tiles in order, (pairs,) images.

    Every image looks at the middle of every tile, then at those of the quadrants of what is left.
    """
    look = _Look.at(model, tiling, check)
    seen = []
    best = []
    for images in torch.split(x, _LOOKED_AT):
        check()
        joint = model.vae.likelihood.pairwise(images, look.outputs).add_(look.prior)
        best.append(joint.amax(1))
        seen.append(joint.add_(look.slack) > best[-1][:, None] - _NEGLIGIBLE)
    tile, image = torch.cat(seen).mT.nonzero(as_tuple=True)
    look = _Look.at(model, tiling.halved(), check)
    tiles, counts = torch.unique_consecutive(tile, return_counts=True)
    owners = iter(torch.split(image, counts.tolist()))
    joints, slacks = [], []
    for quadrants in tiling.quadrants(tiles):
        joint = model.vae.likelihood.pairwise(x[next(owners)], look.outputs[quadrants])
        joints.append(joint.add_(look.prior[quadrants]))
        slacks.append(look.slack[quadrants].expand_as(joint))
    joint = torch.cat(joints)
    top = torch.cat(best).scatter_reduce(0, image, joint.amax(1), "amax")
    kept = (joint + torch.cat(slacks)).amax(1) > top[image] - _NEGLIGIBLE
    return tile[kept], image[kept]


class _Look(NamedTuple):
    """The middles of all tiles: ``outputs`` (tiles, pixels) of the decoder, ``prior`` (tiles,).

    ``slack`` (tiles,) says by how much a tile's best log-joint may exceed that of its middle.
    Between neighbours the symmetrised KL of p(x|z) is the squared distance in the decoder's Fisher
    metric. Half the sum over both axes is twice what log p(x|z) is expected to fall from a tile's
    corner to its middle, were the corner's image the truth.
    """

    outputs: Tensor
    prior: Tensor
    slack: Tensor

    @classmethod
    def at(cls, model: TrainedVAE, tiling: _Tiling, check: Callable[[], None]) -> "_Look":
        side = tiling.side
        places = tiling.centres(torch.arange(side**2, device=model.device))
        parts = []
        for part in torch.split(places, _DECODED):
            check()
            parts.append(model.vae.outputs(part))
        outputs = torch.cat(parts)
        likelihood = model.vae.likelihood
        natural = likelihood.natural(outputs).view(side, side, -1)
        mean = likelihood.mean(outputs).view(side, side, -1)
        slack = torch.zeros(side, side, device=model.device)
        for axis in (0, 1):
            distance = (natural.diff(dim=axis) * mean.diff(dim=axis)).sum(-1)
            edge = distance.narrow(axis, 0, 1) * 0
            both = torch.cat([edge, distance], axis), torch.cat([distance, edge], axis)
            slack += torch.maximum(*both) / 2
        return cls(outputs, log_prior(places), slack.flatten())


def _sample(
    model: TrainedVAE,
    x: Tensor,
    rule: _Rule,
    tiling: _Tiling,
    tile: Tensor,
    image: Tensor,
    check: Callable[[], None],
) -> tuple[_Sums, Tensor]:
    """The integral of each (tile, image) pair, sorted by tile; and (pairs, 4) of its quadrants."""
    tiles, counts = torch.unique_consecutive(tile, return_counts=True)
    owners = iter(torch.split(image, counts.tolist()))
    parts = []
    for block in torch.split(tiles, _DECODED // len(rule.nodes)):
        check()
        centres = tiling.centres(block)
        z = centres[:, None] + rule.nodes * tiling.size
        outputs = model.vae.outputs(z)
        for centre, nodes, output in zip(centres, z, outputs, strict=True):
            joint = model.vae.likelihood.pairwise(x[next(owners)], output) + log_prior(nodes)
            parts.append(_tile_sums(joint, rule, centre.double(), tiling.size))
    log_integral, expectation, peak, quadrants = (
        torch.cat(columns) for columns in zip(*parts, strict=True)
    )
    rougher = (log_integral[:, 1] - log_integral[:, 0]).clamp(max=50).expm1().abs()
    errors = torch.stack([rougher, tiling.outermost(tile).double()], dim=1)
    return _Sums(log_integral[:, :1], torch.cat([expectation, errors], 1), peak), quadrants


def _tile_sums(joint: Tensor, rule: _Rule, centre: Tensor, size: float) -> tuple[Tensor, ...]:
    """What ``_sample`` needs of one tile, from the log-joint (m, nodes)."""
    offset = joint.amax(1, keepdim=True)
    interpolant = (joint - offset) @ rule.interpolation
    relative = interpolant[:, : len(rule.places)]
    highest, where = relative.max(1, keepdim=True)
    weights = (interpolant - highest).clamp(max=50).exp()
    rougher = weights[:, len(rule.places) :] @ rule.rougher[:, None]
    weights = weights[:, : len(rule.places)]
    sums = torch.cat([weights @ rule.sums, rougher], 1).double()
    total, quadrants, moments, rougher = (
        sums[:, part] for part in (slice(1), slice(1, 5), slice(5, 10), slice(10, 11))
    )
    height = highest.double() + offset
    # A quadrant may see nothing at all of a narrow peak.
    logs = torch.cat([total, rougher, quadrants], 1).clamp(min=1e-300).log()
    logs += height + 2 * math.log(size)
    log_joint = (weights * relative) @ rule.sums[:, :1] / total + offset
    within = moments[:, :2] / total * size
    first = centre + within
    second = centre[[0, 0, 1]] * first[:, [0, 1, 1]] + centre[[0, 1, 1]] * within[:, [0, 0, 1]]
    second += moments[:, 2:] / total * size**2
    peak = torch.cat([height, centre + rule.places[where[:, 0]] * size], 1)
    return logs[:, :2], torch.cat([log_joint, first, second], 1), peak, logs[:, 2:]


def _combine(pieces: _Sums, image: Tensor, n: int) -> _Sums:
    """Sum the pieces of each of n images."""
    rows = image[:, None]

    def highest(values: Tensor) -> Tensor:
        start = values.new_full((n, values.shape[1]), -math.inf)
        return start.scatter_reduce(0, rows.expand_as(values), values, "amax")

    top = highest(pieces.log_integral)
    shares = (pieces.log_integral - top[image]).exp()
    total = torch.zeros_like(top).index_add(0, image, shares)
    share = shares[:, :1] / total[image, :1]
    expectation = top.new_zeros(n, pieces.expectation.shape[1])
    expectation = expectation.index_add(0, image, share * pieces.expectation)
    peaks = highest(pieces.peak[:, :1])
    best = (pieces.peak[:, 0] == peaks[image, 0]).nonzero()[:, 0]
    peak = top.new_full((n, 3), math.nan)
    peak[image[best]] = pieces.peak[best]
    return _Sums(top + total.log(), expectation, peak)
