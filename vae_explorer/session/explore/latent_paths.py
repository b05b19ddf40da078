"""A path through the latent plane and what is decoded along it, found off the main thread."""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from vae_explorer.errors import DataError, UserError
from vae_explorer.latent.arithmetic import class_means
from vae_explorer.latent.figures import own_draws, pixel_log_likelihoods
from vae_explorer.latent.geodesic import (
    GeodesicGraph,
    geodesic_graph,
    geodesic_through,
    mean_images,
)
from vae_explorer.latent.manifold import linear_axis
from vae_explorer.latent.paths import (
    circle,
    column,
    resampled,
    row,
    smooth_walk,
    spherical,
    straight,
)
from vae_explorer.latent.trust import DataSupport
from vae_explorer.model.trained import Check, TrainedVAE
from vae_explorer.model.vae import log_prior
from vae_explorer.number_format import AXES, figure, pair
from vae_explorer.session.explore.pins import DataPoint
from vae_explorer.session.jobs import Control
from vae_explorer.session.map.marks import Curve, LayerContent, Spots
from vae_explorer.session.map.state import MapPoints
from vae_explorer.types import Float32, Float64, LatentPoint

LEAST, MOST = 2, 64
"""Frames that can be asked for."""

_REACH = 3.0  # latent units from the origin, where rows, columns and the grid end
_RADIUS = 1.0  # latent units, of a circle
_FINE = 1_024  # positions of a line that is shown
_SCORED = 256  # frames between two looks whether they are still wanted


@dataclass(frozen=True)
class PathKind:
    """A kind of path; ``closable`` if it may end where it began or not."""

    id: str
    name: str
    about: str
    closable: bool = False


KINDS: tuple[PathKind, ...] = (
    PathKind("straight", "Straight", "Through the pinned images, at equal steps of z", True),
    PathKind("spherical", "Spherical", "Through the pinned images, about the origin", True),
    PathKind(
        "geodesic", "Geodesic", "Through the pinned images, with least change of the picture", True
    ),
    PathKind("row", "Row", "From left to right through the cursor, −3 to 3"),
    PathKind("column", "Column", "From bottom to top through the cursor, −3 to 3"),
    PathKind("circle", "Circle", "Around the cursor, at a distance of 1"),
    PathKind("grid", "Grid", "A square of positions within ±3, row by row, there and back"),
    PathKind("walk", "Random walk", "A smooth lap where the prior is; choose it again for another"),
    PathKind(
        "classes", "All classes", "Between the means of every two classes; frames for each pair"
    ),
)


@dataclass(frozen=True, eq=False)
class Waypoint:
    """A position (2,) to go through, and what is there."""

    title: str
    z: Float32


def waypoints_of(tray: tuple[DataPoint, ...]) -> tuple[Waypoint, ...]:
    """Pinned images as waypoints at their encoder's means."""
    return tuple(Waypoint(f"{point.split} {point.index:,}", point.mean) for point in tray)


@dataclass(frozen=True, eq=False)
class LatentPath:
    """A path of n frames.

    ``positions`` is (n, 2), ``z`` (n, 2) the same as the checkpoint has them, ``images`` (n, h, w)
    in [0, 1], ``log_prior`` = log p(z) (n,) in nats. ``percentile`` (n,) of q(z), see
    ``DataSupport.percentile``, and ``log_likelihood`` = log p(x|z) (n,), in nats, of the pinned
    image are None where not asked for; all are float32.

    For the map, ``line`` (m, 2) is the path as it is drawn and ``waypoints`` (k, 2) what it leads
    through. A ``closed`` one goes on from its last frame to its first.

    Of a geodesic ``length``, and ``straight_length`` of the straight legs between the same
    waypoints, are how far the picture moves, see ``Geodesic``. ``note`` is one line on what is
    shown, or why there are no frames. ``axes`` are the names of the coordinates.
    """

    kind: str
    positions: Float32
    z: Float32
    images: Float32
    log_prior: Float32
    line: Float32
    waypoints: Float32
    closed: bool = False
    percentile: Float32 | None = None
    log_likelihood: Float32 | None = None
    length: float | None = None
    straight_length: float | None = None
    note: str = ""
    axes: tuple[str, str] = AXES


