"""Between the training dock and the runs: transport, steering, recipes, slow motion and health."""

import random
from collections.abc import Callable
from functools import partial

from PySide6.QtWidgets import QWidget

from vae_explorer.errors import UserError
from vae_explorer.gui.dialogs.ask_path import CSV, PDF, PNG, RECIPE, SVG, AskPath
from vae_explorer.gui.dialogs.selection import NameDialog
from vae_explorer.gui.training.training_panel import TrainingPanel
from vae_explorer.gui.window.docks import reveal
from vae_explorer.gui.window.records import LEFT, Command, Controller, Panel
from vae_explorer.session.app import App
from vae_explorer.session.training.events import (
    LOGGED,
    Dissected,
    Ended,
    Failed,
    Found,
    Moved,
    Paused,
    Phase,
    Progress,
    Started,
    TrainingEvent,
)
from vae_explorer.session.training.worker import Until
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.snapshot import Snapshot

_MOST_SEED = 9_999  # short enough to be read out


class TrainingController(Controller):
    """Wires the training dock to the runs.

    A step, an epoch or slow motion of a run that runs pauses it first; a restart or a branch ends
    and keeps the run under way.

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
        self.panel = TrainingPanel()
        self._ask = ask
        self._window = window
        self._until: Until | None = None
        """How a run that is about to pause goes on at once."""
        self._next: Callable[[], None] | None = None
        """What begins when the run under way has ended."""
        self._recipe_due = False
        """Whether the form is yet to show the recipe of a run, which may not be of the form."""
        self.commands = commands = self._commands()
        self.panel.transport.set_commands(commands)
        self.panels = (Panel("training", self.panel, LEFT, ("train",), width=340),)
        self.changes = (self._run.status_changed,)
        self._connect_panel()
        self._connect_lab()

    def _connect_panel(self) -> None:
        panel = self.panel
        panel.form.steered.connect(self._on_steered)
        panel.stop_rule.rule_changed.connect(self._run.set_rule)
        panel.slow_motion.step_requested.connect(self._dissect)
        panel.presets.save_requested.connect(self._save_preset)
        panel.presets.delete_requested.connect(self._app.presets.delete)
        panel.presets.import_requested.connect(self._import)
        panel.presets.export_requested.connect(self._export)
        panel.plot.export_requested.connect(self._export_curves)
        panel.presets.estimate_requested.connect(self._estimate)

    def _connect_lab(self) -> None:
        runs, run, panel = self._runs, self._run, self.panel
        runs.estimated.connect(panel.presets.set_estimate)
        runs.not_estimated.connect(self._on_not_estimated)
        runs.left.connect(self._on_left)
        app = self._app
        app.model.opened.connect(self._on_opened)
        app.presets.changed.connect(panel.presets.set_presets)
        app.presets.left_out.connect(panel.log.append)
        app.messages.published.connect(panel.log.append)
        app.messages.failed.connect(self._log_failure)
        run.status_changed.connect(panel.set_status)
        run.events.connect(self._on_event)

    # Commands

    def _commands(self) -> tuple[Command, ...]:
        def phase() -> Phase:
            return self._run.status.phase

        def idle() -> bool:
            return phase() is Phase.IDLE

        def live() -> bool:
            return phase() in (Phase.RUNNING, Phase.PAUSED)

        def not_stopping() -> bool:
            return phase() is not Phase.STOPPING

        return (
            Command("start", "Training", "Start", "Train a new model by the recipe", self._start,
                ("Ctrl+T",), enabled=idle, toolbar=True),
            Command("pause", "Training", "Pause or Resume", "Pause the run, or go on",
                self._toggle_pause, ("Space",), enabled=live, toolbar=True),
            Command("stop", "Training", "Stop", "End the run and keep its model", self._run.stop,
                ("Ctrl+.",), enabled=live, toolbar=True),
            Command("step", "Training", "Step", "Take one gradient step, then pause",
                lambda: self._go("step"), (".",), enabled=not_stopping),
            Command("epoch", "Training", "Epoch", "Train to the end of the epoch, then pause",
                lambda: self._go("epoch"), ("Alt+.",), enabled=not_stopping),
            Command("slow_motion", "Training", "Slow Motion",
                "Take one gradient step and tell it stage by stage", self._slow_motion,
                ("Ctrl+Alt+.",), enabled=not_stopping),
            Command("restart", "Training", "Restart",
                "Start again with the same recipe and seed, paused before the first step",
                self._restart, ("Ctrl+Alt+R",), enabled=not_stopping, separator=True),
            Command("branch", "Training", "Branch",
                "Go on from the model on the map as a new run, by the recipe in the form; "
                "AdamW's averages begin again",
                self._branch, enabled=not_stopping),
            Command("new_seed", "Training", "New Seed", "Put another seed into the form",
                self._new_seed, enabled=idle),
            Command("estimate", "Training", "Estimate",
                "Find out how long the recipe in the form takes here and how much memory",
                self._estimate, enabled=idle),
        )  # fmt: skip

    def _start(self) -> None:
        recipe = self.panel.form.recipe()  # before a field that is shown again forgets its typing
        reveal(self.panel)
        self._app.runs.train(recipe)

    def _toggle_pause(self) -> None:
        if self._run.status.phase is Phase.PAUSED:
            self._run.resume()
        else:
            self._run.pause()

    def _go(self, until: Until) -> None:
        """Train so far and pause, from wherever training stands."""
        phase = self._run.status.phase
        if phase is Phase.IDLE:
            self._runs.train(self.panel.form.recipe(), until)
        elif phase is Phase.PAUSED:
            self._run.resume(until)
        elif phase is Phase.RUNNING:
            self._until = until
            self._run.pause()

    def _dissect(self) -> None:
        self._go("dissected")

    def _slow_motion(self) -> None:
        reveal(self.panel)
        self.panel.show_slow_motion()
        self._dissect()

    def _restart(self) -> None:
        self._after_run(partial(self._runs.train, self.panel.form.recipe(), paused=True))

    def _branch(self) -> None:
        self._after_run(partial(self._runs.branch, self.panel.form.recipe()))

    def _after_run(self, begin: Callable[[], None]) -> None:
        """Do something when no run is under way; one that is ends and is kept."""
        if self._run.active:
            self._next = begin
            self._run.stop()
        else:
            begin()

    def _on_steered(self, field: str, value: float) -> None:
        self._recipe_due = False
        self._run.steer(field, value)

    def _new_seed(self) -> None:
        recipe = self.panel.form.recipe()
        seeds = set(range(_MOST_SEED + 1)) - {recipe.seed}
        recipe = recipe.replace(seed=random.choice(tuple(seeds)))
        self.panel.set_recipe(recipe)
        self.panel.recipe_changed.emit(recipe)

    # Recipes

    def _estimate(self) -> None:
        self.panel.presets.set_recipe(self.panel.form.recipe())
        self.panel.presets.set_estimating()
        self._runs.estimate(self.panel.form.recipe())

    def _save_preset(self) -> None:
        recipe, presets = self.panel.form.recipe(), self._app.presets
        taken = {preset.name for preset in presets.all if preset.own}
        NameDialog("Save Preset", taken, self._window).ask(lambda name: presets.save(name, recipe))

    def _import(self) -> None:
        path = self._ask.open("Import Recipe", RECIPE)
        if path is not None:
            self._importing.run(lambda _: Recipe.read(path), self._on_imported)

    def _on_imported(self, recipe: Recipe) -> None:
        if not self._run.active:
            self.panel.set_recipe(recipe)
            self.panel.recipe_changed.emit(recipe)

    def _export(self) -> None:
        recipe = self.panel.form.recipe()
        if path := self._ask.save("Export Recipe", "recipe.toml", RECIPE):
            self._app.exports.content(
                path, recipe.to_toml().encode(), "The recipe was not exported"
            )

    def _export_curves(self) -> None:
        if path := self._ask.save("Export Curves", "training curves.png", PNG, SVG, PDF, CSV):
            curves = self.panel.plot.export(path.suffix[1:].lower())
            self._app.exports.content(path, curves, "The curves were not exported")

    # What the runs says

    def _on_opened(self, snapshot: Snapshot) -> None:
        self.panel.plot.set_history(snapshot.history)
        if not self._run.active:
            self.panel.set_recipe(snapshot.recipe)

    def _log_failure(self, title: str, text: str) -> None:
        self.panel.log.append(f"{title}: {text}")

    def _on_event(self, event: TrainingEvent) -> None:
        panel = self.panel
        if isinstance(event, LOGGED):
            panel.log.append(str(event))
        match event:
            case Started():
                self._on_started()
            case Progress(points):
                panel.plot.append(points)
            case Moved(snapshot) if self._recipe_due:
                self._recipe_due = False
                panel.set_recipe(snapshot.recipe)
            case Dissected(anatomy):
                panel.slow_motion.set_anatomy(anatomy)
            case Found(findings):
                panel.health.set_findings(findings)
            case Paused() | Ended():
                self._on_rest()
            case Failed(error):
                panel.health.set_failure(_words(error))

    def _on_started(self) -> None:
        self.panel.plot.set_history(())
        self._until = None
        self._recipe_due = True
        self.panel.health.clear()
        self.panel.presets.set_no_estimate()

    def _on_not_estimated(self, error: BaseException) -> None:
        self.panel.presets.set_no_estimate(_words(error))

    def _on_rest(self) -> None:
        """The run paused, or is over."""
        until, self._until = self._until, None
        if until and self._run.status.phase is Phase.PAUSED:
            self._run.resume(until)

    def _on_left(self) -> None:
        begin, self._next = self._next, None
        if begin:
            begin()


def _words(error: BaseException) -> str:
    unexpected = "" if isinstance(error, UserError) else f"Unexpected {type(error).__name__}: "
    return f"{unexpected}{error}"
