"""The latent plane cut into tiles, which of them matter to an image, and how to interpolate in one.

Within a tile log p(x|z) is a smooth function of z: known at a few Chebyshev nodes, which is where
the decoder is called, it is interpolated to as many positions as a sum or a picture needs.
"""

from collections.abc import Iterator
from threading import Lock
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.polynomial.chebyshev import chebpts1, chebvander
from torch import Tensor

from vae_explorer.errors import DataError
from vae_explorer.model.trained import Check, TrainedVAE
from vae_explorer.model.vae import log_prior
from vae_explorer.types import Float64

EXTENT = 6.0
"""Half the side of the square in latent units; the prior has a mass of 4e-9 outside."""
LARGEST_EXTENT = 16 * EXTENT
"""Of the square of an image to which tiles at the edge of a smaller one may matter."""
TILE = 0.2
"""Side of a tile in latent units, in the square of ±``EXTENT``."""
NODES = 10
"""Along a tile's side, where the decoder is called."""
NEGLIGIBLE = 12.0
"""Nats below the best or the whole."""

_MANY = 800  # tiles that may matter to an image, above which it gets larger ones
_LARGER = 4  # times
_LOOKED_AT = 1_000  # images in one product of the look
_DECODED = 4_096  # positions in one call of the decoder


class Tiling(NamedTuple):
    """The square of ±``extent`` cut into tiles of side ``size``, numbered row by row."""

    size: float
    extent: float = EXTENT

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

    def halved(self) -> "Tiling":
        """Four tiles for each one."""
        return self._replace(size=self.size / 2)

    def doubled(self) -> "Tiling":
        """As many tiles of twice the side over twice the square."""
        return Tiling(2 * self.size, 2 * self.extent)

    def quadrants(self, tile: Tensor) -> Tensor:
        """The four tiles (m, 4) of the halved tiling that make up each of tiles (m,)."""
        first = 4 * self.side * (tile // self.side) + 2 * (tile % self.side)
        return first[:, None] + first.new_tensor([0, 1, 2 * self.side, 2 * self.side + 1])

    def with_neighbours(self, tile: Tensor) -> Tensor:
        """Those of ``tile`` and what lies beside, above or below one of them, (m,) in order."""
        there = torch.zeros(self.side, self.side, dtype=torch.bool, device=tile.device)
        there.view(-1)[tile.flatten()] = True
        near = there.clone()
        for one, other in ((near, there), (near.T, there.T)):
            one[1:] |= other[:-1]
            one[:-1] |= other[1:]
        return near.flatten().nonzero()[:, 0]


class Pairs(NamedTuple):
    """Which tile matters to which image: (pairs,) tiles in order and (pairs,) images."""

    tiling: Tiling
    tile: Tensor
    image: Tensor

    def only(self, kept: Tensor) -> "Pairs":
        """Those of the pairs that are ``kept`` (pairs,)."""
        return self._replace(tile=self.tile[kept], image=self.image[kept])

    def by_tile(self) -> tuple[Tensor, Iterator[Tensor]]:
        """The tiles (t,), each once, and the images (m,) that each of them matters to."""
        tiles, counts = torch.unique_consecutive(self.tile, return_counts=True)
        return tiles, iter(torch.split(self.image, counts.tolist()))


_FIRST = Tiling(TILE)


def candidates(model: TrainedVAE, x: Tensor, check: Check, tiling: Tiling = _FIRST) -> list[Pairs]:
    """Which tile may matter to which of x (n, pixels); every image is in one of the ``Pairs``.

    Every image looks at the middle of every tile, then at those of the quadrants of what is left;
    but an image to which too many tiles may matter gets larger ones, to be halved where need be.
    One to which a tile at the edge may matter starts again in a square of twice the side.

    Raises:
        DataError: the log-joint is not finite.
    """
    model.vae.check_marginal()
    look = _Look.of(model, tiling, check)
    best, near, seen = [], [], []
    for images in torch.split(x, _LOOKED_AT):
        check()
        joint = model.vae.likelihood.pairwise(images, look.outputs).add_(look.prior)
        best.append(joint.amax(1))
        enough = best[-1][:, None] - NEGLIGIBLE
        near.append(joint > enough)
        seen.append(joint.add_(look.slack) > enough)
    if not torch.cat(best).isfinite().all():
        raise DataError("The decoder's log p(x|z) is not finite; the model cannot be used.")
    matters = torch.cat(seen)
    parts = []
    many = matters.sum(1) > _MANY
    few = matters & ~many[:, None]
    if few.any():
        tile, image = few.mT.nonzero(as_tuple=True)
        kept = _look_closer(model, x, Pairs(tiling, tile, image), torch.cat(best), check)
        kept |= torch.cat(near)[image, tile]
        parts.append(Pairs(tiling, tile, image).only(kept))
    if many.any():
        larger = tiling._replace(size=_LARGER * tiling.size)
        blocks = (matters & many[:, None]).view(-1, larger.side, _LARGER, larger.side, _LARGER)
        tile, image = blocks.any(4).any(2).flatten(1).mT.nonzero(as_tuple=True)
        parts.append(Pairs(larger, tile, image))
    leaving = torch.zeros_like(many)
    for pairs in parts:
        leaving[pairs.image[pairs.tiling.outermost(pairs.tile)]] = True
    if not leaving.any() or tiling.extent >= LARGEST_EXTENT:
        return parts
    image = leaving.nonzero()[:, 0]
    staying = [pairs.only(~leaving[pairs.image]) for pairs in parts]
    return [pairs for pairs in staying if len(pairs.tile)] + [
        pairs._replace(image=image[pairs.image])
        for pairs in candidates(model, x[leaving], check, tiling.doubled())
    ]


def _look_closer(model: TrainedVAE, x: Tensor, pairs: Pairs, best: Tensor, check: Check) -> Tensor:
    """Which pairs still matter (pairs,) at a look at the tiles' quadrants; ``best`` so far (n,)."""
    tiles, owners = pairs.by_tile()
    closer = pairs.tiling.halved()
    rows = closer.quadrants(tiles)
    around = closer.with_neighbours(rows)
    look = _Look.at(model, closer, around, check)
    joints, slacks = [], []
    for quadrants in torch.searchsorted(around, rows):
        joint = model.vae.likelihood.pairwise(x[next(owners)], look.outputs[quadrants])
        joints.append(joint.add_(look.prior[quadrants]))
        slacks.append(look.slack[quadrants].expand_as(joint))
    joint = torch.cat(joints)
    best = best.scatter_reduce(0, pairs.image, joint.amax(1), "amax")
    return (joint + torch.cat(slacks)).amax(1) > best[pairs.image] - NEGLIGIBLE


class _Look(NamedTuple):
    """The middles of m tiles: ``outputs`` (m, pixels) of the decoder, ``prior`` (m,).

    ``slack`` (m,) says by how much a tile's best log-joint may exceed that of its middle.
    Between neighbours the symmetrised KL of p(x|z) is the squared distance in the decoder's Fisher
    metric. Half the sum over both axes is twice what log p(x|z) is expected to fall from a tile's
    corner to its middle, were the corner's image the truth.
    """

    outputs: Tensor
    prior: Tensor
    slack: Tensor

    @classmethod
    def of(cls, model: TrainedVAE, tiling: Tiling, check: Check) -> "_Look":
        """Of all tiles; kept for as long as the model."""
        # Of two threads that ask, the second waits for what the first computes.
        with _LOCK:
            looks = _LOOKS.setdefault(model, {})
            if tiling not in looks:
                every = torch.arange(tiling.side**2, device=model.device)
                looks[tiling] = cls.at(model, tiling, every, check)
            return looks[tiling]

    @classmethod
    def at(cls, model: TrainedVAE, tiling: Tiling, tile: Tensor, check: Check) -> "_Look":
        """Of some tiles (m,) in order; a neighbour that is not among them does not count."""
        positions = tiling.centres(tile)
        at_once = model.vae.at_once(_DECODED)
        parts = []
        for part in torch.split(positions, at_once):
            check()
            parts.append(model.vae.outputs(part))
        outputs = torch.cat(parts)
        side, likelihood = tiling.side, model.vae.likelihood
        row = tile.new_full((side**2,), -1)
        row[tile] = torch.arange(len(tile), device=tile.device)
        slack = torch.zeros_like(positions[:, 0])
        for axis in (0, 1):
            neighbours = row.view(side, side).unfold(axis, 2, 1).flatten(0, 1)
            farthest = torch.zeros_like(slack)
            # In parts, since images may be large.
            for pair in torch.split(neighbours[(neighbours >= 0).all(1)], at_once):
                check()
                first, second = outputs[pair[:, 0]], outputs[pair[:, 1]]
                natural = likelihood.natural(second) - likelihood.natural(first)
                distance = (natural * (likelihood.mean(second) - likelihood.mean(first))).sum(-1)
                farthest.scatter_reduce_(0, pair.T.flatten(), distance.repeat(2), "amax")
            slack += farthest / 2
        return cls(outputs, log_prior(positions), slack)


_LOOKS: WeakKeyDictionary[TrainedVAE, dict[Tiling, _Look]] = WeakKeyDictionary()
_LOCK = Lock()


def log_joints(
    model: TrainedVAE, x: Tensor, pairs: Pairs, check: Check
) -> Iterator[tuple[Tensor, Tensor]]:
    """log p(x, z) of each pair at the nodes of its tile.

    Yields the middle (2,) of each tile and (images that it matters to, NODES²), in nats.
    """
    tiles, owners = pairs.by_tile()
    nodes = torch.from_numpy(square(chebpts1(NODES) / 2)).to(x)
    for block in torch.split(tiles, max(1, model.vae.at_once(_DECODED) // len(nodes))):
        check()
        centres = pairs.tiling.centres(block)
        positions = centres[:, None] + nodes * pairs.tiling.size
        for centre, z, outputs in zip(
            centres, positions, model.vae.outputs(positions), strict=True
        ):
            joint = model.vae.likelihood.pairwise(x[next(owners)], outputs)
            yield centre, joint + log_prior(z)


def interpolation(along: Float64, degrees: int = NODES) -> Float64:
    """From a tile's nodes to all pairs of positions ``along`` its side, which is −1 to 1.

    (NODES², len(along)²), by Chebyshev polynomials up to ``degrees`` − 1 in each direction.
    """
    coefficients = np.linalg.inv(chebvander(chebpts1(NODES), NODES - 1))[:degrees]
    one = (chebvander(along, degrees - 1) @ coefficients).T
    return np.kron(one, one).astype(np.float64)


def square(axis: Float64) -> Float64:
    """All pairs (n², 2) of the values of ``axis`` (n,), the first of a pair outermost."""
    return np.stack([np.repeat(axis, len(axis)), np.tile(axis, len(axis))], axis=1)
