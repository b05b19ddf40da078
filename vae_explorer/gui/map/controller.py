"""Between the session and everything that shows the map: its points, colours and layers."""

from dataclasses import replace

from vae_explorer.gui.dialogs.ask_path import TABLE, AskPath
from vae_explorer.gui.map.layers.layers_panel import LayersPanel
from vae_explorer.gui.map.map_view import MapView
from vae_explorer.gui.theme import current_theme
from vae_explorer.gui.widgets.number_format import figure
from vae_explorer.gui.window.records import LEFT, Command, Controller, Panel
from vae_explorer.session.app import Explorer
from vae_explorer.session.map.layer_contents import View
from vae_explorer.session.map.layers import LAYERS, LayerSpec, LayerState
from vae_explorer.session.map.marks import Drawing
from vae_explorer.session.map.scores import InspectedImage
from vae_explorer.session.map.state import MapState
from vae_explorer.session.state import (
    MapPoints,
    Phase,
    PointColors,
    Thumbnail,
)
from vae_explorer.types import Int64, Region

_SPLITS = {
    "train": ("Training Images", "Show the 60,000 training images"),
    "test": ("Test Images", "Show the 10,000 test images"),
    "both": ("All Images", "Show all 70,000 images"),
}
_KINDS = {
    "mean": ("Encoder Means", "A point is the mean of q(z|x)"),
    "sample": ("Samples", "A point is one draw from q(z|x)"),
    "exact": ("Exact Posterior Means", "A point is the mean of p(z|x), which takes minutes"),
}


