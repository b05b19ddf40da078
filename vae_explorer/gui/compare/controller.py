"""Between a comparison and the window that shows it."""

from pathlib import Path

import numpy as np
from PySide6.QtWidgets import QWidget

from vae_explorer.gui.compare.window import CompareWindow
from vae_explorer.gui.dialogs.ask_path import MODEL, AskPath
from vae_explorer.gui.window.records import Command, Controller
from vae_explorer.session.app import App
from vae_explorer.session.compare.comparison import Comparison
from vae_explorer.session.compare.sides import Side
from vae_explorer.session.map.selection import Mode
from vae_explorer.types import Int64


class CompareController(Controller):
    """Opens the comparison, of which there is one at a time.

    Args:
        app: gives the comparison, and the model on the map.
        ask: asks for files.
        parent: the window that the comparison's belongs to.
    """

    def __init__(self, app: App, ask: AskPath, parent: QWidget) -> None:
        super().__init__(app)
        self._ask = ask
        self._parent = parent
        self._shown: _ShownComparison | None = None
        self.commands = (
            Command("compare", "View", "Compare…",
                "Show two models, or two sets of images, side by side", self._show,
                ("Ctrl+Shift+C",)),
        )  # fmt: skip

    def open(self, a: Path, b: Path) -> None:
        """Compare the models of two checkpoints."""
        self._show().open(a, b)

    def _show(self) -> "_ShownComparison":
        """Open the comparison, or bring it to the front."""
        if self._shown is None:
            self._shown = _ShownComparison(self._app, self._ask, self._parent)
            self._shown.window.closed.connect(self._on_closed)
        self._shown.window.show()
        self._shown.window.activateWindow()
        self._shown.window.raise_()
        return self._shown

    def _on_closed(self) -> None:
        self._shown = None


class _ShownComparison:
    """One comparison in a window of its own, with the map's model as side A."""

    def __init__(self, app: App, ask: AskPath, parent: QWidget) -> None:
        self.window = CompareWindow(parent)
        self._app = app
        self._ask = ask
        shown = app.map.state.data if app.map.state else app.data.now
        self._comparison = Comparison(app.tasks, shown)
        self._connect()
        self._comparison.list_models(app.settings.now.recent)
        self.window.set_figures(self._comparison.figures())
        self._take("A")

    def open(self, a: Path, b: Path) -> None:
        """Compare the models of two checkpoints."""
        self._comparison.open("A", a)
        self._comparison.open("B", b)

    def _connect(self) -> None:
        comparison, window = self._comparison, self.window
        comparison.models_listed.connect(window.set_models)
        comparison.side_changed.connect(window.set_side)
        comparison.points_changed.connect(window.set_points)
        comparison.index_changed.connect(window.set_index)
        comparison.linked.connect(window.set_linked)
        comparison.decoded.connect(window.set_preview)
        comparison.selection_changed.connect(window.set_selected)
        comparison.figures_changed.connect(window.set_figures)
        comparison.progress.connect(window.set_progress)
        window.split_chosen.connect(comparison.set_split)
        window.place_hovered.connect(comparison.preview)
        window.area_selected.connect(comparison.select_inside)
        window.class_selected.connect(comparison.select_class)
        window.clear_requested.connect(comparison.selection.clear)
        window.point_hovered.connect(self._on_hovered)
        window.point_selected.connect(self._on_selected)
        window.model_chosen.connect(self._on_model_chosen)
        window.open_requested.connect(self._open)
        window.closed.connect(comparison.close)

    def _take(self, side: Side) -> None:
        shown = self._app.model.shown
        if shown is not None:
            self._comparison.take(side, *shown)

    def _on_hovered(self, side: Side, row: int) -> None:
        self._comparison.hover(side, row)
        if row >= 0:
            image = self._comparison.thumbnail(side, row).image
            self.window.set_hover_image(side, row, image)

    def _on_selected(self, side: Side, row: int, mode: Mode) -> None:
        rows: Int64 = np.array([row])
        self._comparison.select(side, rows, mode)

    def _on_model_chosen(self, side: Side, path: Path | None) -> None:
        if path is None:
            self._take(side)
        else:
            self._comparison.open(side, path)

    def _open(self, side: Side) -> None:
        if path := self._ask.open("Open Model", MODEL, self.window):
            self._comparison.open(side, path)
