"""Between the run and the dock of its curves."""

from vae_explorer.gui.curves.plots import ElboPlot
from vae_explorer.gui.window.docks import reveal
from vae_explorer.gui.window.records import LEFT, Command, Controller, Panel
from vae_explorer.session.app import App
from vae_explorer.session.training.events import (
    Begun,
    Phase,
    Progress,
    TrainingEvent,
    TrainingStatus,
)
from vae_explorer.training.meaning import no_likelihood
from vae_explorer.training.recipe import Recipe


class CurvesController(Controller):
    """Shows the history of the run on the map as it grows."""

    def __init__(self, app: App) -> None:
        super().__init__(app)
        self._running = False
        self.plot = plot = ElboPlot()
        app.model.opened.connect(lambda snapshot: self._show_run(snapshot.recipe))
        app.training.events.connect(self._on_event)
        app.training.status_changed.connect(self._on_status)
        self.commands = (
            Command("curves", "View", "Training Curves",
                "The ELBO, its two terms and the gap to log p(x) of the run on the map",
                self._reveal, ("Ctrl+U",)),
        )  # fmt: skip
        self.panels = (
            Panel("curves", plot, LEFT, {"train": (0, 500)}, hidden=True, size=420, under=True),
        )

    def _reveal(self) -> None:
        reveal(self.plot)
        self.plot.setFocus()

    def _show_run(self, recipe: Recipe) -> None:
        self.plot.set_history(self._app.runs.timeline.history, no_likelihood(recipe))

    def _on_status(self, status: TrainingStatus) -> None:
        running = status.phase is not Phase.IDLE
        if running is not self._running:
            self._running = running
            self.plot.set_running(running)

    def _on_event(self, event: TrainingEvent) -> None:
        match event:
            case Begun(recipe=recipe):
                self._show_run(recipe)
            case Progress():
                self.plot.grow()
