"""The images on the map and where the model puts them."""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from vae_explorer.data import bundled
from vae_explorer.data.dataset import ImageSet
from vae_explorer.latent.alignment import describe, procrustes
from vae_explorer.latent.figures import own_draws
from vae_explorer.latent.quadrature import exact_codes
from vae_explorer.model.trained import Posterior, TrainedVAE
from vae_explorer.session.jobs import Control, Jobs
from vae_explorer.session.place_index import PlaceIndex
from vae_explorer.session.state import (
    Float32,
    MapPoints,
    Thumbnail,
    UInt8,
    draw_seeds,
    index_in,
)

KINDS = {
    "mean": "encoder mean",
    "sample": "sample from q(z|x)",
    "exact": "exact posterior mean",
}
"""What a point of the map may be."""

_PROBES = 2_000  # images that tell how one plane is turned against another
_INTEGRATED = 2_000  # images between two looks at whether exact codes are still wanted


@dataclass(frozen=True, eq=False)
class _Encoded:
    model: TrainedVAE
    posterior: Posterior
    points: MapPoints


class LatentMap:
    """Which images are on the map, as points. All methods belong to the main thread.

    Args:
        jobs: where images are encoded.
        fail: told what went wrong, with a title.
        say: told what goes on, now and then.
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
    ) -> None:
        self._jobs = jobs
        self._fail = fail
        self._say = say
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

        Args:
            model: as it was trained.
            split: "train", "test" or "both".
            kind: of ``KINDS``.
            align: turn the plane so that the points lie as nearly as they can where they lay.
        """
        reference = self.points if align else None

        def work(control: Control) -> _Encoded:
            data = bundled.mnist(split)
            everything = np.arange(len(data))
            posterior = model.encode(data.images, control.check)
            shown, posterior, orientation = _aligned(model, posterior, split, everything, reference)
            positions = self._positions(shown, posterior, split, kind, control)
            labels = labels_of(data)
            points = MapPoints(
                positions, labels, everything, len(data), split, KINDS[kind], orientation
            )
            return _Encoded(shown, posterior, points)

        self._jobs.run_newest(
            "map",
            work,
            done=self._show,
            failed=lambda error: self._fail("The images could not be encoded", error),
            lane="figures" if kind == "exact" else "files",
        )

    def live_images(self, split: str, most: int) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """Some images (m, h, w) of ``split``, evenly chosen, and their indices (m,)."""
        data = bundled.mnist(split)
        indices = np.arange(0, len(data), math.ceil(len(data) / most))
        return indices, data.images[indices]

    def move(
        self,
        model: TrainedVAE,
        posterior: Posterior,
        split: str,
        indices: NDArray[np.int64],
        align: bool,
    ) -> None:
        """Show the images ``indices`` (m,) of ``split`` where another snapshot encodes them."""
        self._jobs.cancel("map")
        points = self.points
        reference = points if align else None
        shown, posterior, orientation = _aligned(model, posterior, split, indices, reference)
        self.turned.emit(shown)
        self.posterior = posterior
        self.before = points
        if points is not None and points.indices is indices:
            self.points = dataclasses.replace(
                points, positions=posterior.mean, orientation=orientation
            )
            self.positions_changed.emit(posterior.mean)
        else:
            data = bundled.mnist(split)
            labels = labels_of(data)[indices]
            total = len(data)
            self.points = MapPoints(
                posterior.mean, labels, indices, total, split, orientation=orientation
            )
            self.start = self.start or self.points
            self.points_changed.emit(self.points)
        self._settle()

    def _positions(
        self, model: TrainedVAE, posterior: Posterior, split: str, kind: str, control: Control
    ) -> Float32:
        data = bundled.mnist(split)
        if kind == "sample":
            noise = np.random.default_rng(0).standard_normal((len(data), 2, 1))
            factor = np.linalg.cholesky(posterior.covariance.astype(np.float64))
            return (posterior.mean + (factor @ noise)[:, :, 0]).astype(np.float32)
        if kind == "mean":
            return posterior.mean
        seeds = draw_seeds(split, np.arange(len(data)))
        codes = np.empty((len(data), 2), np.float32)
        for start in range(0, len(data), _INTEGRATED):
            part = slice(start, start + _INTEGRATED)
            x = own_draws(model, data.images[part], seeds[part])
            codes[part] = exact_codes(model, x, check=control.check)
            done = min(start + _INTEGRATED, len(data))
            control.report(lambda n=done: self._say(f"Exact codes: {n:,} of {len(data):,}"))  # type: ignore[misc]
        return codes

    def _show(self, encoded: _Encoded) -> None:
        self._say("")
        self.turned.emit(encoded.model)
        self.before, self.points = self.points, encoded.points
        self.posterior = encoded.posterior
        self.points_changed.emit(encoded.points)
        self._settle()

    def _settle(self) -> None:
        points = self.points
        assert points is not None
        self.settled.emit()
        self._jobs.run_newest(
            "index",
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


def _aligned(
    model: TrainedVAE,
    posterior: Posterior,
    split: str,
    indices: NDArray[np.int64],
    reference: MapPoints | None,
) -> tuple[TrainedVAE, Posterior, str]:
    """The model, its codes of ``indices`` of ``split``, both turned to ``reference``, and how."""
    if reference is None or reference.split != split:
        return model, posterior, ""
    common, here, there = np.intersect1d(indices, reference.indices, return_indices=True)
    some = slice(None, None, max(1, len(common) // _PROBES))
    rotation = procrustes(posterior.mean[here[some]], reference.positions[there[some]])
    covariance = rotation @ posterior.covariance @ rotation.T
    turned = Posterior(
        (posterior.mean @ rotation.T).astype(np.float32), covariance.astype(np.float32)
    )
    return model.turned(rotation), turned, f"aligned: {describe(rotation)}"
