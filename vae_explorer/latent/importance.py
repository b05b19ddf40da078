"""Estimates of log p(x) by importance sampling, and how far they can be trusted.

With z₁ … z_S from a proposal r, p(x) is the mean of the weights w = p(x|z) p(z) / r(z). The
proposal is the encoder's q(z|x) or the prior. Everywhere ``x`` is (n, h, w), a draw of the model's
data treatment (``TrainedVAE.treated``), ``seed`` fixes all noise and ``check`` is called between
chunks: what it raises ends the work. Errors are those of ``TrainedVAE.encode``.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vae_explorer.model.trained import Check, Images, TrainedVAE, unchecked
from vae_explorer.model.vae import VAE, log_prior
from vae_explorer.types import Float64

PROPOSALS = ("posterior", "prior")
RUNGS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)

_PLACES = 4_096  # decoded at once
_WEIGHTS = 4_000_000  # held at once
_TAIL = 5  # fewer weights say nothing about a tail
_ROUNDING = 1e-3  # nats, of a log-likelihood in float32


@dataclass(frozen=True)
class ImportanceEstimate:
    """Importance sampling with ``samples`` places for each of n images.

    ``value`` (n,) is the logarithm of the mean weight in nats, in expectation a lower bound on
    log p(x); ``effective_sample_size`` (n,) is (Σw)²/Σw², 1 to ``samples``; ``pareto_k`` (n,) says
    how heavy the weights' upper tail is, see ``pareto_shape``.
    """

    value: Float64
    effective_sample_size: Float64
    pareto_k: Float64
    samples: int

    @property
    def verdict(self) -> NDArray[np.str_]:
        """``verdict`` of each image, (n,)."""
        return verdict(self.pareto_k, self.samples)


@dataclass(frozen=True)
class Ladder:
    """The mean over images of IWAE-k for every k of ``ks``, each (len(ks),) float64 nats.

    ``standard_error`` is that of another set of images; ``noise`` is the Monte-Carlo standard error
    for these very images. With fewer than ten blocks of k samples, ``noise`` is from linearising
    the logarithm and, where the weights have a heavy tail, too small; of one sample there is none,
    and of no images nothing: NaN.
    """

    ks: tuple[int, ...]
    mean: Float64
    standard_error: Float64
    noise: Float64


def verdict(pareto_k: Float64, samples: int) -> NDArray[np.str_]:
    """Say "good", "biased" or "unreliable" for each k̂ (Vehtari et al., arXiv 1507.02646, §3.2.4).

    Good is k̂ < min(1 − 1/log₁₀ S, 0.7); up to 1 the bias dominates the error; beyond, the weights
    have no mean that S of them would tell.
    """
    threshold = min(1 - 1 / math.log10(max(samples, 10)), 0.7)
    return np.select([pareto_k < threshold, pareto_k <= 1], ["good", "biased"], "unreliable")


@torch.inference_mode()
def importance_weights(
    model: TrainedVAE,
    x: Images,
    samples: int,
    seed: int = 0,
    proposal: str = "posterior",
    check: Check = unchecked,
) -> Float64:
    """Log w of every image at each of its places, (n, samples) nats.

    From the prior, all images share the same places, and so their errors are not independent.
    """
    parts = [w.cpu().numpy() for w in _log_weights(model, x, samples, seed, proposal, check)]
    return np.concatenate(parts) if parts else np.empty((0, samples))


@torch.inference_mode()
def importance_estimate(
    model: TrainedVAE,
    x: Images,
    samples: int,
    seed: int = 0,
    proposal: str = "posterior",
    check: Check = unchecked,
) -> ImportanceEstimate:
    """log p(x) of each image, with what tells whether to believe it."""
    value, size, shape = [np.empty(0)], [np.empty(0)], [np.empty(0)]
    for weights in _log_weights(model, x, samples, seed, proposal, check):
        total = weights.logsumexp(1)
        value.append((total - math.log(samples)).cpu().numpy())
        size.append((2 * total - (2 * weights).logsumexp(1)).exp().cpu().numpy())
        shape.append(np.array([pareto_shape(row) for row in weights.cpu().numpy()]))
    return ImportanceEstimate(
        np.concatenate(value), np.concatenate(size), np.concatenate(shape), samples
    )


def naive_monte_carlo(
    model: TrainedVAE,
    x: Images,
    samples: int,
    seed: int = 0,
    check: Check = unchecked,
) -> ImportanceEstimate:
    """log p(x) as the mean of p(x|z) over z from the prior, few of which come near x's digit."""
    return importance_estimate(model, x, samples, seed, "prior", check)


@torch.inference_mode()
def iwae(
    model: TrainedVAE,
    x: Images,
    k: int,
    seed: int = 0,
    check: Check = unchecked,
) -> Float64:
    """The k-sample bound of each image, (n,) nats (Burda et al., arXiv 1509.00519, eq. 8)."""
    parts = _log_weights(model, x, k, seed, "posterior", check)
    values = [(weights.logsumexp(1) - math.log(k)).cpu().numpy() for weights in parts]
    return np.concatenate([np.empty(0), *values])


