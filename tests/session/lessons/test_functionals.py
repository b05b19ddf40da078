import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from vae_explorer.lessons import entropy
from vae_explorer.lessons.course import LessonError
from vae_explorer.session.lessons.constraints import CONSTRAINTS
from vae_explorer.session.lessons.functionals import SHAPES, Functionals
from vae_explorer.session.lessons.workbench import Workbench

if TYPE_CHECKING:
    from tests.support.lessons import Clock

Settle = Callable[[], None]


@pytest.fixture
def instrument(workbench: Workbench) -> Functionals:
    made = Functionals(workbench)
    made.show()
    return made


@pytest.mark.parametrize("constraint", CONSTRAINTS)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_ascent_ends_by_itself_at_the_maximum(
    instrument: Functionals, settle: Settle, constraint: str, shape: str
) -> None:
    instrument.set_constraint(constraint)
    instrument.set_shape(shape)
    told: list[bool] = []
    instrument.running_changed.connect(told.append)
    instrument.ascend()
    settle()
    assert told == [True, False]
    assert instrument.entropies[-1] == pytest.approx(instrument.problem.maximum, abs=1e-3)
    assert (np.diff(instrument.divergences) < 0).all()
    assert instrument.divergences[-1] < entropy.TOLERANCE
    np.testing.assert_allclose(
        instrument.multipliers[-1], instrument.final_multipliers, rtol=2e-3, atol=2e-3
    )
    assert instrument.values["H"] == instrument.entropies[-1]


def test_a_held_bar_stays_while_the_others_make_room(instrument: Functionals) -> None:
    before = instrument.p
    instrument.hold(2, 0.5)
    assert instrument.held
    assert instrument.p[2] == pytest.approx(0.5)
    others = np.arange(6) != 2
    ratio = instrument.p[others] / before[others]
    np.testing.assert_allclose(ratio, ratio[0])
    instrument.let_go()
    assert not instrument.held
    assert instrument.p[2] == pytest.approx(0.5)


def test_the_constraints_take_hold_of_what_was_drawn(instrument: Functionals) -> None:
    instrument.set_constraint("variance")
    instrument.draw((1.0, 0.3), (2.5, 0.3))
    instrument.draw((2.5, 0.3), (3.0, 0.1))
    x, cell = instrument.problem.x, instrument.problem.cell
    drawn = (x > 1.1) & (x < 2.4)
    np.testing.assert_allclose(instrument.p[drawn], 0.3, rtol=1e-3)
    assert instrument.p.sum() * cell == pytest.approx(1)
    assert abs((x * instrument.p).sum() * cell) > 0.5
    instrument.let_go()
    assert (x * instrument.p).sum() * cell == pytest.approx(0, abs=1e-9)
    assert (x**2 * instrument.p).sum() * cell == pytest.approx(1, abs=1e-9)


def test_a_key_raises_the_density_in_a_hump(instrument: Functionals) -> None:
    instrument.set_constraint("interval")
    at = np.abs(instrument.problem.x - 3.0).argmin()
    before = instrument.p[at]
    instrument.raise_at(3.0, 0.2)
    assert instrument.p[at] > before + 0.1
    instrument.raise_at(3.0, -5.0)
    assert 0 < instrument.p[at] < 0.01


def test_a_step_a_pause_and_back(instrument: Functionals, clock: "Clock") -> None:
    start = instrument.p
    instrument.step()
    assert len(instrument.divergences) == 2
    instrument.ascend()
    instrument.ascend()
    clock.tick()
    assert len(instrument.divergences) == 4
    instrument.pause()
    clock.tick()
    assert len(instrument.divergences) == 4
    instrument.reset()
    np.testing.assert_array_equal(instrument.p, start)


def test_nothing_moves_while_it_is_hidden(instrument: Functionals, clock: "Clock") -> None:
    instrument.ascend()
    instrument.hide()
    count = len(instrument.divergences)
    clock.tick()
    assert not instrument.running
    assert len(instrument.divergences) == count
    instrument.ascend()
    assert not clock.waiting


def test_a_state_comes_back(instrument: Functionals, workbench: Workbench) -> None:
    instrument.set_state({"constraint": "mean", "size": 0.7, "shape": "comb"})
    assert instrument.state() == {
        "constraint": "mean", "size": 0.7, "shape": "comb", "ascend": False,
    }  # fmt: skip
    instrument.raise_at(1.0, 0.5)
    other = Functionals(workbench)
    other.set_state(instrument.state())
    # Written with four digits, and nowhere lower than a start may be.
    np.testing.assert_allclose(other.p, instrument.p, rtol=5e-3, atol=1e-3)
    instrument.set_shape("ramp")
    assert "heights" not in instrument.state()


def test_few_heights_are_joined_by_lines(instrument: Functionals) -> None:
    instrument.set_state({"constraint": "interval", "size": 2, "heights": [0.0, 2.0, 0.0]})
    assert instrument.problem.x[instrument.p.argmax()] == pytest.approx(1.0, abs=0.01)
    # Of the triangle on [0, 2]: 1/2.
    assert instrument.entropies[-1] == pytest.approx(0.5, abs=2e-3)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"bars": 3}, "knows no bars"),
        ({"constraint": "circle"}, "'circle' is no constraint"),
        ({"size": 900}, "from 2 to 12"),
        ({"size": "large"}, "not large"),
        ({"shape": "cat"}, "'cat' is no shape"),
        ({"heights": [1.0]}, "two numbers or more"),
        ({"heights": [1.0, -2.0]}, "none below 0"),
    ],
)
def test_bad_states_are_refused(instrument: Functionals, state: dict[str, Any], said: str) -> None:
    before = instrument.state()
    with pytest.raises(LessonError, match=said):
        instrument.set_state(state)
    assert instrument.state() == before


def test_live_values_of_a_known_density(instrument: Functionals) -> None:
    instrument.set_state({"constraint": "bars", "size": 4, "heights": [1.0, 1.0, 1.0, 1.0]})
    assert instrument.values["H"] == pytest.approx(math.log(4))
    assert instrument.values["KL"] == pytest.approx(0, abs=1e-12)
    assert instrument.values["p"] == 0.25
