import random
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import numpy as np
import pytest
import torch

from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import CheckpointError, DataError, DivergedError
from vae_explorer.model.trained import Posterior
from vae_explorer.session import training_worker as worker_module
from vae_explorer.session.jobs import BusyError, Jobs
from vae_explorer.session.state import HistoryPoint, Phase, TrainingStatus
from vae_explorer.session.training import TrainingSession
from vae_explorer.training import trainer as trainer_module
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run import RunFolder
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.training.trainer import Trainer

if TYPE_CHECKING:
    from tests.session.conftest import MainThread

UNENDING = 10_000
"""Epochs no test waits for."""

DIVERGING = Recipe(
    epochs=100,
    batch_size=50,
    learning_rate=1.0,
    warmup_steps=0,
    gradient_clip=0.0,
    encoder_hidden="-".join(["32"] * 8),
    validation_images=100,
)
"""The largest step through many layers overflows within a few steps."""


class Run:
    """A training session and all it said, driven from the main thread of the test."""

    def __init__(self, jobs: Jobs, main: "MainThread", runs: Path, data: ImageSet) -> None:
        self.session = TrainingSession(jobs, runs, "cpu")
        self.main = main
        self.data = data
        self.runs = runs
        self.statuses: list[TrainingStatus] = []
        self.points: list[HistoryPoint] = []
        self.batches: list[tuple[HistoryPoint, ...]] = []
        self.moves: list[tuple[Snapshot, Posterior]] = []
        self.ends: list[tuple[Snapshot, Path | None]] = []
        self.lines: list[str] = []
        self.failures: list[BaseException] = []
        self.refusals: list[CheckpointError] = []
        self.starts = 0
        self.session.status_changed.connect(self.statuses.append)
        self.session.history_started.connect(self._on_history_started)
        self.session.history_extended.connect(self._on_history_extended)
        self.session.moved.connect(self._on_moved)
        self.session.ended.connect(self._on_ended)
        self.session.logged.connect(self.lines.append)
        self.session.failed.connect(self.failures.append)
        self.session.not_saved.connect(self.refusals.append)

    def start(self, recipe: Recipe) -> None:
        self.session.start(recipe, self.data, self.data.images[::10])

    def wait_for(self, phase: Phase) -> None:
        self.main.run_until(lambda: self.session.status.phase is phase)

    def wait_for_more_history(self) -> None:
        known = len(self.points)
        self.main.run_until(lambda: len(self.points) > known)

    @property
    def phases(self) -> list[Phase]:
        """The phases gone through, without repeats."""
        phases = [status.phase for status in self.statuses]
        return [
            phase
            for phase, before in zip(phases, [None, *phases], strict=False)
            if phase is not before
        ]

    def _on_history_started(self) -> None:
        self.starts += 1
        self.points.clear()

    def _on_history_extended(self, points: tuple[HistoryPoint, ...]) -> None:
        self.batches.append(points)
        self.points.extend(points)

    def _on_moved(self, snapshot: Snapshot, posterior: Posterior) -> None:
        self.moves.append((snapshot, posterior))

    def _on_ended(self, snapshot: Snapshot, path: Path | None) -> None:
        self.ends.append((snapshot, path))


@pytest.fixture
def inline(inline_jobs: Jobs, main: "MainThread", tmp_path: Path, digits: ImageSet) -> Run:
    """A session whose whole run happens within ``start`` and is told when ``main`` runs."""
    return Run(inline_jobs, main, tmp_path / "runs", digits)


@pytest.fixture
def threaded(threaded_jobs: Jobs, main: "MainThread", tmp_path: Path, digits: ImageSet) -> Run:
    return Run(threaded_jobs, main, tmp_path / "runs", digits)


@pytest.fixture
def unending(recipe: Recipe) -> Recipe:
    return recipe.replace(epochs=UNENDING)


