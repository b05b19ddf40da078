"""Runs are started, branched and resumed."""

import shutil
import threading
from pathlib import Path

import pytest

from tests.support.bench import Bench
from tests.support.models import same_weights
from vae_explorer.data.dataset import Dataset, ImageSet
from vae_explorer.errors import CheckpointError, DataError
from vae_explorer.session.files import open_data
from vae_explorer.session.files.open_data import Missing
from vae_explorer.session.runs import runs as runs_module
from vae_explorer.session.training.events import Phase
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run import train
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.training.trainer import Trainer


@pytest.fixture
def own_run(run_folder: RunFolder, tmp_path: Path) -> RunFolder:
    """One that may be changed."""
    return RunFolder(shutil.copytree(run_folder.path, tmp_path / "own"))


def branched(recipe: Recipe, data: ImageSet, origin: Snapshot) -> Snapshot:
    """What a branch should come to."""
    trainer = Trainer(recipe, data, "cpu")
    trainer.branch(origin)
    for _ in trainer.events():
        pass
    return trainer.snapshot()


# Starting


def test_a_run_is_on_the_map_and_its_film_grows(
    bench: Bench, recipe: Recipe, trained: Snapshot
) -> None:
    bench.runs.train(recipe)
    bench.main.run()
    assert bench.steps == bench.run.moments().steps == list(range(21))
    assert [snapshot.step for snapshot, *_ in bench.stage.moving] == bench.steps
    ((final, path),) = bench.stage.whole
    assert same_weights(final, trained)
    assert path == bench.run.model_path
    assert bench.left == [None]
    assert set(bench.names) == {"training"}


def test_restarting_waits_at_step_0(live: Bench, recipe: Recipe) -> None:
    live.runs.train(recipe)
    live.finish()
    live.show(9)
    live.runs.train(recipe.replace(seed=5), paused=True)
    live.wait_for(Phase.PAUSED)
    assert live.timeline.shown is None
    assert live.steps == [0]
    assert live.stage.state is not None
    assert (live.stage.step, live.stage.state.snapshot.recipe.seed) == (0, 5)
    assert live.timeline.name == live.run.path.name
    live.training.resume("step")
    live.wait_for(Phase.PAUSED)
    live.training.stop()
    assert live.finish().step == 1


def test_never_more_probes_than_said(
    bench: Bench, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs_module, "LIVE_IMAGES", 60)
    bench.runs.train(recipe)  # ``Screen`` would object
    bench.main.run()
    assert bench.failures == []


@pytest.mark.parametrize(
    ("title", "why"),
    [
        ("Training did not start", "keeps the networks"),
        ("Training ended early", "validation_images"),
    ],
)
def test_a_run_that_cannot_begin_leaves_everything(
    bench: Bench, recipe: Recipe, trained: Snapshot, run_folder: RunFolder, title: str, why: str
) -> None:
    """Whether that is seen at once or by the run's thread."""
    bench.open(run_folder.model_path, trained)
    bench.stage.put(trained)
    if title == "Training did not start":
        bench.runs.branch(recipe.replace(decoder_hidden="8", epochs=3))
    else:
        bench.runs.train(recipe.replace(validation_images=600))
    bench.main.run()
    ((told, error),) = bench.failures.take()
    assert told == title
    assert why in str(error)
    # The map, the film and the way back to the model are as before.
    assert (bench.stage.moving, bench.stage.whole) == ([], [])
    assert (bench.steps, bench.timeline.name) == (list(range(21)), run_folder.path.name)
    assert bench.training.checkpoint is None
    bench.show(3)
    bench.timeline.return_live()
    assert bench.stage.whole == [(trained, run_folder.model_path)]
    assert bench.left == ([error] if title == "Training ended early" else [])


def test_one_run_at_a_time(live: Bench, recipe: Recipe, own_run: RunFolder) -> None:
    live.runs.train(recipe, paused=True)
    live.wait_for(Phase.PAUSED)
    live.runs.resume_run(own_run)
    live.main.run_until(lambda: live.failures)
    live.runs.train(recipe)
    live.runs.branch(recipe)
    titles = [title for title, _ in live.failures.take()]
    assert titles == ["The run was not resumed", *["Training did not start"] * 2]
    assert live.steps == [0]
    live.training.stop()
    assert live.finish().step == 0


def test_images_that_cannot_be_read_are_told_by_whoever_needs_them(
    bench: Bench, recipe: Recipe, trained: Snapshot, run_folder: RunFolder
) -> None:
    bench.stage.unreadable = True
    bench.runs.train(recipe)
    bench.runs.resume_run(run_folder)
    bench.open(run_folder.model_path, trained)
    assert sorted(title for title, _ in bench.failures.take()) == [
        "The run was not resumed",
        "The snapshots of the run cannot be shown",
        "Training did not start",
    ]
    assert not bench.training.active


# Branching


def test_a_branch_goes_on_from_the_moment_on_the_map(
    bench: Bench, recipe: Recipe, trained: Snapshot, run_folder: RunFolder
) -> None:
    bench.open(run_folder.model_path, trained)
    bench.show(10)
    assert bench.stage.state is not None
    origin = bench.stage.state.snapshot
    changed = recipe.replace(epochs=3, beta=2.0)
    bench.runs.branch(changed)
    bench.main.run()
    assert bench.run.label.origin == f"{run_folder.path.name}, epoch 1.00"
    ((final, path),) = bench.ends
    assert (final.epoch, final.step, path) == (3.0, 30, bench.run.model_path)
    assert final.history[:1] == trained.history[:1]  # up to where it left
    assert [point.epoch for point in final.history] == [1.0, 2.0, 3.0]
    assert tuple(bench.points) == final.history
    assert bench.steps[-1] == 30
    assert min(bench.steps) >= 10
    assert same_weights(final, branched(changed, bench.stage.data, origin))


