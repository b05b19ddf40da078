from collections.abc import Callable
from typing import Any

import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QDialog, QLabel, QLineEdit, QSpinBox, QWidget
from pytestqt.qtbot import QtBot

from vae_explorer.gui.dialogs.selection import (
    FindImageDialog,
    NameDialog,
    NearestImagesDialog,
)

TOTALS = {"train": 60_000, "test": 10_000}
Open = Callable[..., Any]


@pytest.fixture
def parent(qtbot: QtBot) -> QWidget:
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.show()
    return parent


@pytest.fixture
def opened(qtbot: QtBot, parent: QWidget) -> Open:
    def opened(kind: Callable[..., QDialog], *arguments: object) -> QDialog:
        dialog = kind(*arguments, parent)
        with qtbot.waitExposed(dialog):
            dialog.open()
        return dialog

    return opened


def focused() -> QWidget:
    widget = QApplication.focusWidget()
    assert widget is not None
    return widget


def test_an_image_is_found_by_typing_its_number(qtbot: QtBot, opened: Open) -> None:
    dialog = opened(FindImageDialog, TOTALS, "test")
    asked: list[tuple[str, int]] = []
    dialog.find_requested.connect(lambda split, index: asked.append((split, index)))
    QTest.keyClicks(focused(), "9999")
    QTest.keyClick(focused(), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not shiboken6.isValid(dialog))
    assert asked == [("test", 9_999)]


def test_the_number_stays_within_the_split(qtbot: QtBot, opened: Open) -> None:
    dialog = opened(FindImageDialog, TOTALS, "train")
    index, split = dialog.findChild(QSpinBox), dialog.findChild(QComboBox)
    assert (index.minimum(), index.maximum()) == (0, 59_999)
    assert split.currentText() == "train (60,000 images)"
    index.setValue(59_999)
    split.setCurrentIndex(1)
    assert (index.maximum(), index.value()) == (9_999, 9_999)
    split.setCurrentIndex(0)
    assert index.maximum() == 59_999


@pytest.mark.parametrize(("row", "space"), [(0, "latent"), (1, "image")])
def test_neighbours_are_counted_in_one_space_or_the_other(
    qtbot: QtBot, opened: Open, row: int, space: str
) -> None:
    dialog = opened(NearestImagesDialog)
    asked: list[tuple[int, str]] = []
    dialog.nearest_requested.connect(lambda count, space: asked.append((count, space)))
    count = dialog.findChild(QSpinBox)
    assert (count.minimum(), count.maximum()) == (1, 999)
    dialog.findChild(QComboBox).setCurrentIndex(row)
    QTest.keyClicks(focused(), "7")
    QTest.keyClick(focused(), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not shiboken6.isValid(dialog))
    assert asked == [(7, space)]


def test_a_name_is_told_without_the_spaces_around_it(qtbot: QtBot, opened: Open) -> None:
    dialog = opened(NameDialog, "Name Selection", ["twos"])
    chosen: list[str] = []
    dialog.name_chosen.connect(chosen.append)
    QTest.keyClicks(focused(), "  my twos ")
    QTest.keyClick(focused(), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not shiboken6.isValid(dialog))
    assert chosen == ["my twos"]


def test_a_name_must_be_one_and_may_replace(qtbot: QtBot, opened: Open) -> None:
    dialog = opened(NameDialog, "Name Selection", ["twos"])
    chosen: list[str] = []
    dialog.name_chosen.connect(chosen.append)
    line = dialog.findChild(QLineEdit)
    texts = [label.text() for label in dialog.findChildren(QLabel)]
    line.setText("   ")
    assert not dialog.go.isEnabled()
    QTest.keyClick(line, Qt.Key.Key_Return)
    assert chosen == []
    assert dialog.isVisible()
    line.setText("twos")
    assert dialog.go.isEnabled()
    replaced = [label.text() for label in dialog.findChildren(QLabel)]
    assert set(replaced) - set(texts) == {"Replaces the one of this name."}


KINDS = pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        (FindImageDialog, (TOTALS, "train")),
        (NearestImagesDialog, ()),
        (NameDialog, ("Name Selection", [])),
    ],
)


@KINDS
def test_escape_asks_for_nothing(
    qtbot: QtBot, opened: Open, kind: type[QDialog], arguments: tuple[object, ...]
) -> None:
    dialog = opened(kind, *arguments)
    accepted: list[bool] = []
    dialog.accepted.connect(lambda: accepted.append(True))
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not shiboken6.isValid(dialog))
    assert accepted == []


@KINDS
def test_every_control_has_a_name(
    opened: Open, kind: type[QDialog], arguments: tuple[object, ...]
) -> None:
    dialog = opened(kind, *arguments)
    controls = [
        widget
        for widget in dialog.findChildren(QWidget)
        if widget.isVisible()
        and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and widget.focusProxy() is None
    ]
    assert len(controls) >= 3
    for widget in controls:
        name = QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name)
        assert name.strip(), widget
