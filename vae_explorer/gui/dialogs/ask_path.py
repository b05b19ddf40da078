"""The one door that asks a person for the name of a file."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from vae_explorer.session.files.workspace import EXTENSION


@dataclass(frozen=True)
class FileKind:
    """A format as file dialogs name it; a file of it ends in one of ``suffixes``."""

    name: str
    suffixes: tuple[str, ...]

    @property
    def filter(self) -> str:
        """Its line in a file dialog."""
        return f"{self.name} ({' '.join(f'*{suffix}' for suffix in self.suffixes)})"

    def named(self, path: Path) -> Path:
        """``path`` as a file of this kind, with the first suffix added if it has none of them."""
        known = path.suffix.lower() in self.suffixes
        return path if known else path.with_name(f"{path.name}{self.suffixes[0]}")


MODEL = FileKind("VAE Explorer models", (".safetensors",))
TO_OPEN = FileKind("Models", (".safetensors", ".onnx"))
NETWORK = FileKind("ONNX networks", (".onnx",))
WORKSPACE = FileKind("VAE Explorer workspaces", (EXTENSION,))
LESSON = FileKind("Lessons", (".md",))
RECIPE = FileKind("Recipes", (".toml",))
PICTURE = FileKind("Pictures", (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff"))
_TEXTS = (".csv", ".tsv", ".txt")
TABLE = FileKind("Tables", (*_TEXTS, ".parquet", ".npz"))
DATA = FileKind(
    "Images to train on",
    (
        *(".npz", ".npy", ".gz", ".idx", "-ubyte", ".parquet", ".arrow", ".amat"),
        *_TEXTS,
        *PICTURE.suffixes,
    ),
)


class AskPath:
    """Asks for files, each time beginning in the folder of the last one.

    Args:
        window: what the dialogs belong to.
        folder: the folder remembered, or "".
        remember: keeps another.
    """

    def __init__(
        self, window: QWidget, folder: Callable[[], str], remember: Callable[[str], object]
    ) -> None:
        self._window = window
        self._folder = folder
        self._remember = remember

    @property
    def folder(self) -> Path:
        """Where to begin: the folder remembered if it is still there, else the home folder."""
        folder = Path(self._folder())
        return folder if self._folder() and folder.is_dir() else Path.home()

    def remember(self, path: Path) -> Path:
        """Begin in the folder of ``path`` from now on; returns ``path``."""
        self._remember(str(path.parent.absolute()))
        return path

    def open(self, title: str, kind: FileKind, parent: QWidget | None = None) -> Path | None:
        """Ask for a file that exists; None if the dialog was cancelled."""
        name, _ = QFileDialog.getOpenFileName(
            parent or self._window, title, str(self.folder), kind.filter
        )
        return self.remember(Path(name)) if name else None

    def open_folder(self, title: str) -> Path | None:
        """Ask for a folder that exists; None if the dialog was cancelled."""
        path = ask_folder(self._window, title, self.folder)
        return path and self.remember(path)

    def save(self, title: str, name: str, *kinds: FileKind) -> Path | None:
        """Ask where to write a file, by default called ``name``; None if that was cancelled."""
        path = ask_save(self._window, title, self.folder / name, *kinds)
        return path and self.remember(path)


def ask_save(parent: QWidget, title: str, start: Path, *kinds: FileKind) -> Path | None:
    """Ask for the name of a file to write, of one of ``kinds``; None if that was cancelled.

    A name that ends in none of their suffixes gets that of the kind chosen. Who gives the name of
    a file that exists is asked whether to replace it.
    """
    filters = ";;".join(kind.filter for kind in kinds)
    while True:
        name, chosen = QFileDialog.getSaveFileName(parent, title, str(start), filters)
        if not name:
            return None
        typed = Path(name)
        kind = next((kind for kind in kinds if kind.filter == chosen), kinds[0])
        known = any(typed == kind.named(typed) for kind in kinds)
        path = typed if known else kind.named(typed)
        # The file dialog has asked about the name as it was typed.
        if path == typed or may_write(parent, path):
            return path
        start = path


def ask_folder(parent: QWidget, title: str, start: Path) -> Path | None:
    """Ask for a folder; None if the dialog was cancelled."""
    name = QFileDialog.getExistingDirectory(parent, title, str(start))
    return Path(name) if name else None


def may_write(parent: QWidget, path: Path) -> bool:
    """Whether ``path`` is free, or a person says that it may be replaced."""
    buttons = QMessageBox.StandardButton
    return not path.exists() or (
        QMessageBox.question(
            parent,
            "Replace File",
            f"{path.name} already exists. Do you want to replace it?",
            buttons.Yes | buttons.No,
            buttons.No,
        )
        == buttons.Yes
    )
