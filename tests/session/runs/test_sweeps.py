"""A queue of tiny real runs."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.support.bench import Bench
from vae_explorer.data.dataset import ImageSet
from vae_explorer.data.opening import open_images
from vae_explorer.errors import DivergedError, RecipeError
from vae_explorer.session.runs import sweeps as sweeps_module
from vae_explorer.session.runs.sweeps import CellMap, Sweeps
from vae_explorer.session.training.events import Phase
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run import train
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.sweep import Axis, Sweep
from vae_explorer.training.sweep_folder import Result, SweepFolder
from vae_explorer.training.trainer import Trainer


class Queue:
    """Sweeps and all they tell."""

    def __init__(self, live: Bench) -> None:
        self.main, self.runs, self.failures = live.main, live.runs, live.failures
        self.opened_models: list[Path] = []
        self.sweeps = Sweeps(live.tasks, live.runs, live.opened, self.opened_models.append)
        self.sweep: Sweep | None = None
        self.results: tuple[Result, ...] = ()
        self.maps: dict[int, CellMap] = {}
        self.running: list[int] = []
        self.sweeps.opened.connect(self._on_opened)
        self.sweeps.results_changed.connect(self._on_results)
        self.sweeps.map_made.connect(self._on_map)
        self.sweeps.running_changed.connect(self.running.append)

    @property
    def outcomes(self) -> list[str]:
        return [result.outcome for result in self.results]

    def start(self, sweep: Sweep) -> None:
        varied = [(axis.field, ",".join(map(str, axis.values))) for axis in sweep.axes]
        self.sweeps.start(sweep.recipe, varied)

    def finish(self) -> None:
        self.main.run_until(lambda: not self.sweeps.running)
        self.main.run_until(lambda: {"waiting", "begun"}.isdisjoint(self.outcomes))

    def _on_opened(self, sweep: Sweep) -> None:
        self.sweep = sweep

    def _on_results(self, results: tuple[Result, ...]) -> None:
        self.results = results

    def _on_map(self, made: CellMap) -> None:
        self.maps[made.number] = made


@pytest.fixture
def queue(live: Bench) -> Queue:
    return Queue(live)


@pytest.fixture
def sweep(recipe: Recipe) -> Sweep:
    return Sweep(recipe, (Axis("beta", (0.5, 4.0)), Axis("seed", (0, 1))))


def test_every_run_is_what_it_would_be_alone(
    queue: Queue, sweep: Sweep, digits: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeps_module, "_PROBES", 50)
    queue.start(sweep)
    assert queue.sweeps.running
    queue.main.run_until(lambda: queue.sweep == sweep)
    queue.finish()
    queue.main.run_until(lambda: len(queue.maps) == 4)
    assert queue.outcomes == ["finished"] * 4
    assert queue.running == [1, 2, 3, 4, 0]
    folder = queue.sweeps.path
    assert folder is not None
    assert folder.parent == queue.runs.training.runs
    for cell, result in zip(sweep.cells, queue.results, strict=True):
        kept = read_checkpoint(RunFolder(folder / result.run).model_path)
        alone = train(cell.recipe, digits, device="cpu")
        for name, value in alone.model.state_dict().items():
            assert torch.equal(kept.model.state_dict()[name], value)
        assert result.held_out_elbo == max(
            point.held_out_elbo for point in alone.history if point.held_out_elbo is not None
        )
        codes = kept.model.encode(digits.images[::12]).mean
        np.testing.assert_array_equal(queue.maps[cell.number].codes, codes)


def test_a_stopped_sweep_goes_on_where_it_was(
    queue: Queue, sweep: Sweep, digits: ImageSet, recipe: Recipe
) -> None:
    long = Sweep(recipe.replace(epochs=12), sweep.axes[:1])
    queue.start(long)
    queue.main.run_until(lambda: queue.runs.training.status.epoch > 1)
    queue.sweeps.stop()
    queue.main.run_until(lambda: not queue.sweeps.running)
    queue.main.run_until(lambda: queue.outcomes == ["begun", "waiting"])
    assert not queue.runs.training.active
    queue.sweeps.go_on()
    queue.finish()
    assert queue.outcomes == ["finished"] * 2
    folder = queue.sweeps.path
    assert folder is not None
    kept = read_checkpoint(RunFolder(folder / queue.results[0].run).model_path)
    alone = train(long.cells[0].recipe, digits, device="cpu")
    for name, value in alone.model.state_dict().items():
        assert torch.equal(kept.model.state_dict()[name], value)


def test_a_sweep_begun_earlier_is_opened_with_its_results_and_maps(
    queue: Queue, sweep: Sweep, monkeypatch: pytest.MonkeyPatch, digits: ImageSet
) -> None:
    small = Sweep(sweep.recipe, sweep.axes[1:])
    queue.start(small)
    queue.finish()
    path = queue.sweeps.path
    assert path is not None
    results = queue.results
    queue.sweep, queue.results = None, ()
    queue.maps.clear()
    queue.sweeps.open(path)
    queue.main.run_until(lambda: len(queue.maps) == 2)
    assert queue.sweep == small
    assert queue.results == results
    queue.sweeps.open_cell(2)
    assert queue.opened_models == [RunFolder(path / results[1].run).model_path]


def test_a_run_that_diverges_does_not_end_the_queue(
    queue: Queue, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Trainer.take_step

    def diverge(trainer: Trainer) -> object:
        if trainer.recipe.beta > 1:
            raise DivergedError("the KL term is not finite")
        return step(trainer)

    monkeypatch.setattr(Trainer, "take_step", diverge)
    queue.start(Sweep(sweep.recipe, (Axis("beta", (4.0, 0.5)),)))
    queue.finish()
    assert queue.outcomes == ["diverged", "finished"]
    assert [str(error) for _, error in queue.failures.take()] == ["the KL term is not finite"]


def test_an_error_that_the_next_run_would_meet_too_ends_the_queue(
    queue: Queue, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(_: Trainer) -> object:
        raise RuntimeError("no memory")

    monkeypatch.setattr(Trainer, "take_step", breaks)
    queue.start(sweep)
    queue.main.run_until(lambda: not queue.sweeps.running)
    assert queue.running == [1, 0]
    assert [str(error) for _, error in queue.failures.take()] == ["no memory"]


def test_a_folder_without_a_sweep_is_refused(queue: Queue, tmp_path: Path) -> None:
    queue.sweeps.open(tmp_path)
    queue.main.run_until(lambda: not queue.sweeps.running)
    ((title, error),) = queue.failures.take()
    assert title == "The sweep was not opened"
    assert isinstance(error, RecipeError)


def test_nothing_begins_beside_another_run(queue: Queue, sweep: Sweep, recipe: Recipe) -> None:
    queue.runs.train(recipe.replace(epochs=9_999))
    queue.main.run_until(lambda: queue.runs.training.status.phase is Phase.RUNNING)
    queue.start(sweep)
    queue.main.run_until(lambda: not queue.sweeps.running)
    assert queue.sweep == sweep
    queue.runs.training.stop()
    queue.main.run_until(lambda: not queue.runs.training.active)
    assert not queue.sweeps.running


def test_a_sweep_goes_on_with_the_data_it_was_made_of(
    queue: Queue, live: Bench, recipe: Recipe, tmp_path: Path
) -> None:
    own = tmp_path / "own.npy"
    np.save(own, np.random.default_rng(0).integers(0, 256, (140, 28, 28), np.uint8))
    tiny = recipe.replace(epochs=1, validation_images=20)
    images = open_images(own).train.first(100)
    folder = SweepFolder.create(tmp_path / "sweep", Sweep(tiny, (Axis("seed", (0, 1)),)), images)
    queue.sweeps.open(folder.path)
    queue.main.run_until(lambda: bool(queue.results))
    queue.sweeps.go_on()
    queue.finish()
    assert queue.outcomes == ["finished"] * 2
    assert queue.failures == []
    queue.main.run_until(lambda: len(queue.maps) == 2)
    for result in queue.results:
        assert read_checkpoint(folder.path / result.run / "model.safetensors").data == folder.data
    assert live.opened.now is live.data, "what is open stays"
