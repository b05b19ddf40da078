from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QComboBox,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QLabel,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QSpinBox,
    QWidget,
)
from pytestqt.qtbot import QtBot

from vae_explorer.export.requests import ManifoldRequest
from vae_explorer.gui.dialogs.export import DigitExportDialog, ManifoldExportDialog
from vae_explorer.session.state import LATENT_LIMIT

Dialog = DigitExportDialog | ManifoldExportDialog
KINDS = [DigitExportDialog, ManifoldExportDialog]


@pytest.fixture
def parent(qtbot: QtBot) -> QWidget:
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.show()
    return parent


@pytest.fixture
def make(parent: QWidget, tmp_path: Path) -> Callable[..., Any]:
    def make(kind: type[Dialog], shape: tuple[int, int] = (28, 28)) -> Dialog:
        dialog = kind(tmp_path / "picture.png", shape, parent)
        dialog.open()
        return dialog

    return make


def field(dialog: Dialog, label: str) -> QWidget:
    form = dialog.findChild(QFormLayout)
    for row in range(form.rowCount()):
        item = form.itemAt(row, QFormLayout.ItemRole.LabelRole)
        if item and item.widget().text() == label:
            found = form.itemAt(row, QFormLayout.ItemRole.FieldRole).widget()
            assert found is not None
            return found
    raise AssertionError(f"no field {label}")


def button(dialog: Dialog, which: QDialogButtonBox.StandardButton) -> QPushButton:
    return dialog.findChild(QDialogButtonBox).button(which)


def name_field(dialog: Dialog) -> QLineEdit:
    return next(
        line
        for line in dialog.findChildren(QLineEdit)
        if line.parent() is dialog  # the others are inside of number boxes
    )


def size(dialog: Dialog) -> str:
    label = field(dialog, "Size")
    assert isinstance(label, QLabel)
    return label.text()


SAVE, CANCEL = QDialogButtonBox.StandardButton.Save, QDialogButtonBox.StandardButton.Cancel


def test_a_digit_says_how_large_it_will_be(make: Callable[..., DigitExportDialog]) -> None:
    dialog = make(DigitExportDialog, (20, 30))
    assert size(dialog) == "300 × 200 pixels"
    scale = field(dialog, "Scale")
    assert isinstance(scale, QSpinBox)
    scale.setValue(200)
    assert size(dialog) == "6,000 × 4,000 pixels"


def test_a_manifold_says_how_large_it_will_be(make: Callable[..., ManifoldExportDialog]) -> None:
    dialog = make(ManifoldExportDialog)
    start = ManifoldRequest()
    assert dialog.request == start
    assert size(dialog) == f"{28 * start.n:,} × {28 * start.n:,} pixels"
    grid, scale = field(dialog, "Grid"), field(dialog, "Scale")
    assert isinstance(grid, QSpinBox)
    assert isinstance(scale, QSpinBox)
    grid.setValue(7)
    scale.setValue(3)
    assert size(dialog) == f"{28 * 21:,} × {28 * 21:,} pixels"


def test_a_range_is_asked_for_only_with_even_steps(
    make: Callable[..., ManifoldExportDialog],
) -> None:
    dialog = make(ManifoldExportDialog)
    spacing, extent = field(dialog, "Spacing"), field(dialog, "Range")
    assert isinstance(spacing, QComboBox)
    assert isinstance(extent, QDoubleSpinBox)
    assert not extent.isEnabled()
    spacing.setCurrentIndex(1)
    assert dialog.request == ManifoldRequest(spacing="linear")
    assert extent.isEnabled()
    extent.setValue(99.0)
    assert dialog.request == ManifoldRequest(spacing="linear", extent=LATENT_LIMIT)


def test_save_tells_what_was_chosen_once(
    qtbot: QtBot, make: Callable[..., DigitExportDialog], tmp_path: Path
) -> None:
    dialog = make(DigitExportDialog)
    asked: list[tuple[Path, int]] = []
    dialog.export_requested.connect(lambda path, scale: asked.append((path, scale)))
    button(dialog, SAVE).click()
    qtbot.waitUntil(lambda: not shiboken6.isValid(dialog))
    assert asked == [(tmp_path / "picture.png", 10)]


