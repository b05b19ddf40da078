"""What the model makes of a drawn digit, as frozen values."""

from dataclasses import dataclass

from vae_explorer.session.state import Thumbnail
from vae_explorer.types import Float32

NEIGHBOURS = 5
"""Nearest images shown beside a drawing."""


@dataclass(frozen=True, eq=False)
class Reading:
    """What the encoder and the integral say of one image.

    ``mean`` (2,) and ``covariance`` (2, 2) are of q, in latent units, ``elbo`` and ``log_marginal``
    = log p(x) in nats; the latter is None while it is not known, since it takes longer.
    """

    mean: Float32
    covariance: Float32
    elbo: float
    log_marginal: float | None = None

    @property
    def gap(self) -> float | None:
        """log p(x) − ELBO = KL(q(z|x) ‖ p(z|x)), nats."""
        return None if self.log_marginal is None else self.log_marginal - self.elbo


@dataclass(frozen=True, eq=False)
class Neighbour:
    """An image of the data, and its Euclidean ``distance`` to the drawing, full ink being 1."""

    thumbnail: Thumbnail
    distance: float
