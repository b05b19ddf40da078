"""Two maps side by side: two models, two moments of one, or two sets of images."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from vae_explorer import paths
from vae_explorer.data import bundled
from vae_explorer.latent.aggregate import aggregate
from vae_explorer.latent.alignment import describe, procrustes
from vae_explorer.latent.figures import image_figures, own_draws
from vae_explorer.latent.quadrature import exact_posterior
from vae_explorer.model.trained import Float64, TrainedVAE
from vae_explorer.session.jobs import Control, Jobs
from vae_explorer.session.latent_map import LatentMap
from vae_explorer.session.place_index import PlaceIndex
from vae_explorer.session.selection import Bools, Mode, inside
from vae_explorer.session.state import (
    LATENT_LIMIT,
    Float32,
    MapPoints,
    Thumbnail,
    UInt8,
    draw_seeds,
    index_in,
)
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.run import RunFolder
from vae_explorer.training.snapshot import Snapshot

Side = Literal["A", "B"]
SIDES: tuple[Side, Side] = ("A", "B")

_IMAGES = 500  # that both models are aligned and scored on
_CHUNK = 100  # images between two reports of progress


@dataclass(frozen=True)
class SideInfo:
    """What a side shows.

    ``path`` is None if the model was not opened for the comparison but given to it. ``split`` is
    "train", "test" or "both", ``orientation`` how the plane was turned to fit the other's, if it
    was.
    """

    name: str
    path: Path | None
    split: str
    epoch: float
    objective: str
    orientation: str


@dataclass(frozen=True)
class Preview:
    """What a side decodes at ``z``, (h, w) float32, there being image ``title``, or nothing, ""."""

    z: tuple[float, float]
    image: Float32
    title: str


@dataclass(frozen=True)
class TableRow:
    """A figure of both sides: a number, shown with ``digits`` decimals, a text, or not known."""

    name: str
    unit: str
    a: float | str | None
    b: float | str | None
    digits: int = 2


@dataclass(frozen=True)
class ComparisonTable:
    """The names of both sides, "" where there is no model, their figures, and what they are of."""

    names: tuple[str, str]
    rows: tuple[TableRow, ...]
    note: str


@dataclass(frozen=True)
class _Scores:
    """Means over the common images, nats per image, and the number of dimensions in use."""

    elbo: float
    log_marginal: float
    kl: float
    active_units: int


@dataclass(frozen=True, eq=False)
class _Model:
    """A model of one side; ``codes`` (n, 2) are where it puts the common images, as trained."""

    snapshot: Snapshot
    name: str
    path: Path | None
    codes: Float32


class Comparison:
    """Two models and where each puts its images. All methods belong to the main thread.

    The plane of side B is turned or mirrored so that the common images, 500 test images spread
    evenly, lie as nearly as they can where they lie on side A.

    Args:
        jobs: where models are read, images encoded and figures computed.
        fail: told what went wrong, with a title.
    """

    side_changed = Signal(str, object)
    """A side and its ``SideInfo``; None as long as it has no model."""
    points_changed = Signal(str, MapPoints)
    index_changed = Signal(str, PlaceIndex)
    linked = Signal(str, int)
    """A side and the row there of the image hovered on the other side, or −1."""
    decoded = Signal(str, object)
    """A side and its ``Preview``, or None when nothing is hovered."""
    selection_changed = Signal(str, object, str)
    """A side, which of its points (n,) are selected, or None, and how many of how many."""
    figures_changed = Signal(ComparisonTable)
    progress = Signal(str)
    """What is being computed and how far it is, or "" when nothing is."""

    def __init__(self, jobs: Jobs, fail: Callable[[str, BaseException], None]) -> None:
        self._jobs = jobs
        self._fail = fail
        self._models: dict[Side, _Model] = {}
        self._shown: dict[Side, TrainedVAE] = {}  # as the points on the map are turned
        self._rotation: Float64 | None = None  # of side B
        self._splits: dict[Side, str] = {"A": "test", "B": "test"}
        self._scores: dict[Side, _Scores] = {}
        self._hovered: dict[Side, int] = {"A": -1, "B": -1}  # the rows of one image
        self._selected = np.empty(0, np.int64)  # images, counted as in "both" splits
        self._maps = {
            side: LatentMap(jobs, fail, self.progress.emit, f"compare {side} ") for side in SIDES
        }
        for side, latent_map in self._maps.items():
            latent_map.turned.connect(partial(self._on_turned, side))
            latent_map.points_changed.connect(partial(self._on_points, side))
            latent_map.index_changed.connect(partial(self.index_changed.emit, side))

    # What is compared

    def open(self, side: Side, path: Path) -> None:
        """Show the model of a checkpoint."""
        self._load(side, lambda: read_checkpoint(path), model_name(path), path)

    def take(self, side: Side, snapshot: Snapshot, name: str) -> None:
        """Show a model that is at hand, such as the one on the window's map."""
        self._load(side, lambda: snapshot, name, None)

    def set_split(self, side: Side, split: str) -> None:
        """Show the "train" or the "test" images, or "both"."""
        if split != self._splits[side]:
            self._splits[side] = split
            if side in self._models:
                self._place(side)

    def close(self) -> None:
        """End all jobs; nothing is told any more."""
        for side in SIDES:
            for work in ("open", "map", "index", "figures"):
                self._jobs.cancel(f"compare {side} {work}")

    def _load(self, side: Side, read: Callable[[], Snapshot], name: str, path: Path | None) -> None:
        def work(control: Control) -> _Model:
            snapshot = read()
            images, _ = _common_images()
            return _Model(snapshot, name, path, snapshot.model.encode(images, control.check).mean)

        def give_up(error: BaseException) -> None:
            self._tell(side)  # what it shows is still the model before
            self._fail("The model was not opened", error)

        self._jobs.run_newest(
            f"compare {side} open", work, done=partial(self._show, side), failed=give_up
        )

    def _show(self, side: Side, model: _Model) -> None:
        self._models[side] = model
        self._scores.pop(side, None)
        self._align()
        for moved in SIDES if side == "A" else ("B",):
            if moved in self._models:
                self._place(moved)
        self.figures_changed.emit(self.figures())
        self._jobs.run_newest(
            f"compare {side} figures",
            partial(self._score, side, model.snapshot.model),
            done=partial(self._on_scores, side),
            failed=self._give_up_scores,
            lane="figures",
        )

    def _align(self) -> None:
        a, b = (self._models.get(side) for side in SIDES)
        self._rotation = procrustes(b.codes, a.codes) if a and b else None

    def _place(self, side: Side) -> None:
        """Put a side's images on its map."""
        self._tell(side)
        model = self._models[side].snapshot.model
        if side == "B" and self._rotation is not None:
            model = model.turned(self._rotation)
        self._maps[side].encode(model, self._splits[side], "mean", align=False)

    def _tell(self, side: Side) -> None:
        model, info = self._models.get(side), None
        if model is not None:
            rotation = self._rotation if side == "B" else None
            info = SideInfo(
                model.name,
                model.path,
                self._splits[side],
                model.snapshot.epoch,
                model.snapshot.recipe.objective,
                "" if rotation is None else f"aligned: {describe(rotation)}",
            )
        self.side_changed.emit(side, info)

    def _on_turned(self, side: Side, model: TrainedVAE) -> None:
        self._shown[side] = model

    def _on_points(self, side: Side, points: MapPoints) -> None:
        self.points_changed.emit(side, points)
        self._hovered = {"A": -1, "B": -1}
        for each in SIDES:
            self.linked.emit(each, -1)
        self._tell_selection(side)

    # What is looked at

    def hover(self, side: Side, row: int) -> None:
        """Find the image behind a row of a side's points on the other side too; −1 is none."""
        other = other_side(side)
        points = self._maps[side].points
        there = -1
        if row >= 0 and points is not None:
            there = self._maps[other].row(*points.origin(row))
        self._hovered = {side: row, other: there}
        self.linked.emit(other, there)

    def preview(self, side: Side, place: tuple[float, float] | None) -> None:
        """Decode on both sides: the image hovered, where each puts it, if both have it.

        Else the place under the pointer, the same on both, within ±``LATENT_LIMIT``; None is none.
        """
        rows, title = self._hovered, ""
        both = min(rows.values()) >= 0
        if both:
            points = self._maps[side].points
            assert points is not None
            split, index = points.origin(rows[side])
            title = f"{split} {index:,}"
        for each, model in self._shown.items():
            if place is None:
                self.decoded.emit(each, None)
                continue
            points = self._maps[each].points
            assert points is not None
            z = (
                points.positions[rows[each]]
                if both
                else np.clip(place, -LATENT_LIMIT, LATENT_LIMIT)
            )
            z1, z2 = z.tolist()
            self.decoded.emit(each, Preview((z1, z2), model.decode(z[None])[0], title))

    def thumbnail(self, side: Side, row: int) -> Thumbnail:
        """The image behind a row of a side's points."""
        return self._maps[side].thumbnail(row)

    # What is selected

    @property
    def selected(self) -> NDArray[np.int64]:
        """The selected images (k,), rising, counted as in "both" splits."""
        return self._selected

    def select(self, side: Side, rows: NDArray[np.integer], mode: Mode = "replace") -> None:
        """Select the images behind rows (k,) of a side's points, wherever they are shown."""
        points = self._maps[side].points
        if points is None:
            return
        images = _images(points)[rows]
        if mode == "replace":
            self._selected = np.unique(images)
        elif mode == "add":
            self._selected = np.union1d(self._selected, images)
        else:
            self._selected = np.setdiff1d(self._selected, images)
        for each in SIDES:
            self._tell_selection(each)

    def select_inside(
        self, side: Side, polygon: NDArray[np.float64], mode: Mode, visible: Bools
    ) -> None:
        """Select the points of a side in a polygon (k, 2), of those ``visible`` (n,)."""
        points = self._maps[side].points
        if points is not None:
            self.select(side, np.flatnonzero(inside(polygon, points.positions) & visible), mode)

    def select_class(self, side: Side, label: int, mode: Mode) -> None:
        """Select the points of a side that are of one class."""
        points = self._maps[side].points
        if points is not None:
            self.select(side, np.flatnonzero(points.labels == label), mode)

    def clear_selection(self) -> None:
        """Select nothing."""
        self._selected = np.empty(0, np.int64)
        for side in SIDES:
            self._tell_selection(side)

    def _tell_selection(self, side: Side) -> None:
        points = self._maps[side].points
        if points is None:
            return
        mask, summary = None, ""
        if len(self._selected):
            mask = np.isin(_images(points), self._selected)
            summary = f"{np.count_nonzero(mask):,} of {points.total:,}"
        self.selection_changed.emit(side, mask, summary)

    # The figures

    def figures(self) -> ComparisonTable:
        """What is known by now of both models."""
        a, b = (self._column(side) for side in SIDES)
        rows = [
            TableRow(name, unit, one, other, digits)
            for (name, unit, digits), one, other in zip(_ROWS, a, b, strict=True)
        ]
        rows.append(TableRow("Distance of images from A", "latent units, RMS", "", self._apart()))
        names = [self._models[side].name if side in self._models else "" for side in SIDES]
        treatments = {model.snapshot.recipe.treatment for model in self._models.values()}
        note = f"ELBO and below: of the same {_IMAGES} test images."
        if len(treatments) > 1:
            note += " The likelihoods are of different data treatments and do not compare."
        return ComparisonTable((names[0], names[1]), tuple(rows), note)

    def _column(self, side: Side) -> list[float | str | None]:
        own: list[float | str | None] = [None] * 5
        scored = own.copy()
        if side in self._models:
            snapshot = self._models[side].snapshot
            recipe, parameters = snapshot.recipe, f"{snapshot.model.parameters:,}"
            held_out = snapshot.held_out_elbo
            own = [snapshot.epoch, recipe.objective, recipe.treatment, parameters, held_out]
        if side in self._scores:
            scores = self._scores[side]
            gap = scores.log_marginal - scores.elbo
            scored = [scores.elbo, scores.log_marginal, gap, scores.kl, scores.active_units]
        return own + scored

    def _apart(self) -> float | None:
        """The root mean square of |R bᵢ − aᵢ| over the common images, latent units."""
        if self._rotation is None:
            return None
        a, b = (self._models[side].codes.astype(np.float64) for side in SIDES)
        return math.sqrt(np.square(b @ self._rotation.T - a).sum(1).mean())

    def _score(self, side: Side, model: TrainedVAE, control: Control) -> _Scores:
        """Runs on the worker's thread."""

        def tell(done: int) -> None:
            text = f"Figures of {side}: {done:,} of {len(x):,} images"
            control.report(partial(self.progress.emit, text))

        images, seeds = _common_images()
        x = own_draws(model, images, seeds)
        tell(0)
        figures = image_figures(model, images, seeds, control.check)
        log_marginal = []
        for start in range(0, len(x), _CHUNK):
            part = exact_posterior(model, x[start : start + _CHUNK], control.check)
            log_marginal.append(part.log_marginal)
            tell(min(start + _CHUNK, len(x)))
        return _Scores(
            elbo=float(figures.elbo.mean()),
            log_marginal=float(np.concatenate(log_marginal).mean()),
            kl=float(figures.kl.mean()),
            active_units=aggregate(model, x, check=control.check).active_units,
        )

    def _on_scores(self, side: Side, scores: _Scores) -> None:
        self._scores[side] = scores
        self.progress.emit("")
        self.figures_changed.emit(self.figures())

    def _give_up_scores(self, error: BaseException) -> None:
        self.progress.emit("")
        self._fail("The figures could not be computed", error)


