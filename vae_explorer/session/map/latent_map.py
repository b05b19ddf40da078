"""The images on the map and where the model puts them."""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from psygnal import Signal

from vae_explorer.data import bundled
from vae_explorer.data.dataset import ImageSet
from vae_explorer.latent.alignment import describe, procrustes
from vae_explorer.latent.figures import own_draws
from vae_explorer.latent.normal import square_roots
from vae_explorer.latent.quadrature import exact_codes
from vae_explorer.model.trained import Check, Posterior, TrainedVAE, unchecked
from vae_explorer.session.jobs import Control, Jobs
from vae_explorer.session.map.place_index import PlaceIndex
from vae_explorer.session.state import MapPoints, Thumbnail, draw_seeds, index_in
from vae_explorer.types import Float32, Float64, Int64, UInt8

KINDS = {
    "mean": "encoder mean",
    "sample": "sample from q(z|x)",
    "exact": "exact posterior mean",
}
"""What a point of the map may be."""

_PROBES = 2_000  # images that tell how one plane is turned against another
_INTEGRATED = 2_000  # images between two looks at whether exact codes are still wanted


@dataclass(frozen=True, eq=False)
class _Plane:
    """A model as it was trained and as the map is turned, and how."""

    trained: TrainedVAE
    shown: TrainedVAE
    rotation: Float64 | None = None
    orientation: str = ""


class LatentMap:
    """Which images are on the map, as points. All methods belong to the main thread.

    Args:
        jobs: where images are encoded.
        fail: told what went wrong, with a title.
        say: told what goes on, now and then.
        key: put before "map" and "index", the keys of its jobs; another map needs another one.
    """

    points_changed = Signal(MapPoints)
    """Other points than before."""
    positions_changed = Signal(object)
    """The same points, moved: (n, 2) float32."""
    settled = Signal()
    """After either: now follows what is made of the points."""
    index_changed = Signal(object)
    """The ``PlaceIndex`` of the positions last told."""
    turned = Signal(TrainedVAE)
    """The model whose plane the map's will be, told while the points are still the ones before."""

    def __init__(
        self,
        jobs: Jobs,
        fail: Callable[[str, BaseException], None],
        say: Callable[[str], None],
        key: str = "",
    ) -> None:
        self._jobs = jobs
        self._fail = fail
        self._say = say
        self._key = key
        self._plane: _Plane | None = None
        self.points: MapPoints | None = None
        self.posterior: Posterior | None = None
        """q(z|x) of the points, as the map is turned."""
        self.before: MapPoints | None = None
        """The points under the snapshot before this one."""
        self.start: MapPoints | None = None
        """The points under the first snapshot since it was set to None, as when a run begins."""

    # What is shown

    def encode(self, model: TrainedVAE, split: str, kind: str, align: bool) -> None:
        """Put the images of ``split`` on the map, beside the main thread.

        Exact means come after the encoder's, minutes later.

        Args:
            model: as it was trained.
            split: "train", "test" or "both".
            kind: of ``KINDS``.
            align: turn the plane so that the points lie as nearly as they can where they lay.
        """
        plane, before = self._plane, self._means()

        def work(control: Control) -> tuple[_Plane, Posterior, MapPoints]:
            data = bundled.mnist(split)
            new = _aligned(plane, model, before, control.check) if align else _Plane(model, model)
            posterior = new.shown.encode(data.images, control.check)
            positions = _samples(posterior) if kind == "sample" else posterior.mean
            text = KINDS["mean" if kind == "exact" else kind]
            everything, labels = np.arange(len(data)), labels_of(data)
            points = MapPoints(
                positions, labels, everything, len(data), split, text, new.orientation
            )
            return new, posterior, points

        def show(found: tuple[_Plane, Posterior, MapPoints]) -> None:
            self._show(*found)
            if kind == "exact":
                self._integrate()

        self._jobs.run_newest(f"{self._key}map", work, done=show, failed=self._give_up)

    def _integrate(self) -> None:
        """Put the exact means in the place of the encoder's."""
        plane, points, posterior = self._plane, self.points, self.posterior
        assert plane is not None
        assert points is not None
        assert posterior is not None

        def work(control: Control) -> MapPoints:
            images = bundled.mnist(points.split).images
            seeds = draw_seeds(points.split, points.indices)
            codes = np.empty_like(points.positions)
            for start in range(0, len(codes), _INTEGRATED):
                part = slice(start, min(start + _INTEGRATED, len(codes)))
                x = own_draws(plane.shown, images[part], seeds[part])
                codes[part] = exact_codes(plane.shown, x, check=control.check)
                text = f"Exact codes: {part.stop:,} of {len(codes):,}"
                control.report(partial(self._say, text))
            return dataclasses.replace(points, positions=codes, kind=KINDS["exact"])

        def done(exact: MapPoints) -> None:
            self._say("")
            self._show(plane, posterior, exact)

        self._jobs.run_newest(
            f"{self._key}map",
            work,
            done=done,
            failed=self._give_up,
            cancelled=lambda: self._say(""),
            lane="figures",
        )

    def live_images(self, split: str, most: int) -> tuple[Int64, UInt8]:
        """Some images (m, h, w) of ``split``, evenly chosen, and their indices (m,)."""
        data = bundled.mnist(split)
        indices = np.arange(0, len(data), math.ceil(len(data) / most))
        return indices, data.images[indices]

    def move(
        self,
        model: TrainedVAE,
        posterior: Posterior,
        split: str,
        indices: Int64,
        align: bool,
    ) -> None:
        """Show the images ``indices`` (m,) of ``split`` where another snapshot encodes them."""
        self._jobs.cancel(f"{self._key}map")
        points, means = self.points, self._means()
        plane = _Plane(model, model)
        if align and points is not None and points.indices is indices:
            assert self.posterior is not None
            plane = _turned(model, posterior.mean, self.posterior.mean)
            posterior = _turned_posterior(posterior, plane)
        elif align:
            plane = _aligned(self._plane, model, means, unchecked)
            posterior = _turned_posterior(posterior, plane)
        data = bundled.mnist(split)
        moved = MapPoints(
            posterior.mean,
            labels_of(data)[indices],
            indices,
            len(data),
            split,
            orientation=plane.orientation,
        )
        self._show(plane, posterior, moved)
        self.start = self.start or moved

    def _show(self, plane: _Plane, posterior: Posterior, points: MapPoints) -> None:
        self.turned.emit(plane.shown)
        old = self.points
        if self._plane is None or plane.trained is not self._plane.trained:
            self.before = old
        same = old is not None and old.indices is points.indices and old.kind == points.kind
        self._plane, self.posterior, self.points = plane, posterior, points
        if same:
            self.positions_changed.emit(points.positions)
        else:
            self.points_changed.emit(points)
        self._settle()

    def _means(self) -> MapPoints | None:
        """The points as the encoder's means, which planes are compared by."""
        if self.points is None or self.posterior is None:
            return None
        return dataclasses.replace(self.points, positions=self.posterior.mean)

    def _give_up(self, error: BaseException) -> None:
        self._say("")
        self._fail("The images could not be encoded", error)

    def _settle(self) -> None:
        points = self.points
        assert points is not None
        self.settled.emit()
        self._jobs.run_newest(
            f"{self._key}index",
            lambda _: PlaceIndex(points.positions),
            done=self.index_changed.emit,
            failed=lambda error: self._fail("Points may be slow to pick", error),
            lane="layers",
        )

    # What is asked

    def totals(self) -> dict[str, int]:
        """How many images "train" and "test" have."""
        return {split: len(bundled.mnist(split)) for split in ("train", "test")}

    def thumbnail(self, row: int) -> Thumbnail:
        """The image behind row ``row`` of the map's points."""
        assert self.points is not None
        split, index = self.points.origin(row)
        data = bundled.mnist(split)
        return Thumbnail(index, int(self.points.labels[row]), data.images[index])

    def row(self, split: str, index: int) -> int:
        """The row of image ``index`` of "train" or "test" among the map's points, or −1."""
        if self.points is None:
            return -1
        indices, wanted = self.points.indices, index_in(self.points.split, split, index)
        row = int(np.searchsorted(indices, wanted))  # they rise
        return row if row < len(indices) and indices[row] == wanted else -1


