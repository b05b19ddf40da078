"""Training sessions driven from the main thread of a test."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from typing_extensions import override

from tests.support.stand_ins import Failures, MainThread
from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import CheckpointError
from vae_explorer.model.trained import Posterior
from vae_explorer.session.jobs import Jobs, Tasks
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.runs.runs import Runs
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
from vae_explorer.training.health import Finding
from vae_explorer.training.history import HistoryPoint
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.types import Int64, UInt8


class Wall(LatentMap):
    """A map on which no model is ever shown."""

    def __init__(self, tasks: Tasks, data: ImageSet) -> None:
        super().__init__(tasks, lambda _: None)
        self.data = data

    @override
    def live_images(self, most: int) -> tuple[Int64, UInt8]:
        return np.arange(50), self.data.images[:50]

    @override
    def show(self, snapshot: Snapshot, name: str, path: Path | None) -> None:
        pass

    @override
    def move(
        self, snapshot: Snapshot, name: str, posterior: Posterior, indices: Int64, *, moving: bool
    ) -> None:
        pass


def runs_on(wall: Wall, jobs: Jobs, failures: Failures, runs: Path, data: ImageSet) -> Runs:
    """A runs that trains on ``data`` and shows nothing."""
    return Runs(Tasks(jobs, failures), lambda *_: None, wall, lambda: data, runs, "cpu")


UNENDING = 10_000
"""Epochs no test waits for."""


class Run:
    """A training session and all it said, driven from the main thread of the test."""

    def __init__(self, jobs: Jobs, main: MainThread, runs: Path, data: ImageSet) -> None:
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
        self.kept: list[tuple[TimelineEntry, tuple[int, ...]]] = []
        self.anatomies: list[StepAnatomy] = []
        self.findings: list[tuple[Finding, ...]] = []
        self.starts = 0
        self.session.status_changed.connect(self.statuses.append)
        self.session.events.connect(self._on_event)

    def start(self, recipe: Recipe, until: Until = "end", *, paused: bool = False) -> None:
        live = self.data.images[::10]
        self.session.start(recipe, self.data, live, until=until, paused=paused)

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
            case Moved(snapshot, posterior):
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
def wall(tasks: Tasks, digits: ImageSet) -> Wall:
    return Wall(tasks, digits)


@pytest.fixture
def inline_run(inline_jobs: Jobs, main: MainThread, tmp_path: Path, digits: ImageSet) -> Run:
    """A session whose whole run happens within ``start`` and is told when ``main`` runs."""
    return Run(inline_jobs, main, tmp_path / "runs", digits)


@pytest.fixture
def threaded_run(threaded_jobs: Jobs, main: MainThread, tmp_path: Path, digits: ImageSet) -> Run:
    return Run(threaded_jobs, main, tmp_path / "runs", digits)


@pytest.fixture
def closing_run(main: MainThread, tmp_path: Path, digits: ImageSet) -> Iterator[Run]:
    """A run whose jobs the test shuts down itself."""
    jobs = Jobs(main.post)
    yield Run(jobs, main, tmp_path / "runs", digits)
    assert jobs.shutdown(20)


@pytest.fixture
def unending(recipe: Recipe) -> Recipe:
    return recipe.replace(epochs=UNENDING)
