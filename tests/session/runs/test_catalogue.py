"""The catalogue over real folders: of real trainings, of damaged ones, and of very many."""

import dataclasses
import os
import shutil
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from tests.support.bench import Bench
from vae_explorer.errors import UserError
from vae_explorer.session.runs import catalogue as catalogue_module
from vae_explorer.session.runs.catalogue import RunCatalogue
from vae_explorer.session.runs.run_info import RunFigures, RunInfo, read_run
from vae_explorer.session.training.events import Phase
from vae_explorer.training.history import HistoryPoint, from_csv
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run_folder import RunFolder, RunLabel


class Listing:
    """The catalogue of a folder and all it tells."""

    def __init__(self, live: Bench, example: Path) -> None:
        self.live, self.main, self.folder, self._example = live, live.main, live.folder, example
        self.folder.mkdir()
        self.bin = live.folder.parent / "trash"
        self.bin.mkdir()
        self.opened: list[Path] = []
        self.lists: list[tuple[RunInfo, ...]] = []
        self.updates: list[RunInfo] = []
        self.catalogue = RunCatalogue(live.tasks, live.runs, self.opened.append)
        self.catalogue.listed.connect(self.lists.append)
        self.catalogue.updated.connect(self.updates.append)

    def add(self, name: str) -> Path:
        """A finished run."""
        return Path(shutil.copytree(self._example, self.folder / name))

    def trash(self, *names: str) -> None:
        self.catalogue.trash([self.folder / name for name in names], self._move_to_bin)

    def _move_to_bin(self, run: Path) -> bool:
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

    def failure(self) -> tuple[str, BaseException]:
        """The next that is told."""
        self.main.run_until(lambda: self.live.failures)
        (told,) = self.live.failures.take()
        return told


@pytest.fixture
def listing(live: Bench, run_folder: RunFolder) -> Listing:
    return Listing(live, run_folder.path)


def history(run: Path) -> tuple[HistoryPoint, ...]:
    return from_csv((run / "history.csv").read_text())


def test_a_finished_run_is_told_as_its_files_tell(listing: Listing, recipe: Recipe) -> None:
    run = listing.add("20260102-030405-seed0")
    RunFolder(run).write_label(RunLabel("tiny", "first try", "a model, epoch 1.00"))
    (info,) = listing.refresh()
    points = history(run)
    held_out = [point for point in points if point.held_out_elbo is not None]
    assert (info.path, info.name, info.note) == (run, "tiny", "first try")
    assert info.origin == "a model, epoch 1.00"
    assert info.recipe == recipe
    assert info.date == datetime(2026, 1, 2, 3, 4, 5)
    assert (info.damaged, info.finished, info.active) == ("", True, False)
    files = [path for path in run.rglob("*") if path.is_file()]
    assert info.size == sum(path.stat().st_size for path in files)
    assert len(files) > 5, "moments too"
    assert points[-1].epoch == 2.0
    assert info.figures == RunFigures(
        points[-1].epoch,
        max(point.held_out_elbo or -np.inf for point in held_out),
        held_out[-1].held_out_log_marginal,
        held_out[-1].held_out_kl,
        held_out[-1].active_units,
        points[-1].seconds,
    )


def test_the_newest_come_first_and_other_folders_are_none(listing: Listing) -> None:
    january, march, february = (f"20260{month}01-000000-seed0" for month in (1, 3, 2))
    for name in (january, march, february, ".hidden", "pictures/too-deep"):
        listing.add(name)
    (listing.folder / "pictures" / "digit.png").write_bytes(b"png")
    (listing.folder / "notes.txt").write_text("not a run")
    assert listing.names() == [march, february, january]


def test_runs_of_a_sweep_are_found_in_it(listing: Listing) -> None:
    inner, labelled = listing.add("betas/beta-4"), listing.add("betas/beta-8")
    (listing.folder / "betas" / "sweep.toml").write_text("")
    RunFolder(labelled).write_label(RunLabel(origin="sweep of β, 2 of 2"))
    found = {info.path: info.origin for info in listing.refresh()}
    assert found == {inner: "sweep betas", labelled: "sweep of β, 2 of 2"}


def test_without_a_folder_there_are_no_runs(listing: Listing) -> None:
    listing.folder.rmdir()
    assert listing.refresh() == ()


def break_history(run: Path) -> None:
    with (run / "history.csv").open("a") as file:
        file.write("9.0,oops,1,2,3\n")


