"""Two estimators of the gradient of an expectation E_q[f(z)] by the parameters of q.

The **score function** (Williams, *REINFORCE*, Machine Learning 8, 1992) weighs the gradient of
log q(z) by f(z). The **path-wise** one (Kingma & Welling, arXiv 1312.6114, §2.4) writes z = μ + σ ε
and lets the gradient flow through z into f. Mohamed et al. (arXiv 1906.10652) compare them, the
first in §4, the second in §5, and control variates in §7.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vae_explorer.latent.normal import gauss_hermite
from vae_explorer.model.gaussian import Gaussian
from vae_explorer.model.trained import Check, Images, TrainedVAE, unchecked
from vae_explorer.types import Float64, Floats

_REACH, _NODES = 10.0, 2_001  # of the sum that gives exact moments of a function of one number
_ELBO_NODES = 24  # along each axis of the exact gradient of an ELBO
_PLACES = 256  # decoded at once


class Function(NamedTuple):
    """f(z) and f′(z) for z (m,), and the exact E f and its gradient by μ and σ."""

    name: str
    value: Callable[[Float64], Float64]
    slope: Callable[[Float64], Float64]
    expectation: Callable[[float, float], float]
    gradient: Callable[[float, float], tuple[float, float]]


@dataclass(frozen=True)
class Draws:
    """m draws from q and what a gradient by d parameters is made of.

    ``values`` (m,) are f(z), ``scores`` (m, d) the gradients of log q(z), ``pathwise`` (m, d) those
    of f through z. ``known`` (d,) is a part of the gradient that needs no draw, ``exact`` (d,) the
    whole gradient.
    """

    values: Float64
    scores: Float64
    pathwise: Float64
    known: Float64
    exact: Float64

    def score_function(self, samples: int = 1, baseline: bool = False) -> Float64:
        """Estimates from ``samples`` draws each, (m // samples, d).

        With a ``baseline`` the mean of f over all other draws is taken from each f(z). It tells
        nothing of the z that it is used at, so the estimate remains unbiased.
        """
        values = self.values
        if baseline:
            values = (values - values.mean()) * (len(values) / (len(values) - 1))
        return averaged(values[:, None] * self.scores + self.known, samples)

    def path_wise(self, samples: int = 1) -> Float64:
        """Estimates from ``samples`` draws each, (m // samples, d)."""
        return averaged(self.pathwise + self.known, samples)


def averaged(gradients: Float64, samples: int) -> Float64:
    """The means (m // samples, d) of this many rows of (m, d) each."""
    count = len(gradients) // samples
    return np.asarray(gradients[: count * samples].reshape(count, samples, -1).mean(1))


def noise(count: int, seed: int) -> Float64:
    """Draws (count,) from N(0, 1)."""
    return np.random.default_rng(seed).standard_normal(count)


def draws(function: Function, mean: float, sigma: float, epsilon: Float64) -> Draws:
    """Of f(z) with z = mean + sigma · ε, ε (m,); the parameters are μ and σ."""
    z = mean + sigma * epsilon
    scores = np.column_stack([epsilon, epsilon**2 - 1]) / sigma
    slope = function.slope(z)
    pathwise = np.column_stack([slope, slope * epsilon])
    exact = np.array(function.gradient(mean, sigma))
    return Draws(function.value(z), scores, pathwise, np.zeros(2), exact)


def exact_variances(
    function: Function, mean: float, sigma: float, baseline: bool = False
) -> tuple[Float64, Float64]:
    """The variances (2,) by μ and σ of one draw: of the score function and of the path-wise one.

    By a fine sum over ε. The baseline is here E f itself, that of infinitely many draws.
    """
    epsilon = np.linspace(-_REACH, _REACH, _NODES)
    weights = np.exp(-0.5 * epsilon**2)
    weights /= weights.sum()
    drawn = draws(function, mean, sigma, epsilon)
    values = drawn.values - (weights @ drawn.values if baseline else 0.0)
    scores = values[:, None] * drawn.scores
    return _variance(scores, weights), _variance(drawn.pathwise, weights)


def elbo_draws(
    model: TrainedVAE,
    x: Images,
    mean: Floats,
    covariance: Floats,
    count: int,
    seed: int = 0,
    check: Check = unchecked,
) -> Draws:
    """Of log p(x|z) under q = N(mean (2,), covariance (2, 2)) = N(μ, L Lᵀ), for one image.

    ``x`` is (1, h, w), data-treated. The parameters are μ (2), in latent units, and the logarithms
    of L's diagonal (2); what is estimated is the gradient of the ELBO, of which that of −KL is
    known. ``exact`` is a Gauss-Hermite sum over 24 × 24 positions of z.

    Raises:
        DataError: as ``TrainedVAE.encode``.
    """
    image = model.tensor(x)
    q = Gaussian.from_moments(mean[None], covariance[None])
    factor = q.scale_tril()[0].numpy()
    known = -np.concatenate([mean, np.diag(factor) ** 2 - 1])
    nodes, weights = gauss_hermite(_ELBO_NODES)
    _, slopes = _log_likelihood(model, image, q, nodes, check)
    exact = weights @ _through(slopes, nodes, factor) + known
    epsilon = np.random.default_rng(seed).standard_normal((count, 2))
    values, slopes = _log_likelihood(model, image, q, epsilon, check)
    by_mean = epsilon @ np.linalg.inv(factor)  # rows of L⁻ᵀ ε
    scores = np.column_stack([by_mean, by_mean * np.diag(factor) * epsilon - 1])
    return Draws(values, scores, _through(slopes, epsilon, factor), known, exact)


def _log_likelihood(
    model: TrainedVAE, image: Tensor, q: Gaussian, epsilon: Float64, check: Check
) -> tuple[Float64, Float64]:
    """log p(x|z) (m,) and its gradient (m, 2) by z, at z = μ + L ε, ε (m, 2)."""
    values, slopes = [], []
    for part in torch.split(torch.from_numpy(epsilon)[:, None], _PLACES):
        check()
        z = q.transform(part).float().requires_grad_()
        value = model.vae.log_likelihood(image, z)
        (slope,) = torch.autograd.grad(value.sum(), z)
        values.append(value.detach()[:, 0].double().numpy())
        slopes.append(slope[:, 0].double().numpy())
    return np.concatenate(values), np.concatenate(slopes)


def _through(slopes: Float64, epsilon: Float64, factor: Float64) -> Float64:
    """Gradients (m, 4) by μ and log L₁₁, log L₂₂ from those by z (m, 2): z = μ + L ε."""
    return np.column_stack([slopes, slopes * np.diag(factor) * epsilon])


def _variance(gradients: Float64, weights: Float64) -> Float64:
    mean = weights @ gradients
    return np.asarray(weights @ (gradients - mean) ** 2)


def _normal_density(u: float) -> float:
    return math.exp(-0.5 * u**2) / math.sqrt(2 * math.pi)


def _shrunk(sigma: float) -> float:
    return math.exp(-(sigma**2) / 2)


FUNCTIONS = {
    "square": Function(
        "z²",
        np.square,
        lambda z: 2 * z,
        lambda mean, sigma: mean**2 + sigma**2,
        lambda mean, sigma: (2 * mean, 2 * sigma),
    ),
    "sine": Function(
        "sin z",
        np.sin,
        np.cos,
        lambda mean, sigma: math.sin(mean) * _shrunk(sigma),
        lambda mean, sigma: (
            math.cos(mean) * _shrunk(sigma),
            -sigma * math.sin(mean) * _shrunk(sigma),
        ),
    ),
    "step": Function(
        "1 where z > 0, else 0",
        lambda z: (z > 0).astype(np.float64),
        np.zeros_like,
        lambda mean, sigma: 0.5 * math.erfc(-mean / sigma / math.sqrt(2)),
        lambda mean, sigma: (
            _normal_density(mean / sigma) / sigma,
            -mean / sigma**2 * _normal_density(mean / sigma),
        ),
    ),
}
