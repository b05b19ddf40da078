"""Between the training docks and the runs: transport, steering, recipes, slow motion, log."""

from functools import partial

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from vae_explorer.data.dataset import Dataset
from vae_explorer.gui.dialogs.ask_path import RECIPE, AskPath
from vae_explorer.gui.dialogs.selection import NameDialog
from vae_explorer.gui.training.log_view import LogView
from vae_explorer.gui.training.slow_motion import SlowMotion
from vae_explorer.gui.training.training_panel import TrainingPanel
from vae_explorer.gui.window.docks import reveal
from vae_explorer.gui.window.records import BOTTOM, LEFT, Command, Controller, Panel
from vae_explorer.session.app import App
from vae_explorer.session.messages import words
from vae_explorer.session.training.control import reseeded
from vae_explorer.session.training.events import (
    LOGGED,
    Begun,
    Dissected,
    Ended,
    Failed,
    Found,
    Started,
    TrainingEvent,
    TrainingStatus,
)
from vae_explorer.session.training.worker import Until
from vae_explorer.training.estimate import Estimate
from vae_explorer.training.presets import Preset
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.snapshot import Snapshot

_OPENING_MS, _SETTLE_MS = 4_000, 700
"""Before a recipe is measured: while a window opens, and after a person changed the recipe."""