def path_content(path: LatentPath | None) -> LayerContent:
    """The path on the map: its line, and crosses at its waypoints, the largest where it begins."""
    if path is None:
        return LayerContent(note="No path is chosen.", offer="play_path")
    if not len(path.positions):
        return LayerContent(note=path.note)
    return LayerContent((Curve((path.line,)), Spots(path.waypoints, "waypoints")), path.note)


@dataclass(frozen=True, eq=False)
class PathRequest:
    """All that a path depends on. ``graph``, once found, is that of the model.

    Of a model that is ``moving`` no geodesic is measured: it would take a share of the training.
    """

    waypoints: tuple[Waypoint, ...] = ()
    points: MapPoints | None = None
    cursor: LatentPoint = (0.0, 0.0)
    target_image: DataPoint | None = None
    support: DataSupport | None = None
    kind: str = ""
    n: int = 16
    closed: bool = False
    seed: int = 0
    graph: list[GeodesicGraph] = field(default_factory=list)
    moving: bool = False


@dataclass(frozen=True, eq=False)
class _Route:
    """Where a path leads; see ``LatentPath``."""

    positions: Float64
    line: Float64
    waypoints: Float64
    note: str
    closed: bool = False
    length: float | None = None
    straight_length: float | None = None


def find_path(
    model: TrainedVAE, request: PathRequest, progress: Callable[[str], None], control: Control
) -> LatentPath:
    """Find a path and decode along it, on any thread.

    Args:
        model: decodes.
        request: what is asked for.
        progress: called on the main thread with what takes long.
        control: of the job.
    """
    try:
        route = _route(model, request, progress, control)
    except UserError as error:
        nowhere = np.empty((0, 2), np.float32)
        images = np.empty((0, *model.image_shape), np.float32)
        return LatentPath(
            request.kind, nowhere, nowhere, images, nowhere[:, 0], nowhere, nowhere, note=str(error)
        )
    positions = route.positions.astype(np.float32)
    control.check()
    images = model.decode(positions)
    return LatentPath(
        request.kind,
        positions,
        model.in_checkpoint(positions),
        images,
        log_prior(route.positions).astype(np.float32),
        route.line.astype(np.float32),
        route.waypoints.astype(np.float32),
        route.closed,
        _percentiles(request.support, positions, control.check),
        _log_likelihoods(model, request.target_image, positions, control.check),
        route.length,
        route.straight_length,
        route.note,
        model.axes,
    )


def _route(
    model: TrainedVAE, request: PathRequest, progress: Callable[[str], None], control: Control
) -> _Route:
    n, closed, cursor = request.n, request.closed, request.cursor
    (z1, z2), (across, up) = cursor, model.axes
    match request.kind:
        case "row":
            note = f"{across} from −3 to 3 at {up} = {figure(z2, 2)}"
            return _by_formula(partial(row, z2, -_REACH, _REACH), n, note)
        case "column":
            note = f"{up} from −3 to 3 at {across} = {figure(z1, 2)}"
            return _by_formula(partial(column, z1, -_REACH, _REACH), n, note)
        case "circle":
            note = f"Around {pair(cursor, 2)} at a distance of 1"
            return _by_formula(partial(circle, cursor, _RADIUS), n, note, closed=True)
        case "walk":
            return _by_formula(
                partial(smooth_walk, request.seed), n, f"Walk {request.seed + 1}", closed=True
            )
        case "grid":
            return _grid(math.isqrt(n))
        case "classes":
            return _between_all(_class_means(request.points), n)
    if len(request.waypoints) < 2:
        raise DataError("Pin two images or more; Ctrl-click on the map adds one.")
    if request.kind == "geodesic" and request.moving:
        raise DataError("A geodesic is measured once the map is at rest.")
    waypoints = np.array([waypoint.z for waypoint in request.waypoints], np.float64)
    note = _itinerary([waypoint.title for waypoint in request.waypoints], closed)
    if request.kind == "geodesic":
        if not request.graph:
            control.report(partial(progress, "Geodesics: measuring the plane"))
            request.graph.append(geodesic_graph(mean_images(model), check=control.check))
        found, line = geodesic_through(request.graph[0], waypoints, n, closed, control.check)
        lengths = found.length, found.straight_length
        return _Route(found.path, line, waypoints, note, closed, *lengths)
    path = straight if request.kind == "straight" else spherical
    route = _by_formula(lambda m: path(waypoints, m, closed), n, note, closed)
    return dataclasses.replace(route, waypoints=waypoints)


