import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from typing_extensions import override

from tests.support.models import same_weights
from tests.support.stand_ins import Failures
from tests.support.training_runs import Wall
from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import CheckpointError, DataError, DivergedError
from vae_explorer.model.trained import Posterior
from vae_explorer.session.jobs import Jobs, Tasks
from vae_explorer.session.map.state import MapState
from vae_explorer.session.runs import runs as runs_module
from vae_explorer.session.runs.runs import Runs
from vae_explorer.session.training import worker as worker_module
from vae_explorer.session.training.events import Ended, Paused, Phase, Progress, TrainingEvent
from vae_explorer.training import moments as moments_module
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.estimate import Estimate
from vae_explorer.training.history import HistoryPoint
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run import train
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.training.trainer import Trainer
from vae_explorer.types import Int64, UInt8

if TYPE_CHECKING:
    from tests.support.stand_ins import Later, MainThread


class Screen(Wall):
    """A map that notes what is shown on it."""

    def __init__(self, tasks: Tasks, data: ImageSet) -> None:
        super().__init__(tasks, data)
        self.every = 10
        self.moving: list[tuple[Snapshot, Posterior, Int64, str]] = []
        self.whole: list[tuple[Snapshot, Path | None]] = []
        self.unreadable = False

    @property
    def snapshot(self) -> Snapshot | None:
        return self.state.snapshot if self.state else None

    def put(self, snapshot: Snapshot) -> None:
        self.state = MapState(snapshot, "", None, snapshot.model)

    def images(self) -> ImageSet:
        if self.unreadable:
            raise DataError("The images are missing.")
        return self.data

    @override
    def live_images(self, most: int) -> tuple[Int64, UInt8]:
        indices = np.arange(0, len(self.images()), self.every)
        assert len(indices) <= most
        return indices, self.data.images[indices]

    @override
    def move(
        self,
        snapshot: Snapshot,
        name: str,
        posterior: Posterior,
        indices: Int64,
        *,
        moving: bool,
    ) -> None:
        # What is shown of a model is what it makes of these images.
        expected = snapshot.model.encode(self.data.images[indices])
        np.testing.assert_array_equal(posterior.mean, expected.mean)
        self.put(snapshot)
        self.moving.append((snapshot, posterior, indices, name))

    @override
    def show(self, snapshot: Snapshot, name: str, path: Path | None) -> None:
        self.put(snapshot)
        self.whole.append((snapshot, path))


class Bench:
    """A runs, its stage and all it told."""

    def __init__(
        self, jobs: Jobs, main: "MainThread", later: "Later", runs: Path, data: ImageSet
    ) -> None:
        self.failures = Failures()
        tasks = Tasks(jobs, self.failures)
        self.stage = Screen(tasks, data)
        self.runs = Runs(tasks, later.after, self.stage, self.stage.images, runs, "cpu")
        self.main = main
        self.points: list[HistoryPoint] = []
        self.ends: list[tuple[Snapshot, Path | None]] = []
        self.estimates: list[Estimate] = []
        self.left = 0
        self.runs.training.events.connect(self._on_event)
        self.runs.estimated.connect(self.estimates.append)
        self.runs.left.connect(self._on_left)

    def wait_for(self, phase: Phase) -> None:
        self.main.run_until(lambda: self.runs.training.status.phase is phase)

    def finish(self) -> Snapshot:
        self.wait_for(Phase.IDLE)
        assert self.failures == []
        return self.ends[-1][0]

    def wait_for_moments(self, count: int = 1) -> None:
        wanted = len(self.runs.timeline.frames) + count
        self.main.run_until(lambda: len(self.runs.timeline.frames) >= wanted)

    @property
    def run(self) -> RunFolder:
        """The newest."""
        assert self.runs.training.checkpoint is not None
        return RunFolder(self.runs.training.checkpoint.parent)

    @property
    def steps(self) -> list[int]:
        return [frame.step for frame in self.runs.timeline.frames]

    def _on_event(self, event: TrainingEvent) -> None:
        match event:
            case Progress(points):
                self.points.extend(points)
            case Paused(snapshot, path) | Ended(snapshot, path):
                self.ends.append((snapshot, path))

    def _on_left(self) -> None:
        self.left += 1


