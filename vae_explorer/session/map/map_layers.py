"""The layers of the map: which are shown, and their contents, made off the main thread."""

import dataclasses
from functools import partial

from psygnal import Signal

from vae_explorer.model.trained import Posterior, TrainedVAE, unchecked
from vae_explorer.session.explore.pins import DataPoint, Pin, Pins
from vae_explorer.session.explore.sketch import Sketch
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.map.layer_contents import (
    LAYER_CONTENTS,
    EncodedImage,
    Scene,
    View,
    content_by,
)
from vae_explorer.session.map.layers import LAYERS, LayerState, default_state
from vae_explorer.session.map.marks import LayerContent
from vae_explorer.session.map.state import MapPoints, MapState
from vae_explorer.session.tasks import Tasks

_IMMEDIATE = frozenset({"ellipses", "prior", "flow"})
"""Drawn at once, because they only gather what is known."""

_VIEW = View((-3.0, 3.0, -3.0, 3.0), (600, 600))


class MapLayers:
    """State and contents of all layers. All methods belong to the main thread.

    A layer that is off is not drawn; it is drawn again when something it depends on changes, and of
    several requests only the newest is answered. But one that is computed when the model
    moves on is finished first: while training no slow one would ever be.

    Args:
        tasks: where layers are drawn.
        latent_map: has the model and the points.
        pins: images to draw of.
        sketch: another one.
        states: as remembered; layers that are not among them start as they do by themselves.
    """

    changed = Signal(tuple)
    """All ``LayerState``s, the topmost first."""
    drawn = Signal(str, LayerContent)
    busy_changed = Signal(str, bool)
    current_changed = Signal(str, bool)
    """Whether what a layer shows is of the model on the map, and of the images looked at."""

    def __init__(
        self,
        tasks: Tasks,
        latent_map: LatentMap,
        pins: Pins,
        sketch: Sketch,
        states: tuple[LayerState, ...] = (),
    ) -> None:
        self._work = {
            layer: tasks.patient(f"layer {layer}", f"The layer “{layer}” could not be drawn")
            for layer in LAYER_CONTENTS
        }
        self._map = latent_map
        self._pins = pins
        self._sketch = sketch
        known = {state.id for state in states}
        new = tuple(default_state(spec) for spec in LAYERS if spec.id not in known)
        self.states = new + states  # new ones where they are seen
        self._view = _VIEW
        self._hovered = -1
        self._pinned: list[Pin] = []  # all, and the one looked at
        self._memory: tuple[TrainedVAE | None, dict[object, object]] = None, {}
        self._stale = set(LAYER_CONTENTS)
        self._busy: set[str] = set()
        self._shown: set[str] = set()
        self._outdated: set[str] = set()
        latent_map.changed.connect(self._on_map)
        pins.changed.connect(self._on_pins)
        sketch.image_changed.connect(self._on_sketch)

    # What a person chooses

    def set_on(self, layer: str, on: bool) -> None:
        """Show or hide a layer."""
        self._change(layer, on=on)

    def toggle(self, layer: str) -> None:
        """Show a hidden layer, hide one that shows."""
        self._change(layer, on=not self.state(layer).on)

    def set_opacity(self, layer: str, opacity: float) -> None:
        """From 0, which is invisible, to 1."""
        self._change(layer, opacity=min(max(float(opacity), 0.0), 1.0))

    def choose(self, layer: str, choice: str, value: str) -> None:
        """Take another value of one of a layer's choices."""
        chosen = {**self.state(layer).chosen, choice: value}
        if layer in LAYER_CONTENTS:
            self._stale.add(layer)
        self._change(layer, chosen=chosen)

    def restore(self, states: tuple[LayerState, ...]) -> None:
        """Show layers as these, the topmost first, say; any others as they are, above."""
        named = {state.id for state in states}
        self.states = (*(state for state in self.states if state.id not in named), *states)
        self._stale.update(LAYER_CONTENTS)
        self.changed.emit(self.states)
        for state in self.states:
            if state.on:
                self._refresh(state.id)

    def move(self, layer: str, position: int) -> None:
        """Put a layer at a position, counted from the topmost."""
        others = [state for state in self.states if state.id != layer]
        others.insert(position, self.state(layer))
        self.states = tuple(others)
        self.changed.emit(self.states)

    @property
    def busy(self) -> bool:
        """Whether any layer is being computed."""
        return bool(self._busy)

    def state(self, layer: str) -> LayerState:
        """How a layer is shown."""
        return next(state for state in self.states if state.id == layer)

    # What there is to draw

    @property
    def view(self) -> View:
        """The part of the plane that is drawn for."""
        return self._view

    def set_view(self, view: View) -> None:
        """Draw for another part of the plane."""
        if view != self._view:
            self._view = view
            self._invalidate("view")

    def set_hovered(self, row: int) -> None:
        """Draw of the image behind a row of the points, or no longer of one for −1."""
        if row != self._hovered:
            self._hovered = row
            self._invalidate("hovered")

    def _on_map(self, new: MapState, old: MapState | None) -> None:
        before = old.points if old else None
        if new.points is None or new.points is before:
            return
        parts = ["points"]
        if old is None or new.model is not old.model:
            parts.append("model")
        if (before is None or before.indices is not new.points.indices) and self._hovered >= 0:
            self._hovered = -1
            parts.append("hovered")
        self._invalidate(*parts, patient=True)

    def _on_pins(self) -> None:
        current = self._pins.current
        shown = [*self._pins.tray, *([current] if current else [])]
        pinned = [(pin.split, pin.index) for pin in shown]
        if pinned != self._pinned:  # else by another model, which is told by the map
            self._pinned = pinned
            self._invalidate("pinned")

    def _on_sketch(self) -> None:
        self._invalidate("pinned")

    def _scene(self) -> Scene | None:
        state, current = self._map.state, self._pins.current
        if state is None or state.points is None or state.posterior is None:
            return None
        if self._memory[0] is not state.model:
            self._memory = state.model, {}
        hovered = 0 <= self._hovered < len(state.points.indices)
        return Scene(
            state.model,
            state.points,
            state.posterior,
            self._view,
            state.before,
            state.start,
            encoded_at(state.points, state.posterior, self._hovered) if hovered else None,
            tuple(encoded_of(point) for point in self._pins.tray),
            encoded_of(current) if current else None,
            self._sketch.image,
            self._memory[1],
        )

    def show(self, layer: str, content: LayerContent) -> None:
        """Show what somebody else has drawn for a layer."""
        self._shown.add(layer)
        self.drawn.emit(layer, content)

    def is_current(self, layer: str) -> bool:
        """Whether what a layer shows is of the model on the map, and of the images looked at."""
        return layer not in self._outdated

    def _change(self, layer: str, **changes: object) -> None:
        old = self.state(layer)
        new = dataclasses.replace(old, **changes)  # type: ignore[arg-type]
        if new == old:
            return
        self.states = tuple(new if state is old else state for state in self.states)
        self.changed.emit(self.states)
        if new.on:
            self._refresh(layer)

    def _invalidate(self, *parts: str, patient: bool = False) -> None:
        for layer, (_, depends) in LAYER_CONTENTS.items():
            if depends.intersection(parts):
                self._stale.add(layer)
                if parts != ("view",):  # else it is right, but for a part of the plane
                    self._set_current(layer, layer not in self._shown)
            if self.state(layer).on:  # or it waits for the first points
                self._refresh(layer, patient=patient)

    def _refresh(self, layer: str, *, patient: bool = False) -> None:
        scene = self._scene()
        if scene is None or layer not in self._stale:
            return
        self._stale.discard(layer)
        draw, _ = LAYER_CONTENTS[layer]
        chosen = self.state(layer).chosen
        if layer in _IMMEDIATE:
            self._show(layer, content_by(draw, scene, chosen, unchecked))
            return
        if not patient:
            self._work[layer].cancel()
        self._set_busy(layer, True)
        self._work[layer].run(
            lambda control: content_by(draw, scene, chosen, control.check),
            partial(self._show, layer),
            failed=lambda _: self._set_busy(layer, self._work[layer].busy),
        )

    def _show(self, layer: str, content: LayerContent) -> None:
        self._set_busy(layer, self._work[layer].busy)
        self.show(layer, content)
        # Of a model that moved on meanwhile it is not, though the newest that there is.
        self._set_current(layer, not self._work[layer].busy and layer not in self._stale)

    def _set_current(self, layer: str, current: bool) -> None:
        if current != self.is_current(layer):
            self._outdated.symmetric_difference_update({layer})
            self.current_changed.emit(layer, current)

    def _set_busy(self, layer: str, busy: bool) -> None:
        if busy != (layer in self._busy):
            self._busy.symmetric_difference_update({layer})
            self.busy_changed.emit(layer, busy)


def encoded_at(points: MapPoints, posterior: Posterior, row: int) -> EncodedImage:
    """The image behind a row of the points, as something to draw of."""
    split, index = points.origin(row)
    return EncodedImage(
        f"{split} {index:,}",
        points.data.of(split).images[index],
        int(points.labels[row]),
        posterior.mean[row],
        posterior.covariance[row],
        points.data.in_both(split, index),
    )


def encoded_of(point: DataPoint) -> EncodedImage:
    """A pinned image as something to draw of."""
    return EncodedImage(
        f"{point.split} {point.index:,}",
        point.original,
        point.label,
        point.mean,
        point.covariance,
        point.seed,
    )
