"""What is asked before a model, a picture or a workspace is opened, saved or exported."""

from pathlib import Path

from PySide6.QtWidgets import QWidget

from vae_explorer.export.requests import ManifoldRequest
from vae_explorer.gui.dialogs.ask_path import MODEL, WORKSPACE, AskPath
from vae_explorer.gui.dialogs.export import DigitExportDialog, ManifoldExportDialog
from vae_explorer.session.app import IMAGE_SHAPE, Explorer
from vae_explorer.session.files.workspace import EXTENSION
from vae_explorer.session.files.workspaces import Workspaces
from vae_explorer.types import Region


class FileDialogs:
    """Asks a person for a file, and tells the explorer."""

    def __init__(
        self, explorer: Explorer, workspaces: Workspaces, ask: AskPath, window: QWidget
    ) -> None:
        self._explorer = explorer
        self._workspaces = workspaces
        self._ask = ask
        self._window = window

    def open_model(self) -> None:
        """Ask for a checkpoint to open."""
        if path := self._ask.open("Open Model", MODEL):
            self._explorer.open_checkpoint(path)

    def save_model(self) -> None:
        """Ask where to save the model on the map."""
        if path := self._ask.save("Save Model As", "model.safetensors", MODEL):
            self._explorer.save_checkpoint(path)

    def export_digit(self) -> None:
        """Ask how to export the decoded image at the cursor."""
        z1, z2 = self._explorer.cursor.place
        start = self._ask.folder / f"digit z=({z1:.3f}, {z2:.3f}).png"
        dialog = DigitExportDialog(start, IMAGE_SHAPE, self._window)
        dialog.export_requested.connect(self._on_export_digit)
        dialog.open()

    def export_manifold(self) -> None:
        """Ask how to export a sheet of decoded places."""
        dialog = ManifoldExportDialog(self._ask.folder / "manifold.png", IMAGE_SHAPE, self._window)
        dialog.export_requested.connect(self._on_export_manifold)
        dialog.open()

    def open_workspace(self) -> None:
        """Ask for a workspace to restore."""
        if path := self._ask.open("Open Workspace", WORKSPACE):
            self._workspaces.open(path)

    def save_workspace(self, view: Region, layout: str) -> None:
        """Ask where to save the workspace, with what only the window knows."""
        if path := self._ask.save("Save Workspace", f"workspace{EXTENSION}", WORKSPACE):
            self._workspaces.save(path, view, layout)

    def _on_export_digit(self, path: Path, scale: int) -> None:
        self._explorer.export_digit(self._ask.remember(path), scale)

    def _on_export_manifold(self, path: Path, request: ManifoldRequest) -> None:
        self._explorer.export_manifold(self._ask.remember(path), request)