@dataclass
class Clock:
    """A module's ``time``, in which every look takes ``tick`` seconds."""

    tick: float
    now: float = 1_000.0

    def monotonic(self) -> float:
        self.now += self.tick
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(tick=0.002)
    monkeypatch.setattr(worker_module, "time", clock)
    return clock


def same_weights(first: Snapshot, second: Snapshot) -> bool:
    ours, theirs = first.model.state_dict(), second.model.state_dict()
    return ours.keys() == theirs.keys() and all(
        torch.equal(ours[name], theirs[name]) for name in ours
    )


# A whole run


def test_a_run_computes_what_training_without_a_session_does(
    inline: Run, recipe: Recipe, trained: Snapshot
) -> None:
    inline.start(recipe)
    assert inline.session.active
    inline.main.run()
    assert not inline.session.active
    ((snapshot, path),) = inline.ends
    assert same_weights(snapshot, trained)
    assert path is not None
    assert path.is_relative_to(inline.runs)
    saved = read_checkpoint(path)
    assert same_weights(saved, trained)
    assert saved.epoch == recipe.epochs
    assert inline.failures == inline.refusals == []
    assert any(str(path) in line for line in inline.lines)


def test_the_status_tells_the_progress(inline: Run, recipe: Recipe, clock: Clock) -> None:
    inline.start(recipe)
    assert inline.session.status == TrainingStatus(Phase.RUNNING, 0.0, recipe.epochs)
    inline.main.run()
    assert inline.phases == [Phase.RUNNING, Phase.IDLE]
    assert inline.statuses[-1] is inline.session.status
    epochs = [status.epoch for status in inline.statuses]
    assert epochs == sorted(epochs)
    assert epochs[-1] == recipe.epochs
    told = [status for status in inline.statuses if status.images_per_second]
    assert told
    for status in told:
        assert status.device == "cpu"
        assert status.eta_seconds is not None
        assert status.eta_seconds >= 0
    assert told[-1].eta_seconds == 0
    assert told[-1].images_per_second < 1_000 / clock.tick


def test_every_point_told_is_in_the_saved_history_in_order(
    inline: Run, recipe: Recipe, clock: Clock
) -> None:
    clock.tick = 0.02
    inline.start(recipe.replace(epochs=7))
    inline.main.run()
    ((snapshot, path),) = inline.ends
    assert path is not None
    assert len(inline.batches) > 3
    assert all(inline.batches)
    assert tuple(inline.points) == snapshot.history == read_checkpoint(path).history
    epochs = [point.epoch for point in inline.points]
    assert epochs == sorted(set(epochs))
    held_out = [point.epoch for point in inline.points if point.held_out_elbo is not None]
    assert held_out == list(range(1, 8))


def test_history_starts_anew_with_every_run(inline: Run, recipe: Recipe) -> None:
    for seed in range(2):
        inline.start(recipe.replace(seed=seed))
        inline.main.run()
        assert inline.starts == seed + 1
        assert tuple(inline.points) == inline.ends[-1][0].history
    paths = [path for _, path in inline.ends]
    assert len(set(paths)) == 2


def test_posts_are_at_most_twenty_a_second(
    inline: Run, recipe: Recipe, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer_module, "REPORT_STEPS", 1)
    monkeypatch.setattr(worker_module, "LIVE_SECONDS", float("inf"))
    posted: list[float] = []
    post = inline.main.post

    def note(call: Callable[[], None]) -> None:
        posted.append(clock.now)
        post(call)

    monkeypatch.setattr(inline.session._jobs, "_hop", note)
    begun = clock.now
    inline.start(recipe.replace(epochs=30))
    seconds = clock.now - begun
    inline.main.run()
    assert len(inline.points) == 300
    # Besides: the folder's name at the start, the last points and the outcome at the end.
    assert 10 * seconds < len(posted) <= 20 * seconds + 3
    gaps = np.diff(posted[1:-2])
    assert gaps.min() >= worker_module.POST_SECONDS


