"""The images on the map and where the model puts them."""

import math
from collections.abc import Callable
from dataclasses import astuple, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from psygnal import Signal

from vae_explorer.data.dataset import Dataset, labels_of
from vae_explorer.latent.alignment import describe, procrustes
from vae_explorer.latent.figures import own_draws
from vae_explorer.latent.normal import square_roots
from vae_explorer.latent.quadrature import exact_codes
from vae_explorer.model.trained import Check, Posterior, TrainedVAE, unchecked
from vae_explorer.session.jobs import Control
from vae_explorer.session.map.kept_codes import encoded
from vae_explorer.session.map.point_index import PointIndex
from vae_explorer.session.map.state import MapPoints, MapState, Thumbnail, class_name
from vae_explorer.session.tasks import Tasks
from vae_explorer.training.meaning import foreign
from vae_explorer.training.snapshot import Snapshot, reference
from vae_explorer.types import Float32, Float64, Int64, Labels, OneSplit, Split, UInt8

KINDS = {
    "mean": "encoder mean",
    "sample": "sample from q(z|x)",
    "exact": "exact posterior mean",
}
"""What a point of the map may be."""

_PROBES = 2_000  # images that tell how one plane is turned against another
_INTEGRATED = 2_000  # images between two looks at whether exact codes are still wanted


@dataclass(frozen=True)
class MapChoice:
    """Which images are on the map, and what a point is.

    ``kind`` is one of ``KINDS``. ``align`` rotates the plane of every other model so that the
    points lie as nearly as they can where they lay.
    """

    split: Split = "train"
    kind: str = "mean"
    align: bool = False


