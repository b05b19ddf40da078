"""All layers of the map in their order, the points among them."""

from collections.abc import Mapping

from PySide6.QtCore import QRectF
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QGraphicsItem

from vae_explorer.gui.map.layer_item import LayerItem
from vae_explorer.gui.map.plot import LatentPlot
from vae_explorer.gui.map.points_item import PointsItem
from vae_explorer.gui.plot.captions import name_boxes
from vae_explorer.gui.widgets.fading import FAINT
from vae_explorer.session.map.layers import LAYERS, LayerState, default_state
from vae_explorer.session.map.marks import LayerContent
from vae_explorer.types import LatentPoint

_POINTS = "points"
"""The layer that is not drawn from marks."""


class LayerStack:
    """Puts an item a layer on a plot, when it is first heard of.

    Args:
        plot: gets the items, ``points`` too.
        points: the layer of the points.
    """

    def __init__(self, plot: LatentPlot, points: PointsItem) -> None:
        self._plot = plot
        self._points = points
        self._items: dict[str, LayerItem] = {}
        self._opacity: dict[str, float] = {}
        self._outdated: set[str] = set()
        self._names: Mapping[LatentPoint, QRectF] = {}
        self.states = tuple(default_state(spec) for spec in LAYERS if spec.id == _POINTS)
        self.contents: dict[str, LayerContent] = {}
        plot.add_item(points)

    def set_states(self, states: tuple[LayerState, ...]) -> None:
        """Show the layers as these, the topmost first, say."""
        self.states = states
        for height, state in enumerate(reversed(states)):
            item: QGraphicsItem = self._points if state.id == _POINTS else self._item(state.id)
            item.setZValue(height)
            item.setVisible(state.on)
            self._opacity[state.id] = state.opacity
            self._set_opacity(state.id, item)
            if state.id == _POINTS:
                self._points.set_style(state.chosen["size"])

    def set_names(self, names: Mapping[str, LatentPoint]) -> None:
        """Let what layers write stand clear of the names of classes."""
        self._names = name_boxes(names, QFont())
        for item in self._items.values():
            item.set_names(self._names)

    def set_content(self, layer: str, content: LayerContent) -> None:
        """Show what a layer draws now."""
        self.contents[layer] = content
        self._item(layer).set_content(content)

    def set_current(self, layer: str, current: bool) -> None:
        """Show a layer faintly while what it shows is of a model or an image before."""
        (self._outdated.discard if current else self._outdated.add)(layer)
        self._set_opacity(layer, self._item(layer))

    def _set_opacity(self, layer: str, item: QGraphicsItem) -> None:
        item.setOpacity(self._opacity.get(layer, 1.0) * (FAINT if layer in self._outdated else 1))

    def _item(self, layer: str) -> LayerItem:
        if layer not in self._items:
            self._items[layer] = LayerItem(self._plot.view_box)
            self._items[layer].setVisible(False)
            self._items[layer].set_names(self._names)
            self._plot.add_item(self._items[layer])
        return self._items[layer]
