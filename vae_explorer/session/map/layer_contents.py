"""What each layer draws of a scene: one function a layer, from arrays to marks."""

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import cast

import numpy as np

from vae_explorer.errors import DataError
from vae_explorer.latent import density, metric
from vae_explorer.latent.contours import level_lines, mass_levels
from vae_explorer.latent.figures import own_draws
from vae_explorer.latent.landscape import likelihood_landscape
from vae_explorer.latent.manifold import cell_places, cells, middles
from vae_explorer.latent.posterior import posterior_grid
from vae_explorer.model.trained import Check, Posterior, TrainedVAE
from vae_explorer.number_format import figure
from vae_explorer.session.explore.cursor import LATENT_LIMIT
from vae_explorer.session.map.marks import (
    ClassField,
    Curve,
    Ellipses,
    Field,
    LayerContent,
    Mark,
    Sheet,
    Spots,
    Trails,
)
from vae_explorer.session.map.state import MapPoints
from vae_explorer.types import Float32, Float64, Region, UInt8

_SHARES = (0.5, 0.8, 0.95)
"""Of the mass, which the lines of a density hold."""
_CELLS = 560  # of a density, along each axis
_FIELD_PIXELS = 4  # across a cell of a field that follows the view
_DECODED = 4_096  # positions in one call of a small decoder
_METRIC_PIXELS = 12
_INDICATRIX_PIXELS = 56  # from one to the next
_SHEET_PIXELS = 22  # across the smallest picture
_MOST_TRAILS = 3_000
_MOST_POSTERIORS = 8  # besides the one that is looked at
_NEGLIGIBLE = 1e-6  # of the highest density
_MOST_PICTURES = 6_000  # kept for the next view
_FALL = 100.0  # nats below the best position, at which a landscape ends
_AROUND = 0.25  # of the view, drawn beyond each of its edges to pan into


