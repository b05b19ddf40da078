"""log p(x) = ELBO + KL(q ‖ p(z|x)) for any Gaussian q over the latent plane.

Kingma and Welling, arXiv 1312.6114, eq. 1-3; arXiv 1906.02691, §2.2. All values are float64 nats.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch

from vae_explorer.latent.landscape import likelihood_landscape
from vae_explorer.latent.manifold import middles
from vae_explorer.latent.normal import Normal
from vae_explorer.model.trained import Check, Images, TrainedVAE, unchecked
from vae_explorer.model.vae import log_prior
from vae_explorer.types import Float64, Region

PLACES = 1_500
"""At which the decoder is called for one bound, if no more are asked for."""

_REACH = 5.5  # standard deviations of q, as far as is summed
_STEP = 0.95  # standard deviations between the positions of a sum
_FINE_STEP = 0.035  # latent units; log p(x|z) of an MNIST model has no finer detail
_DECODED = 2_048  # positions in one call of the decoder


@dataclass(frozen=True)
class Bound:
    """The parts of log p(x) under ``q``.

    ``log_likelihood`` is E_q[log p(x|z)], ``kl_prior`` KL(q ‖ p(z)), ``kl_posterior``
    KL(q ‖ p(z|x)). ``error`` is what the sums over z are estimated to be off by, ``positions`` how
    many they have.
    """

    q: Normal
    log_marginal: float
    log_likelihood: float
    kl_prior: float
    kl_posterior: float
    error: float
    positions: int

    @property
    def elbo(self) -> float:
        """E_q[log p(x|z)] − KL(q ‖ p(z))."""
        return self.log_likelihood - self.kl_prior


def bound(
    model: TrainedVAE,
    x: Images,
    q: Normal,
    log_marginal: float,
    positions: int = PLACES,
    check: Check = unchecked,
) -> Bound:
    """The two terms of the ELBO and the gap above it, each by a sum of its own.

    The ELBO and KL(q ‖ p(z|x)) = E_q[log q(z) − log p(z|x)] are summed over two lattices that have
    no point in common: by the trapezoidal rule, which converges faster than any power for a smooth
    function under a Gaussian (Trefethen and Weideman, SIAM Review 56, 2014). So they add up to
    log p(x) to within ``Bound.error``, by how much the two lattices differ about
    E_q[log p(x|z)]. That says nothing of ``log_marginal``, which normalises p(z|x): a wrong one
    would make the KL wrong by as much.

    Args:
        model: gives p(x|z).
        x: one image (1, h, w), already data-treated.
        q: the Gaussian.
        log_marginal: log p(x) as ``exact_posterior`` has it.
        positions: at most about so many; a wide q needs more than a narrow one for the same error.
        check: called between chunks of work; what it raises ends it.

    Raises:
        DataError: as ``TrainedVAE.encode``.
    """
    steps = _steps(q, positions)
    log_likelihoods = []
    kl_posterior, count = 0.0, 0
    for shift in (0.0, 0.5):
        t, weights = _lattice(steps, shift)
        z = np.array(q.mean) + t @ q.factor.T
        found = _log_likelihood(model, x, z, check)
        log_likelihoods.append(float(weights @ found))
        log_q = log_prior(t) - q.log_determinant
        kl_posterior = float(weights @ (log_q - (found + log_prior(z) - log_marginal)))
        count += len(t)
    first, second = log_likelihoods
    return Bound(q, log_marginal, first, q.kl_prior(), kl_posterior, abs(first - second), count)


def log_posterior(
    model: TrainedVAE,
    x: Images,
    region: Region,
    shape: tuple[int, int],
    log_marginal: float,
    check: Check = unchecked,
) -> Float64:
    """log p(z|x) over a region, laid out as ``likelihood_landscape``, whose errors it raises."""
    likelihood = likelihood_landscape(model, x, region, shape, check)
    prior = log_prior(middles(region, shape).astype(np.float64)).reshape(shape)
    return np.asarray(likelihood + prior - log_marginal)


def _steps(q: Normal, positions: int) -> Float64:
    """Between positions along either axis of q, in its widths; both lattices have ``positions``."""
    steps = np.minimum(_STEP, _FINE_STEP / np.array(q.widths))
    for _ in range(2):  # what one axis cannot give up, the other must
        excess = 2 * math.pi * _REACH**2 / steps.prod() / positions
        if excess > 1:
            free = steps < _STEP
            steps[free] *= excess ** (1 / max(1, free.sum()))
            steps = np.minimum(steps, _STEP)
    return steps


def _lattice(steps: Float64, shift: float) -> tuple[Float64, Float64]:
    """Points (n, 2) in the disc of ``_REACH``, ``shift`` steps off, and their weights (n,)."""
    axes = []
    for step in steps.tolist():
        most = math.ceil(_REACH / step)
        axes.append((np.arange(-most, most + 1) + shift) * step)
    t = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    t = t[(t**2).sum(1) <= _REACH**2]
    weights = np.exp(-0.5 * (t**2).sum(1))
    return t, weights / weights.sum()


@torch.inference_mode()
def _log_likelihood(model: TrainedVAE, x: Images, z: Float64, check: Check) -> Float64:
    """log p(x|z) at positions (n, 2), (n,)."""
    image, parts = model.tensor(x), []
    for part in torch.split(torch.from_numpy(z).float().to(model.device), _DECODED):
        check()
        parts.append(model.vae.log_likelihood(image, part[:, None])[:, 0])
    return torch.cat(parts).double().cpu().numpy()
