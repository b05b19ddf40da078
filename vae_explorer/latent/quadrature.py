"""Exact log p(x) and the exact posterior, by quadrature over the whole latent plane.

In two dimensions the integral p(x) = ∫ p(x|z) p(z) dz can be done: the square of ±5 latent units,
outside which the prior has a mass of 1e-6, is cut into tiles; a look at every tile's centre says
which of them can matter to an image, and only those are sampled finely. No window follows the
encoder's q(z|x), which would miss the modes that q misses.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vae_explorer.errors import DataError
from vae_explorer.model.trained import Float32, Images, TrainedVAE
from vae_explorer.model.vae import log_prior

Float64 = NDArray[np.float64]
Array = TypeVar("Array")

CODES = ("mean", "mode")

_EXTENT = 5.0
_TILE = 0.1
_SIDE = round(2 * _EXTENT / _TILE)
_LEVELS = (4, 8, 16, 32)  # points along a tile's side, as often as an image needs
_SPREAD = 0.03  # nats between grids of twice the spacing, above which the next level is due
_NEGLIGIBLE = 20.0  # nats below the largest
_IMAGES = 10_000  # looked at together: 400 MB of centres
_PLACES = 4_096  # decoded at once


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class ExactPosterior:
    """p(x) and the moments of p(z|x) of n images, float64.

    ``log_marginal`` (n,) is log p(x) in nats and ``error`` (n,) its estimated error: the square of
    the largest difference, in nats, from the four interleaved grids of twice the spacing. On a
    Gaussian of standard deviation s the error falls as 4·exp(−2π²s²/h²) with the spacing h, so that
    the fourth power would do; the square leaves room for other shapes. ``mean`` (n, 2) and ``mode``
    (n, 2), a place of the finest grid used, are in latent units, ``covariance`` (n, 2, 2) in their
    squares, ``entropy`` (n,) in nats.
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

    Posteriors narrower than about 0.003 latent units get a large ``error``, and may be missed
    altogether where the decoder changes abruptly within a tile of 0.1.

    Args:
        model: gives p(x|z).
        x: one draw of the model's data treatment, ``TrainedVAE.treated``.
        check: called between chunks of work; what it raises ends it.

    Raises:
        DataError: as ``TrainedVAE.encode``.
    """
    chunks = torch.split(model.tensor(x), _IMAGES)
    nothing = _Sums(*(torch.empty(0, columns, dtype=torch.float64) for columns in (5, 6, 3)))
    parts = [nothing, *(_integrate(model, chunk, check) for chunk in chunks if len(chunk))]
    sums = _Sums(*(torch.cat(columns).numpy() for columns in zip(*parts, strict=True)))
    value = sums.log_integral[:, 0]
    spread = np.abs(sums.log_integral[:, 1:] - value[:, None]).max(1, initial=0)
    mean = sums.expectation[:, 1:3]
    square = sums.expectation[:, [3, 4, 4, 5]].reshape(-1, 2, 2)
    return ExactPosterior(
        log_marginal=value,
        error=spread**2,
        mean=mean,
        mode=sums.peak[:, 1:],
        covariance=square - mean[:, :, None] * mean[:, None, :],
        entropy=value - sums.expectation[:, 0],
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


class _Sums(NamedTuple, Generic[Array]):
    """What is known of m integrals over tiles, or over all tiles of an image, float64.

    ``log_integral`` (m, 5): of the joint density, by the full grid and by the four of twice its
    spacing. ``expectation`` (m, 6): of the log-joint, z₁, z₂, z₁², z₁z₂ and z₂² under the posterior
    there. ``peak`` (m, 3): the largest log-joint and its place.
    """

    log_integral: Array
    expectation: Array
    peak: Array


def _integrate(model: TrainedVAE, x: Tensor, check: Callable[[], None]) -> _Sums[Tensor]:
    """The integrals for x (n, pixels)."""
    tile, image = _candidates(model, x, check).nonzero(as_tuple=True)
    result: _Sums[Tensor] | None = None
    for points in _LEVELS:
        pieces = _sample(model, x, tile, image, points, check)
        sums = _combine(pieces, image, len(x))
        if result is not None:
            kept = torch.ones(len(x), dtype=torch.bool, device=x.device)
            kept[image] = False
            sums = _Sums(
                *(
                    torch.where(kept[:, None], old, new)
                    for old, new in zip(result, sums, strict=True)
                )
            )
        result = sums
        total = sums.log_integral[:, :1]
        rough = (sums.log_integral - total).abs().amax(1) > _SPREAD
        large = pieces.log_integral[:, 0] > total[image, 0] - _NEGLIGIBLE
        again = rough[image] & large
        tile, image = tile[again], image[again]
        if not len(image):
            break
    assert result is not None
    return _Sums(*(columns.cpu() for columns in result))


def _candidates(model: TrainedVAE, x: Tensor, check: Callable[[], None]) -> Tensor:
    """Which tiles may matter to which image, (tiles, n) bool, from a look at the tiles' centres.

    Between neighbours the symmetrised KL of p(x|z) is the squared distance in the decoder's
    Fisher metric. Half the sum over both axes is twice what log p(x|z) is expected to fall from a
    tile's corner to its centre, were the corner's image the truth.
    """
    centres = _places(torch.arange(_SIDE**2, device=x.device), 1)[:, 0]
    outputs = []
    for places in torch.split(centres, _PLACES):
        check()
        outputs.append(model.vae.outputs(places))
    output = torch.cat(outputs)
    likelihood = model.vae.likelihood
    natural = likelihood.natural(output).view(_SIDE, _SIDE, -1)
    mean = likelihood.mean(output).view(_SIDE, _SIDE, -1)
    slack = torch.zeros(_SIDE, _SIDE, device=x.device)
    for axis in (0, 1):
        distance = (natural.diff(dim=axis) * mean.diff(dim=axis)).sum(-1)
        edge = distance.narrow(axis, 0, 1) * 0
        both = torch.stack([torch.cat([edge, distance], axis), torch.cat([distance, edge], axis)])
        slack += both.amax(0) / 2
    joint = torch.empty(_SIDE**2, len(x), device=x.device)
    for part, images in zip(torch.split(joint, 2_000, dim=1), torch.split(x, 2_000), strict=True):
        check()
        part.copy_(likelihood.pairwise(images, output).mT)
    joint += log_prior(centres)[:, None]
    return joint + slack.view(-1, 1) > joint.amax(0) - _NEGLIGIBLE


def _places(tiles: Tensor, points: int) -> Tensor:
    """A grid of midpoints in each tile, (tiles, points², 2)."""
    offset = (torch.arange(points, device=tiles.device) + 0.5) / points
    inside = torch.cartesian_prod(offset, offset)
    corner = torch.stack([tiles // _SIDE, tiles % _SIDE], dim=1)
    return (corner[:, None] + inside) * _TILE - _EXTENT


def _sample(
    model: TrainedVAE,
    x: Tensor,
    tile: Tensor,
    image: Tensor,
    points: int,
    check: Callable[[], None],
) -> _Sums[Tensor]:
    """The integral of each (tile, image) pair, sorted by tile, on ``points``² places."""
    tiles, counts = torch.unique_consecutive(tile, return_counts=True)
    owners = iter(torch.split(image, counts.tolist()))
    parts = []
    for block in torch.split(tiles, max(1, _PLACES // points**2)):
        check()
        z = _places(block, points)
        outputs = model.vae.outputs(z)
        for places, output in zip(z, outputs, strict=True):
            joint = model.vae.likelihood.pairwise(x[next(owners)], output) + log_prior(places)
            parts.append(_tile_sums(joint, places.double(), points))
    return _Sums(*(torch.cat(columns) for columns in zip(*parts, strict=True)))


def _tile_sums(joint: Tensor, places: Tensor, points: int) -> _Sums[Tensor]:
    """Sums over one tile of the log-joint (m, points²) at ``places`` (points², 2)."""
    highest, where = joint.max(1)
    weights = (joint - highest[:, None]).exp().double()
    half = points // 2
    quarters = weights.view(-1, half, 2, half, 2).sum((1, 3)).view(-1, 4)
    total = quarters.sum(1, keepdim=True)
    first, second = places.unbind(1)
    moments = torch.stack([first, second, first**2, first * second, second**2], dim=1)
    expectation = torch.cat([(weights * joint).sum(1, keepdim=True), weights @ moments], 1) / total
    cell = (_TILE / points) ** 2
    integrals = torch.cat([total * cell, quarters * (4 * cell)], 1)
    # A quarter of the grid may see nothing at all of a narrow peak.
    log_integral = highest.double()[:, None] + integrals.clamp(min=1e-300).log()
    peak = torch.cat([highest.double()[:, None], places[where]], 1)
    return _Sums(log_integral, expectation, peak)


def _combine(pieces: _Sums[Tensor], image: Tensor, n: int) -> _Sums[Tensor]:
    """Sum the pieces of each of n images; an image without any gets NaN."""
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
