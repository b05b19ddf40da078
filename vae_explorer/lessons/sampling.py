"""log p(x) as a mean over samples, from the prior and from a better q, beside the exact value.

With z₁ … z_m from a density r, p(x) is the mean of the weights w = p(x|z) p(z)/r(z). The first m of
a row of weights estimate it for every m at once, and its disjoint blocks of m are independent
repeats of the estimate.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from vae_explorer.latent.figures import image_figures, own_draws
from vae_explorer.latent.importance import block_bounds
from vae_explorer.latent.normal import PRIOR, Normal
from vae_explorer.latent.posterior import PosteriorGrid, posterior_grid
from vae_explorer.latent.quadrature import exact_posterior
from vae_explorer.model.gaussian import Gaussian
from vae_explorer.model.trained import Check, Images, TrainedVAE, unchecked
from vae_explorer.model.vae import log_prior
from vae_explorer.types import Float32, Float64

CHUNK = 10_000
"""Positions of one draw; the draws of a seed go on in chunks."""
REPEATS = 8
"""Curves that show how an estimate scatters, each of an eighth of the samples."""

_LEAST_BLOCKS = 8  # that an error is told from
_BRIGHT = 14.0  # nats below the heaviest so far, where a weight no longer shows
_PER_DECADE = 12


@dataclass(frozen=True, eq=False)
class Truth:
    """What quadrature knows of one image, and what the encoder makes of it.

    ``x`` (1, h, w) is the binarisation of ``image`` (1, h, w) uint8 that all numbers are of;
    ``log_marginal`` the exact log p(x), nats; ``mean`` (2,), ``covariance`` (2, 2), ``entropy`` in
    nats and ``grid`` are of p(z|x); ``q`` is the encoder's q(z|x) and ``elbo`` its ELBO in nats.
    """

    image: Images
    x: Float32
    log_marginal: float
    mean: Float64
    covariance: Float64
    entropy: float
    grid: PosteriorGrid
    q: Normal
    elbo: float

    @property
    def matched(self) -> Normal:
        """The Gaussian with the mean and covariance of p(z|x): of all, that of least KL(p ‖ q)."""
        return Normal.of(self.mean, self.covariance)

    @property
    def wide(self) -> Normal:
        """The same with twice the standard deviations: it covers the tails of p(z|x)."""
        return Normal.of(self.mean, 4 * self.covariance)

    def proposal(self, name: str) -> Normal:
        """A density to sample from: the "prior", the "encoder"'s q, "matched" or "wide"."""
        named = {"encoder": self.q, "matched": self.matched, "wide": self.wide, "prior": PRIOR}
        return named[name]

    def kl(self, proposal: Normal) -> float:
        """KL(p(z|x) ‖ proposal) in nats.

        About eᴷᴸ samples of the proposal are what importance sampling needs, and with many fewer
        it fails (Chatterjee & Diaconis, arXiv 1511.01437, theorem 1.1).
        """
        offset = self.mean - proposal.mean
        second = self.covariance + np.outer(offset, offset)
        square = float(np.trace(np.linalg.solve(proposal.covariance, second)))
        cross_entropy = math.log(2 * math.pi) + proposal.log_determinant + square / 2
        return cross_entropy - self.entropy


@dataclass(frozen=True, eq=False)
class Samples:
    """The first n positions of a row and their weights.

    ``positions`` (n, 2) float32, ``log_weights`` (n,) nats; ``log_sums`` (n,) and ``log_squares``
    (n,): log Σw and log Σw² of the first 1 … n; ``bright`` (k,): which may show beside the heaviest
    of those before them.
    """

    positions: Float32
    log_weights: Float64
    log_sums: Float64
    log_squares: Float64
    bright: NDArray[np.intp]

    @classmethod
    def of(cls, positions: Float32, log_weights: Float64) -> "Samples":
        """With all the sums."""
        heaviest = np.maximum.accumulate(log_weights)
        return cls(
            positions,
            log_weights,
            np.logaddexp.accumulate(log_weights),
            np.logaddexp.accumulate(2 * log_weights),
            np.flatnonzero(log_weights > heaviest - _BRIGHT),
        )

    def __len__(self) -> int:
        return len(self.log_weights)

    def first(self, n: int) -> "Samples":
        """The first n alone, or all if there are fewer."""
        return Samples(
            self.positions[:n],
            self.log_weights[:n],
            self.log_sums[:n],
            self.log_squares[:n],
            self.bright[: np.searchsorted(self.bright, n)],
        )

    def estimate(self, m: NDArray[np.intp]) -> Float64:
        """Log of the mean weight of the first m (k,), (k,) nats."""
        return np.asarray(self.log_sums[m - 1] - np.log(m))

    def effective(self, m: NDArray[np.intp]) -> Float64:
        """The effective sample size (Σw)²/Σw² of the first m (k,): (k,), from 1 to m."""
        return np.exp(2 * self.log_sums[m - 1] - self.log_squares[m - 1])

    def lit(self, m: int, most: int = 200) -> tuple[NDArray[np.intp], Float64]:
        """Which of the first m matter, the heaviest first, and their shares of the sum (k,)."""
        rows = self.bright[: np.searchsorted(self.bright, m)]
        rows = rows[np.argsort(self.log_weights[rows])[::-1][:most]]
        rows = rows[self.log_weights[rows] > self.log_weights[rows[0]] - _BRIGHT]
        return rows, np.exp(self.log_weights[rows] - self.log_sums[m - 1])

    def negligible(self, m: int, share: float = 1e-6) -> float:
        """The fraction of the first m that weigh less than ``share`` of the heaviest."""
        weights = self.log_weights[:m]
        return float((weights < weights.max() + math.log(share)).mean())


