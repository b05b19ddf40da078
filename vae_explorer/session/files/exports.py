"""Files that a person takes away."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from vae_explorer.export.content import export_content
from vae_explorer.export.images import export_digit, export_manifold, export_strip
from vae_explorer.export.requests import DigitRequest, ManifoldRequest
from vae_explorer.export.tables import export_points
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.session.explore.cursor import Cursor
from vae_explorer.session.explore.playback import Playback
from vae_explorer.session.map.coloring import Coloring
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.map.search import Search
from vae_explorer.session.messages import Messages
from vae_explorer.session.tasks import Tasks
from vae_explorer.training.meaning import origin


class Exports:
    """Writes files off the main thread, and says so. Main thread only."""

    def __init__(
        self,
        tasks: Tasks,
        messages: Messages,
        latent_map: LatentMap,
        cursor: Cursor,
        playback: Playback,
        search: Search,
        coloring: Coloring,
    ) -> None:
        self._tasks = tasks
        self._messages = messages
        self._map = latent_map
        self._cursor = cursor
        self._playback = playback
        self._search = search
        self._coloring = coloring

    def digit(self, path: Path, scale: int) -> None:
        """Write the picture at the cursor as PNG, each pixel ``scale`` × ``scale``."""
        request = DigitRequest(self._cursor.position, scale)
        self._picture(path, lambda model, about: export_digit(model, request, path, about))

    def manifold(self, path: Path, request: ManifoldRequest) -> None:
        """Write a sheet of decoded positions as PNG."""
        self._picture(path, lambda model, about: export_manifold(model, request, path, about))

    def path(self, path: Path) -> None:
        """Write the pictures of the latent path as one strip, PNG."""
        shown, state = self._playback.path, self._map.state
        if shown is not None and len(shown.images) and state is not None:
            strip = partial(export_strip, shown.images, shown.z, path, origin(state.snapshot))
            self.write(path, strip, "The path was not exported")

    def points(self, path: Path) -> None:
        """Write a table of the selected points, or of all if none is, in the suffix's format."""
        columns = self._search.table(self._coloring.columns)
        self.write(path, lambda: export_points(path, columns), "The table was not exported")

    def content(self, path: Path, content: bytes, failure: str) -> None:
        """Write what a view has drawn, or a text; ``failure`` is the title of an error."""
        self.write(path, partial(export_content, path, content), failure)

    def write(self, path: Path, write: Callable[[], None], failure: str) -> None:
        """Write a file by ``write``, which is called on the worker's thread."""
        self._tasks.write(write, lambda: self._messages.published.emit(f"Exported {path}"), failure)

    def _picture(self, path: Path, write: Callable[[TrainedVAE, Mapping[str, str]], None]) -> None:
        state = self._map.state
        if state is not None:
            about = origin(state.snapshot)
            self.write(path, partial(write, state.model, about), "The picture was not exported")
