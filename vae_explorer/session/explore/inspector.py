"""The inspector of the pinned image that is looked at: what each kind of code makes of it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from psygnal import Signal

from vae_explorer.latent.figures import pixel_log_likelihoods
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.session.explore.image_truth import ImageTruth, image_truth
from vae_explorer.session.explore.pins import DataPoint, Pins
from vae_explorer.session.jobs import Control
from vae_explorer.session.map.freshness import Freshness
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.tasks import Tasks
from vae_explorer.types import Float32, Float64, OneSplit, UInt8

Code = Literal["mean", "sample", "exact"]
"""The mean of q(z|x), a sample of it, or the mean of the exact posterior p(z|x)."""


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """An image decoded from one code of it.

    Attributes:
        z: the code, (2,) in latent units.
        image: E[x|z], (h, w[, 3]) in [0, 1].
        error: ``image`` − the original's intensities, (h, w) in [−1, 1]; in colour the mean of
            three of them.
        log_likelihood: log p(x|z) of each pixel of the image's own draw, (h, w) nats; their sum
            is that of the image. nan without a likelihood.
    """

    z: Float32
    image: Float32
    error: Float32
    log_likelihood: Float64


@dataclass(frozen=True, eq=False)
class Inspection:
    """What a model thinks of image ``index`` of ``split``; all numbers in nats.

    ``truth`` is of the image's own binarisation, ``seed`` that of the sample. There is no exact
    code where the model has no exact posterior.
    """

    split: OneSplit
    index: int
    seed: int
    reconstructions: dict[Code, Reconstruction]
    truth: ImageTruth


class Inspector:
    """Inspects the pinned image that is looked at. All methods belong to the main thread.

    An inspection of the same image that is under way is finished before that by another model.

    Args:
        tasks: where it is computed, which takes some hundredths of a second.
        latent_map: has the model.
        pins: have the image.
    """

    inspected = Signal(object)
    """The ``Inspection``, or None as soon as another image, or none, is looked at."""
    busy_changed = Signal(bool)
    """Whether one is being computed; again for each that is asked for."""
    progress = Signal(float)
    """Which share is done of what takes long."""

    def __init__(self, tasks: Tasks, latent_map: LatentMap, pins: Pins) -> None:
        self._work = tasks.patient("inspect", "The pinned image could not be inspected")
        self._map = latent_map
        self._pins = pins
        self._point: DataPoint | None = None
        self._seed = 0
        self.freshness = Freshness(latent_map)
        pins.changed.connect(self._on_pins)

    def resample(self) -> None:
        """Take the next seed for the sample."""
        self._seed += 1
        self._compute()

    def _on_pins(self) -> None:
        old, point = self._point, self._pins.current
        self._point = point
        if old is None or point is None or (old.split, old.index) != (point.split, point.index):
            self._work.cancel()
            self._show(None)
        if point is not old:
            self._compute()

    def _compute(self) -> None:
        state, point = self._map.state, self._point
        if state is not None and point is not None:
            self.busy_changed.emit(True)
            self._work.run(
                partial(_inspected, state.model, point, self._seed, self.progress.emit),
                partial(self._show, state.model),
                failed=lambda _: self._show(None),
            )

    def _show(self, model: TrainedVAE | None, inspection: Inspection | None = None) -> None:
        self.busy_changed.emit(self._work.busy)
        self.inspected.emit(inspection)
        self.freshness.show(model)


def error_image(image: Float32, original: UInt8) -> Float32:
    """An image in [0, 1] less the original's intensities, (h, w); in colour their mean."""
    error = image - original.astype(np.float32) / np.float32(255)
    return error.mean(-1) if error.ndim == 3 else error


# The rest runs on the worker's thread.


def _inspected(
    model: TrainedVAE,
    point: DataPoint,
    seed: int,
    progress: Callable[[float], None],
    control: Control,
) -> Inspection:
    tell = control.seldom(progress)
    truth = image_truth(model, point.original, point.seed, control.check, tell)
    q = truth.bound
    # By eigenvectors: in float32 a needle's covariance need not be positive definite.
    sample = np.random.default_rng((point.seed, seed)).multivariate_normal(
        q.mean, q.covariance, check_valid="ignore", method="eigh"
    )
    all_codes: tuple[Code, ...] = ("mean", "sample", "exact")
    places = np.array([q.mean, sample, truth.mean], np.float32)
    known = [bool(np.isfinite(place).all()) for place in places]
    z = places[known]
    images = model.decode(z)
    errors = [error_image(image, point.original) for image in images]
    costs = (
        pixel_log_likelihoods(model, q.x, z)
        if model.likelihood
        else np.full((len(z), *model.image_shape[:2]), np.nan)
    )
    parts = zip(z, images, errors, costs, strict=True)
    codes = [code for code, there in zip(all_codes, known, strict=True) if there]
    reconstructions = {code: Reconstruction(*part) for code, part in zip(codes, parts, strict=True)}
    return Inspection(point.split, point.index, seed, reconstructions, truth)
