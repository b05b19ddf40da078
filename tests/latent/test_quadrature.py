"""Quadrature against a linear-Gaussian model, whose marginal and posterior have closed forms."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from vae_explorer import paths
from vae_explorer.data.bundled import mnist
from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import DataError
from vae_explorer.latent.posterior import posterior_grid
from vae_explorer.latent.quadrature import exact_codes, exact_posterior
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.model.vae import log_prior
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.types import Float32, Float64

SHAPE = (2, 3)


@pytest.mark.parametrize("scale", [0.02, 0.1, 0.4, 1.2])
def test_the_marginal_and_the_posterior_of_a_linear_gaussian_model(
    linear_gaussian: Any, scale: float
) -> None:
    linear = linear_gaussian(scale)
    batch, x = linear.images([[0.0, 0.0], [0.3, -0.2], [0.1, 0.25]])
    exact = exact_posterior(linear.model, batch)
    np.testing.assert_allclose(exact.log_marginal, linear.log_marginal(x), atol=1e-3)
    assert (exact.error < 1e-3).all()
    covariance = np.linalg.inv(linear.precision.double().numpy())
    np.testing.assert_allclose(exact.covariance, [covariance] * 3, rtol=0.01, atol=1e-7)
    np.testing.assert_allclose(exact.mean, linear.posterior_mean(x), atol=1e-3)
    width = math.sqrt(covariance.max())
    np.testing.assert_allclose(exact.mode, linear.posterior_mean(x), atol=max(0.02, width / 10))
    entropy = 1 + math.log(2 * math.pi) + 0.5 * math.log(np.linalg.det(covariance))
    np.testing.assert_allclose(exact.entropy, entropy, atol=2e-3)


def test_two_modes_are_both_seen(two_places: tuple[TrainedVAE, Float32]) -> None:
    exact = exact_posterior(*two_places)
    assert exact.mean[0, 0] == pytest.approx(0, abs=1e-3)
    assert exact.covariance[0, 0, 0] == pytest.approx(0.95, abs=0.1)
    assert abs(exact.mode[0, 0]) == pytest.approx(1, abs=0.05)


@pytest.mark.slow
def test_mnist_digits_against_a_dense_grid(mnist_small: ImageSet) -> None:
    model = read_checkpoint(paths.bundled_checkpoint()).model
    x = model.treated(mnist_small.images[:2])
    exact = exact_posterior(model, x)
    dense = _dense(model, x, 0.0125, 2.5)
    difference = np.abs(exact.log_marginal - dense)
    assert (difference < 1e-3).all()
    assert (difference <= exact.error + 1e-4).all()  # float32 alone costs some 1e-5
    assert (exact.log_marginal.mean() - model.elbo_terms(mnist_small.images[:2]).elbo.mean()) > 0
    means, modes = exact_codes(model, x), exact_codes(model, x, "mode")
    np.testing.assert_allclose(means, exact.mean, atol=1e-6)
    np.testing.assert_allclose(modes, exact.mode, atol=1e-6)


def test_one_image_asks_little_of_the_decoder(
    linear_gaussian: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of closer tiles only those that may matter: a slow decoder takes a millisecond for each."""
    linear = linear_gaussian(0.1)
    decode, asked = linear.model.vae.outputs, []

    def outputs(z: Tensor) -> Tensor:
        asked.append(z[..., 0].numel())
        result: Tensor = decode(z)
        return result

    monkeypatch.setattr(linear.model.vae, "outputs", outputs)
    batch, x = linear.images([[0.3, -0.2]])
    exact = exact_posterior(linear.model, batch)
    np.testing.assert_allclose(exact.log_marginal, linear.log_marginal(x), atol=1e-3)
    every, closer = asked[:2]
    assert every == 60**2
    assert closer < 2_500, "of 14,400"


def test_no_images_no_figures(linear_gaussian: Any) -> None:
    exact = exact_posterior(linear_gaussian(0.1).model, np.empty((0, *SHAPE), np.float32))
    assert exact.log_marginal.shape == exact.error.shape == (0,)
    assert exact.mean.shape == (0, 2)
    assert exact.covariance.shape == (0, 2, 2)


def test_wrong_images_and_unknown_codes_are_refused(linear_gaussian: Any) -> None:
    model = linear_gaussian(0.1).model
    with pytest.raises(DataError, match="2×3"):
        exact_posterior(model, np.zeros((1, 3, 3), np.float32))
    with pytest.raises(DataError, match="mean, mode"):
        exact_codes(model, np.zeros((1, *SHAPE), np.float32), "median")


