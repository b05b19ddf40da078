"""A dialog that shows what a table seems to be, before points take their colours from it."""

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)
from typing_extensions import override

from vae_explorer.data.table_layout import Found, TableDraft, TableLayout
from vae_explorer.errors import UserError
from vae_explorer.gui.dialogs.form import FormDialog
from vae_explorer.types import Split

_SEPARATORS = {",": "Comma", ";": "Semicolon", "\t": "Tab"}
_DECIMALS = {".": "Point, as in 0.5", ",": "Comma, as in 0,5"}
_SPLITS: dict[Split, str] = {
    "train": "training images",
    "test": "test images",
    "both": "all images",
}
_HEADINGS = ("Column", "As classes", "Its first values")
_IN_SIGHT = 8  # columns of the table
_LONGEST = 60  # letters of an example

_CHECK = Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable


class TableDialog(FormDialog):
    """Asks how a table is read: its key, its signs, and the columns to colour by.

    Args:
        draft: what is guessed.
        parent: the window.
    """

    def __init__(self, draft: TableDraft, parent: QWidget) -> None:
        super().__init__(f"Colour by {draft.path.name}", "Colour", parent)
        self._draft = draft
        self._index, self._split, self._separator, self._decimal = (QComboBox() for _ in range(4))
        self._splits: list[tuple[str, Split]] = []
        self._columns = QTableWidget(0, len(_HEADINGS))
        self._note = QLabel()
        self._note.setWordWrap(True)
        for combo, texts in ((self._separator, _SEPARATORS), (self._decimal, _DECIMALS)):
            for value, text in texts.items():
                combo.addItem(text, value)
            combo.activated.connect(self._again)
        self._lay_out_columns()
        self.lay_out(
            {
                "Between cells": self._separator,
                "Decimal sign": self._decimal,
                "A row's image": self._index,
                "Of the": self._split,
                "Colour by": self._columns,
            },
            self._note,
        )
        self._columns.itemChanged.connect(self._check)
        self._show()

    @override
    def values(self) -> tuple[Path, TableLayout]:
        split, images = self._splits[self._split.currentIndex()]
        chosen = [row for row in range(self._columns.rowCount()) if self._is_on(row, 0)]
        names = {row: self._draft.columns[row].name for row in chosen}
        layout = replace(
            self._draft.layout,
            index=self._index.currentData(),
            split=split,
            images=images,
            numbers=tuple(name for row, name in names.items() if not self._is_on(row, 1)),
            classes=tuple(name for row, name in names.items() if self._is_on(row, 1)),
        )
        return self._draft.path, layout

    def _lay_out_columns(self) -> None:
        table = self._columns
        table.setAccessibleName("Columns to colour by")
        table.setHorizontalHeaderLabels(_HEADINGS)
        table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        table.horizontalHeader().setStretchLastSection(True)
        table.horizontalHeader().setHighlightSections(False)
        table.verticalHeader().hide()
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.viewport().setBackgroundRole(QPalette.ColorRole.Button)  # or dark boxes are not seen
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setTabKeyNavigation(False)  # it leads on to the buttons
        table.setMinimumSize(440, (_IN_SIGHT + 1) * (table.fontMetrics().height() + 10))

    def _show(self) -> None:
        """Show the draft."""
        layout = self._draft.layout
        self._separator.setCurrentIndex(self._separator.findData(layout.separator))
        self._decimal.setCurrentIndex(self._decimal.findData(layout.decimal))
        self._index.clear()
        self._index.addItem("is as in the order of the data", "")
        self._split.clear()
        self._splits = [("", split) for split in _SPLITS]
        for text in _SPLITS.values():
            self._split.addItem(text)
        for column in self._draft.columns:
            if column.index or column.name == layout.index:
                self._index.addItem(f"has the number in “{column.name}”", column.name)
            if column.split:
                self._split.addItem(f"split in “{column.name}”")
                self._splits.append((column.name, layout.images))
        self._index.setCurrentIndex(self._index.findData(layout.index))
        names = [split for split, _ in self._splits]
        split = names.index(layout.split) if layout.split else [*_SPLITS].index(layout.images)
        self._split.setCurrentIndex(split)
        with QSignalBlocker(self._columns):
            self._columns.setRowCount(0)
            self._columns.setRowCount(len(self._draft.columns))
            for row, column in enumerate(self._draft.columns):
                self._show_column(row, column)
        self._check()

    def _show_column(self, row: int, column: Found) -> None:
        layout = self._draft.layout
        as_class = column.name in layout.classes or column.kinds[:1] == ("class",)
        on = column.name in (*layout.numbers, *layout.classes)
        if column.name in layout.numbers:
            as_class = False
        name = self._item(column.name, on, can=bool(column.kinds))
        kind = self._item("", as_class, can=len(column.kinds) > 1)
        kind.setData(Qt.ItemDataRole.AccessibleTextRole, f"{column.name} as classes")
        text = column.why or column.example
        example = QTableWidgetItem(text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…")
        example.setFlags(Qt.ItemFlag.ItemIsEnabled)
        for place, item in enumerate((name, kind, example)):
            item.setToolTip(column.why)
            self._columns.setItem(row, place, item)

    @staticmethod
    def _item(text: str, on: bool, *, can: bool) -> QTableWidgetItem:
        item = QTableWidgetItem(text)
        item.setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)
        item.setFlags(_CHECK if can else Qt.ItemFlag.ItemIsSelectable)
        return item

    def _is_on(self, row: int, place: int) -> bool:
        item = self._columns.item(row, place)
        return item is not None and item.checkState() == Qt.CheckState.Checked

    def _again(self) -> None:
        """Read the beginning anew with other signs."""
        separator, decimal = self._separator.currentData(), self._decimal.currentData()
        if separator != self._draft.layout.separator:
            decimal = ""  # often changes with it
        try:
            self._draft = self._draft.read_with(separator, decimal)
        except UserError as error:
            self._note.setText(str(error))
            self.go.setEnabled(False)
        else:
            self._show()

    def _check(self) -> None:
        some = any(self._is_on(row, 0) for row in range(self._columns.rowCount()))
        self._note.setText("" if some else "Choose a column to colour by.")
        self.go.setEnabled(some)
