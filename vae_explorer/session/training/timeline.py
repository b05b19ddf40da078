"""Going back through a run: its timeline, the snapshot that is shown, and playing it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from psygnal import Signal

from vae_explorer.data.arrays import spread
from vae_explorer.errors import CheckpointError
from vae_explorer.session.jobs import After, Control
from vae_explorer.session.tasks import Tasks
from vae_explorer.session.training.run_history import RunHistory
from vae_explorer.session.training.timeline_entry import TimelineEntry, timeline_entry
from vae_explorer.training.history import HistoryPoint
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.types import UInt8

PLAY_SECONDS = 0.08
"""Least time from one moment to the next when playing."""

_UNSHOWN = "The snapshot cannot be shown"


class Timeline:
    """The kept moments of one run, and which of them is shown. Belongs to the main thread.

    Moments are read patiently, so that a slider that is dragged shows something all the way.

    Args:
        tasks: where moments are read.
        after: the pace of playing.
    """

    entries_changed = Signal(tuple)
    """All ``TimelineEntry``s, ascending."""
    shown_changed = Signal(object)
    """The ``TimelineEntry`` that is shown, or None for the run as it is now."""
    arrived = Signal(Snapshot, TimelineEntry)
    """The model of the moment wanted last but for those still on their way."""
    returned = Signal()
    """The run as it is now is to be shown again."""
    playing_changed = Signal(bool)

    def __init__(self, tasks: Tasks, after: After) -> None:
        self._fail = partial(tasks.fail, _UNSHOWN)
        self._film = tasks.newest("film", "Some snapshots of the run cannot be shown", "figures")
        self._moment = tasks.patient("moment", _UNSHOWN, "files")
        self._after = after
        self._run: RunFolder | None = None
        self.history = RunHistory()
        self._on_disk: set[int] = set()
        self._aim: float | None = None
        """The step wanted last, of which there may be a nearer frame as the film is made."""
        self._kept = False
        """Whether the run has told what is on the disk since that was last looked for."""
        self.frames: tuple[TimelineEntry, ...] = ()
        self.shown: TimelineEntry | None = None
        self.playing = False

    # What there is

    @property
    def name(self) -> str:
        """Of the run."""
        return self._run.path.name if self._run else ""

    def develop(self, probes: UInt8) -> None:
        """Read the timeline again from the moments on disk, off the main thread.

        Args:
            probes: images (n, h, w); where they were is told.
        """
        if self._run is not None:
            self._kept = False
            self._set_frames(())
            self._film.run(partial(self._develop, self._run, probes), lambda _: None)

    def begin(self, run: RunFolder | None, history: Sequence[HistoryPoint] = ()) -> None:
        """Start an empty timeline: of a run and its metrics, or of none."""
        self._film.cancel()
        self.pause()
        self._run, self.history, self._on_disk = run, RunHistory(history), set()
        self._aim = None
        self._show(None)
        self._set_frames(())

    def forget(self, runs: Sequence[Path]) -> None:
        """Have no timeline if it is of one of these runs, which are about to go."""
        if self._run is not None and self._run.path in runs:
            self.return_live()
            self.begin(None, self.history.points)

    def extend(self, points: Sequence[HistoryPoint]) -> None:
        """Add figures of the run."""
        self.history.extend(points)

    def keep(self, frame: TimelineEntry, steps: Sequence[int]) -> None:
        """Add a frame; only ``steps`` still have one."""
        self._on_disk, self._kept = set(steps), True
        self._add(frame)

    def _note_on_disk(self, steps: Sequence[int]) -> None:
        if not self._kept:  # a run that goes on knows better
            self._on_disk = set(steps)

    def _add(self, frame: TimelineEntry) -> None:
        self._set_frames((*self.frames, frame))
        if self._film.busy:
            self._approach()

    def _set_frames(self, frames: Sequence[TimelineEntry]) -> None:
        """Of each step on disk the last one."""
        known = {frame.step: frame for frame in frames}
        self.frames = tuple(known[step] for step in sorted(known.keys() & self._on_disk))
        self.entries_changed.emit(self.frames)

    def _develop(self, run: RunFolder, probes: UInt8, control: Control) -> None:
        """On the worker's thread: frames in an order that soon covers the whole run."""
        problem: CheckpointError | None = None
        moments = run.moments()
        control.report(partial(self._note_on_disk, tuple(moments.steps)))
        for step in self._in_order(moments.steps):
            control.check()
            try:
                snapshot = moments.read(step)
            except CheckpointError as error:
                if moments.path(step).exists():  # else it was dropped, as the run goes on
                    problem = error
                continue
            frame = timeline_entry(snapshot, snapshot.model.encode(probes, control.check))
            control.report(partial(self._add, frame))
        if problem:
            raise problem

    def _in_order(self, steps: Sequence[int]) -> Iterator[int]:
        """On the worker's thread: of what is not told yet what is wanted, or halves a gap."""
        order = _halving(steps)
        aimed: float | None = None
        told: set[int] = set()
        while len(told) < len(steps):
            aim = self._aim
            if aim is None or aim == aimed:
                step = next(step for step in order if step not in told)
            else:
                aimed, step = aim, min(steps, key=partial(_away, aim))
            if step in told:
                continue
            told.add(step)
            yield step

    # What is shown

    @property
    def has_moments(self) -> bool:
        """Whether there is a kept moment to show, or may be as soon as the film is made."""
        return bool(self.frames) or self._film.busy

    def show(self, step: float) -> None:
        """Show the kept moment nearest to a step; as the film is still made, then a nearer one."""
        self._aim = step
        self._approach()

    def show_epoch(self, epoch: float) -> None:
        """Show the kept moment nearest to an epoch."""
        if self.frames and self.frames[-1].epoch:
            last = self.frames[-1]
            self.show(epoch * last.step / last.epoch)
        elif len(self.history) and self.history.has_time("step"):
            epochs, steps = self.history.column("epoch"), self.history.column("step")
            self.show(float(np.interp(epoch, np.append(0.0, epochs), np.append(0.0, steps))))

    def _approach(self) -> None:
        if self._aim is not None and self.frames:
            steps = np.array([frame.step for frame in self.frames])
            self._show(self.frames[int(np.abs(steps - self._aim).argmin())])

    def back(self) -> None:
        """Show the moment before the one shown, or the last one."""
        shown = self.shown
        before = [frame for frame in self.frames if shown is None or frame.step < shown.step]
        if before:
            self.pause()
            self._aim = None
            self._show(before[-1])

    def forward(self) -> None:
        """Show the moment after the one shown; after the last, the run as it is now."""
        self.pause()
        self._aim = None
        if self.shown is not None:
            following = self._next()
            if following is None:
                self.return_live()
            else:
                self._show(following)

    def return_live(self) -> None:
        """Show the run as it is now."""
        self.pause()
        self._aim = None
        if self.shown is not None:
            self._show(None)
            self.returned.emit()

    def play(self) -> None:
        """Show moment after moment, from the one shown on, or from the first."""
        if len(self.frames) < 2 or self.playing:
            return
        self._set_playing(True)
        self._aim = None
        self._show(self._next() or self.frames[0])

    def pause(self) -> None:
        """Stay at the moment shown."""
        if self.playing:
            self._set_playing(False)

    def leave(self) -> None:
        """Show no further moment: another model is on its way."""
        self.pause()
        self._moment.cancel()

    def _set_playing(self, playing: bool) -> None:
        self.playing = playing
        self.playing_changed.emit(playing)

    def _next(self) -> TimelineEntry | None:
        shown = self.shown
        if shown is None:
            return None
        return next((frame for frame in self.frames if frame.step > shown.step), None)

    def _show(self, frame: TimelineEntry | None) -> None:
        if frame is self.shown:
            return
        self.shown = frame
        self.shown_changed.emit(frame)
        if frame is None:
            self._moment.cancel()
        elif self._run is not None:
            self._moment.run(
                partial(_read_moment, self._run, frame.step, self.history.points),
                partial(self._on_read, frame),
                failed=lambda _: self.return_live(),
            )

    def _on_read(self, frame: TimelineEntry, found: "Snapshot | _Unread") -> None:
        newest = frame is self.shown
        if isinstance(found, Snapshot):
            self.arrived.emit(found, frame)
            if newest and self.playing:
                self._after(PLAY_SECONDS, partial(self._play_on, frame))
        elif newest:
            self._on_disk &= found.steps
            self._set_frames(self.frames)
            if frame.step not in self._on_disk and self.frames:
                self.show(frame.step)
            else:
                self._fail(found.error)
                self.return_live()

    def _play_on(self, frame: TimelineEntry) -> None:
        """Go on from ``frame``, unless somebody went elsewhere meanwhile."""
        if self.playing and self.shown is frame:
            following = self._next()
            if following is None:
                self.pause()
            else:
                self._show(following)


@dataclass(frozen=True)
class _Unread:
    """Why a moment cannot be read, and the ``steps`` of which there still are some."""

    error: CheckpointError
    steps: frozenset[int]


def _read_moment(
    run: RunFolder, step: int, history: tuple[HistoryPoint, ...], _: Control
) -> Snapshot | _Unread:
    moments = run.moments()
    try:
        return moments.read(step, history)
    except CheckpointError as error:
        return _Unread(error, frozenset(run.moments().steps))


def _away(aim: float, step: int) -> float:
    return abs(step - aim)


def _halving(steps: Sequence[int]) -> Iterator[int]:
    """The ends, then what lies half-way between, and so on."""
    count = len(steps)
    told: set[int] = set()
    parts = 1
    while len(told) < count:
        for index in spread(count, parts + 1).tolist():
            if index not in told:
                told.add(index)
                yield steps[index]
        parts *= 2
