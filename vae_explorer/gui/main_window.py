"""The window: the map at its heart, docks around it, wired to the explorer."""

from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QByteArray, QEvent, QSize, Qt, Slot
from PySide6.QtGui import QAction, QCloseEvent, QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import (
    QDockWidget,
    QLabel,
    QMainWindow,
    QMenu,
    QMessageBox,
    QStyle,
    QWidget,
)

from vae_explorer.gui import help as help_pages
from vae_explorer.gui.actions import Actions
from vae_explorer.gui.decode.decode_panel import DecodePanel
from vae_explorer.gui.decode.refine_section import RefineSection
from vae_explorer.gui.decode.worst_list import WorstList
from vae_explorer.gui.dock_tabs import DockTabs
from vae_explorer.gui.draw.draw_panel import DrawPanel
from vae_explorer.gui.explore_controller import ExploreController
from vae_explorer.gui.figures import figure
from vae_explorer.gui.file_dialogs import FileDialogs
from vae_explorer.gui.layers.layers_panel import LayersPanel
from vae_explorer.gui.map.map_view import MapView
from vae_explorer.gui.map_controller import MapController
from vae_explorer.gui.palette import CommandPalette, menu_commands
from vae_explorer.gui.paths.path_panel import PathPanel
from vae_explorer.gui.runs_controller import RunsController
from vae_explorer.gui.theme import SchemeChoice, apply_scheme, current_theme
from vae_explorer.gui.training.runs_panel import RunsPanel
from vae_explorer.gui.training.training_panel import TrainingPanel
from vae_explorer.session.explorer import Explorer
from vae_explorer.session.state import (
    DataPoint,
    Decoded,
    HistoryPoint,
    ModelInfo,
    Phase,
    TrainingStatus,
)
from vae_explorer.session.workspace import Workspace
from vae_explorer.session.workspaces import Workspaces

_LAYOUTS = {
    "explore": ("layers", "decode"),
    "train": ("training", "decode"),
    "travel": ("layers", "draw", "paths"),
}
_ROOM_FOR_RUNS = QSize(1_700, 900)
"""Of a window that shows the runs below the map when it is laid out to train."""

_LAYOUT = 4
"""Version of the arrangement of docks; one of another version is not restored."""

_CORNERS = {
    Qt.Corner.BottomLeftCorner: Qt.DockWidgetArea.LeftDockWidgetArea,
    Qt.Corner.BottomRightCorner: Qt.DockWidgetArea.RightDockWidgetArea,
}


