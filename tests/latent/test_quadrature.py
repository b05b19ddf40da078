"""Quadrature against a linear-Gaussian model, whose marginal and posterior have closed forms."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.distributions import MultivariateNormal

from vae_explorer import paths
from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import DataError
from vae_explorer.latent.quadrature import exact_codes, exact_posterior
from vae_explorer.model.architecture import Architecture
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.model.vae import VAE, log_prior
from vae_explorer.training.checkpoint import read_checkpoint

SHAPE = (2, 3)


class Linear:
    """x = W z + b + σ ε; narrower posteriors as ``scale`` of W grows."""

    def __init__(self, scale: float, deviation: float = 0.1) -> None:
        random = torch.Generator().manual_seed(3)
        self.weight = scale * torch.randn(6, 2, generator=random)
        self.bias = torch.full((6,), 0.5)
        self.variance = deviation**2
        with torch.random.fork_rng(devices=[]):
            vae = VAE(Architecture(SHAPE, likelihood="gaussian", encoder_hidden=(4,)))
        layer = nn.Linear(2, 6)
        with torch.no_grad():
            layer.weight.copy_(self.weight)
            layer.bias.copy_(self.bias)
            variance = vae.likelihood.log_variance
            assert isinstance(variance, Tensor)
            variance.fill_(math.log(self.variance))
        vae.decoder = nn.Sequential(layer)
        self.model = TrainedVAE(vae, "gray")
        self.precision = torch.eye(2) + self.weight.T @ self.weight / self.variance

    def log_marginal(self, x: Tensor) -> Tensor:
        covariance = self.weight @ self.weight.T + self.variance * torch.eye(6)
        normal: Any = MultivariateNormal(self.bias.double(), covariance.double())
        value: Tensor = normal.log_prob(x.double())
        return value

    def posterior_mean(self, x: Tensor) -> Tensor:
        projected = (x - self.bias) @ self.weight / self.variance
        mean: Tensor = torch.linalg.solve(self.precision, projected.T)
        return mean.T


def images(linear: Linear, places: list[list[float]]) -> tuple[NDArray[np.float32], Tensor]:
    """Images in [0, 1] near the decoded places."""
    x = torch.tensor(places) @ linear.weight.T + linear.bias
    x = x.clamp(0, 1)
    return x.numpy().reshape(-1, *SHAPE), x


@pytest.mark.parametrize("scale", [0.02, 0.1, 0.4, 1.2])
def test_the_marginal_and_the_posterior_of_a_linear_gaussian_model(scale: float) -> None:
    linear = Linear(scale)
    batch, x = images(linear, [[0.0, 0.0], [0.3, -0.2], [0.1, 0.25]])
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


def test_two_modes_are_both_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """x depends on z₁² alone: each image comes from two places alike."""
    linear = Linear(0.5)

    class Square(nn.Module):
        def forward(self, z: Tensor) -> Tensor:
            output: Tensor = torch.cat([z[:, :1].square() / 4, z[:, 1:] / 4], 1).repeat(1, 3)
            return output

    monkeypatch.setattr(linear.model.vae, "decoder", Square())
    batch = np.tile([0.25, 0.0], 3).astype(np.float32).reshape(1, *SHAPE)
    exact = exact_posterior(linear.model, batch)
    assert exact.mean[0, 0] == pytest.approx(0, abs=1e-3)
    assert exact.covariance[0, 0, 0] == pytest.approx(0.95, abs=0.1)
    assert abs(exact.mode[0, 0]) == pytest.approx(1, abs=0.05)


@pytest.mark.slow
def test_mnist_digits_against_a_dense_grid(mnist_small: ImageSet) -> None:
    model = read_checkpoint(paths.bundled_checkpoint()).model
    x = model.treated(mnist_small.images[:4])
    exact = exact_posterior(model, x)
    axis = torch.arange(-4, 4, 0.0125)
    total = torch.full((4,), -math.inf, dtype=torch.float64)
    with torch.inference_mode():
        for z in torch.split(torch.cartesian_prod(axis, axis), 20_000):
            joint = model.vae.likelihood.pairwise(model.tensor(x), model.vae.outputs(z))
            total = torch.logaddexp(total, (joint + log_prior(z)).double().logsumexp(1))
    dense = total.numpy() + 2 * math.log(0.0125)
    difference = np.abs(exact.log_marginal - dense)
    assert (difference < 1e-3).all()
    assert (difference <= exact.error + 1e-4).all()  # float32 alone costs some 1e-5
    assert (exact.log_marginal.mean() - model.elbo_terms(mnist_small.images[:4]).elbo.mean()) > 0
    means, modes = exact_codes(model, x), exact_codes(model, x, "mode")
    np.testing.assert_allclose(means, exact.mean, atol=1e-6)
    np.testing.assert_allclose(modes, exact.mode, atol=1e-6)


def test_no_images_no_figures() -> None:
    exact = exact_posterior(Linear(0.1).model, np.empty((0, *SHAPE), np.float32))
    assert exact.log_marginal.shape == exact.error.shape == (0,)
    assert exact.mean.shape == (0, 2)
    assert exact.covariance.shape == (0, 2, 2)


def test_what_check_raises_ends_the_work() -> None:
    linear = Linear(0.1)

    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        exact_posterior(linear.model, images(linear, [[0.0, 0.0]])[0], stop)


def test_wrong_images_and_unknown_codes_are_refused() -> None:
    model = Linear(0.1).model
    with pytest.raises(DataError, match="2×3"):
        exact_posterior(model, np.zeros((1, 3, 3), np.float32))
    with pytest.raises(DataError, match="mean, mode"):
        exact_codes(model, np.zeros((1, *SHAPE), np.float32), "median")
