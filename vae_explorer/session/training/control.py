"""Training beside the window: one run in the exclusive lane, told in at most 20 posts a second."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from psygnal import Signal

from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import CheckpointError
from vae_explorer.model.trained import Posterior
from vae_explorer.session.jobs import Control, Jobs
from vae_explorer.session.state import Phase, TrainingStatus
from vae_explorer.session.training.timeline_frames import FilmFrame
from vae_explorer.session.training.worker import Begin, Orders, Until, Worker
from vae_explorer.training.anatomy import StepAnatomy
from vae_explorer.training.health import Finding
from vae_explorer.training.history import HistoryPoint
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run import RunFolder, RunLabel
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.training.stopping import StopRule
from vae_explorer.training.trainer import Trainer

LIVE_IMAGES = 4_000
"""Images re-encoded for a move of the map: enough to see its shape, cheap enough to train on."""


class TrainingSession:
    """Starts, pauses, steers and stops the one run. All methods belong to the main thread.

    Args:
        jobs: where the run's thread comes from.
        runs: the folder in which each run gets a folder of its own.
        device: "auto", "cpu", "cuda" or "mps".
    """

    status_changed = Signal(TrainingStatus)
    history_started = Signal()
    history_extended = Signal(tuple)
    """New ``HistoryPoint``s; of a resumed run or a branch first those it begins with."""
    moved = Signal(Snapshot, object)
    """The model as it is now, and the ``Posterior`` of the live images."""
    begun = Signal(RunFolder)
    kept = Signal(FilmFrame, tuple)
    """A moment that was kept, and the steps of all that still are."""
    dissected = Signal(StepAnatomy)
    """The step that ``Until`` "dissected" led to."""
    found = Signal(tuple)
    """``Finding``s, when they are others than before."""
    ended = Signal(Snapshot, object)
    """The run paused, finished or stopped; its state is in the given checkpoint, a ``Path``, or
    None if the disk refused it."""
    logged = Signal(str)
    failed = Signal(BaseException)
    not_saved = Signal(CheckpointError)
    """The disk refused a save; training goes on, and says so again only after a save worked."""

    def __init__(self, jobs: Jobs, runs: Path, device: str = "auto") -> None:
        self._jobs = jobs
        self.runs = runs
        self._device = device
        self.checkpoint: Path | None = None
        """Where the newest run keeps its model, if it has begun; not there before a save worked."""
        self._status = TrainingStatus(Phase.IDLE)
        self._orders = Orders()
        self._found: tuple[Finding, ...] = ()
        self._told: set[str] = set()

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
        """True while the run moves the map."""
        return self._status.phase in (Phase.RUNNING, Phase.STOPPING)

    def start(
        self,
        recipe: Recipe,
        data: ImageSet,
        live_images: np.ndarray,
        *,
        until: Until = "end",
        paused: bool = False,
        label: RunLabel | None = None,
        branch: Snapshot | None = None,
        folder: RunFolder | None = None,
    ) -> None:
        """Begin a run on ``data``.

        Args:
            recipe: what to compute.
            data: what to train on.
            live_images: (n, h, w) uint8, those that the map shows.
            until: where it is to pause by itself.
            paused: wait before the first step.
            label: is written on it.
            branch: go on from this model instead of a new one.
            folder: of the run, if it has one already.

        Raises:
            BusyError: a run is under way.
        """
        device = self._device

        def begin(_: object) -> tuple[Trainer, RunFolder]:
            trainer = Trainer(recipe, data, device)
            if branch:
                trainer.branch(branch)
            own = folder or RunFolder.create(self.runs, recipe)
            if label:
                own.write_label(label)
            return trainer, own

        self._run(begin, live_images, recipe.epochs, Orders(paused=paused, until=until))

    def resume_run(
        self, folder: RunFolder, epochs: int, data: ImageSet, live_images: np.ndarray
    ) -> None:
        """Go on with a run that was left, of so many epochs; other arguments as for ``start``.

        Raises:
            BusyError: a run is under way.
        """
        self.start_by(
            lambda device, warn: (folder.resume(data, device, warn), folder), epochs, live_images
        )

    def start_by(
        self,
        begin: Callable[[str, Callable[[str], None]], tuple[Trainer, RunFolder]],
        epochs: int,
        live_images: np.ndarray,
    ) -> None:
        """Begin or go on with a run of so many epochs by a trainer that somebody else makes.

        ``begin`` is called on the run's thread with the device and who hears warnings.

        Raises:
            BusyError: a run is under way.
        """
        device = self._device
        self._run(lambda warn: begin(device, warn), live_images, epochs, Orders())

    def _run(self, begin: Begin, live_images: np.ndarray, epochs: int, orders: Orders) -> None:
        def work(control: Control) -> tuple[Snapshot, Path | None]:
            return Worker(begin, live_images, orders, self, control).run()

        if not self.active:  # before the worker can look, and never under a run
            orders.rule = self._orders.rule
            self._orders = orders
        self._jobs.run_exclusive("Training", work, done=self._on_done, failed=self._on_failed)
        self.checkpoint = None
        self._told.clear()
        self.history_started.emit()
        self._tell_found(())
        self._set_status(TrainingStatus(Phase.RUNNING, 0.0, epochs))

    def pause(self) -> None:
        """Stop after the present step and wait; nothing happens unless a run is running."""
        if self._status.phase is Phase.RUNNING:
            self._orders.give(paused=True)

    def resume(self, until: Until = "end") -> None:
        """Go on after a pause."""
        if self._status.phase is Phase.PAUSED:
            self._orders.resume(until)
            self._set_phase(Phase.RUNNING)

    def stop(self) -> None:
        """End the run after the present step, saving it."""
        if self._status.phase in (Phase.RUNNING, Phase.PAUSED):
            self._orders.give(stopped=True)
            self._set_phase(Phase.STOPPING)

    def steer(self, field: str, value: float) -> None:
        """Give a field of ``STEERABLE`` another value from the next step on."""
        if self.active:
            self._orders.steer(field, value)

    def set_rule(self, rule: StopRule) -> None:
        """End this run, or the next, by a rule."""
        self._orders.give(rule=rule)

    def _set_status(self, status: TrainingStatus) -> None:
        self._status = status
        self.status_changed.emit(status)

    def _set_phase(self, phase: Phase) -> None:
        old = self._status
        self._set_status(
            TrainingStatus(phase, old.epoch, old.epochs, device=old.device, eta_seconds=None)
        )

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

    # What the worker reports; see ``Hearer``.

    def hear_begun(self, device: str, folder: RunFolder) -> None:
        """Say where the run is."""
        self.checkpoint = folder.model_path
        self.logged.emit(f"Training on {device} in {folder.path}")
        self.begun.emit(folder)

    def hear_points(self, points: tuple[HistoryPoint, ...], status: TrainingStatus) -> None:
        """Pass figures on; a phase that a person has just asked for stays."""
        if points:
            self.history_extended.emit(points)
        if self._status.phase is Phase.RUNNING:
            self._set_status(status)

    def hear_moved(self, snapshot: Snapshot, posterior: Posterior) -> None:
        """Pass a move of the map on."""
        self.moved.emit(snapshot, posterior)

    def hear_kept(self, frame: FilmFrame, steps: tuple[int, ...]) -> None:
        """Pass a frame of the film on."""
        self.kept.emit(frame, steps)

    def hear_dissected(self, anatomy: StepAnatomy) -> None:
        """Pass a step on."""
        self.dissected.emit(anatomy)

    def hear_paused(self, saved: tuple[Snapshot, Path | None] | None) -> None:
        """The run waits, unless it was stopped meanwhile."""
        if self._status.phase is Phase.RUNNING:
            self._set_phase(Phase.PAUSED)
            if saved:
                self._tell_ended("Paused", *saved)

    def hear_findings(self, found: tuple[Finding, ...]) -> None:
        """Note what is wrong, once a run whatever its figures, and pass it on."""
        for finding in found:
            if finding.title not in self._told:
                self._told.add(finding.title)
                self.logged.emit(f"{finding.title}: {finding.text} {finding.advice}")
        self._tell_found(found)

    def _tell_found(self, found: tuple[Finding, ...]) -> None:
        if found != self._found:
            self._found = found
            self.found.emit(found)

    def hear_refused(self, error: CheckpointError, *, again: bool) -> None:
        """Note that the disk refuses."""
        self.logged.emit(f"Not saved: {error}")
        if not again:
            self.not_saved.emit(error)

    def hear_log(self, text: str) -> None:
        """Note something."""
        self.logged.emit(text)
