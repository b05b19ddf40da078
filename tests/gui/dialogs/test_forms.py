"""The dialogs that are forms: what to find, select, name and export."""

from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QDialogButtonBox,
    QFileDialog,
    QLabel,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from tests.support.dialogs import ARGUMENTS, PICTURE, Open, field
from vae_explorer.export.requests import Manifold
from vae_explorer.gui.dialogs.export import DigitExportDialog, ManifoldExportDialog
from vae_explorer.gui.dialogs.form import FormDialog
from vae_explorer.gui.dialogs.selection import FindImageDialog, NameDialog, NearestImagesDialog
from vae_explorer.gui.widgets.number_box import NumberBox
from vae_explorer.session.explore.cursor import LATENT_LIMIT

KINDS = pytest.mark.parametrize("kind", ARGUMENTS, ids=lambda kind: kind.__name__)


def name_field(dialog: FormDialog) -> QLineEdit:
    lines = dialog.findChildren(QLineEdit)
    return next(line for line in lines if line.accessibleName() == "File")


def type_and_enter(text: str) -> None:
    focused = QApplication.focusWidget()
    assert focused is not None
    QTest.keyClicks(focused, text)
    QTest.keyClick(focused, Qt.Key.Key_Return)


# All of them


@KINDS
@pytest.mark.parametrize("way", ["button", "escape"])
def test_cancel_asks_for_nothing(
    qtbot: QtBot, opened: Open, answers: list[object], kind: type[FormDialog], way: str
) -> None:
    dialog = opened(kind)
    if way == "button":
        dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Cancel).click()
    else:
        QTest.keyClick(dialog, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not shiboken6.isValid(dialog))
    assert answers == []


@pytest.mark.parametrize(
    ("kind", "typed", "answer"),
    [
        (FindImageDialog, "9999", ("train", 9_999)),
        (NearestImagesDialog, "7", (7, "latent")),
        (NameDialog, "  my twos ", ("my twos",)),
        (DigitExportDialog, "7", (PICTURE, 7)),
    ],
)
def test_what_is_typed_is_told_once_by_enter(
    qtbot: QtBot,
    opened: Open,
    answers: list[object],
    kind: type[FormDialog],
    typed: str,
    answer: tuple[object, ...],
) -> None:
    dialog = opened(kind)
    if kind is DigitExportDialog:
        field(dialog, "Scale").selectAll()
    type_and_enter(typed)
    qtbot.waitUntil(lambda: not shiboken6.isValid(dialog))
    assert answers == [answer]


# Selecting


def test_the_number_stays_within_the_split(opened: Open) -> None:
    dialog = opened(FindImageDialog)
    index, split = field(dialog, "Index"), field(dialog, "Images")
    assert (index.minimum(), index.maximum()) == (0, 59_999)
    assert split.currentText() == "train (60,000 images)"
    index.setValue(59_999)
    split.setCurrentIndex(1)
    assert (index.maximum(), index.value()) == (9_999, 9_999)
    split.setCurrentIndex(0)
    assert index.maximum() == 59_999


def test_neighbours_are_counted_in_one_space_or_the_other(opened: Open) -> None:
    dialog = opened(NearestImagesDialog)
    assert (field(dialog, "Images").minimum(), field(dialog, "Images").maximum()) == (1, 999)
    field(dialog, "Nearest in").setCurrentIndex(1)
    assert dialog.values() == (20, "image")


def test_a_name_must_be_one_and_may_replace(opened: Open, answers: list[object]) -> None:
    dialog = opened(NameDialog)
    line = dialog.findChild(QLineEdit)
    line.setText("   ")
    assert not dialog.go.isEnabled()
    QTest.keyClick(line, Qt.Key.Key_Return)
    assert answers == []
    assert dialog.isVisible()
    line.setText("twos")
    assert dialog.go.isEnabled()
    assert "Replaces the one with this name." in {x.text() for x in dialog.findChildren(QLabel)}
    line.setText("Twos")
    assert not any("Replaces" in x.text() for x in dialog.findChildren(QLabel))


