from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from vae_explorer.latent.normal import PRIOR
from vae_explorer.lessons import sampling as numbers
from vae_explorer.lessons.course import LessonError
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.session.jobs import Jobs, Tasks
from vae_explorer.session.lessons.sampling import Sampling
from vae_explorer.session.lessons.workbench import Workbench

if TYPE_CHECKING:
    from tests.support.stand_ins import MainThread

Settle = Callable[[], None]


@pytest.fixture
def instrument(workbench: Workbench) -> Sampling:
    return Sampling(workbench)


def test_nothing_is_computed_unless_shown(instrument: Sampling, settle: Settle) -> None:
    instrument.set_state({"samples": 20_000})
    settle()
    assert instrument.drawn == 0
    assert instrument.data() == {}
    instrument.show()
    settle()
    assert instrument.drawn == 20_000


def test_samples_grow_and_those_drawn_are_kept(
    instrument: Sampling, settle: Settle, model: TrainedVAE
) -> None:
    grown: list[tuple[int, bool]] = []
    instrument.grown.connect(lambda drawn, more: grown.append((drawn, more)))
    instrument.show()
    settle()
    assert grown[0] == (0, True)
    assert grown[-1] == (10_000, False)
    instrument.draw_more(20_000)
    settle()
    assert instrument.m == 20_000
    again = instrument.data()
    assert instrument._truth is not None
    known = numbers.draw(model, instrument._truth.x, PRIOR, 20_000)
    m = numbers.rungs(20_000)
    np.testing.assert_allclose(again["estimate"], known.estimate(m))


def test_the_first_m_are_looked_at(instrument: Sampling, settle: Settle) -> None:
    instrument.show()
    settle()
    told: list[dict[str, Any]] = []
    instrument.values_changed.connect(told.append)
    instrument.set_m(40)
    (lit,) = instrument.lit
    assert lit.m == 40
    assert len(lit.ground) == 40
    assert told[-1]["m"] == "40"
    assert told[-1]["ess"] == pytest.approx(lit.effective)
    assert 1 <= lit.effective <= 40
    instrument.set_m(10**9)
    assert instrument.m == instrument.samples


def test_q_is_drawn_as_often_as_the_prior(instrument: Sampling, settle: Settle) -> None:
    instrument.show()
    instrument.set_state({"image": 7, "q": "encoder"})
    settle()
    prior, q = instrument.lit
    assert prior.m == q.m == 10_000
    assert q.effective > 100 * prior.effective
    data = instrument.data()
    assert data["q_estimate"][-1] == pytest.approx(data["exact"], abs=0.1)
    assert instrument.values["ess_q"] == pytest.approx(q.effective)
    instrument.set_state({"q": "none"})
    settle()
    assert len(instrument.lit) == 1


def test_another_digit_or_other_dice_begin_anew(
    instrument: Sampling, workbench: Workbench, settle: Settle
) -> None:
    instrument.show()
    settle()
    before = instrument.data()
    instrument.set_state({"seed": 1})
    settle()
    dice = instrument.data()
    assert dice["exact"] == before["exact"]
    assert dice["estimate"][-1] != before["estimate"][-1]
    instrument.set_state({"image": 3})
    settle()
    assert instrument.data()["exact"] > before["exact"] + 50
    # Of its own choice it is still about image 3.
    workbench.set_subject(None)
    settle()
    assert instrument.drawn == 10_000


def test_growing_can_be_stopped(instrument: Sampling, settle: Settle, main: "MainThread") -> None:
    instrument.show()
    settle()
    instrument.set_state({"samples": 40_000})
    # The answers wait for the main thread; the first of them comes, the others are cancelled.
    main.step()
    main.step()
    instrument.stop()
    settle()
    assert instrument.drawn == instrument.samples == 20_000
    assert not instrument.growing


def test_a_state_comes_back(instrument: Sampling) -> None:
    state = {"samples": 50_000, "m": 7, "q": "matched", "image": 4, "seed": 2, "near": True}
    instrument.set_state(state)
    assert instrument.state() == state


@pytest.mark.parametrize(
    "state",
    [
        {"sample": 10},
        {"samples": 12_345},
        {"samples": 10_000_000},
        {"samples": 1.5},
        {"m": 0},
        {"q": "r"},
        {"image": 60_000},
        {"image": "7"},
        {"seed": "x"},
    ],
)
def test_a_bad_state_is_refused(instrument: Sampling, state: dict[str, Any]) -> None:
    before = instrument.state()
    with pytest.raises(LessonError):
        instrument.set_state(state)
    assert instrument.state() == before


def test_hidden_it_leaves_off(
    workbench: Workbench, threaded_jobs: Jobs, main: "MainThread"
) -> None:
    workbench._tasks = Tasks(threaded_jobs, workbench._tasks.fail)
    instrument = Sampling(workbench)
    instrument.set_state({"samples": 1_000_000})
    instrument.show()
    main.run_until(lambda: instrument.drawn >= 10_000)
    instrument.hide()
    main.run()
    drawn = instrument.drawn
    assert 10_000 <= drawn < 1_000_000
