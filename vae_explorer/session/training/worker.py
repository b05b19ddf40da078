"""The run's own thread: it trains, keeps and saves, follows orders, and reports."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal, Protocol, TypeVar

import numpy as np

from vae_explorer.errors import CheckpointError, DivergedError, RecipeError
from vae_explorer.model.trained import Posterior
from vae_explorer.session.jobs import Control
from vae_explorer.session.state import Phase, TrainingStatus
from vae_explorer.session.training.timeline_frames import FilmFrame, film_frame
from vae_explorer.training.anatomy import StepAnatomy, dissect
from vae_explorer.training.health import Finding, findings
from vae_explorer.training.history import HistoryPoint
from vae_explorer.training.run import Recorder, RunFolder
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.training.stopping import StopRule
from vae_explorer.training.trainer import EpochMetrics, StepMetrics, Trainer, Turn

T = TypeVar("T")

POST_SECONDS = 0.05
"""Shortest time between two posts to the main thread."""

LIVE_SECONDS = 0.35
"""Shortest time between two moves of the map."""

LIVE_SHARE = 0.05
"""Part of the time that moves of the map may take from training."""

Until = Literal["end", "step", "epoch", "dissected"]
"""Where a run pauses by itself; "dissected" is after one step, told stage by stage."""


Begin = Callable[[Callable[[str], None]], tuple[Trainer, RunFolder]]
"""Makes a run's trainer and folder, on its thread; given who hears warnings."""


@dataclass
class Orders:
    """What the main thread wants of a run; each field is given whole and read at any time."""

    paused: bool = False
    stopped: bool = False
    until: Until = "end"
    rule: StopRule = field(default_factory=StopRule)
    steering: dict[str, float] = field(default_factory=dict)
    resumed: int = 0
    """How often a pause was ended; the next may begin before a run that waits has looked."""
    given: threading.Condition = field(default_factory=threading.Condition)

    def give(self, **fields: object) -> None:
        """Change some fields and wake a run that waits."""
        with self.given:
            for name, value in fields.items():
                setattr(self, name, value)
            self.given.notify_all()

    def resume(self, until: Until) -> None:
        """End a pause."""
        self.give(paused=False, until=until, resumed=self.resumed + 1)

    def steer(self, name: str, value: float) -> None:
        """Have a field of the recipe changed before the next step."""
        with self.given:
            self.steering[name] = value
            self.given.notify_all()

    def take_steering(self) -> dict[str, float]:
        """What is to be changed now, once."""
        with self.given:
            wanted, self.steering = self.steering, {}
        return wanted


class Hearer(Protocol):
    """Who is told, on the main thread."""

    def hear_begun(self, device: str, folder: RunFolder) -> None:
        """The run has a folder."""

    def hear_points(self, points: tuple[HistoryPoint, ...], status: TrainingStatus) -> None:
        """New figures, and where the run stands."""

    def hear_moved(self, snapshot: Snapshot, posterior: Posterior) -> None:
        """The model now, and q(z|x) of the live images."""

    def hear_kept(self, frame: FilmFrame, steps: tuple[int, ...]) -> None:
        """A moment was kept; ``steps`` are those of all that still are."""

    def hear_dissected(self, anatomy: StepAnatomy) -> None:
        """A step was taken slowly."""

    def hear_paused(self, saved: tuple[Snapshot, Path | None] | None) -> None:
        """The run waits; after an order for one step it is not saved, and the map moves then."""

    def hear_findings(self, found: tuple[Finding, ...]) -> None:
        """What is wrong with the run has changed."""

    def hear_refused(self, error: CheckpointError, *, again: bool) -> None:
        """The disk refused a save, or does so still."""

    def hear_log(self, text: str) -> None:
        """Something to be noted."""


