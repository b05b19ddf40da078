"""How far the decoded picture can be trusted, of the place that was asked for last."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from psygnal import Signal

from vae_explorer.data import bundled
from vae_explorer.latent.trust import DataSupport, Verdict, drift, image_distance, verdict
from vae_explorer.model.trained import Posterior, TrainedVAE
from vae_explorer.session.jobs import After, Control, Job, Jobs
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


class TrustGauge:
    """Tells of the newest place whether it lies on the data. All methods belong to the main thread.

    A place is looked up once its picture is painted, which it would hold up. Of places asked for
    meanwhile only the newest is, and after the one under way: a pointer that never rests is told
    all the same.

    Args:
        jobs: where the codes are surveyed and places looked up.
        fail: told what went wrong, with a title.
        after: runs a function on the main thread some seconds later, after what is to be painted.
    """

    support_changed = Signal(object)
    """The ``DataSupport`` of the points, or None."""
    read = Signal(object)
    """The ``TrustReading`` of the place last asked for, or None."""

    def __init__(
        self, jobs: Jobs, fail: Callable[[str, BaseException], None], after: After
    ) -> None:
        self._jobs = jobs
        self._fail = fail
        self._after = after
        self._model: TrainedVAE | None = None
        self._points: MapPoints | None = None
        self._codes: Posterior | None = None  # that are surveyed, or soon will be
        self._support: DataSupport | None = None
        self._place: tuple[float, float] | None = None
        self._soon = False
        self._job: Job | None = None

    def set_points(
        self, model: TrainedVAE, points: MapPoints, posterior: Posterior, moving: bool
    ) -> None:
        """Judge by other points, as soon as it is known where their codes lie.

        Args:
            model: as the map is turned.
            points: what the rows of ``posterior`` are images of.
            posterior: q(z|x) of the points; the same codes are not surveyed again.
            moving: they will soon be elsewhere, so only the old ones are forgotten.
        """
        self._jobs.cancel("trust")
        self._job = None
        self._model, self._points = model, points
        if not moving and _same(posterior, self._codes):
            self._answer()
            return
        self._jobs.cancel("support")
        self._codes = None if moving else posterior
        if self._support is not None:
            self._support = None
            self.support_changed.emit(None)
            self.read.emit(None)
        if not moving:
            self._jobs.run_newest(
                "support",
                lambda control: DataSupport(posterior.mean, posterior.covariance, control.check),
                done=self._judge_by,
                failed=self._do_without,
                lane="figures",  # seconds, for which no layer and no card should have to wait
            )

    def ask(self, z: tuple[float, float]) -> None:
        """Read the gauges at a place, latent units; without points yet, as soon as there are."""
        self._place = z
        if not self._soon:
            self._soon = True
            self._after(0.0, self._look)

    def _look(self) -> None:
        self._soon = False
        if self._job is None or self._job.finished:
            self._answer()

    def _answer(self) -> None:
        model, points, support, place = self._model, self._points, self._support, self._place
        if model is not None and points is not None and support is not None and place is not None:
            self._job = self._jobs.run_newest(
                "trust",
                partial(_read, model, points, support, place),
                done=partial(self._show, place),
                failed=partial(self._give_up, place),
                lane="layers",
            )

    def _show(self, place: tuple[float, float], reading: TrustReading | None) -> None:
        self.read.emit(reading)
        self._go_on(place)

    def _give_up(self, place: tuple[float, float], error: BaseException) -> None:
        self.read.emit(None)
        self._fail("The place could not be judged", error)
        self._go_on(place)

    def _go_on(self, place: tuple[float, float]) -> None:
        if place != self._place:
            self._answer()

    def _judge_by(self, support: DataSupport) -> None:
        self._support = support
        self.support_changed.emit(support)
        self._answer()

    def _do_without(self, error: BaseException) -> None:
        self._codes = None
        self._fail("It is not known where the data lie", error)


def _same(one: Posterior, other: Posterior | None) -> bool:
    return (
        other is not None
        and np.array_equal(one.mean, other.mean)
        and np.array_equal(one.covariance, other.covariance)
    )


# The rest runs on the worker's thread.


def _read(
    model: TrainedVAE,
    points: MapPoints,
    support: DataSupport,
    z: tuple[float, float],
    control: Control,
) -> TrustReading | None:
    """None where no image has a finite code."""
    # As the picture on screen was decoded, in single precision.
    place = np.array(z, np.float32)
    rows, distances = support.nearest(place, 1)
    if not len(rows):
        return None
    row = int(rows[0])
    split, index = points.origin(row)
    image = bundled.mnist(split).images[index]
    percentile = support.percentile(place)
    control.check()
    drifted = drift(model, place)
    return TrustReading(
        z,
        percentile,
        verdict(percentile, drifted),
        Thumbnail(index, int(points.labels[row]), image),
        split,
        float(distances[0]),
        image_distance(drifted.image, image),
        drifted.latent,
        drifted.pixels,
    )
