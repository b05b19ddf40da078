"""The numbers of the trade, on small real trainings and the bundled model."""

import math

import numpy as np
import pytest
import torch

from vae_explorer.data.bundled import mnist
from vae_explorer.latent.aggregate import aggregate
from vae_explorer.lessons import trade
from vae_explorer.model.trained import Posterior, TrainedVAE

_BETAS = (0.3, 3.0, 32.0)


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def own(model: TrainedVAE) -> trade.Study:
    return trade.study(1.0, model)


@pytest.fixture(scope="module")
def studies(own: trade.Study) -> list[trade.Study]:
    """Of β = 0.3, 3 and 32, on fewer digits than the lesson's."""
    reference = own.posterior.mean
    return [
        trade.study(beta, trade.train(beta, digits=2_000, epochs=12), reference) for beta in _BETAS
    ]


def test_rate_and_distortion_are_the_terms_of_the_elbo(model: TrainedVAE, own: trade.Study) -> None:
    terms = model.elbo_terms(mnist("test").images[: trade.IMAGES])
    assert own.aggregate.rate == pytest.approx(terms.kl.mean(), rel=1e-5)
    assert own.aggregate.distortion == pytest.approx(-terms.log_likelihood.mean(), rel=1e-5)


def test_the_figures_of_a_model_do_not_depend_on_how_it_is_turned(
    studies: list[trade.Study],
) -> None:
    one = studies[0]
    digits = one.model.treated(mnist("test").images[: trade.IMAGES])
    again = aggregate(one.model, digits, seed=3)
    assert again.rate == pytest.approx(one.aggregate.rate, rel=1e-4)
    assert again.distortion == pytest.approx(one.aggregate.distortion, rel=3e-3)
    error = 5 * one.aggregate.standard_error
    assert again.marginal_kl == pytest.approx(one.aggregate.marginal_kl, abs=error)


def test_small_models_lie_on_a_curve_whose_chords_are_as_steep_as_their_betas(
    studies: list[trade.Study],
) -> None:
    rates = [one.aggregate.rate for one in studies]
    distortions = [one.aggregate.distortion for one in studies]
    assert rates == sorted(rates, reverse=True)
    assert distortions == sorted(distortions)
    first, second = trade.slopes(studies)
    # Neither end may be better than the other by the other's own objective.
    assert -3.0 < first < -0.3
    assert -32.0 < second < -3.0


def test_slopes_are_those_of_the_chords(studies: list[trade.Study]) -> None:
    first, _, last = (one.aggregate for one in studies)
    (found,) = trade.slopes([studies[0], studies[2]])
    run = last.rate - first.rate
    assert found == pytest.approx((last.distortion - first.distortion) / run)
    assert np.isnan(trade.slopes([studies[0], studies[0]])).all()


def test_a_large_beta_collapses_to_the_mean_digit(studies: list[trade.Study]) -> None:
    last = studies[-1]
    assert last.aggregate.rate < 0.05
    assert last.holes == 0
    mean = mnist("train").images[:2_000].mean(0) / 255
    assert np.abs(last.sheet - mean).mean() < 0.03
    assert np.ptp(last.sheet, axis=0).max() < 0.15
    assert np.ptp(studies[0].sheet, axis=0).max() > 0.7


def test_codes_are_turned_towards_the_reference(
    studies: list[trade.Study], own: trade.Study
) -> None:
    for one in studies[:2]:
        turned = np.sum(one.posterior.mean * own.posterior.mean)
        for degrees in (90, 180, 270):
            angle = math.radians(degrees)
            matrix = np.array(
                [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
            )
            assert turned > np.sum((one.posterior.mean @ matrix.T) * own.posterior.mean)


def test_a_hole_is_where_the_codes_are_a_tenth_of_the_prior() -> None:
    """Two unit Gaussians at ±d: at 0 the ratio to the prior is exp(−d²/2)."""
    for distance, empty in ((2.0, False), (2.3, True)):
        mean = np.array([[-distance, 0], [distance, 0]], np.float32)
        posterior = Posterior(mean, np.tile(np.eye(2, dtype=np.float32), (2, 1, 1)))
        positions = np.zeros((1, 2))
        assert trade.excess(posterior, positions)[0] == pytest.approx(-(distance**2) / 2, abs=1e-6)
        assert trade.in_hole(posterior, positions)[0] == empty


def test_lines_hold_the_shares_of_the_codes(own: trade.Study) -> None:
    for share, lines in zip(trade.SHARES, own.lines, strict=True):
        # Signed areas: what is inside of a hole is not counted.
        area = sum(
            0.5 * np.sum(line[:-1, 0] * line[1:, 1] - line[1:, 0] * line[:-1, 1]) for line in lines
        )
        circle = -2 * math.pi * math.log(1 - share)
        assert 0.4 * circle < area < 3 * circle


def test_training_tells_how_it_goes_and_can_be_left() -> None:
    told: list[tuple[float, float, float]] = []
    trade.train(1.0, digits=500, epochs=8, report=lambda *values: told.append(values))
    shares = [share for share, _, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert told[-1][2] < told[0][2]

    class Enough(Exception):  # noqa: N818 - an outcome, not an error
        pass

    def check() -> None:
        raise Enough

    with pytest.raises(Enough):
        trade.train(1.0, digits=500, check=check)


def test_the_same_training_gives_the_same_model() -> None:
    first, second = (trade.train(1.0, digits=300, epochs=1).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)
