import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tests.support.lessons import aim, no_model
from tests.support.stand_ins import MainThread
from vae_explorer.session.lessons.context import LessonContext
from vae_explorer.session.lessons.reparameterisation import Estimates, Reparameterisation

Settle = Callable[[], None]


def of(experiment: Reparameterisation) -> Estimates:
    assert experiment.result.estimates is not None
    return experiment.result.estimates


@pytest.fixture
def digit(experiment: Reparameterisation, settle: Settle) -> Reparameterisation:
    """It is about the ELBO of the context's digit."""
    experiment.set_state({"function": "elbo", "shift": [0.03, -0.02]})
    settle()
    return experiment


@pytest.mark.parametrize("name", ["square", "sine"])
def test_both_means_are_near_the_exact_gradient(experiment: Reparameterisation, name: str) -> None:
    experiment.set(function=name)
    experiment.move(mean=-0.6, sigma=0.8)
    for estimates in (of(experiment).score, of(experiment).path):
        error = estimates.std(0) / math.sqrt(len(estimates))
        assert (np.abs(estimates.mean(0) - of(experiment).exact) < 4.5 * error).all()


def test_live_values_of_z_squared(experiment: Reparameterisation) -> None:
    experiment.move(mean=1.5, sigma=0.5)
    values = experiment.values
    assert values["exact"] == 3.0
    assert values["path_variance"] == pytest.approx(4 * 0.25, rel=0.1)
    closed_form = 1.5**4 / 0.25 + 14 * 1.5**2 + 15 * 0.25
    assert values["score_variance"] == pytest.approx(closed_form, rel=0.1)
    assert values["ratio"] == pytest.approx(closed_form / 1.0, rel=0.15)
    experiment.set(parameter=1)
    assert experiment.values["exact"] == 1.0
    assert experiment.values["path_variance"] == pytest.approx(4 * 2.25 + 8 * 0.25, rel=0.1)


def test_more_draws_and_a_baseline_calm_the_score_function(experiment: Reparameterisation) -> None:
    plain = of(experiment).score.var(0)
    experiment.set(baseline=True)
    helped = of(experiment).score.var(0)
    assert (helped < plain).all()
    experiment.move(samples=16)
    assert len(of(experiment).score) == 8_192 // 16
    np.testing.assert_allclose(of(experiment).score.var(0), helped / 16, rtol=0.25)
    experiment.move(samples=1_000)
    assert experiment.settings.samples == 64


def test_a_step_has_no_path(experiment: Reparameterisation) -> None:
    experiment.set(function="step")
    assert experiment.values["path"] == 0
    assert experiment.values["ratio"] == "—"
    assert experiment.values["path_snr"] == "—"
    assert experiment.values["exact"] != 0


def test_the_same_seed_gives_the_same_draws(experiment: Reparameterisation) -> None:
    before = of(experiment).path
    experiment.set(seed=1)
    assert not np.array_equal(before, of(experiment).path)
    experiment.set_state({"seed": 0})
    np.testing.assert_array_equal(before, of(experiment).path)


def test_the_elbo_of_the_digit(digit: Reparameterisation, context: LessonContext) -> None:
    assert of(digit).exact.shape == (4,)
    error = of(digit).path.std(0) / math.sqrt(len(of(digit).path))
    assert (np.abs(of(digit).path.mean(0) - of(digit).exact) < 4.5 * error).all()
    digit.set(parameter=1)
    assert float(digit.values["ratio"]) > 10_000
    digit.set(baseline=True)
    assert 5 < float(digit.values["ratio"]) < 500
    mean = digit.result.mean
    assert mean is not None
    assert digit.digit is not None
    np.testing.assert_allclose(mean - digit.digit.mean, [0.03, -0.02], atol=1e-6)


def test_the_gradient_leads_back_to_the_digit(digit: Reparameterisation, settle: Settle) -> None:
    digit.move(shift=(0.0, -0.05))
    settle()
    assert of(digit).exact[1] > 0
    digit.move(shift=(0.0, 0.06))
    settle()
    assert of(digit).exact[1] < 0


def test_a_drag_is_computed_to_its_end_and_then_anew(
    digit: Reparameterisation, main: MainThread, settle: Settle
) -> None:
    """While one gradient is computed, no other replaces it; the last position comes next."""
    before = of(digit).exact
    digit.move(shift=(0.0, -0.04))
    digit.move(shift=(0.0, -0.05))
    digit.move(shift=(0.0, -0.06))
    assert digit.settings.shift == (0.0, -0.06)
    settle()
    ended = of(digit).exact
    assert not np.allclose(before, ended)
    digit.set(seed=digit.settings.seed + 1)
    settle()
    np.testing.assert_array_equal(of(digit).exact, ended)


def test_it_rests_while_hidden_and_without_a_digit(
    experiment: Reparameterisation, context: LessonContext, settle: Settle
) -> None:
    experiment.hide()
    before = of(experiment).path
    experiment.move(mean=2.0, sigma=0.5)
    assert of(experiment).path is before
    no_model(context)
    experiment.set(function="elbo")
    experiment.show()
    settle()
    assert experiment.result.draws is None
    assert experiment.data() == {}


def test_what_is_computed_of_a_digit_that_is_gone_is_left(
    digit: Reparameterisation, context: LessonContext, settle: Settle
) -> None:
    digit.set(seed=digit.settings.seed + 1)
    no_model(context)
    settle()
    assert digit.result.draws is None


def test_another_digit_is_taken_up(
    digit: Reparameterisation, context: LessonContext, settle: Settle
) -> None:
    target = digit.digit
    assert target is not None
    before = of(digit).exact
    aim(context, replace(target, image=255 - target.image))
    settle()
    assert not np.allclose(before, of(digit).exact)