class LatentMap:
    """Which images are on the map, as points. All methods belong to the main thread.

    Args:
        tasks: where images are encoded; another map needs another prefix.
        progress: called with what is being computed, "" when nothing is.
        data: what models are shown on as long as nobody says otherwise.
        choice: what is on the map; changed by ``choose``.
    """

    changed = Signal(MapState, object)
    """The new state, and the ``MapState`` before it or None. ``state`` is the new one already."""
    index_changed = Signal(object)
    """The ``PointIndex`` of the newest positions."""

    def __init__(
        self,
        tasks: Tasks,
        progress: Callable[[str], None],
        data: Dataset,
        choice: MapChoice | None = None,
    ) -> None:
        failure = "The images could not be encoded"
        self._encoding = tasks.newest("map", failure)
        self._integration = tasks.newest("map", failure, "figures")
        self._indexing = tasks.newest("index", "Points may be slow to pick", "layers")
        self._progress = progress
        self._data = data  # of the newest
        self.choice = choice or MapChoice()
        self.state: MapState | None = None
        self._newest: MapState | None = None  # without points, which may still be encoded
        self._start: MapPoints | None = None

    # What is shown

    @property
    def points(self) -> MapPoints | None:
        """The points of ``state``, if there are any."""
        return self.state.points if self.state else None

    def show(
        self,
        snapshot: Snapshot,
        name: str,
        path: Path | None,
        rotation: Float64 | None = None,
        data: Dataset | None = None,
    ) -> None:
        """Show a model, which replaces the one on the map as soon as all images are encoded.

        Exact means come after the encoder's, minutes later. By ``rotation`` (2, 2) the plane is
        turned as it says, by none as the choice does. ``data`` has the images, by default as now.
        """
        self._data = data or self._data
        model = snapshot.model if rotation is None else snapshot.model.turned(rotation)
        self._newest = MapState(snapshot, name, path, model, self._data, rotation=rotation)
        if self.points is None:
            self.publish(self._newest)
        self._encode(self._newest)

    def move(
        self,
        snapshot: Snapshot,
        name: str,
        posterior: Posterior,
        indices: Int64,
        *,
        moving: bool,
        data: Dataset | None = None,
    ) -> None:
        """Show a model that another may follow at once, by some of the images.

        Args:
            snapshot: the model.
            name: what it is called.
            posterior: q(z|x) of those images by that model.
            indices: (m,) of the images in the split that is chosen.
            moving: a run goes on.
            data: has the images, by default as now.
        """
        self._encoding.cancel()
        self._data = data or self._data
        self._newest = MapState(snapshot, name, None, snapshot.model, self._data, moving=moving)
        old, model, rotation = self.state, snapshot.model, None
        if old is not None and old.points is not None and self.choice.align:
            assert old.posterior is not None
            if old.points.indices is indices:
                rotation = procrustes(posterior.mean, old.posterior.mean)
                model = model.turned(rotation)
            else:
                model, rotation = _aligned(old, model, unchecked)
            posterior = _rotated(posterior, rotation)
        split = self.choice.split
        state = replace(self._newest, model=model, rotation=rotation)
        labels = labels_of(self._data.of(split))[indices]
        points = _points(state, split, posterior.mean, indices, labels)
        self._start = self._start or points
        self.publish(replace(state, points=points, posterior=posterior))

    def decode_by(self, snapshot: Snapshot, model: TrainedVAE) -> None:
        """Show a model that encodes as the one on the map does; ``model`` is it, rotated alike."""
        assert self.state is not None
        if self._newest is not None and self._newest.snapshot is self.state.snapshot:
            self._newest = replace(self._newest, snapshot=snapshot, model=model)
        self.publish(replace(self.state, snapshot=snapshot, model=model))

    def choose(self, choice: MapChoice) -> None:
        """Show other images, or another kind of points; a model that moves is left as it is."""
        old, self.choice = self.choice, choice
        again = (choice.split, choice.kind) != (old.split, old.kind) or old.align > choice.align
        if self._newest is not None and old.align > choice.align:
            self._newest = replace(self._newest, model=self._newest.snapshot.model, rotation=None)
        if again and self._newest is not None and not self._newest.moving:
            self._encode(self._newest)

    def begin_run(self) -> None:
        """Take the next model for the first of a run."""
        self._start = None

    def close(self) -> None:
        """End what is computed; nothing is published any more."""
        self._encoding.cancel()
        self._indexing.cancel()

    def rename(self, snapshot: Snapshot, name: str, path: Path) -> None:
        """Call a model by the file it was saved to."""
        if self._newest is not None and self._newest.snapshot is snapshot:
            self._newest = replace(self._newest, name=name, path=path)
        if self.state is not None and self.state.snapshot is snapshot:
            self.publish(replace(self.state, name=name, path=path))

    def publish(self, new: MapState) -> None:
        """Put a state on the map. ``before`` and ``start`` are filled in."""
        old = self.state
        if old is not None:
            other = new.snapshot.model is not old.snapshot.model or new.data is not old.data
            before = old.points if other else old.before
            new = replace(new, before=before if new.data is old.data else None)
        self.state = new = replace(new, start=self._start)
        self.changed.emit(new, old)
        points = new.points
        if points is not None and (old is None or points is not old.points):
            self._indexing.run(lambda _: PointIndex(points.positions), self.index_changed.emit)

    def _encode(self, new: MapState) -> None:
        old, split, kind, align = self.state, *astuple(self.choice)

        def work(control: Control) -> MapState:
            number = new.data.sizes()[split]
            control.report(partial(self._progress, f"Encoding {number:,} images"))
            model, rotation = new.model, new.rotation
            if align and old is not None and rotation is None:
                model, rotation = _aligned(old, model, control.check)
            posterior, labels = encoded(model, new.data, split, control.check)
            positions = _samples(posterior) if kind == "sample" else posterior.mean
            text = KINDS["mean" if kind == "exact" else kind]
            found = replace(new, model=model, rotation=rotation)
            points = _points(found, split, positions, np.arange(len(positions)), labels, text)
            return replace(found, points=points, posterior=posterior)

        def done(found: MapState) -> None:
            assert self._newest is not None
            self._end()
            # Saved meanwhile, it has another name.
            self.publish(replace(found, name=self._newest.name, path=self._newest.path))
            if kind == "exact" and not found.model.no_marginal:
                self._integrate()

        self._encoding.run(work, done, failed=self._end, cancelled=self._end)

    def _end(self, _: object = None) -> None:
        self._progress("")

    def _integrate(self) -> None:
        """Put the exact means in the place of the encoder's."""
        state = self.state
        assert state is not None
        points = state.points
        assert points is not None

        def work(control: Control) -> MapPoints:
            images, seeds = points.images, points.seeds
            codes = np.empty_like(points.positions)
            for start in range(0, len(codes), _INTEGRATED):
                part = slice(start, min(start + _INTEGRATED, len(codes)))
                x = own_draws(state.model, images[part], seeds[part])
                codes[part] = exact_codes(state.model, x, check=control.check)
                text = f"Exact codes: {part.stop:,} of {len(codes):,}"
                control.report(partial(self._progress, text))
            return replace(points, positions=codes, kind=KINDS["exact"])

        def done(exact: MapPoints) -> None:
            assert self.state is not None
            self._end()
            self.publish(replace(self.state, points=exact))

        self._integration.run(work, done, failed=self._end, cancelled=self._end)

    # What is asked

    def live_images(self, most: int, data: Dataset | None = None) -> tuple[Int64, UInt8]:
        """Some images (m, h, w) of the split that is chosen, evenly spread, and their indices."""
        images = (data or self._data).of(self.choice.split).images
        step = math.ceil(len(images) / most)
        return np.arange(0, len(images), step), images[::step]

    def totals(self) -> dict[str, int]:
        """How many images "train" and "test" have."""
        sizes = self.shown_data.sizes()
        return {"train": sizes["train"], "test": sizes["test"]}

    @property
    def shown_data(self) -> Dataset:
        """The data on the map, or what a model will be shown on."""
        return self.state.data if self.state else self._data

    def thumbnail(self, row: int) -> Thumbnail:
        """The image behind row ``row`` of the map's points."""
        points = self.points
        assert points is not None
        return thumbnail(points, row)

    def image(self, split: OneSplit, index: int) -> UInt8:
        """Image ``index`` of a split, (h, w)."""
        image: UInt8 = self.shown_data.of(split).images[index]
        return image

    def row(self, split: OneSplit, index: int) -> int:
        """The row of image ``index`` of a split among the map's points, or −1."""
        points = self.points
        if points is None:
            return -1
        if points.split == "both":
            index = points.data.in_both(split, index)
        elif points.split != split:
            return -1
        row = int(np.searchsorted(points.indices, index))  # they rise
        return row if row < len(points.indices) and points.indices[row] == index else -1


