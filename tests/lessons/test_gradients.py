import math

import numpy as np
import pytest

from vae_explorer.data.bundled import mnist
from vae_explorer.latent.gap import elbo_of
from vae_explorer.lessons import gradients
from vae_explorer.lessons.gradients import FUNCTIONS, Draws
from vae_explorer.model.gaussian import Gaussian
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.types import Float32, Float64

PLACES = [(0.0, 1.0), (1.5, 0.5), (-0.7, 2.0)]
DRAWS = 40_000


def within(estimates: Float64, truth: Float64, errors: float = 4.5) -> bool:
    """Whether the mean of (n, d) estimates is within ``errors`` standard errors of the truth."""
    error = estimates.std(0, ddof=1) / math.sqrt(len(estimates))
    return bool((np.abs(estimates.mean(0) - truth) <= errors * error + 1e-12).all())


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("position", PLACES)
def test_closed_forms_agree_with_each_other(name: str, position: tuple[float, float]) -> None:
    """The gradient is that of the expectation, which is a fine sum over f."""
    function, (mean, sigma) = FUNCTIONS[name], position
    epsilon = np.linspace(-10, 10, 400_001)
    weights = np.exp(-0.5 * epsilon**2)
    summed = weights @ function.value(mean + sigma * epsilon) / weights.sum()
    assert function.expectation(mean, sigma) == pytest.approx(summed, abs=3e-5)
    h = 1e-5
    by_mean = function.expectation(mean + h, sigma) - function.expectation(mean - h, sigma)
    by_sigma = function.expectation(mean, sigma + h) - function.expectation(mean, sigma - h)
    np.testing.assert_allclose(
        function.gradient(mean, sigma), [by_mean / 2 / h, by_sigma / 2 / h], atol=1e-8
    )


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("position", PLACES)
@pytest.mark.parametrize("baseline", [False, True])
def test_the_score_function_is_unbiased(
    name: str, position: tuple[float, float], baseline: bool
) -> None:
    drawn = gradients.draws(FUNCTIONS[name], *position, gradients.noise(DRAWS, 1))
    assert within(drawn.score_function(1, baseline), drawn.exact)


@pytest.mark.parametrize("name", ["square", "sine"])
@pytest.mark.parametrize("position", PLACES)
def test_the_path_wise_gradient_is_unbiased_of_smooth_functions(
    name: str, position: tuple[float, float]
) -> None:
    drawn = gradients.draws(FUNCTIONS[name], *position, gradients.noise(DRAWS, 2))
    assert within(drawn.path_wise(), drawn.exact)


def test_the_path_wise_gradient_of_a_step_is_always_0_and_wrong() -> None:
    drawn = gradients.draws(FUNCTIONS["step"], 0.3, 1.0, gradients.noise(1_000, 0))
    assert (drawn.path_wise() == 0).all()
    assert drawn.exact[0] > 0.3


@pytest.mark.parametrize(("mean", "sigma"), PLACES)
def test_variances_of_z_squared_in_closed_form(mean: float, sigma: float) -> None:
    """From the moments of ε: E ε² = 1, E ε⁴ = 3, E ε⁶ = 15, E ε⁸ = 105."""
    square = FUNCTIONS["square"]
    score, path = gradients.exact_variances(square, mean, sigma)
    assert score[0] == pytest.approx(mean**4 / sigma**2 + 14 * mean**2 + 15 * sigma**2)
    assert score[1] == pytest.approx(2 * mean**4 / sigma**2 + 60 * mean**2 + 74 * sigma**2)
    assert path[0] == pytest.approx(4 * sigma**2)
    assert path[1] == pytest.approx(4 * mean**2 + 8 * sigma**2)
    score, _ = gradients.exact_variances(square, mean, sigma, baseline=True)
    assert score[0] == pytest.approx(8 * mean**2 + 10 * sigma**2)
    drawn = gradients.draws(square, mean, sigma, gradients.noise(DRAWS, 3))
    np.testing.assert_allclose(drawn.path_wise().var(0), path, rtol=0.06)
    np.testing.assert_allclose(drawn.score_function(1, True)[:, 0].var(), score[0], rtol=0.1)