def test_save_tells_the_sheet(
    qtbot: QtBot, make: Callable[..., ManifoldExportDialog], tmp_path: Path
) -> None:
    dialog = make(ManifoldExportDialog)
    asked: list[tuple[Path, ManifoldRequest]] = []
    dialog.export_requested.connect(lambda path, request: asked.append((path, request)))
    QTest.keyClick(name_field(dialog), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not shiboken6.isValid(dialog))
    assert asked == [(tmp_path / "picture.png", ManifoldRequest())]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", ["button", "escape"])
def test_cancel_asks_for_nothing(
    qtbot: QtBot, make: Callable[..., Dialog], kind: type[Dialog], way: str
) -> None:
    dialog = make(kind)
    asked: list[object] = []
    dialog.export_requested.connect(lambda *_: asked.append(_))
    if way == "button":
        button(dialog, CANCEL).click()
    else:
        QTest.keyClick(dialog, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not shiboken6.isValid(dialog))
    assert asked == []


@pytest.mark.parametrize(
    ("typed", "path"),
    [
        ("/pictures/a.png", Path("/pictures/a.png")),
        ("/pictures/a.PNG", Path("/pictures/a.PNG")),
        ("/pictures/a", Path("/pictures/a.png")),
        ("  /pictures/a  ", Path("/pictures/a.png")),
        ("/pictures/z=(0.5, 1.25)", Path("/pictures/z=(0.5, 1.25).png")),
        ("/pictures/a.jpg", Path("/pictures/a.jpg.png")),
        ("/pictures/数字.png", Path("/pictures/数字.png")),
        ("~nobody-knows-me/a", Path("~nobody-knows-me/a.png")),
    ],
)
def test_a_name_gets_the_ending_of_what_is_written(
    make: Callable[..., DigitExportDialog], typed: str, path: Path
) -> None:
    dialog = make(DigitExportDialog)
    name_field(dialog).setText(typed)
    assert dialog.path == path


def test_home_may_be_written_short(make: Callable[..., DigitExportDialog]) -> None:
    dialog = make(DigitExportDialog)
    name_field(dialog).setText("~/a")
    assert dialog.path == Path.home() / "a.png"


@pytest.mark.parametrize("typed", ["", "  ", "/", "~", "..", "no/such/..", "pictures/"])
def test_a_name_that_is_none_cannot_be_saved(
    make: Callable[..., Dialog], tmp_path: Path, typed: str
) -> None:
    dialog = make(DigitExportDialog)
    name_field(dialog).setText(typed)
    assert not button(dialog, SAVE).isEnabled()
    name_field(dialog).setText("picture")
    assert button(dialog, SAVE).isEnabled()


def test_a_folder_is_no_name(make: Callable[..., DigitExportDialog], tmp_path: Path) -> None:
    dialog = make(DigitExportDialog)
    name_field(dialog).setText(str(tmp_path))
    assert not button(dialog, SAVE).isEnabled()


def test_browse_starts_from_the_name_and_fills_it_in(
    make: Callable[..., Dialog], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    dialog = make(DigitExportDialog)
    asked: list[str] = []

    def choose(parent: QWidget, title: str, start: str, kinds: str) -> tuple[str, str]:
        asked.append(start)
        return (str(tmp_path / "chosen"), kinds) if len(asked) == 1 else ("", "")

    monkeypatch.setattr(QFileDialog, "getSaveFileName", choose)
    browse = next(b for b in dialog.findChildren(QPushButton) if b.text() == "Browse…")
    browse.click()
    assert asked == [str(tmp_path / "picture.png")]
    assert dialog.path == tmp_path / "chosen.png"
    browse.click()
    assert dialog.path == tmp_path / "chosen.png", "cancelling keeps the name"


@pytest.mark.parametrize("yes", [True, False])
def test_a_file_is_replaced_only_if_one_says_so(
    make: Callable[..., Dialog], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, yes: bool
) -> None:
    (tmp_path / "picture.png").touch()
    buttons = QMessageBox.StandardButton
    answer = buttons.Yes if yes else buttons.No
    monkeypatch.setattr(QMessageBox, "question", lambda *_: answer)
    dialog = make(DigitExportDialog)
    button(dialog, SAVE).click()
    assert dialog.isVisible() is not yes
