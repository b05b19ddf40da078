"""Training beside the window: one run in the exclusive lane, told in at most 20 posts a second."""

import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from psygnal import Signal

from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import CheckpointError
from vae_explorer.session.jobs import Control, Jobs
from vae_explorer.session.state import HistoryPoint, Phase, TrainingStatus
from vae_explorer.training.device import set_threads as set_threads
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run import RunFolder
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.training.trainer import EpochMetrics, StepMetrics, Trainer

POST_SECONDS = 0.05
"""Shortest time between two posts to the main thread."""

LIVE_SECONDS = 0.35
"""Shortest time between two moves of the map."""

LIVE_IMAGES = 4_000
"""Images re-encoded for a move of the map: enough to see its shape, cheap enough to train on."""


class TrainingSession:
    """Starts, pauses, resumes and stops the one run. All methods belong to the main thread.

    Args:
        jobs: where the run's thread comes from.
        runs: the folder in which each run gets a folder of its own.
        device: "auto", "cpu", "cuda" or "mps".
    """

    status_changed = Signal(TrainingStatus)
    history_started = Signal()
    history_extended = Signal(tuple)
    """New ``HistoryPoint``s."""
    moved = Signal(Snapshot, object)
    """The model as it is now, and the ``Posterior`` of the live images."""
    ended = Signal(Snapshot, object)
    """The run paused, finished or stopped; its state is in the given checkpoint, a ``Path``, or
    None if the disk refused it."""
    logged = Signal(str)
    failed = Signal(BaseException)
    not_saved = Signal(CheckpointError)
    """The disk refused a save; training goes on, and says so again only after a save worked."""

    def __init__(self, jobs: Jobs, runs: Path, device: str = "auto") -> None:
        self._jobs = jobs
        self._runs = runs
        self._device = device
        self.checkpoint: Path | None = None
        """Where the newest run keeps its model; not there before the first save."""
        self._status = TrainingStatus(Phase.IDLE)
        self._turn = threading.Condition()
        self._paused = False
        self._stopped = False
        self._refused = False

    @property
    def status(self) -> TrainingStatus:
        """The status last published."""
        return self._status

    @property
    def active(self) -> bool:
        """True from start until the run has ended."""
        return self._status.phase is not Phase.IDLE

    @property
    def moving(self) -> bool:
        """True while the map follows the run."""
        return self._status.phase in (Phase.RUNNING, Phase.STOPPING)

    def start(self, recipe: Recipe, data: ImageSet, live_images: np.ndarray) -> None:
        """Begin a run on ``data``; ``live_images`` (n, h, w) uint8 are the ones the map shows.

        Raises:
            BusyError: a run is under way.
        """
        if not self.active:  # before the worker can look, and never under a run
            self._paused = self._stopped = self._refused = False
        self._jobs.run_exclusive(
            "Training",
            lambda control: self._work(control, recipe, data, live_images),
            done=self._on_done,
            failed=self._on_failed,
        )
        self.history_started.emit()
        self._set_status(TrainingStatus(Phase.RUNNING, 0.0, recipe.epochs))

    def pause(self) -> None:
        """Stop after the present step and wait; nothing happens unless a run is running."""
        if self._status.phase is Phase.RUNNING:
            self._ask(paused=True)

    def resume(self) -> None:
        """Go on after a pause."""
        if self._status.phase is Phase.PAUSED:
            self._ask(paused=False)
            self._set_phase(Phase.RUNNING)

    def stop(self) -> None:
        """End the run after the present step, saving it."""
        if self._status.phase in (Phase.RUNNING, Phase.PAUSED):
            self._ask(stopped=True)
            self._set_phase(Phase.STOPPING)

    def _ask(self, *, paused: bool | None = None, stopped: bool | None = None) -> None:
        with self._turn:
            self._paused = self._paused if paused is None else paused
            self._stopped = self._stopped if stopped is None else stopped
            self._turn.notify_all()

    def _set_status(self, status: TrainingStatus) -> None:
        self._status = status
        self.status_changed.emit(status)

    def _set_phase(self, phase: Phase) -> None:
        old = self._status
        self._set_status(
            TrainingStatus(phase, old.epoch, old.epochs, device=old.device, eta_seconds=None)
        )

    def _on_begun(self, device: str, folder: RunFolder) -> None:
        self.checkpoint = folder.model_path
        self.logged.emit(f"Training on {device} in {folder.path}")

    def _on_done(self, result: tuple[Snapshot, Path | None]) -> None:
        self._set_phase(Phase.IDLE)
        self._tell_ended("Ended", *result)

    def _tell_ended(self, how: str, snapshot: Snapshot, path: Path | None) -> None:
        saved = f"saved {path}" if path else "not saved"
        self.logged.emit(f"{how} at epoch {snapshot.epoch:.2f}; {saved}")
        self.ended.emit(snapshot, path)

    def _on_failed(self, error: BaseException) -> None:
        self._set_phase(Phase.IDLE)
        self.logged.emit(f"Failed: {error}")
        self.failed.emit(error)

    def _on_not_saved(self, error: CheckpointError, *, again: bool) -> None:
        self.logged.emit(f"Not saved: {error}")
        if not again:
            self.not_saved.emit(error)

    # The rest runs on the worker's thread.

    def _work(
        self, control: Control, recipe: Recipe, data: ImageSet, live_images: np.ndarray
    ) -> tuple[Snapshot, Path | None]:
        trainer = Trainer(recipe, data, self._device)
        folder = RunFolder.create(self._runs, recipe)
        control.report(partial(self._on_begun, trainer.device.type, folder))
        telling = _Telling(self, control, trainer, live_images)
        wanted = self._interrupted(control)
        while not trainer.finished and not control.cancelled and not self._stopped:
            for event in trainer.events(lambda: wanted() or telling.move_due):
                telling.hear(event)
                if isinstance(event, EpochMetrics):
                    self._save(control, trainer, folder)
                if wanted():
                    break
            if self._paused and not trainer.finished:
                self._wait_out_pause(control, telling, folder)
        telling.flush()
        return self._save(control, trainer, folder)

    def _save(
        self, control: Control, trainer: Trainer, folder: RunFolder
    ) -> tuple[Snapshot, Path | None]:
        """Save if the disk lets us; a full one must not end the training."""
        try:
            snapshot = folder.save(trainer)
        except CheckpointError as error:
            control.report(partial(self._on_not_saved, error, again=self._refused))
            self._refused = True
            return trainer.snapshot(), None
        self._refused = False
        return snapshot, folder.model_path

    def _interrupted(self, control: Control) -> Callable[[], bool]:
        return lambda: control.cancelled or self._stopped or self._paused

    def _wait_out_pause(self, control: Control, telling: "_Telling", folder: RunFolder) -> None:
        telling.flush()
        saved = self._save(control, telling.trainer, folder)
        control.report(partial(self._on_paused, *saved))
        with self._turn:
            while self._paused and not self._stopped and not control.cancelled:
                # Cancelling does not notify, so look again now and then.
                self._turn.wait(0.1)
        telling.restart_clock()

    def _on_paused(self, snapshot: Snapshot, path: Path | None) -> None:
        if self._status.phase is Phase.RUNNING:  # not if stopped meanwhile
            self._set_phase(Phase.PAUSED)
            self._tell_ended("Paused", snapshot, path)