def test_the_square_grows_with_posteriors_that_leave_it(linear_gaussian: Any) -> None:
    """The decoder is so flat, and the images so far off, that z lies beyond 6."""
    linear = linear_gaussian(0.05, deviation=0.02)
    batch, x = linear.images([[0.0, 0.0], [7.0, 0.0], [0.3, 0.1], [-3.0, -9.0]])
    exact = exact_posterior(linear.model, batch)
    np.testing.assert_allclose(exact.log_marginal, linear.log_marginal(x), atol=1e-3)
    np.testing.assert_allclose(exact.mean, linear.posterior_mean(x), atol=2e-3)
    assert (abs(exact.mean[[1, 3]]).max(1) > 5).all()
    assert (exact.error < 2e-3).all()


def test_a_posterior_that_leaves_the_largest_square_is_owned_up_to(linear_gaussian: Any) -> None:
    linear = linear_gaussian(0.003, deviation=0.003)
    exact = exact_posterior(linear.model, linear.images([[0.0, 0.0], [150.0, 0.0]])[0])
    assert exact.error[0] < 1e-3
    assert exact.error[1] > 0.1


def test_mnist_s_images_whose_posterior_leaves_the_square() -> None:
    """Sums over a dense grid around each mode; the last image's modes are inside and outside."""
    model = read_checkpoint(paths.bundled_checkpoint()).model
    x = model.treated(mnist("test").images, seed=0)[[9634, 2294, 2044]]
    exact = exact_posterior(model, x)
    np.testing.assert_allclose(exact.log_marginal, [-257.522, -177.076, -283.387], atol=1e-3)
    assert (exact.error < 1e-3).all()
    grid = posterior_grid(model, x[:1])
    step = grid.axis[1] - grid.axis[0]
    assert grid.density.sum(0) * step**2 @ grid.axis == pytest.approx(exact.mean[0, 1], abs=1e-3)


def test_kinks_are_found(linear_gaussian: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A decoder of ReLUs, whose log p(x|z) no polynomial follows across a tile."""
    linear = linear_gaussian(0.1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        decoder = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 6))
    monkeypatch.setattr(linear.model.vae, "decoder", decoder)
    with torch.inference_mode():
        x = decoder(torch.tensor([[0.3, 0.4], [-1.0, 0.7]])).clamp(0, 1)
    batch = x.numpy().reshape(-1, *SHAPE)
    exact = exact_posterior(linear.model, batch)
    dense = _dense(linear.model, batch, 0.004)
    assert (np.abs(exact.log_marginal - dense) <= 2 * exact.error + 1e-4).all()
    assert (exact.error < 2e-3).all()


def _dense(model: TrainedVAE, x: Float32, step: float, limit: float = 4.0) -> Float64:
    """log p(x) by the midpoint rule on a plain grid over ±``limit``."""
    axis = torch.arange(-limit, limit, step)
    total = torch.full((len(x),), -math.inf, dtype=torch.float64)
    with torch.inference_mode():
        for z in torch.split(torch.cartesian_prod(axis, axis), 20_000):
            joint = model.vae.likelihood.pairwise(model.tensor(x), model.vae.outputs(z))
            total = torch.logaddexp(total, (joint + log_prior(z)).double().logsumexp(1))
    dense: Float64 = total.numpy() + 2 * math.log(step)
    return dense


def test_a_peak_in_the_middle_of_a_tile_is_not_lost(
    linear_gaussian: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    linear = linear_gaussian(0.5)

    class Spike(nn.Module):
        def forward(self, z: Tensor) -> Tensor:
            height = (-((z - 0.1) / 0.03).square().sum(-1, keepdim=True) / 2).exp()
            return height.expand(*z.shape[:-1], 6)

    monkeypatch.setattr(linear.model.vae, "decoder", Spike())
    x = np.ones((1, *SHAPE), np.float32)
    exact = exact_posterior(linear.model, x)
    axis = torch.arange(-0.2, 0.4, 0.0005)
    with torch.inference_mode():
        z = torch.cartesian_prod(axis, axis)
        joint = linear.model.vae.likelihood.pairwise(linear.model.tensor(x), Spike()(z))
        dense = (joint + log_prior(z)).double().logsumexp(1).item() + 2 * math.log(0.0005)
    assert exact.log_marginal[0] == pytest.approx(dense, abs=2e-3)


def test_a_decoder_that_is_not_finite_is_refused(
    linear_gaussian: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    linear = linear_gaussian(0.5)
    broken = nn.Linear(2, 6)
    with torch.no_grad():
        broken.bias.fill_(math.nan)
    monkeypatch.setattr(linear.model.vae, "decoder", nn.Sequential(broken))
    with pytest.raises(DataError, match="not finite"):
        exact_posterior(linear.model, np.zeros((1, *SHAPE), np.float32))
