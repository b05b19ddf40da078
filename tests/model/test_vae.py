"""The ELBO against quadrature over the whole latent plane, where two dimensions make that easy."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, MultivariateNormal

from vae_explorer.model.vae import VAE

Build = Callable[..., VAE]

# A 0.1 grid over ±9: the posteriors of an untrained encoder are about 1 wide.
_AXIS = torch.arange(-9, 9.05, 0.1, dtype=torch.float64)
PLANE = torch.cartesian_prod(_AXIS, _AXIS)
CELL = 0.1**2


def _last_layer(vae: VAE) -> nn.Linear:
    layer = vae.decoder[-1]
    assert isinstance(layer, nn.Linear)
    return layer


@pytest.fixture(params=["diagonal", "full"])
def vae(request: pytest.FixtureRequest, build: Build) -> VAE:
    """A 3 × 4-pixel VAE in double precision whose decoder does depend on z."""
    vae = build((3, 4), seed=5, posterior=request.param, fourier_features=2).double()
    with torch.no_grad():
        _last_layer(vae).weight.mul_(4)
    return vae


@pytest.fixture
def x() -> Tensor:
    return torch.randint(0, 2, (12,), generator=torch.Generator().manual_seed(2)).double()


def _log_joint(vae: VAE, x: Tensor) -> Tensor:
    """log p(x, z) at every point of the plane, with torch.distributions alone."""
    prior: Any = MultivariateNormal(torch.zeros(2).double(), torch.eye(2).double())
    likelihood: Any = Bernoulli(logits=vae.outputs(PLANE))
    joint: Tensor = likelihood.log_prob(x).sum(1) + prior.log_prob(PLANE)
    return joint


@torch.inference_mode()
def test_the_mean_one_sample_elbo_is_the_integral(vae: VAE, x: Tensor) -> None:
    posterior = vae.posterior(x[None])
    q: Any = MultivariateNormal(posterior.mean[0], posterior.covariance()[0])
    log_q = q.log_prob(PLANE)
    assert log_q.exp().sum() * CELL == pytest.approx(1, abs=1e-6)
    exact = (log_q.exp() * (_log_joint(vae, x) - log_q)).sum() * CELL

    draws = 50_000
    terms = vae.elbo_terms(x.expand(draws, -1), torch.Generator().manual_seed(0))
    assert terms.elbo.shape == terms.log_likelihood.shape == terms.kl.shape == (draws,)
    assert torch.equal(terms.elbo, terms.log_likelihood - terms.kl)
    standard_error = terms.elbo.std().item() / math.sqrt(draws)
    assert standard_error < 0.02
    assert terms.elbo.mean().item() == pytest.approx(exact.item(), abs=5 * standard_error)


@torch.inference_mode()
def test_elbo_and_gap_add_up_to_the_evidence(vae: VAE, x: Tensor) -> None:
    """log p(x) = ELBO + KL(q(z|x) ‖ p(z|x)) ≥ ELBO."""
    log_joint = _log_joint(vae, x)
    evidence = log_joint.logsumexp(0) + math.log(CELL)
    posterior = vae.posterior(x[None])
    log_q = posterior.log_prob(PLANE)
    gap = (log_q.exp() * (log_q - (log_joint - evidence))).sum() * CELL
    log_likelihood = log_joint + PLANE.square().sum(1) / 2 + math.log(2 * math.pi)
    elbo = (log_q.exp() * log_likelihood).sum() * CELL - posterior.kl()[0]
    assert gap > 0
    assert (elbo + gap).item() == pytest.approx(evidence.item(), abs=1e-6)


@torch.inference_mode()
def test_a_turned_latent_space_has_the_same_evidence(vae: VAE, x: Tensor) -> None:
    evidence = _log_joint(vae, x).logsumexp(0) + math.log(CELL)
    posterior, outputs = vae.posterior(x[None]), vae.outputs(PLANE)
    rotation = torch.tensor([[0.6, 0.8], [0.8, -0.6]], dtype=torch.float64)
    vae.rotation = rotation
    turned = _log_joint(vae, x).logsumexp(0) + math.log(CELL)
    assert turned.item() == pytest.approx(evidence.item(), abs=1e-6)
    torch.testing.assert_close(vae.outputs(PLANE @ rotation.T), outputs)
    torch.testing.assert_close(vae.posterior(x[None]).mean, posterior.mean @ rotation.T)


def test_the_gradient_is_the_slope(vae: VAE, x: Tensor) -> None:
    """Along a random direction through all weights, by central differences."""
    weights = list(vae.parameters())
    random = torch.Generator().manual_seed(1)
    direction = [torch.randn(w.shape, generator=random, dtype=torch.float64) for w in weights]

    def elbo() -> Tensor:
        return vae.elbo_terms(x[None], torch.Generator().manual_seed(0)).elbo.sum()

    gradients = torch.autograd.grad(elbo(), weights)
    expected = sum((g * d).sum().item() for g, d in zip(gradients, direction, strict=True))
    step = 1e-5
    ends = []
    with torch.no_grad():
        for shift in (step, -2 * step):
            for weight, along in zip(weights, direction, strict=True):
                weight.add_(along, alpha=shift)
            ends.append(elbo().item())
    assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(expected, rel=1e-6)


def test_the_output_bias_starts_the_decoder_at_the_mean_image(build: Build) -> None:
    vae = build((2, 2))
    mean = torch.tensor([0.0, 0.25, 0.9, 1.0])
    vae.set_output_bias(mean)
    nn.init.zeros_(_last_layer(vae).weight)
    decoded = vae.outputs(torch.randn(3, 2)).sigmoid()
    # Black and white are clamped by 1e-3, so that their logits are finite.
    torch.testing.assert_close(decoded, mean.clamp(1e-3, 1 - 1e-3).expand(3, -1))