def thumbnail(points: MapPoints, row: int) -> Thumbnail:
    """The image behind row ``row`` of some points."""
    split, index = points.origin(row)
    label = int(points.labels[row])
    image = points.data.of(split).images[index]
    return Thumbnail(index, label, image, class_name(points.data, label))


def _samples(posterior: Posterior) -> Float32:
    """One draw (n, 2) from each Gaussian."""
    noise = np.random.default_rng(0).standard_normal((len(posterior.mean), 2, 1))
    offset = square_roots(posterior.covariance) @ noise
    return np.asarray(posterior.mean + offset[:, :, 0], np.float32)


def _points(
    state: MapState,
    split: Split,
    positions: Float32,
    indices: Int64,
    labels: Labels,
    kind: str = KINDS["mean"],
) -> MapPoints:
    data, model, rotation = state.data, state.model, state.rotation
    remark = foreign(state.snapshot.data, reference(data))
    orientation = "" if rotation is None else f"aligned: {describe(rotation)}"
    return MapPoints(
        positions,
        labels,
        indices,
        data.sizes()[split],
        split,
        data,
        kind,
        orientation,
        model.axes,
        f"images of {data.name}: the model was {remark.mark}" if remark else "",
    )


def _aligned(old: MapState, model: TrainedVAE, check: Check) -> tuple[TrainedVAE, Float64 | None]:
    """A model rotated so that the images of ``old``, as means of q(z|x), move least, and how."""
    if model is old.snapshot.model:
        return old.model, old.rotation
    points, posterior = old.points, old.posterior
    if points is None or posterior is None or model.image_shape != old.model.image_shape:
        return model, None
    step = max(1, len(points.indices) // _PROBES)
    images = points.images[points.indices[::step]]
    rotation = procrustes(model.encode(images, check).mean, posterior.mean[::step])
    return model.turned(rotation), rotation


def _rotated(posterior: Posterior, rotation: Float64 | None) -> Posterior:
    """What the rotated model's encoder would give."""
    if rotation is None:
        return posterior
    covariance = rotation @ posterior.covariance @ rotation.T
    mean = posterior.mean @ rotation.T
    return Posterior(mean.astype(np.float32), covariance.astype(np.float32))
