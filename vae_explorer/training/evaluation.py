"""Scores of a model on images it has not seen."""

import math
from dataclasses import dataclass

from numpy.typing import ArrayLike

from vae_explorer.data.arrays import spread
from vae_explorer.data.dataset import Dataset, ImageSet
from vae_explorer.latent.aggregate import aggregate
from vae_explorer.latent.gap import gap
from vae_explorer.latent.importance import iwae
from vae_explorer.latent.quadrature import exact_posterior
from vae_explorer.model.trained import Check, TrainedVAE, unchecked
from vae_explorer.types import Floats

_AGGREGATED = 10_000  # images; the time grows with their square


@dataclass(frozen=True)
class Evaluation:
    """Means over ``images`` images, nats per image, with what they depend on.

    ``elbo`` is ``log_likelihood`` − ``kl`` at one z an image; ``standard_error`` is that of its
    mean over images. ``iwae_50`` is the 50-sample bound. ``log_marginal`` is log p(x) by
    quadrature, ``log_marginal_error`` the mean of its estimated errors and
    ``log_marginal_standard_error`` that of its mean over images. ``seed`` fixes the one draw of the
    data treatment, which all figures share, and all noise.

    ``mutual_information`` of image and code and ``marginal_kl``, KL(q(z) ‖ p(z)), add up to the
    rate, and ``active_units`` is the number of dimensions in use; all three are of at most 10,000
    images, see ``Aggregate``.

    Three figures come from ``subset`` images, spread evenly over the set, for their cost:
    ``approximation_gap``, ``amortisation_gap``, and ``iwae_5000``, which is ``log_marginal`` less
    what the 5,000-sample bound falls short of log p(x) on the subset.
    """

    elbo: float
    standard_error: float
    log_likelihood: float
    kl: float
    iwae_50: float
    iwae_5000: float
    log_marginal: float
    log_marginal_error: float
    log_marginal_standard_error: float
    approximation_gap: float
    amortisation_gap: float
    mutual_information: float
    marginal_kl: float
    active_units: int
    images: int
    subset: int
    data: str
    treatment: str
    seed: int


def evaluate(
    model: TrainedVAE,
    data: Dataset | ImageSet | ArrayLike,
    seed: int = 0,
    subset: int = 200,
    check: Check = unchecked,
) -> Evaluation:
    """The model's bounds, its exact log p(x) and its gaps on ``data`` under its own treatment.

    Takes a minute or two for 10,000 images on two cores, most of it for the subset.

    Args:
        model: what to score.
        data: at least one image: (n, h, w) or (n, h, w, 3) as ``ImageSet.from_arrays`` takes them,
            an ``ImageSet``, or a ``Dataset``, whose test images are taken.
        seed: of the draw of pixels and of all noise.
        subset: how many images the costly figures come from; all if there are fewer.
        check: called between chunks of work; what it raises ends it.

    Raises:
        DataError: the images are not of the model's size.
    """
    data = data.test if isinstance(data, Dataset) else ImageSet.of(data)
    x = model.treated(data.images, seed)
    terms = model.elbo_terms(data.images, seed, check)
    exact = exact_posterior(model, x, check)
    some = spread(len(x), subset)
    codes = aggregate(model, x[spread(len(x), _AGGREGATED)], seed, check)
    anatomy = gap(model, x[some], exact.log_marginal[some], check)
    shortfall = exact.log_marginal[some] - iwae(model, x[some], 5_000, seed, check)
    log_marginal = float(exact.log_marginal.mean())
    return Evaluation(
        elbo=_mean(terms.elbo),
        standard_error=_standard_error(terms.elbo),
        log_likelihood=_mean(terms.log_likelihood),
        kl=_mean(terms.kl),
        iwae_50=_mean(iwae(model, x, 50, seed, check)),
        iwae_5000=log_marginal - _mean(shortfall),
        log_marginal=log_marginal,
        log_marginal_error=_mean(exact.error),
        log_marginal_standard_error=_standard_error(exact.log_marginal),
        approximation_gap=_mean(anatomy.approximation),
        amortisation_gap=_mean(anatomy.amortisation),
        mutual_information=codes.mutual_information,
        marginal_kl=codes.marginal_kl,
        active_units=codes.active_units,
        images=len(x),
        subset=len(some),
        data=f"{data.name} {data.split}",
        treatment=model.treatment,
        seed=seed,
    )


def _mean(values: Floats) -> float:
    return float(values.mean(dtype=float))


def _standard_error(values: Floats) -> float:
    return float(values.std(dtype=float)) / math.sqrt(len(values))
