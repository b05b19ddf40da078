"""Runs as rows of a table: what each cell says, how rows are ordered, which pass a filter."""

import textwrap
from collections.abc import Sequence
from enum import IntEnum
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

from vae_explorer.number_format import NONE, figure
from vae_explorer.session.runs.run_info import RunInfo, differences
from vae_explorer.session.state import Phase
from vae_explorer.training.recipe import Recipe

Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()
_ROLE = Qt.ItemDataRole
_TIP_LETTERS = 88

OVERLAY_COLORS = (
    "#d0479c", "#3a9a4b", "#6f74dd", "#8a8a24", "#dc4646", "#2b93c4", "#a96b59", "#7d828d",
)  # fmt: skip
"""Of the curves of other runs: all are seen on the light canvas and on the dark one."""


class Column(IntEnum):
    """What a run is told by, from left to right."""

    CURVE = 0
    NAME = 1
    RECIPE = 2
    ELBO = 3
    LOG_MARGINAL = 4
    EPOCHS = 5
    SECONDS = 6
    DATE = 7
    NOTE = 8


_TREATED = "Figures with † are of another data treatment or likelihood, and do not compare."
_HEADERS = {
    Column.CURVE: ("Curve", "Draw the run's curves beside those of the run shown (Space)"),
    Column.NAME: ("Name", "F2 renames; ▶ is under way, ⚠ is damaged"),
    Column.RECIPE: ("Recipe", "What differs from the default recipe; the tool tip has all of it"),
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
                    if _cell(before, column) != _cell(run, column):
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
        rows = [row for row in rows if _has_curve(self._runs[row])]
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
        elif column == Column.CURVE and _has_curve(self._runs[index.row()]):
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
            return _RIGHT if section in _NUMBERS else _LEFT
        return None

    @override
    def data(self, index: Index, role: int = _ROLE.DisplayRole) -> Any:
        """What a cell says and how; in the user role the colour of a curve that is wanted."""
        run, column = self._runs[index.row()], Column(index.column())
        match role:
            case _ROLE.DisplayRole:
                return _cell(run, column)
            case _ROLE.EditRole:
                return run.note if column is Column.NOTE else run.name
            case _ROLE.ToolTipRole:
                return describe(run)
            case _ROLE.TextAlignmentRole:
                return _RIGHT if column in _NUMBERS else _LEFT
            case _ROLE.AccessibleTextRole:
                return _spoken(run, column)
            case _ROLE.FontRole if run.active:
                font = QFont()
                font.setBold(True)
                return font
            case _ROLE.ForegroundRole if run.damaged:
                return QApplication.palette().color(QPalette.ColorRole.PlaceholderText)
            case _ROLE.CheckStateRole if column is Column.CURVE and _has_curve(run):
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
        text = _searched(self._rows.runs[source_row])
        return all(word in text for word in self._words)

    @override
    def lessThan(self, source_left: Index, source_right: Index) -> bool:
        runs, column = self._rows.runs, Column(source_left.column())
        left, right = (_key(runs[index.row()], column) for index in (source_left, source_right))
        if left is None or right is None:
            descending = self.sortOrder() == Qt.SortOrder.DescendingOrder
            return (left is None, right is None) == ((True, False) if descending else (False, True))
        return bool(left < right)


def describe(run: RunInfo) -> str:
    """All of a run, with its full recipe, line by line."""
    told = run.figures
    lines = [run.name, str(run.path), run.origin and f"From {run.origin}", run.note]
    if run.active:
        lines.append("Paused" if run.phase is Phase.PAUSED else "Under way")
    lines.append(run.damaged)
    seconds = figure(told.seconds, ",.0f", "s", none="")
    parts = (f"{_cell(run, Column.EPOCHS)} epochs", seconds, size_text(run.size))
    lines.append(" · ".join(filter(None, parts)))
    figures = (
        ("best held-out ELBO", told.best_elbo, " nats"),
        ("log p(x)", told.log_marginal, " nats"),
        ("KL", told.kl, " nats"),
    )
    known = [f"{name} {figure(x, 2)}{unit}" for name, x, unit in figures if x is not None]
    if told.active_units is not None:
        known.append(f"{told.active_units} of 2 units active")
    lines.append(" · ".join(known))
    if run.recipe is not None:
        lines += _recipe_lines(run.recipe)
    wrapped = (textwrap.fill(line, _TIP_LETTERS, subsequent_indent="    ") for line in lines)
    return "\n".join(filter(None, wrapped))


def size_text(size: int) -> str:
    """Bytes as a person reads them."""
    megabytes = size / 1e6
    return f"{megabytes / 1000:.1f} GB" if megabytes >= 1000 else f"{megabytes:.1f} MB"


def _recipe_lines(recipe: Recipe) -> list[str]:
    """One line a group of fields."""
    groups: dict[str, list[str]] = {}
    for name, spec in recipe.specs().items():
        groups.setdefault(spec.group, []).append(f"{name} {getattr(recipe, name)}")
    return [f"{group}: {', '.join(fields)}" for group, fields in groups.items()]


def _has_curve(run: RunInfo) -> bool:
    return run.figures.epoch > 0


def _cell(run: RunInfo, column: Column) -> str:
    told = run.figures
    match column:
        case Column.NAME:
            mark = "▶ " if run.active else "⚠ " if run.damaged else ""
            return mark + run.name
        case Column.RECIPE:
            return run.damaged or (_recipe_text(run.recipe) if run.recipe else "")
        case Column.ELBO:
            return _nats(run, told.best_elbo)
        case Column.LOG_MARGINAL:
            return _nats(run, told.log_marginal)
        case Column.EPOCHS:
            done = f"{told.epoch:.1f}".removesuffix(".0")
            return f"{done} of {run.recipe.epochs:,}" if run.recipe else done
        case Column.SECONDS:
            return figure(told.seconds, ",.0f")
        case Column.DATE:
            return f"{run.date:%Y-%m-%d %H:%M}"
        case Column.NOTE:
            return run.note
    return ""


def _recipe_text(recipe: Recipe) -> str:
    # Epochs have a column of their own.
    return " · ".join(differences(recipe, Recipe(epochs=recipe.epochs))) or "default"


def _nats(run: RunInfo, value: float | None) -> str:
    if value is None:
        return NONE
    return figure(value, 2) + (" †" if run.recipe and _measure(run.recipe) != _USUAL else "")


def _measure(recipe: Recipe) -> tuple[str, str]:
    """Likelihoods of runs that differ in this do not compare."""
    return recipe.treatment, recipe.likelihood


_USUAL = _measure(Recipe())


def _spoken(run: RunInfo, column: Column) -> str:
    """What a cell says to who cannot see it."""
    match column:
        case Column.CURVE:
            return f"Curve of {run.name}"
        case Column.NAME if run.active:
            return f"{run.name}, {'paused' if run.phase is Phase.PAUSED else 'under way'}"
        case Column.NAME if run.damaged:
            return f"{run.name}, damaged"
    return _cell(run, column)


def _searched(run: RunInfo) -> str:
    texts = (run.name, run.path.name, run.note, run.origin, _cell(run, Column.RECIPE))
    return "\n".join(texts).casefold()


def _key(run: RunInfo, column: Column) -> Any:
    """What a column is sorted by; None comes last."""
    told = run.figures
    match column:
        case Column.CURVE | Column.NAME:
            return run.name.casefold()
        case Column.ELBO | Column.LOG_MARGINAL:
            value = told.best_elbo if column is Column.ELBO else told.log_marginal
            if value is None or run.recipe is None:
                return None
            return _measure(run.recipe), value
        case Column.EPOCHS:
            return told.epoch
        case Column.SECONDS:
            return told.seconds
        case Column.DATE:
            return run.date
        case Column.NOTE:
            return run.note.casefold() or None
    return _cell(run, column).casefold()
