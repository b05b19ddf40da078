"""Importance sampling against a linear Gaussian model, whose evidence and posterior are known."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from vae_explorer import paths
from vae_explorer.data.bundled import mnist
from vae_explorer.latent import importance
from vae_explorer.latent.importance import block_bounds, iwae
from vae_explorer.model.architecture import Architecture
from vae_explorer.model.likelihood import Gaussian
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.model.vae import VAE
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.types import Float64

PIXELS = 12
VARIANCE = 0.2


class Linear:
    """z ~ N(0, I), x ~ N(W z + b, VARIANCE I), and the encoder N(A x + c, L Lᵀ) it should have.

    ``x`` (6, 3, 4) are arbitrary images; ``model(widen, shift)`` has an encoder whose L is
    ``widen`` times too large and whose mean is off by ``shift``.
    """

    def __init__(self) -> None:
        random = np.random.default_rng(3)
        self.weight = random.normal(scale=0.2, size=(PIXELS, 2))
        self.bias = random.uniform(0.3, 0.7, PIXELS)
        self.x = random.uniform(size=(6, 3, 4))
        self.covariance = np.linalg.inv(np.eye(2) + self.weight.T @ self.weight / VARIANCE)
        self.gain = self.covariance @ self.weight.T / VARIANCE

    @property
    def log_evidence(self) -> Float64:
        spread = self.weight @ self.weight.T + VARIANCE * np.eye(PIXELS)
        evidence = stats.multivariate_normal(self.bias, spread)
        return np.asarray(evidence.logpdf(self.x.reshape(-1, PIXELS)))

    @torch.no_grad()
    def model(self, widen: float = 1.0, shift: float = 0.0) -> TrainedVAE:
        factor = widen * np.linalg.cholesky(self.covariance)
        vae = VAE(Architecture((3, 4), likelihood="gaussian"))
        assert isinstance(vae.likelihood, Gaussian)
        vae.likelihood.log_variance.fill_(math.log(VARIANCE))
        decoder, encoder = nn.Linear(2, PIXELS), nn.Linear(PIXELS, 5)
        decoder.weight.copy_(torch.from_numpy(self.weight))
        decoder.bias.copy_(torch.from_numpy(self.bias))
        shape = [*np.log(np.diag(factor)), factor[1, 0]]
        encoder.weight.zero_()[:2] = torch.from_numpy(self.gain)
        encoder.bias.copy_(torch.tensor([*(shift - self.gain @ self.bias), *shape]))
        vae.decoder, vae.encoder = nn.Sequential(decoder), nn.Sequential(encoder)
        return TrainedVAE(vae, "gray")


@pytest.fixture
def linear() -> Linear:
    return Linear()


def test_from_the_exact_posterior_every_bound_is_the_evidence(linear: Linear) -> None:
    for k in (1, 500):
        np.testing.assert_allclose(
            iwae(linear.model(), linear.x, k), linear.log_evidence, atol=1e-3
        )


def test_one_sample_falls_short_by_the_divergence(linear: Linear) -> None:
    """E_q[log w] = log p(x) − KL(q(z|x) ‖ p(z|x)), here with a q 1.5 times too wide and moved."""
    shift = 0.3
    model = linear.model(1.5, shift)
    values = np.array([iwae(model, linear.x, 1, seed) for seed in range(2_000)])
    moved = np.full(2, shift)
    quadratic = moved @ np.linalg.solve(linear.covariance, moved)
    divergence = 0.5 * (2 * 1.5**2 + quadratic - 2) - 2 * math.log(1.5)
    error = values.std(0) / math.sqrt(len(values))
    np.testing.assert_array_less(abs(values.mean(0) - linear.log_evidence + divergence), 5 * error)


def test_the_bound_rises_to_the_evidence(linear: Linear) -> None:
    model = linear.model(1.5, 0.3)
    bounds = [np.mean([iwae(model, linear.x, k, s) for s in range(200)], 0) for k in (1, 2, 5, 20)]
    assert (np.diff(bounds, axis=0) > 0).all()
    np.testing.assert_allclose(iwae(model, linear.x, 20_000), linear.log_evidence, atol=0.05)


def test_blocks_are_disjoint_and_the_rest_is_left_out() -> None:
    weights = np.log(np.arange(1.0, 8.0))
    np.testing.assert_allclose(block_bounds(weights, 3), np.log([2.0, 5.0]))
    np.testing.assert_allclose(block_bounds(weights - 900, 3), np.log([2.0, 5.0]) - 900)
    assert block_bounds(weights, 8).shape == (0,)


def test_chunks_call_check_and_another_seed_is_another_sample(
    linear: Linear, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = linear.model(1.5)
    calls: list[int] = []
    whole = iwae(model, linear.x, 60, check=lambda: calls.append(1))
    assert len(calls) == 1
    assert (iwae(model, linear.x, 60, seed=1) != whole).all()
    monkeypatch.setattr(importance, "_WEIGHTS", 100)  # one image at a time
    monkeypatch.setattr(importance, "_POINTS", 25)
    parts = iwae(model, linear.x, 60, check=lambda: calls.append(1))
    assert len(calls) == 1 + 6 * 3
    np.testing.assert_allclose(parts, whole, atol=1.0)


def test_of_no_images_there_is_nothing(linear: Linear) -> None:
    assert iwae(linear.model(), linear.x[:0], 30).shape == (0,)


def test_the_bundled_model_knows_digits() -> None:
    model = read_checkpoint(paths.bundled_checkpoint()).model
    x = model.treated(mnist("test").images[:5])
    bounds = [iwae(model, x, k).mean() for k in (1, 10, 100, 1_000)]
    assert (np.diff(bounds) > -0.5).all()
    assert -400 < bounds[0] < bounds[-1] < -10
