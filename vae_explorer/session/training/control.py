"""Training beside the window: one run in the exclusive lane, told in at most 20 posts a second."""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from psygnal import Signal

from vae_explorer.data.dataset import ImageSet
from vae_explorer.session.jobs import Control, Jobs
from vae_explorer.session.training.events import (
    Begun,
    Ended,
    Failed,
    Found,
    Noted,
    Paused,
    Phase,
    Progress,
    Started,
    TrainingEvent,
    TrainingStatus,
    Waiting,
)
from vae_explorer.session.training.worker import OrderDesk, Orders, Until, Worker
from vae_explorer.training.device import choose_device, set_threads
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run_folder import RunFolder, RunLabel
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.training.stopping import StopRule
from vae_explorer.training.trainer import Trainer
from vae_explorer.types import UInt8

LIVE_IMAGES = 4_000
"""Images of which each kept moment knows where they were: cheap enough to train on."""

BeginOn = Callable[[str, Callable[[str], None]], tuple[Trainer, RunFolder]]
"""Likewise as ``Begin``; given the device too."""

_MOST_SEED = 9_999  # short enough to be read out


class TrainingSession:
    """Starts, pauses, steers and stops the one run. All methods belong to the main thread.

    Args:
        jobs: where the run's thread comes from.
        runs: the folder in which each run gets a folder of its own.
        device: see ``choose_device``.
        threads: that a step uses, by default as many as other work.
    """

    status_changed = Signal(TrainingStatus)
    events = Signal(object)
    """Each ``TrainingEvent``, in order."""
    made_way = Signal(str)
    """The run was stopped because something else was asked for: a message."""

    def __init__(
        self, jobs: Jobs, runs: Path, device: str = "auto", threads: int | None = None
    ) -> None:
        self._jobs = jobs
        self._threads = threads
        self.runs = runs
        self._device = device
        self.checkpoint: Path | None = None
        """Where the newest run keeps its model, if it has begun; not there before a save worked."""
        self._status = self._before = TrainingStatus(Phase.IDLE)
        self._desk = OrderDesk(Orders())
        self._noted: set[str] = set()
        self._advance: Until | None = None
        """How far a run that is about to pause goes on at once."""
        self._next: Callable[[], object] | None = None
        """What begins when the run under way has ended."""
        self._name = ""

    @property
    def status(self) -> TrainingStatus:
        """The status last published."""
        return self._status

    @property
    def active(self) -> bool:
        """True from start until the run has ended."""
        return self._status.phase is not Phase.IDLE

    @property
    def live(self) -> bool:
        """True while the run takes orders."""
        return self._status.phase in (Phase.RUNNING, Phase.PAUSED)

    @property
    def moving(self) -> bool:
        """True while the run moves the map."""
        return self._status.phase in (Phase.RUNNING, Phase.STOPPING)

    def start(
        self,
        recipe: Recipe,
        data: ImageSet,
        live_images: UInt8,
        everything: UInt8 | None = None,
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
            live_images: see ``Worker``.
            everything: see ``Worker``.
            until: where it is to pause by itself.
            paused: wait before the first step.
            label: is written on it.
            branch: go on from this model instead of a new one.
            folder: of the run, if it has one already.

        Raises:
            BusyError: a run is under way.
        """

        def begin(device: str, _: object) -> tuple[Trainer, RunFolder]:
            trainer = Trainer(recipe, data, device)
            if branch:
                trainer.branch(branch)
            own = folder or RunFolder.create(self.runs, recipe)
            if label:
                own.write_label(label)
            return trainer, own

        orders = Orders(paused=paused, until=until)
        self._run(begin, live_images, everything, recipe.epochs, orders)

    def resume_run(
        self,
        folder: RunFolder,
        epochs: int,
        data: ImageSet,
        live_images: UInt8,
        everything: UInt8 | None = None,
    ) -> None:
        """Resume an interrupted run, of this many epochs; other arguments as for ``start``.

        Raises:
            BusyError: a run is under way.
        """
        self.start_by(
            lambda device, warn: (folder.resume(data, device, warn), folder),
            epochs,
            live_images,
            everything,
        )

    def start_by(
        self,
        begin: BeginOn,
        epochs: int,
        live_images: UInt8,
        everything: UInt8 | None = None,
    ) -> None:
        """Begin or go on with a run of this many epochs by a trainer that somebody else makes.

        ``begin`` is called on the run's thread with the device and who hears warnings.

        Raises:
            BusyError: a run is under way.
        """
        self._run(begin, live_images, everything, epochs, Orders())

    def _run(
        self,
        begin: BeginOn,
        live_images: UInt8,
        everything: UInt8 | None,
        epochs: int,
        orders: Orders,
    ) -> None:
        desk = OrderDesk(replace(orders, rule=self._desk.orders.rule))

        def on_device(warn: Callable[[str], None]) -> tuple[Trainer, RunFolder]:
            return begin(str(choose_device(self._device, warn)), warn)

        everything = live_images if everything is None else everything

        def work(control: Control) -> tuple[Snapshot, Path | None]:
            if self._threads:
                set_threads(self._threads)
            worker = Worker(on_device, live_images, everything, desk, self._on_event, control)
            return worker.run()

        if not self.active:  # before the worker can look, and never under a run
            self._desk = desk
        self._jobs.run_exclusive("Training", work, done=self._on_done, failed=self._on_failed)
        self.checkpoint = None
        self._before = self._status
        self._noted.clear()
        self._advance = None
        self.events.emit(Started())
        self._set_status(TrainingStatus(Phase.RUNNING, 0.0, epochs))

    def show_over(self, epoch: float, epochs: int) -> None:
        """Have the status be that of a run which was opened; not during a run."""
        if not self.active:
            self._set_status(TrainingStatus(Phase.IDLE, epoch, epochs, opened=True))

    def pause(self) -> None:
        """Stop after the present step and wait; nothing happens unless a run is running."""
        if self._status.phase is Phase.RUNNING:
            self._advance = None
            self._desk.pause()

    def resume(self, until: Until = "end") -> None:
        """Go on after a pause."""
        if self._status.phase is Phase.PAUSED:
            self._desk.resume(until)
            self._set_phase(Phase.RUNNING)

    def toggle_pause(self) -> None:
        """Pause, or go on after a pause."""
        (self.resume if self._status.phase is Phase.PAUSED else self.pause)()

    def advance(self, until: Until) -> None:
        """Go on so far and pause; a run that runs pauses first."""
        if self._status.phase is Phase.RUNNING:
            self.pause()
            self._advance = until
        else:
            self.resume(until)

    def stop(self) -> None:
        """End the run after the present step, saving it."""
        if self.live:
            self._desk.stop()
            self._set_phase(Phase.STOPPING)

    def end_then(self, begin: Callable[[], object]) -> None:
        """Do something when no run is under way; one that is ends and is kept."""
        if self.active:
            self._next = begin
            self.stop()
        else:
            begin()

    def steer(self, field: str, value: float) -> None:
        """Give a field of ``STEERABLE`` another value from the next step on."""
        if self.active:
            self._desk.give(lambda now: replace(now, steering=(*now.steering, (field, value))))

    def set_rule(self, rule: StopRule) -> None:
        """End this run, or the next, by a rule."""
        self._desk.give(lambda now: replace(now, rule=rule))

    def _set_status(self, status: TrainingStatus) -> None:
        self._status = status
        self.status_changed.emit(status)

    def _set_phase(self, phase: Phase, epoch: float | None = None) -> None:
        """Be in another phase, at an ``epoch`` after the last that progress was told of."""
        old = self._status
        epoch = old.epoch if epoch is None else epoch
        self._set_status(
            replace(old, phase=phase, epoch=epoch, images_per_second=0, eta_seconds=None)
        )

    def _on_event(self, event: TrainingEvent) -> None:
        """Follow what the worker tells, and pass it on."""
        running = self._status.phase is Phase.RUNNING
        match event:
            case Begun(folder, name):
                self.checkpoint, self._name = folder.model_path, name
            case Paused() | Waiting() if not running:
                return  # it was stopped meanwhile
            case Paused(snapshot):
                self._set_phase(Phase.PAUSED, snapshot.epoch)
            case Waiting():
                self._set_phase(Phase.PAUSED)
            case Found(findings):
                for finding in findings:  # once a run, whatever its figures
                    if finding.title not in self._noted:
                        self._noted.add(finding.title)
                        text = f"{finding.title}: {finding.text} {finding.advice}"
                        self.events.emit(Noted(text))
        self.events.emit(event)
        # A phase that a person has just asked for stays.
        if isinstance(event, Progress) and self._status.phase is Phase.RUNNING:
            self._set_status(event.status)
        if isinstance(event, Paused | Waiting) and self._advance:
            until, self._advance = self._advance, None
            self.resume(until)

    def _on_done(self, result: tuple[Snapshot, Path | None]) -> None:
        self.checkpoint = result[1]
        self._end(Ended(*result))

    def _on_failed(self, error: BaseException) -> None:
        if self.checkpoint is None:  # it never began, so nothing of it is to be seen
            self._status = self._before
        self._end(Failed(error))

    def _end(self, event: Ended | Failed) -> None:
        begin, self._next = self._next, None
        self._set_phase(Phase.IDLE, event.snapshot.epoch if isinstance(event, Ended) else None)
        self.events.emit(event)
        if begin is None:
            return
        name = self._name
        begin()
        if isinstance(event, Ended):
            kept = "kept" if event.path else "not kept, for the disk refused it"
            epoch = event.snapshot.epoch
            self.made_way.emit(f"The run {name} was stopped at epoch {epoch:.2f} and {kept}")


def reseeded(recipe: Recipe) -> Recipe:
    """With another seed, drawn at random."""
    seeds = [seed for seed in range(_MOST_SEED + 1) if seed != recipe.seed]
    return recipe.replace(seed=random.choice(seeds))
