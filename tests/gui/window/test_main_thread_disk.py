"""Nothing that a person does makes the main thread wait for a disk or a network."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QComboBox, QFileDialog

from tests.support.main_thread_disk import DiskGuard
from tests.support.person import Person
from vae_explorer import paths
from vae_explorer.gui.dialogs.table import TableDialog
from vae_explorer.gui.runs.run_text import Column
from vae_explorer.session.files.settings import Settings
from vae_explorer.session.training.events import Phase
from vae_explorer.training.recipe import Recipe


@pytest.fixture
def choose(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Answers the dialogs for files and folders from now on."""
    chosen = [""]
    for name in ("getOpenFileName", "getSaveFileName"):
        monkeypatch.setattr(QFileDialog, name, lambda *_: (chosen[0], ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: chosen[0])
    return lambda path: chosen.__setitem__(0, str(path))


class Watched:
    """Somebody whose every act is watched until it has had its effect."""

    def __init__(
        self, person: Person, guard: DiskGuard, choose: Callable[[Path], None], folder: Path
    ) -> None:
        self._person = person
        self._guard = guard
        self._choose = choose
        self._folder = folder

    def do(
        self,
        what: str | Callable[[], object],
        path: Path | str = "",
        *,
        until: Callable[[], object] = lambda: True,
    ) -> None:
        """Choose a command, or act; ``path`` answers a dialog, by a name in the folder or whole."""
        self._choose(self._folder / path)
        if isinstance(what, str):
            self._person.trigger(what)
        else:
            what()
        self._person.wait(until)
        QApplication.processEvents()
        assert self._guard.seen == []

    def save(self, what: str | Callable[[], object], name: str) -> None:
        """Have a file written."""
        self.do(what, name, until=(self._folder / name).is_file)


def test_a_read_on_the_main_thread_is_noticed(
    person: Person, disk_guard: DiskGuard, monkeypatch: pytest.MonkeyPatch
) -> None:
    with disk_guard.watching(monkeypatch):
        paths.presets().exists()
        assert disk_guard.seen == [], "the test itself may look"
        Settings.read(paths.bundled_checkpoint().with_suffix(".toml"))
    assert {seen.split()[0] for seen in disk_guard.seen} == {"open", "os.stat"}


@pytest.mark.slow
def test_the_main_thread_never_waits_for_the_disk(
    person: Person,
    choose: Callable[[Path], None],
    disk_guard: DiskGuard,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    checkpoint: Path,
    recipe: Recipe,
) -> None:
    window, app = person.window, person.window.app
    presets, training, sweeps = window.training.presets, app.training, app.sweeps
    names, watched = presets.findChild(QComboBox), Watched(person, disk_guard, choose, tmp_path)
    recipe.write(tmp_path / "given.toml")
    shutil.copy(next((paths.resources() / "lessons").glob("*.md")), tmp_path / "given.md")

    def phase(wanted: Phase) -> Callable[[], bool]:
        return lambda: training.status.phase is wanted

    def shows(name: str) -> Callable[[], bool]:
        return lambda: name in person.model_line

    with disk_guard.watching(monkeypatch):
        watched.do("split_test", until=lambda: len(person.positions) == 300)
        watched.do("scheme_dark")
        watched.save("save_workspace", "own.vaex")
        watched.do("split_train", until=lambda: len(person.positions) == 600)
        watched.do("open_workspace", "own.vaex", until=lambda: len(person.positions) == 300)
        watched.do("open", checkpoint, until=shows(checkpoint.name))
        watched.save("save", "own.safetensors")
        watched.do(
            presets.import_requested.emit,
            "given.toml",
            until=lambda: window.training.form.recipe() == recipe,
        )
        watched.save(presets.export_requested.emit, "own.toml")
        watched.do(
            lambda: app.presets.save("mine", recipe), until=lambda: names.findText("mine") > 0
        )
        watched.do(
            lambda: presets.delete_requested.emit("mine"), until=lambda: names.findText("mine") < 0
        )
        watched.do("layout_learn", until=lambda: app.learning.lesson)
        watched.do(
            "open_lesson",
            "given.md",
            until=lambda: app.learning.lesson and app.learning.lesson.id == "given",
        )
        watched.save("save_lesson", "own.md")
        watched.do("layout_train")
        watched.save(
            lambda: app.exports.export(app.exports.offers()["points"], tmp_path / "own.csv"),
            "own.csv",
        )
        watched.do("color_table", "own.csv", until=lambda: window.findChildren(TableDialog))
        watched.do(person.agree, until=lambda: "table:label" in dict(app.coloring.choices))
        watched.do("estimate")
        watched.do("step", until=phase(Phase.PAUSED))
        watched.do("epoch", until=lambda: phase(Phase.PAUSED)() and training.status.epoch == 1)
        watched.do("runs", until=lambda: window.runs.table.model().rowCount() == 1)
        watched.do("stop", until=phase(Phase.IDLE))
        watched.do(app.runs.timeline.back, until=lambda: app.runs.timeline.shown)
        watched.do(app.runs.timeline.return_live)
        runs, table = window.runs, window.runs.table
        table.selectAll()
        shown, role = table.model().index(0, Column.CURVE), Qt.ItemDataRole.CheckStateRole
        watched.do(lambda: runs.renamed.emit(table.chosen()[0], "a name"))
        watched.do(lambda: table.model().setData(shown, Qt.CheckState.Checked, role))
        watched.do("reset", until=shows("mnist-elbo"))
        watched.do(lambda: runs.open_requested.emit(table.chosen()[0]), until=shows("a name"))
        watched.do(
            lambda: runs.resume_requested.emit(table.chosen()[0]), until=phase(Phase.RUNNING)
        )
        watched.do("restart", until=phase(Phase.PAUSED))
        watched.do("stop", until=phase(Phase.IDLE))
        watched.do("compare")
        watched.do("reset", until=shows("mnist-elbo"))
        window.training.set_recipe(recipe)
        sweep = (("beta", "1, 2"),)
        watched.do(
            lambda: window.sweep.start_requested.emit(sweep), until=lambda: not sweeps.running
        )
        assert sweeps.path
        watched.do(lambda: sweeps.open_cell(1), until=shows("beta=1.0"))
        watched.do(window.sweep.open_requested.emit, sweeps.path)
        watched.do("scheme_light")
        watched.do(person.close)
    assert Settings.read(paths.settings_file()).scheme == "light"
