from collections.abc import Callable

import numpy as np
import pytest

from tests.support.lessons import aim
from tests.support.stand_ins import MainThread
from vae_explorer.latent.normal import PRIOR
from vae_explorer.lessons import sampling as numbers
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.session.jobs import Jobs
from vae_explorer.session.lessons.context import LessonContext
from vae_explorer.session.lessons.sampling import Sampling, SamplingResult
from vae_explorer.session.tasks import Tasks

Settle = Callable[[], None]


def test_samples_grow_and_those_drawn_are_kept(
    context: LessonContext, settle: Settle, model: TrainedVAE
) -> None:
    experiment = Sampling(context)
    grown: list[tuple[int, str]] = []

    def note(found: SamplingResult) -> None:
        grown.append((found.drawn, found.working))

    experiment.changed.connect(note)
    experiment.show()
    settle()
    assert grown[0] == (0, "integrating")
    assert grown[-1] == (10_000, "")
    kept = experiment.seen["prior"].samples
    experiment.set(samples=20_000)
    settle()
    assert experiment.settings.m == 20_000
    np.testing.assert_array_equal(
        experiment.seen["prior"].samples.positions[:10_000], kept.positions
    )
    truth = experiment.result.truth
    assert truth is not None
    known = numbers.draw(model, truth.x, PRIOR, 20_000)
    estimate = known.estimate(numbers.rungs(20_000))
    np.testing.assert_allclose(experiment.data()["estimate"], estimate)
    experiment.set(samples=10_000)
    settle()
    assert experiment.data()["m"][-1] == 10_000


def test_the_first_m_are_looked_at(experiment: Sampling) -> None:
    experiment.set(m=40)
    (lit,) = experiment.result.lit
    assert lit.m == 40
    assert len(lit.ground) == 40
    assert experiment.values["m"] == "40"
    assert experiment.values["ess"] == pytest.approx(lit.effective)
    assert 1 <= lit.effective <= 40
    experiment.move(m=10**9)
    assert experiment.settings.m == experiment.settings.samples


def test_q_is_drawn_as_often_as_the_prior(experiment: Sampling, settle: Settle) -> None:
    experiment.set_state({"image": 7, "q": "encoder"})
    settle()
    prior, q = experiment.result.lit
    assert prior.m == q.m == 10_000
    assert q.effective > 100 * prior.effective
    data = experiment.data()
    assert data["q_estimate"][-1] == pytest.approx(data["exact"], abs=0.1)
    assert experiment.values["ess_q"] == pytest.approx(q.effective)
    experiment.set_state({"q": "none"})
    settle()
    assert len(experiment.result.lit) == 1


def test_another_image_or_another_seed_starts_again(
    experiment: Sampling, context: LessonContext, settle: Settle
) -> None:
    before = experiment.data()
    experiment.set(seed=1)
    settle()
    again = experiment.data()
    assert again["exact"] == before["exact"]
    assert again["estimate"][-1] != before["estimate"][-1]
    experiment.set(image=3)
    settle()
    assert experiment.data()["exact"] > before["exact"] + 50
    digit = context.digit(0)
    assert digit is not None
    aim(context, digit)  # the person's takes the place of the lesson's, and gives it back
    settle()
    assert experiment.data()["exact"] == before["exact"]
    aim(context, None)
    settle()
    assert experiment.data()["exact"] > before["exact"] + 50


def test_growing_can_be_stopped(experiment: Sampling, settle: Settle, main: MainThread) -> None:
    experiment.set(samples=40_000)
    # The answers wait for the main thread; the first come, the others are cancelled.
    for _ in range(3):
        main.step()
    experiment.stop()
    settle()
    assert experiment.result.drawn == experiment.settings.samples == 20_000
    assert experiment.settings.m == 20_000
    assert not experiment.result.working


def test_hidden_it_stops_and_keeps_what_there_is(
    context: LessonContext, threaded_jobs: Jobs, main: MainThread
) -> None:
    context.tasks = Tasks(threaded_jobs, context.tasks.fail)
    experiment = Sampling(context)
    experiment.set(samples=1_000_000)
    experiment.show()
    main.run_until(lambda: experiment.result.drawn >= 10_000)
    experiment.hide()
    main.run()
    assert 10_000 <= experiment.result.drawn < 1_000_000