class MainWindow(QMainWindow):
    """Shows an ``Explorer`` and sends it what a person asks for. Owns no state of its own."""

    def __init__(self, explorer: Explorer) -> None:
        super().__init__()
        self.explorer = explorer
        self.setWindowTitle("VAE Explorer")
        self.setAcceptDrops(True)
        self.setDockOptions(
            QMainWindow.DockOption.AnimatedDocks | QMainWindow.DockOption.AllowTabbedDocks
        )
        self.job_left = False
        """True if a job did not end when the window closed."""
        self.workspaces = Workspaces(explorer)
        self._files = FileDialogs(explorer, self.workspaces, self)
        self.map = MapView(current_theme())
        self.decode = DecodePanel()
        self.training = TrainingPanel()
        self.layers = LayersPanel(current_theme())
        self.paths = PathPanel()
        self.draw = DrawPanel()
        self.refine = RefineSection()
        self.worst = WorstList(explorer.image)
        self.runs = RunsPanel()
        self.setCentralWidget(self.map)
        self._docks = [
            self._add_dock("Training", self.training, Qt.DockWidgetArea.LeftDockWidgetArea),
            self._add_dock("Layers", self.layers, Qt.DockWidgetArea.LeftDockWidgetArea),
            self._add_dock("Decode", self.decode, Qt.DockWidgetArea.RightDockWidgetArea),
            self._add_dock("Draw", self.draw, Qt.DockWidgetArea.RightDockWidgetArea),
            self._add_dock("Refine", self.refine, Qt.DockWidgetArea.RightDockWidgetArea),
            self._add_dock("Paths", self.paths, Qt.DockWidgetArea.BottomDockWidgetArea),
            self._add_dock("Worst", self.worst, Qt.DockWidgetArea.RightDockWidgetArea),
            self._add_dock("Runs", self.runs, Qt.DockWidgetArea.BottomDockWidgetArea),
        ]
        self.tabifyDockWidget(self._docks[0], self._docks[1])
        self.tabifyDockWidget(self._docks[2], self._docks[3])
        self.tabifyDockWidget(self._docks[3], self._docks[4])
        self.tabifyDockWidget(self._docks[4], self._docks[6])
        self.tabifyDockWidget(self._docks[5], self._docks[7])
        DockTabs(self, self._docks)
        self._docks[0].raise_()
        self._docks[2].raise_()
        self._docks[5].hide()
        self._docks[7].hide()
        for corner, side in _CORNERS.items():
            self.setCorner(corner, side)  # or a path would shorten the docks beside the map
        # In less it would scroll sideways, and a window made larger again leaves docks as they are.
        scroll_bar = self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent)
        self.decode.setMinimumWidth(self.decode.sizeHint().width() + scroll_bar)
        self.resizeDocks([self._docks[0], self._docks[2]], [340, 300], Qt.Orientation.Horizontal)
        self._model_line = QLabel(textFormat=Qt.TextFormat.PlainText)
        self._decode_line = QLabel()
        # Of fixed size, so that a new figure does not lay the window out again.
        metrics = self.fontMetrics()
        width = metrics.horizontalAdvance("· decoded in 000.00 ms")
        self._decode_line.setFixedSize(width, metrics.height())
        self.statusBar().addPermanentWidget(self._model_line)
        self.statusBar().addPermanentWidget(self._decode_line)
        self._progress_line = QLabel()
        self.statusBar().insertPermanentWidget(0, self._progress_line)
        self._map = MapController(explorer, self.map, self.layers, self)
        self._explore = ExploreController(explorer, self.paths, self.draw, self.refine, self)
        self._runs = RunsController(explorer, self.runs, self.training, self._explore.compare, self)
        self._palette: CommandPalette | None = None
        self._layout = "train"
        handlers = self._map.handlers() | self._explore.handlers() | self._runs.handlers()
        handlers |= self._handlers()
        self.actions_ = Actions(self, handlers)
        self._map.set_actions(self.actions_)
        self._recent = self._build_menus()
        self._connect_views()
        self._connect_explorer()
        self._restore()
        self._on_status(explorer.training.status)
        self._show_theme()

    def _add_dock(self, title: str, widget: QWidget, area: Qt.DockWidgetArea) -> QDockWidget:
        dock = QDockWidget(title, self)
        dock.setObjectName(title.lower())
        dock.setWidget(widget)
        self.addDockWidget(area, dock)
        return dock

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
            "export_points": files.export_points,
            "color_table": files.load_table,
            "quit": self.close,
            "start": self.start_training,
            "pause": self._toggle_pause,
            "stop": self.explorer.training.stop,
            "scheme_system": self._scheme_system,
            "scheme_light": self._scheme_light,
            "scheme_dark": self._scheme_dark,
            "layout_explore": self._lay_out_explore,
            "layout_train": self._lay_out_train,
            "layout_travel": self._lay_out_travel,
            "palette": self._open_palette,
            "full_screen": self._toggle_full_screen,
            "keys": self._show_keys,
            "about": self._show_about,
        }

    def _build_menus(self) -> QMenu:
        view = self.actions_.menus["View"]
        view.addSeparator()
        for dock in self._docks:
            view.addAction(dock.toggleViewAction())
        recent = QMenu("Open Recent", self)
        self.actions_.menus["File"].insertMenu(self.actions_["save"], recent)
        recent.triggered.connect(self._open_recent)
        return recent

    def _connect_views(self) -> None:
        self.map.space_tapped.connect(self._toggle_pause)
        self.decode.z_changed.connect(self.explorer.cursor.scrub)
        self.decode.export_requested.connect(self._files.export_digit)
        self.decode.unpin_requested.connect(self.explorer.pins.clear)
        self.worst.chosen.connect(self.explorer.find)
        self.decode.resample_requested.connect(self.explorer.exploration.card.resample)
        self.decode.refine_requested.connect(self._refine)
        self.decode.pin_chosen.connect(self.explorer.pins.look_at)
        self.decode.pin_removed.connect(self.explorer.pins.remove)
        self.training.start_requested.connect(self.explorer.train)
        self.training.pause_requested.connect(self.explorer.training.pause)
        self.training.resume_requested.connect(self.explorer.training.resume)
        self.training.stop_requested.connect(self.explorer.training.stop)
        self.training.reset_requested.connect(self.explorer.reset)

    def _connect_explorer(self) -> None:
        explorer, training = self.explorer, self.explorer.training
        explorer.model_changed.connect(self._on_model)
        explorer.cursor.changed.connect(self.decode.set_cursor)
        self.workspaces.restored.connect(self._on_restored)
        explorer.search.ranked.connect(self.worst.set_images)
        explorer.pins.tray_changed.connect(self._on_pins)
        explorer.progress.connect(self._on_progress)
        explorer.history_changed.connect(self._on_opened)
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
        elbo = model.held_out_elbo
        held_out = "" if elbo is None else f" · held-out ELBO {figure(elbo, 2)} nats"
        self._model_line.setText(f"{model.name} · epoch {model.epoch:.1f}{held_out}")
        self._model_line.setToolTip(
            f"{model.path or 'not saved yet'}\n{model.parameters:,} weights"
        )
        self.setWindowTitle(f"{model.name} — VAE Explorer")

    def _on_opened(self, history: tuple[HistoryPoint, ...]) -> None:
        self.training.set_history(history)
        if not self.explorer.training.active:
            self.training.set_recipe(self.explorer.recipe)
        self._map.fit_next()

    def _on_pins(self, tray: tuple[DataPoint, ...]) -> None:
        self.decode.set_pins(tray, self.explorer.pins.current)

    def _on_decoded(self, decoded: Decoded) -> None:
        self.decode.set_decoded(decoded)
        self._decode_line.setText(f"· decoded in {decoded.milliseconds:.2f} ms")

    def _on_status(self, status: TrainingStatus) -> None:
        self.training.set_status(status)
        phase = status.phase
        self.actions_.set_enabled(
            {
                "start": phase is Phase.IDLE,
                "pause": phase in (Phase.RUNNING, Phase.PAUSED),
                "stop": phase in (Phase.RUNNING, Phase.PAUSED),
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

    def _on_progress(self, text: str) -> None:
        self._progress_line.setText(text)

    def _on_message(self, text: str) -> None:
        self.statusBar().showMessage(text, 8_000)
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
        self.show_dock("worst")
        self.explorer.search.rank()

    def _refine(self) -> None:
        self.show_dock("refine")
        self.explorer.exploration.refine()

    def _save_workspace(self) -> None:
        self._files.save_workspace(self.map.region(), self._layout)

    def _on_restored(self, workspace: Workspace) -> None:
        self._choose_scheme(SchemeChoice(workspace.scheme))
        self._lay_out(workspace.layout)
        self._map.restore(workspace)

    def _lay_out_explore(self) -> None:
        self._lay_out("explore")

    def _lay_out_train(self) -> None:
        self._lay_out("train")

    def _lay_out_travel(self) -> None:
        self._lay_out("travel")

    def _lay_out(self, name: str) -> None:
        """Bring the docks of a layout to the front; paths are hidden unless they are among them.

        So are the runs, which train has where there is room for them.
        """
        docks = _LAYOUTS.get(name, ())
        if name == "train" and self.size().boundedTo(_ROOM_FOR_RUNS) == _ROOM_FOR_RUNS:
            docks = (*docks, "runs")
        self._layout = name
        self._docks[5].setVisible("paths" in docks)
        self._docks[7].setVisible("runs" in docks)
        for dock in docks:
            self.show_dock(dock)

    def _open_palette(self) -> None:
        if self._palette is None:  # kept, because it remembers what was run
            self._palette = CommandPalette(self)
        self._palette.set_commands(menu_commands(self.menuBar()))
        self._palette.open()

    def show_dock(self, name: str) -> None:
        """Bring a dock, such as "training" or "layers", to the front."""
        dock = next(dock for dock in self._docks if dock.objectName() == name)
        dock.show()
        dock.raise_()

    def start_training(self) -> None:
        """Train by the recipe in the form."""
        recipe = self.training.recipe()  # before a field that is shown anew forgets its typing
        self.show_dock("training")
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
        self.explorer.change_settings(scheme=choice.value)

    def _show_theme(self) -> None:
        theme = current_theme()
        views = (self.map, self.layers, self.decode, self.training, self.paths, self.draw)
        for view in (*views, self.refine):
            view.set_theme(theme)

    def _toggle_full_screen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def _show_keys(self) -> None:
        help_pages.show_keys(self)

    def _show_about(self) -> None:
        help_pages.show_about(self)

    # Qt's events

    def changeEvent(self, event: QEvent) -> None:
        """Follow a change of scheme, ours or the system's."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._show_theme()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take a single local file."""
        urls = event.mimeData().urls()
        if len(urls) == 1 and urls[0].isLocalFile():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the dropped file as a checkpoint."""
        event.acceptProposedAction()
        self.explorer.open_checkpoint(Path(event.mimeData().urls()[0].toLocalFile()))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop and save a run, remember the layout. Asks nothing."""
        # PySide closes the window even if this method raises, so nothing may.
        try:
            self.explorer.change_settings(
                geometry=b64encode(self.saveGeometry().data()).decode(),
                layout=b64encode(self.saveState(_LAYOUT).data()).decode(),
            )
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
        # Qt answers False to bytes that are not its own and leaves the window as it was.
        self.restoreGeometry(_decoded_bytes(settings.geometry))
        self.restoreState(_decoded_bytes(settings.layout), _LAYOUT)


def _decoded_bytes(text: str) -> QByteArray:
    try:
        return QByteArray(b64decode(text, validate=True))
    except ValueError:
        return QByteArray()
