"""What the experiment of the bound computes off the main thread."""

from dataclasses import dataclass

import numpy as np

from vae_explorer.latent.normal import Normal
from vae_explorer.lessons.bound import Bound, bound, log_posterior
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.session.explore.image_truth import ImageTruth, image_truth
from vae_explorer.session.jobs import Control
from vae_explorer.session.map.layer_contents import EncodedImage
from vae_explorer.session.map.marks import Field
from vae_explorer.types import Float32, Region

MOST_PLACES = 40_000
"""Of the sums for a q that rests."""

_FALL = 40.0  # nats below the peak, at which a logarithmic picture ends


@dataclass(frozen=True, eq=False)
class Truth:
    """What is ``known`` of the target image ``target_image`` before any q is chosen.

    ``encoder`` is the encoder's q and ``encoder_bound`` its bound; ``moments`` the Gaussian with
    the mean and the covariance of p(z|x); ``peak`` the log of that posterior's highest density.
    """

    model: TrainedVAE
    target_image: EncodedImage
    known: ImageTruth
    moments: Normal
    encoder: Normal
    encoder_bound: Bound
    peak: float

    @property
    def x(self) -> Float32:
        """The binarisation of the image that all is of, (1, h, w)."""
        return self.known.bound.x

    @property
    def log_marginal(self) -> float:
        """log p(x), nats."""
        return self.known.log_marginal


def find_truth(model: TrainedVAE, target: EncodedImage, control: Control) -> Truth:
    """All that is known of an image; a second of work, most of it once for a model."""
    known = image_truth(model, target.image, target.seed, control.check)
    x, log_marginal = known.bound.x, known.log_marginal
    encoder = Normal.of(known.bound.mean, known.bound.covariance)
    z1, z2 = known.mode
    around = (z1 - 1e-4, z1 + 1e-4, z2 - 1e-4, z2 + 1e-4)
    return Truth(
        model,
        target,
        known,
        Normal.of(known.mean, known.covariance),
        encoder,
        bound(model, x, encoder, log_marginal, MOST_PLACES, control.check),
        float(log_posterior(model, x, around, (1, 1), log_marginal)[0, 0]),
    )


def bound_of(truth: Truth, q: Normal, positions: int, control: Control) -> Bound:
    """The bound of one q."""
    return bound(truth.model, truth.x, q, truth.log_marginal, positions, control.check)


def picture_of(
    truth: Truth, region: Region, shape: tuple[int, int], log: bool, control: Control
) -> Field:
    """p(z|x) over a region, or its logarithm, in a shape of rows and columns."""
    values = log_posterior(
        truth.model, truth.x, region, shape, truth.log_marginal, control.check
    ).astype(np.float32)
    if log:
        return Field(region, values - truth.peak, -_FALL, 0.0, "nats below the peak", fading=True)
    high = float(np.exp(truth.peak))
    return Field(region, np.exp(values), 0.0, high, "per squared latent unit", fading=True)
