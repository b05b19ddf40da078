from collections.abc import Callable

import numpy as np
import pytest

from tests.support.stand_ins import MainThread
from vae_explorer.lessons.tighter import KS
from vae_explorer.session.jobs import Jobs
from vae_explorer.session.lessons.context import LessonContext
from vae_explorer.session.lessons.tighter import Tighter
from vae_explorer.session.tasks import Tasks

Settle = Callable[[], None]


@pytest.fixture
def experiment(context: LessonContext) -> Tighter:
    experiment = Tighter(context)
    experiment.set_state({"image": 7, "samples": 10_000, "repeats": 20})
    return experiment


def test_the_bound_is_told_and_what_is_known_is_kept(experiment: Tighter, settle: Settle) -> None:
    worked: list[str] = []
    experiment.changed.connect(lambda found: worked.append(found.working))
    experiment.show()
    settle()
    assert list(dict.fromkeys(worked)) == ["integrating", "sampling", ""]
    first = experiment.data()
    np.testing.assert_array_equal(first["k"], KS)
    assert first["bound"][0] == pytest.approx(first["elbo"], abs=0.1)
    assert first["bound"][-1] == pytest.approx(first["exact"], abs=0.1)
    kept = experiment.seen["encoder"].samples
    experiment.hide()
    experiment.show()
    settle()
    assert experiment.seen["encoder"].samples is kept
    experiment.set_state({"samples": 20_000})
    settle()
    more = experiment.data()
    assert more["bound"][0] != first["bound"][0]
    experiment.set_state({"seed": 1})
    settle()
    assert experiment.data()["bound"][0] != more["bound"][0]


def test_the_values_are_those_of_k(experiment: Tighter, settle: Settle) -> None:
    experiment.show()
    settle()
    experiment.set(k=100)
    values = experiment.values
    assert values["k"] == "100"
    assert isinstance(values["bound"], float)
    assert isinstance(values["logp"], float)
    assert values["gap"] == pytest.approx(values["logp"] - values["bound"])


def test_gradients_are_told_when_wanted(experiment: Tighter, settle: Settle) -> None:
    experiment.show()
    settle()
    assert "snr_iwae" not in experiment.data()
    experiment.set_state({"gradient": True, "q": "wide", "k": 200})
    settle()
    iwae, dreg = experiment.result.ratios
    assert (iwae.name, dreg.name) == ("iwae", "dreg")
    assert len(iwae.ks) == len(dreg.ks) == 8
    assert iwae.power < -0.3
    assert dreg.power > 0.2
    assert experiment.values["snr_dreg"] == dreg.values[-1]
    experiment.set_state({"gradient": False})
    settle()
    assert "snr_iwae" not in experiment.data()
    experiment.set_state({"gradient": True})
    assert "snr_iwae" in experiment.data()  # kept


def test_a_misread_digit_keeps_its_gap(experiment: Tighter, settle: Settle) -> None:
    experiment.set_state({"image": 0})
    experiment.show()
    settle()
    data = experiment.data()
    assert data["bound"][-1] < data["exact"] - 20
    experiment.set_state({"q": "matched"})
    settle()
    data = experiment.data()
    assert data["bound"][0] > data["exact"] - 0.2


def test_hidden_it_leaves_off(
    context: LessonContext, threaded_jobs: Jobs, main: MainThread
) -> None:
    context.tasks = Tasks(threaded_jobs, context.tasks.fail)
    experiment = Tighter(context)
    experiment.set_state({"samples": 1_000_000})
    experiment.show()
    main.run_until(lambda: experiment.result.bound)
    experiment.stop()
    assert experiment.result.working == ""
    assert experiment.result.bound is not None
    assert experiment.result.bound.blocks[0] < 1_000_000
