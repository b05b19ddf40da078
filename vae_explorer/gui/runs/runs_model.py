"""Runs as rows of a table: what each cell says, how rows are ordered, which pass a filter."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication
from typing_extensions import override

from vae_explorer.gui.runs.run_text import (
    Column,
    cell,
    describe,
    has_curve,
    searched,
    sort_key,
    spoken,
)
from vae_explorer.session.runs.run_info import RunInfo

Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()
_ROLE = Qt.ItemDataRole

OVERLAY_COLORS = (
    "#d0479c", "#3a9a4b", "#6f74dd", "#8a8a24", "#dc4646", "#2b93c4", "#a96b59", "#7d828d",
)  # fmt: skip
"""Of the curves of other runs: all are seen on the light canvas and on the dark one."""


_TREATED = (
    "Values with † have another data treatment or likelihood and cannot be compared; those with ‡ "
    "are no likelihood of the data, as the tool tip says."
)
_HEADERS = {
    Column.CURVE: ("Curve", "Draw the run's curves beside those of the run shown (Space)"),
    Column.NAME: ("Name", "F2 renames; ▶ is running, ⚠ is damaged"),
    Column.RECIPE: (
        "Recipe",
        "Its name, or what differs from the default recipe; the tool tip has all of it",
    ),
    Column.ELBO: ("Best ELBO", f"Best held-out ELBO, nats per image: more is better. {_TREATED}"),
    Column.LOG_MARGINAL: (
        "log p(x)",
        f"Last held-out log p(x), by quadrature, nats per image: more is better. {_TREATED}",
    ),
    Column.EPOCHS: ("Epochs", "Passes over the training images, done and planned"),
    Column.SECONDS: ("Seconds", "Spent training, without pauses"),
    Column.DATE: ("Begun", "When the run began"),
    Column.NOTE: ("Note", "A double click or F2 edits it"),
}
_NUMBERS = (Column.ELBO, Column.LOG_MARGINAL, Column.EPOCHS, Column.SECONDS)
_EDITABLE = (Column.NAME, Column.NOTE)
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_ALIGNED = dict.fromkeys(Column, _LEFT) | dict.fromkeys(_NUMBERS, _RIGHT)
_ALIGNED[Column.DATE] = Qt.AlignmentFlag.AlignCenter  # clear of the number before it


class RunsModel(QAbstractTableModel):
    """A row a run, in no order.

    Signals:
        renamed(RunInfo, str), noted(RunInfo, str): a person wrote a name or a note.
        curves_changed(): a person wants the curves of other runs; see ``curves``.
    """

    renamed = Signal(object, str)
    noted = Signal(object, str)
    curves_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runs: list[RunInfo] = []
        self._colors: dict[Path, str] = {}

    # Orders

    def set_runs(self, runs: Sequence[RunInfo]) -> None:
        """Show these runs; rows that stay are the same rows."""
        wanted = {run.path: run for run in runs}
        for row in reversed(range(len(self._runs))):
            if self._runs[row].path not in wanted:
                self.beginRemoveRows(_NOWHERE, row, row)
                self._colors.pop(self._runs.pop(row).path, None)
                self.endRemoveRows()
        for run in self._runs.copy():
            self.set_run(wanted.pop(run.path))
        if wanted:
            first = len(self._runs)
            self.beginInsertRows(_NOWHERE, first, first + len(wanted) - 1)
            self._runs += wanted.values()
            self.endInsertRows()

    def set_run(self, run: RunInfo) -> None:
        """Show a run that is listed as it is now."""
        for row, before in enumerate(self._runs):
            if before.path == run.path and before != run:
                self._runs[row] = run
                for column in Column:
                    # Not the whole row: an editor in it would forget what is being typed.
                    if cell(before, column) != cell(run, column):
                        self._tell(row, column)

    @property
    def runs(self) -> tuple[RunInfo, ...]:
        """All of them, by row."""
        return tuple(self._runs)

    @property
    def curves(self) -> tuple[tuple[Path, str], ...]:
        """The runs whose curves are wanted, each with its colour, "#rrggbb"."""
        return tuple(self._colors.items())

    def toggle_curves(self, rows: Sequence[int]) -> None:
        """Want the curves of these rows, or want them no longer if all of them are."""
        rows = [row for row in rows if has_curve(self._runs[row])]
        on = any(self._runs[row].path not in self._colors for row in rows)
        for row in rows:
            self._set_curve(row, on)
        if rows:
            self.curves_changed.emit()

    def _set_curve(self, row: int, on: bool) -> None:
        path = self._runs[row].path
        if not on:
            self._colors.pop(path, None)
        elif path not in self._colors:
            taken = list(self._colors.values())
            self._colors[path] = min(OVERLAY_COLORS, key=taken.count)
        self._tell(row, Column.CURVE)

    def _tell(self, row: int, column: int) -> None:
        index = self.index(row, column)
        self.dataChanged.emit(index, index)

    # What Qt asks

    @override
    def rowCount(self, parent: Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._runs)

    @override
    def columnCount(self, parent: Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(Column)

    @override
    def flags(self, index: Index) -> Qt.ItemFlag:
        """Names and notes can be edited, and curves that there are can be checked."""
        flags = super().flags(index)
        column = index.column()
        if column in _EDITABLE:
            flags |= Qt.ItemFlag.ItemIsEditable
        elif column == Column.CURVE and has_curve(self._runs[index.row()]):
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        return flags

    @override
    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = _ROLE.DisplayRole
    ) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == _ROLE.DisplayRole:
            return _HEADERS[Column(section)][0]
        if orientation == Qt.Orientation.Horizontal and role == _ROLE.ToolTipRole:
            return _HEADERS[Column(section)][1]
        if orientation == Qt.Orientation.Horizontal and role == _ROLE.TextAlignmentRole:
            return _ALIGNED[Column(section)]
        return None

    @override
    def data(self, index: Index, role: int = _ROLE.DisplayRole) -> Any:
        """What a cell says and how; in the user role the colour of a curve that is wanted."""
        run, column = self._runs[index.row()], Column(index.column())
        match role:
            case _ROLE.DisplayRole:
                return cell(run, column)
            case _ROLE.EditRole:
                return run.note if column is Column.NOTE else run.name
            case _ROLE.ToolTipRole:
                return describe(run)
            case _ROLE.TextAlignmentRole:
                return _ALIGNED[column]
            case _ROLE.AccessibleTextRole:
                return spoken(run, column)
            case _ROLE.FontRole if run.active:
                font = QFont()
                font.setBold(True)
                return font
            case _ROLE.ForegroundRole if run.damaged:
                return QApplication.palette().color(QPalette.ColorRole.PlaceholderText)
            case _ROLE.CheckStateRole if column is Column.CURVE and has_curve(run):
                on = run.path in self._colors
                return Qt.CheckState.Checked if on else Qt.CheckState.Unchecked
            case _ROLE.UserRole if column is Column.CURVE and run.path in self._colors:
                return QColor(self._colors[run.path])
        return None

    @override
    def setData(self, index: Index, value: Any, role: int = _ROLE.EditRole) -> bool:
        run, column = self._runs[index.row()], index.column()
        if role == _ROLE.CheckStateRole and column == Column.CURVE:
            self._set_curve(index.row(), Qt.CheckState(value) == Qt.CheckState.Checked)
            self.curves_changed.emit()
            return True
        if role != _ROLE.EditRole or column not in _EDITABLE:
            return False
        if column == Column.NAME and value != run.name:
            self.renamed.emit(run, value)
        elif column == Column.NOTE and value != run.note:
            self.noted.emit(run, value)
        return True


class RunsOrder(QSortFilterProxyModel):
    """The rows in order of a column, and only those that a text is found in.

    Where a figure is not known a row comes last, whatever the direction. ELBOs of different data
    treatments do not mingle.
    """

    def __init__(self, rows: RunsModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows = rows
        self._words: list[str] = []
        self.setSourceModel(rows)

    def set_filter(self, text: str) -> None:
        """Show the runs in which every word occurs: in name, note, origin or recipe."""
        self._words = text.casefold().split()
        self.invalidate()

    def run(self, index: Index) -> RunInfo:
        """The run behind a cell."""
        return self._rows.runs[self.mapToSource(index).row()]

    @override
    def filterAcceptsRow(self, source_row: int, source_parent: Index) -> bool:
        text = searched(self._rows.runs[source_row])
        return all(word in text for word in self._words)

    @override
    def lessThan(self, source_left: Index, source_right: Index) -> bool:
        runs, column = self._rows.runs, Column(source_left.column())
        left, right = (sort_key(runs[index.row()], column) for index in (source_left, source_right))
        if left is None or right is None:
            descending = self.sortOrder() == Qt.SortOrder.DescendingOrder
            return (left is None, right is None) == ((True, False) if descending else (False, True))
        return bool(left < right)