def test_the_map_moves_now_and_then_by_snapshots_that_stay(
    inline: Run, recipe: Recipe, clock: Clock
) -> None:
    clock.tick = 0.11
    recipe = recipe.replace(epochs=12)
    inline.start(recipe)
    inline.main.run()
    assert len(inline.moves) >= 3
    for snapshot, posterior in inline.moves:
        assert posterior.mean.shape == (60, 2)
        assert posterior.mean.dtype == np.float32
        expected = snapshot.model.encode(inline.data.images[::10])
        np.testing.assert_array_equal(posterior.mean, expected.mean)
        np.testing.assert_array_equal(posterior.covariance, expected.covariance)
    # The run has long gone on; what was shown is still the model of its own step.
    again = Trainer(recipe, inline.data, "cpu")
    moves = iter(inline.moves)
    snapshot, _ = next(moves)
    for event in again.events(lambda: True):
        if event.step == snapshot.step:
            assert same_weights(snapshot, again.snapshot())
            following = next(moves, None)
            if following is None:
                break
            snapshot, _ = following
    else:
        pytest.fail(f"no event at step {snapshot.step}")


# Pause, resume, stop


def test_a_paused_run_ends_at_the_same_weights(
    threaded: Run, recipe: Recipe, main: "MainThread"
) -> None:
    recipe = recipe.replace(epochs=30)
    whole = Trainer(recipe, threaded.data, "cpu")
    for _ in whole.events():
        pass

    threaded.start(recipe)
    threaded.session.pause()
    threaded.wait_for(Phase.PAUSED)
    first_pause = threaded.session.status.epoch
    assert first_pause < 30
    threaded.session.resume()
    threaded.wait_for_more_history()
    threaded.session.pause()
    threaded.wait_for(Phase.PAUSED)
    assert threaded.session.status.epoch > first_pause
    threaded.session.resume()
    threaded.wait_for(Phase.IDLE)

    assert threaded.phases == [
        Phase.RUNNING, Phase.PAUSED, Phase.RUNNING, Phase.PAUSED, Phase.RUNNING, Phase.IDLE
    ]  # fmt: skip
    snapshot, path = threaded.ends[-1]
    assert len(threaded.ends) == 3
    assert same_weights(snapshot, whole.snapshot())
    assert path is not None
    assert tuple(threaded.points) == read_checkpoint(path).history
    assert main.waiting == 0


def test_a_pause_saves_and_publishes_the_model_and_nothing_moves_meanwhile(
    threaded: Run, unending: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "POST_SECONDS", float("inf"))
    threaded.start(unending)
    threaded.session.pause()
    threaded.wait_for(Phase.PAUSED)
    ((snapshot, path),) = threaded.ends
    assert path is not None
    saved = read_checkpoint(path)
    assert same_weights(saved, snapshot)
    assert saved.step == snapshot.step
    assert tuple(threaded.points) == snapshot.history
    assert threaded.main.waiting == 0

    resumed = RunFolder(path.parent).resume(threaded.data, "cpu")
    assert resumed.step == snapshot.step
    threaded.session.stop()
    threaded.wait_for(Phase.IDLE)
    assert threaded.ends[-1][0].step == snapshot.step


def test_stop_ends_the_run_early_and_saves_it(threaded: Run, unending: Recipe) -> None:
    threaded.start(unending)
    threaded.wait_for_more_history()
    threaded.session.stop()
    assert threaded.session.status.phase is Phase.STOPPING
    threaded.wait_for(Phase.IDLE)
    assert threaded.phases == [Phase.RUNNING, Phase.STOPPING, Phase.IDLE]
    ((snapshot, path),) = threaded.ends
    assert path is not None
    assert 0 < snapshot.epoch < UNENDING
    assert same_weights(read_checkpoint(path), snapshot)