def test_the_name_of_a_file_replaces_that_in_other_letters(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = NameDialog("Save Preset", ["Mine"], parent, file=True)
    dialog.findChild(QLineEdit).setText("mine")
    assert "Replaces “Mine”." in {x.text() for x in dialog.findChildren(QLabel)}


# Exporting


def test_a_picture_says_how_large_it_will_be(opened: Open) -> None:
    digit = opened(DigitExportDialog)
    assert field(digit, "Size").text() == "300 × 200 pixels"
    field(digit, "Scale").setValue(200)
    assert field(digit, "Size").text() == "6,000 × 4,000 pixels"
    sheet, start = opened(ManifoldExportDialog), Manifold()
    assert sheet.request == start
    assert field(sheet, "Size").text() == f"{28 * start.n:,} × {28 * start.n:,} pixels"
    grid: NumberBox = field(sheet, "Grid")
    grid.setValue(7)
    field(sheet, "Scale").setValue(3)
    assert field(sheet, "Size").text() == f"{28 * 21:,} × {28 * 21:,} pixels"


def test_a_range_is_asked_for_only_with_even_steps(opened: Open) -> None:
    dialog = opened(ManifoldExportDialog)
    spacing: QComboBox = field(dialog, "Spacing")
    extent: NumberBox = field(dialog, "Range")
    assert not extent.isEnabled()
    spacing.setCurrentIndex(1)
    assert dialog.request == Manifold(spacing="linear")
    assert extent.isEnabled()
    extent.setValue(99.0)
    assert dialog.request == Manifold(spacing="linear", extent=LATENT_LIMIT)


@pytest.mark.parametrize(
    ("typed", "path"),
    [
        ("/pictures/a.png", Path("/pictures/a.png")),
        ("/pictures/a.PNG", Path("/pictures/a.PNG")),
        ("  /pictures/a  ", Path("/pictures/a.png")),
        ("/pictures/z=(0.5, 1.25)", Path("/pictures/z=(0.5, 1.25).png")),
        ("/pictures/a.jpg", Path("/pictures/a.jpg.png")),
        ("/pictures/数字.png", Path("/pictures/数字.png")),
        ("~nobody-knows-me/a", Path("~nobody-knows-me/a.png")),
    ],
)
def test_a_name_gets_the_suffix_of_what_is_written(opened: Open, typed: str, path: Path) -> None:
    dialog = opened(DigitExportDialog)
    name_field(dialog).setText(typed)
    assert dialog.path == path


def test_home_may_be_written_short(opened: Open) -> None:
    dialog = opened(DigitExportDialog)
    name_field(dialog).setText("~/a")
    assert dialog.path == Path.home() / "a.png"


def test_a_name_that_is_none_cannot_be_saved(opened: Open, tmp_path: Path) -> None:
    dialog = opened(DigitExportDialog)
    for typed in ("", "  ", "/", "~", "..", "no/such/..", "pictures/", str(tmp_path)):
        name_field(dialog).setText(typed)
        assert not dialog.go.isEnabled(), typed
        name_field(dialog).setText("picture")
        assert dialog.go.isEnabled()


def test_browse_starts_from_the_name_and_fills_it_in(
    opened: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    dialog = opened(DigitExportDialog)
    asked: list[str] = []

    def choose(parent: QWidget, title: str, start: str, kinds: str) -> tuple[str, str]:
        asked.append(start)
        return (str(tmp_path / "chosen"), kinds) if len(asked) == 1 else ("", "")

    monkeypatch.setattr(QFileDialog, "getSaveFileName", choose)
    browse = next(b for b in dialog.findChildren(QPushButton) if b.text() == "Browse…")
    browse.click()
    assert asked == [str(PICTURE)]
    assert dialog.path == tmp_path / "chosen.png"
    browse.click()
    assert dialog.path == tmp_path / "chosen.png", "cancelling keeps the name"


@pytest.mark.parametrize("yes", [True, False])
def test_a_file_is_replaced_only_if_one_says_so(
    opened: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, yes: bool
) -> None:
    (tmp_path / "picture.png").touch()
    buttons = QMessageBox.StandardButton
    answer = buttons.Yes if yes else buttons.No
    monkeypatch.setattr(QMessageBox, "question", lambda *_: answer)
    dialog = opened(DigitExportDialog, tmp_path / "picture.png", (28, 28))
    dialog.go.click()
    assert dialog.isVisible() is not yes
