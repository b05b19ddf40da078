"""Files that a person takes away."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from vae_explorer.export import making
from vae_explorer.export.content import export_content
from vae_explorer.export.kinds import kind_of
from vae_explorer.export.requests import LARGEST_SIDE, Digit, Request, Strip
from vae_explorer.export.source import Source
from vae_explorer.export.tables import export_points
from vae_explorer.session.explore.cursor import Cursor
from vae_explorer.session.explore.playback import Playback
from vae_explorer.session.map.coloring import Coloring
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.map.search import Search
from vae_explorer.session.messages import Messages
from vae_explorer.session.tasks import Tasks


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

    def source(self, request: Request) -> Source | None:
        """What a request is made from now."""
        state = self._map.state
        if state is None:
            return None
        rotation = state.model.rotation if request.turned else None
        return Source(state.snapshot, state.path, rotation, lambda: state.data)

    def export(self, request: Request, path: Path) -> None:
        """Write what is asked for."""
        source = self.source(request)
        if source is None:
            return
        failure = f"The {kind_of(request).title.lower()} was not exported"

        def work() -> None:
            making.write(request, source, path)

        self.write(path, work, failure)

    def digit(self, path: Path, scale: int) -> None:
        """Write the picture at the cursor as PNG, each pixel ``scale`` × ``scale``."""
        if (state := self._map.state) is not None:
            z1, z2 = state.model.in_checkpoint(np.array([self._cursor.position]))[0].tolist()
            self.export(Digit((z1, z2), scale), path)

    def path(self, path: Path) -> None:
        """Write the pictures of the latent path as one strip, PNG."""
        shown = self._playback.path
        if shown is not None and len(shown.images):
            width = sum(image.shape[1] for image in shown.images)
            z = tuple(shown.z.ravel().tolist())
            self.export(Strip(z, scale=max(1, min(4, LARGEST_SIDE // width))), path)

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
