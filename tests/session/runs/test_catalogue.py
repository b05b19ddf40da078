"""The catalogue over real folders: of real trainings, of damaged ones, and of very many."""

import dataclasses
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.training_runs import runs_on
from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import UserError
from vae_explorer.session.jobs import Jobs, Tasks
from vae_explorer.session.runs import catalogue as catalogue_module
from vae_explorer.session.runs.catalogue import RunCatalogue
from vae_explorer.session.runs.run_info import RunInfo, read_run
from vae_explorer.session.training.events import Phase
from vae_explorer.training.history import from_csv
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run import train
from vae_explorer.training.run_folder import RunFolder, RunLabel

if TYPE_CHECKING:
    from tests.support.stand_ins import Failures, MainThread
    from tests.support.training_runs import Wall


class Desk:
    """The catalogue of a folder and all it tells."""

    def __init__(
        self, jobs: Jobs, main: "MainThread", folder: Path, wall: "Wall", failures: "Failures"
    ) -> None:
        self.main = main
        self.folder = folder
        self.bin = folder.parent / "trash"
        self.bin.mkdir()
        self.runs = runs_on(wall, jobs, failures, folder, wall.data)
        self.opened: list[Path] = []
        self.lists: list[tuple[RunInfo, ...]] = []
        self.updates: list[RunInfo] = []
        tasks = Tasks(jobs, failures)
        self.catalogue = RunCatalogue(tasks, self.runs, self.opened.append)
        self.catalogue.listed.connect(self.lists.append)
        self.catalogue.updated.connect(self.updates.append)

    def move_to_bin(self, run: Path) -> bool:
        try:
            shutil.move(run, self.bin / run.name)
        except OSError:
            return False
        return True

    def refresh(self) -> tuple[RunInfo, ...]:
        known = len(self.lists)
        self.catalogue.refresh()
        self.main.run_until(lambda: len(self.lists) > known)
        return self.lists[-1]

    def names(self) -> list[str]:
        return [info.name for info in self.refresh()]

    def wait_for(self, phase: Phase) -> None:
        self.main.run_until(lambda: self.runs.training.status.phase is phase)


