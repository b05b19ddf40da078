"""Training sessions driven from the main thread of a test."""

from pathlib import Path

import pytest

from tests.support.stand_ins import MainThread
from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import CheckpointError
from vae_explorer.model.trained import Posterior
from vae_explorer.session.jobs import Jobs
from vae_explorer.session.training.control import TrainingSession
from vae_explorer.session.training.events import (
    LOGGED,
    Dissected,
    Ended,
    Failed,
    Found,
    Kept,
    Moved,
    NotSaved,
    Paused,
    Phase,
    Progress,
    Started,
    TrainingEvent,
    TrainingStatus,
)
from vae_explorer.session.training.timeline_entry import TimelineEntry
from vae_explorer.session.training.worker import Until
from vae_explorer.training.anatomy import StepAnatomy
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.health import Finding
from vae_explorer.training.history import HistoryPoint
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.snapshot import Snapshot

UNENDING = 10_000
"""Epochs no test waits for."""


class Run:
    """A training session and all it said, driven from the main thread of the test."""

    def __init__(
        self, jobs: Jobs, main: MainThread, runs: Path, data: ImageSet, device: str = "cpu"
    ) -> None:
        self.session = TrainingSession(jobs, runs, device)
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
        self.kept: list[tuple[TimelineEntry, tuple[int, ...]]] = []
        self.anatomies: list[StepAnatomy] = []
        self.findings: list[tuple[Finding, ...]] = []
        self.starts = 0
        self.session.status_changed.connect(self.statuses.append)
        self.session.events.connect(self._on_event)

    def start(self, recipe: Recipe, until: Until = "end", *, paused: bool = False) -> None:
        live = self.data.images[::10]
        self.session.start(recipe, self.data, live, until=until, paused=paused)

    def start_paused(self, recipe: Recipe, until: Until | None = None) -> None:
        """Until the run waits: before its first step, or after ``until``."""
        self.start(recipe, until or "end", paused=until is None)
        self.wait_for(Phase.PAUSED)

    def train(self, recipe: Recipe) -> None:
        """From the start to the end, whatever it is."""
        self.start(recipe)
        self.wait_for(Phase.IDLE)

    def pause(self) -> None:
        self.session.pause()
        self.wait_for(Phase.PAUSED)

    def go(self, until: Until) -> None:
        """Go on after a pause until the next."""
        self.session.resume(until)
        self.wait_for(Phase.PAUSED)

    def stop(self) -> Snapshot:
        self.session.stop()
        return self.finish()

    def finish(self) -> Snapshot:
        """The run's last state, when it has ended."""
        self.wait_for(Phase.IDLE)
        assert self.failures == []
        return self.ends[-1][0]

    def wait_for(self, phase: Phase) -> None:
        self.main.run_until(lambda: self.session.status.phase is phase)

    def wait_for_more_history(self) -> None:
        known = len(self.points)
        self.main.run_until(lambda: len(self.points) > known)

    @property
    def folder(self) -> RunFolder:
        """Of the only run."""
        (path,) = self.runs.iterdir()
        return RunFolder(path)

    @property
    def saved(self) -> Snapshot:
        """The newest pause or end, as it is on the disk."""
        path = self.ends[-1][1]
        assert path is not None
        return read_checkpoint(path)

    def said(self, text: str) -> int:
        """How many lines of the log have this in them."""
        return sum(text in line for line in self.lines)

    @property
    def phases(self) -> list[Phase]:
        """The phases gone through, without repeats."""
        phases = [status.phase for status in self.statuses]
        return [
            phase
            for phase, before in zip(phases, [None, *phases], strict=False)
            if phase is not before
        ]

    def _on_event(self, event: TrainingEvent) -> None:
        if isinstance(event, LOGGED):
            self.lines.append(str(event))
        match event:
            case Started():
                self.starts += 1
                self.points.clear()
            case Progress(points) if points:
                self.batches.append(points)
                self.points.extend(points)
            case Moved(snapshot, Posterior() as posterior):
                self.moves.append((snapshot, posterior))
            case Kept(frame, steps):
                self.kept.append((frame, steps))
            case Dissected(anatomy):
                self.anatomies.append(anatomy)
            case Found(findings):
                self.findings.append(findings)
            case Paused(snapshot, path) | Ended(snapshot, path):
                self.ends.append((snapshot, path))
            case Failed(error):
                self.failures.append(error)
            case NotSaved(error, again=False):
                self.refusals.append(error)


@pytest.fixture
def unending(recipe: Recipe) -> Recipe:
    return recipe.replace(epochs=UNENDING)
