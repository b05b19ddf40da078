"""The run's own thread: it trains, keeps and saves, follows orders, and reports."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Literal

from vae_explorer.errors import CheckpointError, DivergedError, RecipeError
from vae_explorer.model.trained import Posterior
from vae_explorer.session.jobs import Control
from vae_explorer.session.training.events import (
    Begun,
    Dissected,
    Found,
    Kept,
    Moved,
    Noted,
    NotSaved,
    Paused,
    Phase,
    Progress,
    TrainingEvent,
    TrainingStatus,
    Waiting,
)
from vae_explorer.session.training.timeline_entry import timeline_entry
from vae_explorer.training.anatomy import dissect
from vae_explorer.training.health import Finding, findings
from vae_explorer.training.run import Recorder
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.training.stopping import StopRule
from vae_explorer.training.trainer import EpochMetrics, StepMetrics, Trainer, Turn
from vae_explorer.types import UInt8

POST_SECONDS = 0.05
"""Shortest time between two posts to the main thread."""

LIVE_SECONDS = 0.35
"""Shortest time between two moves of the map."""

LIVE_SHARE = 0.1
"""Part of the time that moves of the map may take from training."""

ALL_SECONDS = 2.0
"""Longest time in which all images are encoded; where it takes more, the live ones alone move."""

RECENT_SECONDS = 15.0
"""The speed of a run is that of its last seconds, an epoch's evaluation among them."""

KNOWN_SECONDS = 2.0
"""Shortest time at a speed that tells what is left."""

Until = Literal["end", "step", "epoch", "dissected"]
"""Where a run pauses by itself; "dissected" is after one step, told stage by stage."""


Begin = Callable[[Callable[[str], None]], tuple[Trainer, RunFolder]]
"""Makes a run's trainer and folder, on its thread; given who hears warnings."""


@dataclass(frozen=True)
class Orders:
    """What the main thread wants of a run.

    ``resumed`` counts the pauses that were ended: the next may begin before a run that waits has
    looked. ``steering`` are fields of the recipe to be changed before the next step.
    """

    paused: bool = False
    stopped: bool = False
    until: Until = "end"
    rule: StopRule = field(default_factory=StopRule)
    resumed: int = 0
    steering: tuple[tuple[str, float], ...] = ()


class OrderDesk:
    """Hands orders to a run that may be waiting. All methods belong to any thread."""

    def __init__(self, orders: Orders, changed: threading.Condition | None = None) -> None:
        self.orders = orders
        self._changed = changed or threading.Condition()

    def give(self, change: Callable[[Orders], Orders]) -> Orders:
        """Replace the orders, and wake a run that waits; returns those before."""
        with self._changed:
            before, self.orders = self.orders, change(self.orders)
            self._changed.notify_all()
        return before

    def pause(self, until: Until | None = None) -> None:
        """Have the run wait after the present step."""
        self.give(lambda now: replace(now, paused=True, until=until or now.until))

    def resume(self, until: Until) -> None:
        """End a pause."""
        self.give(lambda now: replace(now, paused=False, until=until, resumed=now.resumed + 1))

    def stop(self) -> None:
        """End the run after the present step."""
        self.give(lambda now: replace(now, stopped=True))

    def wait(self, resumed: int, cancelled: Callable[[], bool]) -> None:
        """Wait on the run's thread until it goes on or is over."""
        with self._changed:
            while not (self.orders.resumed != resumed or self.orders.stopped or cancelled()):
                self._changed.wait(0.1)  # cancelling does not notify


