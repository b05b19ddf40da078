"""The dialogs that are forms: what to find, select and name."""

import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QDialogButtonBox,
    QLabel,
    QLineEdit,
    QWidget,
)
from pytestqt.qtbot import QtBot

from tests.support.dialogs import ARGUMENTS, Open, field
from vae_explorer.gui.dialogs.form import FormDialog
from vae_explorer.gui.dialogs.selection import FindImageDialog, NameDialog, NearestImagesDialog

KINDS = pytest.mark.parametrize("kind", ARGUMENTS, ids=lambda kind: kind.__name__)


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
