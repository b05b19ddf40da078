"""Asking for files: open, save, export."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from vae_explorer.gui.dialogs.export import DigitExportDialog, ManifoldExportDialog
from vae_explorer.session import ManifoldRequest
from vae_explorer.session.app import IMAGE_SHAPE, Explorer
from vae_explorer.session.files.workspace import EXTENSION
from vae_explorer.session.files.workspaces import Workspaces
from vae_explorer.types import Region

_CHECKPOINTS = "VAE Explorer models (*.safetensors)"
_WORKSPACES = f"VAE Explorer workspaces (*{EXTENSION})"
_LESSONS = "Lessons (*.md)"
_TABLES = "Tables (*.csv *.tsv *.txt)"
_CURVES = {
    "png": "PNG pictures (*.png)",
    "svg": "SVG drawings (*.svg)",
    "pdf": "PDF documents (*.pdf)",
    "csv": "CSV tables (*.csv)",
}


class FileDialogs:
    """Asks a person for a file, tells the explorer, and remembers the folder."""

    def __init__(self, explorer: Explorer, workspaces: Workspaces, window: QWidget) -> None:
        self._explorer = explorer
        self._workspaces = workspaces
        self._window = window

    def open_model(self) -> None:
        """Ask for a checkpoint to open."""
        name, _ = QFileDialog.getOpenFileName(
            self._window, "Open Model", str(self._folder()), _CHECKPOINTS
        )
        if name:
            self._remember_folder(Path(name))
            self._explorer.open_checkpoint(Path(name))

    def save_model(self) -> None:
        """Ask where to save the model on the map."""
        start = self._folder() / "model.safetensors"
        name, _ = QFileDialog.getSaveFileName(
            self._window, "Save Model As", str(start), _CHECKPOINTS
        )
        if name:
            path = Path(name)
            if path.suffix != ".safetensors":
                path = path.with_name(f"{path.name}.safetensors")
            self._remember_folder(path)
            self._explorer.save_checkpoint(path)

    def export_digit(self) -> None:
        """Ask how to export the decoded image at the cursor."""
        z1, z2 = self._explorer.cursor.place
        start = self._folder() / f"digit z=({z1:.3f}, {z2:.3f}).png"
        dialog = DigitExportDialog(start, IMAGE_SHAPE, self._window)
        dialog.export_requested.connect(self._on_export_digit)
        dialog.open()

    def export_manifold(self) -> None:
        """Ask how to export a sheet of decoded places."""
        dialog = ManifoldExportDialog(self._folder() / "manifold.png", IMAGE_SHAPE, self._window)
        dialog.export_requested.connect(self._on_export_manifold)
        dialog.open()

    def open_workspace(self) -> None:
        """Ask for a workspace to restore."""
        name, _ = QFileDialog.getOpenFileName(
            self._window, "Open Workspace", str(self._folder()), _WORKSPACES
        )
        if name:
            self._remember_folder(Path(name))
            self._workspaces.open(Path(name))

    def save_workspace(self, view: Region, layout: str) -> None:
        """Ask where to save the workspace, with what only the window knows."""
        start = self._folder() / f"workspace{EXTENSION}"
        name, _ = QFileDialog.getSaveFileName(
            self._window, "Save Workspace", str(start), _WORKSPACES
        )
        if name:
            path = Path(name)
            path = path if path.suffix == EXTENSION else path.with_name(f"{path.name}{EXTENSION}")
            self._remember_folder(path)
            self._workspaces.save(path, view, layout)

    def export_points(self) -> None:
        """Ask where to write the table of points."""
        start = self._folder() / "points.csv"
        name, _ = QFileDialog.getSaveFileName(self._window, "Export Points", str(start), _TABLES)
        if name:
            path = Path(name)
            path = path if path.suffix else path.with_suffix(".csv")
            self._remember_folder(path)
            self._explorer.export_selection(path)

    def export_curves(self, draw: Callable[[str], bytes]) -> None:
        """Ask where to write the training curves; ``draw`` makes a file of a kind."""
        start = self._folder() / "training curves.png"
        name, chosen = QFileDialog.getSaveFileName(
            self._window, "Export Curves", str(start), ";;".join(_CURVES.values())
        )
        if name:
            path = Path(name)
            kind = path.suffix[1:].lower()
            if kind not in _CURVES:
                kind = next((k for k, text in _CURVES.items() if text == chosen), "png")
                path = path.with_name(f"{path.name}.{kind}")
            self._remember_folder(path)
            self._explorer.export_curves(path, draw(kind))

    def load_table(self) -> None:
        """Ask for a table to colour the points by."""
        name, _ = QFileDialog.getOpenFileName(
            self._window, "Colour by Table", str(self._folder()), _TABLES
        )
        if name:
            self._remember_folder(Path(name))
            self._explorer.load_table(Path(name))

    def open_lesson(self) -> None:
        """Ask for a lesson that somebody wrote."""
        name, _ = QFileDialog.getOpenFileName(
            self._window, "Open Lesson", str(self._folder()), _LESSONS
        )
        if name:
            self._remember_folder(Path(name))
            self._explorer.learning.open_file(Path(name))

    def save_lesson(self) -> None:
        """Ask where to save the lesson with its present step as it is set up."""
        text = self._explorer.learning.as_file()
        start = self._folder() / "lesson.md"
        name, _ = QFileDialog.getSaveFileName(self._window, "Save Lesson", str(start), _LESSONS)
        if name:
            path = Path(name)
            path = path if path.suffix else path.with_suffix(".md")
            self._remember_folder(path)
            self._explorer.write_text(path, text, "The lesson was not saved")

    def _on_export_digit(self, path: Path, scale: int) -> None:
        self._remember_folder(path)
        self._explorer.export_digit(path, scale)

    def _on_export_manifold(self, path: Path, request: ManifoldRequest) -> None:
        self._remember_folder(path)
        self._explorer.export_manifold(path, request)

    def _folder(self) -> Path:
        folder = Path(self._explorer.settings.folder)
        return folder if self._explorer.settings.folder and folder.is_dir() else Path.home()

    def _remember_folder(self, path: Path) -> None:
        self._explorer.change_settings(folder=str(path.parent.absolute()))
