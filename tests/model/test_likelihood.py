"""Each likelihood against torch.distributions, and where float32 is at its ends."""

import itertools
import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributions import Bernoulli, ContinuousBernoulli, Normal
from torch.nn import functional

from vae_explorer.model.architecture import LIKELIHOODS
from vae_explorer.model.likelihood import FAMILIES, Gaussian, Likelihood

_LOG_VARIANCE = -1.3


def _family(name: str) -> Likelihood:
    likelihood = FAMILIES[name]().double()
    if isinstance(likelihood, Gaussian):
        torch.nn.init.constant_(likelihood.log_variance, _LOG_VARIANCE)
    return likelihood


def _reference(name: str, outputs: Tensor) -> Any:
    """The same distribution of each pixel, by torch; Any because it has no type hints."""
    reference: dict[str, Any] = {
        "bernoulli": lambda: Bernoulli(logits=outputs, validate_args=False),
        "continuous-bernoulli": lambda: ContinuousBernoulli(
            logits=outputs, lims=(0.4999, 0.5001), validate_args=False
        ),
        "gaussian": lambda: Normal(outputs, math.exp(_LOG_VARIANCE / 2)),
    }
    return reference[name]()


def _data(name: str, count: int, pixels: int = 20) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    outputs = torch.randn(count, pixels, generator=generator, dtype=torch.float64) * 4
    x = torch.rand(count, pixels, generator=generator, dtype=torch.float64)
    return (x.round() if name == "bernoulli" else x), outputs


@pytest.fixture(params=LIKELIHOODS)
def name(request: pytest.FixtureRequest) -> str:
    family: str = request.param
    return family


def test_every_name_a_recipe_may_use_has_its_class() -> None:
    assert tuple(FAMILIES) == LIKELIHOODS


def test_the_log_probability_is_the_sum_over_pixels(name: str) -> None:
    x, outputs = _data(name, 200)
    expected = _reference(name, outputs).log_prob(x).sum(1)
    torch.testing.assert_close(_family(name)(x, outputs), expected)


def test_the_mean_is_that_of_the_distribution(name: str) -> None:
    _, outputs = _data(name, 200)
    torch.testing.assert_close(_family(name).mean(outputs), _reference(name, outputs).mean)


def test_pairs_are_each_image_with_each_output(name: str) -> None:
    x, _ = _data(name, 7)
    _, outputs = _data(name, 11)
    likelihood = _family(name)
    pairs = likelihood.pairwise(x, outputs)
    assert pairs.shape == (7, 11)
    for i, k in itertools.product(range(7), range(11)):
        torch.testing.assert_close(pairs[i, k], likelihood(x[i], outputs[k]))
    torch.testing.assert_close(pairs, likelihood(x[:, None], outputs))


def test_several_outputs_an_image_broadcast(name: str) -> None:
    x, outputs = _data(name, 6)
    several = torch.stack([outputs, -outputs, outputs / 3])
    value = _family(name)(x, several)
    assert value.shape == (3, 6)
    torch.testing.assert_close(value, _reference(name, several).log_prob(x).sum(2))


def test_outputs_for_a_mean_have_nearly_that_mean(name: str) -> None:
    mean = torch.linspace(0, 1, 101, dtype=torch.float64)
    likelihood = _family(name)
    outputs = likelihood.outputs_for(mean)
    assert outputs.isfinite().all()
    assert (likelihood.mean(outputs).diff() > -1e-12).all()
    # The continuous Bernoulli borrows the logit, which is its mean's to first order only.
    tolerance = 0.25 if name == "continuous-bernoulli" else 2e-3
    assert (likelihood.mean(outputs) - mean).abs().max() < tolerance


@pytest.mark.parametrize("value", [0.0, 1e-30, 1e-8, 1e-4, 0.0999, 0.1001, 3.0, 90.0, 1e3, 1e6])
def test_values_and_gradients_are_finite_in_float32(name: str, value: float) -> None:
    outputs = torch.tensor([[value, -value]]).repeat(3, 1).requires_grad_()
    x = torch.tensor([[0.0, 1.0], [1.0, 0.0], [0.5, 0.5]])
    likelihood = FAMILIES[name]()
    log_likelihood, mean = likelihood(x, outputs), likelihood.mean(outputs)
    for figure in (log_likelihood, mean):
        assert figure.isfinite().all()
        (gradient,) = torch.autograd.grad(figure.sum(), outputs)
        assert gradient.isfinite().all()
    assert (likelihood.pairwise(x, outputs).diagonal() - log_likelihood).abs().max() <= (
        1e-4 * log_likelihood.abs().max() + 1e-5
    )


