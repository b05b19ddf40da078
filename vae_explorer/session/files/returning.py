"""Back from an exported file to what it was made from."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from vae_explorer.errors import ExportError
from vae_explorer.export.about import About, read_about
from vae_explorer.export.embedding import FORMATS
from vae_explorer.export.making import source_told
from vae_explorer.session.app import App
from vae_explorer.session.files.open_model import SavedModel, name_of
from vae_explorer.session.files.workspace import from_values
from vae_explorer.session.files.workspaces import Workspaces
from vae_explorer.session.map.state import MapState

EXPORTED = frozenset(FORMATS) - {".safetensors", ".parquet"} | {".mp4", ".webm"}
"""Suffixes of exports that lead back; models are opened themselves, and tables colour the map."""


class Returning:
    """Opens the model, the place and the view that an export names. Main thread only."""

    def __init__(self, app: App, workspaces: Workspaces) -> None:
        self._app = app
        self._workspaces = workspaces
        self._reading = app.tasks.newest("exported", "The file was not opened")
        self._waiting: tuple[Path | None, About] | None = None
        app.map.changed.connect(self._on_map)

    def open(self, path: Path, other: Callable[[], None]) -> None:
        """Go back to what a file was made from; ``other`` is called if it does not say."""

        def read() -> Callable[[], None]:
            try:
                told = read_about(path)
            except ExportError:  # whoever opens it then says what is wrong with it
                told = None
            if told is None:
                return other
            source = source_told(told, None, None, path)
            if told.workspace:
                view = from_values(told.workspace | {"path": str(source.path)}, str(path))
                return lambda: self._workspaces.restore(lambda: view, path)
            data = source.data if told.data else self._app.data.to_show(source.snapshot)
            name = name_of(source.path) if source.path else "a model"
            model = SavedModel(source.path, source.snapshot, name, data, source.rotation)
            return partial(self._show, told, model)

        self._reading.run(lambda _: read(), lambda go: go())

    def _show(self, told: About, model: SavedModel) -> None:
        self._waiting = model.path, told
        self._app.model.open_read(model)

    def _on_map(self, state: MapState, _: Any = None) -> None:
        if self._waiting is None or self._app.training.active:
            return
        (path, told), self._waiting = self._waiting, None
        z = told.request.get("z") or ()
        if state.path != path or len(z) < 2:
            return
        at = np.array(z[:2], float)
        rotation = state.model.rotation
        turned = not told.asked.turned and rotation is not None
        z1, z2 = (rotation @ at if turned else at).tolist()
        self._app.cursor.move(z1, z2)
