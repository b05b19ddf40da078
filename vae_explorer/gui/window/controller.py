"""The commands of the window itself, and what its status bar says."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMainWindow

from vae_explorer.gui.dialogs import help as help_pages
from vae_explorer.gui.dialogs.palette import CommandPalette, menu_commands
from vae_explorer.gui.map.map_view import MapView
from vae_explorer.gui.theme import SchemeChoice, apply_scheme
from vae_explorer.gui.window.records import LAYOUTS, Command, Controller
from vae_explorer.gui.window.status_bar import StatusBar
from vae_explorer.session.app import App
from vae_explorer.session.explore.decoding import Decoded
from vae_explorer.session.files.open_model import ModelInfo

_SCHEMES = {
    "system": ("Follow the System", "Light or dark as the system"),
    "light": ("Light", "Always light"),
    "dark": ("Dark", "Always dark"),
}
_LAYOUTS = {
    "explore": "Layers, map and decoder",
    "train": "The training form, the map and the curves",
    "learn": "A lesson and its figure",
    "travel": "A path, its frames and the decoded image",
}


class WindowController(Controller):
    """Schemes, layouts, help; title and status bar.

    Args:
        app: listened to.
        view: the map, which knows how many points show.
        lay_out: arranges the docks.
        layout: their arrangement now.
        commands: all commands of the window, for the sheet of keys.
        panels: what shows and hides each; the palette leaves out those that a command shows.
        window: the window.
    """

    def __init__(
        self,
        app: App,
        view: MapView,
        lay_out: Callable[[str], object],
        layout: Callable[[], str],
        commands: Callable[[], tuple[Command, ...]],
        panels: Callable[[], Mapping[str, QAction]],
        window: QMainWindow,
    ) -> None:
        super().__init__(app)
        self._map = view
        self._lay_out = lay_out
        self._layout_now = layout
        self._commands = commands
        self._panels = panels
        self._window = window
        self._palette: CommandPalette | None = None
        self.status = status = StatusBar()
        app.model.changed.connect(self._on_model)
        app.decoding.decoded.connect(self._on_decoded)
        app.pins.changed.connect(self._on_marked)
        app.selection.changed.connect(self._on_marked)
        app.map.changed.connect(self._on_shown)
        view.legend.visible_changed.connect(self._on_shown)
        app.cursor.changed.connect(status.set_place)
        app.messages.progress.connect(status.set_progress)
        app.messages.published.connect(status.set_message)
        self.commands = (
            Command("quit", "File", "Quit", "Stop and save a run, then close", window.close,
                ("Ctrl+Q",), separator=True),
            *(self._scheme(name) for name in _SCHEMES),
            *(self._layout(name) for name in LAYOUTS),
            Command("full_screen", "View", "Full Screen", "Fill the screen, or leave it",
                self._toggle_full_screen, ("F11",), separator=True),
            Command("palette", "Help", "Command Palette…", "Find a command by its name and run it",
                self._open_palette, ("Ctrl+Shift+P",), toolbar="Find", icon="find"),
            Command("keys", "Help", "Keys and Gestures", "Show all keys and gestures",
                self._open_keys, ("F1",)),
            Command("terms", "Help", "Terms", "What each term means, and which lesson teaches it",
                lambda: help_pages.show_terms(window)),
            Command("about", "Help", "About VAE Explorer", "Version, data and licences",
                lambda: help_pages.show_about(window)),
        )  # fmt: skip
        self.changes = (app.settings.changed,)

    def choose_scheme(self, name: str) -> None:
        """Show the "light" or the "dark" scheme, or that of the "system"."""
        apply_scheme(SchemeChoice(name))
        self._app.settings.change(replace(self._app.settings.now, scheme=name))

    def _open_keys(self) -> None:
        settings = self._app.settings
        help_pages.KeysDialog(
            self._commands, lambda: settings.now.keys, self._choose_keys, self._window
        ).show()

    def _choose_keys(self, keys: Mapping[str, str]) -> None:
        self._app.settings.change(replace(self._app.settings.now, keys=keys))

    def _scheme(self, name: str) -> Command:
        return Command(
            f"scheme_{name}",
            "View",
            *_SCHEMES[name],
            lambda: self.choose_scheme(name),
            checked=lambda: self._app.settings.now.scheme == name,
            group="scheme",
        )

    def _layout(self, name: str) -> Command:
        return Command(
            f"layout_{name}",
            "View",
            name.capitalize(),
            _LAYOUTS[name],
            lambda: self._lay_out(name),
            (f"Ctrl+{LAYOUTS.index(name) + 1}",),
            checked=lambda: self._layout_now() == name,
            group="layout",
            toolbar=name.capitalize(),
            icon=name,
            separator=name == LAYOUTS[0],
        )

    def _on_model(self, model: ModelInfo) -> None:
        self.status.set_model(model)
        data = f" — {model.shown}" if model.shown != "MNIST" else ""
        self._window.setWindowTitle(f"{model.name}{data} — VAE Explorer")

    def _on_decoded(self, decoded: Decoded) -> None:
        self.status.set_cost(decoded.milliseconds)

    def _on_marked(self) -> None:
        app = self._app
        self.status.set_marked(len(app.pins.tray), len(app.selection))

    def _on_shown(self, _: object) -> None:
        points = self._app.map.points
        if points is not None:
            self.status.set_axes(points.axes)
            self.status.set_data(points.split, int(self._map.shown().sum()), points.total)

    def _open_palette(self) -> None:
        if self._palette is None:  # kept, because it remembers what was run
            self._palette = CommandPalette(self._window)
        panels = self._panels()
        doubled = [panels[command.id] for command in self._commands() if command.id in panels]
        found = menu_commands(self._window.menuBar())
        self._palette.set_commands([entry for entry in found if entry[1] not in doubled])
        self._palette.open()

    def _toggle_full_screen(self) -> None:
        window = self._window
        window.setWindowState(window.windowState() ^ Qt.WindowState.WindowFullScreen)
