"""The bound against closed forms, Gauss-Hermite sums and the exact log p(x)."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import MultivariateNormal, kl_divergence

from tests.support.linear_gaussian import LinearGaussian
from vae_explorer.data.bundled import mnist
from vae_explorer.latent.figures import own_draws
from vae_explorer.latent.gap import elbo_of
from vae_explorer.latent.normal import Normal
from vae_explorer.latent.quadrature import ExactPosterior, exact_posterior
from vae_explorer.lessons.bound import Bound, bound, log_posterior
from vae_explorer.model.gaussian import Gaussian
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.types import Float32

DIGITS = [0, 1, 4]


@pytest.fixture(scope="module")
def x(model: TrainedVAE) -> Float32:
    """Three training digits."""
    return own_draws(model, mnist("train").images[DIGITS], np.array(DIGITS))


@pytest.fixture(scope="module")
def exact(model: TrainedVAE, x: Float32) -> ExactPosterior:
    return exact_posterior(model, x)


def surplus(found: Bound) -> float:
    """How far the parts are from adding up."""
    return found.elbo + found.kl_posterior - found.log_marginal


@pytest.mark.parametrize("widths", [(0.02, 0.02), (0.3, 0.1), (1.0, 0.02)])
def test_every_part_of_a_linear_gaussian_model(widths: tuple[float, float]) -> None:
    linear = LinearGaussian(0.5)
    image, flat = linear.images([[0.1, -0.2]])
    q = Normal((0.2, -0.3), widths, 0.4)
    log_marginal = float(linear.log_marginal(flat)[0])
    found = bound(linear.model, image, q, log_marginal, 20_000)
    weight, covariance = linear.weight.double(), torch.from_numpy(q.covariance)
    mean = torch.tensor(q.mean).double()
    centre = weight @ mean + linear.bias.double()
    noise = MultivariateNormal(centre, linear.variance * torch.eye(6).double())
    spread = torch.trace(weight @ covariance @ weight.T) / (2 * linear.variance)
    expected = float(noise.log_prob(flat[0].double()) - spread)
    posterior = MultivariateNormal(
        linear.posterior_mean(flat)[0].double(), precision_matrix=linear.precision.double()
    )
    divergence = float(kl_divergence(MultivariateNormal(mean, covariance), posterior))
    assert found.log_likelihood == pytest.approx(expected, abs=1e-3)
    assert found.kl_posterior == pytest.approx(divergence, abs=1e-3)
    assert found.elbo == pytest.approx(log_marginal - divergence, abs=1e-3)


@pytest.mark.parametrize("row", range(len(DIGITS)))
def test_the_parts_add_up_for_any_q(
    row: int, model: TrainedVAE, x: Float32, exact: ExactPosterior
) -> None:
    random = np.random.default_rng(row)
    log_marginal = float(exact.log_marginal[row])
    for _ in range(12):
        middle = exact.mode[row] + random.normal(scale=0.05, size=2)
        wide, narrow = np.exp(random.uniform(math.log(0.005), math.log(0.05), 2)).tolist()
        q = Normal((middle[0], middle[1]), (wide, narrow), random.uniform(-math.pi, math.pi))
        found = bound(model, x[row : row + 1], q, log_marginal)
        assert abs(surplus(found)) < 1e-3, q
        assert found.kl_posterior > 0
        assert found.kl_prior > 0


def test_both_sums_are_right_and_not_only_alike(
    model: TrainedVAE, x: Float32, exact: ExactPosterior
) -> None:
    """Gauss-Hermite sums at q's own 64 nodes share no position with ours."""
    for row in range(len(DIGITS)):
        q = Normal((exact.mode[row][0], exact.mode[row][1]), (0.02, 0.01), 0.3)
        log_marginal = float(exact.log_marginal[row])
        found = bound(model, x[row : row + 1], q, log_marginal)
        mean, covariance = np.array([q.mean]), q.covariance[None]
        elbo = float(elbo_of(model, x[row : row + 1], Gaussian.from_moments(mean, covariance))[0])
        assert found.elbo == pytest.approx(elbo, abs=1e-3)
        assert found.kl_posterior == pytest.approx(log_marginal - elbo, abs=1e-3)


@pytest.mark.parametrize("widths", [(0.02, 0.02), (0.15, 0.02), (0.2, 0.2), (1.5, 1.5)])
def test_wide_q_says_how_exact_it_is(
    widths: tuple[float, float], model: TrainedVAE, x: Float32, exact: ExactPosterior
) -> None:
    q = Normal((exact.mode[0][0], exact.mode[0][1]), widths)
    rough = bound(model, x[:1], q, float(exact.log_marginal[0]))
    fine = bound(model, x[:1], q, float(exact.log_marginal[0]), 20_000)
    for found in (rough, fine):
        assert abs(surplus(found)) < max(1e-3, 1.5 * found.error)
    assert rough.positions <= 1_600
    assert fine.error < (1e-3 if max(widths) < 1 else 0.1)
    assert abs(rough.elbo - fine.elbo) < max(1e-3, 4 * rough.error)


def test_widening_trades_reconstruction_for_closeness_to_the_prior(
    model: TrainedVAE, x: Float32, exact: ExactPosterior
) -> None:
    mean, covariance = exact.mean[0], exact.covariance[0]
    found = [
        bound(model, x[:1], Normal.of(mean, scale**2 * covariance), float(exact.log_marginal[0]))
        for scale in (0.3, 0.6, 1.0, 1.8, 3.0)
    ]
    assert (np.diff([one.log_likelihood for one in found]) < 0).all()
    assert (np.diff([one.kl_prior for one in found]) < 0).all()
    assert max(found, key=lambda one: one.elbo) is found[2]


@pytest.mark.parametrize("row", range(len(DIGITS)))
def test_the_posterior_over_a_region(
    row: int, model: TrainedVAE, x: Float32, exact: ExactPosterior
) -> None:
    """It integrates to 1 over a box that holds it: log p(x), which the bars take on trust."""
    (z1, z2), (s1, s2) = exact.mean[row], np.sqrt(np.diag(exact.covariance[row]))
    far = 20  # a thousandth of one of them is 15 standard deviations away
    region = (z1 - far * s1, z1 + far * s1, z2 - far * s2, z2 + far * s2)
    log_marginal = float(exact.log_marginal[row])
    values = log_posterior(model, x[row : row + 1], region, (200, 180), log_marginal)
    area = (2 * far) ** 2 * s1 * s2 / values.size
    assert values.shape == (200, 180)
    assert np.exp(values).sum() * area == pytest.approx(1, abs=2e-4)