@torch.inference_mode()
def iwae_ladder(
    model: TrainedVAE,
    x: Images,
    ks: Sequence[int] = RUNGS,
    seed: int = 0,
    proposal: str = "posterior",
    check: Check = unchecked,
) -> Ladder:
    """IWAE-k for rising k, all from one set of max(ks) weights an image.

    Each k takes as many disjoint blocks of k weights as there are and averages their bounds, each
    an unbiased estimate of IWAE-k.
    """
    samples, n = max(ks), len(x)
    values: list[list[Float64]] = [[] for _ in ks]
    blocks = [torch.zeros(samples // k, dtype=torch.float64) for k in ks]  # summed over images
    shares = [torch.zeros(samples // k, k, dtype=torch.float64) for k in ks]
    for weights in _log_weights(model, x, samples, seed, proposal, check):
        for rung, k in enumerate(ks):
            count = samples // k
            block = weights[:, : count * k].reshape(-1, count, k).cpu()
            bound = block.logsumexp(2) - math.log(k)
            values[rung].append(bound.mean(1).numpy())
            blocks[rung] += bound.sum(0)
            shares[rung] += block.softmax(2).sum(0)
    if not n:
        unknown = np.full(len(ks), np.nan)
        return Ladder(tuple(ks), unknown, unknown, unknown)
    each = np.array([np.concatenate(value) for value in values])
    noise = [_noise(b / n, s / n) for b, s in zip(blocks, shares, strict=True)]
    spread = each.std(1, ddof=1) if n > 1 else np.full(len(ks), np.nan)
    return Ladder(tuple(ks), each.mean(1), spread / math.sqrt(n), np.array(noise))


def _noise(bounds: Tensor, shares: Tensor) -> float:
    """The standard error of the mean over B blocks, of bounds (B,) and normalised weights (B, k).

    Both are means over the images, so that noise which they share is not taken for independent.
    """
    count, k = shares.shape
    if count * k == 1:
        return math.nan
    if count >= 10 or count > k:  # within few weights there is no spread to linearise
        return bounds.std().item() / math.sqrt(count)
    # d log Σw / d log w is the normalised weight (the infinitesimal jackknife).
    return (shares - 1 / k).square().sum().sqrt().item() / count


def pareto_shape(log_weights: Float64) -> float:
    """k̂: the generalised Pareto shape of the largest min(S/5, 3√S) of the weights (S,).

    As in Pareto-smoothed importance sampling (Vehtari et al., arXiv 1507.02646, §3.1 and appendix
    C): about 1/k̂ moments of the weights exist. −infinite where the largest are equal but for
    rounding; infinite where fewer than five make a tail.
    """
    samples = len(log_weights)
    tail = math.ceil(min(samples / 5, 3 * math.sqrt(samples)))
    if tail < _TAIL:
        return math.inf
    largest = np.partition(log_weights, samples - tail - 1)[samples - tail - 1 :]
    largest -= largest.max()
    if largest.min() > -_ROUNDING:
        return -math.inf
    weights = np.exp(np.maximum(largest, -650))
    exceedances = weights[weights > weights.min()] - weights.min()
    if len(exceedances) < _TAIL:
        return math.inf
    shape, _ = fit_generalized_pareto(exceedances)
    # As if ten more exceedances had said k = 1/2.
    return (len(exceedances) * shape + 10 * 0.5) / (len(exceedances) + 10)


def fit_generalized_pareto(exceedances: Float64) -> tuple[float, float]:
    """Shape and scale of a generalised Pareto distribution on [0, ∞) for positive values (M,).

    The empirical Bayes estimate of Zhang & Stephens (Technometrics 51, 2009, eq. 3-8), whose k has
    the opposite sign: here k > 0 is a heavy tail.
    """
    ordered = np.sort(exceedances)
    count = len(ordered)
    points = 30 + math.isqrt(count)
    quartile = ordered[int(count / 4 + 0.5) - 1]
    steps = 1 - np.sqrt(points / (np.arange(points) + 0.5))
    theta = 1 / ordered[-1] + steps / (3 * quartile)
    shape = np.log1p(-theta[:, None] * ordered).mean(1)
    profile = count * (np.log(-theta / shape) - shape - 1)
    posterior = np.exp(profile - profile.max())
    best = float(posterior @ theta / posterior.sum())
    k = float(np.log1p(-best * ordered).mean())
    return k, -k / best


def _log_weights(
    model: TrainedVAE,
    x: Images,
    samples: int,
    seed: int,
    proposal: str,
    check: Check,
) -> Iterator[Tensor]:
    """Log w of some images at a time, (m, samples) float64, in their order."""
    if proposal not in PROPOSALS:
        raise ValueError(f"no proposal {proposal!r}")
    if not len(x):
        return
    device = model.device
    generator = torch.Generator(device).manual_seed(seed)
    weigh = _weigh_prior if proposal == "prior" else _weigh_posterior
    for images in torch.split(model.tensor(x), max(1, _WEIGHTS // samples)):
        weights = torch.empty(len(images), samples, dtype=torch.float64, device=device)
        weigh(model.vae, images, weights, generator, check)
        yield weights
        if proposal == "prior":
            generator.manual_seed(seed)  # the same places again


def _weigh_prior(
    vae: VAE, x: Tensor, weights: Tensor, generator: torch.Generator, check: Check
) -> None:
    for columns in torch.split(weights, _PLACES, dim=1):
        check()
        z = x.new_empty(columns.shape[1], 2).normal_(generator=generator)
        columns.copy_(vae.likelihood.pairwise(x, vae.outputs(z)))


def _weigh_posterior(
    vae: VAE, x: Tensor, weights: Tensor, generator: torch.Generator, check: Check
) -> None:
    for rows, images in zip(torch.split(weights, 64), torch.split(x, 64), strict=True):
        posterior = vae.posterior(images)
        for columns in torch.split(rows, _PLACES // len(images), dim=1):
            check()
            z = posterior.sample(generator, columns.shape[1])
            joint = vae.log_likelihood(images, z) + log_prior(z)
            columns.copy_((joint - posterior.log_prob(z)).mT)
