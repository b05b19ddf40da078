"""How far the decoded picture can be trusted, of the place that was asked for last."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from psygnal import Signal

from vae_explorer.data import bundled
from vae_explorer.latent.trust import DataSupport, drift, image_distance, verdict
from vae_explorer.latent.trust import Verdict as Verdict
from vae_explorer.model.trained import Posterior, TrainedVAE
from vae_explorer.session.jobs import Control, Jobs
from vae_explorer.session.state import MapPoints, Thumbnail


@dataclass(frozen=True, eq=False)
class TrustReading:
    """What the gauges of ``latent.trust`` say of one place.

    Attributes:
        z: the place, latent units.
        percentile: of q(z) at the place among the codes, 0 to 100.
        verdict: whether the place lies on the data.
        nearest: the image whose code lies nearest.
        split: "train" or "test", where ``nearest`` is from.
        latent_distance: to the code of ``nearest``, the mean of its q(z|x), latent units.
        image_distance: of the decoded picture to ``nearest``, over the pixels in [0, 1].
        drift_latent: how far a code moves when it is decoded and encoded, latent units.
        drift_pixels: how far the picture moves when that code is decoded again.
    """

    z: tuple[float, float]
    percentile: float
    verdict: Verdict
    nearest: Thumbnail
    split: str
    latent_distance: float
    image_distance: float
    drift_latent: float
    drift_pixels: float


@dataclass(frozen=True, eq=False)
class _Subject:
    """What is asked about a place: a model, its points, and where their codes lie."""

    model: TrainedVAE
    points: MapPoints
    support: DataSupport


class TrustGauge:
    """Tells of the newest place whether it lies on the data. All methods belong to the main thread.

    Args:
        jobs: where the codes are surveyed and places looked up.
        fail: told what went wrong, with a title.
    """

    support_changed = Signal(object)
    """The ``DataSupport`` of the points, or None."""
    read = Signal(object)
    """The ``TrustReading`` of the place last asked for, or None."""

    def __init__(self, jobs: Jobs, fail: Callable[[str, BaseException], None]) -> None:
        self._jobs = jobs
        self._fail = fail
        self._subject: _Subject | None = None
        self._place: tuple[float, float] | None = None

    def set_points(
        self, model: TrainedVAE, points: MapPoints, posterior: Posterior, moving: bool
    ) -> None:
        """Judge by other points, as soon as it is known where their codes lie.

        Args:
            model: as the map is turned.
            points: what the rows of ``posterior`` are images of.
            posterior: q(z|x) of the points.
            moving: they will soon be elsewhere, so only the old ones are forgotten.
        """
        self._jobs.cancel("support")
        self._jobs.cancel("trust")
        if self._subject is not None:
            self._subject = None
            self.support_changed.emit(None)
            self.read.emit(None)
        if moving:
            return

        def work(control: Control) -> _Subject:
            support = DataSupport(posterior.mean, posterior.covariance, control.check)
            return _Subject(model, points, support)

        self._jobs.run_newest(
            "support",
            work,
            done=self._judge_by,
            failed=partial(self._fail, "It is not known where the data lie"),
            lane="layers",
        )

    def ask(self, z: tuple[float, float]) -> None:
        """Read the gauges at a place, latent units; without points yet, as soon as there are."""
        self._place = z
        if self._subject is not None:
            self._jobs.run_newest(
                "trust",
                partial(_read, self._subject, z),
                done=self.read.emit,
                failed=partial(self._fail, "The place could not be judged"),
                lane="layers",
            )

    def _judge_by(self, subject: _Subject) -> None:
        self._subject = subject
        self.support_changed.emit(subject.support)
        if self._place is not None:
            self.ask(self._place)


# The rest runs on the worker's thread.


def _read(subject: _Subject, z: tuple[float, float], control: Control) -> TrustReading | None:
    """None where no image has a finite code."""
    # As the picture on screen was decoded, in single precision.
    place = np.array(z, np.float32)
    rows, distances = subject.support.nearest(place, 1)
    if not len(rows):
        return None
    row = int(rows[0])
    split, index = subject.points.origin(row)
    image = bundled.mnist(split).images[index]
    percentile = subject.support.percentile(place)
    control.check()
    drifted = drift(subject.model, place)
    return TrustReading(
        z,
        percentile,
        verdict(percentile, drifted),
        Thumbnail(index, int(subject.points.labels[row]), image),
        split,
        float(distances[0]),
        image_distance(drifted.image, image),
        drifted.latent,
        drifted.pixels,
    )
