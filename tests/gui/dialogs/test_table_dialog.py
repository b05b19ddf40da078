"""What a table is read as, shown and chosen."""

from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLabel, QTableWidget

from tests.support.dialogs import Open, field
from vae_explorer.data.table_layout import TableLayout
from vae_explorer.gui.dialogs.form import FormDialog
from vae_explorer.gui.dialogs.table import TableDialog


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