class MapController(Controller):
    """The map, and the panel of its layers.

    Args:
        explorer: told what a person wants, and listened to.
        ask: asks for files.
    """

    def __init__(self, explorer: Explorer, ask: AskPath) -> None:
        super().__init__(explorer)
        self._ask = ask
        self.view = MapView(current_theme())
        self.layers = LayersPanel(current_theme())
        self._fit_next = True
        self._connect_views()
        self._connect_explorer()
        self.view.status.set_color_choices(explorer.coloring.choices, explorer.coloring.by)
        self._on_layers(explorer.layers.states)
        self.commands = (
            Command("fit", "Map", "Fit the Map", "Show every point", self.view.fit, ("Home",),
                toolbar=True),
            *(self._split(split) for split in _SPLITS),
            *(self._kind(kind) for kind in _KINDS),
            Command("align", "Map", "Align Snapshots and Runs",
                "Turn or mirror every other model's plane to fit the points shown (Procrustes)",
                lambda: explorer.set_aligned(not explorer.settings.align),
                checked=lambda: explorer.settings.align, separator=True),
            Command("ease", "Map", "Let Points Glide", "Ease from snapshot to snapshot",
                lambda: explorer.change_settings(
                    replace(explorer.settings, ease=not explorer.settings.ease)),
                checked=lambda: explorer.settings.ease),
            Command("color_table", "Map", "Colour by Table…",
                "Colour points by a column of a CSV file", self._load_table, separator=True),
            *(self._layer(spec) for spec in LAYERS),
        )  # fmt: skip
        self.panels = (Panel("layers", self.layers, LEFT, ("explore", "travel")),)
        self.changes = (
            explorer.settings_changed,
            explorer.layers.changed,
            explorer.training.status_changed,
        )

    def fit_next(self, _: object = None) -> None:
        """Fit the view to the next points."""
        self._fit_next = True

    def show_exactly(self, region: Region) -> None:
        """Show this part of the plane, and the next points in it too."""
        self._fit_next = False
        self.view.canvas.show_exactly(*region)

    def _split(self, split: str) -> Command:
        explorer = self._explorer
        return Command(
            f"split_{split}",
            "Map",
            *_SPLITS[split],
            lambda: explorer.set_split(split),
            enabled=lambda: explorer.training.status.phase is Phase.IDLE,
            checked=lambda: explorer.settings.split == split,
            group="split",
            separator=split == "train",
        )

    def _kind(self, kind: str) -> Command:
        explorer = self._explorer
        return Command(
            f"kind_{kind}",
            "Map",
            *_KINDS[kind],
            lambda: explorer.set_kind(kind),
            checked=lambda: explorer.settings.kind == kind,
            group="kind",
            separator=kind == "mean",
        )

    def _layer(self, spec: LayerSpec) -> Command:
        layers = self._explorer.layers
        return Command(
            f"layer_{spec.id}",
            "Layers",
            spec.name,
            spec.about.rstrip("."),
            lambda: layers.toggle(spec.id),
            (spec.key,),
            checked=lambda: next(state.on for state in layers.states if state.id == spec.id),
        )

    def _connect_views(self) -> None:
        view, explorer, layers = self.view, self._explorer, self._explorer.layers
        view.hovered.connect(explorer.cursor.preview)
        view.clicked.connect(self._on_clicked)
        view.ctrl_clicked.connect(self._on_ctrl_clicked)
        view.dragged.connect(explorer.cursor.scrub)
        view.canvas.grabbed.connect(self._on_grabbed)
        view.nudged.connect(explorer.cursor.nudge)
        view.point_hovered.connect(self._on_hovered)
        view.dwelt.connect(explorer.scores.inspect)
        view.view_rested.connect(self._on_view)
        view.status.color_chosen.connect(explorer.coloring.choose)
        self.layers.toggled.connect(layers.set_on)
        self.layers.opacity_changed.connect(layers.set_opacity)
        self.layers.moved.connect(layers.move)
        self.layers.choice_changed.connect(layers.choose)

    def _connect_explorer(self) -> None:
        explorer = self._explorer
        explorer.map.changed.connect(self._on_map)
        explorer.map.index_changed.connect(self.view.set_index)
        explorer.cursor.changed.connect(self.view.set_cursor)
        explorer.pins.changed.connect(self._on_pins)
        explorer.scores.inspected.connect(self._on_inspected)
        explorer.coloring.changed.connect(self._on_colors)
        explorer.coloring.choices_changed.connect(self._on_choices)
        explorer.selection.changed.connect(self._on_selection)
        explorer.layers.changed.connect(self._on_layers)
        explorer.layers.drawn.connect(self._on_drawn)
        explorer.layers.busy_changed.connect(self.layers.set_busy)

    # What the explorer says

    def _on_map(self, new: MapState, old: MapState | None) -> None:
        points, before = new.points, old.points if old else None
        if points is None or points is before:
            return
        if before and before.indices is points.indices and before.kind == points.kind:
            self.view.set_positions(points.positions, self._explorer.settings.ease)
        else:
            self._show(points)

    def _show(self, points: MapPoints) -> None:
        self.view.set_points(points, fit=self._fit_next)
        self._fit_next = False
        self.view.set_cursor(*self._explorer.cursor.place)
        self._on_colors(self._explorer.coloring.colors)
        self._on_pins()
        self._on_selection(self._explorer.selection.indices)

    def _on_pins(self) -> None:
        latent_map, current = self._explorer.map, self._explorer.pins.current
        if not self._in_view():
            return
        rows = [latent_map.row(pin.split, pin.index) for pin in self._explorer.pins.tray]
        self.view.set_tray(tuple(row for row in rows if row >= 0))
        row = -1 if current is None else latent_map.row(current.split, current.index)
        self.view.set_pinned(row)

    def _on_inspected(self, inspected: InspectedImage) -> None:
        row = self._explorer.map.row(inspected.split, inspected.index)
        if row >= 0:
            image = self._explorer.map.thumbnail(row).image
            exact = figure(inspected.truth.log_marginal, 1)
            self.view.set_hover_image(
                row, image, f"log p(x) {exact}\nELBO {figure(inspected.truth.bound.elbo, 1)} nats"
            )

    def _on_colors(self, colors: PointColors | None) -> None:
        points = self.view.points
        self.view.status.set_color_by(self._explorer.coloring.by)
        if points is not None and (colors is None or len(colors.values) == len(points.labels)):
            self.view.set_colors(colors)

    def _in_view(self) -> bool:
        """Whether the view shows the images of the map by now; its rows are theirs then."""
        shown, points = self.view.points, self._explorer.map.points
        return shown is not None and points is not None and shown.indices is points.indices

    def _on_choices(self, choices: tuple[tuple[str, str], ...]) -> None:
        self.view.status.set_color_choices(choices, self._explorer.coloring.by)

    def _on_selection(self, indices: Int64) -> None:
        points, selection = self.view.points, self._explorer.selection
        if points is not None and selection.total == points.total:
            mask = selection.mask(points.indices) if len(indices) else None
            self.view.set_selected(mask, selection.summary())

    def _on_layers(self, states: tuple[LayerState, ...]) -> None:
        self.view.layers.set_states(states)
        self.layers.set_layers(states)

    def _on_drawn(self, layer: str, drawing: Drawing) -> None:
        self.view.layers.set_drawing(layer, drawing)
        self.layers.set_drawing(layer, drawing)

    # What a person asks for

    def _on_grabbed(self, grabbed: bool) -> None:
        if not grabbed:
            self._explorer.cursor.rest()

    def _on_clicked(self, z1: float, z2: float, row: int) -> None:
        if row >= 0:
            self._explorer.pin(row)
        else:
            self._explorer.cursor.move(z1, z2)

    def _on_ctrl_clicked(self, row: int) -> None:
        self._explorer.pin(row, add=True)

    def _on_hovered(self, row: int) -> None:
        self._explorer.layers.set_hovered(row)
        if row >= 0:
            thumbnail: Thumbnail = self._explorer.map.thumbnail(row)
            self.view.set_hover_image(row, thumbnail.image, caption="")

    def _on_view(self, region: Region, pixels: tuple[int, int]) -> None:
        self._explorer.layers.set_view(View(region, pixels))

    def _load_table(self) -> None:
        if path := self._ask.open("Colour by Table", TABLE):
            self._explorer.load_table(path)