def test_a_pause_in_the_last_step_does_not_hold_a_finished_run(
    threaded: Run, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    last, pressed = threading.Event(), threading.Event()
    step = Trainer._train_step

    def wait_in_the_last(trainer: Trainer) -> None:
        if trainer.step == trainer.total_steps - 1:
            last.set()
            assert pressed.wait(10)
        step(trainer)

    monkeypatch.setattr(Trainer, "take_step", wait_in_the_last)
    threaded.start(recipe)
    assert last.wait(10)
    threaded.session.pause()
    pressed.set()
    threaded.wait_for(Phase.IDLE)
    assert threaded.phases == [Phase.RUNNING, Phase.IDLE]
    assert threaded.ends[-1][0].epoch == recipe.epochs


def test_pause_and_stop_before_the_first_step(threaded: Run, unending: Recipe) -> None:
    threaded.start(unending)
    threaded.session.pause()
    threaded.session.stop()
    threaded.wait_for(Phase.IDLE)
    assert threaded.phases == [Phase.RUNNING, Phase.STOPPING, Phase.IDLE]
    assert len(threaded.ends) == 1
    assert threaded.ends[0][0].step <= 1


def test_a_stop_overtakes_the_news_of_a_pause(
    threaded: Run, unending: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    paused = threading.Event()

    class Turn(threading.Condition):
        def wait(self, timeout: float | None = None) -> bool:
            paused.set()
            return super().wait(timeout)

    monkeypatch.setattr(threaded.session, "_turn", Turn())
    threaded.start(unending)
    threaded.session.pause()
    assert paused.wait(10)
    threaded.session.stop()
    threaded.wait_for(Phase.IDLE)
    assert threaded.phases == [Phase.RUNNING, Phase.STOPPING, Phase.IDLE]
    assert len(threaded.ends) == 1


def test_a_stop_that_came_too_late_does_not_end_the_next_run(inline: Run, recipe: Recipe) -> None:
    inline.start(recipe)  # already done, but not yet told
    inline.session.stop()
    inline.main.run()
    inline.start(recipe)
    inline.main.run()
    assert [snapshot.epoch for snapshot, _ in inline.ends] == [recipe.epochs] * 2


def test_a_pause_that_came_too_late_does_not_hold_the_next_run(inline: Run, recipe: Recipe) -> None:
    inline.start(recipe)
    inline.session.pause()
    inline.main.run()
    inline.start(recipe)
    inline.main.run()
    assert inline.phases == [Phase.RUNNING, Phase.IDLE, Phase.RUNNING, Phase.IDLE]


@pytest.mark.parametrize("order", ["pause", "resume", "stop"])
def test_orders_to_no_run_do_nothing(inline: Run, order: str) -> None:
    getattr(inline.session, order)()
    inline.main.run()
    assert inline.session.status == TrainingStatus(Phase.IDLE)
    assert inline.statuses == []
    assert not inline.runs.exists()


def test_orders_that_do_not_fit_the_phase_do_nothing(threaded: Run, unending: Recipe) -> None:
    session = threaded.session
    threaded.start(unending)
    session.resume()
    assert threaded.phases == [Phase.RUNNING]
    threaded.wait_for_more_history()
    with pytest.raises(BusyError, match="Training"):
        threaded.start(unending)
    session.pause()
    session.pause()
    threaded.wait_for(Phase.PAUSED)
    session.pause()
    with pytest.raises(BusyError):
        threaded.start(unending)
    assert threaded.phases == [Phase.RUNNING, Phase.PAUSED]
    session.stop()
    for order in (session.pause, session.resume, session.stop):
        order()
        assert threaded.phases[2:] == [Phase.STOPPING]
    with pytest.raises(BusyError):
        threaded.start(unending)
    threaded.wait_for(Phase.IDLE)
    assert threaded.phases == [Phase.RUNNING, Phase.PAUSED, Phase.STOPPING, Phase.IDLE]
    assert threaded.starts == 1
    assert len(list(threaded.runs.iterdir())) == 1


def test_start_and_stop_pressed_200_times(
    threaded: Run, unending: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work: list[int] = []
    busy = threading.Lock()
    work: Callable[..., object] = TrainingSession._work

    def only_one(*arguments: object) -> object:
        assert busy.acquire(blocking=False)
        try:
            at_work.append(1)
            return work(*arguments)
        finally:
            busy.release()

    monkeypatch.setattr(TrainingSession, "_work", only_one)
    dice = random.Random(0)
    started = 0
    for _ in range(200):
        try:
            threaded.start(unending)
            started += 1
        except BusyError:
            pass
        for _ in range(3):
            dice.choice(
                [threaded.session.pause, threaded.session.resume, threaded.main.run, lambda: None]
            )()
        threaded.session.stop()
        threaded.main.run()
    threaded.wait_for(Phase.IDLE)
    threaded.main.run()
    assert threaded.session.status.phase is Phase.IDLE
    assert threaded.failures == []
    assert 0 < started == threaded.starts == len(at_work)
    assert len([status for status in threaded.statuses if status.phase is Phase.IDLE]) == started
    threaded.start(unending.replace(epochs=1))
    threaded.wait_for(Phase.IDLE)
    assert threaded.ends[-1][0].epoch == 1


# Refusals and failures


def test_a_run_without_a_folder_fails_and_the_next_works(inline: Run, recipe: Recipe) -> None:
    inline.runs.write_text("a file where the folder should be")
    inline.start(recipe)
    inline.main.run()
    (error,) = inline.failures
    assert isinstance(error, CheckpointError)
    assert inline.phases == [Phase.RUNNING, Phase.IDLE]
    assert inline.ends == []
    inline.runs.unlink()
    inline.start(recipe)
    inline.main.run()
    assert len(inline.ends) == 1


def test_training_goes_on_when_the_disk_refuses(
    inline: Run, recipe: Recipe, trained: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = RunFolder.create

    def create_and_lose(parent: Path, recipe: Recipe) -> RunFolder:
        folder = create(parent, recipe)
        shutil.rmtree(folder.path)
        folder.path.write_text("a file where the folder was")
        return folder

    monkeypatch.setattr(RunFolder, "create", create_and_lose)
    inline.start(recipe)
    inline.main.run()
    (refusal,) = inline.refusals  # once, not at every epoch
    assert isinstance(refusal, CheckpointError)
    assert sum("Not saved" in line for line in inline.lines) == recipe.epochs + 1
    ((snapshot, path),) = inline.ends
    assert same_weights(snapshot, trained)
    assert path is None
    assert "not saved" in inline.lines[-1]
    assert inline.failures == []


def test_a_disk_that_takes_saves_again_is_told_of_anew(
    inline: Run, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = RunFolder.save
    refused = {0, 1, 3}
    tries = iter(range(100))

    def moody(folder: RunFolder, trainer: Trainer) -> Snapshot:
        if next(tries) in refused:
            raise CheckpointError("The disk is full.")
        return save(folder, trainer)

    monkeypatch.setattr(RunFolder, "save", moody)
    inline.start(recipe.replace(epochs=6))
    inline.main.run()
    assert len(inline.refusals) == 2
    ((_, path),) = inline.ends
    assert path is not None
    assert read_checkpoint(path).epoch == 6


def test_a_removed_run_folder_is_made_again(threaded: Run, unending: Recipe) -> None:
    threaded.start(unending)
    threaded.wait_for_more_history()
    threaded.session.pause()
    threaded.wait_for(Phase.PAUSED)
    shutil.rmtree(threaded.runs)
    threaded.session.resume()
    threaded.session.stop()
    threaded.wait_for(Phase.IDLE)
    snapshot, path = threaded.ends[-1]
    assert path is not None
    assert same_weights(read_checkpoint(path), snapshot)
    assert threaded.refusals == []


def test_a_diverged_run_fails_and_the_next_works(inline: Run, recipe: Recipe) -> None:
    inline.start(DIVERGING)
    inline.main.run()
    (error,) = inline.failures
    assert isinstance(error, DivergedError)
    assert inline.phases == [Phase.RUNNING, Phase.IDLE]
    assert "diverged" in inline.lines[-1]
    inline.start(recipe)
    inline.main.run()
    assert len(inline.ends) == 1


def test_weights_that_are_no_numbers_are_neither_shown_nor_saved(
    inline: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "LIVE_SECONDS", 0.0)
    inline.start(DIVERGING.replace(batch_size=500))  # one step an epoch
    inline.main.run()
    assert isinstance(inline.failures[0], DivergedError)
    assert inline.moves
    for snapshot, _ in inline.moves:
        assert all(weights.isfinite().all() for weights in snapshot.model.state_dict().values())
    (folder,) = inline.runs.iterdir()
    assert read_checkpoint(folder / "model.safetensors").step == inline.moves[-1][0].step


def test_no_images_left_to_train_on_fails(inline: Run, recipe: Recipe) -> None:
    inline.start(recipe.replace(validation_images=600))
    inline.main.run()
    assert isinstance(inline.failures[0], DataError)
    assert not inline.session.active


def torch_shape_error() -> NoReturn:
    torch.zeros(2, 3) @ torch.zeros(2, 3)
    raise AssertionError("torch multiplied the unmultipliable")


def raiser(error: BaseException) -> Callable[[], NoReturn]:
    def raise_it() -> NoReturn:
        raise error

    return raise_it


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(
    ("break_down", "kind"),
    [
        (torch_shape_error, RuntimeError),
        (raiser(torch.OutOfMemoryError("CUDA out of memory")), RuntimeError),
        (raiser(MemoryError()), MemoryError),
        (raiser(KeyboardInterrupt()), KeyboardInterrupt),
        (raiser(SystemExit(1)), SystemExit),
    ],
    ids=["shape", "device memory", "memory", "interrupt", "exit"],
)
def test_a_run_that_breaks_in_a_step_is_told_and_the_next_works(
    threaded: Run,
    recipe: Recipe,
    monkeypatch: pytest.MonkeyPatch,
    break_down: Callable[[], NoReturn],
    kind: type[BaseException],
) -> None:
    step = Trainer._train_step

    def breaks(trainer: Trainer) -> None:
        if trainer.step == 15:
            break_down()
        step(trainer)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "take_step", breaks)
        threaded.start(recipe)
        threaded.wait_for(Phase.IDLE)
    assert len(threaded.failures) == 1
    assert isinstance(threaded.failures[0], kind)
    assert threaded.ends == []
    (folder,) = threaded.runs.iterdir()
    assert read_checkpoint(folder / "model.safetensors").epoch == 1

    threaded.start(recipe)
    threaded.wait_for(Phase.IDLE)
    assert len(threaded.ends) == 1


# Closing


@pytest.fixture
def closing(main: "MainThread", tmp_path: Path, digits: ImageSet) -> Iterator[Run]:
    """A run whose jobs the test shuts down itself."""
    jobs = Jobs(main.post)
    yield Run(jobs, main, tmp_path / "runs", digits)
    assert jobs.shutdown(20)


@pytest.mark.parametrize("when", ["at once", "running", "paused"])
def test_shutdown_saves_the_run_so_that_it_can_go_on(
    closing: Run, unending: Recipe, when: str
) -> None:
    closing.start(unending)
    if when != "at once":
        closing.wait_for_more_history()
    if when == "paused":
        closing.session.pause()
        closing.wait_for(Phase.PAUSED)
    said = len(closing.lines), len(closing.batches), len(closing.ends)
    assert closing.session._jobs.shutdown(5)
    closing.main.run()
    assert (len(closing.lines), len(closing.batches), len(closing.ends)) == said
    for folder in closing.runs.glob("*"):
        saved = read_checkpoint(folder / "model.safetensors")
        trainer = RunFolder(folder).resume(closing.data, "cpu")
        assert trainer.step == saved.step
        assert next(trainer.events(lambda: True)).step == saved.step + 1
    assert closing.runs.exists() or when == "at once"
