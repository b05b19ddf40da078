"""A posterior refined step by step, as fast as the test lets it."""

from collections.abc import Callable

import numpy as np
import pytest

from tests.support.parts import show
from tests.support.stand_ins import Failures, MainThread
from vae_explorer.data.dataset import ImageSet
from vae_explorer.latent.figures import image_figures, own_draws
from vae_explorer.latent.gap import elbo_of
from vae_explorer.latent.quadrature import exact_posterior
from vae_explorer.model.gaussian import Gaussian
from vae_explorer.session.explore.pins import Pins
from vae_explorer.session.explore.refinement import STEPS, RefinementStep, Refiner, refined_content
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.map.marks import Ellipses
from vae_explorer.session.map.state import MapPoints
from vae_explorer.session.tasks import Tasks
from vae_explorer.training.snapshot import Snapshot


class Pace:
    """What is to come after a while waits for the test."""

    def __init__(self, main: MainThread) -> None:
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
    """All that a ``Refiner`` gave."""

    def __init__(self, refiner: Refiner) -> None:
        self.starts = 0
        self.steps: list[RefinementStep] = []
        self.ends: list[RefinementStep | None] = []
        self.ceilings: list[float] = []
        self.available: list[bool] = []
        refiner.started.connect(self._start, check_nargs=False)
        refiner.stepped.connect(self.steps.append)
        refiner.ended.connect(self.ends.append)
        refiner.ceiling_known.connect(self.ceilings.append)
        refiner.available_changed.connect(self.available.append)

    def _start(self) -> None:
        self.starts += 1


@pytest.fixture
def pace(main: MainThread) -> Pace:
    return Pace(main)


@pytest.fixture
def refiner(tasks: Tasks, latent_map: LatentMap, pins: Pins, pace: Pace) -> Refiner:
    """Of the third training image."""
    refiner = Refiner(tasks, latent_map, pins, pace)
    pins.pin("train", 3)
    return refiner


@pytest.fixture
def story(refiner: Refiner) -> Story:
    return Story(refiner)


def test_it_climbs_from_the_encoders_elbo_to_below_log_p(
    refiner: Refiner, story: Story, pace: Pace, trained: Snapshot, digits: ImageSet
) -> None:
    model, image = trained.model, digits.images[3]
    refiner.start()
    pace.run()
    x = own_draws(model, image[None], np.array([3]))
    first, last = story.steps[0], story.steps[-1]
    elbo = image_figures(model, image[None], np.array([3])).elbo[0]
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
    content = refined_content(last)
    (ellipse,) = content.marks
    assert isinstance(ellipse, Ellipses)
    np.testing.assert_array_equal(ellipse.centres[0], last.mean)
    # At most twenty steps a second, and two to four seconds in all.
    assert len(pace.seconds) == len(story.steps) - 1
    assert min(pace.seconds) >= 1 / 20
    assert 2 <= sum(pace.seconds) <= 4


def test_stopping_ends_at_the_step_shown(refiner: Refiner, story: Story, pace: Pace) -> None:
    refiner.stop()
    assert not story.ends
    refiner.start()
    pace.run(4)
    refiner.stop()
    pace.run()
    assert len(story.steps) == 5
    assert story.ends == [story.steps[-1]]
    refiner.stop()
    assert len(story.ends) == 1


def test_it_ends_at_the_step_asked_for(refiner: Refiner, story: Story, pace: Pace) -> None:
    refiner.start(8)
    pace.run()
    assert [step.step for step in story.steps] == [0, 6, 8]
    assert story.ends == [story.steps[-1]]
    assert refiner.last is story.steps[-1]


def test_another_start_replaces_the_one_before(
    refiner: Refiner, story: Story, pace: Pace, trained: Snapshot, digits: ImageSet
) -> None:
    refiner.start()  # its first answer is still under way
    refiner.start()
    pace.run(3)
    refiner.start()
    pace.run()
    assert story.starts == 3
    begun = [step.mean for step in story.steps if step.step == 0]
    mean = trained.model.encode(digits.images[3:4]).mean
    np.testing.assert_allclose(begun, mean.repeat(2, 0), atol=1e-5)
    assert [one.step for one in story.ends if one] == [STEPS]
    assert len(story.ceilings) == 2


@pytest.mark.parametrize("change", ["pin", "model"])
def test_of_another_image_or_model_nothing_more_comes(
    refiner: Refiner,
    story: Story,
    pace: Pace,
    pins: Pins,
    latent_map: LatentMap,
    other: Snapshot,
    points: MapPoints,
    change: str,
) -> None:
    refiner.start()
    if change == "pin":
        pins.pin("train", 4)
    else:
        show(latent_map, other, points)
    pace.run()
    assert story.ends == [None]
    assert not story.steps
    assert not story.ceilings
    assert story.available == [True]
    pins.clear()
    refiner.start()
    assert (story.available, story.starts) == ([True, False], 1)
    assert refined_content(None).note == "Pin an image and press Refine."


def test_what_goes_wrong_ends_it(
    refiner: Refiner, story: Story, pace: Pace, failures: Failures, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr("vae_explorer.session.explore.refinement.refine_posterior", broken)
    refiner.start()
    pace.run()
    assert [title for title, _ in failures] == ["The posterior could not be refined"]
    assert story.ends == [None]
    failures.clear()
