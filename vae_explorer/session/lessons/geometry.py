"""Two places of the latent plane, the straight line between them and the geodesic."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from psygnal import Signal

from vae_explorer.latent.geodesic import GeodesicGraph, Immersion, geodesic_graph
from vae_explorer.latent.manifold import middles
from vae_explorer.latent.metric import indicatrices, magnification, pullback_metric
from vae_explorer.latent.normal import square_roots
from vae_explorer.lessons.course import LessonError
from vae_explorer.lessons.geometry import (
    KINDS,
    Frames,
    Route,
    frames,
    geodesic_route,
    immersion,
    straight_route,
)
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.session.jobs import Control
from vae_explorer.session.lessons.instrument import Instrument, refuse_unknown
from vae_explorer.session.lessons.workbench import Workbench
from vae_explorer.types import Float32, Float64, LatentPoint

METRICS = KINDS
STEPS = ("latent", "image")
"""What the pictures of a strip are equal steps of."""
SIGHT = 4.0
"""Half the side of the plane that is shown, latent units."""
PICTURES = 11
"""Along each path."""
UNIT = 3.0
"""Of the metric, the half-axes of the ellipse that is drawn."""

_COARSE, _FINE = 28, 112  # cells of the field along each axis
_ROUGH = 97  # places along a straight line that is dragged
_KEYS = {"start", "end", "metric", "steps"}


@dataclass(frozen=True, eq=False)
class Strip:
    """A path and its pictures: ``images`` (PICTURES, h, w) in [0, 1] at ``frames``."""

    route: Route
    frames: Frames
    images: Float32


@dataclass(frozen=True, eq=False)
class Ellipse:
    """The steps from ``place`` that change the image by ``UNIT``, (n, 2), and √det G there."""

    place: LatentPoint
    edge: Float64
    magnification: float


class Geometry(Instrument):
    """Holds the two ends, and measures what lies between."""

    ends_changed = Signal()
    """The ends or the choices are others, and the straight line with them; at once."""
    geodesic_changed = Signal()
    """Another geodesic; after a while. It may be of ends that were left since."""
    field_changed = Signal()
    """Another picture of √det G."""
    ellipse_changed = Signal()
    """Another ellipse under the pointer, or none."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        self.start: LatentPoint = (-1.0, -1.5)
        self.end: LatentPoint = (1.5, 1.0)
        self.metric = "euclidean"
        self.steps = "latent"
        self.straight: Strip | None = None
        self.geodesic: Strip | None = None
        self.field: Float64 | None = None
        """√det G (n, n) in the middles of the cells of ±SIGHT, the lowest row first."""
        self.ellipse: Ellipse | None = None
        self._f: Immersion | None = None
        self._graphs: dict[str, GeodesicGraph] = {}
        self._fields: dict[str, Float64] = {}
        self._shown = self._busy = self._stale = False
        bench.model_changed.connect(self._on_model)

    @property
    def settled(self) -> bool:
        """The geodesic is that of the present ends."""
        return self.geodesic is not None and not self._busy

    # What a person does

    def set_start(self, z1: float, z2: float) -> None:
        """Move the one end, within sight."""
        self.start = _clamped(z1, z2)
        self._update()

    def set_end(self, z1: float, z2: float) -> None:
        """Move the other."""
        self.end = _clamped(z1, z2)
        self._update()

    def set_metric(self, metric: str) -> None:
        """Measure by another of ``METRICS``."""
        self.metric = metric
        self._take_up()

    def set_steps(self, steps: str) -> None:
        """Take the pictures at equal steps of another of ``STEPS``."""
        self.steps = steps
        if self.geodesic is not None and self.bench.model is not None:
            self.geodesic = self._strip(self.bench.model, self.geodesic.route)
        self._update()

    def point(self, place: LatentPoint | None) -> None:
        """Look at the metric at a place, or no more."""
        model, metric = self.bench.model, self.metric
        if place is None or model is None or not self._shown:
            self.bench.cancel("ellipse")
            self._set_ellipse(None)
            return
        there = place

        def work(_: Control) -> Ellipse:
            g = pullback_metric(model, np.array([there]), metric)
            covariance = indicatrices(g, UNIT, 2 * SIGHT)[0]
            turn = np.linspace(0, 2 * np.pi, 73)
            circle = np.stack([np.cos(turn), np.sin(turn)], axis=1)
            edge = there + circle @ square_roots(covariance).T
            return Ellipse(there, edge, float(magnification(g)[0]))

        self.bench.compute("ellipse", work, self._set_ellipse)

    # As every instrument

    def show(self) -> None:
        """Begin to compute."""
        self._shown = True
        self._take_up()

    def hide(self) -> None:
        """Leave off."""
        self._shown = self._busy = self._stale = False
        for key in ("field", "geodesic", "ellipse"):
            self.bench.cancel(key)

    def state(self) -> dict[str, Any]:
        """The ends, the metric and the steps."""
        return {
            "start": list(self.start),
            "end": list(self.end),
            "metric": self.metric,
            "steps": self.steps,
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Set ``start`` and ``end`` (two numbers each), ``metric`` and ``steps``."""
        refuse_unknown(state, _KEYS)
        ends = {}
        for name in ("start", "end"):
            place = state.get(name, getattr(self, name))
            if not _is_place(place):
                raise LessonError(f"{name} must be two numbers within ±{SIGHT:g}, not {place}.")
            ends[name] = (float(place[0]), float(place[1]))
        metric, steps = state.get("metric", self.metric), state.get("steps", self.steps)
        if metric not in METRICS:
            raise LessonError(f"'{metric}' is no metric; take one of {', '.join(METRICS)}.")
        if steps not in STEPS:
            raise LessonError(f"steps must be one of {', '.join(STEPS)}, not '{steps}'.")
        self.start, self.end = ends["start"], ends["end"]
        self.metric, self.steps = metric, steps
        self._take_up()

    def data(self) -> dict[str, Any]:
        """Both lengths, the geodesic (n, 2), and how far the image goes between pictures."""
        if self.straight is None or self.geodesic is None:
            return {}
        return {
            "straight_length": self.straight.route.length,
            "length": self.geodesic.route.length,
            "path": self.geodesic.route.path,
            "straight_steps": self.straight.frames.steps,
            "steps": self.geodesic.frames.steps,
        }

    def _on_model(self, _: TrainedVAE) -> None:
        self._graphs, self._fields = {}, {}
        self.field = self.geodesic = self.straight = None
        if self._shown:
            self._take_up()

    def _take_up(self) -> None:
        """Begin with another model or metric."""
        model = self.bench.model
        if not self._shown or model is None:
            return
        self._f = immersion(model, self.metric)
        self.geodesic = None
        self._set_ellipse(None)
        self._show_field(model)
        self._update()

    def _show_field(self, model: TrainedVAE) -> None:
        """Roughly at first, then finely."""
        metric = self.metric
        self.field = self._fields.get(metric)
        self.field_changed.emit()
        if self.field is not None:
            return

        def at(cells: int, control: Control) -> Float64:
            places = middles((-SIGHT, SIGHT, -SIGHT, SIGHT), (cells, cells))
            g = pullback_metric(model, places, metric, control.check)
            return magnification(g).reshape(cells, cells)

        def work(control: Control) -> Float64:
            rough = at(_COARSE, control)
            control.report(lambda: self._set_field(rough))
            return at(_FINE, control)

        def done(field: Float64) -> None:
            self._fields[metric] = field
            self._set_field(field)

        self.bench.compute("field", work, done)

    def _set_field(self, field: Float64) -> None:
        self.field = field
        self.field_changed.emit()

    def _set_ellipse(self, ellipse: Ellipse | None) -> None:
        self.ellipse = ellipse
        if ellipse is not None:
            self.tell(magnification=ellipse.magnification)
        self.ellipse_changed.emit()

    def _update(self) -> None:
        """Show the straight line at once, and the geodesic when the last one is done."""
        model = self.bench.model
        if not self._shown or model is None or self._f is None:
            return
        rough = straight_route(self._f, self.start, self.end, _ROUGH)
        self.straight = self._strip(model, rough)
        self._stale = True
        self._tell()
        self.ends_changed.emit()
        self._compute(model)

    def _compute(self, model: TrainedVAE) -> None:
        # One after the other, not newest wins: else an end that is dragged would starve them.
        if self._busy or not self._stale:
            return
        self._busy, self._stale = True, False
        f, metric = self._f, self.metric
        start, end, graph = self.start, self.end, self._graphs.get(metric)

        def work(control: Control) -> tuple[GeodesicGraph, Route, Route]:
            assert f is not None
            known = graph or geodesic_graph(f, check=control.check)
            line = straight_route(f, start, end)
            return known, line, geodesic_route(known, start, end, control.check)

        def done(found: tuple[GeodesicGraph, Route, Route]) -> None:
            self._busy = False
            if model is self.bench.model:
                self._graphs[metric], line, route = found
                if metric == self.metric:
                    if not self._stale:
                        self.straight = self._strip(model, line)
                    self.geodesic = self._strip(model, route)
                    self._tell()
                    self.geodesic_changed.emit()
            if self.bench.model is not None:
                self._compute(self.bench.model)

        self.bench.compute("geodesic", work, done)

    def _strip(self, model: TrainedVAE, route: Route) -> Strip:
        spread = frames(route, PICTURES, self.steps)
        return Strip(route, spread, model.decode(spread.places))

    def _tell(self) -> None:
        values: dict[str, float | str] = {
            "distance": float(np.hypot(*np.subtract(self.end, self.start)))
        }
        if self.straight is not None:
            values["straight"] = self.straight.route.length
        if self.geodesic is not None and self.straight is not None:
            length = self.geodesic.route.length
            values["geodesic"] = length
            steps = self.geodesic.frames.steps
            values["longest"] = float(steps.max())
            values["shortest"] = float(steps.min())
        self.tell(**values)


def _clamped(z1: float, z2: float) -> LatentPoint:
    return min(max(z1, -SIGHT), SIGHT), min(max(z2, -SIGHT), SIGHT)


def _is_place(place: Any) -> bool:
    return (
        isinstance(place, (list, tuple))
        and len(place) == 2
        and all(
            isinstance(one, (int, float)) and not isinstance(one, bool) and abs(one) <= SIGHT
            for one in place
        )
    )
