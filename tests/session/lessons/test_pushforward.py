from collections.abc import Callable

import numpy as np
import pytest

from vae_explorer.lessons import decoded_sheet
from vae_explorer.lessons import pushforward as pf
from vae_explorer.lessons.course import LessonError
from vae_explorer.session.lessons import pushed
from vae_explorer.session.lessons.context import LessonContext
from vae_explorer.session.lessons.pushforward import NODES, SIGHT, Pushforward


def test_the_marked_place_obeys_the_change_of_variables(
    experiment: Pushforward, settle: Callable[[], None]
) -> None:
    experiment.set(function="spiral")
    experiment.move(z=(1.0, 0.5))
    settle()
    values = experiment.values
    assert values["det"] == pytest.approx(1 / 7)
    assert values["px"] == pytest.approx(7 * float(values["pz"]))
    assert values["k"] == "1"
    experiment.set(function="fold")
    settle()
    assert experiment.values["k"] == "2"


def test_t_leads_from_the_identity_to_f(
    experiment: Pushforward, settle: Callable[[], None]
) -> None:
    experiment.move(t=0.0)
    settle()
    lattice = experiment.result.lattice
    assert lattice is not None
    axis = np.linspace(-SIGHT, SIGHT, NODES)
    np.testing.assert_allclose(lattice.images, np.stack(np.meshgrid(axis, axis), axis=2))
    np.testing.assert_allclose(experiment.x, experiment.settings.z)
    experiment.move(t=7.0)
    assert experiment.settings.t == 1
    settle()
    f = pf.formula("half-moon")
    np.testing.assert_allclose(experiment.x, f(np.array([experiment.settings.z]))[0])
    result = experiment.result.pushed
    assert result is not None
    np.testing.assert_allclose(result.density, pf.density(f, result.region, (120, 120)))


def test_more_samples_come_nearer(experiment: Pushforward, settle: Callable[[], None]) -> None:
    apart = []
    for n in (1_000, 100_000):
        experiment.set(samples=n)
        settle()
        apart.append(float(experiment.values["apart"]))
    assert apart[1] < apart[0] / 4


def test_the_ring_comes_with_its_closed_form(
    experiment: Pushforward, settle: Callable[[], None]
) -> None:
    experiment.set(function="ring")
    settle()
    result = experiment.result.pushed
    assert result is not None
    assert result.closed_form is not None
    np.testing.assert_allclose(result.profile, result.closed_form, atol=1e-3)
    assert result.profile.max() > 0.3
    experiment.set(function="half-moon")
    settle()
    assert experiment.result.pushed.closed_form is None


def test_a_formula_that_cannot_be_read_is_told_and_changes_nothing(
    experiment: Pushforward, settle: Callable[[], None]
) -> None:
    with pytest.raises(LessonError, match="no 'z9'"):
        experiment.set(x1="z1 + z9", x2="z2")
    assert experiment.settings.function == "half-moon"
    experiment.set(x1="2*z1", x2="z2/2")
    settle()
    assert experiment.settings.function == "own"
    assert experiment.values["det"] == pytest.approx(1)


def test_a_formula_without_values_breaks_nothing(
    experiment: Pushforward, settle: Callable[[], None]
) -> None:
    experiment.set(x1="log(-1 - z1**2)", x2="1/(z2 - z2)")
    settle()
    assert experiment.values["px"] == 0
    experiment.set(x1="1e20*z1", x2="exp(9*z2)*1e9")
    settle()


def test_what_is_asked_while_it_computes_comes_afterwards(
    context: LessonContext, settle: Callable[[], None]
) -> None:
    experiment = Pushforward(context)
    experiment.show()
    for t in (0.1, 0.2, 0.3):
        experiment.move(t=t)
    settle()
    assert experiment.result.pushed is not None
    f = pf.towards(pf.formula("half-moon"), 0.3)
    np.testing.assert_allclose(
        experiment.result.pushed.density, pf.density(f, experiment.result.pushed.region, (120, 120))
    )


@pytest.mark.slow
def test_the_decoder_is_a_function_too(
    context: LessonContext,
    rotate: Callable[[list[list[float]]], None],
    settle: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(decoded_sheet, "_SIDE", 71)
    monkeypatch.setattr(pushed, "DENSITY", 60)
    monkeypatch.setattr(pushed, "BINS", 30)
    experiment = Pushforward(context)
    experiment.set_state({"function": "decoder", "components": [2, 1], "z": [0.3, -0.4]})
    assert experiment.result.lattice is None
    assert experiment.state()["components"] == [2, 1]
    experiment.show()
    settle()
    assert experiment.result.lattice is not None
    assert context.model is not None
    np.testing.assert_allclose(experiment.result.picture, context.model.decode([[0.3, -0.4]])[0])
    result = experiment.result.pushed
    assert result is not None
    left, right, bottom, top = result.region
    mass = result.density.mean() * (right - left) * (top - bottom)
    assert mass == pytest.approx(1, abs=0.06)
    assert float(experiment.values["magnification"]) > 0
    rotate([[0.0, -1.0], [1.0, 0.0]])
    settle()
    np.testing.assert_allclose(
        experiment.result.pushed.density.mean(), result.density.mean(), rtol=0.1
    )
