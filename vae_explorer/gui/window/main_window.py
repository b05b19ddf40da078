"""The window: the map at its heart, docks around it, wired to the explorer."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Qt, Slot
from PySide6.QtGui import QAction, QCloseEvent, QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import QMainWindow, QMenu, QMessageBox, QStackedWidget, QVBoxLayout, QWidget
from typing_extensions import override

from vae_explorer.gui.dialogs import help as help_pages
from vae_explorer.gui.dialogs.ask_path import AskPath
from vae_explorer.gui.dialogs.dropped_files import DroppedFiles
from vae_explorer.gui.dialogs.files import FileDialogs
from vae_explorer.gui.dialogs.palette import CommandPalette, menu_commands
from vae_explorer.gui.explore.controller import ExploreController
from vae_explorer.gui.explore.decode.decode_panel import DecodePanel
from vae_explorer.gui.explore.decode.refine_section import RefineSection
from vae_explorer.gui.explore.decode.worst_list import WorstList
from vae_explorer.gui.explore.paths.path_panel import PathPanel
from vae_explorer.gui.explore.sketch.draw_panel import DrawPanel
from vae_explorer.gui.lessons.controller import LearnController
from vae_explorer.gui.lessons.learn_panel import LearnPanel
from vae_explorer.gui.map.controller import MapController
from vae_explorer.gui.map.layers.layers_panel import LayersPanel
from vae_explorer.gui.map.map_view import MapView
from vae_explorer.gui.runs.controller import RunsController
from vae_explorer.gui.runs.runs_panel import RunsPanel
from vae_explorer.gui.runs.sweep_controller import SweepController
from vae_explorer.gui.runs.sweep_panel import SweepPanel
from vae_explorer.gui.theme import SchemeChoice, apply_scheme, current_theme
from vae_explorer.gui.training.controller import TrainingController
from vae_explorer.gui.training.timeline_bar import TimeBar
from vae_explorer.gui.training.timeline_controller import TimeController
from vae_explorer.gui.training.training_panel import TrainingPanel
from vae_explorer.gui.window.actions import Actions
from vae_explorer.gui.window.docks import Docks, decoded_bytes
from vae_explorer.gui.window.status_bar import StatusBar
from vae_explorer.session.app import Explorer
from vae_explorer.session.files.workspace import Workspace
from vae_explorer.session.files.workspaces import Workspaces
from vae_explorer.session.state import DataPoint, Decoded, ModelInfo, Phase, TrainingStatus
from vae_explorer.training.snapshot import Snapshot


class MainWindow(QMainWindow):
    """Shows an ``Explorer`` and sends it what a person asks for. Owns no state of its own."""

    def __init__(self, explorer: Explorer) -> None:
        super().__init__()
        self.explorer = explorer
        self.setWindowTitle("VAE Explorer")
        self.setAcceptDrops(True)
        self.job_left = False
        """True if a job did not end when the window closed."""
        self.workspaces = Workspaces(explorer)
        ask = AskPath(self, lambda: explorer.settings.folder, self._remember_folder)
        self._files = FileDialogs(explorer, self.workspaces, ask, self)
        self.map = MapView(current_theme())
        self.decode = DecodePanel()
        self.training = TrainingPanel()
        self.layers = LayersPanel(current_theme())
        self.paths = PathPanel()
        self.draw = DrawPanel()
        self.refine = RefineSection()
        self.worst = WorstList(explorer.image)
        self.runs = RunsPanel()
        self.sweep = SweepPanel()
        self.time_bar = TimeBar()
        self.learn = LearnPanel()
        self._pages = QStackedWidget()
        self._pages.addWidget(_column(self.map, self.time_bar))
        self.setCentralWidget(self._pages)
        self.status = StatusBar()
        self.setStatusBar(self.status)
        panels = {
            "training": self.training,
            "layers": self.layers,
            "learn": self.learn,
            "decode": self.decode,
            "draw": self.draw,
            "refine": self.refine,
            "worst": self.worst,
            "paths": self.paths,
            "runs": self.runs,
            "sweep": self.sweep,
        }
        self.docks = Docks(self, panels)
        self._dropped = DroppedFiles(explorer, self.workspaces, self.draw, self._show_pad)
        self._map = MapController(explorer, self.map, self.layers, ask, self)
        self._explore = ExploreController(explorer, self.paths, self.draw, self.refine, ask, self)
        self._time = TimeController(explorer, self.time_bar, self.training)
        self._training = TrainingController(explorer, self.training, ask, self)
        self._runs = RunsController(explorer, self.runs, self.training, self._explore.compare, self)
        self._learn = LearnController(explorer, self.learn, self._pages, ask)
        self._sweep = SweepController(explorer, self.sweep, self.training, self._show_sweep, self)
        self._palette: CommandPalette | None = None
        handlers = self._handlers()
        of_training = (self._time, self._training, self._runs, self._sweep)
        for controller in (self._map, self._explore, *of_training, self._learn):
            handlers |= controller.handlers()
        self.actions_ = Actions(self, handlers)
        self._map.set_actions(self.actions_)
        self._recent = self._build_menus()
        self._connect_views()
        self._connect_explorer()
        self._restore()
        self._on_status(explorer.training.status)
        self._show_theme()

    def _handlers(self) -> dict[str, Callable[[], object]]:
        files = self._files
        return {
            "open": files.open_model,
            "save": files.save_model,
            "reset": self.explorer.reset,
            "export_digit": files.export_digit,
            "export_manifold": files.export_manifold,
            "open_workspace": files.open_workspace,
            "save_workspace": self._save_workspace,
            "refine": self._refine,
            "resample": self.explorer.exploration.card.resample,
            "worst_first": self._show_worst,
            "quit": self.close,
            "start": self.start_training,
            "pause": self._toggle_pause,
            "stop": self.explorer.training.stop,
            "scheme_system": self._scheme_system,
            "scheme_light": self._scheme_light,
            "scheme_dark": self._scheme_dark,
            "layout_explore": self._lay_out_explore,
            "layout_train": self._lay_out_train,
            "layout_learn": self._lay_out_learn,
            "layout_travel": self._lay_out_travel,
            "palette": self._open_palette,
            "full_screen": self._toggle_full_screen,
            "keys": self._show_keys,
            "about": self._show_about,
        }

    def _build_menus(self) -> QMenu:
        view = self.actions_.menus["View"]
        view.addSeparator()
        view.addActions(self.docks.actions())
        recent = QMenu("Open Recent", self)
        self.actions_.menus["File"].insertMenu(self.actions_["save"], recent)
        recent.triggered.connect(self._open_recent)
        return recent

    def _connect_views(self) -> None:
        self.map.space_tapped.connect(self._toggle_pause)
        self.map.visible_labels_changed.connect(self._on_shown)
        self.decode.z_changed.connect(self.explorer.cursor.scrub)
        self.decode.export_requested.connect(self._files.export_digit)
        self.decode.unpin_requested.connect(self.explorer.pins.clear)
        self.worst.chosen.connect(self.explorer.find)
        self.decode.resample_requested.connect(self.explorer.exploration.card.resample)
        self.decode.refine_requested.connect(self._refine)
        self.decode.pin_chosen.connect(self.explorer.pins.look_at)
        self.decode.pin_removed.connect(self.explorer.pins.remove)
        self.training.start_requested.connect(self.explorer.train)

    def _connect_explorer(self) -> None:
        explorer, training = self.explorer, self.explorer.training
        explorer.model_changed.connect(self._on_model)
        explorer.cursor.changed.connect(self.decode.set_cursor)
        self.workspaces.restored.connect(self._on_restored)
        explorer.search.ranked.connect(self.worst.set_images)
        explorer.pins.tray_changed.connect(self._on_pins)
        explorer.pins.tray_changed.connect(self._on_marked)
        explorer.selection.changed.connect(self._on_marked)
        explorer.map.changed.connect(self._on_shown)
        explorer.cursor.changed.connect(self.status.set_place)
        explorer.progress.connect(self.status.set_progress)
        explorer.opened.connect(self._on_opened)
        explorer.settings_changed.connect(self._on_settings)
        explorer.message.connect(self._on_message)
        explorer.failed.connect(self._on_failed)
        explorer.decoding.decoded.connect(self._on_decoded)
        explorer.exploration.trust.read.connect(self.decode.set_trust)
        explorer.exploration.card.computed.connect(self.decode.set_card)
        training.status_changed.connect(self._on_status)
        training.history_started.connect(self._on_history_started)
        training.history_extended.connect(self.training.append_history)
        training.logged.connect(self.training.log)

    # What the explorer says

    def _on_model(self, model: ModelInfo) -> None:
        self.status.set_model(model)
        self.setWindowTitle(f"{model.name} — VAE Explorer")

    def _on_opened(self, snapshot: Snapshot) -> None:
        self.training.set_history(snapshot.history)
        if not self.explorer.training.active:
            self.training.set_recipe(snapshot.recipe)
        self._map.fit_next()

    def _on_pins(self, tray: tuple[DataPoint, ...]) -> None:
        self.decode.set_pins(tray, self.explorer.pins.current)

    def _on_marked(self, _: object) -> None:
        self.status.set_marked(len(self.explorer.pins.tray), len(self.explorer.selection))

    def _on_shown(self, _: object) -> None:
        points = self.explorer.map.points
        if points is not None:
            shown = int(self.map.shown().sum())
            self.status.set_data(points.split, shown, points.total)

    def _on_decoded(self, decoded: Decoded) -> None:
        self.decode.set_decoded(decoded)
        self.status.set_cost(decoded.milliseconds)

    def _on_status(self, status: TrainingStatus) -> None:
        self.training.set_status(status)
        phase = status.phase
        self.actions_.set_enabled(
            {
                "start": phase is Phase.IDLE,
                "pause": phase in (Phase.RUNNING, Phase.PAUSED),
                "stop": phase in (Phase.RUNNING, Phase.PAUSED),
                **self._training.offers(phase),
                **{f"split_{split}": phase is Phase.IDLE for split in ("train", "test", "both")},
            }
        )

    def _on_history_started(self) -> None:
        self.training.set_history(())

    def _on_settings(self, _: object) -> None:
        settings = self.explorer.settings
        self.actions_.set_checked(f"scheme_{settings.scheme}")
        self._map.show_settings()
        self._recent.clear()
        for name in settings.recent:
            # With the folder, because every run calls its model alike; & would mark a key.
            path = Path(name)
            action = self._recent.addAction(f"{path.parent.name}/{path.name}".replace("&", "&&"))
            action.setToolTip(name)
            action.setData(name)
        self._recent.setToolTipsVisible(True)
        self._recent.setEnabled(bool(settings.recent))

    def _on_message(self, text: str) -> None:
        self.status.set_message(text)
        self.training.log(text)

    def _on_failed(self, title: str, text: str) -> None:
        self.training.log(f"{title}: {text}")
        self.show_error(title, text)

    def show_error(self, title: str, text: str) -> None:
        """Show a dialog that does not stop anything; one that is open already is enough."""
        for box in self.findChildren(QMessageBox):
            if (box.text(), box.informativeText()) == (title, text):
                return
        box = QMessageBox(QMessageBox.Icon.Warning, "VAE Explorer", title, parent=self)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setInformativeText(text)
        box.open()

    # What a person asks for

    def _show_worst(self) -> None:
        self.docks.show("worst")
        self.explorer.search.rank()

    def _refine(self) -> None:
        self.docks.show("refine")
        self.explorer.exploration.refine()

    def _remember_folder(self, folder: str) -> None:
        self.explorer.change_settings(replace(self.explorer.settings, folder=folder))

    def _save_workspace(self) -> None:
        self._files.save_workspace(self.map.region(), self.docks.layout)

    def _on_restored(self, workspace: Workspace) -> None:
        self._choose_scheme(SchemeChoice(workspace.scheme))
        self._lay_out(workspace.layout)
        self._map.restore(workspace)

    def _lay_out_explore(self) -> None:
        self._lay_out("explore")

    def _lay_out_train(self) -> None:
        self._lay_out("train")

    def _lay_out_learn(self) -> None:
        self._lay_out("learn")

    def _lay_out_travel(self) -> None:
        self._lay_out("travel")

    def _lay_out(self, name: str) -> None:
        """Arrange the docks; lessons have the place of the map, and give it back."""
        self.docks.lay_out(name)
        if self.docks.layout == "learn":
            self._learn.show()
        else:
            self._learn.leave()

    def _show_sweep(self) -> None:
        self.docks.show("sweep")

    def _show_pad(self) -> None:
        self.docks.show("draw")

    def _open_palette(self) -> None:
        if self._palette is None:  # kept, because it remembers what was run
            self._palette = CommandPalette(self)
        self._palette.set_commands(menu_commands(self.menuBar()))
        self._palette.open()

    def start_training(self) -> None:
        """Train by the recipe in the form."""
        recipe = self.training.recipe()  # before a field that is shown anew forgets its typing
        self.docks.show("training")
        self.explorer.train(recipe)

    def _toggle_pause(self) -> None:
        if self.explorer.training.status.phase is Phase.PAUSED:
            self.explorer.training.resume()
        else:
            self.explorer.training.pause()

    @Slot(QAction)
    def _open_recent(self, action: QAction) -> None:
        self.explorer.open_checkpoint(Path(action.data()))

    def _scheme_system(self) -> None:
        self._choose_scheme(SchemeChoice.SYSTEM)

    def _scheme_light(self) -> None:
        self._choose_scheme(SchemeChoice.LIGHT)

    def _scheme_dark(self) -> None:
        self._choose_scheme(SchemeChoice.DARK)

    def _choose_scheme(self, choice: SchemeChoice) -> None:
        apply_scheme(choice)
        self.explorer.change_settings(replace(self.explorer.settings, scheme=choice.value))

    def _show_theme(self) -> None:
        theme = current_theme()
        views = (self.map, self.layers, self.decode, self.training, self.paths, self.draw)
        for view in (*views, self.refine, self.sweep, self.time_bar):
            view.set_theme(theme)
        self._learn.set_theme(theme)

    def _toggle_full_screen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def _show_keys(self) -> None:
        help_pages.show_keys(self)

    def _show_about(self) -> None:
        help_pages.show_about(self)

    # Qt's events

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._show_theme()

    @override
    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self._dropped.accepts(event.mimeData()):
            event.acceptProposedAction()

    @override
    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self._dropped.take(event.mimeData())

    @override
    def closeEvent(self, event: QCloseEvent) -> None:
        # PySide closes the window even if this method raises, so nothing may.
        try:
            geometry = b64encode(self.saveGeometry().data()).decode()
            settings, layout = self.explorer.settings, self.docks.state()
            self.explorer.change_settings(replace(settings, geometry=geometry, layout=layout))
            self.job_left = not self.explorer.close()
        except Exception as error:
            self.show_error("Closing failed", str(error))
            event.ignore()
            return
        event.accept()

    def _restore(self) -> None:
        settings = self.explorer.settings
        self._on_settings(settings)
        apply_scheme(SchemeChoice(settings.scheme))
        # Not self.screen(): with that wrapper PySide takes the screen down with the window.
        self.resize(QSize(1280, 800).boundedTo(QGuiApplication.primaryScreen().availableSize()))
        self.restoreGeometry(decoded_bytes(settings.geometry))
        self.docks.restore(settings.layout)


def _column(*widgets: QWidget) -> QWidget:
    """Widgets above each other, of which the first takes what room there is."""
    column = QWidget()
    layout = QVBoxLayout(column)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    for widget in widgets:
        layout.addWidget(widget, int(widget is widgets[0]))
    return column
