"""The dialogs that are forms: what to find, select, name and export."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import shiboken6
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QLabel,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QTableWidget,
    QWidget,
)
from pytestqt.qtbot import QtBot

from vae_explorer.data.table_layout import TableDraft, TableLayout
from vae_explorer.export.requests import ManifoldRequest
from vae_explorer.gui.dialogs.export import DigitExportDialog, ManifoldExportDialog
from vae_explorer.gui.dialogs.form import FormDialog
from vae_explorer.gui.dialogs.selection import FindImageDialog, NameDialog, NearestImagesDialog
from vae_explorer.gui.dialogs.table import TableDialog
from vae_explorer.gui.widgets.number_box import NumberBox
from vae_explorer.session.explore.cursor import LATENT_LIMIT
from vae_explorer.types import Split

PICTURE = Path("/nowhere/picture.png")
SIZES: dict[Split, int] = {"train": 4, "test": 2, "both": 6}
TABLE = (
    "split;index;cluster;z;name\n",
    *(f"train;{row};{row % 2};{row},5;{row}{'abcdefghijkl'[row % 12]}\n" for row in range(24)),
)
"""Of which a column has too many names."""
ARGUMENTS: dict[type[FormDialog], tuple[object, ...]] = {
    FindImageDialog: ({"train": 60_000, "test": 10_000}, "train"),
    NearestImagesDialog: (),
    NameDialog: ("Name Selection", ["twos"]),
    DigitExportDialog: (PICTURE, (20, 30)),
    ManifoldExportDialog: (PICTURE, (28, 28)),
    TableDialog: (
        TableDraft(
            Path("/nowhere/table.csv"), (), TableLayout(), SIZES, "train", TABLE, True, 99
        ).read_with(";", ""),
    ),
}
KINDS = pytest.mark.parametrize("kind", ARGUMENTS, ids=lambda kind: kind.__name__)
Open = Callable[..., Any]


@pytest.fixture
def answers() -> list[tuple[object, ...]]:
    """What the forms were accepted with."""
    return []


@pytest.fixture
def opened(qtbot: QtBot, answers: list[tuple[object, ...]]) -> Open:
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.show()

    def opened(kind: type[Any], *arguments: object) -> FormDialog:
        dialog: FormDialog = kind(*(arguments or ARGUMENTS[kind]), parent)
        with qtbot.waitExposed(dialog):
            dialog.ask(lambda *values: answers.append(values))
        return dialog

    return opened


def field(dialog: FormDialog, label: str) -> Any:
    form = dialog.findChild(QFormLayout)
    for row in range(form.rowCount()):
        item = form.itemAt(row, QFormLayout.ItemRole.LabelRole)
        if item and item.widget().text() == label:
            return form.itemAt(row, QFormLayout.ItemRole.FieldRole).widget()
    raise AssertionError(f"no field {label}")


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
    sheet, start = opened(ManifoldExportDialog), ManifoldRequest()
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
    assert dialog.request == ManifoldRequest(spacing="linear")
    assert extent.isEnabled()
    extent.setValue(99.0)
    assert dialog.request == ManifoldRequest(spacing="linear", extent=LATENT_LIMIT)


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


# A table


def columns_of(dialog: FormDialog) -> QTableWidget:
    (table,) = dialog.findChildren(QTableWidget)
    return table


def check(table: QTableWidget, row: int, place: int) -> None:
    """Click a box."""
    item = table.item(row, place)
    assert item is not None
    rect = table.visualItemRect(item)
    left, at = Qt.MouseButton.LeftButton, QPoint(rect.left() + 10, rect.center().y())
    QTest.mouseClick(table.viewport(), left, pos=at)


def test_a_table_shows_what_it_seems_to_be(opened: Open) -> None:
    dialog = opened(TableDialog)
    shown = {label: field(dialog, label).currentText() for label in ("Between cells", "Of the")}
    assert shown == {"Between cells": "Semicolon", "Of the": "split in “split”"}
    assert field(dialog, "Decimal sign").currentText() == "Comma, as in 0,5"
    assert field(dialog, "A row's image").currentText() == "has the number in “index”"
    table, on = columns_of(dialog), Qt.CheckState.Checked
    boxes = [
        tuple(table.item(row, place).checkState() == on for place in range(2)) for row in range(5)
    ]
    assert boxes == [(False, True), (False, False), (True, True), (True, False), (False, False)]
    assert table.item(4, 2).text() == "holds 24 different names, more than 20"
    assert table.item(3, 2).text().startswith("0,5, 1,5, 2,5")
    path, layout = dialog.values()
    assert path == Path("/nowhere/table.csv")
    assert isinstance(layout, TableLayout)
    assert (layout.separator, layout.decimal, layout.index, layout.split) == (
        *(";", ","),
        *("index", "split"),
    )
    assert (layout.numbers, layout.classes) == (("z",), ("cluster",))


def test_the_key_and_the_columns_of_a_table_are_chosen(
    opened: Open, answers: list[tuple[object, ...]]
) -> None:
    dialog = opened(TableDialog)
    table = columns_of(dialog)
    check(table, 2, 1)  # the clusters as numbers
    check(table, 3, 0)  # not the other numbers
    check(table, 0, 1)  # the split can be nothing but classes
    check(table, 0, 0)
    check(table, 4, 0)  # there are too many names
    field(dialog, "Of the").setCurrentIndex(1)
    field(dialog, "A row's image").setCurrentIndex(0)
    dialog.go.click()
    ((_, layout),) = answers
    assert isinstance(layout, TableLayout)
    assert (layout.numbers, layout.classes) == (("cluster",), ("split",))
    assert (layout.index, layout.split, layout.images) == ("", "", "test")


def test_other_signs_give_other_columns(opened: Open) -> None:
    dialog = opened(TableDialog)
    separator, decimal = field(dialog, "Between cells"), field(dialog, "Decimal sign")

    def choose(combo: QComboBox, text: str) -> None:
        combo.setFocus()
        step = Qt.Key.Key_Down if combo.findText(text) > combo.currentIndex() else Qt.Key.Key_Up
        QTest.keyClick(combo, step)
        assert combo.currentText() == text

    choose(decimal, "Point, as in 0.5")
    assert columns_of(dialog).item(3, 2).text() == "holds 24 different names, more than 20"
    choose(separator, "Comma")
    assert not dialog.go.isEnabled()
    assert any("expected 1 as in the header" in x.text() for x in dialog.findChildren(QLabel))
    choose(separator, "Semicolon")
    assert dialog.go.isEnabled()
    assert columns_of(dialog).rowCount() == 5


def test_a_table_needs_a_column_to_colour_by(opened: Open, answers: list[object]) -> None:
    dialog = opened(TableDialog)
    for row in (2, 3):
        check(columns_of(dialog), row, 0)
    assert not dialog.go.isEnabled()
    assert "Choose a column to colour by." in {x.text() for x in dialog.findChildren(QLabel)}
    check(columns_of(dialog), 3, 0)
    assert dialog.go.isEnabled()
