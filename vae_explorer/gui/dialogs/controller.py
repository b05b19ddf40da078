"""Between the session and files: models, pictures, workspaces, and what is dropped."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QAbstractItemView, QWidget

from vae_explorer.data.dataset import Dataset
from vae_explorer.errors import UserError
from vae_explorer.export.requests import Request
from vae_explorer.gui.dialogs.ask_path import DATA, MODEL, NETWORK, TO_OPEN, WORKSPACE, AskPath
from vae_explorer.gui.dialogs.data import DataDialog
from vae_explorer.gui.dialogs.export import ExportDialog
from vae_explorer.gui.dialogs.missing_data import ask_for_data
from vae_explorer.gui.dialogs.onnx_pair import OnnxPairDialog
from vae_explorer.gui.explore.sketch.draw_panel import DrawPanel
from vae_explorer.gui.painting_turns import PaintingTurns
from vae_explorer.gui.plot.figures import room_of
from vae_explorer.gui.widgets.cells import cells
from vae_explorer.gui.window.docks import reveal
from vae_explorer.gui.window.records import Choices, Command, Controller
from vae_explorer.session.app import App
from vae_explorer.session.files.onnx_files import OnnxFiles, PairLook
from vae_explorer.session.files.open_data import Look, Missing
from vae_explorer.session.files.open_model import BUNDLED_MODELS
from vae_explorer.session.files.returning import EXPORTED, Returning
from vae_explorer.session.files.workspace import EXTENSION, CurvesPlace, as_values
from vae_explorer.session.files.workspaces import Workspaces
from vae_explorer.training.recipe import Recipe
from vae_explorer.types import Region


class FilesController(Controller):
    """Opens, saves and exports.

    Args:
        app: does it.
        ask: asks for files.
        draw: takes pictures that are dropped.
        view: what only the window knows of a workspace.
        window: the parent of dialogs.
    """

    def __init__(
        self,
        app: App,
        ask: AskPath,
        draw: DrawPanel,
        view: Callable[[], tuple[Region, str, CurvesPlace, tuple[int, ...]]],
        window: QWidget,
    ) -> None:
        super().__init__(app)
        self.workspaces = Workspaces(app)
        app.exports.view = self._workspace
        app.exports.paint = PaintingTurns(app, window).run
        self._onnx = OnnxFiles(app)
        self._onnx.lacking.connect(self._on_lacking)
        self._onnx.looked.connect(self._on_pair)
        self._returning = Returning(app, self.workspaces)
        self._ask = ask
        self._draw = draw
        self._openers: dict[str, Callable[[Path], None]] = {
            ".safetensors": app.model.open,
            ".onnx": self._onnx.open,
            EXTENSION: self.workspaces.open,
            ".csv": app.coloring.open_table,
            ".tsv": app.coloring.open_table,
        }
        self._view = view
        self._window = window
        self.commands = (
            Command("open", "File", "Open Model…",
                "Open a checkpoint, or an ONNX encoder and decoder", self._open_model, ("Ctrl+O",),
                toolbar="Open", icon="open"),
            Command("open_data", "File", "Open Data…",
                "Open a file of images, to train on and to see", self._open_data),
            Command("open_data_folder", "File", "Open Folder of Data…",
                "Open a folder of images, to train on and to see", self._open_data_folder),
            Choices("File", "Open Recent Data", lambda: app.data.recent,
                lambda name: app.data.open(Path(name)), _short),
            Choices("File", "Open Recent", self._recent, self._open_recent, _short),
            Command("save", "File", "Save Model As…", "Save the model on the map", self._save_model,
                ("Ctrl+S",), lacks=lambda: app.model.no_weights),
            Command("reset", "File", "Open Bundled Model",
                "Back to the model the explorer ships with", app.model.reset),
            Choices("File", "Bundled Models", lambda: tuple(BUNDLED_MODELS), app.model.open_bundled,
                lambda name: f"{name}: {BUNDLED_MODELS[name]}"),
            Command("export", "File", "Export…",
                "Write what is on screen as a file that says how to make it again", self.export,
                ("Ctrl+E",), toolbar="Export", icon="export", separator=True),
            Command("export_digit", "File", "Export Image…",
                "Write the decoded image at the cursor", lambda: self.export("digit"),
                ("Ctrl+Shift+E",)),
            Command("export_manifold", "File", "Export Manifold…",
                "Write an n × n sheet of decoded latent points", lambda: self.export("manifold"),
                ("Ctrl+Shift+M",)),
            Command("copy", "Edit", "Copy",
                "Copy the picture or the table under the focus", self._copy, ("Ctrl+C",)),
            Command("open_workspace", "File", "Open Workspace…",
                "Restore a saved view with its pins, selections and layers", self._open_workspace,
                ("Ctrl+Shift+O",), separator=True),
            Command("save_workspace", "File", "Save Workspace…",
                "Save the view with its pins, selections and layers", self._save_workspace,
                ("Ctrl+Shift+S",)),
        )  # fmt: skip
        self.changes = (app.settings.changed, app.model.changed)
        self._preview: DataDialog | None = None
        app.data.looked.connect(self._on_looked)
        app.data.missing.connect(self._on_missing)

    def export(self, first: str | Request = "", over: QWidget | None = None) -> None:
        """Ask what to export and where to; at first this, or what is under the focus."""
        if self._app.exports.offers():
            first = first or self._focused()
            ExportDialog(self._app.exports, self._ask, first, over or self._window).open()

    def _focused(self) -> str:
        """The kind of export that the focus is on."""
        room = room_of(self._window.focusWidget())
        return str(room.property("export")) if room else ""

    def _copy(self) -> None:
        focused = self._window.focusWidget()
        if isinstance(focused, QAbstractItemView):
            self._on_copied(cells(focused).encode())
            return
        exports = self._app.exports
        if (request := exports.offers().get(self._focused() or "digit")) is not None:
            exports.copy(request, self._on_copied)

    def _on_copied(self, found: bytes | str) -> None:
        if isinstance(found, str):
            self._app.messages.fail("Nothing was copied", UserError(found))
            return
        picture, clipboard = QImage.fromData(found), QGuiApplication.clipboard()
        if picture.isNull():
            clipboard.setText(found.decode(errors="replace"))
        else:
            clipboard.setImage(picture)
        self._app.messages.published.emit("Copied")

    def _workspace(self) -> dict[str, Any] | None:
        """What is seen, for an export to keep; None of a model in no file."""
        try:
            return as_values(self.workspaces.now(*self._view()))
        except UserError:
            return None

    def accepts(self, mime: QMimeData) -> bool:
        """Whether it is a single local file, of whatever kind, two networks, or a picture."""
        urls = mime.urls()
        if (len(urls) == 1 and urls[0].isLocalFile()) or _networks(mime):
            return True
        return len(urls) < 2 and mime.hasImage()  # as out of a browser, with its address

    def drop(self, mime: QMimeData) -> None:
        """Open what is accepted, or tell what could be; of an export what it was made from."""
        urls = mime.urls()
        if not urls or not urls[0].isLocalFile():
            self._take(mime)
            return
        if networks := _networks(mime):
            self._onnx.open(*networks)
            return
        path = Path(urls[0].toLocalFile())
        kept = QMimeData()  # Qt's own is gone when the file has been read
        kept.setUrls(urls)
        if path.suffix.lower() in EXPORTED:
            self._returning.open(path, lambda: self._drop(kept, path))
        else:
            self._drop(kept, path)

    def _take(self, mime: QMimeData) -> None:
        reveal(self._draw)
        self._draw.pad.take(mime)

    def _drop(self, mime: QMimeData, path: Path) -> None:
        app = self._app
        if self._draw.pad.accepts(mime):
            self._take(mime)
            return
        opener = self._openers.get(path.suffix.lower())
        if opener is None and (path.is_dir() or path.suffix.lower() in DATA.suffixes):
            opener = app.data.open
        if opener is not None:
            opener(path)
            return
        text = (
            f"{path} is nothing that can be dropped here; drop a model (.safetensors, .onnx), "
            f"a workspace ({EXTENSION}), a table (.csv), images to train on (a folder, .npz), "
            "an export, or a picture such as a PNG."
        )
        app.messages.fail("The file was not opened", UserError(text))

    def _open_model(self) -> None:
        if path := self._ask.open("Open Model", TO_OPEN):
            self._openers.get(path.suffix.lower(), self._app.model.open)(path)

    def _on_lacking(self, path: Path) -> None:
        if other := self._ask.open(f"Open the Other Network of {path.name}", NETWORK):
            self._onnx.open(path, other)

    def _on_pair(self, look: PairLook) -> None:
        OnnxPairDialog(look, self._window).ask(self._onnx.open_as)

    def _open_data(self) -> None:
        if path := self._ask.open("Open Data", DATA):
            self._app.data.open(path)

    def _open_data_folder(self) -> None:
        if path := self._ask.open_folder("Open Folder of Data"):
            self._app.data.open(path)

    def _on_looked(self, look: Look) -> None:
        if self._preview is not None:
            return  # it takes the look itself
        self._preview = DataDialog(self._app.data, look, self._window)
        self._preview.finished.connect(self._forget_preview)
        self._preview.ask(self._take_data)

    def _forget_preview(self) -> None:
        self._preview = None

    def _take_data(self, data: Dataset, recipe: Recipe, train: bool) -> None:
        app = self._app
        app.data.take(data)
        for note in data.report.notes:
            app.messages.published.emit(f"{data.name}: {note}")
        if train:
            app.training.end_then(lambda: app.runs.train(recipe))

    def _on_missing(self, missing: Missing) -> None:
        title = f"Locate {missing.wanted.name}"

        def locate(path: Path | None) -> None:
            if path is None:
                self._on_missing(missing)
            else:
                self._app.data.locate(missing, path)

        def go_on(data: Dataset) -> None:
            missing.take(data)
            text = f"{missing.wanted.name} was not found; {data.name} is shown instead"
            self._app.messages.published.emit(text)

        answers = {
            "Locate File…": lambda: locate(self._ask.open(title, DATA)),
            "Locate Folder…": lambda: locate(self._ask.open_folder(title)),
        }
        instead = {"Use Anyway": missing.others, "Go On Without": missing.own}
        answers |= {text: partial(go_on, data) for text, data in instead.items() if data}
        ask_for_data(missing, answers, self._window)

    def _recent(self) -> tuple[str, ...]:
        return self._app.settings.now.recent

    def _open_recent(self, name: str) -> None:
        path = Path(name)
        again = {".onnx": self._onnx.open_again}
        again.get(path.suffix.lower(), self._app.model.open)(path)

    def _save_model(self) -> None:
        if path := self._ask.save("Save Model As", "model.safetensors", MODEL):
            self._app.model.save(path)

    def _open_workspace(self) -> None:
        if path := self._ask.open("Open Workspace", WORKSPACE):
            self.workspaces.open(path)

    def _save_workspace(self) -> None:
        if path := self._ask.save("Save Workspace", f"workspace{EXTENSION}", WORKSPACE):
            self.workspaces.save(path, *self._view())


def _networks(mime: QMimeData) -> list[Path]:
    """Two ONNX files, or nothing."""
    paths = [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()]
    networks = [path for path in paths if path.suffix.lower() == ".onnx"]
    return networks if len(networks) == len(mime.urls()) == 2 else []


def _short(name: str) -> str:
    # With the folder, because every run calls its model alike.
    path = Path(name)
    return f"{path.parent.name}/{path.name}"
