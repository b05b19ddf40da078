"""The bound and its gradient on the real model, against independent estimates and the theory."""

import math

import numpy as np
import pytest

from vae_explorer.data.bundled import mnist
from vae_explorer.latent.gap import elbo_of
from vae_explorer.latent.importance import iwae
from vae_explorer.latent.normal import Normal
from vae_explorer.lessons import sampling, tighter
from vae_explorer.lessons.sampling import Truth
from vae_explorer.lessons.tighter import Gradients
from vae_explorer.model.gaussian import Gaussian
from vae_explorer.model.trained import TrainedVAE

DIGIT = 7
KS = (1, 5, 20, 100)


@pytest.fixture(scope="module")
def truth(model: TrainedVAE) -> Truth:
    return sampling.truth(model, mnist("train").images[DIGIT : DIGIT + 1], DIGIT)


@pytest.fixture(scope="module")
def found(model: TrainedVAE, truth: Truth) -> dict[str, Gradients]:
    """Of the wide q, whose weights are bounded."""
    streams = {
        name: list(tighter.gradients(model, truth.x, truth.wide, name, KS, repeats=300))
        for name in tighter.ESTIMATORS
    }
    assert [len(one.ks) for one in streams["iwae"]] == [1, 2, 3, 4]
    return {name: stream[-1] for name, stream in streams.items()}


def test_the_bound_is_iwae_k(model: TrainedVAE, truth: Truth) -> None:
    # By the encoder's q of x itself, other samples of another density.
    encoded = model.encode(truth.x)
    q = Normal.of(encoded.mean[0], encoded.covariance[0])
    ours = tighter.bound(sampling.draw(model, truth.x, q, 20_000, seed=3).log_weights)
    for rung, k in ((0, 1), (3, 10), (6, 100)):
        several = np.concatenate([iwae(model, truth.x, k, seed) for seed in range(60)])
        error = math.hypot(several.std(ddof=1) / math.sqrt(60), ours.error[rung])
        assert abs(several.mean() - ours.mean[rung]) < 4 * error


@pytest.mark.parametrize("name", ["q", "matched", "wide"])
def test_the_bound_climbs_to_the_exact_value(model: TrainedVAE, truth: Truth, name: str) -> None:
    q = getattr(truth, name)
    bound = tighter.bound(sampling.draw(model, truth.x, q, 20_000).log_weights)
    assert bound.ks.tolist() == list(tighter.KS)
    assert bound.blocks.tolist() == [20_000 // k for k in tighter.KS]
    # Rounding of log p(x|z) in float32 and the quadrature's own error are below a thousandth.
    assert (np.diff(bound.mean) > -1e-3).all()
    assert (bound.mean <= truth.log_marginal + 3 * bound.error + 2e-3).all()
    assert bound.mean[-1] == pytest.approx(truth.log_marginal, abs=4 * bound.error[-1] + 2e-3)
    batch = Gaussian.from_moments(np.array([q.mean]), q.covariance[None])
    elbo = float(elbo_of(model, truth.x, batch)[0])
    assert bound.mean[0] == pytest.approx(elbo, abs=4 * bound.error[0] + 2e-3)


def test_the_gap_falls_like_the_variance_of_the_weights(model: TrainedVAE, truth: Truth) -> None:
    weights = sampling.draw(model, truth.x, truth.wide, 100_000).log_weights
    bound = tighter.bound(weights, (20,))
    variance = float(np.exp(weights - truth.log_marginal).var())
    gap = truth.log_marginal - bound.mean[0]
    assert gap == pytest.approx(variance / 40, rel=0.3)


def test_fewer_weights_than_k_tell_no_bound() -> None:
    bound = tighter.bound(np.zeros(30), (1, 20, 100))
    assert bound.ks.tolist() == [1, 20]
    np.testing.assert_array_equal(bound.mean, 0)
    assert np.isnan(bound.spread[1])


@pytest.mark.parametrize("name", ["iwae", "dreg"])
def test_with_one_sample_it_is_the_gradient_of_the_elbo(
    model: TrainedVAE, truth: Truth, found: dict[str, Gradients], name: str
) -> None:
    # By differences of the noiseless ELBO along each of an encoder's five outputs.
    q = truth.wide
    factor = np.linalg.cholesky(q.covariance)

    def elbo(change: np.ndarray) -> float:
        moved = factor * np.exp(np.diag(change[2:4]) * np.eye(2))
        moved = np.array([[moved[0, 0], 0], [factor[1, 0] + change[4], moved[1, 1]]])
        batch = Gaussian.from_moments((q.mean + change[:2])[None], (moved @ moved.T)[None])
        return float(elbo_of(model, truth.x, batch)[0])

    scale = np.array([factor[0, 0], factor[1, 1], 1, 1, factor[1, 1]])
    steps = 0.05 * scale
    expected = [(elbo(step) - elbo(-step)) / (2 * step.sum()) for step in np.diag(steps)]
    one = found[name]
    error = one.spread[0] / math.sqrt(one.repeats)
    assert (np.abs(one.mean[0] - expected) < 4 * error + 0.02 / scale).all()


def test_both_estimators_have_one_mean(found: dict[str, Gradients]) -> None:
    iwae, dreg = found["iwae"], found["dreg"]
    error = np.hypot(iwae.spread, dreg.spread) / math.sqrt(iwae.repeats)
    assert (np.abs(iwae.mean - dreg.mean) < 4 * error).all()


def test_the_ratio_of_iwae_falls_and_that_of_dreg_rises(found: dict[str, Gradients]) -> None:
    ks = found["iwae"].ks
    iwae = tighter.signal_to_noise(found["dreg"], found["iwae"])
    dreg = tighter.signal_to_noise(found["dreg"], found["dreg"])
    assert tighter.slope(ks, iwae, least=5) == pytest.approx(-0.5, abs=0.1)
    assert tighter.slope(ks, dreg, least=5) == pytest.approx(0.5, abs=0.15)


def test_a_turned_model_has_the_same_gradient(
    model: TrainedVAE, truth: Truth, found: dict[str, Gradients]
) -> None:
    angle = 0.7
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    turned = Normal.of(turn @ truth.wide.mean, turn @ truth.wide.covariance @ turn.T)
    *_, again = tighter.gradients(model.turned(turn), truth.x, turned, "dreg", KS[:1], repeats=300)
    here = found["dreg"]
    error = np.hypot(again.spread[0], here.spread[0]) / math.sqrt(300)
    assert (np.abs(again.mean[0] - here.mean[0]) < 4 * error).all()


def test_a_check_ends_the_gradients(model: TrainedVAE, truth: Truth) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        next(tighter.gradients(model, truth.x, truth.q, "iwae", check=stop))


def test_the_slope_is_the_power() -> None:
    ks = np.array([1.0, 10, 100, 1_000])
    assert tighter.slope(ks, 3 * ks**-0.5) == pytest.approx(-0.5)
    assert tighter.slope(ks, np.array([9.0, 10, 100, 1_000]), least=10) == pytest.approx(1)
    assert math.isnan(tighter.slope(ks, ks, least=1_000))
