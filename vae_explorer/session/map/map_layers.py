"""The layers of the map: which are shown, and their drawings, made beside the main thread."""

import dataclasses
from collections.abc import Callable
from functools import partial

import numpy as np
from psygnal import Signal

from vae_explorer.data import bundled
from vae_explorer.model.trained import Posterior, TrainedVAE, unchecked
from vae_explorer.session.jobs import Jobs
from vae_explorer.session.map.layer_contents import DRAWINGS, Scene, Subject, View
from vae_explorer.session.map.layers import LAYERS, LayerState, default_state
from vae_explorer.session.map.marks import Drawing
from vae_explorer.session.state import DataPoint, MapPoints, draw_seeds

_IMMEDIATE = frozenset({"ellipses", "prior", "flow"})
"""Drawn at once, because they only gather what is known."""

_VIEW = View((-3.0, 3.0, -3.0, 3.0), (600, 600))


class MapLayers:
    """State and drawings of all layers. All methods belong to the main thread.

    A layer that is off is not drawn; it is drawn anew when something it depends on changes, and of
    several requests only the newest is answered. But a drawing that is under way when the model
    moves on is finished first: while training no slow one would ever be.

    Args:
        jobs: where layers are drawn.
        fail: told what went wrong, with a title.
        states: as remembered; layers that are not among them start as they do by themselves.
    """

    changed = Signal(tuple)
    """All ``LayerState``s, the topmost first."""
    drawn = Signal(str, Drawing)
    busy_changed = Signal(str, bool)

    def __init__(
        self,
        jobs: Jobs,
        fail: Callable[[str, BaseException], None],
        states: tuple[LayerState, ...] = (),
    ) -> None:
        self._jobs = jobs
        self._fail = fail
        known = {state.id for state in states}
        new = tuple(default_state(spec) for spec in LAYERS if spec.id not in known)
        self.states = new + states  # new ones where they are seen
        self._scene: Scene | None = None
        self._view = _VIEW
        self._hovered = -1
        self._stale = set(DRAWINGS)
        self._busy: set[str] = set()

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
        if layer in DRAWINGS:
            self._stale.add(layer)
        self._change(layer, chosen=chosen)

    def restore(self, states: tuple[LayerState, ...]) -> None:
        """Show layers as these, the topmost first, say; any others as they are, above."""
        named = {state.id for state in states}
        self.states = (*(state for state in self.states if state.id not in named), *states)
        self._stale.update(DRAWINGS)
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
        """Whether any layer is being drawn."""
        return bool(self._busy)

    def state(self, layer: str) -> LayerState:
        """How a layer is shown."""
        return next(state for state in self.states if state.id == layer)

    # What there is to draw

    def set_scene(
        self,
        model: TrainedVAE,
        points: MapPoints,
        posterior: Posterior,
        before: MapPoints | None,
        start: MapPoints | None,
    ) -> None:
        """Draw another model, or other points of it; see ``Scene``."""
        old = self._scene
        same = old is not None and old.model is model
        self._scene = Scene(
            model,
            points,
            posterior,
            self._view,
            before,
            start,
            pinned=old.pinned if old else (),
            current=old.current if old else None,
            drawn=old.drawn if old else None,
            memory=old.memory if old is not None and same else {},
        )
        if old is None or old.points.indices is not points.indices:
            self._hovered = -1
        if self._hovered >= 0:
            hovered = subject_at(self._scene.points, self._scene.posterior, self._hovered)
            self._scene = dataclasses.replace(self._scene, hovered=hovered)
        lost = old is not None and old.hovered is not None and self._hovered < 0
        parts = ("points", *(() if same else ("model",)), *(("hovered",) if lost else ()))
        self._invalidate(*parts, patient=True)

    def set_view(self, view: View) -> None:
        """Draw for another part of the plane."""
        if view != self._view:
            self._view = view
            self._replace("view", view=view)

    def set_hovered(self, row: int) -> None:
        """Draw of the image behind a row of the points, or no longer of one for −1."""
        scene = self._scene
        if scene is None or (row < 0 and scene.hovered is None):
            return
        self._hovered = row
        self._replace(
            "hovered", hovered=subject_at(scene.points, scene.posterior, row) if row >= 0 else None
        )

    def set_pinned(self, tray: tuple[DataPoint, ...], current: DataPoint | None) -> None:
        """Draw of these images, the landscapes of ``current``."""
        pinned = tuple(subject_of(point) for point in tray)
        chosen = subject_of(current) if current else None
        scene = self._scene
        if scene is not None and _seeds(scene.pinned, scene.current) == _seeds(pinned, chosen):
            # The same images under another model, whose scene is about to come.
            self._scene = dataclasses.replace(scene, pinned=pinned, current=chosen)
        else:
            self._replace("pinned", pinned=pinned, current=chosen)

    def set_drawn(self, drawn: Subject | None) -> None:
        """Draw of an image that is not in the data too, or no longer."""
        self._replace("pinned", drawn=drawn)

    def show(self, layer: str, drawing: Drawing) -> None:
        """Show what somebody else has drawn for a layer."""
        self.drawn.emit(layer, drawing)

    def _replace(self, part: str, **changes: object) -> None:
        if self._scene is not None:
            self._scene = dataclasses.replace(self._scene, **changes)  # type: ignore[arg-type]
            self._invalidate(part)

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
        for layer, (_, depends) in DRAWINGS.items():
            if depends.intersection(parts):
                self._stale.add(layer)
                if self.state(layer).on and not (patient and layer in self._busy):
                    self._refresh(layer)

    def _refresh(self, layer: str) -> None:
        scene = self._scene
        if scene is None or layer not in self._stale:
            return
        self._stale.discard(layer)
        draw, _ = DRAWINGS[layer]
        chosen = self.state(layer).chosen
        if layer in _IMMEDIATE:
            self.drawn.emit(layer, draw(scene, chosen, unchecked))
            return
        self._set_busy(layer, True)
        self._jobs.run_newest(
            f"layer {layer}",
            lambda control: draw(scene, chosen, control.check),
            done=partial(self._show, layer),
            failed=partial(self._give_up, layer),
            lane="layers",
        )

    def _show(self, layer: str, drawing: Drawing) -> None:
        self._set_busy(layer, False)
        self.drawn.emit(layer, drawing)
        if self.state(layer).on:
            self._refresh(layer)

    def _give_up(self, layer: str, error: BaseException) -> None:
        self._set_busy(layer, False)
        self._fail(f"The layer “{layer}” could not be drawn", error)
        if self.state(layer).on:
            self._refresh(layer)  # if a newer scene waits

    def _set_busy(self, layer: str, busy: bool) -> None:
        if busy != (layer in self._busy):
            self._busy.symmetric_difference_update({layer})
            self.busy_changed.emit(layer, busy)


def subject_at(points: MapPoints, posterior: Posterior, row: int) -> Subject:
    """The image behind a row of the points, as something to draw of."""
    split, index = points.origin(row)
    return Subject(
        f"{split} {index:,}",
        bundled.mnist(split).images[index],
        int(points.labels[row]),
        posterior.mean[row],
        posterior.covariance[row],
        _seed(split, index),
    )


def subject_of(point: DataPoint) -> Subject:
    """A pinned image as something to draw of."""
    return Subject(
        f"{point.split} {point.index:,}",
        point.original,
        point.label,
        point.mean,
        point.covariance,
        _seed(point.split, point.index),
    )


def _seeds(pinned: tuple[Subject, ...], current: Subject | None) -> list[int]:
    """Which images these are."""
    return [subject.seed for subject in pinned] + ([current.seed] if current else [])


def _seed(split: str, index: int) -> int:
    return int(draw_seeds(split, np.array([index]))[0])
