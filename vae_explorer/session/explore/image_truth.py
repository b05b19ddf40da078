"""What a model makes of single images: computed once for each model, and kept.

An image is its pixels and the ``seed`` of its binarisation, see ``own_draws``. ``image_bound`` is
quick enough for the main thread; ``image_truth`` adds the integral over the plane, some hundredths
of a second, and belongs on a worker. Both may be called on any thread and answer at once when the
same was asked before. All numbers of one value are of one model and one binarisation.
"""

import math
import threading
from collections import OrderedDict
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from vae_explorer.latent.figures import image_figures, own_draws
from vae_explorer.latent.quadrature import exact_posterior
from vae_explorer.model.trained import Check, Tell, TrainedVAE, unchecked, untold
from vae_explorer.types import Float32, Float64, UInt8

_MOST_IMAGES = 64
"""Images that are kept for each model."""


@dataclass(frozen=True, eq=False)
class ImageBound:
    """The encoder's view of one image.

    Attributes:
        x: its binarisation, (1, h, w).
        mean: of q(z|x), (2,) in latent units.
        covariance: of q(z|x), (2, 2).
        elbo: ``log_likelihood`` − ``kl`` in nats, without sampling noise.
        log_likelihood: E_q[log p(x|z)], nats.
        kl: from q(z|x) to the prior, nats.
    """

    x: Float32
    mean: Float32
    covariance: Float32
    elbo: float
    log_likelihood: float
    kl: float


@dataclass(frozen=True, eq=False)
class ImageTruth:
    """The integral over the plane beside the encoder's view.

    Attributes:
        bound: the encoder's view.
        log_marginal: log p(x) in nats, by quadrature.
        error: the estimated error of ``log_marginal``, nats.
        mean: of p(z|x), (2,) in latent units.
        mode: of p(z|x), (2,).
        covariance: of p(z|x), (2, 2).
        entropy: of p(z|x), nats.
    """

    bound: ImageBound
    log_marginal: float
    error: float
    mean: Float64
    mode: Float64
    covariance: Float64
    entropy: float

    @property
    def gap(self) -> float:
        """log p(x) − ELBO, which is KL(q(z|x) ‖ p(z|x)), nats."""
        return self.log_marginal - self.bound.elbo


_Key = tuple[int, bytes]

_kept: "WeakKeyDictionary[TrainedVAE, OrderedDict[_Key, ImageBound | ImageTruth]]" = (
    WeakKeyDictionary()
)
_lock = threading.Lock()


def image_bound(model: TrainedVAE, image: UInt8, seed: int, check: Check = unchecked) -> ImageBound:
    """The encoder's view of an image (h, w); nan is what the model does not know.

    Raises:
        DataError: as ``TrainedVAE.encode``.
    """
    known = _recall(model, image, seed)
    if known is not None:
        return known.bound if isinstance(known, ImageTruth) else known
    images, seeds = image[None], np.array([seed])
    q, x = model.encode(images), own_draws(model, images, seeds)
    parts = [math.nan] * 3
    if not model.no_marginal:
        figures = image_figures(model, images, seeds, check)
        parts = [float(part[0]) for part in (figures.elbo, figures.log_likelihood, figures.kl)]
    bound = ImageBound(x, q.mean[0], q.covariance[0], *parts)
    _keep(model, image, seed, bound)
    return bound


def image_truth(
    model: TrainedVAE, image: UInt8, seed: int, check: Check = unchecked, tell: Tell = untold
) -> ImageTruth:
    """All that is known of an image (h, w); ``check`` and ``tell`` as for ``exact_posterior``.

    Without an integral over the plane all of it is nan, but for the encoder's view.

    Raises:
        DataError: as ``TrainedVAE.encode``.
    """
    known = _recall(model, image, seed)
    if isinstance(known, ImageTruth):
        return known
    bound = image_bound(model, image, seed, check)
    if model.no_marginal:
        two = np.full(2, np.nan)
        return ImageTruth(bound, math.nan, math.nan, two, two, np.full((2, 2), np.nan), math.nan)
    exact = exact_posterior(model, bound.x, check, tell)
    truth = ImageTruth(
        bound,
        float(exact.log_marginal[0]),
        float(exact.error[0]),
        exact.mean[0],
        exact.mode[0],
        exact.covariance[0],
        float(exact.entropy[0]),
    )
    _keep(model, image, seed, truth)
    return truth


def _recall(model: TrainedVAE, image: UInt8, seed: int) -> ImageBound | ImageTruth | None:
    with _lock:
        return _kept.get(model, OrderedDict()).get((seed, image.tobytes()))


def _keep(model: TrainedVAE, image: UInt8, seed: int, found: ImageBound | ImageTruth) -> None:
    with _lock:
        images = _kept.setdefault(model, OrderedDict())
        images[seed, image.tobytes()] = found
        while len(images) > _MOST_IMAGES:
            images.popitem(last=False)
