"""The card of the pinned image that is looked at: what each kind of code makes of it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from psygnal import Signal

from vae_explorer.latent.figures import own_draws, pixel_log_likelihoods
from vae_explorer.latent.quadrature import exact_posterior
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.session.jobs import Control, Jobs
from vae_explorer.session.state import DataPoint, draw_seeds
from vae_explorer.types import Float32, Float64

Code = Literal["mean", "sample", "exact"]
"""The mean of q(z|x), a sample of it, or the mean of the exact posterior p(z|x)."""


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """An image decoded from one code of it.

    Attributes:
        z: the code, (2,) in latent units.
        image: E[x|z], (h, w) in [0, 1].
        error: ``image`` − the original's intensities, (h, w) in [−1, 1].
        log_likelihood: log p(x|z) of each pixel of the image's own draw, (h, w) nats; their sum
            is that of the image.
    """

    z: Float32
    image: Float32
    error: Float32
    log_likelihood: Float64


@dataclass(frozen=True, eq=False)
class Card:
    """What a model thinks of image ``index`` of ``split``; all figures in nats, of its own draw.

    ``elbo`` = ``log_likelihood`` − ``kl`` without sampling noise. ``log_marginal`` is log p(x) by
    quadrature and ``error`` its estimated error. ``seed`` is the sample's.
    """

    split: str
    index: int
    seed: int
    reconstructions: dict[Code, Reconstruction]
    elbo: float
    log_likelihood: float
    kl: float
    log_marginal: float
    error: float

    @property
    def gap(self) -> float:
        """log p(x) − ELBO, which is KL(q(z|x) ‖ p(z|x)), nats."""
        return self.log_marginal - self.elbo


class CardSession:
    """The card of one image at a time. All methods belong to the main thread.

    Args:
        jobs: where it is computed, which takes some hundredths of a second.
        fail: told what went wrong, with a title.
    """

    computed = Signal(object)
    """The ``Card``, or None as soon as another image, or none, is looked at."""

    def __init__(self, jobs: Jobs, fail: Callable[[str, BaseException], None]) -> None:
        self._jobs = jobs
        self._fail = fail
        self._model: TrainedVAE | None = None
        self._point: DataPoint | None = None
        self._seed = 0
        self._busy = False

    def set_point(self, model: TrainedVAE, point: DataPoint | None) -> None:
        """Make the card of another image, or of the same under another model.

        A card of the same image that is under way is finished first: while training none ever
        would be.
        """
        old = self._point
        if point is old:
            return
        self._model, self._point = model, point
        if old is None or point is None or (old.split, old.index) != (point.split, point.index):
            self._jobs.cancel("card")
            self._busy = False
            self.computed.emit(None)
        if not self._busy:
            self._compute()

    def resample(self) -> None:
        """Take the next seed for the sample."""
        self._seed += 1
        self._compute()

    def _compute(self) -> None:
        model, point = self._model, self._point
        if model is None or point is None:
            return
        self._busy = True
        self._jobs.run_newest(
            "card",
            partial(_card, model, point, self._seed),
            done=partial(self._show, point),
            failed=partial(self._give_up, point),
            lane="layers",
        )

    def _show(self, point: DataPoint, card: Card) -> None:
        self.computed.emit(card)
        self._go_on(point)

    def _give_up(self, point: DataPoint, error: BaseException) -> None:
        self.computed.emit(None)
        self._fail("The figures of the pinned digit could not be computed", error)
        self._go_on(point)

    def _go_on(self, point: DataPoint) -> None:
        """Compute anew if another model has come meanwhile."""
        self._busy = False
        if point is not self._point:
            self._compute()


# The rest runs on the worker's thread.


def _card(model: TrainedVAE, point: DataPoint, seed: int, control: Control) -> Card:
    own = draw_seeds(point.split, np.array([point.index]))
    x = own_draws(model, point.original[None], own)
    exact = exact_posterior(model, x, control.check)
    # By eigenvectors: in float32 a needle's covariance need not be positive definite.
    sample = np.random.default_rng((int(own[0]), seed)).multivariate_normal(
        point.mean, point.covariance, check_valid="ignore", method="eigh"
    )
    z = np.array([point.mean, sample, exact.mean[0]], np.float32)
    images = model.decode(z)
    errors = images - point.original / np.float32(255)
    parts = zip(z, images, errors, pixel_log_likelihoods(model, x, z), strict=True)
    codes: tuple[Code, ...] = ("mean", "sample", "exact")
    return Card(
        point.split,
        point.index,
        seed,
        {code: Reconstruction(*part) for code, part in zip(codes, parts, strict=True)},
        point.elbo,
        point.log_likelihood,
        point.kl,
        float(exact.log_marginal[0]),
        float(exact.error[0]),
    )
