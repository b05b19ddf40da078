"""The hand-written Gaussian against torch.distributions, sampling and a linear-Gaussian model."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal, kl_divergence

from vae_explorer.model.gaussian import OUTPUTS, Gaussian

# torch.distributions has no type hints for log_prob; Any lets a strict checker pass.
PRIOR: Any = MultivariateNormal(torch.zeros(2).double(), torch.eye(2).double())


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _outputs(count: int, posterior: str) -> Tensor:
    """What an encoder might say, in double precision and short of the clamp."""
    noise = torch.randn(count, OUTPUTS[posterior], generator=_generator(), dtype=torch.float64)
    return noise * torch.tensor([3, 3, 0.7, 0.7, 2])[: OUTPUTS[posterior]]


def _reference(outputs: Tensor) -> Any:
    """The same Gaussians, built entry by entry."""
    factor = torch.zeros(len(outputs), 2, 2, dtype=outputs.dtype)
    factor[:, 0, 0] = outputs[:, 2].exp()
    factor[:, 1, 1] = outputs[:, 3].exp()
    if outputs.shape[1] == 5:
        factor[:, 1, 0] = outputs[:, 4]
    return MultivariateNormal(outputs[:, :2], scale_tril=factor)


@pytest.fixture(params=OUTPUTS)
def outputs(request: pytest.FixtureRequest) -> Tensor:
    return _outputs(500, request.param)


def test_factor_and_covariance(outputs: Tensor) -> None:
    gaussian, reference = Gaussian.from_outputs(outputs), _reference(outputs)
    torch.testing.assert_close(gaussian.scale_tril(), reference.scale_tril)
    torch.testing.assert_close(gaussian.covariance(), reference.covariance_matrix)


def test_kl_to_the_prior(outputs: Tensor) -> None:
    expected = kl_divergence(_reference(outputs), PRIOR)
    torch.testing.assert_close(Gaussian.from_outputs(outputs).kl(), expected)


def test_log_prob(outputs: Tensor) -> None:
    z = torch.randn(len(outputs), 2, generator=_generator(1), dtype=torch.float64) * 3
    expected = _reference(outputs).log_prob(z)
    torch.testing.assert_close(Gaussian.from_outputs(outputs).log_prob(z), expected)


def test_log_prob_takes_several_places_for_each(outputs: Tensor) -> None:
    z = torch.randn(3, 4, len(outputs), 2, generator=_generator(1), dtype=torch.float64)
    expected = _reference(outputs).log_prob(z)
    torch.testing.assert_close(Gaussian.from_outputs(outputs).log_prob(z), expected)


def test_noise_is_mapped_by_mean_and_factor(outputs: Tensor) -> None:
    noise = torch.randn(3, len(outputs), 2, generator=_generator(1), dtype=torch.float64)
    reference = _reference(outputs)
    expected = reference.loc + torch.einsum("nij,snj->sni", reference.scale_tril, noise)
    torch.testing.assert_close(Gaussian.from_outputs(outputs).transform(noise), expected)


def test_several_samples_are_several_draws_for_each(outputs: Tensor) -> None:
    z = Gaussian.from_outputs(outputs).sample(_generator(), 4)
    assert z.shape == (4, len(outputs), 2)
    assert len(z.unique(dim=0)) == 4


@pytest.mark.parametrize("mirror", [1, -1], ids=["rotation", "reflection"])
def test_turning_maps_every_place(outputs: Tensor, mirror: int) -> None:
    sine, cosine = math.sin(2.2), math.cos(2.2)
    rows = [[cosine, -mirror * sine], [sine, mirror * cosine]]
    rotation = torch.tensor(rows, dtype=torch.float64)
    gaussian, reference = Gaussian.from_outputs(outputs), _reference(outputs)
    turned = gaussian.turned(rotation)
    torch.testing.assert_close(turned.mean, (rotation @ reference.loc.mT).mT)
    covariance = rotation @ reference.covariance_matrix @ rotation.T
    torch.testing.assert_close(turned.covariance(), covariance)
    torch.testing.assert_close(turned.scale_tril(), torch.linalg.cholesky(covariance))
    torch.testing.assert_close(turned.kl(), gaussian.kl())
    z = torch.randn(len(outputs), 2, generator=_generator(1), dtype=torch.float64)
    torch.testing.assert_close(turned.log_prob(z @ rotation.T), reference.log_prob(z))
    assert gaussian.turned(None) is gaussian


def test_no_gradient_flows_through_a_detached_copy(outputs: Tensor) -> None:
    given = outputs.clone().requires_grad_()
    gaussian = Gaussian.from_outputs(given)
    detached = gaussian.detach()
    assert gaussian.kl().requires_grad
    assert not detached.kl().requires_grad
    assert torch.equal(detached.scale_tril(), gaussian.scale_tril())
    assert torch.equal(detached.mean, gaussian.mean)


def test_the_prior_itself_has_no_divergence() -> None:
    assert Gaussian.from_outputs(torch.zeros(3, 5)).kl().tolist() == [0, 0, 0]


@pytest.mark.parametrize("posterior", OUTPUTS)
def test_kl_is_the_mean_log_ratio_of_samples(posterior: str) -> None:
    draws = 100_000
    outputs = torch.tensor([[1.0, -0.5, -0.7, 0.2, 0.6]]).double()[:, : OUTPUTS[posterior]]
    gaussian = Gaussian.from_outputs(outputs.expand(draws, -1))
    z = gaussian.sample(_generator())
    ratio = gaussian.log_prob(z) - PRIOR.log_prob(z)
    standard_error = ratio.std() / math.sqrt(draws)
    assert (ratio.mean() - gaussian.kl()[0]).abs() < 5 * standard_error < 0.05


@pytest.mark.parametrize("posterior", OUTPUTS)
def test_samples_have_the_mean_and_covariance(posterior: str) -> None:
    draws = 100_000
    outputs = torch.tensor([[1.0, -2.0, -0.5, 0.3, -1.2]]).double()[:, : OUTPUTS[posterior]]
    gaussian = Gaussian.from_outputs(outputs.expand(draws, -1))
    z, covariance = gaussian.sample(_generator())[0], gaussian.covariance()[0]
    variances = covariance.diagonal()
    mean_error = (variances / draws).sqrt()
    assert ((z.mean(0) - gaussian.mean[0]).abs() < 5 * mean_error).all()
    # Var Ŝᵢⱼ = (Σᵢᵢ Σⱼⱼ + Σᵢⱼ²) / n for a Gaussian.
    covariance_error = ((torch.outer(variances, variances) + covariance.square()) / draws).sqrt()
    assert ((z.T.cov() - covariance).abs() < 5 * covariance_error).all()


def test_sampling_draws_only_from_its_generator(outputs: Tensor) -> None:
    gaussian, before = Gaussian.from_outputs(outputs), torch.get_rng_state()
    first = gaussian.sample(_generator(7))
    torch.randn(3)
    assert torch.equal(first, gaussian.sample(_generator(7)))
    assert not torch.equal(first, gaussian.sample(_generator(8)))
    torch.set_rng_state(before)
    gaussian.sample(_generator(7))
    assert torch.equal(torch.get_rng_state(), before)


def test_gradients_are_finite_differences(outputs: Tensor) -> None:
    few = outputs[:4].clone().requires_grad_()
    z = outputs[4:8, :2]
    checks = [
        lambda given: Gaussian.from_outputs(given).kl(),
        lambda given: Gaussian.from_outputs(given).log_prob(z),
        lambda given: Gaussian.from_outputs(given).sample(_generator()),
    ]
    for function in checks:
        assert torch.autograd.gradcheck(function, few)


@pytest.mark.parametrize("value", [-1e6, 1e6])
def test_an_extreme_encoder_cannot_overflow(value: float) -> None:
    outputs = torch.tensor([[0.5, -0.5, value, value, 0.1]])
    gaussian = Gaussian.from_outputs(outputs)
    limit = math.exp(3) if value > 0 else math.exp(-9)
    torch.testing.assert_close(gaussian.scale_tril(), torch.tensor([[[limit, 0.0], [0.1, limit]]]))
    for figure in (gaussian.kl(), gaussian.log_prob(gaussian.mean), gaussian.covariance()):
        assert figure.isfinite().all()


def test_the_elbo_of_a_linear_gaussian_model_is_its_evidence() -> None:
    """x = W z + b + s ε: the exact posterior is a full Gaussian and log p(x) has a closed form."""
    pixels, noise = 12, 0.4
    random = _generator()
    weights = torch.randn(pixels, 2, generator=random, dtype=torch.float64)
    offset = torch.randn(pixels, generator=random, dtype=torch.float64)
    x = torch.randn(pixels, generator=random, dtype=torch.float64)
    covariance = torch.linalg.inv(torch.eye(2) + weights.T @ weights / noise**2)
    mean = covariance @ weights.T @ (x - offset) / noise**2
    factor = torch.linalg.cholesky(covariance)
    posterior = Gaussian(mean[None], factor.diagonal().log()[None], factor[1, 0][None])

    residual = (x - offset - weights @ mean).square().sum()
    spread = torch.trace(weights @ posterior.covariance()[0] @ weights.T)
    expected_log_likelihood = -0.5 * (residual + spread) / noise**2 - pixels * math.log(
        noise * math.sqrt(2 * math.pi)
    )
    marginal = weights @ weights.T + noise**2 * torch.eye(pixels)
    evidence: Any = MultivariateNormal(offset, marginal)
    elbo = expected_log_likelihood - posterior.kl()[0]
    torch.testing.assert_close(elbo, evidence.log_prob(x))
