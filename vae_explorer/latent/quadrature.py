"""Exact log p(x) and the exact posterior, by quadrature over the whole latent plane.

In two dimensions the integral p(x) = ∫ p(x|z) p(z) dz can be done: tile by tile, over every tile
that may matter to an image. No window follows the encoder's q(z|x), which would miss the modes that
q misses.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.polynomial.legendre import leggauss
from torch import Tensor

from vae_explorer.errors import DataError
from vae_explorer.latent.tiling import (
    NEGLIGIBLE,
    NODES,
    Pairs,
    candidates,
    interpolation,
    log_joints,
    square,
)
from vae_explorer.model.trained import Check, Images, Tell, TrainedVAE, unchecked, untold
from vae_explorer.types import Brief, Float32, Float64

CODES = ("mean", "mode")

_SMALLEST = 0.013  # tile that is not halved
_OVERSHOOT = 3.0  # nats of an interpolant above its highest node
_POINTS = 16  # along a tile's side, where the interpolant is summed
_FEWER_DEGREES, _FEWER_POINTS = 3, 4  # of the rougher sum that tells the error
_TOLERANCE = 1e-3  # nats of estimated error, above which an image's tiles are halved
_TILES = 32  # about as many matter to an image
_IMAGES = 10_000  # integrated together


@dataclass(frozen=True, repr=False)
class ExactPosterior(Brief):
    """p(x) and the moments of p(z|x) of n images, float64.

    ``log_marginal`` (n,) is log p(x) in nats and ``error`` (n,) its estimated error. ``mean``
    (n, 2) and ``mode`` (n, 2), the best position of the sum, are in latent units, ``covariance``
    (n, 2, 2) in their squares, ``entropy`` (n,) in nats.

    ``error`` adds what two things are estimated to cost. The interpolant can miss log p(x|z), and
    the sum be too coarse for a narrow posterior: by no more than what changes with an interpolant
    of lower degree and a sum over fewer positions. A posterior can reach out of the square: by the
    share of its outermost tiles. What is left out as negligible, some 1e-5 nats, is not in it.
    """

    log_marginal: Float64
    error: Float64
    mean: Float64
    mode: Float64
    covariance: Float64
    entropy: Float64


@torch.inference_mode()
def exact_posterior(
    model: TrainedVAE, x: Images, check: Check = unchecked, tell: Tell = untold
) -> ExactPosterior:
    """Integrate p(x|z) p(z) for each image (n, h, w), already data-treated.

    Posteriors narrower than about 0.001 latent units get a large ``error``, and may be missed
    altogether where the decoder changes abruptly within a tenth of a unit.

    Args:
        model: gives p(x|z).
        x: one sample of the model's data treatment, ``TrainedVAE.treated``.
        check: called between chunks of work; what it raises ends it.
        tell: told how far each 10,000 images are, of the tiles known to matter by then.

    Raises:
        DataError: as ``TrainedVAE.encode``.
    """
    parts = [_Sums(*(torch.empty(0, columns).double() for columns in _COLUMNS))]
    for chunk in torch.split(model.tensor(x), _IMAGES) if len(x) else ():
        _, sums = _integrate(model, chunk, check, tell)
        parts.append(_Sums(*(column.cpu() for column in sums)))
    sums = _joined(*parts)
    log_marginal, expectation = sums.log_integral[:, 0].numpy(), sums.expectation.numpy()
    mean, second = expectation[:, 1:3], expectation[:, [3, 4, 4, 5]].reshape(-1, 2, 2)
    return ExactPosterior(
        log_marginal=log_marginal,
        error=expectation[:, 6:].sum(1),
        mean=mean,
        mode=sums.peak[:, 1:].numpy(),
        covariance=second - mean[:, :, None] * mean[:, None, :],
        entropy=log_marginal - expectation[:, 0],
    )


def exact_codes(
    model: TrainedVAE, x: Images, kind: str = "mean", check: Check = unchecked
) -> Float32:
    """The mean or the mode of each exact posterior, (n, 2): codes that owe nothing to the encoder.

    Raises:
        DataError: the kind is unknown, or as ``exact_posterior``.
    """
    if kind not in CODES:
        raise DataError(f"Exact codes are one of {', '.join(CODES)}, not '{kind}'.")
    posterior = exact_posterior(model, x, check)
    return (posterior.mean if kind == "mean" else posterior.mode).astype(np.float32)


class _Sums(NamedTuple):
    """What is known of m integrals over a tile, or over all tiles of an image, float64.

    ``log_integral`` (m, 1) of the joint density. ``expectation`` (m, 8) under the posterior there:
    of the log-joint, z₁, z₂, z₁², z₁z₂, z₂², the relative error of the tile's integral as the
    rougher sum tells it, and of lying in an outermost tile. ``peak`` (m, 3): the largest log-joint
    and its position.
    """

    log_integral: Tensor
    expectation: Tensor
    peak: Tensor


_COLUMNS = (1, 8, 3)


def _joined(*parts: _Sums) -> _Sums:
    return _Sums(*(torch.cat(columns) for columns in zip(*parts, strict=True)))


class _Rule(NamedTuple):
    """How to interpolate and sum over a tile of side 1 around 0.

    ``points`` (p, 2), Gauss and Legendre's; ``interpolation`` (NODES², p + q) from the nodes to the
    points and to the q points of the rougher sum; ``sums`` (p, 10): the points' weights, those of
    each quadrant, and those times the moments; ``rougher`` (q, 1): the weights of the rougher sum.
    """

    positions: Tensor
    interpolation: Tensor
    sums: Tensor
    rougher: Tensor


def _rule(device: torch.device) -> _Rule:
    along, weights = leggauss(_POINTS)
    rougher_along, rougher_weights = leggauss(_POINTS - _FEWER_POINTS)
    first, second = square(along / 2).T
    quadrant = np.equal.outer(2 * (first > 0) + (second > 0), np.arange(4))
    sums = np.vstack(
        [np.ones(_POINTS**2), *quadrant.T, first, second, first**2, first * second, second**2]
    )
    arrays = (
        square(along / 2),
        np.hstack([interpolation(along), interpolation(rougher_along, NODES - _FEWER_DEGREES)]),
        (sums * np.kron(weights / 2, weights / 2)).T,
        np.kron(rougher_weights / 2, rougher_weights / 2)[:, None],
    )
    return _Rule(*(torch.from_numpy(array).float().to(device) for array in arrays))


class _Sheet(NamedTuple):
    """Pairs of one tiling, their integrals, and (pairs, 4) those of their tiles' quadrants."""

    pairs: Pairs
    pieces: _Sums
    quadrants: Tensor

    def without(self, split: Tensor) -> "_Sheet":
        """The pairs that are not ``split`` (pairs,)."""
        return _Sheet(
            self.pairs.only(~split),
            _Sums(*(column[~split] for column in self.pieces)),
            self.quadrants[~split],
        )