_ROWS = (
    ("Epoch", "", 1),
    ("Objective", "", 0),
    ("Data treatment", "", 0),
    ("Parameters", "", 0),
    ("Held-out ELBO, in training", "nats", 2),
    ("ELBO", "nats", 2),
    ("log p(x), quadrature", "nats", 2),
    ("Gap: log p(x) − ELBO", "nats", 2),
    ("KL(q(z|x) ‖ p(z))", "nats", 2),
    ("Active units", "of 2", 0),
)
"""Names, units and decimals of the figures that each model has by itself."""


def bundled_models() -> tuple[Path, ...]:
    """The models that ship with the program."""
    return tuple(sorted(paths.checkpoints().glob("*.safetensors")))


def model_name(path: Path) -> str:
    """What a model is called: a run's by the run's name."""
    return RunFolder(path.parent).name if path.name == RunFolder.MODEL else path.stem


def other_side(side: Side) -> Side:
    """B for A and A for B."""
    return "B" if side == "A" else "A"


def _images(points: MapPoints) -> NDArray[np.int64]:
    """The images (n,) of points, counted as in "both" splits."""
    return points.indices + index_in("both", points.split, 0)


def _common_images() -> tuple[UInt8, NDArray[np.int64]]:
    """The images (n, h, w) that both models are aligned and scored on, with their seeds (n,)."""
    images = bundled.mnist("test").images
    rows = np.linspace(0, len(images) - 1, min(_IMAGES, len(images))).round().astype(np.int64)
    return images[rows], draw_seeds("test", rows)
