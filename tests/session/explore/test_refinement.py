"""A posterior refined step by step, as fast as the test lets it."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest

from vae_explorer.data.dataset import ImageSet
from vae_explorer.latent.figures import image_figures, own_draws
from vae_explorer.latent.gap import elbo_of
from vae_explorer.latent.quadrature import exact_posterior
from vae_explorer.model.gaussian import Gaussian
from vae_explorer.session.explore.refinement import STEPS, RefinementStep, Refining
from vae_explorer.session.jobs import Jobs
from vae_explorer.training.snapshot import Snapshot

if TYPE_CHECKING:
    from tests.support.stand_ins import Failures, MainThread

SEED = 5


class Pace:
    """What is to come after a while waits for the test."""

    def __init__(self, main: "MainThread") -> None:
        self._main = main
        self.seconds: list[float] = []
        self.calls: list[Callable[[], None]] = []

    def __call__(self, seconds: float, call: Callable[[], None]) -> None:
        self.seconds.append(seconds)
        self.calls.append(call)

    def run(self, most: int = 1_000) -> None:
        self._main.run()
        while self.calls and most:
            self.calls.pop(0)()
            self._main.run()
            most -= 1


class Story:
    """All that a ``Refining`` told."""

    def __init__(self, refining: Refining) -> None:
        self.starts = 0
        self.steps: list[RefinementStep] = []
        self.ends: list[RefinementStep | None] = []
        self.ceilings: list[float] = []
        refining.started.connect(self._start, check_nargs=False)
        refining.stepped.connect(self.steps.append)
        refining.ended.connect(self.ends.append)
        refining.ceiling_known.connect(self.ceilings.append)

    def _start(self) -> None:
        self.starts += 1


@pytest.fixture
def pace(main: "MainThread") -> Pace:
    return Pace(main)


@pytest.fixture
def refining(inline_jobs: Jobs, failures: "Failures", pace: Pace) -> Refining:
    return Refining(inline_jobs, failures, pace)


@pytest.fixture
def story(refining: Refining) -> Story:
    return Story(refining)


def test_it_climbs_from_the_encoders_elbo_to_below_log_p(
    refining: Refining, story: Story, pace: Pace, trained: Snapshot, digits: ImageSet
) -> None:
    model, image = trained.model, digits.images[3]
    refining.start(model, image, SEED)
    pace.run()
    x = own_draws(model, image[None], np.array([SEED]))
    first, last = story.steps[0], story.steps[-1]
    elbo = image_figures(model, image[None], np.array([SEED])).elbo[0]
    assert first.elbo == pytest.approx(elbo, abs=1e-4)
    np.testing.assert_allclose(first.mean, model.encode(image[None]).mean[0], atol=1e-5)
    again = elbo_of(model, x, Gaussian.from_moments(last.mean[None], last.covariance[None]))[0]
    assert last.elbo == pytest.approx(again, abs=1e-3)
    exact = exact_posterior(model, x).log_marginal[0]
    assert story.ceilings == [exact]
    elbos = [step.elbo for step in story.steps]
    assert elbos == sorted(elbos)
    assert first.elbo < last.elbo <= exact + 1e-6
    assert (first.step, last.step, last.steps) == (0, STEPS, STEPS)
    assert (story.starts, story.ends) == (1, [last])


def test_it_lasts_two_to_four_seconds_at_most_twenty_steps_a_second(
    refining: Refining, story: Story, pace: Pace, trained: Snapshot, digits: ImageSet
) -> None:
    refining.start(trained.model, digits.images[3], SEED, -100.0)
    pace.run()
    assert story.ceilings == [-100.0]
    assert len(pace.seconds) == len(story.steps) - 1
    assert min(pace.seconds) >= 1 / 20
    assert 2 <= sum(pace.seconds) <= 4


def test_stopping_ends_at_the_step_shown(
    refining: Refining, story: Story, pace: Pace, trained: Snapshot, digits: ImageSet
) -> None:
    refining.stop()
    assert not story.ends
    refining.start(trained.model, digits.images[3], SEED)
    pace.run(4)
    refining.stop()
    pace.run()
    assert len(story.steps) == 5
    assert story.ends == [story.steps[-1]]
    refining.stop()
    assert len(story.ends) == 1


def test_another_start_replaces_the_one_before(
    refining: Refining,
    story: Story,
    pace: Pace,
    main: "MainThread",
    trained: Snapshot,
    digits: ImageSet,
) -> None:
    model = trained.model
    refining.start(model, digits.images[3], SEED)  # its first answer is still under way
    refining.start(model, digits.images[4], SEED)
    pace.run(3)
    refining.start(model, digits.images[5], SEED)
    pace.run()
    assert story.starts == 3
    begun = [step.mean for step in story.steps if step.step == 0]
    np.testing.assert_allclose(begun, model.encode(digits.images[4:6]).mean, atol=1e-5)
    assert [one.step for one in story.ends if one] == [STEPS]
    assert len(story.ceilings) == 2


def test_what_is_forgotten_tells_nothing_more(
    refining: Refining,
    story: Story,
    pace: Pace,
    trained: Snapshot,
    digits: ImageSet,
) -> None:
    refining.start(trained.model, digits.images[3], SEED)
    refining.forget()
    pace.run()
    assert story.ends == [None]
    assert not story.steps
    assert not story.ceilings


def test_what_goes_wrong_ends_it(
    refining: Refining, story: Story, pace: Pace, failures: "Failures", trained: Snapshot
) -> None:
    refining.start(trained.model, np.zeros((5, 5), np.uint8), SEED, -1.0)
    pace.run()
    ((title, error),) = failures
    assert title == "The posterior could not be refined"
    assert "28×28" in str(error)
    assert story.ends == [None]
    failures.clear()