@pytest.fixture
def inline(
    inline_jobs: Jobs, main: "MainThread", later: "Later", tmp_path: Path, digits: ImageSet
) -> Bench:
    return Bench(inline_jobs, main, later, tmp_path / "runs", digits)


@pytest.fixture
def threaded(
    threaded_jobs: Jobs, main: "MainThread", later: "Later", tmp_path: Path, digits: ImageSet
) -> Bench:
    return Bench(threaded_jobs, main, later, tmp_path / "runs", digits)


@pytest.fixture
def own_run(run_folder: RunFolder, tmp_path: Path) -> RunFolder:
    """One that may be changed."""
    return RunFolder(shutil.copytree(run_folder.path, tmp_path / "own"))


@pytest.fixture
def restless(monkeypatch: pytest.MonkeyPatch) -> None:
    """The map moves whenever it may."""
    monkeypatch.setattr(worker_module, "LIVE_SECONDS", 0.0)
    monkeypatch.setattr(worker_module, "LIVE_SHARE", float("inf"))


@pytest.fixture
def thinning(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few moments are kept, so that many are dropped."""
    monkeypatch.setattr(moments_module, "MOST", 6)
    monkeypatch.setattr(moments_module, "_LONGEST_FIRST_STRIDE", 2)


# Runs


def test_a_run_is_on_the_map_and_its_film_grows(
    inline: Bench, recipe: Recipe, trained: Snapshot
) -> None:
    inline.runs.train(recipe)
    inline.main.run()
    assert inline.steps == inline.run.moments().steps == list(range(21))
    assert [snapshot.step for snapshot, *_ in inline.stage.moving] == inline.steps
    ((final, path),) = inline.stage.whole
    assert same_weights(final, trained)
    assert path == inline.run.model_path
    assert inline.left == 1
    assert {name for *_, name in inline.stage.moving} == {"training"}


def test_restarting_waits_at_step_0(threaded: Bench, recipe: Recipe) -> None:
    threaded.runs.train(recipe)
    threaded.finish()
    threaded.runs.timeline.show(9)
    threaded.main.run_until(lambda: threaded.stage.moving[-1][3] == threaded.run.path.name)
    threaded.runs.train(recipe.replace(seed=5), paused=True)
    threaded.wait_for(Phase.PAUSED)
    assert threaded.runs.timeline.shown is None
    assert threaded.steps == [0]
    assert threaded.stage.snapshot is not None
    assert (threaded.stage.snapshot.step, threaded.stage.snapshot.recipe.seed) == (0, 5)
    assert threaded.runs.timeline.name == threaded.run.path.name
    threaded.runs.training.resume("step")
    threaded.wait_for(Phase.PAUSED)
    threaded.runs.training.stop()
    assert threaded.finish().step == 1


def test_a_branch_goes_on_from_the_moment_on_the_map(
    inline: Bench, recipe: Recipe, trained: Snapshot, run_folder: RunFolder
) -> None:
    inline.runs.open_run(run_folder.model_path, trained, "a model")
    inline.main.run()
    inline.runs.timeline.show(10)
    inline.main.run()
    origin = inline.stage.snapshot
    assert origin is not None
    assert origin.step == 10
    changed = recipe.replace(epochs=3, beta=2.0)
    inline.runs.branch(changed)
    inline.main.run()
    assert inline.run.label.origin == f"{run_folder.path.name}, epoch 1.00"
    ((final, path),) = inline.ends
    assert (final.epoch, final.step, path) == (3.0, 30, inline.run.model_path)
    assert final.history[:1] == trained.history[:1]  # up to where it left
    assert [point.epoch for point in final.history] == [1.0, 2.0, 3.0]
    assert tuple(inline.points) == final.history
    assert inline.steps[-1] == 30
    assert min(inline.steps) >= 10
    expected = Trainer(changed, inline.stage.data, "cpu")
    expected.branch(origin)
    for _ in expected.events():
        pass
    for name, weights in expected.snapshot().model.state_dict().items():
        assert weights.equal(final.model.state_dict()[name])


def test_a_branch_of_a_model_that_is_no_run_says_so(
    inline: Bench, recipe: Recipe, trained: Snapshot, checkpoint: Path
) -> None:
    inline.runs.branch(recipe)  # of nothing
    assert not inline.runs.training.active
    inline.runs.train(recipe)  # another run, which is not the origin
    inline.main.run()
    inline.runs.open_run(checkpoint, trained, "a model")
    inline.stage.put(trained)
    inline.runs.branch(recipe.replace(epochs=3))
    inline.main.run()
    assert inline.run.label.origin == "a model, epoch 2.00"


def test_a_branch_stopped_before_its_first_step_can_be_resumed(
    threaded: Bench, recipe: Recipe, trained: Snapshot
) -> None:
    threaded.stage.put(trained)
    longer = recipe.replace(epochs=4)
    threaded.runs.branch(longer)
    threaded.runs.training.pause()
    threaded.wait_for(Phase.PAUSED)
    threaded.runs.training.stop()
    left = threaded.finish()
    assert left.step < 40
    threaded.runs.resume_run(threaded.run)
    threaded.main.run_until(lambda: threaded.ends[-1][0].step == 40)
    whole = Trainer(longer, threaded.stage.data, "cpu")
    whole.branch(trained)
    for _ in whole.events():
        pass
    assert same_weights(threaded.finish(), whole.snapshot())


@pytest.mark.parametrize(
    ("title", "why"),
    [
        ("Training did not start", "keeps the networks"),
        ("Training ended early", "validation_images"),
    ],
)
def test_a_run_that_cannot_begin_leaves_everything(
    inline: Bench, recipe: Recipe, trained: Snapshot, run_folder: RunFolder, title: str, why: str
) -> None:
    """Whether that is seen at once or by the run's thread."""
    inline.runs.open_run(run_folder.model_path, trained, "a model")
    inline.stage.put(trained)
    inline.main.run()
    if title == "Training did not start":
        inline.runs.branch(recipe.replace(decoder_hidden="8", epochs=3))
    else:
        inline.runs.train(recipe.replace(validation_images=600))
    inline.main.run()
    ((told, error),) = inline.failures
    assert told == title
    assert why in str(error)
    # The map, the film and the way back to the model are as before.
    assert (inline.stage.moving, inline.stage.whole) == ([], [])
    assert (inline.steps, inline.runs.timeline.name) == (list(range(21)), run_folder.path.name)
    assert inline.runs.training.checkpoint is None
    inline.runs.timeline.show(3)
    inline.main.run()
    inline.runs.timeline.return_live()
    assert inline.stage.whole == [(trained, run_folder.model_path)]
    assert inline.left == (title == "Training ended early")


# Resuming


def test_a_resumed_run_is_as_if_it_had_never_stopped(
    threaded: Bench, recipe: Recipe, tmp_path: Path
) -> None:
    """Its weights, its history, its moments and its film."""
    recipe = recipe.replace(epochs=3)
    alone = train(recipe, threaded.stage.data, runs=tmp_path / "alone", device="cpu")
    expected = RunFolder(next((tmp_path / "alone").iterdir())).moments()
    threaded.runs.train(recipe, until="epoch")
    threaded.wait_for(Phase.PAUSED)
    threaded.runs.training.resume("step")
    threaded.wait_for(Phase.PAUSED)
    threaded.runs.training.stop()
    assert threaded.finish().step == 11
    folder = threaded.run
    threaded.points.clear()
    threaded.runs.resume_run(folder)
    threaded.main.run_until(lambda: threaded.ends[-1][0].step == 30)
    final = threaded.finish()
    assert threaded.run == folder
    assert same_weights(final, alone)
    assert final.history == alone.history == tuple(threaded.points)
    threaded.main.run_until(lambda: threaded.steps == expected.steps)
    assert folder.moments().steps == expected.steps
    for step in expected.steps:
        assert same_weights(folder.moments().read(step), expected.read(step))
    # A moment of before the break knows its figures too.
    threaded.runs.timeline.show(30)
    threaded.main.run_until(lambda: threaded.stage.moving[-1][3] == folder.path.name)
    assert threaded.stage.moving[-1][0].history == alone.history


def test_moments_of_after_the_last_save_are_not_in_a_resumed_run(
    inline: Bench, own_run: RunFolder, digits: ImageSet, recipe: Recipe
) -> None:
    """It was killed, and goes another way this time."""
    trainer = Trainer(recipe, digits, "cpu")
    while trainer.step < 10:
        trainer.take_step()
    trainer.steer(beta=3.0)
    own_run.save(trainer)
    inline.runs.resume_run(own_run)
    while not inline.runs.training.active:
        inline.main.step()
    inline.main.run()
    assert inline.steps == own_run.moments().steps == list(range(21))
    for step in inline.steps:
        beta = own_run.moments().read(step).recipe.beta
        assert beta == (3.0 if step > 10 else 1.0)


def test_a_run_that_cannot_be_read_is_not_resumed(inline: Bench, own_run: RunFolder) -> None:
    own_run.model_path.write_bytes(b"not a checkpoint")
    inline.runs.resume_run(own_run)
    inline.main.run()
    ((title, error),) = inline.failures
    assert title == "The run was not resumed"
    assert isinstance(error, CheckpointError)
    assert not inline.runs.training.active


def test_a_run_of_other_images_is_not_resumed(
    inline: Bench, own_run: RunFolder, digits: ImageSet
) -> None:
    inline.stage.data = digits.subset(slice(0, 500))
    inline.runs.resume_run(own_run)
    inline.main.run()
    ((_, error),) = inline.failures
    assert isinstance(error, DataError)
    assert not inline.runs.training.active


def test_one_run_at_a_time(threaded: Bench, recipe: Recipe, own_run: RunFolder) -> None:
    threaded.runs.train(recipe, paused=True)
    threaded.wait_for(Phase.PAUSED)
    threaded.runs.resume_run(own_run)
    threaded.main.run_until(lambda: threaded.failures)
    threaded.runs.train(recipe)
    threaded.runs.branch(recipe)
    titles = [title for title, _ in threaded.failures]
    assert titles == ["The run was not resumed", *["Training did not start"] * 2]
    threaded.failures.clear()
    assert threaded.steps == [0]
    threaded.runs.training.stop()
    assert threaded.finish().step == 0


def test_images_that_cannot_be_read_are_told_by_whoever_needs_them(
    inline: Bench, recipe: Recipe, trained: Snapshot, run_folder: RunFolder
) -> None:
    not_estimated: list[BaseException] = []
    inline.runs.not_estimated.connect(not_estimated.append)
    inline.stage.unreadable = True
    inline.runs.train(recipe)
    inline.runs.resume_run(run_folder)
    inline.runs.estimate(recipe)
    inline.runs.open_run(run_folder.model_path, trained, "a model")
    inline.main.run()
    assert sorted(title for title, _ in inline.failures) == [
        "The moments of the run cannot be shown",
        "The run was not resumed",
        "Training did not start",
    ]
    assert [type(error) for error in not_estimated] == [DataError]
    assert not inline.runs.training.active


def test_a_model_that_is_no_run_needs_no_images_for_a_film(
    inline: Bench, trained: Snapshot, checkpoint: Path
) -> None:
    inline.stage.unreadable = True
    inline.runs.open_run(checkpoint, trained, "a model")
    inline.runs.open_run(None, trained, "a model")
    inline.runs.reload()
    inline.main.run()
    assert (inline.failures, inline.steps, inline.runs.timeline.name) == ([], [], "")


# Estimates


def test_a_recipe_is_estimated_but_not_beside_a_run(inline: Bench, recipe: Recipe) -> None:
    inline.runs.estimate(recipe)
    inline.main.run()
    (estimate,) = inline.estimates
    assert estimate.steps_per_epoch == 10
    inline.runs.train(recipe)
    inline.runs.estimate(recipe)
    inline.main.run()
    assert len(inline.estimates) == 1


def test_an_estimate_under_way_does_not_change_a_run(
    threaded: Bench, recipe: Recipe, digits: ImageSet
) -> None:
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


# Which moment is shown


@pytest.mark.usefixtures("restless")
def test_while_an_earlier_moment_is_shown_the_run_goes_on_unseen(
    threaded: Bench, unending: Recipe
) -> None:
    runs, stage = threaded.runs, threaded.stage
    runs.train(unending)
    threaded.wait_for_moments(4)
    assert runs.moving
    runs.timeline.show(2)
    assert not runs.moving
    threaded.main.run_until(lambda: stage.moving[-1][3] != "training")
    shown = len(stage.moving)
    assert stage.snapshot is not None
    assert stage.snapshot.step == 2
    threaded.wait_for_moments(2)
    assert len(stage.moving) == shown
    runs.timeline.return_live()
    assert runs.moving
    assert stage.moving[-1][3] == "training"  # at once
    assert stage.snapshot.step > 4
    threaded.main.run_until(lambda: len(stage.moving) > shown + 3)
    assert {name for *_, name in stage.moving[shown:]} == {"training"}
    runs.training.stop()
    threaded.finish()


@pytest.mark.parametrize("how", ["end", "stop", "pause", "step"])
def test_a_run_that_ends_or_pauses_unseen_is_there_on_the_return(
    threaded: Bench, recipe: Recipe, how: str
) -> None:
    runs, stage = threaded.runs, threaded.stage
    runs.train(recipe.replace(epochs=2 if how == "end" else 10_000), until="step")
    threaded.wait_for(Phase.PAUSED)
    runs.timeline.show(0)
    threaded.main.run_until(lambda: stage.moving[-1][3] != "training")
    runs.training.resume("step" if how == "step" else "end")
    if how == "stop":
        runs.training.stop()
    elif how == "pause":
        runs.training.pause()
    threaded.wait_for(Phase.PAUSED if how in ("pause", "step") else Phase.IDLE)
    if how == "step":
        threaded.main.run_until(lambda: threaded.steps == [0, 1, 2])
    assert stage.whole == []
    assert stage.snapshot is not None
    assert stage.snapshot.step == 0
    runs.timeline.return_live()
    if how == "step":
        assert stage.snapshot.step == 2
    else:
        final, path = threaded.ends[-1]
        assert stage.whole == [(final, path)]
    runs.training.stop()
    threaded.finish()


def test_a_run_that_fails_unseen_is_there_whole_on_the_return(
    inline: Bench, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Trainer.take_step

    def breaks(trainer: Trainer) -> object:
        if trainer.step == 12:
            raise DivergedError("Diverged.")
        return step(trainer)

    monkeypatch.setattr(Trainer, "take_step", breaks)
    inline.runs.train(recipe)
    while len(inline.steps) < 3:
        inline.main.step()
    inline.runs.timeline.show(1)
    inline.main.run()
    assert [title for title, _ in inline.failures] == ["Training ended early"]
    assert inline.stage.whole == []
    assert inline.stage.snapshot is not None
    assert inline.stage.snapshot.step == 1
    inline.runs.timeline.return_live()
    ((last, path),) = inline.stage.whole
    assert (last.step, path) == (12, None)
    assert read_checkpoint(inline.run.model_path).step == 12
    assert inline.steps == list(range(13))  # the way there can still be seen
    assert inline.left == 1


def test_after_opening_live_is_the_model_that_was_opened(
    inline: Bench, trained: Snapshot, run_folder: RunFolder
) -> None:
    inline.runs.open_run(run_folder.model_path, trained, "a model")
    inline.main.run()
    assert inline.steps == list(range(21))
    inline.runs.timeline.show(3)
    inline.main.run()
    assert inline.stage.moving[-1][3] == run_folder.path.name
    inline.runs.timeline.return_live()
    assert inline.stage.whole == [(trained, run_folder.model_path)]


def test_a_copy_of_a_runs_model_has_no_film(
    inline: Bench, trained: Snapshot, run_folder: RunFolder, tmp_path: Path
) -> None:
    copy = Path(shutil.copy(run_folder.model_path, tmp_path / "copy.safetensors"))
    inline.runs.open_run(run_folder.model_path, trained, "a model")
    inline.main.run()
    inline.runs.open_run(copy, trained, "a model")
    inline.main.run()
    assert inline.steps == []


def test_on_another_split_the_film_is_of_its_images(
    inline: Bench, trained: Snapshot, run_folder: RunFolder
) -> None:
    inline.runs.open_run(run_folder.model_path, trained, "a model")
    inline.main.run()
    inline.runs.timeline.show(3)
    inline.main.run()
    inline.stage.every = 7
    inline.runs.reload()
    assert inline.stage.whole == [(trained, run_folder.model_path)]
    assert inline.steps == []
    inline.main.run()
    assert inline.steps == list(range(21))
    inline.runs.timeline.show(3)
    inline.main.run()  # ``Screen`` compares with what the model makes of the images
    assert len(inline.stage.moving[-1][2]) == 86


def test_a_split_that_changes_before_the_film_is_there(
    inline: Bench, trained: Snapshot, run_folder: RunFolder
) -> None:
    inline.runs.open_run(run_folder.model_path, trained, "a model")
    inline.stage.every = 7
    inline.runs.reload()
    inline.main.run()
    inline.runs.timeline.show(3)
    inline.main.run()
    assert len(inline.stage.moving[-1][2]) == 86


def test_never_more_probes_than_said(
    inline: Bench, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs_module, "LIVE_IMAGES", 60)
    inline.runs.train(recipe)  # ``Screen`` would object
    inline.main.run()
    assert inline.failures == []


@pytest.mark.usefixtures("restless", "thinning")
def test_going_back_and_forth_does_not_disturb_a_run(
    threaded: Bench, recipe: Recipe, later: "Later"
) -> None:
    """Nor does thinning what is looked at, nor looking at what a person clicks meanwhile."""
    recipe = recipe.replace(epochs=12)
    undisturbed = train(recipe, threaded.stage.data, device="cpu")
    runs, stage, dice = threaded.runs, threaded.stage, np.random.default_rng(0)
    runs.train(recipe)
    while runs.training.active:
        threaded.main.run_until(lambda: threaded.main.waiting or not runs.training.active)
        threaded.main.run()
        choice = dice.integers(6)
        if choice == 0:
            runs.timeline.return_live()
        elif choice == 1:
            runs.timeline.play()
        elif choice == 2:
            later.pass_time()
        else:
            runs.timeline.show(float(dice.integers(120)))
        if stage.snapshot is not None:
            stage.snapshot.model.elbo(stage.data.images[:20], seed=int(choice))
            stage.snapshot.model.decode(dice.normal(size=(5, 2)))
    final = threaded.finish()
    assert same_weights(final, undisturbed)
    assert final.history == undisturbed.history
    assert threaded.steps == threaded.run.moments().steps
    assert len(threaded.steps) < 13
    assert {name for *_, name in stage.moving} == {"training", threaded.run.path.name}
