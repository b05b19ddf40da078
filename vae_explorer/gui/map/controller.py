"""Between the explorer and everything that shows or changes the map."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from functools import partial

import numpy as np
from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from vae_explorer.errors import UserError
from vae_explorer.gui.dialogs.ask_path import TABLE, AskPath
from vae_explorer.gui.dialogs.selection import (
    FindImageDialog,
    NameDialog,
    NearestImagesDialog,
)
from vae_explorer.gui.map.canvas import Tool
from vae_explorer.gui.map.layers.layers_panel import LayersPanel
from vae_explorer.gui.map.map_view import MapView
from vae_explorer.gui.widgets.number_format import figure
from vae_explorer.gui.window.actions import Actions
from vae_explorer.gui.window.undo import Undo
from vae_explorer.session.app import Explorer
from vae_explorer.session.explore.cursor import Bookmark
from vae_explorer.session.files.workspace import Workspace
from vae_explorer.session.map.layer_contents import View
from vae_explorer.session.map.layers import LAYERS, LayerState
from vae_explorer.session.map.marks import Drawing
from vae_explorer.session.map.selection import Mode
from vae_explorer.session.map.state import MapState
from vae_explorer.session.state import (
    DataPoint,
    ExactFigures,
    MapPoints,
    PointColors,
    Thumbnail,
)
from vae_explorer.types import Float64, Int64, Region

_WORST = 100


class MapController(QObject):
    """Wires the map and the panel of layers to the explorer; owns the undo stack and no state.

    Args:
        explorer: told what a person wants, and listened to.
        view: the map.
        panel: its layers.
        ask: asks for files.
        window: the parent of dialogs.
    """

    def __init__(
        self,
        explorer: Explorer,
        view: MapView,
        panel: LayersPanel,
        ask: AskPath,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._explorer = explorer
        self._view = view
        self._panel = panel
        self._ask = ask
        self._window = window
        self._actions: Actions | None = None
        self._fit_next = True
        self._data = ("", 0)
        self._undo = Undo(self)
        self._recall, self._forget = QMenu("Recall", window), QMenu("Forget", window)
        self._visit, self._unmark = QMenu("Go to Mark", window), QMenu("Forget Mark", window)
        self._connect_views()
        self._connect_explorer()
        view.status.set_color_choices(explorer.coloring.choices, explorer.coloring.by)
        self._on_layers(explorer.layers.states)

    def handlers(self) -> dict[str, Callable[[], object]]:
        """What the commands about the map do, by id."""
        explorer, search = self._explorer, self._explorer.search
        handlers: dict[str, Callable[[], object]] = {
            "undo": self._undo.undo,
            "redo": self._undo.redo,
            "clear": self._clear,
            "select_shown": self._select_shown,
            "nearest": self._ask_nearest,
            "worst": lambda: search.worst(_WORST),
            "find": self._ask_find,
            "invert": explorer.selection.invert,
            "name_selection": self._ask_name,
            "fit": self._view.fit,
            "center": lambda: explorer.cursor.move(0.0, 0.0),
            "back": explorer.cursor.back,
            "forward": explorer.cursor.forward,
            "random": explorer.cursor.random,
            "mark": self._ask_mark,
            "analogy": explorer.arithmetic.analogy,
            "attribute": explorer.arithmetic.add_attribute,
            "export_points": self._export_points,
            "color_table": self._load_table,
            "align": lambda: explorer.set_aligned(not explorer.settings.align),
            "ease": lambda: explorer.change_settings(
                replace(explorer.settings, ease=not explorer.settings.ease)
            ),
        }
        tools: tuple[Tool, ...] = ("none", "box", "lasso")
        for name, tool in zip(("scrub", "box", "lasso"), tools, strict=True):
            handlers[f"tool_{name}"] = partial(self._view.set_tool, tool)
        for split in ("train", "test", "both"):
            handlers[f"split_{split}"] = partial(explorer.set_split, split)
        for kind in ("mean", "sample", "exact"):
            handlers[f"kind_{kind}"] = partial(explorer.set_kind, kind)
        for digit in range(10):
            handlers[f"digit_{digit}"] = partial(_go_to, explorer, self._view, digit)
        for spec in LAYERS:
            handlers[f"layer_{spec.id}"] = partial(explorer.layers.toggle, spec.id)
        return handlers

    def set_actions(self, actions: Actions) -> None:
        """Keep these actions enabled, checked and named as things are."""
        self._actions = actions
        menu = actions.menus["Select"]
        for part in (self._recall, self._forget):
            menu.insertMenu(actions["export_points"], part)
        for part in (self._visit, self._unmark):
            actions.menus["Go"].addMenu(part)
        self._undo.can_undo_changed.connect(actions["undo"].setEnabled)
        self._undo.can_redo_changed.connect(actions["redo"].setEnabled)
        self._undo.undo_text_changed.connect(self._name_undo)
        self._undo.redo_text_changed.connect(self._name_redo)
        actions.set_enabled({"undo": False, "redo": False})
        actions.set_checked("tool_scrub")
        self._on_names(())
        self._on_visits(False, False)
        self._on_bookmarks(())
        self._on_selection(np.empty(0, np.int64))
        self._on_layers(self._explorer.layers.states)
        self.show_settings()

    def show_settings(self) -> None:
        """Check what is set."""
        if self._actions is not None:
            settings = self._explorer.settings
            self._actions.set_checked(f"split_{settings.split}")
            self._actions.set_checked(f"kind_{settings.kind}")
            self._actions.set_checked("align", settings.align)
            self._actions.set_checked("ease", settings.ease)

    def restore(self, workspace: Workspace) -> None:
        """Show what a workspace says was in sight; what was done before cannot be undone."""
        left, right, bottom, top = workspace.view
        self._view.canvas.show_exactly(left, right, bottom, top)
        self._undo.clear()

    def fit_next(self) -> None:
        """Fit the view to the next points."""
        self._fit_next = True

    def _connect_views(self) -> None:
        view, explorer, layers = self._view, self._explorer, self._explorer.layers
        view.hovered.connect(explorer.cursor.preview)
        view.clicked.connect(self._on_clicked)
        view.ctrl_clicked.connect(self._on_ctrl_clicked)
        view.dragged.connect(explorer.cursor.scrub)
        view.canvas.grabbed.connect(self._on_grabbed)
        view.nudged.connect(explorer.cursor.nudge)
        view.point_hovered.connect(self._on_hovered)
        view.dwelt.connect(explorer.figures.inspect)
        view.selected.connect(self._on_selected)
        view.class_select_asked.connect(self._on_class_selected)
        view.view_rested.connect(self._on_view)
        view.status.color_chosen.connect(explorer.coloring.choose)
        self._panel.toggled.connect(layers.set_on)
        self._panel.opacity_changed.connect(layers.set_opacity)
        self._panel.moved.connect(layers.move)
        self._panel.choice_changed.connect(layers.choose)
        self._recall.triggered.connect(self._on_recall)
        self._forget.triggered.connect(self._on_forget)
        self._visit.triggered.connect(self._on_visit)
        self._unmark.triggered.connect(self._on_unmark)

    def _connect_explorer(self) -> None:
        explorer = self._explorer
        explorer.map.changed.connect(self._on_map)
        explorer.map.index_changed.connect(self._view.set_index)
        explorer.cursor.changed.connect(self._view.set_cursor)
        explorer.cursor.visits_changed.connect(self._on_visits)
        explorer.cursor.bookmarks_changed.connect(self._on_bookmarks)
        explorer.pins.tray_changed.connect(self._on_pins)
        explorer.figures.inspected.connect(self._on_inspected)
        explorer.coloring.changed.connect(self._on_colors)
        explorer.coloring.choices_changed.connect(self._on_choices)
        explorer.selection.changed.connect(self._on_selection)
        explorer.selection.names_changed.connect(self._on_names)
        explorer.layers.changed.connect(self._on_layers)
        explorer.layers.drawn.connect(self._on_drawn)
        explorer.layers.busy_changed.connect(self._panel.set_busy)
        explorer.edited.connect(self._undo.push)

    # What the explorer says

    def _on_map(self, new: MapState, old: MapState | None) -> None:
        points, before = new.points, old.points if old else None
        if points is None or points is before:
            return
        if before and before.indices is points.indices and before.kind == points.kind:
            self._view.set_positions(points.positions, self._explorer.settings.ease)
        else:
            self._show(points)

    def _show(self, points: MapPoints) -> None:
        if (points.split, points.total) != self._data:
            self._data = points.split, points.total
            self._undo.clear()  # its selections are of other images
        self._view.set_points(points, fit=self._fit_next)
        self._fit_next = False
        self._view.set_cursor(*self._explorer.cursor.place)
        self._on_colors(self._explorer.coloring.colors)
        self._on_pins(self._explorer.pins.tray)
        self._on_selection(self._explorer.selection.indices)

    def _on_pins(self, tray: tuple[DataPoint, ...]) -> None:
        latent_map, current = self._explorer.map, self._explorer.pins.current
        if not self._in_view():
            return
        rows = [latent_map.row(pin.split, pin.index) for pin in tray]
        self._view.set_tray(tuple(row for row in rows if row >= 0))
        row = -1 if current is None else latent_map.row(current.split, current.index)
        self._view.set_pinned(row)

    def _on_inspected(self, figures: ExactFigures) -> None:
        row = self._explorer.map.row(figures.split, figures.index)
        if row >= 0:
            image = self._explorer.map.thumbnail(row).image
            exact = figure(figures.log_marginal, 1)
            self._view.set_hover_image(
                row, image, f"log p(x) {exact}\nELBO {figure(figures.elbo, 1)} nats"
            )

    def _on_colors(self, colors: PointColors | None) -> None:
        points = self._view.points
        self._view.status.set_color_by(self._explorer.coloring.by)
        if points is not None and (colors is None or len(colors.values) == len(points.labels)):
            self._view.set_colors(colors)

    def _in_view(self) -> bool:
        """Whether the view shows the images of the map by now; its rows are theirs then."""
        shown, points = self._view.points, self._explorer.map.points
        return shown is not None and points is not None and shown.indices is points.indices

    def _on_choices(self, choices: tuple[tuple[str, str], ...]) -> None:
        self._view.status.set_color_choices(choices, self._explorer.coloring.by)

    def _on_selection(self, indices: Int64) -> None:
        points, selection = self._view.points, self._explorer.selection
        some = bool(len(indices))
        if points is not None and selection.total == points.total:
            mask = selection.mask(points.indices) if some else None
            self._view.set_selected(mask, selection.summary())
        if self._actions is not None:
            self._actions.set_enabled({"invert": some, "name_selection": some})

    def _on_visits(self, can_back: bool, can_forward: bool) -> None:
        if self._actions is not None:
            self._actions.set_enabled({"back": can_back, "forward": can_forward})

    def _on_bookmarks(self, bookmarks: tuple[Bookmark, ...]) -> None:
        _fill((self._visit, self._unmark), [bookmark.name for bookmark in bookmarks])

    def _on_names(self, names: tuple[str, ...]) -> None:
        _fill((self._recall, self._forget), names)

    def _on_layers(self, states: tuple[LayerState, ...]) -> None:
        self._view.layers.set_states(states)
        self._panel.set_layers(states)
        if self._actions is not None:
            for state in states:
                self._actions.set_checked(f"layer_{state.id}", state.on)

    def _on_drawn(self, layer: str, drawing: Drawing) -> None:
        self._view.layers.set_drawing(layer, drawing)
        self._panel.set_drawing(layer, drawing)

    # What a person asks for

    def _on_grabbed(self, grabbed: bool) -> None:
        if not grabbed:
            self._explorer.cursor.rest()

    def _ask_mark(self) -> None:
        names = [bookmark.name for bookmark in self._explorer.cursor.bookmarks]
        dialog = NameDialog("Mark Place", names, self._window)
        dialog.name_chosen.connect(self._mark)
        dialog.open()

    def _on_clicked(self, z1: float, z2: float, row: int) -> None:
        if row >= 0:
            self._explorer.pin(row)
        else:
            self._explorer.cursor.move(z1, z2)

    def _on_ctrl_clicked(self, row: int) -> None:
        self._explorer.pin(row, add=True)

    def _on_hovered(self, row: int) -> None:
        self._explorer.hover(row)
        if row >= 0:
            thumbnail: Thumbnail = self._explorer.map.thumbnail(row)
            self._view.set_hover_image(row, thumbnail.image, caption="")

    def _on_selected(self, polygon: Float64, mode: Mode) -> None:
        self._explorer.search.inside(polygon, mode, self._view.shown())

    def _on_class_selected(self, label: int, adding: bool) -> None:
        self._explorer.search.labels(frozenset({label}), "add" if adding else "replace")

    def _on_view(self, region: Region, pixels: tuple[int, int]) -> None:
        self._explorer.layers.set_view(View(region, pixels))

    def _select_shown(self) -> None:
        self._explorer.search.labels(self._view.legend.visible_labels())

    def _clear(self) -> None:
        if len(self._explorer.selection):
            self._explorer.selection.clear()
        else:
            self._explorer.pins.clear()

    def _ask_find(self) -> None:
        points = self._explorer.map.points
        if points is None:
            return
        parts = ("train", "test") if points.split == "both" else (points.split,)
        totals = self._explorer.map.totals()
        dialog = FindImageDialog({part: totals[part] for part in parts}, parts[0], self._window)
        dialog.find_requested.connect(self._explorer.find)
        dialog.open()

    def _ask_nearest(self) -> None:
        dialog = NearestImagesDialog(self._window)
        dialog.nearest_requested.connect(self._explorer.search.nearest)
        dialog.open()

    def _ask_name(self) -> None:
        dialog = NameDialog("Name Selection", self._explorer.selection.names, self._window)
        dialog.name_chosen.connect(self._save_selection)
        dialog.open()

    def _export_points(self) -> None:
        if path := self._ask.save("Export Points", "points.csv", TABLE):
            self._explorer.export_selection(path)

    def _load_table(self) -> None:
        if path := self._ask.open("Colour by Table", TABLE):
            self._explorer.load_table(path)

    @Slot(QAction)
    def _on_recall(self, action: QAction) -> None:
        self._try("Nothing was selected", self._explorer.selection.recall, action.data())

    @Slot(QAction)
    def _on_visit(self, action: QAction) -> None:
        self._try("The cursor did not move", self._explorer.cursor.visit, action.data())

    @Slot(QAction)
    def _on_unmark(self, action: QAction) -> None:
        self._try("No mark was forgotten", self._explorer.cursor.forget, action.data())

    @Slot(QAction)
    def _on_forget(self, action: QAction) -> None:
        self._try("No selection was forgotten", self._explorer.selection.forget, action.data())

    @Slot(str)
    def _mark(self, name: str) -> None:
        self._try("The place was not marked", self._explorer.cursor.mark, name)

    @Slot(str)
    def _save_selection(self, name: str) -> None:
        self._try("The selection was not kept", self._explorer.selection.save, name)

    def _try(self, title: str, action: Callable[[str], None], name: str) -> None:
        try:
            action(name)
        except UserError as error:
            self._explorer.fail(title, error)

    @Slot(str)
    def _name_undo(self, text: str) -> None:
        self._name_action("undo", "Undo", text)

    @Slot(str)
    def _name_redo(self, text: str) -> None:
        self._name_action("redo", "Redo", text)

    def _name_action(self, command: str, verb: str, text: str) -> None:
        assert self._actions is not None
        self._actions[command].setText(f"{verb} {text}".strip().replace("&", "&&"))


def _go_to(explorer: Explorer, view: MapView, digit: int) -> None:
    # Not a method, which the action would keep, and the window with it.
    explorer.cursor.go_to(view.class_places(), digit)


def _fill(menus: Iterable[QMenu], names: Collection[str]) -> None:
    """List the names in each menu; one without any cannot be opened."""
    for menu in menus:
        menu.clear()
        for name in names:
            menu.addAction(name.replace("&", "&&")).setData(name)
        menu.setEnabled(bool(names))