@dataclass(frozen=True, eq=False)
class Curve:
    """An estimate of log p(x) for every m of ``m`` (k,), nats.

    ``estimate`` (k,) is of the first m samples, ``effective`` (k,) their effective sample size.
    ``repeats`` (REPEATS, k) are of the first m of disjoint parts, NaN where those have fewer.
    ``error`` (k,) is the root mean square error of all disjoint blocks of m, NaN where they are
    fewer than eight.
    """

    m: NDArray[np.intp]
    estimate: Float64
    effective: Float64
    repeats: Float64
    error: Float64


def truth(model: TrainedVAE, image: Images, seed: int, check: Check = unchecked) -> Truth:
    """Integrate for one image (1, h, w) uint8; ``seed`` fixes its draw, see ``own_draws``.

    Raises:
        DataError: as ``TrainedVAE.encode``.
    """
    seeds = np.array([seed])
    x = own_draws(model, image, seeds)
    posterior, exact = model.encode(image), exact_posterior(model, x, check)
    return Truth(
        image,
        x,
        float(exact.log_marginal[0]),
        exact.mean[0],
        exact.covariance[0],
        float(exact.entropy[0]),
        posterior_grid(model, x, check),
        Normal.of(posterior.mean[0], posterior.covariance[0]),
        float(image_figures(model, image, seeds, check).elbo[0]),
    )


@torch.inference_mode()
def chunks(
    model: TrainedVAE,
    x: Images,
    proposal: Normal,
    seed: int = 0,
    start: int = 0,
    check: Check = unchecked,
) -> Iterator[tuple[Float32, Float64]]:
    """Positions (CHUNK, 2) and their log weights (CHUNK,) for x (1, h, w), without end.

    ``start`` leaves out this many chunks; the others are what they are in any case.
    """
    image = model.tensor(x)
    q = Gaussian.from_moments(np.array([proposal.mean]), proposal.covariance[None])
    while True:
        generator = torch.Generator().manual_seed(seed * 1_000_003 + start)
        start += 1
        z = q.sample(generator, CHUNK)[:, 0]
        weights = log_prior(z) - q.log_prob(z[:, None])[:, 0]
        positions = z.float()
        for row in range(0, CHUNK, CHUNK // 4):
            check()
            part = slice(row, row + CHUNK // 4)
            outputs = model.vae.outputs(positions[part])
            weights[part] += model.vae.likelihood.pairwise(image, outputs)[0]
        yield positions.numpy(), weights.numpy()


def extended(
    samples: Samples | None, stream: Iterator[tuple[Float32, Float64]], count: int
) -> Samples:
    """With further chunks of ``stream`` up to ``count``, a multiple of CHUNK."""
    have = len(samples) if samples else 0
    found = [next(stream) for _ in range((count - have) // CHUNK)]
    if samples:
        found.insert(0, (samples.positions, samples.log_weights))
    positions, weights = (np.concatenate(part) for part in zip(*found, strict=True))
    return Samples.of(positions, weights)


def draw(
    model: TrainedVAE,
    x: Images,
    proposal: Normal,
    samples: int,
    seed: int = 0,
    check: Check = unchecked,
) -> Samples:
    """That many positions for x (1, h, w), a draw of the model's data treatment."""
    whole = -(-samples // CHUNK) * CHUNK
    found = extended(None, chunks(model, x, proposal, seed, check=check), whole)
    return found.first(samples)


def rungs(samples: int) -> NDArray[np.intp]:
    """Numbers from 1 to ``samples`` (k,), about evenly spaced on a logarithmic axis."""
    count = 1 + math.ceil(_PER_DECADE * math.log10(samples))
    return np.unique(np.rint(np.geomspace(1, samples, count)).astype(np.intp))


def curve(samples: Samples, log_marginal: float) -> Curve:
    """How the estimate goes on with m, and how far it is off ``log_marginal``, nats."""
    n = len(samples)
    m = rungs(n)
    part = n // REPEATS
    repeats = np.full((REPEATS, len(m)), np.nan)
    some = m[m <= part]
    if len(some):
        parts = samples.log_weights[: REPEATS * part].reshape(REPEATS, part)
        sums = np.logaddexp.accumulate(parts, axis=1)
        repeats[:, : len(some)] = sums[:, some - 1] - np.log(some)
    error = np.array([block_error(samples.log_weights, int(size), log_marginal) for size in m])
    return Curve(m, samples.estimate(m), samples.effective(m), repeats, error)


def block_error(log_weights: Float64, m: int, log_marginal: float) -> float:
    """Root mean square error in nats of the estimates by disjoint blocks of m; NaN below eight."""
    if len(log_weights) // m < _LEAST_BLOCKS:
        return math.nan
    return math.sqrt(float(np.mean((block_bounds(log_weights, m) - log_marginal) ** 2)))
