"""Stand-ins for what session is given from outside: the main thread, its frames and the workers."""

import os
import queue
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vae_explorer.data import bundled
from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import CheckpointError
from vae_explorer.model.trained import Posterior
from vae_explorer.session import state
from vae_explorer.session.jobs import Jobs
from vae_explorer.session.state import MapPoints, Phase, TrainingStatus
from vae_explorer.session.training import worker as worker_module
from vae_explorer.session.training.control import TrainingSession
from vae_explorer.session.training.timeline_frames import FilmFrame
from vae_explorer.session.training.worker import Until
from vae_explorer.training.anatomy import StepAnatomy
from vae_explorer.training.checkpoint import write_checkpoint
from vae_explorer.training.health import Finding
from vae_explorer.training.history import HistoryPoint
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run import RunFolder, train
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.types import Int64, UInt8

Call = Callable[[], None]


class Failures(list[tuple[str, BaseException]]):
    """What went wrong, with its title; told by a call."""

    def __call__(self, title: str, error: BaseException) -> None:
        self.append((title, error))


class Wall:
    """A stage on which no model is ever shown."""

    snapshot: Snapshot | None = None

    def __init__(self, data: ImageSet, failures: Failures) -> None:
        self._data = data
        self.fail = failures

    def training_images(self) -> ImageSet:
        return self._data

    def probes(self, most: int) -> tuple[Int64, UInt8]:
        return np.arange(50), self._data.images[:50]

    def show_moving(
        self, snapshot: Snapshot, posterior: Posterior, indices: Int64, name: str
    ) -> None:
        pass

    def show_whole(self, snapshot: Snapshot, path: Path | None) -> None:
        pass


class InlineExecutor(Executor):
    """Does the work before ``submit`` returns."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future


class MainThread:
    """What is posted waits until the test, which is the main thread, lets it run."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Call] = queue.SimpleQueue()

    def post(self, call: Call) -> None:
        self._calls.put(call)

    @property
    def waiting(self) -> int:
        return self._calls.qsize()

    def step(self) -> None:
        self._calls.get_nowait()()

    def run(self) -> None:
        """Run what waits, and what that posts in its turn."""
        while self.waiting:
            self.step()

    def run_until(self, condition: Callable[[], object], seconds: float = 20.0) -> None:
        """Run what comes until ``condition`` holds."""
        deadline = time.monotonic() + seconds
        while not condition():
            try:
                call = self._calls.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                pytest.fail(f"nothing more came within {seconds} s")
            call()


class Frames:
    """What is deferred waits for the next frame."""

    def __init__(self) -> None:
        self._calls: list[Call] = []

    def defer(self, call: Call) -> None:
        self._calls.append(call)

    @property
    def waiting(self) -> int:
        return len(self._calls)

    def next(self) -> None:
        calls, self._calls = self._calls, []
        for call in calls:
            call()


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
        self.kept: list[tuple[FilmFrame, tuple[int, ...]]] = []
        self.anatomies: list[StepAnatomy] = []
        self.findings: list[tuple[Finding, ...]] = []
        self.starts = 0
        self.session.status_changed.connect(self.statuses.append)
        self.session.history_started.connect(self._on_history_started)
        self.session.history_extended.connect(self._on_history_extended)
        self.session.moved.connect(self._on_moved)
        self.session.kept.connect(self._on_kept)
        self.session.dissected.connect(self.anatomies.append)
        self.session.found.connect(self.findings.append)
        self.session.ended.connect(self._on_ended)
        self.session.logged.connect(self.lines.append)
        self.session.failed.connect(self.failures.append)
        self.session.not_saved.connect(self.refusals.append)

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

    def _on_history_started(self) -> None:
        self.starts += 1
        self.points.clear()

    def _on_history_extended(self, points: tuple[HistoryPoint, ...]) -> None:
        self.batches.append(points)
        self.points.extend(points)

    def _on_moved(self, snapshot: Snapshot, posterior: Posterior) -> None:
        self.moves.append((snapshot, posterior))

    def _on_kept(self, frame: FilmFrame, steps: tuple[int, ...]) -> None:
        self.kept.append((frame, steps))

    def _on_ended(self, snapshot: Snapshot, path: Path | None) -> None:
        self.ends.append((snapshot, path))


@dataclass
class Clock:
    """A module's ``time``, in which every look takes ``tick`` seconds."""

    tick: float
    now: float = 1_000.0

    def monotonic(self) -> float:
        self.now += self.tick
        return self.now


class Later:
    """What is to be done after some seconds is done when the test says so."""

    def __init__(self) -> None:
        self._calls: list[Call] = []

    def after(self, seconds: float, call: Call) -> None:
        assert seconds > 0
        self._calls.append(call)

    @property
    def waiting(self) -> int:
        return len(self._calls)

    def pass_time(self) -> None:
        calls, self._calls = self._calls, []
        for call in calls:
            call()


