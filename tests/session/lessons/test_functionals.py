import math
from collections.abc import Callable

import numpy as np
import pytest

from tests.support.lessons import Clock
from vae_explorer.lessons import entropy
from vae_explorer.session.lessons.constraints import CONSTRAINTS
from vae_explorer.session.lessons.context import LessonContext
from vae_explorer.session.lessons.functionals import Functionals

Settle = Callable[[], None]


@pytest.mark.parametrize("constraint", CONSTRAINTS)
@pytest.mark.parametrize("shape", entropy.SHAPES)
def test_the_ascent_ends_by_itself_at_the_maximum(
    experiment: Functionals, settle: Settle, constraint: str, shape: str
) -> None:
    experiment.set(constraint=constraint)
    experiment.set(shape=shape)
    experiment.set(ascend=True)
    assert experiment.settings.ascend
    settle()
    assert not experiment.settings.ascend
    assert experiment.result.entropies[-1] == pytest.approx(
        experiment.result.problem.maximum, abs=1e-3
    )
    assert (np.diff(experiment.result.divergences) < 0).all()
    assert experiment.result.divergences[-1] < entropy.TOLERANCE
    np.testing.assert_allclose(
        experiment.result.multipliers[-1], experiment.result.final_multipliers, rtol=2e-3, atol=2e-3
    )
    values = {name: float(experiment.values[name]) for name in ("H", "joint", "ELBO")}
    assert values["ELBO"] == experiment.result.entropies[-1]
    assert values["H"] + values["joint"] == pytest.approx(values["ELBO"])


def test_a_held_bar_stays_while_the_others_make_room(experiment: Functionals) -> None:
    before = experiment.result.p
    experiment.hold(2, 0.5)
    assert experiment.result.held.any()
    assert experiment.result.p[2] == pytest.approx(0.5)
    others = np.arange(6) != 2
    ratio = experiment.result.p[others] / before[others]
    np.testing.assert_allclose(ratio, ratio[0])
    experiment.let_go()
    assert not experiment.result.held.any()
    assert experiment.result.p[2] == pytest.approx(0.5)


def test_the_constraints_take_hold_of_what_was_drawn(experiment: Functionals) -> None:
    experiment.set(constraint="variance")
    experiment.draw((1.0, 0.3), (2.5, 0.3))
    experiment.draw((2.5, 0.3), (3.0, 0.1))
    x, cell = experiment.result.problem.x, experiment.result.problem.cell
    drawn = (x > 1.1) & (x < 2.4)
    np.testing.assert_allclose(experiment.result.p[drawn], 0.3, rtol=1e-3)
    assert experiment.result.p.sum() * cell == pytest.approx(1)
    assert abs((x * experiment.result.p).sum() * cell) > 0.5
    experiment.let_go()
    assert (x * experiment.result.p).sum() * cell == pytest.approx(0, abs=1e-9)
    assert (x**2 * experiment.result.p).sum() * cell == pytest.approx(1, abs=1e-9)


def test_a_key_raises_the_density_in_a_hump(experiment: Functionals) -> None:
    experiment.set(constraint="interval")
    at = np.abs(experiment.result.problem.x - 3.0).argmin()
    before = experiment.result.p[at]
    experiment.raise_at(3.0, 0.2)
    assert experiment.result.p[at] > before + 0.1
    experiment.raise_at(3.0, -5.0)
    assert 0 < experiment.result.p[at] < 0.01


def test_a_step_a_pause_and_back(experiment: Functionals, clock: Clock) -> None:
    start = experiment.result.p
    experiment.step()
    assert len(experiment.result.divergences) == 2
    experiment.set(ascend=True)
    experiment.set(ascend=True)
    clock.tick()
    assert len(experiment.result.divergences) == 4
    experiment.set(ascend=False)
    clock.tick()
    assert len(experiment.result.divergences) == 4
    experiment.reset()
    np.testing.assert_array_equal(experiment.result.p, start)


def test_nothing_moves_while_it_is_hidden(experiment: Functionals, clock: Clock) -> None:
    experiment.set(ascend=True)
    experiment.hide()
    count = len(experiment.result.divergences)
    clock.tick()
    assert not experiment.settings.ascend
    assert len(experiment.result.divergences) == count
    experiment.set(ascend=True)
    assert not clock.waiting


def test_a_state_comes_back(experiment: Functionals, context: LessonContext) -> None:
    experiment.set_state({"constraint": "mean", "size": 0.7, "shape": "comb"})
    assert experiment.state() == {
        "constraint": "mean", "size": 0.7, "shape": "comb", "ascend": False,
    }  # fmt: skip
    experiment.raise_at(1.0, 0.5)
    other = Functionals(context)
    other.show()
    other.set_state(experiment.state())
    # Written with four digits, and nowhere lower than a start may be.
    np.testing.assert_allclose(other.result.p, experiment.result.p, rtol=5e-3, atol=1e-3)
    experiment.set(shape="ramp")
    assert "heights" not in experiment.state()


def test_few_heights_are_joined_by_lines(experiment: Functionals) -> None:
    experiment.set_state({"constraint": "interval", "size": 2, "heights": [0.0, 2.0, 0.0]})
    assert experiment.result.problem.x[experiment.result.p.argmax()] == pytest.approx(1.0, abs=0.01)
    # Of the triangle on [0, 2]: 1/2.
    assert experiment.result.entropies[-1] == pytest.approx(0.5, abs=2e-3)


def test_live_values_of_a_known_density(experiment: Functionals) -> None:
    experiment.set_state({"constraint": "bars", "size": 4, "heights": [1.0, 1.0, 1.0, 1.0]})
    assert experiment.values["H"] == pytest.approx(math.log(4))
    assert experiment.values["KL"] == pytest.approx(0, abs=1e-12)
    assert experiment.values["p"] == 0.25
