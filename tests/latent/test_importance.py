"""Importance sampling against a linear Gaussian model, whose evidence and posterior are known."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from vae_explorer import paths
from vae_explorer.data.bundled import mnist
from vae_explorer.latent import importance
from vae_explorer.latent.importance import (
    ImportanceEstimate,
    fit_generalized_pareto,
    importance_estimate,
    importance_weights,
    iwae,
    iwae_ladder,
    naive_monte_carlo,
    pareto_shape,
    verdict,
)
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


def test_from_the_exact_posterior_all_weights_are_the_evidence(linear: Linear) -> None:
    model, exact = linear.model(), linear.log_evidence
    weights = importance_weights(model, linear.x, 500)
    assert weights.shape == (6, 500)
    np.testing.assert_allclose(weights, np.repeat(exact[:, None], 500, 1), atol=1e-3)
    np.testing.assert_allclose(iwae(model, linear.x, 1), exact, atol=1e-3)
    estimate = importance_estimate(model, linear.x, 500)
    np.testing.assert_allclose(estimate.value, exact, atol=1e-4)
    np.testing.assert_allclose(estimate.effective_sample_size, 500, rtol=1e-5)
    assert (estimate.pareto_k == -np.inf).all()
    assert (estimate.verdict == "good").all()


def test_one_sample_falls_short_by_the_divergence(linear: Linear) -> None:
    """E_q[log w] = log p(x) − KL(q(z|x) ‖ p(z|x)), here with a q 1.5 times too wide and moved."""
    shift = 0.3
    weights = importance_weights(linear.model(1.5, shift), linear.x, 20_000)
    moved = np.full(2, shift)
    quadratic = moved @ np.linalg.solve(linear.covariance, moved)
    divergence = 0.5 * (2 * 1.5**2 + quadratic - 2) - 2 * math.log(1.5)
    error = weights.std(1) / math.sqrt(20_000)
    np.testing.assert_array_less(abs(weights.mean(1) - linear.log_evidence + divergence), 5 * error)


def test_the_ladder_rises_to_the_evidence(linear: Linear) -> None:
    ladder = iwae_ladder(linear.model(1.5, 0.3), linear.x, (1, 2, 5, 20, 100, 2_000), seed=1)
    exact = linear.log_evidence.mean()
    assert ladder.ks == (1, 2, 5, 20, 100, 2_000)
    assert (ladder.noise > 0).all()
    assert (ladder.mean < exact + 4 * ladder.noise).all()
    assert ladder.mean[0] < exact - 10 * ladder.noise[0]
    assert ladder.mean[-1] == pytest.approx(exact, abs=0.05)
    steps = np.diff(ladder.mean)
    assert (steps > -4 * np.hypot(ladder.noise[1:], ladder.noise[:-1])).all()
    assert (steps[:3] > 0).all()
    expected = linear.log_evidence.std(ddof=1) / math.sqrt(6)
    assert ladder.standard_error[-1] == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize("proposal", ["posterior", "prior"])
def test_the_noise_of_a_ladder_is_what_other_seeds_show(linear: Linear, proposal: str) -> None:
    model = linear.model(1.5)
    ladders = [iwae_ladder(model, linear.x, (1, 20, 500), seed, proposal) for seed in range(40)]
    shown = np.std([ladder.mean for ladder in ladders], axis=0, ddof=1)
    said = np.mean([ladder.noise for ladder in ladders], axis=0)
    np.testing.assert_allclose(said, shown, rtol=0.5)  # 40 seeds tell it to 11 %


def test_small_ladders(linear: Linear) -> None:
    ladder = iwae_ladder(linear.model(1.5), linear.x, (1, 2, 5))
    assert (ladder.noise > 0).all()
    alone = iwae_ladder(linear.model(1.5), linear.x[:1], (1,))
    assert np.isnan([alone.noise[0], alone.standard_error[0]]).all()
    assert alone.mean == iwae(linear.model(1.5), linear.x[:1], 1)


def test_the_prior_finds_the_evidence_and_its_effective_sample_size(linear: Linear) -> None:
    samples = 40_000
    estimate = naive_monte_carlo(linear.model(), linear.x, samples)
    exact = linear.log_evidence
    # p(x|z)² is another Gaussian of x, so that the mean squared weight is in closed form too.
    narrow = linear.weight @ linear.weight.T + VARIANCE / 2 * np.eye(PIXELS)
    square = stats.multivariate_normal(linear.bias, narrow).logpdf(linear.x.reshape(-1, PIXELS))
    square -= PIXELS / 2 * math.log(4 * math.pi * VARIANCE)
    efficiency = np.exp(2 * exact - square)
    assert (efficiency < 0.9).all()
    np.testing.assert_allclose(estimate.effective_sample_size / samples, efficiency, rtol=0.05)
    error = np.sqrt((1 / efficiency - 1) / samples)
    np.testing.assert_array_less(abs(estimate.value - exact), 5 * error)
    again = importance_estimate(linear.model(), linear.x, samples, proposal="prior")
    np.testing.assert_array_equal(again.value, estimate.value)


def test_the_estimate_is_of_the_weights(linear: Linear) -> None:
    model = linear.model(0.8)
    weights = np.exp(importance_weights(model, linear.x, 300, seed=4))
    estimate = importance_estimate(model, linear.x, 300, seed=4)
    assert estimate.samples == 300
    np.testing.assert_allclose(estimate.value, np.log(weights.mean(1)))
    size = weights.sum(1) ** 2 / np.square(weights).sum(1)
    np.testing.assert_allclose(estimate.effective_sample_size, size)
    assert estimate.pareto_k.tolist() == [pareto_shape(np.log(row)) for row in weights]
    np.testing.assert_allclose(iwae(model, linear.x, 300, seed=4), estimate.value)
    other = importance_estimate(model, linear.x, 300, seed=5)
    assert (other.value != estimate.value).all()


@pytest.mark.parametrize("proposal", ["posterior", "prior"])
def test_chunks_do_not_show(linear: Linear, proposal: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = linear.model(1.5)
    whole = importance_weights(model, linear.x, 60, 0, proposal)
    monkeypatch.setattr(importance, "_WEIGHTS", 100)  # one image at a time
    parts = importance_weights(model, linear.x, 60, 0, proposal)
    assert parts.shape == whole.shape == (6, 60)
    np.testing.assert_allclose(parts.mean(1), whole.mean(1), atol=1.0)
    if proposal == "prior":
        np.testing.assert_allclose(parts, whole, rtol=1e-5, atol=1e-4)
        calls = []
        monkeypatch.setattr(importance, "_PLACES", 25)
        importance_weights(model, linear.x, 60, 0, proposal, lambda: calls.append(1))
        assert len(calls) == 6 * 3


@pytest.mark.parametrize("shape", [-0.3, 0.2, 0.5, 1.0, 2.0])
def test_the_pareto_fit_finds_shape_and_scale(shape: float) -> None:
    draws = stats.genpareto.rvs(shape, scale=3.0, size=20_000, random_state=7)
    k, scale = fit_generalized_pareto(draws)
    assert k == pytest.approx(shape, abs=0.05)
    assert scale == pytest.approx(3, rel=0.05)


@pytest.mark.parametrize("shape", [0.2, 0.7, 1.5])
def test_pareto_shape_is_the_tail_index_whatever_the_scale(shape: float) -> None:
    weights = np.log(1 + stats.genpareto.rvs(shape, size=200_000, random_state=8))
    assert pareto_shape(weights) == pytest.approx(shape, abs=0.15)
    assert pareto_shape(weights - 900) == pytest.approx(pareto_shape(weights))


def test_tails_of_nothing() -> None:
    assert pareto_shape(np.zeros(100)) == -np.inf
    assert pareto_shape(np.arange(20.0)) == np.inf, "a tail of four"
    weights = np.full(100, -5_000.0)
    weights[3] = 0
    assert pareto_shape(weights) == np.inf, "one weight is all"
    before = weights.copy()
    pareto_shape(weights)
    np.testing.assert_array_equal(weights, before)


def test_verdicts() -> None:
    k = np.array([-np.inf, 0.69, 0.7, 1.0, 1.01, np.inf, np.nan])
    words = ["good", "good", "biased", "biased", "unreliable", "unreliable", "unreliable"]
    assert verdict(k, 10_000).tolist() == words
    assert verdict(np.array([0.49, 0.5]), 100).tolist() == ["good", "biased"]
    assert verdict(np.array([-0.1, 0.0]), 10).tolist() == ["good", "biased"]
    assert verdict(np.array([0.0]), 1).tolist() == ["biased"]
    one = ImportanceEstimate(np.zeros(1), np.ones(1), np.array([0.6]), 100)
    assert one.verdict.tolist() == ["biased"]


def test_there_are_two_proposals(linear: Linear) -> None:
    with pytest.raises(ValueError, match="no proposal 'uniform'"):
        importance_estimate(linear.model(), linear.x, 10, proposal="uniform")


@pytest.mark.parametrize(
    "work",
    [
        lambda model, x, check: importance_weights(model, x, 10, check=check),
        lambda model, x, check: importance_estimate(model, x, 10, proposal="prior", check=check),
        lambda model, x, check: naive_monte_carlo(model, x, 10, check=check),
        lambda model, x, check: iwae(model, x, 10, check=check),
        lambda model, x, check: iwae_ladder(model, x, (1, 10), check=check),
    ],
)
def test_what_check_raises_ends_the_work(
    linear: Linear, work: Callable[[TrainedVAE, Float64, Callable[[], None]], object]
) -> None:
    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        work(linear.model(), linear.x, stop)


@pytest.mark.parametrize("proposal", ["posterior", "prior"])
def test_of_no_images_there_is_nothing(linear: Linear, proposal: str) -> None:
    model, none = linear.model(), linear.x[:0]
    assert importance_weights(model, none, 30, proposal=proposal).shape == (0, 30)
    estimate = importance_estimate(model, none, 30, proposal=proposal)
    assert estimate.value.shape == estimate.pareto_k.shape == estimate.verdict.shape == (0,)
    assert iwae(model, none, 30).shape == (0,)
    ladder = iwae_ladder(model, none, (1, 5), proposal=proposal)
    assert np.isnan([ladder.mean, ladder.standard_error, ladder.noise]).all()


def test_the_bundled_model_knows_digits() -> None:
    model = read_checkpoint(paths.bundled_checkpoint()).model
    x = model.treated(mnist("test").images[:5])
    estimate = importance_estimate(model, x, 1_000)
    assert ((estimate.value > -400) & (estimate.value < -10)).all()
    assert ((estimate.effective_sample_size >= 1) & (estimate.effective_sample_size <= 1_000)).all()
    assert set(estimate.verdict) <= {"good", "biased", "unreliable"}
    # The prior's rare hits may only fall short, but for noise.
    naive = naive_monte_carlo(model, x, 5_000)
    assert (naive.value < estimate.value + 1).all()
    assert (naive.effective_sample_size < 200).all()
    ladder = iwae_ladder(model, x, (1, 10, 100))
    assert (np.diff(ladder.mean) > 0).all()
    assert ladder.mean[-1] < estimate.value.mean() + 0.5