def test_gradients_are_finite_differences(name: str) -> None:
    x, outputs = _data(name, 3, 4)
    outputs[0] = torch.tensor([0.0, 1e-3, 0.05, -0.3])
    likelihood = _family(name)
    for function in (lambda given: likelihood(x, given), likelihood.mean):
        assert torch.autograd.gradcheck(function, outputs.clone().requires_grad_())


@pytest.mark.parametrize("name", ["bernoulli", "continuous-bernoulli"])
def test_the_score_of_an_exponential_family_is_x_minus_its_mean(name: str) -> None:
    likelihood = FAMILIES[name]()
    outputs = torch.tensor([0.0, 1e-12, -1e-3, 0.0999, 0.1001, -2.0, 30.0, -200.0])
    outputs.requires_grad_()
    x = torch.full_like(outputs, 0.25)
    (gradient,) = torch.autograd.grad(likelihood(x, outputs), outputs)
    torch.testing.assert_close(gradient, (x - likelihood.mean(outputs)).detach())


# What each alone has to hold


def test_probabilities_of_all_binary_images_sum_to_one() -> None:
    x = torch.tensor(list(itertools.product([0.0, 1.0], repeat=8)), dtype=torch.float64)
    logits = torch.linspace(-3, 4, 8, dtype=torch.float64).expand(len(x), -1)
    total = _family("bernoulli")(x, logits).exp().sum()
    torch.testing.assert_close(total, torch.ones((), dtype=torch.float64))


def test_gray_images_get_minus_the_cross_entropy_from_a_bernoulli() -> None:
    x, logits = _data("gaussian", 50)
    loss = functional.binary_cross_entropy_with_logits(logits, x, reduction="none")
    torch.testing.assert_close(_family("bernoulli")(x, logits), -loss.sum(1))


@pytest.mark.parametrize("logit", [104.0, 1e4])
def test_extreme_logits_cost_what_they_say(logit: float) -> None:
    """Where float32 sigmoid is exactly 0 or 1 and log(1 − sigmoid) would be −inf."""
    assert 1 - torch.tensor(logit).sigmoid() == 0
    x = torch.tensor([[0.0, 1.0], [1.0, 0.0], [0.5, 0.5]])
    logits = torch.tensor([[-logit, logit]]).repeat(3, 1)
    value = FAMILIES["bernoulli"]()(x, logits)
    torch.testing.assert_close(value, torch.tensor([0.0, -2 * logit, -logit]))


@pytest.mark.parametrize("logit", [0.0, 1e-9, -1e-3, 0.0999, 0.1001, -2.0, 15.0, -60.0])
def test_a_continuous_bernoulli_is_a_density_with_its_mean(logit: float) -> None:
    """By the trapezium rule on a fine grid of [0, 1]."""
    x = torch.linspace(0, 1, 100_001, dtype=torch.float64)
    outputs = torch.full((1,), logit, dtype=torch.float64)
    likelihood = _family("continuous-bernoulli")
    density = likelihood(x[:, None], outputs).exp()
    assert torch.trapezoid(density, x).item() == pytest.approx(1, rel=1e-6)
    mean = torch.trapezoid(density * x, x).item()
    assert likelihood.mean(outputs).item() == pytest.approx(mean, rel=1e-5)


def test_the_best_variance_is_the_mean_squared_error() -> None:
    x, outputs = _data("gaussian", 50)
    likelihood = Gaussian().double()
    error = (x - outputs).square().mean()
    with torch.no_grad():
        likelihood.log_variance.copy_(error.log())
    (gradient,) = torch.autograd.grad(likelihood(x, outputs).sum(), likelihood.log_variance)
    assert gradient.item() == pytest.approx(0, abs=1e-8)