class TrainingController(Controller):
    """Wires the training dock to the runs, and has those of slow motion and the log.

    Args:
        app: told what a person wants, and listened to.
        ask: asks for files.
        window: the parent of dialogs.
    """

    def __init__(self, app: App, ask: AskPath, window: QWidget) -> None:
        super().__init__(app)
        self._importing = app.tasks.newest("recipe", "The recipe was not imported")
        self._runs = app.runs
        self._run = app.runs.training
        self.panel = panel = TrainingPanel()
        self.slow_motion, self.log = SlowMotion(), LogView()
        self._recipe = panel.recipe
        self._ask = ask
        self._window = window
        self.commands = self._commands()
        self._show_keys()
        app.settings.changed.connect(self._show_keys)
        self.panels = (
            Panel("training", panel, LEFT, {"train": (0, 0)}, size=330),
            Panel("slow", self.slow_motion, BOTTOM, hidden=True, size=310, title="Slow motion"),
            Panel("log", self.log, BOTTOM, hidden=True, size=180),
        )
        self.changes = (self._run.status_changed,)
        panel.form.steered.connect(self._run.steer)
        panel.stop_rule.rule_changed.connect(self._run.set_rule)
        self.slow_motion.step_requested.connect(self._dissect)
        panel.presets.save_requested.connect(self._save_preset)
        panel.presets.delete_requested.connect(app.presets.delete)
        panel.presets.import_requested.connect(self._import)
        panel.presets.export_requested.connect(self._export)
        panel.presets.chosen.connect(self._on_chosen)
        panel.recipe_changed.connect(self._on_recipe)
        panel.shown.connect(self._on_shown)
        app.estimates.estimated.connect(self._on_estimated)
        app.estimates.failed.connect(self._on_not_estimated)
        self._run.status_changed.connect(self._on_status)
        self._run.events.connect(self._on_event)
        app.model.opened.connect(self._on_opened)
        app.presets.changed.connect(self._on_presets)
        app.data.changed.connect(self._on_data)
        app.presets.left_out.connect(self.log.append)
        app.messages.published.connect(self.log.append)
        app.messages.failed.connect(self._log_failure)
        self._resting = QTimer(panel, singleShot=True)
        self._resting.timeout.connect(self._measure)
        self._offered: Recipe | None = panel.presets.recipe
        """What is in the form while nobody has chosen yet, in this window."""
        self._offer(app.presets.all)

    # Commands

    def _show_keys(self) -> None:
        self.panel.transport.set_commands(self.commands_as_chosen())

    def _commands(self) -> tuple[Command, ...]:
        run = self._run

        def idle() -> bool:
            return not run.active

        def live() -> bool:
            return run.live

        def not_stopping() -> bool:
            return run.live or not run.active

        return (
            Command("start", "Training", "Start", "Train a new model by the recipe chosen",
                self._start, ("Ctrl+T",), enabled=idle),
            Command("pause", "Training", "Pause or Resume", "Pause the run, or continue it",
                run.toggle_pause, ("Space",), enabled=live),
            Command("stop", "Training", "Stop", "End the run and keep its model", run.stop,
                ("F8", "Ctrl+."), enabled=live),
            Command("step", "Training", "Step", "Take one gradient step, then pause",
                partial(self._go, "step"), ("F6", "."), enabled=not_stopping),
            Command("epoch", "Training", "Epoch", "Train to the end of the epoch, then pause",
                partial(self._go, "epoch"), ("F7", "Alt+."), enabled=not_stopping),
            Command("slow_motion", "Training", "Slow Motion",
                "Take one gradient step and show it stage by stage", self._slow_motion,
                ("F9",), enabled=not_stopping),
            Command("restart", "Training", "Restart",
                "Start again with the same recipe and seed, paused before the first step",
                self._restart, ("Ctrl+Shift+N",), enabled=not_stopping, separator=True),
            Command("branch", "Training", "Branch",
                "Go on from the model on the map as a new run, by the recipe in the form; "
                "AdamW's averages start from zero",
                self._branch, enabled=not_stopping,
                lacks=lambda: self._app.model.no_weights),
            Command("new_seed", "Training", "New Seed", "Put a new random seed into the form",
                self._new_seed, enabled=idle),
            Command("estimate", "Training", "Estimate",
                "Estimate how long the recipe in the form takes on this computer, and its memory",
                self._estimate, enabled=idle),
        )  # fmt: skip

    def _start(self) -> None:
        recipe = self._recipe()  # before a field that is shown again forgets its typing
        reveal(self.panel)
        self._runs.train(recipe)

    def _go(self, until: Until) -> None:
        """Train so far and pause, from wherever training stands."""
        if self._run.active:
            self._run.advance(until)
        else:
            self._runs.train(self._recipe(), until)

    def _dissect(self) -> None:
        self._go("dissected")

    def _slow_motion(self) -> None:
        reveal(self.slow_motion)
        self._dissect()

    def _restart(self) -> None:
        self._run.end_then(partial(self._runs.train, self._recipe(), paused=True))

    def _branch(self) -> None:
        self._run.end_then(partial(self._runs.branch, self._recipe()))

    def _new_seed(self) -> None:
        self.panel.take_recipe(reseeded(self._recipe()))

    # Recipes

    def _offer(self, presets: tuple[Preset, ...]) -> None:
        """Offer these, at first the one chosen last."""
        self.panel.presets.set_presets(presets)
        if self.panel.presets.recipe == self._offered:
            self._offered = self._app.presets.chosen.recipe
            self.panel.set_recipe(self._offered)
        self._show_cost(_OPENING_MS)

    def _on_presets(self, presets: tuple[Preset, ...]) -> None:
        self._offer(presets)
        self._offered = None

    def _on_data(self, data: Dataset) -> None:
        """Offer what the program proposes for other data, but while a run keeps its recipe."""
        self.panel.form.set_image_shape(data.image_shape)
        if not self._run.active:
            self.panel.take_recipe(self._app.presets.all[0].recipe)

    def _on_chosen(self, preset: Preset) -> None:
        self._app.presets.choose(preset.name)

    def _on_recipe(self) -> None:
        self._show_cost(_SETTLE_MS)

    def _on_shown(self) -> None:
        self._resting.start(_OPENING_MS)

    def _estimate(self) -> None:
        """Measure the recipe in the form once more."""
        recipe = self._recipe()
        self.panel.presets.set_recipe(recipe)
        self.panel.presets.set_estimating()
        self._app.estimates.measure(recipe)

    def _show_cost(self, rest_ms: int) -> None:
        """Show what the recipe in the form costs: measured, if need be, once nobody changes it."""
        known = self._app.estimates.known(self.panel.presets.recipe)
        if known is None:
            self._resting.start(rest_ms)
        else:
            self.panel.presets.set_estimate(known)

    def _measure(self) -> None:
        recipe, estimates = self.panel.presets.recipe, self._app.estimates
        if self.panel.isVisible() and not self._run.active and not estimates.known(recipe):
            estimates.measure(recipe)

    def _save_preset(self) -> None:
        recipe, presets = self._recipe(), self._app.presets
        taken = {preset.name for preset in presets.all if preset.own}
        dialog = NameDialog("Save Preset", taken, self._window, file=True)
        dialog.ask(lambda name: presets.save(name, recipe))

    def _import(self) -> None:
        path = self._ask.open("Import Recipe", RECIPE)
        if path is not None:
            self._importing.run(lambda _: Recipe.read(path), self._on_imported)

    def _on_imported(self, recipe: Recipe) -> None:
        if not self._run.active:
            self.panel.take_recipe(recipe)

    def _export(self) -> None:
        recipe = self._recipe().to_toml().encode()
        if path := self._ask.save("Export Recipe", "recipe.toml", RECIPE):
            self._app.exports.content(path, recipe, "The recipe was not exported")

    # What the runs say

    def _on_opened(self, snapshot: Snapshot) -> None:
        self._forget_run()
        if self._app.model.own and not self._run.active:
            self._offered = None
            self.panel.set_recipe(snapshot.recipe)
            self._show_cost(_OPENING_MS)

    def _on_status(self, status: TrainingStatus) -> None:
        self.panel.set_status(status)
        self.slow_motion.set_phase(status.phase)

    def _forget_run(self) -> None:
        self.panel.forget_run()
        self.slow_motion.clear()

    def _log_failure(self, title: str, text: str) -> None:
        self.log.append(f"{title}: {text}")

    def _on_event(self, event: TrainingEvent) -> None:
        panel = self.panel
        if isinstance(event, LOGGED):
            self.log.append(str(event))
        match event:
            case Started():
                self._forget_run()
            case Begun(recipe=recipe):
                if recipe != panel.presets.recipe:
                    panel.set_recipe(recipe)
            case Dissected(anatomy):
                self.slow_motion.set_anatomy(anatomy)
            case Found(findings):
                panel.health.set_findings(findings)
            case Ended():
                self._show_cost(_OPENING_MS)
            case Failed(error):
                panel.health.set_failure(words(error))

    def _on_estimated(self, recipe: Recipe, estimate: Estimate) -> None:
        if recipe == self.panel.presets.recipe:
            self.panel.presets.set_estimate(estimate)

    def _on_not_estimated(self, recipe: Recipe, error: BaseException) -> None:
        if recipe == self.panel.presets.recipe:
            self.panel.presets.set_no_estimate(words(error))