def test_a_branch_of_a_model_that_is_no_run_says_so(
    bench: Bench, recipe: Recipe, trained: Snapshot, checkpoint: Path
) -> None:
    bench.runs.branch(recipe)  # of nothing
    assert not bench.training.active
    bench.runs.train(recipe)  # another run, which is not the origin
    bench.main.run()
    bench.open(checkpoint, trained)
    bench.stage.put(trained)
    bench.runs.branch(recipe.replace(epochs=3))
    bench.main.run()
    assert bench.run.label.origin == "a model, epoch 2.00"


def test_a_branch_stopped_before_its_first_step_can_be_resumed(
    live: Bench, recipe: Recipe, trained: Snapshot
) -> None:
    live.stage.put(trained)
    longer = recipe.replace(epochs=4)
    live.runs.branch(longer)
    live.training.pause()
    live.wait_for(Phase.PAUSED)
    live.training.stop()
    assert live.finish().step < 40
    live.runs.resume_run(live.run)
    live.main.run_until(lambda: live.ends[-1][0].step == 40)
    assert same_weights(live.finish(), branched(longer, live.stage.data, trained))


# Resuming


def test_a_resumed_run_is_as_if_it_had_never_stopped(
    live: Bench, recipe: Recipe, tmp_path: Path
) -> None:
    """Its weights, its history, its moments and its film."""
    recipe = recipe.replace(epochs=3)
    alone = train(recipe, live.stage.data, runs=tmp_path / "alone", device="cpu")
    expected = RunFolder(next((tmp_path / "alone").iterdir())).moments()
    live.runs.train(recipe, until="epoch")
    live.wait_for(Phase.PAUSED)
    live.training.resume("step")
    live.wait_for(Phase.PAUSED)
    live.training.stop()
    assert live.finish().step == 11
    folder = live.run
    live.points.clear()
    live.runs.resume_run(folder)
    live.main.run_until(lambda: live.ends[-1][0].step == 30)
    final = live.finish()
    assert live.run == folder
    assert same_weights(final, alone)
    assert final.history == alone.history == tuple(live.points)
    live.main.run_until(lambda: live.steps == expected.steps)
    assert folder.moments().steps == expected.steps
    for step in expected.steps:
        assert same_weights(folder.moments().read(step), expected.read(step))
    # A moment of before the break knows its figures too.
    live.show(30)
    assert live.stage.moving[-1][0].history == alone.history


def test_moments_of_after_the_last_save_are_not_in_a_resumed_run(
    bench: Bench, own_run: RunFolder, digits: ImageSet, recipe: Recipe
) -> None:
    """It was killed, and goes another way this time."""
    trainer = Trainer(recipe, digits, "cpu")
    while trainer.step < 10:
        trainer.take_step()
    trainer.steer(beta=3.0)
    own_run.save(trainer)
    bench.runs.resume_run(own_run)
    while not bench.training.active:
        bench.main.step()
    bench.main.run()
    assert bench.steps == own_run.moments().steps == list(range(21))
    for step in bench.steps:
        beta = own_run.moments().read(step).recipe.beta
        assert beta == (3.0 if step > 10 else 1.0)


def test_a_run_that_cannot_be_read_is_not_resumed(bench: Bench, own_run: RunFolder) -> None:
    own_run.model_path.write_bytes(b"not a checkpoint")
    bench.runs.resume_run(own_run)
    bench.main.run()
    ((told, error),) = bench.failures.take()
    assert told == "The run was not resumed"
    assert isinstance(error, CheckpointError)
    assert not bench.training.active


def test_a_run_goes_on_with_its_own_images_alone(
    bench: Bench, own_run: RunFolder, digits: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = digits.subset(slice(0, 500))
    bench.opened.use(Dataset("MNIST", few, few))
    monkeypatch.setattr(open_data, "mnist_dataset", lambda: bench.opened.now)
    asked: list[Missing] = []
    bench.opened.missing.connect(asked.append)
    bench.runs.resume_run(own_run)
    bench.main.run()
    ((missing,), failures) = asked, bench.failures.take()
    assert (missing.own, missing.others, failures) == (None, None, [])
    assert missing.why == "Where they were read from is not known."
    assert not bench.training.active
    missing.take(bench.opened.now)
    bench.main.run()
    ((told, error),) = bench.failures.take()
    assert told == "Training ended early"
    assert isinstance(error, DataError)
    missing.take(bench.data)
    assert bench.training.active


def test_an_estimate_under_way_does_not_change_a_run(recipe: Recipe, digits: ImageSet) -> None:
    """Weights are drawn from a stream that all of PyTorch shares."""
    stop = threading.Event()

    def make_others() -> None:
        while not stop.is_set():
            Trainer(recipe.replace(seed=9, encoder_hidden="256"), digits, "cpu")

    thread = threading.Thread(target=make_others)
    wide = recipe.replace(encoder_hidden="256-256")
    expected = Trainer(wide, digits, "cpu").snapshot()
    thread.start()
    try:
        for _ in range(10):
            assert same_weights(Trainer(wide, digits, "cpu").snapshot(), expected)
    finally:
        stop.set()
        thread.join()
