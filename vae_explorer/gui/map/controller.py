"""Between the session and everything that shows the map: its points, colours and layers."""

from dataclasses import replace
from functools import partial

from PySide6.QtCore import QTimer

from vae_explorer.data.table_layout import TableDraft
from vae_explorer.gui.dialogs.ask_path import TABLE, AskPath
from vae_explorer.gui.dialogs.table import TableDialog
from vae_explorer.gui.map.layers.layers_panel import LayersPanel
from vae_explorer.gui.map.map_menu import MapMenu
from vae_explorer.gui.map.map_view import MapView
from vae_explorer.gui.widgets.fading import PATIENCE_MS
from vae_explorer.gui.window.actions import native
from vae_explorer.gui.window.records import LEFT, Command, Controller, Panel
from vae_explorer.number_format import figure
from vae_explorer.session.app import App
from vae_explorer.session.map.layer_contents import View
from vae_explorer.session.map.layers import LAYERS, LayerSpec, LayerState
from vae_explorer.session.map.marks import LayerContent
from vae_explorer.session.map.scores import InspectedImage
from vae_explorer.session.map.state import MapPoints, MapState, PointColors, Thumbnail
from vae_explorer.session.training.events import Phase
from vae_explorer.training.meaning import MARK, named, no_likelihood
from vae_explorer.types import Int64, Region, Split

_SPLITS: dict[Split, tuple[str, str]] = {
    "train": ("Training Images", "Show the images that are trained on"),
    "test": ("Test Images", "Show the images that are never trained on"),
    "both": ("All Images", "Show all images"),
}
_KINDS = {
    "mean": ("Encoder Means", "A point is the mean of q(z|x)"),
    "sample": ("Samples", "A point is one sample from q(z|x)"),
    "exact": ("Exact Posterior Means", "A point is the mean of p(z|x), which takes minutes"),
}


