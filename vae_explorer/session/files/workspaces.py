"""Saving what a person sees and has marked, and putting it all back."""

import dataclasses
from functools import partial
from pathlib import Path

from psygnal import Signal

from vae_explorer import paths
from vae_explorer.errors import UserError
from vae_explorer.session.app import Explorer, SavedModel, read_model
from vae_explorer.session.explore.cursor import Bookmark
from vae_explorer.session.files.workspace import (
    Workspace,
    find_model,
    model_hash,
    read_workspace,
    rows,
    rows_text,
    write_workspace,
)
from vae_explorer.session.map.coloring import CHOICES, LABEL
from vae_explorer.session.map.state import MapState
from vae_explorer.types import Region


class Workspaces:
    """Writes and restores the workspace of an explorer. Main thread only."""

    restored = Signal(Workspace)
    """All is back but what only the window knows: the view, the scheme and the layout."""

    def __init__(self, explorer: Explorer) -> None:
        self._explorer = explorer
        self._waiting: tuple[Workspace, Path] | None = None  # and its model's file
        explorer.map.changed.connect(self._on_map)

    def save(self, path: Path, view: Region, layout: str) -> None:
        """Write everything to a file; the model must be in one of its own."""
        explorer, model = self._explorer, self._explorer.path
        if model is None:
            text = "The model exists in memory only; save it first, or pause or end the run."
            explorer.fail("The workspace was not saved", UserError(text))
            return
        settings, pins, selection = explorer.settings, explorer.pins, explorer.selection
        by = explorer.coloring.by
        workspace = Workspace(
            model="",  # read from the file beside the main thread
            path=model,
            split=settings.split,
            kind=settings.kind,
            align=settings.align,
            cursor=explorer.cursor.place,
            bookmarks={mark.name: mark.place for mark in explorer.cursor.bookmarks},
            pins=tuple((pin.split, pin.index) for pin in pins.tray),
            current=(pins.current.split, pins.current.index) if pins.current else None,
            selection=rows_text(selection.indices.tolist()),
            selections={name: rows_text(chosen) for name, chosen in selection.saved().items()},
            layers=explorer.layers.states,
            color_by=by if by in dict(CHOICES) else LABEL,
            view=view,
            scheme=settings.scheme,
            layout=layout,
        )

        def write() -> None:
            there = dataclasses.replace(workspace, model=model_hash(model), path=model.resolve())
            write_workspace(path, there)

        explorer.write(path, write, "The workspace was not saved")

    def open(self, path: Path) -> None:
        """Restore a file; a run under way is stopped and saved once the file proved good."""
        explorer = self._explorer
        recent = [Path(name) for name in explorer.settings.recent]

        def read() -> tuple[Workspace, SavedModel]:
            workspace = read_workspace(path)
            candidates = [*recent, *sorted(paths.checkpoints().glob("*.safetensors"))]
            found = find_model(workspace, candidates)
            if found is None:
                raise UserError(
                    f"{path} is of the model {workspace.path}, which is not there any more, nor "
                    "among the recent ones; open that model from where it is now, then try again."
                )
            return workspace, read_model(found)

        explorer.read_beside(
            "workspace", read, self._on_read, partial(explorer.fail, "The workspace was not opened")
        )

    def _on_read(self, found: tuple[Workspace, SavedModel]) -> None:
        workspace, model = found
        settings = dataclasses.replace(
            self._explorer.settings,
            split=workspace.split,
            kind=workspace.kind,
            align=workspace.align,
            scheme=workspace.scheme,
        )
        self._explorer.change_settings(settings)
        self._waiting = workspace, model.path
        self._explorer.open_model(model)

    def _on_map(self, state: MapState) -> None:
        explorer, points = self._explorer, state.points
        if self._waiting is None or points is None or explorer.training.active:
            return  # a run is about to end
        (workspace, model), self._waiting = self._waiting, None
        if state.path != model or points.split != workspace.split:
            return  # a person has asked for something else meanwhile
        bookmarks = [Bookmark(name, place) for name, place in workspace.bookmarks.items()]
        explorer.cursor.reset(workspace.cursor, bookmarks)
        explorer.pins.restore(workspace.pins, workspace.current)
        for name, text in workspace.selections.items():
            explorer.selection.replace(rows(text))
            explorer.selection.save(name)
        explorer.selection.replace(rows(workspace.selection))
        explorer.layers.restore(workspace.layers)
        explorer.coloring.choose(workspace.color_by)
        self.restored.emit(workspace)