class _Telling:
    """Gathers a trainer's events on its thread and posts them, batched, to the main thread."""

    def __init__(
        self, session: TrainingSession, control: Control, trainer: Trainer, live: np.ndarray
    ) -> None:
        self.trainer = trainer
        self._session = session
        self._control = control
        self._live = live
        self._points: list[HistoryPoint] = []
        self._posted = self._moved = time.monotonic()
        self.restart_clock()

    def restart_clock(self) -> None:
        """Leave a pause out of the images per second."""
        self._clock = time.monotonic()
        self._images = 0

    @property
    def move_due(self) -> bool:
        """True when the map has stood still long enough."""
        return time.monotonic() - self._moved >= LIVE_SECONDS

    def hear(self, event: StepMetrics) -> None:
        self._images += event.images
        self._points.append(event.point)
        now = time.monotonic()
        if now - self._posted >= POST_SECONDS:
            self.flush()
        if self.move_due:
            self._move()

    def flush(self) -> None:
        """Post what has gathered."""
        points, self._points = tuple(self._points), []
        speed = self._images / max(time.monotonic() - self._clock, 1e-9)
        trainer = self.trainer
        left = (trainer.total_steps - trainer.step) * trainer.recipe.batch_size
        status = TrainingStatus(
            Phase.RUNNING,
            trainer.epoch,
            trainer.recipe.epochs,
            speed,
            left / speed if speed else None,
            trainer.device.type,
        )
        self._control.report(lambda: self._show(points, status))
        self._posted = time.monotonic()

    def _show(self, points: tuple[HistoryPoint, ...], status: TrainingStatus) -> None:
        if points:
            self._session.history_extended.emit(points)
        if self._session.status.phase is Phase.RUNNING:
            self._session._set_status(status)

    def _move(self) -> None:
        snapshot = self.trainer.snapshot()
        posterior = snapshot.model.encode(self._live)
        self._control.report(lambda: self._session.moved.emit(snapshot, posterior))
        self._moved = time.monotonic()