def adapted_tiles(model: TrainedVAE, x: Tensor, check: Check) -> list[Pairs]:
    """The tiles, for x (n, pixels), in each of which the interpolant is good enough to integrate.

    Raises:
        DataError: the log-joint is not finite.
    """
    return [sheet.pairs for sheet in _integrate(model, x, check)[0] if len(sheet.pairs.tile)]


def _integrate(
    model: TrainedVAE, x: Tensor, check: Check, tell: Tell = untold
) -> tuple[list[_Sheet], _Sums]:
    """As ``_integral``; the last of a single image is kept, for its figures and its picture."""
    if len(x) > 1:
        return _integral(model, x, check, tell)
    key = x.cpu().numpy().tobytes()
    last = _LAST.get(model)
    if last is None or last[0] != key:
        last = _LAST[model] = key, _integral(model, x, check, tell)
    return last[1]


_LAST: WeakKeyDictionary[TrainedVAE, tuple[bytes, tuple[list[_Sheet], _Sums]]] = WeakKeyDictionary()


def _integral(model: TrainedVAE, x: Tensor, check: Check, tell: Tell) -> tuple[list[_Sheet], _Sums]:
    """All pairs that matter to x (n, pixels), with tiles small enough, and the n integrals.

    All tiles are looked at again in every round: while one of them is far off, so are the shares of
    the others.
    """
    rule = _rule(x.device)
    found = done = 0

    def sampled(pairs: Pairs) -> _Sheet:
        nonlocal found
        found += len(pairs.by_tile()[0])
        return _sample(model, x, rule, pairs, check, count)

    def count() -> None:
        nonlocal done
        done += 1
        tell(done / found)

    sheets = [sampled(pairs) for pairs in candidates(model, x, check)]
    while True:
        pieces = _joined(*(sheet.pieces for sheet in sheets))
        sums = _combine(pieces, torch.cat([sheet.pairs.image for sheet in sheets]), len(x))
        left = []
        for sheet in sheets:
            split, halved = _split(sheet, sums)
            if len(halved.tile):
                left.append(sampled(halved))
                sheet = sheet.without(split)
            left.append(sheet)
        if len(left) == len(sheets):
            return sheets, sums
        sheets = left


