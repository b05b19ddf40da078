"""Between the sweep dock and the session."""

from PySide6.QtWidgets import QWidget

from vae_explorer.errors import UserError
from vae_explorer.gui.dialogs.ask_path import ask_folder
from vae_explorer.gui.runs.sweep_panel import SweepPanel
from vae_explorer.gui.training.training_panel import TrainingPanel
from vae_explorer.gui.window.docks import reveal
from vae_explorer.gui.window.records import BOTTOM, Command, Controller, Panel
from vae_explorer.session.app import App
from vae_explorer.session.training.events import Phase, TrainingStatus
from vae_explorer.training.sweep import Axis, Sweep


class SweepController(Controller):
    """Wires the dock to the app.

    Args:
        app: told what a person wants, and listened to.
        training: whose form has the recipe that is varied.
        window: the parent of dialogs.
    """

    def __init__(self, app: App, training: TrainingPanel, window: QWidget) -> None:
        super().__init__(app)
        self._sweeps = app.sweeps
        self.panel = panel = SweepPanel()
        self._training = training
        self._window = window
        panel.start_requested.connect(self._start)
        panel.stop_requested.connect(self._sweeps.stop)
        panel.go_on_requested.connect(self._sweeps.go_on)
        panel.open_requested.connect(self._open)
        panel.cell_chosen.connect(self._sweeps.open_cell)
        training.recipe_changed.connect(panel.set_recipe)
        self._sweeps.opened.connect(panel.set_sweep)
        self._sweeps.results_changed.connect(panel.set_results)
        self._sweeps.map_made.connect(panel.set_map)
        self._sweeps.running_changed.connect(panel.set_running)
        app.training.status_changed.connect(self._on_status)
        self.commands = (
            Command("sweep", "Training", "Sweep…",
                "Train a recipe with one or two of its fields varied", self._reveal),
        )  # fmt: skip
        self.panels = (Panel("sweep", panel, BOTTOM, hidden=True),)

    def _reveal(self) -> None:
        self.panel.set_recipe(self._training.form.recipe())
        reveal(self.panel)

    def _start(self, axes: tuple[Axis, ...]) -> None:
        try:
            sweep = Sweep(self._training.form.recipe(), axes)
        except UserError as error:
            self._app.messages.fail("The sweep did not start", error)
            return
        self._sweeps.start(sweep)

    def _open(self) -> None:
        if path := ask_folder(self._window, "Open Sweep", self._app.training.runs):
            self._sweeps.open(path)

    def _on_status(self, status: TrainingStatus) -> None:
        self.panel.set_free(status.phase is Phase.IDLE)
