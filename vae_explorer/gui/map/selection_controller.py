"""Undo, and what selects points: tools, classes, neighbours, names."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtWidgets import QWidget

from vae_explorer.gui.dialogs.selection import FindImageDialog, NameDialog, NearestImagesDialog
from vae_explorer.gui.map.canvas import Tool
from vae_explorer.gui.map.map_view import MapView
from vae_explorer.gui.window.records import Choices, Command, Controller
from vae_explorer.gui.window.undo import Undo
from vae_explorer.session.app import App
from vae_explorer.session.map.state import MapState, Mode

_WORST = 100


class SelectionController(Controller):
    """Selects points of the map; owns the undo stack.

    Args:
        app: told what a person wants, and listened to.
        view: the map.
        export: asks how to export something of this kind.
        window: the parent of dialogs.
    """

    def __init__(
        self, app: App, view: MapView, export: Callable[[str], None], window: QWidget
    ) -> None:
        super().__init__(app)
        self._view = view
        self._window = window
        self._data = ("", 0)
        self.undo = undo = Undo(window)
        view.canvas.selected.connect(self._on_selected)
        view.legend.select_asked.connect(self._on_class_selected)
        app.map.changed.connect(self._on_map)
        app.edits.made.connect(undo.push)
        search, selection = app.search, app.selection
        self.commands = (
            Command("undo", "Edit", "Undo", "Undo a move, a pin or a selection", undo.undo,
                ("Ctrl+Z",), enabled=lambda: undo.can_undo,
                named=lambda: f"Undo {undo.undo_text}".rstrip()),
            Command("redo", "Edit", "Redo", "Redo what was undone", undo.redo,
                ("Ctrl+Shift+Z", "Ctrl+Y"),
                enabled=lambda: undo.can_redo, named=lambda: f"Redo {undo.redo_text}".rstrip()),
            Command("clear", "Edit", "Clear Selection or Pins",
                "Clear the selection; without one, the pins", self._clear, ("Esc",),
                separator=True),
            self._tool("none", "Scrub", "Drag to move the cursor",
                "Shift+S", "Ctrl+Shift+D"),
            self._tool("box", "Box", "Drag a box around points; Ctrl adds, Alt removes", "Shift+B",
                "Ctrl+Shift+B"),
            self._tool("lasso", "Lasso", "Draw around points; Ctrl adds, Alt removes", "Shift+L",
                "Ctrl+Shift+F"),
            Command("select_shown", "Select", "Shown Classes",
                "Select every point of the classes that the legend shows",
                lambda: search.labels(view.legend.visible_labels()), ("Ctrl+A",), separator=True),
            Command("nearest", "Select", "Nearest to the Pin…",
                "Select the nearest of the pinned image, by code or by image", self._ask_nearest,
                ("Ctrl+K",)),
            Command("worst", "Select", f"{_WORST} of Lowest ELBO",
                "Select the images with the lowest ELBO", lambda: search.lowest(_WORST),
                lacks=lambda: app.model.no_marginal),
            Command("find", "Select", "Find Image…", "Pin an image by its index", self._ask_find,
                ("Ctrl+F",)),
            Command("invert", "Select", "Invert", "Select all other points", selection.invert,
                ("Ctrl+I",), enabled=lambda: len(selection) > 0),
            Command("name_selection", "Select", "Name Selection…",
                "Keep the selection under a name", self._ask_name, ("Ctrl+D",),
                enabled=lambda: len(selection) > 0, separator=True),
            Choices("Select", "Recall", lambda: selection.names,
                self.attempt("Nothing was selected", selection.recall)),
            Choices("Select", "Forget", lambda: selection.names,
                self.attempt("No selection was removed", selection.forget)),
            Command("export_points", "Select", "Export Points…",
                "Write a table of the selected points, or of all", lambda: export("points"),
                ("Ctrl+Shift+T",), separator=True),
        )  # fmt: skip
        self.changes = (undo.changed, selection.changed, selection.names_changed)

    def _tool(self, tool: Tool, text: str, about: str, *keys: str) -> Command:
        canvas = self._view.canvas
        return Command(
            f"tool_{text.lower()}",
            "Select",
            text,
            about,
            lambda: canvas.set_tool(tool),
            keys,
            checked=lambda: canvas.tool == tool,
            group="tool",
            toolbar=text,
            icon=text.lower(),
        )

    def _on_map(self, new: MapState, _: MapState | None) -> None:
        points = new.points
        if points is not None and (points.split, points.total) != self._data:
            self._data = points.split, points.total
            self.undo.clear()  # its selections are of other images

    def _on_selected(self, polygon: NDArray[np.float64], mode: Mode) -> None:
        self._app.search.inside(polygon, mode, self._view.shown())

    def _on_class_selected(self, label: int, adding: bool) -> None:
        self._app.search.labels(frozenset({label}), "add" if adding else "replace")

    def _clear(self) -> None:
        if len(self._app.selection):
            self._app.selection.clear()
        else:
            self._app.pins.clear()

    def _ask_find(self) -> None:
        points = self._app.map.points
        if points is None:
            return
        parts = ("train", "test") if points.split == "both" else (points.split,)
        totals = {part: self._app.map.totals()[part] for part in parts}
        FindImageDialog(totals, parts[0], self._window).ask(self._app.pinning.find)

    def _ask_nearest(self) -> None:
        NearestImagesDialog(self._window).ask(self._app.search.nearest)

    def _ask_name(self) -> None:
        selection = self._app.selection
        NameDialog("Name Selection", selection.names, self._window).ask(
            self.attempt("The selection was not kept", selection.save)
        )
