"""Runs driven from the main thread of a test, the map that they are on, and all they told."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typing_extensions import override

from tests.support.stand_ins import Failures, Later, MainThread
from vae_explorer.data.dataset import Dataset, ImageSet
from vae_explorer.errors import DataError
from vae_explorer.model.trained import Posterior
from vae_explorer.session.files.open_data import OpenData
from vae_explorer.session.files.settings import Settings
from vae_explorer.session.files.settings_file import SettingsFile
from vae_explorer.session.jobs import Jobs
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.map.state import MapState
from vae_explorer.session.runs.runs import Runs
from vae_explorer.session.tasks import Tasks
from vae_explorer.session.training import worker
from vae_explorer.session.training.events import Ended, Paused, Phase, Progress, TrainingEvent
from vae_explorer.training.history import HistoryPoint
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.types import Float64, Int64, UInt8


class Screen(LatentMap):
    """A map that notes what is shown on it."""

    def __init__(self, tasks: Tasks, data: ImageSet) -> None:
        super().__init__(tasks, lambda _: None, Dataset(data.name, data, data))
        self.data = data
        self.every = 10
        self.moving: list[tuple[Snapshot, Posterior, Int64, str]] = []
        self.whole: list[tuple[Snapshot, Path | None]] = []
        self.unreadable = False

    @property
    def step(self) -> int | None:
        """Of the model shown."""
        return self.state.snapshot.step if self.state else None

    def put(self, snapshot: Snapshot) -> None:
        self.state = MapState(snapshot, "", None, snapshot.model, self._data)

    def images(self) -> ImageSet:
        if self.unreadable:
            raise DataError("The images are missing.")
        return self.data

    @override
    def live_images(self, most: int, data: Dataset | None = None) -> tuple[Int64, UInt8]:
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
        data: Dataset | None = None,
    ) -> None:
        # What is shown of a model is what it makes of these images, before it was rounded or after.
        expected = snapshot.model.encode(self.data.images[indices])
        np.testing.assert_allclose(posterior.mean, expected.mean, atol=1e-3)
        self.put(snapshot)
        self.moving.append((snapshot, posterior, indices, name))

    @override
    def show(
        self,
        snapshot: Snapshot,
        name: str,
        path: Path | None,
        rotation: Float64 | None = None,
        data: Dataset | None = None,
    ) -> None:
        self.put(snapshot)
        self.whole.append((snapshot, path))


class Bench:
    """Runs, their map and all they told."""

    def __init__(
        self,
        jobs: Jobs,
        main: MainThread,
        later: Later,
        folder: Path,
        data: ImageSet,
        failures: Failures,
    ) -> None:
        self.main, self.folder, self.failures = main, folder, failures
        self.tasks = Tasks(jobs, failures)
        self.stage = Screen(self.tasks, data)
        self.data = Dataset(data.name, data, data)
        self.opened = OpenData(self.tasks, SettingsFile(self.tasks, Settings()), self.data)
        self.runs = Runs(self.tasks, later.after, self.stage, self.opened, folder, "cpu")
        self.training, self.timeline = self.runs.training, self.runs.timeline
        self.points: list[HistoryPoint] = []
        self.ends: list[tuple[Snapshot, Path | None]] = []
        self.left: list[object] = []
        self.training.events.connect(self._on_event)
        self.runs.left.connect(self.left.append)

    def open(self, path: Path | None, snapshot: Snapshot) -> None:
        self.runs.open_run(path, snapshot, "a model", self.data)
        self.main.run()

    def show(self, step: int) -> None:
        """Go to a moment of the film, and wait until it is on the map."""
        self.timeline.show(step)
        wanted = step, [self.timeline.name]
        self.main.run_until(lambda: (self.stage.step, self.names[-1:]) == wanted)

    def wait_for(self, phase: Phase) -> None:
        self.main.run_until(lambda: self.training.status.phase is phase)

    def finish(self) -> Snapshot:
        self.wait_for(Phase.IDLE)
        assert self.failures == []
        return self.ends[-1][0]

    def wait_for_moments(self, count: int = 1) -> None:
        wanted = len(self.timeline.frames) + count
        self.main.run_until(lambda: len(self.timeline.frames) >= wanted)

    @property
    def run(self) -> RunFolder:
        """The newest."""
        assert self.training.checkpoint is not None
        return RunFolder(self.training.checkpoint.parent)

    @property
    def steps(self) -> list[int]:
        """Of the film."""
        return [frame.step for frame in self.timeline.frames]

    @property
    def names(self) -> list[str]:
        """Of what moved on the map."""
        return [name for *_, name in self.stage.moving]

    def _on_event(self, event: TrainingEvent) -> None:
        match event:
            case Progress(points):
                self.points.extend(points)
            case Paused(snapshot, path) | Ended(snapshot, path):
                self.ends.append((snapshot, path))


@pytest.fixture
def new_bench(
    main: MainThread, later: Later, tmp_path: Path, digits: ImageSet, failures: Failures
) -> Callable[[Jobs], Bench]:
    return lambda jobs: Bench(jobs, main, later, tmp_path / "runs", digits, failures)


@pytest.fixture
def bench(new_bench: Callable[[Jobs], Bench], inline_jobs: Jobs) -> Bench:
    """Each run happens within its start, and is told when ``main`` runs."""
    return new_bench(inline_jobs)


@pytest.fixture
def live(new_bench: Callable[[Jobs], Bench], threaded_jobs: Jobs) -> Bench:
    """Runs go on beside the test."""
    return new_bench(threaded_jobs)


@pytest.fixture
def restless(monkeypatch: pytest.MonkeyPatch) -> None:
    """The map moves whenever it may."""
    monkeypatch.setattr(worker, "LIVE_SECONDS", 0.0)
    monkeypatch.setattr(worker, "LIVE_SHARE", float("inf"))
