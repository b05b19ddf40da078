"""What recipes cost is measured once, kept for later windows, and never beside a run."""

import json
from dataclasses import replace

import pytest

from tests.support.bench import Bench
from tests.support.stand_ins import MainThread
from vae_explorer import paths
from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import DataError
from vae_explorer.session.jobs import Jobs
from vae_explorer.session.runs import estimates as module
from vae_explorer.session.runs.estimates import Estimates
from vae_explorer.training.estimate import Estimate
from vae_explorer.training.recipe import Recipe


class Measured:
    """Estimates of one window, what they tell, and how often a recipe was measured."""

    def __init__(self, bench: Bench, jobs: Jobs) -> None:
        self.main = bench.main
        self.known: list[tuple[Recipe, Estimate]] = []
        self.failed: list[BaseException] = []
        self.estimates = Estimates(jobs, bench.training, bench.stage.images, "cpu", 1)
        self.estimates.estimated.connect(lambda recipe, found: self.known.append((recipe, found)))
        self.estimates.failed.connect(lambda recipe, error: self.failed.append(error))

    def measure(self, recipe: Recipe) -> None:
        self.estimates.measure(recipe)
        self.main.run()


@pytest.fixture
def window(bench: Bench, inline_jobs: Jobs) -> Measured:
    return Measured(bench, inline_jobs)


def test_a_recipe_is_measured_but_not_beside_a_run(
    window: Measured, bench: Bench, recipe: Recipe
) -> None:
    assert window.estimates.known(recipe) is None
    window.measure(recipe)
    ((of, found),) = window.known
    assert (of, found.steps_per_epoch) == (recipe, 10)
    assert window.estimates.known(recipe) == found
    bench.runs.train(recipe)
    window.measure(recipe)
    assert len(window.known) == 1


def test_a_run_is_believed_more_than_a_measurement(
    window: Measured, bench: Bench, recipe: Recipe
) -> None:
    window.measure(recipe)
    bench.runs.train(recipe)
    bench.main.run()
    speeds: list[float] = []
    bench.training.status_changed.connect(lambda s: speeds.append(s.images_per_second))
    bench.runs.train(recipe.replace(seed=1))
    bench.main.run()
    images = 10 * recipe.batch_size
    found = window.estimates.known(recipe)
    assert found
    assert found.epoch_seconds == pytest.approx(images / next(s for s in speeds[::-1] if s))
    assert found.run_seconds == recipe.epochs * found.epoch_seconds


def test_what_costs_no_time_needs_no_other_measurement(window: Measured, recipe: Recipe) -> None:
    window.measure(recipe)
    found = window.estimates.known(recipe)
    assert found
    longer = window.estimates.known(recipe.replace(epochs=7, seed=5, learning_rate=0.1, beta=2.0))
    assert longer
    assert longer.run_seconds == 7 * found.epoch_seconds
    assert longer.snapshot_bytes > found.snapshot_bytes
    for change in ({"batch_size": 7}, {"encoder_hidden": "9"}, {"precision": "bfloat16"}):
        assert window.estimates.known(recipe.replace(**change)) is None


def test_a_later_window_knows_it_on_the_same_computer(
    window: Measured,
    bench: Bench,
    inline_jobs: Jobs,
    recipe: Recipe,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    window.measure(recipe)
    later = Measured(bench, inline_jobs)
    later.estimates.read()
    bench.main.run()
    assert later.estimates.known(recipe) == window.known[0][1]
    monkeypatch.setattr("platform.node", lambda: "another")
    assert later.estimates.known(recipe) is None


@pytest.mark.parametrize("text", ["", "[]", '{"version": 2}', '{"version": 1, "estimates": 3}'])
def test_a_file_that_is_none_costs_nothing(
    window: Measured, main: MainThread, recipe: Recipe, text: str
) -> None:
    paths.estimates_file().parent.mkdir(parents=True)
    paths.estimates_file().write_text(text)
    window.estimates.read()
    main.run()
    assert window.estimates.known(recipe) is None
    window.measure(recipe)
    assert json.loads(paths.estimates_file().read_text())["version"] == 1


def test_a_disk_that_refuses_costs_nothing(window: Measured, recipe: Recipe) -> None:
    paths.estimates_file().parent.parent.mkdir(parents=True, exist_ok=True)
    paths.estimates_file().parent.write_text("no folder")
    window.measure(recipe)
    assert window.estimates.known(recipe)


def test_the_file_does_not_grow_for_ever(
    window: Measured, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST", 2)
    for size in (20, 30, 40):
        window.measure(recipe.replace(batch_size=size))
    assert len(json.loads(paths.estimates_file().read_text())["estimates"]) == 2


def test_what_cannot_be_measured_says_why(
    window: Measured, bench: Bench, recipe: Recipe, digits: ImageSet
) -> None:
    window.measure(recipe.replace(validation_images=len(digits)))
    bench.stage.unreadable = True
    window.measure(recipe)
    assert [type(error) for error in window.failed] == [DataError, DataError]
    assert bench.failures == [], "it is told beside the recipe"


def test_a_run_counts_its_model_and_what_resumes_it(recipe: Recipe) -> None:
    found = Estimate(1.0, 2.0, 10, 1_000, 5, snapshot_bytes=20_000)
    assert found.disk_bytes == 20_000 + 16_000
    assert replace(found, snapshot_bytes=0).of_epochs(1).snapshot_bytes == 6 * 2_000