@pytest.fixture(scope="session", autouse=True)
def _one_torch_thread() -> None:
    """As beside a window; more threads only wait for each other on networks this small."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _hasty_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting for the disk is proved where files are; a hundred saves here need not."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def main() -> MainThread:
    return MainThread()


@pytest.fixture
def frames() -> Frames:
    return Frames()


@pytest.fixture
def later() -> Later:
    return Later()


@pytest.fixture
def inline_jobs(main: MainThread) -> Jobs:
    """Jobs that are done as soon as they start; their outcome waits for ``main``."""
    return Jobs(main.post, lambda _: InlineExecutor())


@pytest.fixture
def threaded_jobs(main: MainThread) -> Iterator[Jobs]:
    """Jobs on real threads, which must all end with the test."""
    jobs = Jobs(main.post)
    yield jobs
    assert jobs.shutdown(20)


@pytest.fixture(params=["inline", "threads"])
def jobs(request: pytest.FixtureRequest) -> Jobs:
    name = "inline_jobs" if request.param == "inline" else "threaded_jobs"
    found: Jobs = request.getfixturevalue(name)
    return found


@pytest.fixture
def failures() -> Iterator[Failures]:
    """Takes what goes wrong; a test that expects it clears it."""
    told = Failures()
    yield told
    assert not told


@pytest.fixture(scope="session")
def digits(mnist_small: ImageSet) -> ImageSet:
    """600 training images: ten steps an epoch for ``recipe``."""
    return mnist_small.subset(slice(0, 600))


@pytest.fixture
def wall(digits: ImageSet, failures: Failures) -> Wall:
    return Wall(digits, failures)


@pytest.fixture(scope="session")
def recipe() -> Recipe:
    """Two epochs of a tiny network, a few hundredths of a second."""
    return Recipe(
        epochs=2,
        batch_size=50,
        encoder_hidden="16",
        decoder_hidden="16",
        fourier_features=4,
        validation_images=100,
    )


@pytest.fixture(scope="session")
def trained(recipe: Recipe, digits: ImageSet) -> Snapshot:
    return train(recipe, digits, device="cpu")


@pytest.fixture(scope="session")
def run_folder(
    recipe: Recipe, digits: ImageSet, tmp_path_factory: pytest.TempPathFactory
) -> RunFolder:
    """``trained`` as a run; the moments of all its 20 steps are kept. Not to be changed."""
    runs = tmp_path_factory.mktemp("runs")
    train(recipe, digits, runs=runs, device="cpu")
    return RunFolder(next(runs.iterdir()))


@pytest.fixture(scope="session")
def checkpoint(trained: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "tiny.safetensors"
    write_checkpoint(trained, path)
    return path


@pytest.fixture
def small_mnist(
    monkeypatch: pytest.MonkeyPatch, digits: ImageSet, mnist_small: ImageSet
) -> dict[str, ImageSet]:
    """What session takes for MNIST: 600 training images, 300 others to test on."""
    test, both = mnist_small.subset(slice(600, 900)), mnist_small.subset(slice(0, 900))
    sets = {
        "train": digits,
        "test": ImageSet(test.images, test.labels, test.name, "test"),
        "both": ImageSet(both.images, both.labels, both.name, "both"),
    }
    monkeypatch.setattr(bundled, "mnist", sets.__getitem__)
    monkeypatch.setattr(state, "TRAINING_IMAGES", len(digits))
    return sets


@pytest.fixture(scope="session")
def posterior(trained: Snapshot, digits: ImageSet) -> Posterior:
    """q(z|x) of all ``digits``."""
    return trained.model.encode(digits.images)


@pytest.fixture(scope="session")
def points(posterior: Posterior, digits: ImageSet) -> MapPoints:
    """All ``digits`` where ``trained`` encodes them."""
    assert digits.labels is not None
    return MapPoints(posterior.mean, digits.labels, np.arange(600), 600, "train")


@pytest.fixture(scope="session")
def other(recipe: Recipe, digits: ImageSet) -> Snapshot:
    """Another training of the same network."""
    return train(recipe.replace(epochs=1, seed=7), digits, device="cpu")


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


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(tick=0.002)
    monkeypatch.setattr(worker_module, "time", clock)
    return clock


@pytest.fixture(scope="session")
def same_weights() -> Callable[[Snapshot, Snapshot], bool]:
    """Whether two models are equal to the last bit."""

    def same(first: Snapshot, second: Snapshot) -> bool:
        ours, theirs = first.model.state_dict(), second.model.state_dict()
        return ours.keys() == theirs.keys() and all(
            torch.equal(ours[name], theirs[name]) for name in ours
        )

    return same