class MapController(Controller):
    """The map, and the panel of its layers.

    Args:
        app: told what a person wants, and listened to.
        ask: asks for files.
    """

    def __init__(self, app: App, ask: AskPath) -> None:
        super().__init__(app)
        self._ask = ask
        self.view = MapView()
        self.view.setProperty("export", "map")
        self.layers = LayersPanel()
        self._fit_next = True
        self._connect_views()
        self._connect_explorer()
        self.view.status.set_color_choices(app.coloring.choices, app.coloring.by)
        self._on_layers(app.layers.states)
        self.commands = (
            Command("fit", "Map", "Fit the Map", "Show every point", self.view.fit, ("Home",),
                toolbar="Fit", icon="fit"),
            *(self._split(split) for split in _SPLITS),
            *(self._kind(kind) for kind in _KINDS),
            Command("align", "Map", "Align Snapshots and Runs",
                "Turn or mirror every other model's plane to fit the points shown (Procrustes)",
                lambda: app.map_settings.set_aligned(not app.settings.now.align),
                checked=lambda: app.settings.now.align, separator=True),
            Command("ease", "Map", "Animate Points", "Move smoothly while training or playing",
                lambda: app.settings.change(
                    replace(app.settings.now, ease=not app.settings.now.ease)),
                checked=lambda: app.settings.now.ease),
            Command("color_table", "Map", "Colour by Table…",
                "Colour points by a column of a CSV file", self._load_table, separator=True),
            *(self._layer(spec) for spec in LAYERS),
        )  # fmt: skip
        self._show_keys()
        app.settings.changed.connect(self._show_keys)
        self.panels = (
            Panel("layers", self.layers, LEFT, {"explore": (900, 0), "travel": (900, 0)}, size=290),
        )
        self.changes = (
            app.settings.changed,
            app.layers.changed,
            app.training.status_changed,
        )

    def fit_next(self, _: object = None) -> None:
        """Fit the view to the next points."""
        self._fit_next = True

    def show_exactly(self, region: Region) -> None:
        """Show this part of the plane, and the next points in it too."""
        self._fit_next = False
        self.view.canvas.show_exactly(*region)

    def _show_keys(self) -> None:
        keys = {command.id: native(command.keys[:1]) for command in self.commands_as_chosen()}
        self.layers.set_keys({spec.id: keys[f"layer_{spec.id}"] for spec in LAYERS})

    def _split(self, split: Split) -> Command:
        app = self._app
        return Command(
            f"split_{split}",
            "Map",
            *_SPLITS[split],
            lambda: app.map_settings.set_split(split),
            enabled=lambda: app.training.status.phase is Phase.IDLE,
            checked=lambda: app.settings.now.split == split,
            group="split",
            separator=split == "train",
        )

    def _kind(self, kind: str) -> Command:
        app = self._app
        return Command(
            f"kind_{kind}",
            "Map",
            *_KINDS[kind],
            lambda: app.map_settings.set_kind(kind),
            lacks=(lambda: app.model.no_marginal) if kind == "exact" else None,
            checked=lambda: app.settings.now.kind == kind,
            group="kind",
            separator=kind == "mean",
        )

    def _layer(self, spec: LayerSpec) -> Command:
        layers = self._app.layers
        return Command(
            f"layer_{spec.id}",
            "Layers",
            spec.name,
            spec.about.rstrip("."),
            lambda: layers.toggle(spec.id),
            (spec.key, f"Ctrl+Shift+F{LAYERS.index(spec) + 1}"),
            checked=lambda: next(state.on for state in layers.states if state.id == spec.id),
        )

    def _connect_views(self) -> None:
        view, app, layers = self.view, self._app, self._app.layers
        view.hovered.connect(app.cursor.preview)
        view.clicked.connect(self._on_clicked)
        view.ctrl_clicked.connect(self._on_ctrl_clicked)
        view.canvas.scrubbed.connect(app.cursor.scrub)
        view.canvas.grabbed.connect(self._on_grabbed)
        view.canvas.nudged.connect(app.cursor.nudge)
        self.menu = MapMenu(view, lambda: app.map.state.name if app.map.state else "")
        view.point_hovered.connect(self._on_hovered)
        view.dwelt.connect(app.scores.inspect)
        view.view_rested.connect(self._on_view)
        view.status.color_chosen.connect(app.coloring.choose)
        self.layers.toggled.connect(layers.set_on)
        self.layers.opacity_changed.connect(layers.set_opacity)
        self.layers.moved.connect(layers.move)
        self.layers.choice_changed.connect(layers.choose)

    def _connect_explorer(self) -> None:
        app = self._app
        app.map.changed.connect(self._on_map)
        app.map.index_changed.connect(self.view.hover.set_index)
        app.cursor.changed.connect(self.view.set_cursor)
        app.pins.changed.connect(self._on_pins)
        app.scores.inspected.connect(self._on_inspected)
        app.scores.progress.connect(self.view.status.set_progress)
        app.coloring.changed.connect(self._on_colors)
        app.coloring.choices_changed.connect(self._on_choices)
        app.coloring.drafted.connect(self._on_drafted)
        app.selection.changed.connect(self._on_selection)
        app.layers.changed.connect(self._on_layers)
        app.layers.drawn.connect(self._on_drawn)
        app.layers.busy_changed.connect(self._on_busy)
        app.inspector.busy_changed.connect(partial(self.view.status.set_waiting, "log p(x)"))
        app.inspector.progress.connect(partial(self.view.status.set_share, "log p(x)"))
        app.layers.current_changed.connect(self._on_current)

    # What the explorer says

    def _on_map(self, new: MapState, old: MapState | None) -> None:
        self.view.status.set_age(new.snapshot.epoch if new.moving else None)
        points, before = new.points, old.points if old else None
        if points is None or points is before:
            return
        if before and before.indices is points.indices and before.kind == points.kind:
            self.view.canvas.set_axes(points.axes)
            # Of a moment that a person chose all is there at once.
            goes_on = new.moving or self._app.runs.timeline.playing
            self.view.set_positions(points.positions, goes_on and self._app.settings.now.ease)
        else:
            self._show(points)

    def _show(self, points: MapPoints) -> None:
        self.view.set_points(points, fit=self._fit_next)
        self._fit_next = False
        self.view.set_cursor(*self._app.cursor.position)
        self._on_colors(self._app.coloring.colors)
        self._on_pins()
        self._on_selection(self._app.selection.indices)

    def _on_pins(self) -> None:
        latent_map, current = self._app.map, self._app.pins.current
        if not self._in_view():
            return
        rows = [latent_map.row(pin.split, pin.index) for pin in self._app.pins.tray]
        row = -1 if current is None else latent_map.row(current.split, current.index)
        self.view.set_pinned(row, tuple(row for row in rows if row >= 0))

    def _on_busy(self, layer: str, busy: bool) -> None:
        self.layers.set_busy(layer, busy)
        name = next(spec.name for spec in LAYERS if spec.id == layer)
        self.view.status.set_waiting(name, busy)

    def _on_inspected(self, inspected: InspectedImage) -> None:
        row = self._app.map.row(inspected.split, inspected.index)
        if row >= 0:
            image = self._app.map.thumbnail(row).image
            remark = no_likelihood(self._app.model.recipe)
            truth = inspected.truth
            lines = (
                f"{named('log p(x)', remark)} {figure(truth.log_marginal, 1)}",
                f"{named('ELBO', remark)} {figure(truth.bound.elbo, 1)} nats",
                f"{MARK} {remark.mark}" if remark else "",
            )
            self.view.hover.set_image(row, image, "\n".join(filter(None, lines)))

    def _on_colors(self, colors: PointColors | None) -> None:
        points = self.view.points
        self.view.status.set_color_by(self._app.coloring.by)
        if points is not None and (colors is None or len(colors.values) == len(points.labels)):
            self.view.set_colors(colors)

    def _in_view(self) -> bool:
        """Whether the view shows the images of the map by now; its rows are theirs then."""
        shown, points = self.view.points, self._app.map.points
        return shown is not None and points is not None and shown.indices is points.indices

    def _on_choices(self, choices: tuple[tuple[str, str], ...]) -> None:
        self.view.status.set_color_choices(choices, self._app.coloring.by)

    def _on_selection(self, indices: Int64) -> None:
        points, selection = self.view.points, self._app.selection
        if points is not None and selection.total == points.total:
            mask = selection.mask(points.indices) if len(indices) else None
            self.view.set_selected(mask, f"{len(selection):,}")

    def _on_layers(self, states: tuple[LayerState, ...]) -> None:
        self.view.layers.set_states(states)
        self.layers.set_layers(states)

    def _on_drawn(self, layer: str, content: LayerContent) -> None:
        self.view.layers.set_content(layer, content)
        self.layers.set_content(layer, content)

    def _on_current(self, layer: str, current: bool) -> None:
        if current:
            self._show_current(layer)
        else:  # most are drawn again sooner, and would only flicker
            QTimer.singleShot(PATIENCE_MS, self.layers, partial(self._show_current, layer))

    def _show_current(self, layer: str) -> None:
        current = self._app.layers.is_current(layer)
        self.view.layers.set_current(layer, current)
        self.layers.set_current(layer, current)

    # What a person asks for

    def _on_grabbed(self, grabbed: bool) -> None:
        if not grabbed:
            self._app.cursor.rest()

    def _on_clicked(self, z1: float, z2: float, row: int) -> None:
        if row >= 0:
            self._app.pinning.pin(row)
        else:
            self._app.cursor.move(z1, z2)

    def _on_ctrl_clicked(self, row: int) -> None:
        self._app.pinning.pin(row, add=True)

    def _on_hovered(self, row: int) -> None:
        self._app.layers.set_hovered(row)
        if row >= 0:
            thumbnail: Thumbnail = self._app.map.thumbnail(row)
            self.view.hover.set_image(row, thumbnail.image, "")

    def _on_view(self, region: Region, pixels: tuple[int, int]) -> None:
        self._app.layers.set_view(View(region, pixels))

    def _load_table(self) -> None:
        if path := self._ask.open("Colour by Table", TABLE):
            self._app.coloring.open_table(path)

    def _on_drafted(self, draft: TableDraft) -> None:
        TableDialog(draft, self.view.window()).ask(self._app.coloring.read_table)
