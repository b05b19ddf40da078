"""What the instrument of the bound computes beside the main thread."""

from dataclasses import dataclass

import numpy as np

from vae_explorer.latent.figures import own_draws
from vae_explorer.latent.normal import Normal
from vae_explorer.latent.quadrature import exact_posterior
from vae_explorer.lessons.bound import Bound, bound, log_posterior
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.session.jobs import Control
from vae_explorer.session.map.layer_contents import Subject
from vae_explorer.session.map.marks import Field
from vae_explorer.types import Float32, Region

MOST_PLACES = 40_000
"""Of the sums for a q that rests."""

_FALL = 40.0  # nats below the peak, at which a logarithmic picture ends


@dataclass(frozen=True, eq=False)
class Truth:
    """What is known of a digit before any q is chosen.

    ``x`` (1, h, w) is the draw of the ``subject`` that all is of; ``log_marginal`` log p(x) in
    nats and ``error`` its own; ``encoder`` the encoder's q and ``encoder_bound`` its bound;
    ``moments`` the Gaussian with the mean and the covariance of p(z|x); ``peak`` the log of that
    posterior's highest density.
    """

    model: TrainedVAE
    subject: Subject
    x: Float32
    log_marginal: float
    error: float
    moments: Normal
    encoder: Normal
    encoder_bound: Bound
    peak: float

    def is_of(self, model: TrainedVAE | None, subject: Subject | None) -> bool:
        """It is of this digit, under this model."""
        mine = self.subject
        return (
            model is self.model
            and subject is not None
            and (mine.title, mine.seed) == (subject.title, subject.seed)
            and np.array_equal(mine.image, subject.image)
        )


def find_truth(model: TrainedVAE, subject: Subject, control: Control) -> Truth:
    """All that is known of a digit; a second of work, most of it once for a model."""
    image = subject.image[None]
    x = own_draws(model, image, np.array([subject.seed]))
    exact = exact_posterior(model, x, control.check)
    log_marginal, mode = float(exact.log_marginal[0]), exact.mode[0]
    encoded = model.encode(image)
    encoder = Normal.of(encoded.mean[0], encoded.covariance[0])
    around = (mode[0] - 1e-4, mode[0] + 1e-4, mode[1] - 1e-4, mode[1] + 1e-4)
    return Truth(
        model,
        subject,
        x,
        log_marginal,
        float(exact.error[0]),
        Normal.of(exact.mean[0], exact.covariance[0]),
        encoder,
        bound(model, x, encoder, log_marginal, MOST_PLACES, control.check),
        float(log_posterior(model, x, around, (1, 1), log_marginal)[0, 0]),
    )


def bound_of(truth: Truth, q: Normal, places: int, control: Control) -> Bound:
    """The bound of one q."""
    return bound(truth.model, truth.x, q, truth.log_marginal, places, control.check)


def picture_of(
    truth: Truth, region: Region, shape: tuple[int, int], log: bool, control: Control
) -> Field:
    """p(z|x) over a region, or its logarithm, of so many rows and columns."""
    values = log_posterior(
        truth.model, truth.x, region, shape, truth.log_marginal, control.check
    ).astype(np.float32)
    if log:
        return Field(region, values - truth.peak, -_FALL, 0.0, "nats below the peak", fading=True)
    high = float(np.exp(truth.peak))
    return Field(region, np.exp(values), 0.0, high, "per squared latent unit", fading=True)