def test_averages_of_k_draws_have_a_kth_of_the_variance() -> None:
    drawn = gradients.draws(FUNCTIONS["sine"], 0.4, 1.0, gradients.noise(DRAWS, 4))
    one, ten = drawn.score_function(1), drawn.score_function(10)
    assert ten.shape == (DRAWS // 10, 2)
    np.testing.assert_allclose(ten.mean(0), one.mean(0))
    np.testing.assert_allclose(ten.var(0), one.var(0) / 10, rtol=0.12)


def test_the_baseline_of_each_draw_is_the_mean_of_the_others() -> None:
    drawn = gradients.draws(FUNCTIONS["square"], 0.4, 1.0, gradients.noise(7, 5))
    others = np.array([np.delete(drawn.values, row).mean() for row in range(7)])
    wanted = (drawn.values - others)[:, None] * drawn.scores
    np.testing.assert_allclose(drawn.score_function(1, baseline=True), wanted)


@pytest.fixture(scope="module")
def digit(model: TrainedVAE) -> Float32:
    return model.treated(mnist("train").images[:1])


@pytest.fixture(scope="module")
def q(model: TrainedVAE) -> tuple[Float64, Float64]:
    """A Gaussian beside that of the encoder, and wider, where the gradient is not small."""
    posterior = model.encode(mnist("train").images[:1])
    mean = posterior.mean[0] + np.array([0.02, -0.01])
    return mean, 2.0 * posterior.covariance[0].astype(np.float64)


@pytest.fixture(scope="module")
def drawn(model: TrainedVAE, digit: Float32, q: tuple[Float64, Float64]) -> Draws:
    return gradients.elbo_draws(model, digit, *q, 4_096, seed=0)


def test_the_exact_gradient_of_the_elbo_against_finite_differences(
    model: TrainedVAE, digit: Float32, q: tuple[Float64, Float64], drawn: Draws
) -> None:
    mean, covariance = q
    factor = np.linalg.cholesky(covariance)

    def elbo(change: Float64) -> float:
        moved = factor.copy()
        moved[[0, 1], [0, 1]] *= np.exp(change[2:])
        q = Gaussian.from_moments((mean + change[:2])[None], (moved @ moved.T)[None])
        return float(elbo_of(model, digit, q)[0])

    steps = np.array([1e-3, 1e-3, 2e-2, 2e-2])
    differences = [
        (elbo(step) - elbo(-step)) / 2 / size
        for step, size in zip(np.diag(steps), steps, strict=True)
    ]
    np.testing.assert_allclose(drawn.exact, differences, rtol=0.02, atol=0.05)


def test_both_estimators_of_the_elbo_are_unbiased(drawn: Draws) -> None:
    assert within(drawn.path_wise(), drawn.exact)
    assert within(drawn.score_function(), drawn.exact)
    assert within(drawn.score_function(1, baseline=True), drawn.exact)


def test_scores_are_the_gradients_of_log_q(q: tuple[Float64, Float64], drawn: Draws) -> None:
    """Their mean is 0, and their covariance that of the Fisher information, with Σ⁻¹ by μ."""
    assert within(drawn.scores, np.zeros(4))
    precision = np.linalg.inv(q[1])
    np.testing.assert_allclose(np.cov(drawn.scores[:, :2].T), precision, rtol=0.15)


def test_the_path_is_far_less_noisy_and_a_baseline_helps(drawn: Draws) -> None:
    path = drawn.path_wise().var(0)
    plain, helped = drawn.score_function().var(0), drawn.score_function(1, True).var(0)
    assert (path < helped / 2).all()
    assert (helped < plain / 10).all()
