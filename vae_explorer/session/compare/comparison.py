"""Two maps side by side: two models, two moments of one, or two sets of images."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from vae_explorer import paths
from vae_explorer.data.dataset import Dataset, size_text
from vae_explorer.errors import CheckpointError
from vae_explorer.latent.alignment import describe, procrustes
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.session.compare.metrics import (
    Column,
    ComparisonTable,
    Scores,
    common_images,
    comparison_table,
    score,
)
from vae_explorer.session.compare.sides import SIDES, Preview, Side, SideInfo, other_side
from vae_explorer.session.explore.cursor import LATENT_LIMIT
from vae_explorer.session.jobs import Control
from vae_explorer.session.map.latent_map import LatentMap, MapChoice
from vae_explorer.session.map.point_index import PointIndex
from vae_explorer.session.map.selection import Selection, inside
from vae_explorer.session.map.state import MapPoints, MapState, Mode, Thumbnail
from vae_explorer.session.tasks import Tasks
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.run_folder import model_name
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.types import Bools, Float32, Float64, Split


class Comparison:
    """Two models and where each puts its images. All methods belong to the main thread.

    The plane of side B is turned or mirrored so that the common images, 500 test images spread
    evenly, lie as nearly as they can where they lie on side A.

    Args:
        tasks: where models are read, images encoded and figures computed.
        data: what both models are shown on.
        scored: whether the table is wanted too.
    """

    side_changed = Signal(str, object)
    """A side and its ``SideInfo``; None as long as it has no model."""
    points_changed = Signal(str, MapPoints)
    index_changed = Signal(str, PointIndex)
    linked = Signal(str, int)
    """A side and the row there of the image hovered on the other side, or −1."""
    decoded = Signal(str, object)
    """A side and its ``Preview``, or None when nothing is hovered."""
    selection_changed = Signal(str, object, str)
    """A side, which of its points (n,) are selected, or None, and how many of how many."""
    models_listed = Signal(tuple)
    """The models that are offered, each a path and a name."""
    figures_changed = Signal(ComparisonTable)
    progress = Signal(str)
    """What is being computed and how far it is, or "" when nothing is."""

    def __init__(self, tasks: Tasks, data: Dataset, *, scored: bool = True) -> None:
        self._scored = scored
        self._data = data
        self._listing = tasks.newest("compare models", "The models cannot be listed")
        self._opening = {
            side: tasks.newest(f"compare {side} open", "The model was not opened") for side in SIDES
        }
        self._scoring = {
            side: tasks.newest(
                f"compare {side} scores", "The scores could not be computed", "figures"
            )
            for side in SIDES
        }
        self._columns: dict[Side, Column] = {}
        self._rotation: Float64 | None = None  # of side B
        self._hovered: dict[Side, int] = {"A": -1, "B": -1}  # the rows of one image
        self._pointer: tuple[float, float] | None = None  # the position of the last preview
        self.selection = Selection()  # of both splits
        self.selection.changed.connect(self._on_selection)
        self._maps = {
            side: LatentMap(
                tasks.prefixed(f"compare {side} "),
                self.progress.emit,
                data,
                MapChoice(split="test"),
            )
            for side in SIDES
        }
        for side, latent_map in self._maps.items():
            latent_map.changed.connect(partial(self._on_map, side))
            latent_map.index_changed.connect(partial(self.index_changed.emit, side))

    # What is compared

    def open(self, side: Side, path: Path) -> None:
        """Show the model of a checkpoint."""
        self._load(side, lambda: (read_checkpoint(path), model_name(path)), path)

    def take(self, side: Side, snapshot: Snapshot, name: str) -> None:
        """Show a model that is at hand, such as the one on the window's map."""
        self._load(side, lambda: (snapshot, name), None)

    def list_models(self, recent: tuple[str, ...]) -> None:
        """Find the names of the bundled models and of the ``recent`` ones, by their paths."""

        def named() -> tuple[tuple[Path, str], ...]:
            models = dict.fromkeys((*paths.bundled_models().values(), *map(Path, recent)))
            ours = (path for path in models if path.suffix.lower() != ".onnx")
            return tuple((path, model_name(path)) for path in ours)

        self._listing.run(lambda _: named(), self.models_listed.emit)

    def set_split(self, side: Side, split: Split) -> None:
        """Show other images."""
        self._maps[side].choose(MapChoice(split=split))
        if side in self._columns:
            self._tell(side)

    def close(self) -> None:
        """End all jobs; nothing is told any more."""
        self._listing.cancel()
        for side in SIDES:
            self._opening[side].cancel()
            self._scoring[side].cancel()
            self._maps[side].close()

    def _load(
        self, side: Side, read: Callable[[], tuple[Snapshot, str]], path: Path | None
    ) -> None:
        def work(control: Control) -> Column:
            snapshot, name = read()
            self._check_size(snapshot, name)
            codes = snapshot.model.encode(common_images(self._data)[0], control.check).mean
            return Column(name, snapshot, codes, path=path)

        self._opening[side].run(
            work,
            partial(self._show, side),
            failed=lambda _: self._tell(side),  # what it shows is still the model before
        )

    def _check_size(self, snapshot: Snapshot, name: str) -> None:
        own, shape = snapshot.model.image_shape, self._data.image_shape
        if own != shape:
            raise CheckpointError(
                f"{name} reads images of {size_text(own)}, and those of {self._data.name} are "
                f"{size_text(shape)}; choose a model of that size."
            )

    def _show(self, side: Side, column: Column) -> None:
        if not self.selection.total:
            self.selection.reset(self._data.sizes()["both"], "both")
        self._columns[side] = column
        a, b = (self._columns.get(each) for each in SIDES)
        self._rotation = procrustes(b.codes, a.codes) if a and b else None
        if a and side == "A":
            self._maps["A"].show(a.snapshot, a.name, a.path)
            self._tell("A")
        if b:
            model = b.snapshot.model
            turned = model if self._rotation is None else model.turned(self._rotation)
            self._maps["B"].show(replace(b.snapshot, model=turned), b.name, b.path)
            self._tell("B")
        self.figures_changed.emit(self.figures())
        if column.snapshot.model.no_marginal or not self._scored:
            return  # the figures stay unknown
        self._scoring[side].run(
            partial(self._score, side, column.snapshot.model),
            partial(self._on_scores, side),
            failed=lambda _: self.progress.emit(""),
        )

    def _tell(self, side: Side) -> None:
        column, info = self._columns.get(side), None
        if column is not None:
            rotation = self._rotation if side == "B" else None
            info = SideInfo(
                column.name,
                column.path,
                self._maps[side].choice.split,
                column.snapshot.epoch,
                column.snapshot.recipe.objective,
                "" if rotation is None else f"aligned: {describe(rotation)}",
            )
        self.side_changed.emit(side, info)

    def _on_map(self, side: Side, new: MapState, _old: MapState | None) -> None:
        if new.points is None:
            return
        self.points_changed.emit(side, new.points)
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
        if self._pointer is not None:
            self.preview(self._pointer)

    def preview(self, place: tuple[float, float] | None) -> None:
        """Decode on both sides: the image hovered, where each puts it, if both have it.

        Else the place under the pointer, the same on both, within ±``LATENT_LIMIT``; None is none.
        """
        self._pointer = place
        codes, title = self._hovered_codes()
        for each, latent_map in self._maps.items():
            if latent_map.state is None:
                continue
            model = latent_map.state.model
            if place is None:
                self.decoded.emit(each, None)
                continue
            z = codes[each] if codes else np.clip(place, -LATENT_LIMIT, LATENT_LIMIT)
            z1, z2 = z.tolist()
            self.decoded.emit(each, Preview((z1, z2), model.decode(z[None])[0], title))

    def _hovered_codes(self) -> tuple[dict[Side, Float32], str]:
        """Where each side puts the image hovered, and its name; empty if not both."""
        codes, title = {}, ""
        for each, row in self._hovered.items():
            points = self._maps[each].points
            if row < 0 or points is None or not np.isfinite(points.positions[row]).all():
                return {}, ""
            split, index = points.origin(row)
            codes[each], title = points.positions[row], f"{split} {index:,}"
        return codes, title

    def thumbnail(self, side: Side, row: int) -> Thumbnail:
        """The image behind a row of a side's points."""
        return self._maps[side].thumbnail(row)

    # What is selected

    def select(self, side: Side, rows: NDArray[np.integer], mode: Mode = "replace") -> None:
        """Select the images behind rows (k,) of a side's points, wherever they are shown."""
        points = self._maps[side].points
        if points is not None:
            self.selection.combine(points.seeds[rows], mode)

    def select_inside(self, side: Side, polygon: Float64, mode: Mode, visible: Bools) -> None:
        """Select the points of a side in a polygon (k, 2), of those ``visible`` (n,)."""
        points = self._maps[side].points
        if points is not None:
            self.select(side, np.flatnonzero(inside(polygon, points.positions) & visible), mode)

    def select_class(self, side: Side, label: int, mode: Mode) -> None:
        """Select the points of a side that are of one class."""
        points = self._maps[side].points
        if points is not None:
            self.select(side, np.flatnonzero(points.labels == label), mode)

    def _on_selection(self, _: object) -> None:
        for side in SIDES:
            self._tell_selection(side)

    def _tell_selection(self, side: Side) -> None:
        points = self._maps[side].points
        if points is None:
            return
        mask, summary = None, ""
        if len(self.selection):
            mask = self.selection.mask(points.seeds)
            summary = f"{np.count_nonzero(mask):,} of {points.total:,}"
        self.selection_changed.emit(side, mask, summary)

    # The figures

    def figures(self) -> ComparisonTable:
        """What is known by now of both models."""
        a, b = (self._columns.get(side) for side in SIDES)
        return comparison_table(a, b, self._rotation, self._data)

    def _score(self, side: Side, model: TrainedVAE, control: Control) -> Scores:
        """Runs on the worker's thread."""

        def tell(done: int, total: int) -> None:
            text = f"Figures of {side}: {done:,} of {total:,} images"
            control.report(partial(self.progress.emit, text))

        return score(model, self._data, tell, control.check)

    def _on_scores(self, side: Side, scores: Scores) -> None:
        self._columns[side] = replace(self._columns[side], scores=scores)
        self.progress.emit("")
        self.figures_changed.emit(self.figures())