@pytest.fixture(scope="session")
def real_run(recipe: Recipe, digits: ImageSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run, to be copied."""
    parent = tmp_path_factory.mktemp("real")
    train(recipe, digits, runs=parent, device="cpu")
    (run,) = parent.iterdir()
    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "runs"
    path.mkdir()
    return path


@pytest.fixture
def desk(
    threaded_jobs: Jobs, main: "MainThread", folder: Path, wall: "Wall", failures: "Failures"
) -> Iterator[Desk]:
    desk = Desk(threaded_jobs, main, folder, wall, failures)
    yield desk
    desk.runs.training.stop()
    desk.wait_for(Phase.IDLE)


def copy_run(run: Path, folder: Path, name: str) -> Path:
    return Path(shutil.copytree(run, folder / name))


def test_a_finished_run_is_told_as_its_files_tell(
    desk: Desk, folder: Path, real_run: Path, recipe: Recipe
) -> None:
    run = copy_run(real_run, folder, "20260102-030405-seed0")
    RunFolder(run).write_label(RunLabel("tiny", "first try", "a model, epoch 1.00"))
    (info,) = desk.refresh()
    points = from_csv((run / "history.csv").read_text())
    held_out = [point for point in points if point.held_out_elbo is not None]
    assert (info.path, info.name, info.note) == (run, "tiny", "first try")
    assert info.origin == "a model, epoch 1.00"
    assert info.recipe == recipe
    assert info.date == datetime(2026, 1, 2, 3, 4, 5)
    assert info.damaged == ""
    assert info.finished
    assert not info.active
    figures = info.figures
    assert figures.epoch == points[-1].epoch == 2.0
    assert figures.best_elbo == max(point.held_out_elbo or -np.inf for point in held_out)
    assert figures.log_marginal == held_out[-1].held_out_log_marginal
    assert figures.kl == held_out[-1].held_out_kl
    assert figures.active_units == held_out[-1].active_units
    assert figures.seconds == points[-1].seconds
    files = [path for path in run.rglob("*") if path.is_file()]
    assert info.size == sum(path.stat().st_size for path in files)
    assert len(files) > 5, "moments too"


def test_the_newest_come_first_and_other_folders_are_none(
    desk: Desk, folder: Path, real_run: Path
) -> None:
    for name in ("20260101-000000-seed0", "20260301-000000-seed0", "20260201-000000-seed0"):
        copy_run(real_run, folder, name)
    (folder / "pictures").mkdir()
    (folder / "pictures" / "digit.png").write_bytes(b"png")
    (folder / "notes.txt").write_text("not a run")
    copy_run(real_run, folder, ".hidden")
    copy_run(real_run, folder / "pictures", "too-deep")
    assert desk.names() == [
        "20260301-000000-seed0",
        "20260201-000000-seed0",
        "20260101-000000-seed0",
    ]


def test_runs_of_a_sweep_are_found_in_it(desk: Desk, folder: Path, real_run: Path) -> None:
    (folder / "betas").mkdir()
    (folder / "betas" / "sweep.toml").write_text("")
    inner = copy_run(real_run, folder / "betas", "beta-4")
    labelled = copy_run(real_run, folder / "betas", "beta-8")
    RunFolder(labelled).write_label(RunLabel(origin="sweep of β, 2 of 2"))
    found = {info.path: info.origin for info in desk.refresh()}
    assert found == {inner: "sweep betas", labelled: "sweep of β, 2 of 2"}


def test_without_a_folder_there_are_no_runs(desk: Desk, folder: Path) -> None:
    folder.rmdir()
    assert desk.refresh() == ()


def break_recipe(run: Path) -> None:
    (run / "recipe.toml").write_text("epochs = 'many'")


def break_history(run: Path) -> None:
    text = (run / "history.csv").read_text()
    (run / "history.csv").write_text(text + "9.0,oops,1,2,3\n")


def lose_recipe(run: Path) -> None:
    (run / "recipe.toml").unlink()


def lose_model(run: Path) -> None:
    (run / "model.safetensors").unlink()


def empty_model(run: Path) -> None:
    (run / "model.safetensors").write_bytes(b"")


def put_bytes(run: Path) -> None:
    (run / "history.csv").write_bytes(b"\xff\xfe\x00" * 50)


def put_pipe(run: Path) -> None:
    (run / "history.csv").unlink()
    os.mkfifo(run / "history.csv")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (break_recipe, "recipe.toml: Recipe field 'epochs' is 'many'"),
        (lose_recipe, "recipe.toml does not exist"),
        (break_history, "The training history has a bad row"),
        (put_bytes, "history.csv is not text in UTF-8"),
        pytest.param(
            put_pipe,
            "history.csv is not a regular file",
            marks=pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in folders here"),
        ),
        (lose_model, "model.safetensors is missing"),
        (empty_model, "model.safetensors is missing"),
    ],
)
def test_a_damaged_run_is_listed_with_the_reason(
    desk: Desk, folder: Path, real_run: Path, damage: Callable[[Path], None], reason: str
) -> None:
    copy_run(real_run, folder, "whole")
    run = copy_run(real_run, folder, "broken")
    damage(run)
    infos = {info.name: info for info in desk.refresh()}
    assert infos["whole"].damaged == ""
    assert reason in infos["broken"].damaged


def test_a_label_that_cannot_be_read_is_none(desk: Desk, folder: Path, real_run: Path) -> None:
    run = copy_run(real_run, folder, "one")
    (run / "label.toml").write_bytes(b"\x00\xff")
    (info,) = desk.refresh()
    assert (info.name, info.note, info.damaged) == ("one", "", "")


def test_two_hundred_runs_are_read_once(
    desk: Desk, folder: Path, real_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(200):
        run = folder / f"run-{number:03}"
        run.mkdir()
        for name in ("recipe.toml", "history.csv", "model.safetensors"):
            os.link(real_run / name, run / name)
    read: list[Path] = []
    threads = set()

    def count(run: RunFolder, sweep: str = "") -> RunInfo:
        read.append(run.path)
        threads.add(threading.current_thread())
        return read_run(run, sweep)

    monkeypatch.setattr(catalogue_module, "read_run", count)
    first = desk.refresh()
    assert len(first) == len(read) == 200
    assert threading.main_thread() not in threads
    assert desk.refresh() == first
    assert len(read) == 200
    RunFolder(folder / "run-007").write_label(RunLabel("seven"))
    shutil.rmtree(folder / "run-011")
    assert len(desk.refresh()) == 199
    assert read[200:] == [folder / "run-007"]
    assert "seven" in {info.name for info in desk.lists[-1]}


def test_a_name_and_a_note_are_shown_at_once_and_written(
    desk: Desk, folder: Path, real_run: Path
) -> None:
    run = copy_run(real_run, folder, "one")
    RunFolder(run).write_label(RunLabel(origin="a model"))
    desk.refresh()
    desk.catalogue.rename(run, "  β is 4 ")
    desk.catalogue.note(run, "worth another look\n")
    assert [(info.name, info.note) for info in desk.updates] == [
        ("β is 4", ""),
        ("β is 4", "worth another look"),
    ]
    wanted = RunLabel("β is 4", "worth another look", "a model")
    desk.main.run_until(lambda: RunFolder(run).label == wanted)
    (info,) = desk.refresh()
    assert (info.name, info.note) == ("β is 4", "worth another look")
    assert RunFolder(run).name == "β is 4"

    desk.catalogue.rename(run, "")
    assert desk.updates[-1].name == "one"
    desk.main.run_until(lambda: RunFolder(run).label.name == "")
    desk.catalogue.rename(run, "one")
    desk.catalogue.rename(folder / "unknown", "ghost")
    assert desk.names() == ["one"]
    assert RunFolder(run).label == dataclasses.replace(wanted, name="")


def test_a_name_that_cannot_be_written_is_taken_back(
    desk: Desk, folder: Path, real_run: Path, failures: "Failures"
) -> None:
    run = copy_run(real_run, folder, "one")
    desk.refresh()
    (run / "label.toml").mkdir()  # nothing can be written over it
    desk.catalogue.rename(run, "another")
    desk.main.run_until(lambda: failures)
    ((title, error),) = failures
    assert title == "The run was not labelled"
    assert isinstance(error, UserError)
    failures.clear()
    assert desk.names() == ["one"]


def test_a_run_goes_to_the_trash_whole(desk: Desk, folder: Path, real_run: Path) -> None:
    for name in ("one", "two", "three"):
        copy_run(real_run, folder, name)
    desk.refresh()
    desk.runs.timeline.begin(RunFolder(folder / "one"))
    desk.runs.timeline.develop(np.zeros((2, 28, 28), np.uint8))
    desk.main.run_until(lambda: desk.runs.timeline.frames)
    desk.catalogue.trash([folder / "one", folder / "two"], desk.move_to_bin)
    desk.main.run_until(lambda: len(desk.lists) == 2)
    assert [info.name for info in desk.lists[-1]] == ["three"]
    assert sorted(path.name for path in desk.bin.iterdir()) == ["one", "two"]
    gone = desk.bin / "one"
    names = {path.relative_to(gone) for path in gone.rglob("*")}
    assert names == {path.relative_to(real_run) for path in real_run.rglob("*")}
    assert desk.runs.timeline.frames == (), "its film cannot be shown any more"


def test_a_run_the_system_keeps_is_told(
    desk: Desk, folder: Path, real_run: Path, failures: "Failures"
) -> None:
    copy_run(real_run, folder, "one")
    desk.refresh()
    desk.catalogue.trash([folder / "one", folder / "unknown"], desk.move_to_bin)
    desk.main.run_until(lambda: failures)
    ((title, error),) = failures
    assert title == "The run was not moved to the trash"
    assert str(folder / "unknown") in str(error)
    assert str(folder / "one") not in str(error)
    failures.clear()
    assert desk.names() == []


def test_a_run_is_opened_by_its_model(desk: Desk, folder: Path) -> None:
    desk.catalogue.open(folder / "one")
    assert desk.opened == [folder / "one" / "model.safetensors"]


def test_curves_are_read_whole(
    desk: Desk, folder: Path, real_run: Path, failures: "Failures"
) -> None:
    run = copy_run(real_run, folder, "one")
    desk.catalogue.want_histories([run])
    desk.main.run_until(lambda: desk.catalogue.histories)
    known = desk.catalogue.histories[run]
    assert known == from_csv((run / "history.csv").read_text())
    desk.catalogue.want_histories([run, folder / "unknown"])
    desk.main.run_until(lambda: failures)
    assert "history.csv does not exist" in str(failures.pop()[1])
    assert desk.catalogue.histories[run] is known, "not read again"
    desk.catalogue.want_histories([])
    assert desk.catalogue.histories == {}


def test_curves_are_read_again_when_the_run_has_gone_on(
    desk: Desk, folder: Path, real_run: Path
) -> None:
    run = copy_run(real_run, folder, "one")
    whole = (run / "history.csv").read_text()
    (run / "history.csv").write_text("".join(whole.splitlines(keepends=True)[:-1]))
    desk.refresh()
    desk.catalogue.want_histories([run])
    desk.main.run_until(lambda: run in desk.catalogue.histories)
    (run / "history.csv").write_text(whole)
    desk.refresh()
    desk.catalogue.want_histories([run])
    desk.main.run_until(lambda: desk.catalogue.histories[run] == from_csv(whole))


def test_the_run_under_way_is_followed(
    desk: Desk, folder: Path, recipe: Recipe, failures: "Failures"
) -> None:
    desk.runs.train(recipe.replace(epochs=10_000))
    desk.main.run_until(lambda: desk.lists and desk.lists[-1])
    (run,) = folder.iterdir()
    assert [info.path for info in desk.lists[-1]] == [run]
    desk.main.run_until(lambda: desk.updates and desk.updates[-1].figures.best_elbo is not None)
    first = desk.updates[-1]
    assert first.phase is Phase.RUNNING
    assert first.damaged == ""
    desk.main.run_until(lambda: desk.updates[-1].figures.epoch > first.figures.epoch)
    assert (desk.updates[-1].figures.best_elbo or 0.0) >= (first.figures.best_elbo or 0.0)

    desk.catalogue.trash([run], desk.move_to_bin)
    ((title, _),) = failures
    assert title == "The run was not moved"
    failures.clear()
    assert run.exists()
    desk.catalogue.open(run)
    assert desk.opened == [], "it is what is shown"

    desk.runs.training.pause()
    desk.wait_for(Phase.PAUSED)
    (info,) = desk.refresh()
    assert info.phase is Phase.PAUSED
    desk.catalogue.resume(run)
    assert desk.runs.training.status.phase is Phase.RUNNING

    desk.runs.training.stop()
    desk.wait_for(Phase.IDLE)
    (info,) = desk.refresh()
    points = from_csv((run / "history.csv").read_text())
    assert info.phase is Phase.IDLE
    assert not info.finished
    assert info.figures.epoch == points[-1].epoch
    assert info.figures.best_elbo == max(
        point.held_out_elbo for point in points if point.held_out_elbo is not None
    )


def test_a_run_that_was_left_goes_on(
    desk: Desk, folder: Path, recipe: Recipe, digits: ImageSet
) -> None:
    desk.runs.train(recipe.replace(epochs=10_000))
    desk.main.run_until(lambda: desk.runs.training.status.epoch > 1)
    desk.runs.training.stop()
    desk.wait_for(Phase.IDLE)
    (left,) = desk.refresh()
    desk.catalogue.resume(left.path)
    desk.main.run_until(lambda: desk.updates[-1].figures.epoch > left.figures.epoch)
    assert desk.updates[-1].path == left.path
    assert desk.updates[-1].phase is Phase.RUNNING
    assert desk.updates[-1].figures.best_elbo is not None
    assert len(list(folder.iterdir())) == 1
