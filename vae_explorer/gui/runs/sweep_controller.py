"""Between the sweep dock and the session."""

from PySide6.QtWidgets import QWidget

from vae_explorer.gui.dialogs.ask_path import ask_folder
from vae_explorer.gui.runs.sweep_panel import SweepPanel
from vae_explorer.gui.training.training_panel import TrainingPanel
from vae_explorer.gui.window.docks import reveal
from vae_explorer.gui.window.records import BOTTOM, Command, Controller, Panel
from vae_explorer.session.app import App
from vae_explorer.session.training.events import Begun, Phase, TrainingEvent, TrainingStatus


class SweepController(Controller):
    """Wires the dock to the app.

    Args:
        app: told what a person wants, and listened to.
        training: whose form has the recipe that is varied.
        window: the parent of dialogs.
    """

    def __init__(self, app: App, training: TrainingPanel, window: QWidget) -> None:
        super().__init__(app)
        sweeps = app.sweeps
        self.panel = panel = SweepPanel()
        self._training = training
        self._window = window
        panel.start_requested.connect(lambda varied: sweeps.start(training.recipe(), varied))
        panel.stop_requested.connect(sweeps.stop)
        panel.go_on_requested.connect(sweeps.go_on)
        panel.open_requested.connect(self._open)
        panel.cell_chosen.connect(sweeps.open_cell)
        training.recipe_changed.connect(panel.set_recipe)
        app.model.opened.connect(self._follow_form)
        app.training.events.connect(self._on_event)
        sweeps.opened.connect(panel.set_sweep)
        sweeps.results_changed.connect(panel.set_results)
        sweeps.map_made.connect(panel.set_map)
        sweeps.running_changed.connect(panel.set_running)
        app.training.status_changed.connect(self._on_status)
        self.commands = (
            Command("sweep", "Training", "Sweep…",
                "Train a recipe with one or two of its fields varied", self._reveal),
        )  # fmt: skip
        self.panels = (Panel("sweep", panel, BOTTOM, hidden=True, size=280),)

    def _reveal(self) -> None:
        self._follow_form()
        reveal(self.panel)

    def _follow_form(self) -> None:
        self.panel.set_recipe(self._training.recipe())

    def _on_event(self, event: TrainingEvent) -> None:
        if isinstance(event, Begun):  # its recipe is in the form by now
            self._follow_form()

    def _open(self) -> None:
        if path := ask_folder(self._window, "Open Sweep", self._app.training.runs):
            self._app.sweeps.open(path)

    def _on_status(self, status: TrainingStatus) -> None:
        self.panel.set_free(status.phase is Phase.IDLE)
