"""Runs in the real window: what is on disk is opened, compared, resumed and thrown away."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QStandardPaths, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDockWidget, QLineEdit, QMessageBox, QPushButton

from vae_explorer import paths
from vae_explorer.data.dataset import ImageSet
from vae_explorer.gui.compare.window import CompareWindow
from vae_explorer.gui.curves.curve_table import Overlay
from vae_explorer.gui.runs.run_text import Column
from vae_explorer.gui.runs.runs_model import OVERLAY_COLORS
from vae_explorer.gui.window.main_window import MainWindow
from vae_explorer.session.training.events import Phase
from vae_explorer.training.history import from_csv
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run import train
from vae_explorer.training.run_folder import RunFolder, RunLabel

if TYPE_CHECKING:
    from tests.support.person import Person


@pytest.fixture(scope="session")
def tiny_run(
    recipe: Recipe, mnist_small: ImageSet, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The folder of a finished run of the 600 images, to be copied."""
    parent = tmp_path_factory.mktemp("runs")
    recipe = recipe.replace(beta=4.0, seed=3)
    train(recipe, mnist_small.subset(slice(0, 600)), runs=parent, device="cpu")
    (run,) = parent.iterdir()
    return run


@pytest.fixture
def two_runs(tiny_run: Path) -> tuple[Path, Path]:
    """An older and a newer run of an earlier session."""
    folder = paths.runs()
    older = shutil.copytree(tiny_run, folder / "20260101-000000-seed3")
    newer = shutil.copytree(tiny_run, folder / "20260202-000000-seed3")
    return older, newer


def dock(window: MainWindow) -> QDockWidget:
    return next(d for d in window.findChildren(QDockWidget) if d.objectName() == "runs")


def browse(person: "Person", count: int) -> None:
    """Ask for the runs and wait until this many are listed."""
    person.press("Ctrl+Shift+R", person.window.map.canvas)
    person.wait(lambda: len(names(person)) == count)


def names(person: "Person") -> list[str]:
    model = person.window.runs.table.model()
    return [model.index(row, Column.NAME).data() for row in range(model.rowCount())]


def choose(person: "Person", *rows: int) -> None:
    table = person.window.runs.table
    table.clearSelection()
    table.setFocus()
    for row in rows:
        rect = table.visualRect(table.model().index(row, Column.ELBO))
        held = Qt.KeyboardModifier.ControlModifier
        QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, held, rect.center())


def act(person: "Person", text: str) -> None:
    """Choose something from the context menu."""
    (action,) = (a for a in person.window.runs.table.actions() if a.text() == text)
    assert action.isEnabled()
    action.trigger()


def test_the_dock_is_hidden_until_it_is_asked_for(
    person: "Person", two_runs: tuple[Path, Path]
) -> None:
    assert not dock(person.window).isVisible()
    browse(person, 2)
    assert dock(person.window).isVisible()
    assert QApplication.focusWidget() is person.window.runs.table
    assert names(person) == ["20260202-000000-seed3", "20260101-000000-seed3"]
    person.trigger("layout_travel")
    person.trigger("runs")
    paths_dock = next(
        d for d in person.window.findChildren(QDockWidget) if d.objectName() == "paths"
    )
    assert paths_dock in person.window.tabifiedDockWidgets(dock(person.window))


def test_layouts_leave_the_room_of_the_runs_to_the_map(person: "Person") -> None:
    for layout in ("train", "explore"):
        person.trigger("runs")
        assert dock(person.window).isVisible()
        person.trigger(f"layout_{layout}")
        assert not dock(person.window).isVisible()


def test_a_run_of_an_earlier_session_comes_back_whole(
    person: "Person", two_runs: tuple[Path, Path], small_mnist: dict[str, ImageSet]
) -> None:
    window, run = person.window, two_runs[0]
    browse(person, 2)
    person.press("Down")
    person.press("Down")
    person.press("Return")
    person.wait(lambda: person.model_line.startswith(run.name))
    assert window.statusBar().currentMessage() == f"Opened {run.name}"
    points = from_csv((run / "history.csv").read_text())
    table = window.curves.history
    np.testing.assert_array_equal(table.column("epoch"), [point.epoch for point in points])
    assert window.training.form.recipe() == Recipe.read(run / "recipe.toml")
    steps = RunFolder(run).moments().steps
    assert len(steps) > 5
    film = window.app.runs.timeline
    person.wait(lambda: [frame.step for frame in film.frames] == steps)
    film.show(0)
    person.wait(lambda: person.model_line.startswith(f"{run.name} · epoch 0.0"))
    assert not person.errors