def _by_formula(path: Callable[[int], Float64], n: int, note: str, closed: bool = False) -> _Route:
    """A path that is known by formula; its waypoints are its ends."""
    line = path(_FINE)
    if closed:
        return _Route(path(n), np.concatenate([line, line[:1]]), line[:1], note, closed)
    return _Route(path(n), line, line[[0, -1]], note)


def _grid(side: int) -> _Route:
    """Every other row is read backwards, so that each step leads to a neighbour."""
    side = max(2, side)
    axis = linear_axis(side, _REACH)
    first, second = np.meshgrid(axis, axis[::-1])
    first[1::2] = first[1::2, ::-1]
    positions = np.stack([first.ravel(), second.ravel()], axis=1)
    return _Route(positions, positions, positions[[0, -1]], f"{side} × {side} positions within ±3")


def _class_means(points: MapPoints | None) -> Float32:
    """Of the points with finite positions, (k, 2)."""
    if points is None:
        return np.empty((0, 2), np.float32)
    finite = np.isfinite(points.positions).all(1)
    means = class_means(points.positions[finite], points.labels[finite])
    return np.array(list(means.values()), np.float32).reshape(-1, 2)


def _between_all(means: Float32, n: int) -> _Route:
    """Straight from mean to mean, n frames a leg with both its ends, until every two were joined.

    By the zigzags 0 1 −1 2 −2 … and their turns, into which a complete graph of even order
    falls (Walecki, in Lucas, Récréations mathématiques, 1883). Of an odd one a mean is made up and
    passed over.
    """
    count = len(means)
    if count < 2:
        raise DataError("Show two classes or more on the map.")
    even = count + count % 2
    zigzag = np.array([(k + 1) // 2 * (1 if k % 2 else -1) for k in range(even)])
    order = (np.arange(even // 2)[:, None] + zigzag).ravel() % even
    line = means[order[order < count]].astype(np.float64)
    legs = np.arange(len(line), dtype=np.float64)
    positions = resampled(line, (len(line) - 1) * (n - 1) + 1, legs)
    return _Route(positions, line, means.astype(np.float64), f"{count} class means, every pair")


def _percentiles(support: DataSupport | None, positions: Float32, check: Check) -> Float32 | None:
    if support is None:
        return None
    found = np.empty(len(positions), np.float32)
    for index, z in enumerate(positions):
        check()
        found[index] = support.percentile(z)
    return found


def _log_likelihoods(
    model: TrainedVAE, point: DataPoint | None, positions: Float32, check: Check
) -> Float32 | None:
    if point is None or not model.likelihood:
        return None
    x = own_draws(model, point.original[None], np.array([point.seed]))
    values = np.empty(len(positions), np.float32)
    for start in range(0, len(positions), _SCORED):
        check()
        part = slice(start, start + _SCORED)
        values[part] = pixel_log_likelihoods(model, x, positions[part]).sum((1, 2))
    return values


def _itinerary(titles: list[str], closed: bool) -> str:
    first, *between, last = titles
    middle = " → … → " if between else " → "
    back = f" → {first}" if closed else ""
    return f"{first}{middle}{last}{back} · {len(titles)} waypoints"