def labels_of(data: ImageSet) -> UInt8:
    """The labels (n,) of a set that has some."""
    assert data.labels is not None, "the bundled images are labelled"
    return data.labels


def _samples(posterior: Posterior) -> Float32:
    """One draw (n, 2) from each Gaussian."""
    noise = np.random.default_rng(0).standard_normal((len(posterior.mean), 2, 1))
    offset = square_roots(posterior.covariance) @ noise
    return np.asarray(posterior.mean + offset[:, :, 0], np.float32)


def _aligned(
    plane: _Plane | None, model: TrainedVAE, before: MapPoints | None, check: Check
) -> _Plane:
    """How to turn a model so that the images ``before``, means of their q(z|x), move least."""
    if before is None or plane is None:
        return _Plane(model, model)
    if model is plane.trained:
        return plane
    step = max(1, len(before.indices) // _PROBES)
    images = bundled.mnist(before.split).images[before.indices[::step]]
    return _turned(model, model.encode(images, check).mean, before.positions[::step])


def _turned(model: TrainedVAE, means: Float32, reference: Float32) -> _Plane:
    rotation = procrustes(means, reference)
    return _Plane(model, model.turned(rotation), rotation, f"aligned: {describe(rotation)}")


def _turned_posterior(posterior: Posterior, plane: _Plane) -> Posterior:
    """What the turned model's encoder would give."""
    rotation = plane.rotation
    if rotation is None:
        return posterior
    covariance = rotation @ posterior.covariance @ rotation.T
    mean = posterior.mean @ rotation.T
    return Posterior(mean.astype(np.float32), covariance.astype(np.float32))