@dataclass(frozen=True)
class View:
    """What of the plane is in sight: its ``region`` and how many ``pixels`` it is wide and high."""

    region: Region
    pixels: tuple[int, int]

    def widened(self) -> "View":
        """With what lies around it, at the same scale."""
        left, right, bottom, top = self.region
        across, up = _AROUND * (right - left), _AROUND * (top - bottom)
        width, height = (round(side * (1 + 2 * _AROUND)) for side in self.pixels)
        return View((left - across, right + across, bottom - up, top + up), (width, height))

    def shape(self, pixels: int) -> tuple[int, int]:
        """Rows and columns of cells about ``pixels`` wide."""
        width, height = self.pixels
        return max(2, height // pixels), max(2, width // pixels)


@dataclass(frozen=True, eq=False)
class EncodedImage:
    """An image to draw of: ``image`` (h, w) uint8, its q(z|x), and the ``seed`` of its draw."""

    title: str
    image: UInt8
    label: int
    mean: Float32
    covariance: Float32
    seed: int


@dataclass(frozen=True, eq=False)
class Scene:
    """What there is to draw.

    ``before`` are points under the snapshot before, ``start`` under the first of the run. The
    landscapes are of ``drawn``, which is not in the data, or else of ``current``, one of the
    ``pinned``.
    ``memory`` keeps what is costly to compute for as long as the model is on the map.
    """

    model: TrainedVAE
    points: MapPoints
    posterior: Posterior
    view: View
    before: MapPoints | None = None
    start: MapPoints | None = None
    hovered: EncodedImage | None = None
    pinned: tuple[EncodedImage, ...] = ()
    current: EncodedImage | None = None
    drawn: EncodedImage | None = None
    memory: dict[object, object] = field(default_factory=dict)


def ellipses(scene: Scene, _chosen: Mapping[str, str], _check: Check) -> LayerContent:
    """q(z|x) of the hovered and pinned images."""
    others = (scene.drawn, scene.hovered)
    subjects = [*scene.pinned, *(subject for subject in others if subject)]
    if not subjects:
        return LayerContent(note="Hover over a point or pin one.")
    mark = Ellipses(
        np.stack([subject.mean for subject in subjects]),
        np.stack([subject.covariance for subject in subjects]),
    )
    return LayerContent((mark,), f"1, 2 and 3 σ of {_counted(len(subjects), 'image')}")


def prior(_scene: Scene, _chosen: Mapping[str, str], _check: Check) -> LayerContent:
    """The circles of N(0, I)."""
    centre, covariance = np.zeros((1, 2), np.float32), np.eye(2, dtype=np.float32)[None]
    return LayerContent((Ellipses(centre, covariance, named=True),))


def flow(scene: Scene, chosen: Mapping[str, str], _check: Check) -> LayerContent:
    """Where the points came from."""
    now, then = scene.points, scene.start if chosen["since"] == "start" else scene.before
    if then is None or then.split != now.split:
        return LayerContent(note="Train, or open another model, to see points move.", offer="start")
    common, here, there = np.intersect1d(now.indices, then.indices, return_indices=True)
    some = slice(None, None, -(-len(common) // _MOST_TRAILS) or 1)
    here, there = here[some], there[some]
    trails = Trails(then.positions[there], now.positions[here], now.labels[here])
    moved = int((trails.start != trails.end).any(1).sum())
    if not moved:
        return LayerContent(note="No point has moved since then.")
    return LayerContent((trails,), f"{moved:,} of {len(now.labels):,} points")


def posterior(scene: Scene, _chosen: Mapping[str, str], check: Check) -> LayerContent:
    """The exact p(z|x) of the hovered and pinned images, with its modes."""
    subject = scene.hovered or scene.drawn or scene.current
    if subject is None:
        return LayerContent(note="Hover over a point or pin one.")
    others = [other for other in scene.pinned if other.seed != subject.seed]
    # Last, and so on top, the one whose key is shown; a scale of its own each would need a key too.
    subjects = [*others[-_MOST_POSTERIORS:], subject]
    found = [_exact(scene, one, check) for one in subjects]
    high = found[-1][0].high
    marks = [dataclasses.replace(heat, high=high) for heat, _ in found]
    modes = _counted(len(found[-1][1].positions), "mode")
    return LayerContent((*marks, *(spots for _, spots in found)), f"{subject.title} · {modes}")


def likelihood(scene: Scene, _chosen: Mapping[str, str], check: Check) -> LayerContent:
    """Log p(x|z) over the view."""
    subject = scene.drawn or scene.current
    if subject is None:
        return LayerContent(note="Pin an image, or draw one.")
    view = scene.view.widened()
    x = _draw(scene.model, subject)
    # The fewer positions a decoder takes at once, the longer each takes.
    coarser = math.sqrt(_DECODED / scene.model.vae.at_once(_DECODED))
    shape = view.shape(round(_FIELD_PIXELS * coarser))
    values = likelihood_landscape(scene.model, x, view.region, shape, check)
    best = float(values.max())
    heat = Field(view.region, values.astype(np.float32), best - _FALL, best, "nats", fading=True)
    return LayerContent((heat,), f"{subject.title} · best in view {figure(best, 1)} nats")


def density_of(scene: Scene, chosen: Mapping[str, str], check: Check) -> LayerContent:
    """Of the aggregate posterior or of the points."""
    axis, region = _plane(scene)
    if chosen["of"] == "posterior":
        values = _aggregate(scene, axis, check).sum(0)
        note = f"q(z), the mean of q(z|x) over {len(scene.points.labels):,} images"
    else:
        values = density.points_density(scene.points.positions, axis)
        note = f"Of {len(scene.points.labels):,} points, smoothed"
    marks: list[Mark] = []
    if chosen["show"] != "lines":
        high = float(np.quantile(values[values > 0], 0.999)) if values.any() else 1.0
        shade = values.astype(np.float32)
        marks.append(Field(region, shade, 0.0, high, "per squared latent unit", fading=True))
    if chosen["show"] != "shade":
        levels = mass_levels(values, _SHARES)
        marks += [
            Curve(level_lines(values, region, level), f"{100 * share:.0f} %", 1.5 - share)
            for share, level in zip(_SHARES, levels.tolist(), strict=True)
        ]
    return LayerContent(tuple(marks), note)


def classes(scene: Scene, chosen: Mapping[str, str], check: Check) -> LayerContent:
    """The argmax or the entropy of p(y|z)."""
    axis, region = _plane(scene)
    label, entropy = density.class_posterior(_aggregate(scene, axis, check))
    note = "p(y|z) from q(z) of each class; blank where no code reaches"
    if chosen["show"] == "entropy":
        high = float(np.log(10))
        return LayerContent((Field(region, entropy, 0.0, high, "nats"),), note)
    strength = np.nan_to_num(1.0 - entropy / np.log(10)).astype(np.float32)
    return LayerContent((ClassField(region, label, strength.clip(0, 1)),), note)


def metric_of(scene: Scene, chosen: Mapping[str, str], check: Check) -> LayerContent:
    """The magnification and the indicatrices of the pull-back metric."""
    view, kind = scene.view.widened(), chosen["metric"]
    marks: list[Mark] = []
    shape = view.shape(_INDICATRIX_PIXELS)
    places = middles(view.region, shape)
    tensors = metric.pullback_metric(scene.model, places, kind, check)
    spacing = (view.region[1] - view.region[0]) / shape[1]
    if chosen["show"] != "ellipses":
        fine = view.shape(_METRIC_PIXELS)
        fine_tensors = metric.pullback_metric(scene.model, middles(view.region, fine), kind, check)
        values = np.log10(metric.magnification(fine_tensors).clip(1e-6)).reshape(fine)
        low, high = (float(end) for end in np.percentile(values, [1, 99]))
        shade = values.astype(np.float32)
        marks.append(Field(view.region, shade, low, max(high, low + 1e-3), "log₁₀ √det G"))
    # As long a step as makes the middle ellipse fill its position.
    widest = np.sqrt(np.linalg.eigvalsh(tensors)[:, 0].clip(1e-12))
    length = float(0.4 * spacing * np.median(widest))
    if chosen["show"] != "shade":
        covariances = metric.indicatrices(tensors, length, 0.5 * spacing)
        marks.append(Ellipses(places, covariances.astype(np.float32), (1.0,)))
    what = "nats¹ᐟ²" if kind == "fisher" else "in pixels"
    return LayerContent(
        tuple(marks), f"Each ellipse: steps that change the picture by {length:.2g} {what}"
    )


def manifold(scene: Scene, chosen: Mapping[str, str], check: Check) -> LayerContent:
    """Decoded pictures, as many as the view has room for."""
    view, quantiles = scene.view, chosen["places"] == "quantiles"
    left, right, _, _ = view.region
    size = _SHEET_PIXELS * (right - left) / view.pixels[0]
    boxes = cells(view.widened().region, size, LATENT_LIMIT, quantiles)
    places = cell_places(boxes, quantiles)
    if quantiles:
        # Around its point, as far as its nearest edge, since the point is not the cell's middle.
        reach = np.abs(boxes.reshape(-1, 2, 2) - places[:, :, None]).min((1, 2))
        x, y = places.T
        boxes = np.stack([x - reach, x + reach, y - reach, y + reach], axis=1)
    images = _decoded(scene, places.astype(np.float32), check)
    return LayerContent((Sheet(boxes, images),), f"{len(boxes):,} places decoded")


Draw = Callable[[Scene, Mapping[str, str], Check], LayerContent]


def content_by(draw: Draw, scene: Scene, chosen: Mapping[str, str], check: Check) -> LayerContent:
    """What a layer shows; why it shows nothing of a model that does not know what it asks."""
    try:
        return draw(scene, chosen, check)
    except DataError as error:
        if scene.model.no_marginal:
            return LayerContent(note=str(error))
        raise


LAYER_CONTENTS: dict[str, tuple[Draw, frozenset[str]]] = {
    "ellipses": (ellipses, frozenset({"points", "hovered", "pinned"})),
    "prior": (prior, frozenset()),
    "flow": (flow, frozenset({"points"})),
    "posterior": (posterior, frozenset({"model", "hovered", "pinned"})),
    "likelihood": (likelihood, frozenset({"model", "pinned", "view"})),
    "density": (density_of, frozenset({"points"})),
    "classes": (classes, frozenset({"points"})),
    "metric": (metric_of, frozenset({"model", "view"})),
    "manifold": (manifold, frozenset({"model", "view"})),
}
"""How a layer is drawn, and the parts of a scene that it is drawn again for."""


def _counted(n: int, what: str) -> str:
    return f"{n:,} {what}" + ("s" if n != 1 else "")


def _draw(model: TrainedVAE, subject: EncodedImage) -> Float32:
    return own_draws(model, subject.image[None], np.array([subject.seed]))


def _plane(scene: Scene) -> tuple[Float64, Region]:
    """The middles (m,) of cells along either axis, as far as the codes reach, and their square."""
    reach = np.abs(scene.posterior.mean[np.isfinite(scene.posterior.mean).all(1)])
    extent = max(LATENT_LIMIT, float(reach.max(initial=0.0)) + 0.5)
    edges = np.linspace(-extent, extent, _CELLS + 1)
    return (edges[:-1] + edges[1:]) / 2, (-extent, extent, -extent, extent)


def _exact(scene: Scene, subject: EncodedImage, check: Check) -> tuple[Field, Spots]:
    """The density of p(z|x) where it is not negligible, and its modes, the highest first."""
    # Of a drawing, which changes, not the seed alone.
    key = "posterior", subject.seed, subject.image.tobytes()
    if key not in scene.memory:
        found = posterior_grid(scene.model, _draw(scene.model, subject), check)
        step = float(found.axis[1] - found.axis[0])
        # The density comes with z₁ along its first axis; a field has it along its second.
        values = found.density.T.astype(np.float32)
        some = values > _NEGLIGIBLE * values.max()
        rows, columns = (np.flatnonzero(some.any(axis)) for axis in (1, 0))
        left, right, bottom, top = (
            float(found.axis[line] + side * step / 2)
            for lines in (columns, rows)
            for line, side in ((lines[0], -1), (lines[-1], 1))
        )
        box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        scene.memory[key] = (
            Field(
                (left, right, bottom, top),
                values[box].copy(),
                0.0,
                float(values.max()),
                "per squared latent unit",
                fading=True,
            ),
            Spots(found.modes.astype(np.float32), "modes; the highest is larger"),
        )
    return cast(tuple[Field, Spots], scene.memory[key])


def _aggregate(scene: Scene, axis: Float64, check: Check) -> Float64:
    """The density of each class, (classes, m, m), kept with the q(z|x) that it is of."""
    posterior, labels = scene.posterior, scene.points.labels
    known = cast(tuple[Posterior, Float64] | None, scene.memory.get("aggregate"))
    if known is None or known[0] is not posterior:
        mean, covariance = posterior.mean, posterior.covariance
        known = posterior, density.aggregate_density(mean, covariance, labels, axis, check)
        scene.memory["aggregate"] = known
    return known[1]


def _decoded(scene: Scene, places: Float32, check: Check) -> Float32:
    """The pictures (n, h, w) at ``places`` (n, 2), most of them known from the view before."""
    known = cast(dict[tuple[float, ...], Float32], scene.memory.setdefault("pictures", {}))
    keys = [tuple(place) for place in places.tolist()]
    new = [row for row, key in enumerate(keys) if key not in known]
    check()
    if new:
        for row, image in zip(new, scene.model.decode(places[new]), strict=True):
            known[keys[row]] = image
    pictures = np.array([known[key] for key in keys], np.float32)
    for key in list(known)[: max(0, len(known) - max(_MOST_PICTURES, 2 * len(keys)))]:
        del known[key]
    return pictures.reshape(-1, *scene.model.image_shape)
