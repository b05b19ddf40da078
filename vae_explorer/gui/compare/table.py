"""The figures of two models side by side, to read and to copy."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from vae_explorer.gui.widgets.cells import cells
from vae_explorer.gui.widgets.terms import TermDelegate
from vae_explorer.number_format import NONE, figure
from vae_explorer.session.compare.metrics import ComparisonTable
from vae_explorer.session.compare.sides import SIDES

_COLUMNS = 4
_AIR = 6  # pixels a row is higher than its text


class CompareTable(QTableWidget):
    """One row a figure: its name, its unit, and the values of both sides. Read-only.

    Its menu copies what is selected, or all, as Ctrl+C does.
    """

    def __init__(self) -> None:
        super().__init__(0, _COLUMNS)
        self.setAccessibleName("Metrics of both models")
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setAlternatingRowColors(True)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setItemDelegate(TermDelegate(self))
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + _AIR)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        for column in (0, 1):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        copy = QAction("Copy", self)
        copy.triggered.connect(self.copy)
        self.addAction(copy)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self._set_headers(("", ""))

    def set_table(self, table: ComparisonTable) -> None:
        """Show other figures; what is selected stays so."""
        self._set_headers(table.names)
        self.setRowCount(len(table.rows))
        for number, row in enumerate(table.rows):
            values = (_text(value, row.digits) for value in (row.a, row.b))
            for column, text in enumerate((row.name, row.unit, *values)):
                self._set_text(number, column, text)

    def copy(self) -> None:
        """Put the selected cells, or the whole table, on the clipboard."""
        QGuiApplication.clipboard().setText(cells(self))

    def _set_headers(self, names: tuple[str, str]) -> None:
        sides = [f"{side}: {name or NONE}" for side, name in zip(SIDES, names, strict=True)]
        for column, text in enumerate(["Figure", "Unit", *sides]):
            item = QTableWidgetItem(text)
            item.setTextAlignment(_alignment(column))
            self.setHorizontalHeaderItem(column, item)

    def _set_text(self, row: int, column: int, text: str) -> None:
        item = self.item(row, column)
        if item is None:
            item = QTableWidgetItem()
            item.setTextAlignment(_alignment(column))
            self.setItem(row, column, item)
        item.setText(text)


def _alignment(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignLeft if column < 2 else Qt.AlignmentFlag.AlignRight
    return side | Qt.AlignmentFlag.AlignVCenter


def _text(value: float | str | None, digits: int) -> str:
    return value if isinstance(value, str) else figure(value, digits)
