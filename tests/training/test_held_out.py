"""The held-out log p(x) of linear-Gaussian models, whose p(x) is known."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from tests.support.linear_gaussian import LinearGaussian
from vae_explorer.model.gaussian import Gaussian
from vae_explorer.model.vae import VAE
from vae_explorer.training import held_out
from vae_explorer.training.recipe import Recipe

POINTS = 6_000


def encode(
    monkeypatch: pytest.MonkeyPatch, truth: LinearGaussian, deviations: float, wider: float
) -> None:
    """Give the model a q that is off by so much of each exact posterior."""
    scale = torch.linalg.cholesky(torch.linalg.inv(truth.precision))

    def posterior(_: VAE, x: Tensor) -> Gaussian:
        mean = truth.posterior_mean(x) + deviations * scale.diagonal()
        log_diagonal = (wider * scale.diagonal()).log().expand_as(mean)
        return Gaussian(mean, log_diagonal, (wider * scale[1, 0]).expand(len(x)))

    monkeypatch.setattr(VAE, "posterior", posterior)


@pytest.mark.parametrize(
    ("scale", "deviation", "off", "wider", "within"),
    [
        (0.1, 0.005, 0.0, 1.0, 1e-2),  # q is p(z|x), far narrower than the lattice is fine
        (0.1, 0.005, 0.5, 1.3, 0.1),
        (0.5, 0.3, 0.0, 1.0, 5e-3),
        (0.5, 0.3, 30.0, 1.0, 5e-3),  # q knows nothing
    ],
)
def test_held_out_log_marginal_is_right(
    linear_gaussian: Callable[..., LinearGaussian],
    monkeypatch: pytest.MonkeyPatch,
    scale: float,
    deviation: float,
    off: float,
    wider: float,
    within: float,
) -> None:
    """For a narrow posterior, and for codes that lie where the prior hardly is."""
    truth = linear_gaussian(scale, deviation)
    encode(monkeypatch, truth, off, wider)
    far = [[17.0, 2.0], [-9.0, -12.0]] if off < 1 else []
    for position in ([0.0, 0.0], [1.5, -0.4], *far):
        x = (torch.tensor(position) @ truth.weight.T + truth.bias).repeat(40, 1)
        x += deviation * torch.randn(x.shape, generator=torch.Generator().manual_seed(1))
        found = held_out.log_marginal(truth.model.vae, x, POINTS)
        assert found == pytest.approx(truth.log_marginal(x).mean().item(), abs=within)


def test_a_large_decoder_is_asked_for_fewer_points(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_out, "MARGINAL_POINTS", POINTS)
    conv = {"network": "conv", "encoder_hidden": "32-64", "decoder_hidden": "64-32"}
    asked = [
        held_out.marginal_points(VAE(recipe.architecture(shape)))
        for recipe, shape in ((Recipe(), (28, 28)), (Recipe().replace(**conv), (64, 64, 3)))
    ]
    assert asked == [POINTS, 1_000]
