"""How far the decoded picture can be trusted: whether a position lies on the data."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from psygnal import Signal

from vae_explorer.latent.trust import DataSupport, Verdict, drift, image_distance, verdict
from vae_explorer.model.trained import Posterior, TrainedVAE
from vae_explorer.session.explore.decoding import Decoded, Decoding
from vae_explorer.session.jobs import After, Control
from vae_explorer.session.map.latent_map import LatentMap, thumbnail
from vae_explorer.session.map.state import MapPoints, MapState, Thumbnail
from vae_explorer.session.tasks import Tasks
from vae_explorer.types import OneSplit


@dataclass(frozen=True, eq=False)
class PositionSupport:
    """What the gauges of ``latent.trust`` say of one position.

    Attributes:
        z: the position, latent units.
        percentile: of q(z) at the position among the codes, 0 to 100.
        verdict: whether the position lies on the data.
        nearest: the image whose code lies nearest.
        split: where ``nearest`` is from.
        latent_distance: to the code of ``nearest``, the mean of its q(z|x), latent units.
        image_distance: of the decoded picture to ``nearest``, over the pixels in [0, 1].
        drift_latent: how far a code moves when it is decoded and encoded, latent units.
        drift_pixels: how far the picture moves when that code is decoded again.
    """

    z: tuple[float, float]
    percentile: float
    verdict: Verdict
    nearest: Thumbnail
    split: OneSplit
    latent_distance: float
    image_distance: float
    drift_latent: float
    drift_pixels: float


class SupportGauge:
    """Says of the newest decoded position whether it lies on the data. Main thread only.

    A position is looked up once its picture is painted, which it would hold up; one under way is
    finished before the newest, so that a pointer that never rests is answered all the same. Codes
    that move are not surveyed.

    Args:
        tasks: where the codes are surveyed and positions looked up.
        latent_map: has the codes.
        decoding: says which position is shown.
        after: runs a function on the main thread some seconds later, after what is to be painted.
    """

    support_changed = Signal(object)
    """The ``DataSupport`` of the points, or None."""
    judged = Signal(object)
    """The ``PositionSupport`` of the position decoded last, or None."""

    def __init__(
        self, tasks: Tasks, latent_map: LatentMap, decoding: Decoding, after: After
    ) -> None:
        # Seconds, for which no layer and no inspection should have to wait.
        self._survey = tasks.newest("survey", "The data support could not be computed", "figures")
        self._lookup = tasks.patient("support", "The position could not be compared with the data")
        self._map = latent_map
        self._after = after
        self._surveyed: Posterior | None = None  # or soon will be
        self.support: DataSupport | None = None
        self._z: tuple[float, float] | None = None
        self._asked: tuple[float, float] | None = None  # of the worker
        self._soon = False
        latent_map.changed.connect(self._on_map)
        decoding.decoded.connect(self._on_decoded)

    def _on_map(self, new: MapState, old: MapState | None) -> None:
        posterior = new.posterior
        if posterior is None or (old is not None and new.points is old.points):
            return
        self._lookup.cancel()
        if not new.moving and _same(posterior, self._surveyed):
            self._look_up()
            return
        self._survey.cancel()
        self._surveyed = None if new.moving else posterior
        if self.support is not None:
            self._take(None)
            self.judged.emit(None)
        if not new.moving:
            self._survey.run(
                lambda control: DataSupport(posterior.mean, posterior.covariance, control.check),
                self._take,
                failed=self._give_up,
            )

    def _on_decoded(self, decoded: Decoded) -> None:
        self._z = decoded.z
        if not self._soon:
            self._soon = True
            self._after(0.0, self._look)

    def _look(self) -> None:
        self._soon = False
        if not (self._lookup.busy and self._z == self._asked):
            self._look_up()

    def _look_up(self) -> None:
        state, support, z = self._map.state, self.support, self._z
        if state and state.points is not None and support is not None and z is not None:
            self._asked = z
            self._lookup.run(
                partial(_judged, state.model, state.points, support, z),
                self.judged.emit,
                failed=lambda _: self.judged.emit(None),
            )

    def _take(self, support: DataSupport | None) -> None:
        self.support = support
        self.support_changed.emit(support)
        self._look_up()

    def _give_up(self, _: BaseException) -> None:
        self._surveyed = None


def _same(one: Posterior, other: Posterior | None) -> bool:
    return (
        other is not None
        and np.array_equal(one.mean, other.mean)
        and np.array_equal(one.covariance, other.covariance)
    )


# The rest runs on the worker's thread.


def _judged(
    model: TrainedVAE,
    points: MapPoints,
    support: DataSupport,
    z: tuple[float, float],
    control: Control,
) -> PositionSupport | None:
    """None where no image has a finite code."""
    # As the picture on screen was decoded, in single precision.
    position = np.array(z, np.float32)
    rows, distances = support.nearest(position, 1)
    if not len(rows):
        return None
    row = int(rows[0])
    nearest, (split, _) = thumbnail(points, row), points.origin(row)
    percentile = support.percentile(position)
    control.check()
    drifted = drift(model, position)
    return PositionSupport(
        z,
        percentile,
        verdict(percentile, drifted),
        nearest,
        split,
        float(distances[0]),
        image_distance(drifted.image, nearest.image),
        drifted.latent,
        drifted.pixels,
    )
