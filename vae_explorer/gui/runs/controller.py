"""Between the catalogue of runs and the dock that shows it."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QFile, QUrl
from PySide6.QtGui import QDesktopServices

from vae_explorer.gui.curves.curve_table import Overlay
from vae_explorer.gui.curves.plots import ElboPlot
from vae_explorer.gui.runs.runs_panel import RunsPanel
from vae_explorer.gui.training.training_panel import TrainingPanel
from vae_explorer.gui.window.docks import reveal
from vae_explorer.gui.window.records import BOTTOM, Command, Controller, Panel
from vae_explorer.session.app import App
from vae_explorer.session.runs.run_info import RunInfo


class RunsController(Controller):
    """Wires the dock of runs to the app.

    Args:
        app: told what a person wants, and listened to.
        training: its form takes recipes.
        curves: shows those of other runs too.
        compare: shows two models, each a checkpoint, side by side.
    """

    def __init__(
        self,
        app: App,
        training: TrainingPanel,
        curves: ElboPlot,
        compare: Callable[[Path, Path], None],
    ) -> None:
        super().__init__(app)
        self._catalogue = catalogue = app.catalogue
        self.panel = panel = RunsPanel()
        self._training = training
        self._plot = curves
        self._overlays: tuple[Overlay, ...] = ()
        catalogue.listed.connect(self._on_listed)
        catalogue.updated.connect(self._on_updated)
        catalogue.histories_changed.connect(self._show_curves)
        catalogue.interrupted.connect(self._on_interrupted)
        training.interrupted.resume_requested.connect(self._resume)
        training.interrupted.dismissed.connect(catalogue.dismiss_interrupted)
        panel.shown.connect(catalogue.refresh)
        panel.training_requested.connect(self._show_training)
        panel.open_requested.connect(lambda run: catalogue.open(run.path))
        panel.resume_requested.connect(self._resume)
        panel.compare_requested.connect(lambda a, b: compare(a.model_path, b.model_path))
        panel.recipe_requested.connect(training.take_recipe)
        panel.reveal_requested.connect(self._reveal)
        panel.trash_requested.connect(self._discard)
        panel.renamed.connect(lambda run, name: catalogue.rename(run.path, name))
        panel.noted.connect(lambda run, note: catalogue.note(run.path, note))
        panel.curves_changed.connect(self._on_curves)
        self.commands = (
            Command("runs", "View", "Browse Runs",
                "All training runs: sort, name, compare, open, resume", self._show,
                ("Ctrl+Shift+R",)),
        )  # fmt: skip
        self.panels = (Panel("runs", panel, BOTTOM, hidden=True, size=220),)

    def _show_training(self) -> None:
        reveal(self._training)

    # What the catalogue says

    def _on_listed(self, runs: tuple[RunInfo, ...]) -> None:
        self.panel.set_runs(runs)
        self._on_curves()

    def _on_updated(self, run: RunInfo) -> None:
        self.panel.set_run(run)
        self._show_curves()

    def _on_interrupted(self, run: RunInfo) -> None:
        if not self._app.training.active:
            reveal(self._training)
            self._training.interrupted.set_run(run)

    # What a person asks for

    def _show(self) -> None:
        reveal(self.panel)
        self.panel.table.setFocus()

    def _resume(self, run: RunInfo) -> None:
        if run.recipe is not None and not run.active:
            self._training.take_recipe(run.recipe)
        self._catalogue.resume(run.path)

    def _reveal(self, run: RunInfo) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(run.path)))

    def _discard(self, runs: tuple[RunInfo, ...]) -> None:
        self._catalogue.trash([run.path for run in runs], _move_to_trash)

    def _on_curves(self) -> None:
        self._catalogue.want_histories([path for path, _ in self.panel.curves])
        self._show_curves()

    def _show_curves(self) -> None:
        """Show the curves that are there by now, if they are others than before."""
        names = {run.path: run.name for run in self.panel.runs}
        histories = self._catalogue.histories
        overlays = tuple(
            Overlay(names[path], color, histories[path])
            for path, color in self.panel.curves
            if path in histories
        )
        if overlays != self._overlays:
            self._overlays = overlays
            self._plot.set_overlays(overlays)


def _move_to_trash(run: Path) -> bool:
    return bool(QFile.moveToTrash(str(run)))
