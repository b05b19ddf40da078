"""Between a comparison and the window that shows it."""

from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from vae_explorer.gui.compare.window import CompareWindow
from vae_explorer.gui.dialogs.ask_path import MODEL, AskPath
from vae_explorer.session.app import Explorer
from vae_explorer.session.compare.comparison import Side, bundled_models, model_name
from vae_explorer.session.map.selection import Mode
from vae_explorer.types import Int64


class CompareController(QObject):
    """One comparison in a window of its own, with the map's model as side A.

    Args:
        explorer: gives the comparison, and the model on the map.
        ask: asks for files.
        parent: the window it belongs to.

    Signals:
        closed: the window is about to go, and this with it.
    """

    closed = Signal()

    def __init__(self, explorer: Explorer, ask: AskPath, parent: QWidget) -> None:
        self._window = CompareWindow(parent)
        super().__init__(self._window)
        self._explorer = explorer
        self._ask = ask
        self._comparison = explorer.compare()
        self._connect()
        recent = tuple(Path(name) for name in explorer.settings.recent)
        models = tuple(dict.fromkeys((*bundled_models(), *recent)))
        self._window.set_models(tuple((path, model_name(path)) for path in models))
        self._window.set_figures(self._comparison.figures())
        self._take("A")

    def show(self) -> None:
        """Show the window, or bring it to the front."""
        self._window.show()
        self._window.activateWindow()
        self._window.raise_()

    def open(self, a: Path, b: Path) -> None:
        """Compare the models of two checkpoints."""
        self._comparison.open("A", a)
        self._comparison.open("B", b)

    def _connect(self) -> None:
        comparison, window = self._comparison, self._window
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
        window.clear_requested.connect(comparison.clear_selection)
        window.point_hovered.connect(self._on_hovered)
        window.point_selected.connect(self._on_selected)
        window.model_chosen.connect(self._on_model_chosen)
        window.open_requested.connect(self._open)
        window.closed.connect(self._on_closed)

    def _take(self, side: Side) -> None:
        shown = self._explorer.shown()
        if shown is not None:
            self._comparison.take(side, *shown)

    def _on_hovered(self, side: Side, row: int) -> None:
        self._comparison.hover(side, row)
        if row >= 0:
            image = self._comparison.thumbnail(side, row).image
            self._window.set_hover_image(side, row, image)

    def _on_selected(self, side: Side, row: int, mode: Mode) -> None:
        rows: Int64 = np.array([row])
        self._comparison.select(side, rows, mode)

    def _on_model_chosen(self, side: Side, path: Path | None) -> None:
        if path is None:
            self._take(side)
        else:
            self._comparison.open(side, path)

    def _open(self, side: Side) -> None:
        if path := self._ask.open("Open Model", MODEL, self._window):
            self._comparison.open(side, path)

    def _on_closed(self) -> None:
        self._comparison.close()
        self.closed.emit()
