"""Scores of a model on images it has not seen."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from vae_explorer.data.dataset import ImageSet
from vae_explorer.model.trained import TrainedVAE


@dataclass(frozen=True)
class Evaluation:
    """Means over ``images`` images, nats per image, with what they depend on.

    ``standard_error`` is that of the mean ELBO over images; ``seed`` fixes the one draw of data
    treatment and noise.
    """

    elbo: float
    log_likelihood: float
    kl: float
    standard_error: float
    images: int
    data: str
    treatment: str
    estimator: str
    seed: int


def evaluate(
    model: TrainedVAE, data: ImageSet, seed: int = 0, check: Callable[[], None] | None = None
) -> Evaluation:
    """The model's mean ELBO on ``data`` under its own data treatment; one sample of z an image."""
    terms = model.elbo_terms(data.images, seed, *([check] if check else []))
    return Evaluation(
        elbo=float(terms.elbo.mean(dtype=float)),
        log_likelihood=float(terms.log_likelihood.mean(dtype=float)),
        kl=float(terms.kl.mean(dtype=float)),
        standard_error=float(terms.elbo.std(dtype=float)) / math.sqrt(len(terms.elbo)),
        images=len(data.images),
        data=f"{data.name} {data.split}",
        treatment=model.treatment,
        estimator="ELBO",
        seed=seed,
    )