def put_pipe(run: Path) -> None:
    (run / "history.csv").unlink()
    os.mkfifo(run / "history.csv")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (
            lambda run: (run / "recipe.toml").write_text("epochs = 'many'"),
            "recipe.toml: Recipe field 'epochs' is 'many'",
        ),
        (lambda run: (run / "recipe.toml").unlink(), "recipe.toml does not exist"),
        (break_history, "The training history has a bad row"),
        (
            lambda run: (run / "history.csv").write_bytes(b"\xff\x00" * 50),
            "history.csv is not text in UTF-8",
        ),
        pytest.param(
            put_pipe,
            "history.csv is not a regular file",
            marks=pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in folders here"),
        ),
        (lambda run: (run / "model.safetensors").unlink(), "model.safetensors is missing"),
        (lambda run: (run / "model.safetensors").write_bytes(b""), "model.safetensors is missing"),
    ],
)
def test_a_damaged_run_is_listed_with_the_reason(
    listing: Listing, damage: Callable[[Path], None], reason: str
) -> None:
    listing.add("whole")
    damage(listing.add("broken"))
    infos = {info.name: info for info in listing.refresh()}
    assert infos["whole"].damaged == ""
    assert reason in infos["broken"].damaged


def test_a_label_that_cannot_be_read_is_none(listing: Listing) -> None:
    (listing.add("one") / "label.toml").write_bytes(b"\x00\xff")
    (info,) = listing.refresh()
    assert (info.name, info.note, info.damaged) == ("one", "", "")