def _split(sheet: _Sheet, sums: _Sums) -> tuple[Tensor, Pairs]:
    """Which pairs (pairs,) ask for smaller tiles, and those."""
    tiling, tile, image = sheet.pairs
    total = sums.log_integral[image]
    error = sheet.pieces.expectation[:, 6:7]
    split = (sheet.pieces.log_integral - total).exp() * error > _TOLERANCE / _TILES
    split &= (sums.expectation[image, 6:7] > _TOLERANCE) & (tiling.size > _SMALLEST)
    needed = split & (sheet.quadrants - total + error.log1p() > -NEGLIGIBLE)
    pair, quadrant = needed.nonzero(as_tuple=True)
    tile, order = tiling.quadrants(tile)[pair, quadrant].sort(stable=True)
    return split[:, 0], Pairs(tiling.halved(), tile, image[pair][order])


def _sample(
    model: TrainedVAE,
    x: Tensor,
    rule: _Rule,
    pairs: Pairs,
    check: Check,
    count: Callable[[], object],
) -> _Sheet:
    parts = []
    for centre, joint in log_joints(model, x, pairs, check):
        parts.append(_tile_sums(joint, rule, centre.double(), pairs.tiling.size))
        count()
    log_integral, expectation, peak, quadrants = (
        torch.cat(columns) for columns in zip(*parts, strict=True)
    )
    error = (log_integral[:, 1] - log_integral[:, 0]).expm1().abs()
    errors = torch.stack([error, pairs.tiling.outermost(pairs.tile).double()], dim=1)
    pieces = _Sums(log_integral[:, :1], torch.cat([expectation, errors], 1), peak)
    return _Sheet(pairs, pieces, quadrants)


def _tile_sums(joint: Tensor, rule: _Rule, centre: Tensor, size: float) -> tuple[Tensor, ...]:
    """What ``_sample`` needs of one tile, from the log-joint (m, nodes)."""
    offset = joint.amax(1, keepdim=True)
    interpolant, rougher = ((joint - offset) @ rule.interpolation).tensor_split(
        [len(rule.positions)], dim=1
    )
    # Where it oscillates wildly it must not outweigh all other tiles.
    relative = interpolant.clamp(max=_OVERSHOOT)
    highest, where = relative.max(1, keepdim=True)
    weights = (relative - highest).exp()
    rougher = (rougher - highest).clamp(max=50).exp() @ rule.rougher
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
    peak = torch.cat([height, centre + rule.positions[where[:, 0]] * size], 1)
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
