import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from vae_explorer.lessons.course import LessonError
from vae_explorer.session.lessons.reparameterisation import (
    FUNCTIONS,
    PARAMETERS,
    Reparameterisation,
)
from vae_explorer.session.lessons.workbench import Workbench

if TYPE_CHECKING:
    from tests.support.stand_ins import MainThread

Settle = Callable[[], None]


@pytest.fixture
def instrument(workbench: Workbench) -> Reparameterisation:
    made = Reparameterisation(workbench)
    made.show()
    return made


@pytest.fixture
def digit(instrument: Reparameterisation, settle: Settle) -> Reparameterisation:
    """It is about the ELBO of the workbench's digit."""
    instrument.set_state({"function": "elbo", "shift": [0.03, -0.02]})
    settle()
    return instrument


@pytest.mark.parametrize("name", ["square", "sine"])
def test_both_means_are_near_the_exact_gradient(instrument: Reparameterisation, name: str) -> None:
    instrument.set_function(name)
    instrument.set_q(-0.6, 0.8)
    for estimates in (instrument.score, instrument.path):
        error = estimates.std(0) / math.sqrt(len(estimates))
        assert (np.abs(estimates.mean(0) - instrument.exact) < 4.5 * error).all()


def test_live_values_of_z_squared(instrument: Reparameterisation) -> None:
    instrument.set_q(1.5, 0.5)
    values = instrument.values
    assert values["exact"] == 3.0
    assert values["path_variance"] == pytest.approx(4 * 0.25, rel=0.1)
    closed_form = 1.5**4 / 0.25 + 14 * 1.5**2 + 15 * 0.25
    assert values["score_variance"] == pytest.approx(closed_form, rel=0.1)
    assert values["ratio"] == pytest.approx(closed_form / 1.0, rel=0.15)
    instrument.set_parameter(1)
    assert instrument.values["exact"] == 1.0
    assert instrument.values["path_variance"] == pytest.approx(4 * 2.25 + 8 * 0.25, rel=0.1)


def test_more_draws_and_a_baseline_calm_the_score_function(
    instrument: Reparameterisation,
) -> None:
    plain = instrument.score.var(0)
    instrument.set_baseline(True)
    helped = instrument.score.var(0)
    assert (helped < plain).all()
    instrument.set_samples(16)
    assert len(instrument.score) == 8_192 // 16
    np.testing.assert_allclose(instrument.score.var(0), helped / 16, rtol=0.25)
    instrument.set_samples(1_000)
    assert instrument.samples == 64


def test_a_step_has_no_path(instrument: Reparameterisation) -> None:
    instrument.set_function("step")
    assert instrument.values["path"] == 0
    assert instrument.values["ratio"] == "—"
    assert instrument.values["path_snr"] == "—"
    assert instrument.values["exact"] != 0


def test_the_same_seed_gives_the_same_draws(instrument: Reparameterisation) -> None:
    before = instrument.path
    instrument.draw_again()
    assert not np.array_equal(before, instrument.path)
    instrument.set_state({"seed": 0})
    np.testing.assert_array_equal(before, instrument.path)


def test_the_elbo_of_the_digit(digit: Reparameterisation, workbench: Workbench) -> None:
    assert digit.exact.shape == (4,)
    error = digit.path.std(0) / math.sqrt(len(digit.path))
    assert (np.abs(digit.path.mean(0) - digit.exact) < 4.5 * error).all()
    digit.set_parameter(1)
    assert float(digit.values["ratio"]) > 10_000
    digit.set_baseline(True)
    assert 5 < float(digit.values["ratio"]) < 500
    posterior = digit.posterior
    assert posterior is not None
    assert workbench.subject is not None
    np.testing.assert_allclose(posterior[0] - workbench.subject.mean, [0.03, -0.02], atol=1e-6)


def test_the_gradient_leads_back_to_the_digit(digit: Reparameterisation, settle: Settle) -> None:
    digit.set_shift((0.0, -0.05))
    settle()
    assert digit.exact[1] > 0
    digit.set_shift((0.0, 0.06))
    settle()
    assert digit.exact[1] < 0


def test_a_drag_is_computed_to_its_end_and_then_anew(
    digit: Reparameterisation, main: "MainThread", settle: Settle
) -> None:
    """While one gradient is computed, no other replaces it; the last place comes next."""
    before = digit.exact
    digit.set_shift((0.0, -0.04))
    digit.set_shift((0.0, -0.05))
    digit.set_shift((0.0, -0.06))
    assert digit.shift == (0.0, -0.06)
    settle()
    ended = digit.exact
    assert not np.allclose(before, ended)
    digit.draw_again()
    settle()
    np.testing.assert_array_equal(digit.exact, ended)


def test_it_rests_while_hidden_and_without_a_digit(
    instrument: Reparameterisation, workbench: Workbench, settle: Settle
) -> None:
    instrument.hide()
    before = instrument.path
    instrument.set_q(2.0, 0.5)
    assert instrument.path is before
    workbench.set_subject(None)
    instrument.set_function("elbo")
    instrument.show()
    settle()
    assert not instrument.ready
    assert instrument.data() == {}


def test_what_is_computed_of_a_digit_that_is_gone_is_left(
    digit: Reparameterisation, workbench: Workbench, settle: Settle
) -> None:
    digit.draw_again()
    workbench.set_subject(None)
    settle()
    assert not digit.ready


def test_another_digit_is_taken_up(
    digit: Reparameterisation, workbench: Workbench, settle: Settle
) -> None:
    subject = workbench.subject
    assert subject is not None
    before = digit.exact
    workbench.set_subject(replace(subject, image=255 - subject.image))
    settle()
    assert not np.allclose(before, digit.exact)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_state_comes_back(
    instrument: Reparameterisation, workbench: Workbench, name: str, settle: Settle
) -> None:
    state: dict[str, Any] = {
        "function": name,
        "parameter": len(PARAMETERS[name]) - 1,
        "samples": 8,
        "baseline": True,
        "same_scale": False,
        "seed": 5,
    }
    state |= {"shift": [0.01, 0.02]} if name == "elbo" else {"mean": 0.5, "sigma": 0.7}
    instrument.set_state(state)
    settle()
    assert instrument.state() == state
    other = Reparameterisation(workbench)
    other.show()
    other.set_state(instrument.state())
    settle()
    np.testing.assert_array_equal(other.score, instrument.score)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"colour": 1}, "knows no colour"),
        ({"function": "cube"}, "'cube' is no function"),
        ({"mean": 9}, "mean must be a number from -3 to 3"),
        ({"sigma": "wide"}, "not wide"),
        ({"function": "square", "parameter": 2}, "from 0 to 1"),
        ({"samples": 2.5}, "whole number"),
        ({"baseline": 1}, "true or false"),
        ({"shift": [1.0]}, "two numbers"),
        ({"shift": [1.0, 0.0]}, "from -0.2 to 0.2"),
    ],
)
def test_bad_states_are_refused(
    instrument: Reparameterisation, state: dict[str, Any], said: str
) -> None:
    before = instrument.state()
    with pytest.raises(LessonError, match=said):
        instrument.set_state(state)
    assert instrument.state() == before