def test_two_hundred_runs_are_read_once(
    listing: Listing, run_folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = listing.folder
    for number in range(200):
        run = folder / f"run-{number:03}"
        run.mkdir()
        for name in ("recipe.toml", "history.csv", "model.safetensors"):
            os.link(run_folder.path / name, run / name)
    read: list[Path] = []
    threads = set()

    def count(run: RunFolder, sweep: str = "") -> RunInfo:
        read.append(run.path)
        threads.add(threading.current_thread())
        return read_run(run, sweep)

    monkeypatch.setattr(catalogue_module, "read_run", count)
    first = listing.refresh()
    assert len(first) == len(read) == 200
    assert threading.main_thread() not in threads
    assert listing.refresh() == first
    assert len(read) == 200
    RunFolder(folder / "run-007").write_label(RunLabel("seven"))
    shutil.rmtree(folder / "run-011")
    assert len(listing.refresh()) == 199
    assert read[200:] == [folder / "run-007"]
    assert "seven" in {info.name for info in listing.lists[-1]}


def test_a_name_and_a_note_are_shown_at_once_and_written(listing: Listing) -> None:
    run, catalogue = listing.add("one"), listing.catalogue
    RunFolder(run).write_label(RunLabel(origin="a model"))
    listing.refresh()
    catalogue.rename(run, "  β is 4 ")
    catalogue.note(run, "worth another look\n")
    named = ("β is 4", "worth another look")
    assert [(info.name, info.note) for info in listing.updates] == [("β is 4", ""), named]
    wanted = RunLabel(*named, "a model")
    listing.main.run_until(lambda: RunFolder(run).label == wanted)
    (info,) = listing.refresh()
    assert (info.name, info.note) == named
    assert RunFolder(run).name == "β is 4"

    catalogue.rename(run, "")
    assert listing.updates[-1].name == "one"
    listing.main.run_until(lambda: RunFolder(run).label.name == "")
    catalogue.rename(run, "one")
    catalogue.rename(listing.folder / "unknown", "ghost")
    assert listing.names() == ["one"]
    assert RunFolder(run).label == dataclasses.replace(wanted, name="")


def test_a_name_that_cannot_be_written_is_taken_back(listing: Listing) -> None:
    run = listing.add("one")
    listing.refresh()
    (run / "label.toml").mkdir()  # nothing can be written over it
    listing.catalogue.rename(run, "another")
    title, error = listing.failure()
    assert title == "The run was not labelled"
    assert isinstance(error, UserError)
    assert listing.names() == ["one"]


def test_a_run_goes_to_the_trash_whole(listing: Listing, run_folder: RunFolder) -> None:
    one, *_ = [listing.add(name) for name in ("one", "two", "three")]
    listing.refresh()
    film = listing.live.timeline
    film.begin(RunFolder(one))
    film.develop(np.zeros((2, 28, 28), np.uint8))
    listing.main.run_until(lambda: film.frames)
    listing.trash("one", "two")
    listing.main.run_until(lambda: len(listing.lists) == 2)
    assert [info.name for info in listing.lists[-1]] == ["three"]
    assert sorted(path.name for path in listing.bin.iterdir()) == ["one", "two"]
    gone, whole = listing.bin / "one", run_folder.path
    names = {path.relative_to(gone) for path in gone.rglob("*")}
    assert names == {path.relative_to(whole) for path in whole.rglob("*")}
    assert film.frames == (), "its film cannot be shown any more"


def test_a_run_the_system_keeps_is_told(listing: Listing) -> None:
    run = listing.add("one")
    listing.refresh()
    listing.trash("one", "unknown")
    title, error = listing.failure()
    assert title == "The run was not moved to the trash"
    assert str(listing.folder / "unknown") in str(error)
    assert str(run) not in str(error)
    assert listing.names() == []


def test_a_run_is_opened_by_its_model(listing: Listing) -> None:
    listing.catalogue.open(listing.folder / "one")
    assert listing.opened == [listing.folder / "one" / "model.safetensors"]


def test_curves_are_read_whole(listing: Listing) -> None:
    run, catalogue = listing.add("one"), listing.catalogue
    catalogue.want_histories([run])
    listing.main.run_until(lambda: catalogue.histories)
    known = catalogue.histories[run]
    assert known.points == history(run)
    catalogue.want_histories([run, listing.folder / "unknown"])
    assert "history.csv does not exist" in str(listing.failure()[1])
    assert catalogue.histories[run] is known, "not read again"
    catalogue.want_histories([])
    assert catalogue.histories == {}


def test_curves_are_read_again_when_the_run_has_gone_on(listing: Listing) -> None:
    run, catalogue = listing.add("one"), listing.catalogue
    whole = (run / "history.csv").read_text()
    (run / "history.csv").write_text("".join(whole.splitlines(keepends=True)[:-1]))
    listing.refresh()
    catalogue.want_histories([run])
    listing.main.run_until(lambda: run in catalogue.histories)
    (run / "history.csv").write_text(whole)
    listing.refresh()
    catalogue.want_histories([run])
    listing.main.run_until(lambda: catalogue.histories[run].points == from_csv(whole))


def test_the_run_under_way_is_followed(listing: Listing, unending: Recipe) -> None:
    live, updates = listing.live, listing.updates
    live.runs.train(unending)
    listing.main.run_until(lambda: listing.lists and listing.lists[-1])
    (run,) = listing.folder.iterdir()
    assert [info.path for info in listing.lists[-1]] == [run]
    listing.main.run_until(lambda: updates and updates[-1].figures.best_elbo is not None)
    first = updates[-1]
    assert (first.phase, first.damaged) == (Phase.RUNNING, "")
    listing.main.run_until(lambda: updates[-1].figures.epoch > first.figures.epoch)
    assert (updates[-1].figures.best_elbo or 0.0) >= (first.figures.best_elbo or 0.0)

    listing.trash(run.name)
    assert listing.failure()[0] == "The run was not moved"
    assert run.exists()
    listing.catalogue.open(run)
    assert listing.opened == [], "it is what is shown"

    live.training.pause()
    live.wait_for(Phase.PAUSED)
    (info,) = listing.refresh()
    assert info.phase is Phase.PAUSED
    listing.catalogue.resume(run)
    assert live.training.status.phase is Phase.RUNNING

    live.training.stop()
    live.wait_for(Phase.IDLE)
    (info,) = listing.refresh()
    points = history(run)
    assert (info.phase, info.finished) == (Phase.IDLE, False)
    assert info.figures.epoch == points[-1].epoch
    assert info.figures.best_elbo == max(
        point.held_out_elbo for point in points if point.held_out_elbo is not None
    )


def test_a_run_that_was_left_goes_on(listing: Listing, unending: Recipe) -> None:
    live, updates = listing.live, listing.updates
    live.runs.train(unending)
    listing.main.run_until(lambda: live.training.status.epoch > 1)
    live.training.stop()
    live.wait_for(Phase.IDLE)
    (left,) = listing.refresh()
    listing.catalogue.resume(left.path)
    listing.main.run_until(lambda: updates[-1].figures.epoch > left.figures.epoch)
    assert (updates[-1].path, updates[-1].phase) == (left.path, Phase.RUNNING)
    assert updates[-1].figures.best_elbo is not None
    assert len(list(listing.folder.iterdir())) == 1
    live.training.stop()
    live.finish()