class Worker:
    """One run from its beginning to its end.

    Args:
        begin: makes the trainer and its folder.
        live_images: (n, h, w) uint8, of which each kept moment knows where they were.
        everything: (m, h, w) uint8, which the map shows if they can be encoded on the way.
        desk: holds what the main thread wants.
        publish: called on the main thread with each event.
        control: of the job.
    """

    def __init__(
        self,
        begin: Begin,
        live_images: UInt8,
        everything: UInt8,
        desk: OrderDesk,
        publish: Callable[[TrainingEvent], None],
        control: Control,
    ) -> None:
        self._desk = desk
        self._publish = publish
        self._control = control
        self._live = live_images
        self._moving = live_images
        """The images that the map shows."""
        self._more = everything if len(everything) > len(live_images) else None
        """Those that it shows as soon as one knows that they can be encoded on the way."""
        self._encoding_seconds = 0.0
        """What those that were encoded last took."""
        self._trainer, folder = begin(self._note)
        self._recorder = Recorder(
            self._trainer, folder, kept=self._on_kept, refused=self._on_refused
        )
        self._trainer.given_up = lambda: desk.orders.stopped or control.cancelled
        self._saving = True
        self._found: tuple[Finding, ...] = ()
        # A resumed run tells what it has so far.
        self._points = list(self._trainer.history)
        self._posted = time.monotonic()
        self._next_move = self._posted + LIVE_SECONDS
        self._goal: int | None = None
        self._restart_clock()
        self._steer()
        device, recipe = self._trainer.device.type, self._trainer.recipe
        resumed = bool(self._recorder.moments.steps)
        self._emit(Begun(folder, folder.name, device, recipe, resumed))

    def run(self) -> tuple[Snapshot, Path | None]:
        """Train until the end, a stop or an error.

        Returns:
            The last snapshot, and its checkpoint, or None if the disk refused it.

        Raises:
            DivergedError: see ``Trainer.take_step``; the model of the step before was saved.
        """
        with self._recorder:
            self._recorder.begin()
            self._set_goal()
            try:
                self._follow_orders()
            except DivergedError:
                self._move()
                raise
            finally:
                self._flush()
            return self._recorder.save()

    def _follow_orders(self) -> None:
        while not self._over():
            orders = self._desk.orders
            if orders.paused:
                self._wait_out_pause(orders)
            elif orders.until == "dissected":
                self._dissect()
            else:
                self._train()

    def _over(self) -> bool:
        return self._trainer.finished or self._desk.orders.stopped or self._control.cancelled

    def _train(self) -> None:
        """Train until something else is wanted."""
        for event in self._recorder.follow(self._turn_wanted):
            self._on_event(event)
            self._steer()
            if self._leaving():
                return

    def _turn_wanted(self) -> bool:
        return self._leaving() or bool(self._desk.orders.steering) or self._move_due()

    def _leaving(self) -> bool:
        orders = self._desk.orders
        if self._goal is not None and self._trainer.step >= self._goal and not orders.paused:
            self._pause_itself(saved=orders.until == "epoch")
        orders = self._desk.orders
        return self._control.cancelled or orders.stopped or orders.paused

    def _on_event(self, event: Turn) -> None:
        trainer = self._trainer
        if isinstance(event, StepMetrics):
            self._points.append(event.point)
            rule = self._desk.orders.rule
            reason = rule.reason(trainer.epoch, trainer.seconds, trainer.history)
            if reason and not trainer.finished:
                self._note(f"Stopping: {reason}")
                self._desk.stop()
        found = findings(trainer.history) if isinstance(event, EpochMetrics) else self._found
        if found != self._found:
            self._found = found
            self._emit(Found(found))
        if time.monotonic() - self._posted >= POST_SECONDS:
            self._flush()
        if self._move_due():
            self._move()

    def _steer(self) -> None:
        if not self._desk.orders.steering:
            return
        for name, value in self._desk.give(lambda now: replace(now, steering=())).steering:
            try:
                self._trainer.steer(**{name: value})
            except RecipeError as error:
                self._note(str(error))
            else:
                self._note(f"From step {self._trainer.step + 1:,} on: {name} {value:g}")

    # Pausing

    def _set_goal(self) -> None:
        trainer = self._trainer
        whole = trainer.step // trainer.steps_per_epoch + 1
        goals = {"step": trainer.step + 1, "epoch": whole * trainer.steps_per_epoch}
        self._goal = goals.get(self._desk.orders.until)

    def _dissect(self) -> None:
        anatomy = dissect(self._trainer)
        self._emit(Dissected(anatomy))
        event = anatomy.report or Turn(anatomy.step)
        self._recorder.record(event)
        self._on_event(event)
        self._pause_itself(saved=False)

    def _pause_itself(self, *, saved: bool) -> None:
        """Wait as if a person had paused."""
        self._goal = None
        self._saving = saved
        self._desk.pause("end")

    def _wait_out_pause(self, orders: Orders) -> None:
        self._flush()
        if self._saving:
            self._emit(Paused(*self._recorder.save()))
        else:
            self._emit(Waiting())
            self._move()
        self._saving = True
        self._desk.wait(orders.resumed, lambda: self._control.cancelled)
        self._steer()
        self._set_goal()
        self._restart_clock()

    # Saving

    def _on_kept(self, snapshot: Snapshot) -> None:
        posterior = self._encode(snapshot, self._live)
        if self._moving is self._live or self._move_due():
            self._move(snapshot, posterior)
        frame = timeline_entry(snapshot, posterior)
        self._emit(Kept(frame, tuple(self._recorder.moments.steps)))

    def _on_refused(self, error: CheckpointError, again: bool) -> None:
        """A full disk must not end the training."""
        self._emit(NotSaved(error, again))

    # Telling

    def _emit(self, event: TrainingEvent) -> None:
        self._control.report(partial(self._publish, event))

    def _note(self, text: str) -> None:
        self._emit(Noted(text))

    def _restart_clock(self) -> None:
        """Leave a pause, and the slow first step after it, out of the images per second."""
        self._marks: deque[tuple[float, int]] = deque()

    def _move_due(self) -> bool:
        """True when the map has stood still long enough."""
        return time.monotonic() >= self._next_move

    def _flush(self) -> None:
        """Post what has gathered."""
        points, self._points = tuple(self._points), []
        trainer, now, marks = self._trainer, time.monotonic(), self._marks
        size = trainer.recipe.batch_size
        marks.append((now, trainer.step))
        while now - marks[0][0] > RECENT_SECONDS:
            marks.popleft()
        seconds = now - marks[0][0]
        speed = (trainer.step - marks[0][1]) * size / max(seconds, 1e-9)
        left = (trainer.total_steps - trainer.step) * size
        known = speed > 0 and (seconds >= KNOWN_SECONDS or not left)
        status = TrainingStatus(
            Phase.RUNNING,
            trainer.epoch,
            trainer.recipe.epochs,
            speed,
            left / speed if known else None,
            trainer.device.type,
        )
        self._emit(Progress(points, status))
        self._posted = now

    def _move(self, snapshot: Snapshot | None = None, posterior: Posterior | None = None) -> None:
        """Have the map move, by all images if these take no longer than it may stand still."""
        snapshot = snapshot or self._trainer.snapshot()
        if self._more is not None:
            posterior = posterior or self._encode(snapshot, self._live)
            more, self._more = self._more, None
            if self._encoding_seconds * len(more) / max(1, len(self._live)) <= ALL_SECONDS:
                self._moving = more
        if posterior is None or self._moving is not self._live:
            posterior = self._encode(snapshot, self._moving)
        self._emit(Moved(snapshot, posterior))
        pause = self._encoding_seconds / LIVE_SHARE
        self._next_move = time.monotonic() + max(LIVE_SECONDS, pause)

    def _encode(self, snapshot: Snapshot, images: UInt8) -> Posterior:
        begin = time.monotonic()
        posterior = snapshot.model.encode(images)
        self._encoding_seconds = time.monotonic() - begin
        return posterior
