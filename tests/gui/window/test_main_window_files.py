"""Files and settings of the window: open, drop, save, export, and what it remembers."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QDockWidget, QFileDialog, QLineEdit, QMenu, QMessageBox, QPushButton

from tests.support.person import Person
from vae_explorer import paths
from vae_explorer.export.figure_requests import Curves
from vae_explorer.export.pictures import manifold_sheet
from vae_explorer.gui.dialogs.export import ExportDialog
from vae_explorer.gui.dialogs.palette import menu_commands
from vae_explorer.gui.plot.chart import Chart
from vae_explorer.gui.plot.menu import chart_menu
from vae_explorer.gui.widgets.number_box import NumberBox
from vae_explorer.session.files.open_model import BUNDLED_MODELS
from vae_explorer.session.files.settings import Settings
from vae_explorer.training.snapshot import Snapshot


def recent_actions(person: Person) -> list[QAction]:
    menus = person.window.actions_.menus["File"].findChildren(QMenu)
    return next(menu for menu in menus if menu.title() == "Open Recent").actions()


def test_a_missing_file_is_named_and_nothing_changes(
    person: Person, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    missing = tmp_path / "<b>gone</b>.safetensors"
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(missing), ""))
    line, positions = person.model_line, person.positions
    person.press("Ctrl+O")
    person.wait(lambda: person.errors)
    (error,) = person.errors
    assert error.startswith("The checkpoint was not opened: ")
    assert str(missing) in error
    box = person.window.findChild(QMessageBox)
    assert box.textFormat() == Qt.TextFormat.PlainText
    assert str(missing) in person.window.log.toPlainText()
    box.close()
    assert person.model_line == line
    assert person.positions is positions
    empty = person.empty
    person.click(empty)
    assert person.window.app.cursor.position == pytest.approx(empty, abs=0.02)


def test_a_saved_model_opens_again_from_the_recent_menu(
    open_person: "Callable[..., Person]",
    checkpoint: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    person = open_person(checkpoint)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "mine"), ""))
    person.press("Ctrl+S")
    path = tmp_path / "mine.safetensors"
    person.wait(path.exists)
    person.wait(lambda: person.model_line.startswith(path.name))
    before = person.positions.copy()
    person.trigger("reset")
    person.wait(lambda: person.model_line.startswith("mnist-elbo.safetensors"))
    person.wait(lambda: not np.array_equal(person.positions, before))
    recent = recent_actions(person)
    assert [action.toolTip() for action in recent] == [str(path), str(checkpoint)]
    recent[0].trigger()
    person.wait(lambda: person.model_line.startswith(path.name))
    person.wait(lambda: np.array_equal(person.positions, before))
    assert person.window.app.settings.now.folder == str(tmp_path)


def test_recent_models_of_one_name_can_be_told_apart(
    person: Person, checkpoint: Path, tmp_path: Path
) -> None:
    opened = []
    for run in ("first", "R&D"):
        path = tmp_path / run / "model.safetensors"
        opened.append(path)
        path.parent.mkdir()
        shutil.copy(checkpoint, path)
        person.window.app.model.open(path)
        person.wait(lambda: len(recent_actions(person)) == len(opened))
    texts = [action.text() for action in recent_actions(person)]
    assert texts == ["R&&D/model.safetensors", "first/model.safetensors"]


def test_a_digit_becomes_a_file(person: Person, bundled: Snapshot, tmp_path: Path) -> None:
    person.click(person.empty)
    z = person.window.app.cursor.position
    buttons = person.window.decode.findChildren(QPushButton)
    next(button for button in buttons if button.text() == "Export Image…").click()
    (dialog,) = person.window.findChildren(ExportDialog)
    path = save(person, dialog, tmp_path / "digit.png")
    pixels = np.asarray(Image.open(path), int)
    image = bundled.model.decode(np.array([z], np.float32))[0]
    wanted = np.rint(255 * image).repeat(10, 0).repeat(10, 1)
    assert np.abs(pixels - wanted).max() <= 1


def test_a_manifold_becomes_a_file(person: Person, bundled: Snapshot, tmp_path: Path) -> None:
    person.press("Ctrl+Shift+M")
    (dialog,) = person.window.findChildren(ExportDialog)
    next(box for box in dialog.findChildren(NumberBox) if box.suffix() == " per side").setValue(5)
    path = save(person, dialog, tmp_path / "sheet.png")
    wanted = np.rint(255 * manifold_sheet(bundled.model, 5))
    assert np.abs(np.asarray(Image.open(path), int) - wanted).max() <= 1


def write_name(dialog: ExportDialog, path: Path) -> None:
    lines = dialog.findChildren(QLineEdit)
    next(line for line in lines if line.accessibleName() == "File").setText(str(path))


def save(person: Person, dialog: ExportDialog, path: Path) -> Path:
    write_name(dialog, path)
    dialog.go.click()
    person.wait(lambda: person.window.statusBar().currentMessage() == f"Exported {path}")
    return path


def test_a_picture_that_cannot_be_written_is_said(person: Person, tmp_path: Path) -> None:
    person.press("Ctrl+Shift+E")
    (dialog,) = person.window.findChildren(ExportDialog)
    path = tmp_path / "nowhere" / "digit.png"
    write_name(dialog, path)
    dialog.accept()
    person.wait(lambda: person.errors)
    assert person.errors[0].startswith("The file was not exported: ")
    assert str(path) in person.errors[0]


def test_the_layout_comes_back(open_person: "Callable[..., Person]") -> None:
    first = open_person()
    first.window.resize(first.window.width(), 666)
    docks = {dock.objectName(): dock for dock in first.window.findChildren(QDockWidget)}
    first.window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, docks["training"])
    docks["decode"].hide()
    first.close()
    second = open_person()
    assert second.window.height() == 666
    docks = {dock.objectName(): dock for dock in second.window.findChildren(QDockWidget)}
    area = second.window.dockWidgetArea(docks["training"])
    assert area == Qt.DockWidgetArea.BottomDockWidgetArea
    assert docks["decode"].isHidden()


LONG = (pytest.param(garbage, marks=pytest.mark.long) for garbage in ("", "AAAA", "//79/Pv6"))


@pytest.mark.parametrize("garbage", ["no base64 at all", *LONG])
def test_garbage_is_harmless(open_person: "Callable[..., Person]", garbage: str) -> None:
    Settings(geometry=garbage, layout=garbage).write(paths.settings_file())
    window = open_person().window
    room = (
        QGuiApplication.primaryScreen().availableSize()
    )  # 800 × 800 offscreen, which is a little narrow
    assert window.width() >= min(1280, room.width())
    assert window.height() == min(800, room.height())
    docks = {dock.objectName(): dock.isVisible() for dock in window.findChildren(QDockWidget)}
    shown = {name for name, visible in docks.items() if visible}
    assert shown == {"training", "layers", "learn", "curves"}


def test_a_window_is_never_lost_off_screen(open_person: "Callable[..., Person]") -> None:
    first = open_person()
    first.window.move(9_000, 9_000)
    first.close()
    second = open_person()
    screen = QGuiApplication.primaryScreen().availableGeometry()
    assert screen.intersects(second.window.frameGeometry())


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("a.svg", b"<?xml"),
        ("a.PDF", b"%PDF-"),
        ("a.csv", b"epoch,elbo,"),
        ("a.png", b"\x89PNG"),
    ],
)
def test_the_training_curves_leave_by_the_dialog(
    name: str, start: bytes, person: Person, tmp_path: Path
) -> None:
    person.window.docks.show("training")
    person.wait(person.window.curves.isVisible)
    person.window.curves.export_requested.emit()
    (dialog,) = person.window.findChildren(ExportDialog)
    assert dialog.request == Curves()
    assert save(person, dialog, tmp_path / name).read_bytes().startswith(start)


def test_a_right_click_on_a_curve_takes_that_alone(person: Person, tmp_path: Path) -> None:
    person.window.docks.show("training")
    person.wait(person.window.curves.isVisible)
    chart = person.window.curves.findChildren(Chart)[-1]
    chart.hovered.emit(100.0, 0.0)  # what is read belongs to the pointer
    menu = chart_menu(chart, chart.export, None)
    menu.actions()[0].trigger()
    menu.close()
    (dialog,) = person.window.findChildren(ExportDialog)
    assert dialog.request == Curves(panel="kl")
    assert dialog.path.name == "curves_kl.png"
    words = save(person, dialog, tmp_path / "a.svg").read_text()
    assert ">KL</text>" in words
    assert ">ELBO</text>" not in words
    assert ">epochs</text>" in words


def test_every_bundled_model_is_in_the_menu_with_what_it_shows(person: Person) -> None:
    assert set(BUNDLED_MODELS) == set(paths.bundled_models())
    commands = menu_commands(person.window.menuBar())
    found = [action for path, action in commands if path == "File › Bundled Models"]
    texts = [f"{name}: {about}" for name, about in BUNDLED_MODELS.items()]
    assert [action.text() for action in found] == texts
    found[-1].trigger()
    person.wait(lambda: person.model_line.startswith("mnist-paper"))
