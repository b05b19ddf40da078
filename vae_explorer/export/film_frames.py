"""What the frames of films show, as arrays, one frame at a time."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from vae_explorer.data.arrays import spread
from vae_explorer.errors import CheckpointError, ExportError
from vae_explorer.export.film_requests import Film, Walk
from vae_explorer.export.source import Progress, Source
from vae_explorer.latent.geodesic import geodesic_graph, geodesic_through, mean_images
from vae_explorer.latent.manifold import middles
from vae_explorer.latent.paths import spherical, straight
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.training.history import HistoryPoint
from vae_explorer.training.moments import Moments
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.types import Float32, Float64, Labels, Region

_REACH = 3.0  # latent units; a plane that is shown reaches this far or further
_MOST_REACH = 30.0
_OUTLIERS = 0.5  # per cent of the codes that may lie off the plane
_AIR = 1.06
_LINE = 512  # positions of a path that is drawn


@dataclass(frozen=True, eq=False)
class Sheet:
    """Decoded latent points: ``images`` (m, h, w[, 3]) in ``cells`` (m, 4), a region each."""

    cells: Float64
    images: Float32


@dataclass(frozen=True, eq=False)
class RunFrame:
    """A snapshot of a run: where the images are, and what is decoded."""

    epoch: float
    positions: Float32
    sheet: Sheet


@dataclass(frozen=True, eq=False)
class RunFilm:
    """A run from its first snapshot to its last; ``region`` is the plane in all frames."""

    recipe: Recipe
    region: Region
    labels: Labels
    classes: tuple[str, ...]
    history: tuple[HistoryPoint, ...]
    epochs: float
    frames: Iterator[RunFrame]


def run_film(request: Film, source: Source, progress: Progress) -> RunFilm:
    """The film of the run that a model is of; its snapshots are read as the frames are taken.

    Raises:
        ExportError: the model is of no run, or of one without snapshots on the way.
        CheckpointError: the history cannot be read, or later a snapshot.
    """
    run = RunFolder.of(source.path) if source.path else None
    if run is None:
        raise ExportError(
            f"{source.path or 'A model in memory'} is not the model of a run folder, whose "
            "snapshots the film is made of; name the folder of a run."
        )
    last, moments = source.snapshot, run.moments()
    steps = [step for step in moments.steps if step < last.step]
    if not steps:
        raise ExportError(f"The run in {run.path} has no snapshots, of which to make a film.")
    if request.snapshots:
        steps = [steps[at] for at in spread(len(steps), request.snapshots - 1)]
    data = source.data.test
    some = spread(len(data), request.points)
    images = data.images[some]
    labels = data.labels[some] if data.labels is not None else np.zeros(len(some), np.uint8)
    end = source.model.encode(images).mean
    known = end[np.isfinite(end).all(1)]
    reach = float(np.percentile(np.abs(known), 100 - _OUTLIERS)) if known.size else _REACH
    region = _square(reach)

    def frames() -> Iterator[RunFrame]:
        for number, snapshot in enumerate(_snapshots(run, moments, steps, last), 1):
            model = snapshot.model
            if source.rotation is not None:
                model = model.turned(source.rotation)
            positions = model.encode(images).mean
            yield RunFrame(snapshot.epoch, positions, _sheet(model, region, request.sheet))
            progress(min(number / (len(steps) + 1), 1.0))

    history = last.history or run.history()
    return RunFilm(last.recipe, region, labels, data.classes, tuple(history), last.epoch, frames())


def _snapshots(
    run: RunFolder, moments: Moments, steps: list[int], last: Snapshot
) -> Iterator[Snapshot]:
    """Those at ``steps``, but for the ones that a run that goes on has dropped, and the last."""
    for step in steps:
        try:
            yield moments.read(step)
        except CheckpointError:
            if moments.path(step).exists():
                raise
            if not moments.folder.is_dir():
                raise ExportError(
                    f"The snapshots of the run in {run.path} have gone while the film was made; "
                    "bring the folder back, or film another run."
                ) from None
    yield last


@dataclass(frozen=True, eq=False)
class Way:
    """One way to go: its ``line`` (m, 2), and a position and a picture a frame.

    ``length`` is how far the picture moves, in the unit of a pixel's full range.
    """

    name: str
    line: Float64
    positions: Float64
    length: float


@dataclass(frozen=True, eq=False)
class WalkFilm:
    """A walk over the plane; each frame has the picture on each of the ``ways``."""

    region: Region
    sheet: Sheet
    waypoints: Float64
    ways: tuple[Way, ...]
    frames: Iterator[tuple[Float32, ...]]
    axes: tuple[str, str]


def walk_film(request: Walk, source: Source, progress: Progress) -> WalkFilm:
    """A walk through latent points: straight, about the origin, or by geodesics and straight.

    Raises:
        ExportError: there are fewer than two points.
    """
    model, n, closed = source.model, request.frames, request.closed
    stops = np.array(request.places, np.float64)
    f = mean_images(model)

    def check() -> None:
        progress(0.0)

    def way(name: str, positions: Float64, line: Float64) -> Way:
        line = np.concatenate([line, line[:1]]) if closed else line
        steps = np.diff(f(line).astype(np.float64), axis=0)
        return Way(name, line, positions, float(np.linalg.norm(steps, axis=1).sum()))

    if request.metric == "spherical":
        around = spherical(stops, n, closed), spherical(stops, _LINE, closed)
        ways = [way("about the origin", *around)]
    else:
        ways = [way("straight", straight(stops, n, closed), straight(stops, _LINE, closed))]
    if request.metric == "geodesic":
        graph = geodesic_graph(f, check=check)
        found, line = geodesic_through(graph, stops, n, closed, check)
        ways.append(Way("geodesic", line, found.path, found.length))
    region = _square(max(float(np.abs(one.line).max()) for one in ways))

    def frames() -> Iterator[tuple[Float32, ...]]:
        for number in range(n):
            yield tuple(model.decode(one.positions[[number]])[0] for one in ways)
            progress((number + 1) / n)

    sheet = _sheet(model, region, request.sheet)
    return WalkFilm(region, sheet, stops, tuple(ways), frames(), model.axes)


def _square(reach: float) -> Region:
    side = min(max(_AIR * reach, _REACH), _MOST_REACH)
    return -side, side, -side, side


def _sheet(model: TrainedVAE, region: Region, n: int) -> Sheet:
    """n × n equal cells of the region, each decoded at its middle."""
    if not n:
        return Sheet(np.empty((0, 4)), np.empty((0, *model.image_shape), np.float32))
    at = middles(region, (n, n))
    half = (region[1] - region[0]) / n / 2
    x, y = at.astype(np.float64).T
    return Sheet(np.stack([x - half, x + half, y - half, y + half], axis=1), model.decode(at))
