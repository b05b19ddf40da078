"""Saving what a person sees and has marked, and putting it all back."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
from psygnal import Signal

from vae_explorer import paths
from vae_explorer.errors import UserError
from vae_explorer.session.app import App
from vae_explorer.session.explore.cursor import Bookmark
from vae_explorer.session.files.open_model import SavedModel, read_model
from vae_explorer.session.files.settings import Settings
from vae_explorer.session.files.workspace import (
    CurvesPlace,
    Workspace,
    check_images,
    find_model,
    model_hash,
    read_workspace,
    rows,
    rows_text,
    write_workspace,
)
from vae_explorer.session.map.coloring import CHOICES, LABEL
from vae_explorer.session.map.layers import LAYERS, default_state
from vae_explorer.session.map.selection import data_key
from vae_explorer.session.map.state import MapState
from vae_explorer.training.snapshot import reference
from vae_explorer.types import Float64, Region

_USUAL = CurvesPlace()


class Workspaces:
    """Writes and restores the workspace of a window. Main thread only."""

    restored = Signal(Workspace)
    """All is back but what only the window knows: the view, the scheme, the layout,
    the curves and the hidden classes."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._reading = app.tasks.newest("workspace", "The workspace was not opened")
        self._waiting: tuple[Workspace, Path | None] | None = None  # and its model's file
        app.map.changed.connect(self._on_map)

    def save(
        self,
        path: Path,
        view: Region,
        layout: str,
        curves: CurvesPlace = _USUAL,
        hidden: tuple[int, ...] = (),
    ) -> None:
        """Write everything to a file; the model must be in one of its own."""
        try:
            workspace = self.now(view, layout, curves, hidden)
        except UserError as error:
            self._app.messages.fail("The workspace was not saved", error)
            return
        self._app.exports.write(
            path, lambda: write_workspace(path, hashed(workspace)), "The workspace was not saved"
        )

    def now(
        self,
        view: Region,
        layout: str,
        curves: CurvesPlace = _USUAL,
        hidden: tuple[int, ...] = (),
    ) -> Workspace:
        """What is seen and marked, but for the hash of the model; see ``hashed``.

        Raises:
            UserError: the model is in no file.
        """
        app, model = self._app, self._app.model.path
        if model is None:
            text = "The model is not saved yet; save it first, or pause or stop the run."
            raise UserError(text)
        settings, pins, selection = app.settings.now, app.pins, app.selection
        by = app.coloring.by
        return Workspace(
            model="",  # read from the file off the main thread
            path=model,
            split=settings.split,
            kind=settings.kind,
            align=settings.align,
            cursor=app.cursor.position,
            bookmarks={mark.name: mark.position for mark in app.cursor.bookmarks},
            pins=tuple((pin.split, pin.index) for pin in pins.tray),
            current=(pins.current.split, pins.current.index) if pins.current else None,
            selection=rows_text(selection.indices.tolist()),
            selections={name: rows_text(chosen) for name, chosen in selection.saved().items()},
            layers=app.layers.states,
            color_by=by if by in dict(CHOICES) else LABEL,
            view=view,
            scheme=settings.scheme,
            layout=layout,
            rotation=_rows(app.map.state.model.rotation) if app.map.state else None,
            data=reference(app.map.state.data) if app.map.state else None,
            pixels=app.layers.view.pixels,
            lesson=app.learning.place,
            curves=curves,
            hidden=hidden,
        )

    def open(self, path: Path) -> None:
        """Restore a file; a run under way is stopped and saved once the file proved good."""
        self.restore(lambda: read_workspace(path), path)

    def restore(self, read_it: Callable[[], Workspace], path: Path) -> None:
        """Restore what is read off the main thread, from a file or out of something else."""
        app = self._app
        recent = [Path(name) for name in app.settings.now.recent]

        def read() -> tuple[Workspace, SavedModel]:
            workspace = read_it()
            candidates = [*recent, *sorted(paths.checkpoints().glob("*.safetensors"))]
            found = find_model(workspace, candidates)
            if found is None:
                raise UserError(
                    f"{path} is of the model {workspace.path}, which is not there any more, nor "
                    "among the recent ones; open that model from where it is now, then try again."
                )
            model = read_model(found, app.data)
            data = app.data.find(workspace.data) if workspace.data else None
            if data is not None and data.image_shape == model.snapshot.model.image_shape:
                model = dataclasses.replace(model, data=data)
            check_images(path, workspace, model.data)
            return workspace, model

        self._reading.run(lambda _: read(), self._on_read)

    def _on_read(self, found: tuple[Workspace, SavedModel]) -> None:
        workspace, model = found
        settings = dataclasses.replace(
            self._app.settings.now,
            split=workspace.split,
            kind=workspace.kind,
            align=workspace.align,
            scheme=workspace.scheme,
        )
        self._app.settings.change(settings)
        self._waiting = workspace, model.path
        # Its positions are of the plane as it was, however what is on the map now is turned.
        rotation = np.array(workspace.rotation) if workspace.rotation else np.eye(2)
        turned = workspace.align or workspace.rotation
        self._app.model.open_read(dataclasses.replace(model, rotation=rotation if turned else None))

    def _on_map(self, state: MapState) -> None:
        app, points = self._app, state.points
        if self._waiting is None or points is None or app.training.active:
            return  # a run is about to end
        (workspace, model), self._waiting = self._waiting, None
        if state.path != model or points.split != workspace.split:
            return  # a person has asked for something else meanwhile
        bookmarks = [Bookmark(name, position) for name, position in workspace.bookmarks.items()]
        app.selection.reset(points.total, data_key(points))
        app.cursor.reset(workspace.cursor, bookmarks)
        app.pins.restore(workspace.pins, workspace.current)
        for name, text in workspace.selections.items():
            app.selection.replace(rows(text))
            app.selection.save(name)
        app.selection.replace(rows(workspace.selection))
        app.layers.restore(workspace.layers)
        app.coloring.choose(workspace.color_by)
        if workspace.lesson:
            app.learning.restore(workspace.lesson)
        self.restored.emit(workspace)


def fresh(path: Path, rotation: Float64 | None = None) -> Workspace:
    """Of a model's file, as a window begins; its view is to be chosen by who knows the points."""
    settings = Settings()
    return Workspace(
        model=model_hash(path),
        path=path.resolve(),
        split=settings.split,
        kind=settings.kind,
        align=settings.align,
        cursor=(0.0, 0.0),
        bookmarks={},
        pins=(),
        current=None,
        selection="",
        selections={},
        layers=tuple(map(default_state, LAYERS)),
        color_by=LABEL,
        view=(-3.0, 3.0, -3.0, 3.0),
        scheme=settings.scheme,
        layout="explore",
        rotation=_rows(rotation),
    )


def hashed(workspace: Workspace) -> Workspace:
    """With the hash of the model, which is read from its file, and where that is."""
    path = workspace.path
    return dataclasses.replace(workspace, model=model_hash(path), path=path.resolve())


def _rows(rotation: Float64 | None) -> tuple[tuple[float, float], tuple[float, float]] | None:
    if rotation is None:
        return None
    (a, b), (c, d) = rotation.tolist()
    return (a, b), (c, d)
