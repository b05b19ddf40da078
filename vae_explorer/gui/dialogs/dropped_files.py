"""What becomes of a file that is dropped on the window."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QMimeData

from vae_explorer.errors import UserError
from vae_explorer.gui.explore.sketch.draw_panel import DrawPanel
from vae_explorer.gui.window.docks import reveal
from vae_explorer.session.app import Explorer
from vae_explorer.session.files.workspace import EXTENSION
from vae_explorer.session.files.workspaces import Workspaces


class DroppedFiles:
    """Opens a model or a workspace, colours by a table, and puts a picture on the drawing pad.

    Args:
        explorer: opens models and tables, and tells of what is none of them.
        workspaces: opens workspaces.
        pad: where pictures go.
    """

    def __init__(self, explorer: Explorer, workspaces: Workspaces, pad: DrawPanel) -> None:
        self._explorer = explorer
        self._pad = pad
        self._openers: dict[str, Callable[[Path], None]] = {
            ".safetensors": explorer.open_checkpoint,
            EXTENSION: workspaces.open,
            ".csv": explorer.load_table,
            ".tsv": explorer.load_table,
        }

    def accepts(self, mime: QMimeData) -> bool:
        """Whether it is a single local file, of whatever kind, or a picture without one."""
        urls = mime.urls()
        if len(urls) == 1 and urls[0].isLocalFile():
            return True
        return len(urls) < 2 and mime.hasImage()  # as out of a browser, with its address

    def take(self, mime: QMimeData) -> None:
        """Open what is accepted, or tell what could be."""
        if self._pad.accepts(mime):
            reveal(self._pad)
            self._pad.take(mime)
            return
        path = Path(mime.urls()[0].toLocalFile())
        opener = self._openers.get(path.suffix.lower())
        if opener is not None:
            opener(path)
            return
        text = (
            f"{path} is nothing that can be dropped here; drop a model (.safetensors), "
            f"a workspace ({EXTENSION}), a table (.csv), or a picture such as a PNG."
        )
        self._explorer.fail("The file was not opened", UserError(text))