def test_a_run_is_followed_and_then_named(person: "Person", recipe: Recipe) -> None:
    window = person.window
    browse(person, 0)
    window.training.set_recipe(recipe.replace(epochs=10_000))
    window.actions_["start"].trigger()
    person.wait(lambda: names(person))
    (name,) = names(person)
    assert name.startswith("▶ ")
    model = window.runs.table.model()
    person.wait(lambda: model.index(0, Column.ELBO).data().startswith("−"))
    before = model.index(0, Column.EPOCHS).data()
    person.wait(lambda: model.index(0, Column.EPOCHS).data() != before)

    choose(person, 0)
    person.press("F2")
    editor = window.runs.table.viewport().findChild(QLineEdit)
    assert editor is not None
    assert editor.text() == name.removeprefix("▶ ")
    QTest.keyClicks(editor, "my run")
    person.press("Return")
    person.wait(lambda: names(person) == ["▶ my run"])
    person.trigger("stop")
    person.wait_for_phase(Phase.IDLE)
    person.wait(lambda: names(person) == ["my run"])
    (folder,) = paths.runs().iterdir()
    assert RunFolder(folder).label.name == "my run"
    assert not person.errors


def test_a_run_is_resumed_and_its_recipe_shown(person: "Person", recipe: Recipe) -> None:
    window = person.window
    recipe = recipe.replace(epochs=9_999, seed=5)
    window.app.runs.train(recipe)
    person.wait(lambda: window.app.training.status.epoch > 1)
    person.trigger("stop")
    person.wait_for_phase(Phase.IDLE)
    left = window.app.runs.training.checkpoint
    window.training.set_recipe(Recipe())
    browse(person, 1)
    choose(person, 0)
    act(person, "Resume")
    person.wait_for_phase(Phase.RUNNING)
    person.wait(lambda: window.app.training.checkpoint == left)
    person.wait(lambda: window.training.form.recipe() == recipe)
    person.wait(lambda: names(person)[0].startswith("▶"))
    person.trigger("stop")
    person.wait_for_phase(Phase.IDLE)
    assert not person.errors


def test_curves_of_other_runs_are_told(
    person: "Person", two_runs: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[Overlay, ...]] = []
    monkeypatch.setattr(person.window.curves, "set_overlays", told.append)
    browse(person, 2)
    choose(person, 0, 1)
    person.press("Space")
    person.wait(lambda: told and len(told[-1]) == 2)
    points = from_csv((two_runs[0] / "history.csv").read_text())
    newer, older = (run.name for run in reversed(two_runs))
    wanted = {(newer, OVERLAY_COLORS[0], points), (older, OVERLAY_COLORS[1], points)}
    assert {(name, color, known.points) for name, color, known in told[-1]} == wanted

    panel = person.window.runs
    panel.renamed.emit(next(run for run in panel.runs if run.path == two_runs[0]), "old")
    person.wait(lambda: {overlay.name for overlay in told[-1]} == {newer, "old"})
    count = len(told)
    panel.shown.emit()
    person.wait(lambda: RunFolder(two_runs[0]).label.name == "old")
    assert len(told) == count, "nothing has changed"
    shutil.rmtree(two_runs[1])
    panel.shown.emit()
    person.wait(lambda: [overlay.name for overlay in told[-1]] == ["old"])
    choose(person, 0)
    person.press("Space")
    assert told[-1] == ()
    assert not person.errors


def test_two_runs_are_compared(person: "Person", two_runs: tuple[Path, Path]) -> None:
    RunFolder(two_runs[0]).write_label(RunLabel("first"))
    browse(person, 2)
    choose(person, 0, 1)
    act(person, "Compare Maps")
    (compare,) = person.window.findChildren(CompareWindow)
    models = [compare.sides[side].models for side in ("A", "B")]
    wanted = [two_runs[1].name, "first"]
    person.wait(lambda: [combo.currentText() for combo in models] == wanted)
    compare.close()
    assert not person.errors


def test_a_run_goes_to_the_systems_trash(
    person: "Person", two_runs: tuple[Path, Path], tiny_run: Path
) -> None:
    data = QStandardPaths.StandardLocation.GenericDataLocation
    Path(QStandardPaths.writableLocation(data)).mkdir(parents=True)  # as in every real home
    browse(person, 2)
    choose(person, 0)
    person.press("Del")
    (box,) = person.window.runs.findChildren(QMessageBox)
    next(b for b in box.findChildren(QPushButton) if b.text() == "Move to Trash").click()
    person.wait(lambda: names(person) == [two_runs[0].name])
    assert not two_runs[1].exists()
    (note,) = Path.home().rglob("*.trashinfo")
    assert str(two_runs[1]) in note.read_text()
    thrown = note.parents[1] / "files" / note.stem
    kept = {file.relative_to(thrown) for file in thrown.rglob("*")}
    assert kept == {file.relative_to(tiny_run) for file in tiny_run.rglob("*")}
    assert not person.errors


def test_a_recipe_goes_into_the_form_and_a_folder_is_shown(
    person: "Person", two_runs: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[QUrl] = []
    show: Callable[[QUrl], None] = opened.append
    monkeypatch.setattr(QDesktopServices, "openUrl", show)
    browse(person, 2)
    choose(person, 1)
    act(person, "Copy Recipe to Form")
    assert person.window.training.form.recipe() == Recipe.read(two_runs[0] / "recipe.toml")
    act(person, "Show Folder")
    assert [Path(url.toLocalFile()) for url in opened] == [two_runs[0]]
    person.window.runs.noted.emit(person.window.runs.table.chosen()[0], "why so")
    person.wait(lambda: RunFolder(two_runs[0]).label.note == "why so")
