"""Between a comparison and the window that shows it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtWidgets import QWidget

from vae_explorer.errors import ExportError
from vae_explorer.export.figure import FigureStyle
from vae_explorer.export.figure_requests import Comparison as FigureOfTwo
from vae_explorer.export.figure_requests import edges_of
from vae_explorer.gui.compare.window import CompareWindow
from vae_explorer.gui.dialogs.ask_path import MODEL, AskPath
from vae_explorer.gui.plot.export import csv_bytes, render_charts
from vae_explorer.gui.plot.layout import Plot
from vae_explorer.gui.window.records import Command, Controller
from vae_explorer.paths import bundled_models, model_path
from vae_explorer.session.app import App
from vae_explorer.session.compare.comparison import Comparison
from vae_explorer.session.compare.sides import SIDES, Side
from vae_explorer.session.map.state import Mode
from vae_explorer.types import Int64

_OUT = np.array([-1, 1, -1, 1])
"""Where the edges of a region go as it grows."""


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

    def show(self, request: FigureOfTwo) -> None:
        """Show what a figure is of, without the table."""
        self._new(scored=False).show(request)

    @property
    def request(self) -> FigureOfTwo | None:
        """What a figure of the two maps is of, None while there are not two."""
        return self._shown.request if self._shown else None

    def export(self, kind: str, style: FigureStyle | None = None, /) -> bytes:
        """Both maps, side by side.

        Raises:
            ExportError: there are not two yet.
        """
        if self._shown is None:
            raise ExportError("There is no comparison to write.")
        return self._shown.export(kind, style)

    def _new(self, *, scored: bool = True) -> "_ShownComparison":
        self._shown = _ShownComparison(self._app, self._ask, self._parent, scored=scored)
        self._shown.window.closed.connect(self._on_closed)
        return self._shown

    def _show(self) -> "_ShownComparison":
        """Open the comparison, or bring it to the front."""
        self._shown = self._shown or self._new()
        self._shown.window.show()
        self._shown.window.activateWindow()
        self._shown.window.raise_()
        return self._shown

    def _on_closed(self) -> None:
        self._shown = None


class _ShownComparison:
    """One comparison in a window of its own, with the map's model as side A."""

    def __init__(self, app: App, ask: AskPath, parent: QWidget, *, scored: bool) -> None:
        self.window = CompareWindow(parent)
        self._app = app
        self._ask = ask
        self._taken: object = None
        shown = app.map.state.data if app.map.state else app.data.now
        self._comparison = Comparison(app.tasks, shown, scored=scored)
        self._connect()
        self._comparison.list_models(app.settings.now.recent)
        self.window.set_figures(self._comparison.figures())
        self._take("A")

    def open(self, a: Path, b: Path) -> None:
        """Compare the models of two checkpoints."""
        self._comparison.open("A", a)
        self._comparison.open("B", b)

    def show(self, request: FigureOfTwo) -> None:
        """Show the models and images that a figure is of."""
        sides = (request.a, request.split_a), (request.b, request.split_b)
        for side, (model, split) in zip(SIDES, sides, strict=True):
            self._comparison.set_split(side, split)  # type: ignore[arg-type]
            if model:
                self._comparison.open(side, model_path(model))

    @property
    def request(self) -> FigureOfTwo | None:
        """What a figure is of."""
        found: dict[str, Any] = {}
        for side, panel in self.window.sides.items():
            info, end = panel.info, side.lower()
            if info is None or panel.map.points is None:
                return None
            if info.path is None and (side == "B" or self._taken is not self._model):
                return None  # it cannot be named
            names = {path: name for name, path in bundled_models().items()}
            if info.path is not None:
                found[end] = names.get(info.path, f"{info.path}")
            found |= {f"split_{end}": info.split, f"region_{end}": panel.map.region()}
        return FigureOfTwo(**found)

    def export(self, kind: str, style: FigureStyle | None = None, /) -> bytes:
        """Both maps, in the regions that a request has, or all of them."""
        asked = style if isinstance(style, FigureOfTwo) else FigureOfTwo()
        panels = self.window.sides.values()
        edges = np.array([panel.map.all_of_it() or (-1.0, 1.0, -1.0, 1.0) for panel in panels])
        left, right, bottom, top = (_OUT * (_OUT * edges).max(0)).tolist()
        plots: list[Plot] = []
        rows: list[tuple[object, ...]] = []
        for panel, region in zip(panels, (asked.region_a, asked.region_b), strict=True):
            picture = panel.map.picture(edges_of(region) or (left, right, bottom, top))
            if picture is None:
                raise ExportError("There are not two maps yet; choose a model for each.")
            plot = picture.plot(panel.name)
            plots.append(plot if region else replace(plot, aspect="equal"))  # all, and no bare side
            head, *lines = picture.rows()
            rows += [*([] if rows else [("model", *head)]), *((panel.name, *one) for one in lines)]
        if kind == "csv":
            return csv_bytes(rows)
        return render_charts(kind, plots, style, len(plots), "comparison")

    @property
    def _model(self) -> object:
        return self._app.map.state.model if self._app.map.state else None

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
            self._taken = self._model
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
