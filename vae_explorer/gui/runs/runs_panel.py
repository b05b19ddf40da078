"""The dock of all runs: to sort, filter, name, compare and open them."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QAction, QContextMenuEvent, QKeySequence, QPalette, QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QMessageBox,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from vae_explorer.gui.runs.run_text import Column, size_text
from vae_explorer.gui.runs.runs_model import RunsModel, RunsOrder
from vae_explorer.gui.runs.runs_table import RunsTable
from vae_explorer.gui.theme import MARGIN, SPACE
from vae_explorer.gui.widgets.empty_state import EmptyState
from vae_explorer.gui.window.actions import keyed, native
from vae_explorer.session.runs.run_info import RunInfo
from vae_explorer.session.training.events import Phase

_NO_RUNS = "No runs yet: every run is kept, and listed here."
_READING = "Reading runs…"


class RunsPanel(QWidget):
    """All runs, newest first at the beginning, and what can be done with those selected.

    Signals, with the ``RunInfo`` of each run:
        open_requested(RunInfo), resume_requested(RunInfo), reveal_requested(RunInfo).
        compare_requested(RunInfo, RunInfo): two that were selected, the upper one first.
        recipe_requested(Recipe): is to be put into the form.
        trash_requested(tuple): runs, after a confirmation.
        renamed(RunInfo, str), noted(RunInfo, str): a person wrote a name or a note.
        training_requested(): there are none, and a person wants to make one.
        curves_changed(tuple): (path, colour "#rrggbb") of each run whose curves are wanted.
        shown(): the table can be seen, and should be up to date.
    """

    open_requested = Signal(object)
    resume_requested = Signal(object)
    reveal_requested = Signal(object)
    compare_requested = Signal(object, object)
    recipe_requested = Signal(object)
    trash_requested = Signal(tuple)
    renamed = Signal(object, str)
    noted = Signal(object, str)
    training_requested = Signal()
    curves_changed = Signal(tuple)
    shown = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._listed = False
        self._rows = RunsModel(self)
        self._order = RunsOrder(self._rows, self)
        self.table = RunsTable(self._rows, self._order)
        self._rows.renamed.connect(self.renamed)
        self._rows.noted.connect(self.noted)
        self._rows.curves_changed.connect(self._on_curves)
        self._filter = QLineEdit(placeholderText="Filter by name, recipe or note")
        self._filter.setAccessibleName("Filter runs")
        self._filter.setClearButtonEnabled(True)
        self._filter.textChanged.connect(self._on_filter)
        self._summary = QLabel()
        self._summary.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self._nothing = EmptyState()
        self._nothing.asked.connect(self._on_asked)
        self._make_actions()
        self._lay_out()
        self.table.selectionModel().selectionChanged.connect(self._show_state)
        self.table.doubleClicked.connect(self._on_double_click)
        self._show_state()

    def _make_actions(self) -> None:
        self._open = self._action(
            "Open", "Show the run's map, curves and timeline", self._on_open, "Return"
        )
        self._open.setShortcuts([QKeySequence("Return"), QKeySequence("Enter")])
        self._resume = self._action("Resume", "Resume an interrupted run", self._on_resume)
        self._compare = self._action(
            "Compare Maps", "Show the maps of two selected runs side by side", self._on_compare
        )
        self._copy = self._action(
            "Copy Recipe to Form", "Start from this run's recipe", self._on_recipe
        )
        self._reveal = self._action("Show Folder", "Open it in the file manager", self._on_reveal)
        self._rename = self._action(
            "Rename", "Give the run another name", self.table.edit_current, "F2"
        )
        self._trash = self._action(
            "Move to Trash…", "It can be restored from the system's trash", self._on_trash, "Del"
        )

    def _action(
        self, text: str, tip: str, do: Callable[[], None], key: str | None = None
    ) -> QAction:
        action = QAction(text, self)
        action.setToolTip(keyed(tip, native([key]) if key else ""))
        action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        if key:
            action.setShortcut(key)
        action.triggered.connect(do)
        self.table.addAction(action)
        return action

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(MARGIN, MARGIN, MARGIN, 0)
        bar.setSpacing(SPACE)
        self._filter.setMinimumWidth(120)
        bar.addWidget(self._filter, 1)
        bar.addWidget(self._summary)
        for action in (self._open, self._resume, self._compare):
            button = QToolButton()
            button.setDefaultAction(action)
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            bar.addWidget(button)
        below = QWidget()
        self._pages = QStackedLayout(below)
        self._pages.addWidget(self.table)
        self._pages.addWidget(self._nothing)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE)
        layout.addLayout(bar)
        layout.addWidget(below, 1)

    # Orders

    def set_runs(self, runs: Sequence[RunInfo]) -> None:
        """List these runs; what is selected, checked or being edited stays so."""
        self._listed = True
        self._rows.set_runs(runs)
        self._show_state()

    def set_run(self, run: RunInfo) -> None:
        """Show a run that is listed as it is now."""
        before = {known.path: known.phase for known in self._rows.runs}.get(run.path)
        self._rows.set_run(run)
        if before is not run.phase:
            self._show_state()

    @property
    def runs(self) -> tuple[RunInfo, ...]:
        """The runs listed."""
        return self._rows.runs

    @property
    def curves(self) -> tuple[tuple[Path, str], ...]:
        """As ``curves_changed`` tells."""
        return self._rows.curves

    @override
    def sizeHint(self) -> QSize:
        return QSize(640, 200)

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(super().minimumSizeHint().width(), 110)

    # Intent

    def _on_open(self) -> None:
        self.open_requested.emit(self.table.chosen()[0])

    def _on_resume(self) -> None:
        self.resume_requested.emit(self.table.chosen()[0])

    def _on_compare(self) -> None:
        self.compare_requested.emit(*self.table.chosen())

    def _on_reveal(self) -> None:
        self.reveal_requested.emit(self.table.chosen()[0])

    def _on_recipe(self) -> None:
        self.recipe_requested.emit(self.table.chosen()[0].recipe)

    def _on_trash(self) -> None:
        runs = self.table.chosen()
        what = f"“{runs[0].name}”" if len(runs) == 1 else f"{len(runs)} runs"
        text = f"Move {what} to the trash?"
        box = QMessageBox(QMessageBox.Icon.Question, "VAE Explorer", text, parent=self)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setTextFormat(Qt.TextFormat.PlainText)
        size = size_text(sum(run.size for run in runs))
        box.setInformativeText(f"{size}, with all snapshots; the system's trash can restore it.")
        box.setDefaultButton(box.addButton("Move to Trash", QMessageBox.ButtonRole.AcceptRole))
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.accepted.connect(lambda: self.trash_requested.emit(runs))
        box.open()

    def _on_curves(self) -> None:
        self.curves_changed.emit(self._rows.curves)

    def _on_double_click(self, index: QModelIndex) -> None:
        if index.column() == Column.NOTE:
            self.table.edit(index)
        elif self._open.isEnabled() and index.column() != Column.CURVE:
            self._on_open()

    def _on_filter(self, text: str) -> None:
        self._order.set_filter(text)
        self._show_state()

    def _on_asked(self) -> None:
        if self._rows.runs:
            self._filter.clear()
            self._filter.setFocus()
        else:
            self.training_requested.emit()

    # Showing

    def _show_state(self) -> None:
        """Say how many there are, and offer what can be done with those selected."""
        chosen, all_runs = self.table.chosen(), self._rows.runs
        busy = any(run.active for run in all_runs)
        one = chosen[0] if len(chosen) == 1 else None
        whole = one is not None and not one.damaged
        paused = one is not None and one.phase is Phase.PAUSED
        self._open.setEnabled(whole)
        left = one is not None and whole and not one.finished and not busy
        self._resume.setEnabled(left or paused)
        self._compare.setEnabled(len(chosen) == 2 and not any(run.damaged for run in chosen))
        self._copy.setEnabled(one is not None and one.recipe is not None and not busy)
        self._reveal.setEnabled(one is not None)
        self._rename.setEnabled(one is not None)
        self._trash.setEnabled(bool(chosen) and not any(run.active for run in chosen))
        count, seen = len(all_runs), self._order.rowCount()
        some = f"{seen:,} of {count:,}" if seen < count else f"{count:,}"
        size = size_text(sum(run.size for run in all_runs))
        self._summary.setText(f"{some} {'run' if count == 1 else 'runs'} · {size}" if count else "")
        if count:
            self._nothing.say(f"No run matches “{self._filter.text()}”.", "Clear Filter")
        elif self._listed:
            self._nothing.say(_NO_RUNS, "Train a Model")
        else:
            self._nothing.say(_READING, mood="busy")
        self._pages.setCurrentIndex(0 if seen else 1)

    # Qt's events

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.shown.emit()

    @override
    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if not self.table.chosen():
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setToolTipsVisible(True)
        menu.addActions([self._open, self._resume, self._compare, self._copy])
        menu.addSeparator()
        menu.addActions([self._rename, self._reveal, self._trash])
        menu.popup(event.globalPos())
