import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.cinema import Cinema
from tests.support.stand_ins import Clock, Later, MainThread
from tests.support.training_runs import Run
from vae_explorer.data.dataset import ImageSet
from vae_explorer.session.jobs import Jobs
from vae_explorer.session.tasks import Tasks
from vae_explorer.session.training import worker
from vae_explorer.training.moments import Moments
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.training.trainer import StepMetrics, Trainer


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The worker's time."""
    clock = Clock(tick=0.002)
    monkeypatch.setattr(worker, "time", clock)
    return clock


@pytest.fixture
def in_step(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Callable[[], object]], None]:
    """Has something done, once, as a trainer that has taken some steps takes another."""
    take = Trainer.take_step

    def plan(step: int, act: Callable[[], object]) -> None:
        planned = {step: act}

        def take_step(trainer: Trainer) -> StepMetrics | None:
            planned.pop(trainer.step, bool)()
            return take(trainer)

        monkeypatch.setattr(Trainer, "take_step", take_step)

    return plan


@pytest.fixture
def no_moments(monkeypatch: pytest.MonkeyPatch) -> None:
    """None is kept, and the map moves by the clock alone."""
    monkeypatch.setattr(Moments, "due", lambda *_: False)


@pytest.fixture
def inline(inline_jobs: Jobs, main: MainThread, tmp_path: Path, digits: ImageSet) -> Run:
    """A session whose whole run happens within ``start`` and is told when ``main`` runs."""
    return Run(inline_jobs, main, tmp_path / "runs", digits)


@pytest.fixture
def threaded(threaded_jobs: Jobs, main: MainThread, tmp_path: Path, digits: ImageSet) -> Run:
    return Run(threaded_jobs, main, tmp_path / "runs", digits)


@pytest.fixture
def running(threaded: Run, unending: Recipe) -> Run:
    """A run without an end, which has told something."""
    threaded.start(unending)
    threaded.wait_for_more_history()
    return threaded


@pytest.fixture
def closing(main: MainThread, tmp_path: Path, digits: ImageSet) -> Iterator[Run]:
    """A run whose jobs the test shuts down itself."""
    jobs = Jobs(main.post)
    yield Run(jobs, main, tmp_path / "runs", digits)
    assert jobs.shutdown(20)


# The film of a run


@pytest.fixture
def empty(tasks: Tasks, main: MainThread, later: Later, digits: ImageSet) -> Cinema:
    """No run."""
    return Cinema(tasks, main, later, digits)


@pytest.fixture
def cinema(empty: Cinema, run_folder: RunFolder, trained: Snapshot) -> Cinema:
    """The film of a run of 20 steps is there."""
    return empty.open(run_folder, trained)


@pytest.fixture
def own_run(run_folder: RunFolder, tmp_path: Path) -> RunFolder:
    """One that may be changed."""
    return RunFolder(shutil.copytree(run_folder.path, tmp_path / "own"))


@pytest.fixture
def own(empty: Cinema, own_run: RunFolder, trained: Snapshot) -> Cinema:
    """The film of ``own_run`` is there."""
    return empty.open(own_run, trained)
