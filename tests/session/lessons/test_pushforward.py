from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from vae_explorer.lessons import decoded_sheet
from vae_explorer.lessons import pushforward as pf
from vae_explorer.lessons.course import LessonError
from vae_explorer.session.lessons import pushed
from vae_explorer.session.lessons.pushforward import Pushforward
from vae_explorer.session.lessons.workbench import Workbench


@pytest.fixture
def instrument(workbench: Workbench, settle: Callable[[], None]) -> Pushforward:
    instrument = Pushforward(workbench)
    instrument.show()
    settle()
    return instrument


def test_the_marked_place_obeys_the_change_of_variables(
    instrument: Pushforward, settle: Callable[[], None]
) -> None:
    instrument.set_function("spiral")
    instrument.set_z(1.0, 0.5)
    settle()
    values = instrument.values
    assert values["det"] == pytest.approx(1 / 7)
    assert values["px"] == pytest.approx(7 * float(values["pz"]))
    assert values["k"] == "1"
    instrument.set_function("fold")
    settle()
    assert instrument.values["k"] == "2"


def test_t_leads_from_the_identity_to_f(
    instrument: Pushforward, settle: Callable[[], None]
) -> None:
    instrument.set_t(0.0)
    settle()
    np.testing.assert_allclose(instrument.images, instrument.nodes)
    np.testing.assert_allclose(instrument.x, instrument.z)
    instrument.set_t(7.0)
    assert instrument.t == 1
    settle()
    f = pf.formula("half-moon")
    np.testing.assert_allclose(instrument.x, f(np.array([instrument.z]))[0])
    result = instrument.result
    assert result is not None
    np.testing.assert_allclose(result.density, pf.density(f, result.region, (120, 120)))


def test_more_samples_come_nearer(instrument: Pushforward, settle: Callable[[], None]) -> None:
    apart = []
    for n in (1_000, 100_000):
        instrument.set_samples(n)
        settle()
        apart.append(float(instrument.values["apart"]))
    assert apart[1] < apart[0] / 4


def test_the_ring_comes_with_its_closed_form(
    instrument: Pushforward, settle: Callable[[], None]
) -> None:
    instrument.set_function("ring")
    settle()
    result = instrument.result
    assert result is not None
    assert result.closed_form is not None
    np.testing.assert_allclose(result.profile, result.closed_form, atol=1e-3)
    assert result.profile.max() > 0.3
    instrument.set_function("half-moon")
    settle()
    assert instrument.result.closed_form is None


def test_a_formula_that_cannot_be_read_is_told_and_changes_nothing(
    instrument: Pushforward, settle: Callable[[], None]
) -> None:
    told: list[str] = []
    instrument.problem_changed.connect(told.append)
    instrument.set_texts("z1 + z9", "z2")
    assert "no 'z9'" in told[-1]
    assert instrument.function == "half-moon"
    instrument.set_texts("2*z1", "z2/2")
    settle()
    assert told[-1] == ""
    assert instrument.function == "own"
    assert instrument.values["det"] == pytest.approx(1)


def test_a_formula_without_values_breaks_nothing(
    instrument: Pushforward, settle: Callable[[], None]
) -> None:
    instrument.set_texts("log(-1 - z1**2)", "1/(z2 - z2)")
    settle()
    assert instrument.values["px"] == 0
    instrument.set_texts("1e20*z1", "exp(9*z2)*1e9")
    settle()


def test_while_hidden_nothing_is_computed(workbench: Workbench, settle: Callable[[], None]) -> None:
    instrument = Pushforward(workbench)
    instrument.set_t(0.5)
    settle()
    assert instrument.result is None
    assert instrument.data() == {}
    instrument.show()
    instrument.hide()
    settle()
    assert instrument.result is None


def test_what_is_asked_while_it_computes_comes_afterwards(
    workbench: Workbench, settle: Callable[[], None]
) -> None:
    instrument = Pushforward(workbench)
    instrument.show()
    for t in (0.1, 0.2, 0.3):
        instrument.set_t(t)
    settle()
    assert instrument.result is not None
    f = pf.towards(pf.formula("half-moon"), 0.3)
    np.testing.assert_allclose(
        instrument.result.density, pf.density(f, instrument.result.region, (120, 120))
    )


def test_its_state_is_set_again(instrument: Pushforward, workbench: Workbench) -> None:
    instrument.set_texts("z1 + z2", "z2**2")
    instrument.set_t(0.25)
    instrument.set_samples(1_000)
    instrument.set_z(-1.0, 2.0)
    other = Pushforward(workbench)
    other.set_state(instrument.state())
    assert other.state() == instrument.state()


@pytest.mark.parametrize(
    "state",
    [
        {"speed": 1},
        {"function": "torus"},
        {"x1": "import os"},
        {"t": 2.0},
        {"t": True},
        {"samples": 7},
        {"z": [9.0, 0.0]},
        {"z": "here"},
        {"components": [1, 1]},
        {"components": [1, 9]},
        {"components": [1.5, 2]},
    ],
)
def test_a_state_that_cannot_be_is_refused(instrument: Pushforward, state: dict[str, Any]) -> None:
    before = instrument.state()
    with pytest.raises(LessonError):
        instrument.set_state(state)
    assert instrument.state() == before


@pytest.mark.slow
def test_the_decoder_is_a_function_too(
    workbench: Workbench,
    rotate: Callable[[list[list[float]]], None],
    settle: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(decoded_sheet, "_SIDE", 71)
    monkeypatch.setattr(pushed, "DENSITY", 60)
    monkeypatch.setattr(pushed, "BINS", 30)
    instrument = Pushforward(workbench)
    instrument.set_state({"function": "decoder", "components": [2, 1], "z": [0.3, -0.4]})
    assert not instrument.ready
    assert instrument.state()["components"] == [2, 1]
    instrument.show()
    settle()
    assert instrument.ready
    assert workbench.model is not None
    np.testing.assert_allclose(instrument.picture, workbench.model.decode([[0.3, -0.4]])[0])
    result = instrument.result
    assert result is not None
    left, right, bottom, top = result.region
    mass = result.density.mean() * (right - left) * (top - bottom)
    assert mass == pytest.approx(1, abs=0.06)
    assert float(instrument.values["magnification"]) > 0
    rotate([[0.0, -1.0], [1.0, 0.0]])
    settle()
    np.testing.assert_allclose(instrument.result.density.mean(), result.density.mean(), rtol=0.1)
