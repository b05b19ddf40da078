from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from vae_explorer.lessons.course import LessonError
from vae_explorer.session.jobs import Jobs, Tasks
from vae_explorer.session.lessons.tighter import KS, Tighter
from vae_explorer.session.lessons.workbench import Workbench

if TYPE_CHECKING:
    from tests.support.stand_ins import MainThread

Settle = Callable[[], None]


@pytest.fixture
def instrument(workbench: Workbench) -> Tighter:
    instrument = Tighter(workbench)
    instrument.set_state({"image": 7, "samples": 10_000, "repeats": 20})
    return instrument


def test_nothing_is_computed_unless_shown(instrument: Tighter, settle: Settle) -> None:
    settle()
    assert instrument.ladder is None
    assert instrument.data() == {}


def test_the_bound_is_told_and_what_is_known_is_kept(instrument: Tighter, settle: Settle) -> None:
    worked: list[tuple[str, float]] = []
    instrument.worked.connect(lambda what, share: worked.append((what, share)))
    instrument.show()
    settle()
    assert [what for what, _ in worked] == ["integrating", "drawing", "drawing", ""]
    assert instrument.ladder is not None
    first = instrument.data()
    np.testing.assert_array_equal(first["k"], KS)
    assert first["bound"][0] == pytest.approx(first["elbo"], abs=0.1)
    assert first["bound"][-1] == pytest.approx(first["exact"], abs=0.1)
    worked.clear()
    instrument.hide()
    instrument.show()
    settle()
    assert worked == [("", 1.0)]
    instrument.set_state({"samples": 20_000})
    settle()
    more = instrument.data()
    assert more["bound"][0] != first["bound"][0]
    instrument.set_state({"seed": 1})
    settle()
    assert instrument.data()["bound"][0] != more["bound"][0]


def test_k_moves_from_rung_to_rung(instrument: Tighter, settle: Settle) -> None:
    instrument.show()
    settle()
    seen: list[int] = []
    instrument.k_changed.connect(seen.append)
    instrument.set_k(93.0)
    instrument.set_k(101.0)
    instrument.set_k(1e9)
    instrument.set_k(0)
    assert seen == [100, 5_000, 1]
    instrument.set_k(100)
    values = instrument.values
    assert values["k"] == "100"
    assert isinstance(values["bound"], float)
    assert isinstance(values["logp"], float)
    assert values["gap"] == pytest.approx(values["logp"] - values["bound"])


def test_gradients_are_told_when_wanted(instrument: Tighter, settle: Settle) -> None:
    instrument.show()
    settle()
    assert "snr_iwae" not in instrument.data()
    instrument.set_state({"gradient": True, "q": "wide", "k": 200})
    settle()
    iwae, dreg = instrument.ratios
    assert (iwae.name, dreg.name) == ("iwae", "dreg")
    assert len(iwae.ks) == len(dreg.ks) == 8
    assert iwae.power < -0.3
    assert dreg.power > 0.2
    assert instrument.values["snr_dreg"] == dreg.values[-1]
    instrument.set_state({"gradient": False})
    settle()
    assert "snr_iwae" not in instrument.data()
    instrument.set_state({"gradient": True})
    assert "snr_iwae" in instrument.data()  # kept


def test_a_misread_digit_keeps_its_gap(instrument: Tighter, settle: Settle) -> None:
    instrument.set_state({"image": -1})
    instrument.show()
    settle()
    data = instrument.data()
    assert data["bound"][-1] < data["exact"] - 20
    instrument.set_state({"q": "matched"})
    settle()
    data = instrument.data()
    assert data["bound"][0] > data["exact"] - 0.2


def test_hidden_it_leaves_off(
    workbench: Workbench, threaded_jobs: Jobs, main: "MainThread"
) -> None:
    workbench._tasks = Tasks(threaded_jobs, workbench._tasks.fail)
    instrument = Tighter(workbench)
    instrument.set_state({"samples": 1_000_000})
    instrument.show()
    main.run_until(lambda: instrument.ladder is not None)
    instrument.stop()
    assert instrument.working == ""
    assert instrument.ladder is not None
    assert instrument.ladder.bound.blocks[0] < 1_000_000


def test_a_state_comes_back(instrument: Tighter) -> None:
    state = {
        "k": 50,
        "samples": 50_000,
        "q": "matched",
        "image": 4,
        "gradient": True,
        "repeats": 200,
        "seed": 2,
    }
    instrument.set_state(state)
    assert instrument.state() == state


@pytest.mark.parametrize(
    "state",
    [
        {"ks": 5},
        {"k": 3},
        {"k": "1"},
        {"samples": 12_345},
        {"repeats": 1},
        {"q": "prior"},
        {"image": -2},
        {"seed": None},
    ],
)
def test_a_bad_state_is_refused(instrument: Tighter, state: dict[str, Any]) -> None:
    before = instrument.state()
    with pytest.raises(LessonError):
        instrument.set_state(state)
    assert instrument.state() == before
