"""Published figures of models with two latent dimensions, on MNIST's test images."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PublishedResult:
    """Nats per image, None where the paper gives none.

    ``log_marginal`` is an importance-sampling estimate with ``samples`` samples; ``treatment`` is
    that of the pixels: figures of different treatments cannot be compared.
    """

    model: str
    source: str
    treatment: str
    samples: int
    log_marginal: float
    elbo: float | None = None
    log_likelihood: float | None = None
    kl: float | None = None


PUBLISHED = (
    PublishedResult(
        "Gaussian",
        "Davidson et al. 2018, arXiv 1804.00891, table 1",
        "binarized",
        500,
        log_marginal=-135.73,
        elbo=-137.08,
        log_likelihood=-129.84,
        kl=7.24,
    ),
    PublishedResult(
        "sphere",
        "Davidson et al. 2018, arXiv 1804.00891, table 1",
        "binarized",
        500,
        log_marginal=-132.50,
        elbo=-133.72,
        log_likelihood=-126.43,
        kl=7.28,
    ),
    PublishedResult(
        "Gaussian",
        "Mathieu et al. 2019, arXiv 1901.06033, table 2",
        "gray",
        5_000,
        log_marginal=-144.5,
    ),
)
"""Each binarised row is of fresh draws of the pixels, as ours, and of means over ten runs."""
