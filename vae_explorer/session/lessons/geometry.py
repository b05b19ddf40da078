"""Two points of the latent plane, the straight line between them and the geodesic."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vae_explorer.latent.geodesic import GeodesicGraph, Immersion, geodesic_graph
from vae_explorer.latent.manifold import middles
from vae_explorer.latent.metric import indicatrices, magnification, pullback_metric
from vae_explorer.latent.normal import square_roots
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
from vae_explorer.session.lessons.context import LessonContext
from vae_explorer.session.lessons.experiment import Experiment, Result, Settings, setting
from vae_explorer.types import Float32, Float64, LatentPoint

SIGHT = 4.0
"""Half the side of the plane that is shown, latent units."""
PICTURES = 11
"""Along each path."""
UNIT = 3.0
"""Of the metric, the half-axes of the ellipse that is drawn."""

_COARSE, _FINE = 28, 112  # cells of the field along each axis
_ROUGH = 97  # points along a straight line that is dragged


@dataclass(frozen=True)
class GeometrySettings(Settings):
    """The two ends, what a step is measured by, and what the pictures are equal steps of."""

    start: tuple[float, float] = setting((-1.0, -1.5), "", "One end", low=-SIGHT, high=SIGHT)
    end: tuple[float, float] = setting((1.5, 1.0), "", "The other end", low=-SIGHT, high=SIGHT)
    metric: str = setting(
        "euclidean",
        "&distance of",
        "What a step is measured by",
        choices=KINDS,
        titles=("pixels (Euclidean)", "distributions (Fisher)"),
    )
    steps: str = setting(
        "latent",
        "&equal steps of",
        "What the pictures below are equal steps of",
        choices=("latent", "image"),
        titles=("the latent plane", "the picture"),
    )
    keys: str = setting(
        "start",
        "&keys move",
        "Which end the arrow keys move",
        choices=("start", "end"),
        titles=("A", "B"),
    )


@dataclass(frozen=True, eq=False)
class Strip:
    """A path and its pictures: ``images`` (PICTURES, h, w) in [0, 1] at ``frames``."""

    route: Route
    frames: Frames
    images: Float32


@dataclass(frozen=True, eq=False)
class Ellipse:
    """The steps from ``point`` that change the image by ``UNIT``, (n, 2), and √det G there."""

    point: LatentPoint
    edge: Float64
    magnification: float


@dataclass(frozen=True, eq=False)
class GeometryResult(Result):
    """The paths; √det G; and the metric under the pointer.

    The ``geodesic`` follows after a while, and may be of ends that were left since. ``field``
    (n, n) is √det G in the middles of the cells of ±SIGHT, the lowest row first.
    """

    straight: Strip | None = None
    geodesic: Strip | None = None
    field: Float64 | None = None
    ellipse: Ellipse | None = None


class Geometry(Experiment[GeometrySettings, GeometryResult]):
    """Holds the two ends, and measures what lies between."""

    def __init__(self, context: LessonContext) -> None:
        super().__init__(context, GeometrySettings(), GeometryResult())
        self._find = self.patient("geodesic")
        self._measure, self._look = self.newest("field"), self.newest("ellipse")
        self._of: tuple[TrainedVAE, str] | None = None
        self._ends: tuple[LatentPoint, LatentPoint] | None = None
        self._f: Immersion | None = None
        self._graphs: dict[str, GeodesicGraph] = {}
        self._fields: dict[str, Float64] = {}

    def hide(self) -> None:
        """Stop computing."""
        super().hide()
        self._ends = None

    def point(self, z: LatentPoint | None) -> None:
        """Look at the metric at a point, or no more."""
        model, metric = self.context.model, self.settings.metric
        if z is None or model is None or not self.shown:
            self._look.cancel()
            self.publish(ellipse=None)
            return
        there = z

        def work(_: Control) -> Ellipse:
            g = pullback_metric(model, np.array([there]), metric)
            covariance = indicatrices(g, UNIT, 2 * SIGHT)[0]
            turn = np.linspace(0, 2 * np.pi, 73)
            circle = np.stack([np.cos(turn), np.sin(turn)], axis=1)
            edge = there + circle @ square_roots(covariance).T
            return Ellipse(there, edge, float(magnification(g)[0]))

        self._look.run(work, lambda ellipse: self.publish(ellipse=ellipse))

    def update(self) -> None:
        """Show the straight line at once, and the geodesic when the last one is done."""
        model, now = self.context.model, self.settings
        if model is None:
            return
        if self._of is None or self._of[0] is not model:
            self._graphs, self._fields = {}, {}
        found = self.result
        ends = now.start, now.end
        if self._of != (model, now.metric):
            self._of, self._ends = (model, now.metric), None
            self._f = immersion(model, now.metric)
            found = GeometryResult(field=self._fields.get(now.metric))
            self._show_field(model)
        assert self._f is not None
        line = found.straight.route if found.straight else None
        if line is None or ends != self._ends:
            line = straight_route(self._f, *ends, _ROUGH)
        self.result = replace(
            found,
            straight=self._strip(model, line),
            geodesic=self._strip(model, found.geodesic.route) if found.geodesic else None,
        )
        if ends != self._ends:
            self._ends = ends
            self._compute(model, self._f)

    def symbols(self) -> dict[str, float | str]:
        """The lengths, and the longest and the shortest step between two pictures."""
        now, found = self.settings, self.result
        values: dict[str, float | str] = {
            "distance": float(np.hypot(*np.subtract(now.end, now.start)))
        }
        if found.straight is not None:
            values["straight"] = found.straight.route.length
        if found.geodesic is not None:
            steps = found.geodesic.frames.steps
            values["geodesic"] = found.geodesic.route.length
            values |= {"longest": float(steps.max()), "shortest": float(steps.min())}
        if found.ellipse is not None:
            values["magnification"] = found.ellipse.magnification
        elif "magnification" in self.values:  # of the last point
            values["magnification"] = self.values["magnification"]
        return values

    def data(self) -> dict[str, Any]:
        """Both lengths, the geodesic (n, 2), and how far the image goes between pictures."""
        straight, geodesic = self.result.straight, self.result.geodesic
        if straight is None or geodesic is None:
            return {}
        return {
            "straight_length": straight.route.length,
            "length": geodesic.route.length,
            "path": geodesic.route.path,
            "straight_steps": straight.frames.steps,
            "steps": geodesic.frames.steps,
        }

    def _show_field(self, model: TrainedVAE) -> None:
        """Roughly at first, then finely."""
        metric = self.settings.metric
        if metric in self._fields:
            self._measure.cancel()
            return

        def at(cells: int, control: Control) -> Float64:
            z = middles((-SIGHT, SIGHT, -SIGHT, SIGHT), (cells, cells))
            g = pullback_metric(model, z, metric, control.check)
            return magnification(g).reshape(cells, cells)

        def work(control: Control) -> Float64:
            rough = at(_COARSE, control)
            control.report(lambda: self.publish(field=rough))
            return at(_FINE, control)

        def done(field: Float64) -> None:
            self._fields[metric] = field
            self.publish(field=field)

        self._measure.run(work, done)

    def _compute(self, model: TrainedVAE, f: Immersion) -> None:
        settings = self.settings
        start, end, graph = settings.start, settings.end, self._graphs.get(settings.metric)

        def work(control: Control) -> tuple[GeodesicGraph, Route, Route]:
            known = graph or geodesic_graph(f, check=control.check)
            line = straight_route(f, start, end)
            return known, line, geodesic_route(known, start, end, control.check)

        def done(found: tuple[GeodesicGraph, Route, Route]) -> None:
            known, line, route = found
            if self._f is not f:
                return
            self._graphs[settings.metric] = known
            now, straight = self.settings, self.result.straight
            if (now.start, now.end) == (start, end):
                straight = self._strip(model, line)
            self.publish(straight=straight, geodesic=self._strip(model, route))

        self._find.run(work, done)

    def _strip(self, model: TrainedVAE, route: Route) -> Strip:
        spread = frames(route, PICTURES, self.settings.steps)
        return Strip(route, spread, model.decode(spread.positions))
