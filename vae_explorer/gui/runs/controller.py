"""Between the catalogue of runs and the dock that shows it."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QFile, QUrl
from PySide6.QtGui import QDesktopServices

from vae_explorer.gui.curves.curve_table import Overlay
from vae_explorer.gui.runs.runs_panel import RunsPanel
from vae_explorer.gui.training.training_panel import TrainingPanel
from vae_explorer.gui.window.docks import reveal
from vae_explorer.gui.window.records import BOTTOM, Command, Controller, Panel
from vae_explorer.session.app import App
from vae_explorer.session.runs.catalogue import RunCatalogue
from vae_explorer.session.runs.run_info import RunInfo
from vae_explorer.training.history import HistoryPoint

_ROOM = (1_700, 900)
"""Of a window that shows the runs below the map when it is laid out to train."""

Curves = tuple[tuple[Path, str], ...]


class RunsController(Controller):
    """Wires the dock of runs to the app.

    Args:
        app: told what a person wants, and listened to.
        training: its form takes recipes, its plot the curves of other runs.
        compare: shows two models, each a checkpoint, side by side.
    """

    def __init__(
        self,
        app: App,
        training: TrainingPanel,
        compare: Callable[[Path, Path], None],
    ) -> None:
        super().__init__(app)
        self.catalogue = RunCatalogue(app.tasks, app.runs, app.model.open, _move_to_trash)
        self.panel = panel = RunsPanel()
        self._training = training
        self._compare = compare
        self._curves: Curves = ()
        self._points: dict[Path, tuple[HistoryPoint, ...]] = {}
        self._overlays: tuple[Overlay, ...] = ()
        self.catalogue.listed.connect(self._on_listed)
        self.catalogue.updated.connect(self._on_updated)
        self.catalogue.history_read.connect(self._on_history)
        panel.shown.connect(self.catalogue.refresh)
        panel.open_requested.connect(self._open)
        panel.resume_requested.connect(self._resume)
        panel.compare_requested.connect(self._compare_runs)
        panel.recipe_requested.connect(training.set_recipe)
        panel.reveal_requested.connect(self._reveal)
        panel.trash_requested.connect(self._discard)
        panel.renamed.connect(self._rename)
        panel.noted.connect(self._note)
        panel.curves_changed.connect(self._on_curves)
        self.commands = (
            Command("runs", "View", "Browse Runs",
                "All training runs: sort, name, compare, open, resume", self._show,
                ("Ctrl+Shift+R",)),
        )  # fmt: skip
        self.panels = (Panel("runs", panel, BOTTOM, ("train",), hidden=True, room=_ROOM),)

    # What the catalogue says

    def _on_listed(self, runs: tuple[RunInfo, ...]) -> None:
        self.panel.set_runs(runs)
        for run in runs:
            points = self._points.get(run.path)
            if points and points[-1].epoch != run.figures.epoch:
                self.catalogue.read_history(run.path)
        self._on_curves(self.panel.curves)

    def _on_updated(self, run: RunInfo) -> None:
        self.panel.set_run(run)
        self._tell_overlays()

    def _on_history(self, run: Path, points: tuple[HistoryPoint, ...]) -> None:
        self._points[run] = points
        self._tell_overlays()

    # What a person asks for

    def _show(self) -> None:
        reveal(self.panel)
        self.panel.table.setFocus()

    def _open(self, run: RunInfo) -> None:
        self.catalogue.open(run.path)

    def _resume(self, run: RunInfo) -> None:
        if run.recipe is not None and not run.active:
            self._training.set_recipe(run.recipe)
        self.catalogue.resume(run.path)

    def _compare_runs(self, a: RunInfo, b: RunInfo) -> None:
        self._compare(a.model_path, b.model_path)

    def _reveal(self, run: RunInfo) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(run.path)))

    def _discard(self, runs: tuple[RunInfo, ...]) -> None:
        self.catalogue.trash([run.path for run in runs])

    def _rename(self, run: RunInfo, name: str) -> None:
        self.catalogue.rename(run.path, name)

    def _note(self, run: RunInfo, note: str) -> None:
        self.catalogue.note(run.path, note)

    # Curves of other runs

    def _on_curves(self, curves: Curves) -> None:
        self._curves = curves
        wanted = [path for path, _ in curves]
        self._points = {path: self._points[path] for path in wanted if path in self._points}
        for path in wanted:
            if path not in self._points:
                self.catalogue.read_history(path)
        self._tell_overlays()

    def _tell_overlays(self) -> None:
        """Tell of the curves that are there by now, if they are others than before."""
        names = {run.path: run.name for run in self.panel.runs}
        overlays = tuple(
            Overlay(names[path], color, self._points[path])
            for path, color in self._curves
            if path in self._points and path in names
        )
        if overlays != self._overlays:
            self._overlays = overlays
            self._training.plot.set_overlays(overlays)


def _move_to_trash(run: Path) -> bool:
    return bool(QFile.moveToTrash(str(run)))