class Worker:
    """One run from its beginning to its end.

    Args:
        begin: makes the trainer and its folder.
        live_images: (n, h, w) uint8, what the map shows meanwhile.
        orders: what the main thread wants.
        hearer: who is told, on the main thread.
        control: of the job.
    """

    def __init__(
        self,
        begin: Begin,
        live_images: np.ndarray,
        orders: Orders,
        hearer: Hearer,
        control: Control,
    ) -> None:
        self._orders = orders
        self._hearer = hearer
        self._control = control
        self._live = live_images
        self._trainer, folder = begin(self._log)
        self._recorder = Recorder(self._trainer, folder)
        self._refused: set[str] = set()
        self._saving = True
        self._found: tuple[Finding, ...] = ()
        # A resumed run tells what it has so far.
        self._points = list(self._trainer.history)
        self._posted = self._moved = time.monotonic()
        self._move_pause = LIVE_SECONDS
        self._goal: int | None = None
        self._restart_clock()
        control.report(partial(hearer.hear_begun, self._trainer.device.type, folder))

    def run(self) -> tuple[Snapshot, Path | None]:
        """Train until the end, a stop or an error.

        Returns:
            The last snapshot, and its checkpoint, or None if the disk refused it.

        Raises:
            DivergedError: see ``Trainer.take_step``; the model of the step before was saved.
        """
        if not self._recorder.folder.state_path.exists():
            self._save()  # so that it can be resumed whatever happens
        self._keep_if_due()
        self._set_goal()
        try:
            self._follow_orders()
        except DivergedError:
            self._move()
            self._save()
            raise
        finally:
            self._flush()
        return self._save()

    def _follow_orders(self) -> None:
        orders = self._orders
        while not self._over():
            if orders.paused:
                self._wait_out_pause()
            elif orders.until == "dissected":
                self._dissect()
            else:
                self._train()

    def _over(self) -> bool:
        orders = self._orders
        return self._trainer.finished or orders.stopped or self._control.cancelled

    def _train(self) -> None:
        """Train until something else is wanted."""
        for event in self._trainer.events(self._turn_wanted):
            self._hear(event)
            self._steer()
            if self._leaving():
                return

    def _turn_wanted(self) -> bool:
        return (
            self._leaving()
            or bool(self._orders.steering)
            or self._move_due()
            or self._recorder.moment_due
        )

    def _leaving(self) -> bool:
        orders = self._orders
        if self._goal is not None and self._trainer.step >= self._goal and not orders.paused:
            self._pause_itself(saved=orders.until == "epoch")
        return self._control.cancelled or orders.stopped or orders.paused

    def _hear(self, event: Turn) -> None:
        trainer = self._trainer
        if isinstance(event, StepMetrics):
            self._points.append(event.point)
            reason = self._orders.rule.reason(trainer.epoch, trainer.seconds, trainer.history)
            if reason and not trainer.finished:
                self._log(f"Stopping: {reason}")
                self._orders.give(stopped=True)
        kept = self._keep_if_due()
        if self._recorder.save_due(event):
            self._save()
        if isinstance(event, EpochMetrics):
            found = findings(trainer.history)
            if found != self._found:
                self._found = found
                self._control.report(partial(self._hearer.hear_findings, found))
        if time.monotonic() - self._posted >= POST_SECONDS:
            self._flush()
        if self._move_due() and not kept:
            self._move()

    def _steer(self) -> None:
        for name, value in self._orders.take_steering().items():
            try:
                self._trainer.steer(**{name: value})
            except RecipeError as error:
                self._log(str(error))
            else:
                self._log(f"From step {self._trainer.step + 1:,} on: {name} {value:g}")

    # Pausing

    def _set_goal(self) -> None:
        trainer, until = self._trainer, self._orders.until
        whole = trainer.step // trainer.steps_per_epoch + 1
        goals = {"step": trainer.step + 1, "epoch": whole * trainer.steps_per_epoch}
        self._goal = goals.get(until)

    def _dissect(self) -> None:
        anatomy = dissect(self._trainer)
        self._control.report(partial(self._hearer.hear_dissected, anatomy))
        self._hear(anatomy.report or Turn(anatomy.step))
        self._pause_itself(saved=False)

    def _pause_itself(self, *, saved: bool) -> None:
        """Wait as if a person had paused."""
        self._goal = None
        self._saving = saved
        self._orders.give(paused=True, until="end")

    def _wait_out_pause(self) -> None:
        self._flush()
        orders, resumed = self._orders, self._orders.resumed
        saved = self._save() if self._saving else None
        self._control.report(partial(self._hearer.hear_paused, saved))
        if not self._saving:
            self._move()
        self._saving = True
        with orders.given:
            while orders.resumed == resumed and not orders.stopped and not self._control.cancelled:
                # Cancelling does not notify, so look again now and then.
                orders.given.wait(0.1)
        self._steer()
        self._set_goal()
        self._restart_clock()

    # Saving

    def _save(self) -> tuple[Snapshot, Path | None]:
        """Save if the disk lets us; a full one must not end the training."""
        snapshot = self._guarded("save", self._recorder.save)
        if snapshot is None:
            return self._trainer.snapshot(), None
        return snapshot, self._recorder.folder.model_path

    def _keep_if_due(self) -> bool:
        """Keep the moment, on disk and in the film, if it is one to be kept."""
        if not self._recorder.moment_due:
            return False
        snapshot = self._guarded("keep", self._recorder.keep)
        if snapshot is not None:
            frame = film_frame(snapshot, self._move(snapshot))
            steps = tuple(self._recorder.moments.steps)
            self._control.report(partial(self._hearer.hear_kept, frame, steps))
        return snapshot is not None

    def _guarded(self, name: Literal["save", "keep"], write: Callable[[], T]) -> T | None:
        try:
            written = write()
        except CheckpointError as error:
            # Moments are many, and where one is refused the rest mostly are: told once.
            again = name in self._refused or (name == "keep" and bool(self._refused))
            if name == "save" or not again:
                self._control.report(partial(self._hearer.hear_refused, error, again=again))
            self._refused.add(name)
            return None
        self._refused.discard(name)
        return written

    # Telling

    def _log(self, text: str) -> None:
        self._control.report(partial(self._hearer.hear_log, text))

    def _restart_clock(self) -> None:
        """Leave a pause out of the images per second."""
        self._clock = time.monotonic()
        self._clock_step = self._trainer.step

    def _move_due(self) -> bool:
        """True when the map has stood still long enough."""
        return time.monotonic() - self._moved >= self._move_pause

    def _flush(self) -> None:
        """Post what has gathered."""
        points, self._points = tuple(self._points), []
        trainer = self._trainer
        size = trainer.recipe.batch_size
        images = (trainer.step - self._clock_step) * size
        speed = images / max(time.monotonic() - self._clock, 1e-9)
        left = (trainer.total_steps - trainer.step) * size
        status = TrainingStatus(
            Phase.RUNNING,
            trainer.epoch,
            trainer.recipe.epochs,
            speed,
            left / speed if speed else None,
            trainer.device.type,
        )
        self._control.report(partial(self._hearer.hear_points, points, status))
        self._posted = time.monotonic()

    def _move(self, snapshot: Snapshot | None = None) -> Posterior:
        begin = time.monotonic()
        snapshot = snapshot or self._trainer.snapshot()
        posterior = snapshot.model.encode(self._live)
        self._control.report(partial(self._hearer.hear_moved, snapshot, posterior))
        self._moved = time.monotonic()
        self._move_pause = max(LIVE_SECONDS, (self._moved - begin) / LIVE_SHARE)
        return posterior
