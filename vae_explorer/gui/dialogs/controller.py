"""Between the session and files: models, pictures, workspaces, and what is dropped."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QMimeData
from PySide6.QtWidgets import QWidget

from vae_explorer.data.dataset import Dataset
from vae_explorer.errors import UserError
from vae_explorer.export.requests import Manifold
from vae_explorer.gui.dialogs.ask_path import DATA, MODEL, WORKSPACE, AskPath
from vae_explorer.gui.dialogs.data import DataDialog
from vae_explorer.gui.dialogs.export import DigitExportDialog, ManifoldExportDialog
from vae_explorer.gui.explore.sketch.draw_panel import DrawPanel
from vae_explorer.gui.window.docks import reveal
from vae_explorer.gui.window.records import Choices, Command, Controller
from vae_explorer.session.app import App
from vae_explorer.session.files.open_model import BUNDLED_MODELS
from vae_explorer.session.files.workspace import EXTENSION, CurvesPlace
from vae_explorer.session.files.workspaces import Workspaces
from vae_explorer.types import Region


class FilesController(Controller):
    """Opens, saves and exports.

    Args:
        app: does it.
        ask: asks for files.
        draw: takes pictures that are dropped.
        view: the part of the map in sight and the layout, which a workspace keeps.
        window: the parent of dialogs.
    """

    def __init__(
        self,
        app: App,
        ask: AskPath,
        draw: DrawPanel,
        view: Callable[[], tuple[Region, str, CurvesPlace]],
        window: QWidget,
    ) -> None:
        super().__init__(app)
        self.workspaces = Workspaces(app)
        self._ask = ask
        self._draw = draw
        self._openers: dict[str, Callable[[Path], None]] = {
            ".safetensors": app.model.open,
            EXTENSION: self.workspaces.open,
            ".csv": app.coloring.open_table,
            ".tsv": app.coloring.open_table,
        }
        self._view = view
        self._window = window
        self.commands = (
            Command("open", "File", "Open Model…", "Open a checkpoint on the map", self._open_model,
                ("Ctrl+O",), toolbar="Open", icon="open"),
            Command("open_data", "File", "Open Data…",
                "Open a file of images, to train on and to see", self._open_data),
            Command("open_data_folder", "File", "Open Folder of Data…",
                "Open a folder of images, to train on and to see", self._open_data_folder),
            Choices("File", "Open Recent Data", lambda: app.data.recent,
                lambda name: app.data.open(Path(name)), _short),
            Choices("File", "Open Recent", self._recent, self._open_recent, _short),
            Command("save", "File", "Save Model As…", "Save the model on the map", self._save_model,
                ("Ctrl+S",)),
            Command("reset", "File", "Open Bundled Model",
                "Back to the model the explorer ships with", app.model.reset),
            Choices("File", "Bundled Models", lambda: tuple(BUNDLED_MODELS), app.model.open_bundled,
                lambda name: f"{name}: {BUNDLED_MODELS[name]}"),
            Command("export_digit", "File", "Export Image…",
                "Write the decoded image at the cursor as PNG", self.export_digit,
                ("Ctrl+Shift+E",), toolbar="Export", icon="export", separator=True),
            Command("export_manifold", "File", "Export Manifold…",
                "Write an n × n sheet of decoded latent points as PNG", self._export_manifold,
                ("Ctrl+Shift+M",)),
            Command("open_workspace", "File", "Open Workspace…",
                "Restore a saved view with its pins, selections and layers", self._open_workspace,
                ("Ctrl+Shift+O",), separator=True),
            Command("save_workspace", "File", "Save Workspace…",
                "Save the view with its pins, selections and layers", self._save_workspace,
                ("Ctrl+Shift+S",)),
        )  # fmt: skip
        self.changes = (app.settings.changed,)
        app.data.offered.connect(self._on_offered)

    def export_digit(self) -> None:
        """Ask how to export the decoded image at the cursor."""
        z1, z2 = self._app.cursor.position
        start = self._ask.folder / f"digit z=({z1:.3f}, {z2:.3f}).png"
        DigitExportDialog(start, self._image_shape, self._window).ask(self._on_export_digit)

    @property
    def _image_shape(self) -> tuple[int, int]:
        """Height and width of what the model decodes."""
        state, data = self._app.map.state, self._app.data.now
        height, width, *_ = state.model.image_shape if state else data.image_shape
        return height, width

    def accepts(self, mime: QMimeData) -> bool:
        """Whether it is a single local file, of whatever kind, or a picture without one."""
        urls = mime.urls()
        if len(urls) == 1 and urls[0].isLocalFile():
            return True
        return len(urls) < 2 and mime.hasImage()  # as out of a browser, with its address

    def drop(self, mime: QMimeData) -> None:
        """Open what is accepted, or tell what could be."""
        if self._draw.pad.accepts(mime):
            reveal(self._draw)
            self._draw.pad.take(mime)
            return
        app, path = self._app, Path(mime.urls()[0].toLocalFile())
        opener = self._openers.get(path.suffix.lower())
        if opener is None and (path.is_dir() or path.suffix.lower() in DATA.suffixes):
            opener = app.data.open
        if opener is not None:
            opener(path)
            return
        text = (
            f"{path} is nothing that can be dropped here; drop a model (.safetensors), "
            f"a workspace ({EXTENSION}), a table (.csv), images to train on (a folder, .npz), "
            "or a picture such as a PNG."
        )
        self._app.messages.fail("The file was not opened", UserError(text))

    def _open_model(self) -> None:
        if path := self._ask.open("Open Model", MODEL):
            self._app.model.open(path)

    def _open_data(self) -> None:
        if path := self._ask.open("Open Data", DATA):
            self._app.data.open(path)

    def _open_data_folder(self) -> None:
        if path := self._ask.open_folder("Open Folder of Data"):
            self._app.data.open(path)

    def _on_offered(self, data: Dataset) -> None:
        DataDialog(data, self._window).ask(self._app.data.take)

    def _recent(self) -> tuple[str, ...]:
        return self._app.settings.now.recent

    def _open_recent(self, name: str) -> None:
        self._app.model.open(Path(name))

    def _save_model(self) -> None:
        if path := self._ask.save("Save Model As", "model.safetensors", MODEL):
            self._app.model.save(path)

    def _export_manifold(self) -> None:
        start = self._ask.folder / "manifold.png"
        ManifoldExportDialog(start, self._image_shape, self._window).ask(self._on_export_manifold)

    def _open_workspace(self) -> None:
        if path := self._ask.open("Open Workspace", WORKSPACE):
            self.workspaces.open(path)

    def _save_workspace(self) -> None:
        if path := self._ask.save("Save Workspace", f"workspace{EXTENSION}", WORKSPACE):
            self.workspaces.save(path, *self._view())

    def _on_export_digit(self, path: Path, scale: int) -> None:
        self._app.exports.digit(self._ask.remember(path), scale)

    def _on_export_manifold(self, path: Path, request: Manifold) -> None:
        self._app.exports.export(request, self._ask.remember(path))


def _short(name: str) -> str:
    # With the folder, because every run calls its model alike.
    path = Path(name)
    return f"{path.parent.name}/{path.name}"
