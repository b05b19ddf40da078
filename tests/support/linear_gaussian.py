"""Linear-Gaussian models, whose marginals and posteriors have closed forms."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.distributions import MultivariateNormal

from vae_explorer.model.architecture import Architecture
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.model.vae import VAE
from vae_explorer.types import Float32

SHAPE = (2, 3)


class LinearGaussian:
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

    def images(self, positions: list[list[float]]) -> tuple[Float32, Tensor]:
        """Images (n, 2, 3) in [0, 1] near the decoded positions, and the same flat."""
        x = (torch.tensor(positions) @ self.weight.T + self.bias).clamp(0, 1)
        return x.numpy().reshape(-1, *SHAPE), x


class _Square(nn.Module):
    def forward(self, z: Tensor) -> Tensor:
        output: Tensor = torch.cat([z[:, :1].square() / 4, z[:, 1:] / 4], 1).repeat(1, 3)
        return output


@pytest.fixture
def two_places(monkeypatch: pytest.MonkeyPatch) -> tuple[TrainedVAE, Float32]:
    """A model whose x depends on z₁² alone, and an image that comes from (±1, 0) alike."""
    model = LinearGaussian(0.5).model
    monkeypatch.setattr(model.vae, "decoder", _Square())
    return model, np.tile([0.25, 0.0], 3).astype(np.float32).reshape(1, *SHAPE)


@pytest.fixture(scope="session")
def linear_gaussian() -> Callable[..., LinearGaussian]:
    return LinearGaussian
