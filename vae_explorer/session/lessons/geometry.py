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
    """A path and its pictures: ``images`` (PICTURES, h, w) in [0, 1] at ``frames``.

    These are equal ``steps`` of the latent plane or of the image.
    """

    route: Route
    frames: Frames
    images: Float32
    steps: str


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


@dataclass(eq=False)
class _Space:
    """The plane under a model by a metric: how it lies among the images, and what is known."""

    model: TrainedVAE
    metric: str
    f: Immersion
    graph: GeodesicGraph | None = None
    field: Float64 | None = None


class Geometry(Experiment[GeometrySettings, GeometryResult]):
    """Holds the two ends, and measures what lies between."""

    subject = "shown"

    def __init__(self, context: LessonContext) -> None:
        super().__init__(context, GeometrySettings(), GeometryResult())
        self._find = self.patient("geodesic")
        self._measure, self._look = self.newest("field"), self.newest("ellipse")
        self._space: _Space | None = None
        self._spaces: dict[str, _Space] = {}

    def is_current(self, strip: Strip) -> bool:
        """Whether a path leads from one end to the other as they are now."""
        ends = np.array([self.settings.start, self.settings.end])
        return bool(np.allclose(strip.route.path[[0, -1]], ends, atol=1e-6))

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
        self._spaces = {name: one for name, one in self._spaces.items() if one.model is model}
        space = self._spaces.get(now.metric)
        if space is None:
            space = _Space(model, now.metric, immersion(model, now.metric))
            self._spaces[now.metric] = space
        if space is not self._space:
            self._space = space
            self.result = GeometryResult(field=space.field)
        self._measure_field(space)
        found = self.result
        line = found.straight.route if found.straight else None
        if self._find_routes(space, now.start, now.end) or line is None:
            line = straight_route(space.f, now.start, now.end, _ROUGH)
        self.result = replace(
            found,
            straight=self._strip(model, line),
            geodesic=found.geodesic and self._strip(model, found.geodesic.route, found.geodesic),
        )

    def symbols(self) -> dict[str, float | str]:
        """The lengths, and the longest and the shortest step; "…" while the path is found."""
        now, found = self.settings, self.result
        values: dict[str, float | str] = dict.fromkeys(("geodesic", "longest", "shortest"), "…")
        values |= {"distance": float(np.hypot(*np.subtract(now.end, now.start)))}
        if found.straight is not None:
            values["straight"] = found.straight.route.length
        if found.geodesic is not None and self.is_current(found.geodesic):
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

    def _measure_field(self, space: _Space) -> None:
        """Roughly at first, then finely."""

        def at(cells: int, control: Control) -> Float64:
            z = middles((-SIGHT, SIGHT, -SIGHT, SIGHT), (cells, cells))
            g = pullback_metric(space.model, z, space.metric, control.check)
            return magnification(g).reshape(cells, cells)

        def work(control: Control) -> Float64:
            rough = at(_COARSE, control)
            control.report(lambda: self.publish(field=rough))
            return at(_FINE, control)

        def done(field: Float64) -> None:
            space.field = field
            self.publish(field=field)

        if space.field is not None:
            self._measure.cancel()
        else:
            self._measure.ask(space, work, done)

    def _find_routes(self, space: _Space, start: LatentPoint, end: LatentPoint) -> bool:
        def work(control: Control) -> tuple[GeodesicGraph, Route, Route]:
            graph = space.graph or geodesic_graph(space.f, check=control.check)
            line = straight_route(space.f, start, end)
            return graph, line, geodesic_route(graph, start, end, control.check)

        def done(found: tuple[GeodesicGraph, Route, Route]) -> None:
            space.graph, line, route = found
            now, straight = self.settings, self.result.straight
            if space is not self._space:
                return
            if (now.start, now.end) == (start, end):
                straight = self._strip(space.model, line)
            self.publish(straight=straight, geodesic=self._strip(space.model, route))

        return self._find.ask((space, start, end), work, done)

    def _strip(self, model: TrainedVAE, route: Route, known: Strip | None = None) -> Strip:
        """The pictures along a route; ``known`` are those of the same one."""
        steps = self.settings.steps
        if known is not None and known.steps == steps:
            return known
        spread = frames(route, PICTURES, steps)
        return Strip(route, spread, model.decode(spread.positions), steps)
