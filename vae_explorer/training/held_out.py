"""Figures of a model on the images that it is not trained on, cheap enough for every epoch."""

import math
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from vae_explorer.data.treatment import treat
from vae_explorer.latent.aggregate import ACTIVE
from vae_explorer.latent.lattice import shifted_lattice
from vae_explorer.model.trained import Check, unchecked
from vae_explorer.model.vae import VAE, ElboTerms, log_prior
from vae_explorer.training.cost import decoder_products

_SEED = 20_140_501
_CHUNK = 2_500
_PATIENCE = 5.0
"""Seconds that the figures may take when nobody waits for them; they mostly take less."""
MARGINAL_POINTS = 6_000
"""Of the lattice over the prior that log p(x) is summed over, unless the decoder is large."""
_LEAST_POINTS, _PRODUCTS = 1_000, 6e10
"""Of a large decoder: as many as it takes so many multiplications for, a second or two."""
_PER_IMAGE, _DRAWS = 12, 8
"""Points of the lattice for each image that log p(x) is known of, and draws of its q(z|x)."""


class _GivenUpError(Exception):
    pass


def marginal_points(vae: VAE) -> int:
    """How many points of the lattice log p(x) of a model is summed over."""
    affordable = int(_PRODUCTS / decoder_products(vae.architecture))
    return min(MARGINAL_POINTS, max(_LEAST_POINTS, affordable))


def figures_while_wanted(
    vae: VAE,
    images: Tensor,
    treatment: str,
    check: Check,
    given_up: Callable[[], bool],
    *,
    exact: bool = True,
) -> dict[str, Any]:
    """``held_out_figures``, or none at all once they take long and ``given_up`` says so."""
    begin = time.monotonic()

    def look() -> None:
        check()
        if time.monotonic() - begin > _PATIENCE and given_up():
            raise _GivenUpError

    try:
        return held_out_figures(vae, images, treatment, look, exact=exact)
    except _GivenUpError:
        return {}


@torch.inference_mode()
def held_out_figures(
    vae: VAE, images: Tensor, treatment: str, check: Check = unchecked, *, exact: bool = True
) -> dict[str, Any]:
    """ELBO, its terms, log p(x) and active units, by their names in ``HistoryPoint``.

    Args:
        vae: the model.
        images: (n, pixels) uint8, at least one, on the model's device.
        treatment: of the pixels; the same draw at every call, so that a curve shows the model and
            not the noise.
        check: called between chunks of work; what it raises ends it.
        exact: with log p(x), which takes longer than all others; else it is None.

    Returns:
        Means in nats per image, and the number of active units.
    """
    generator = torch.Generator(images.device).manual_seed(_SEED)
    log_likelihood = kl = gap = 0.0
    means = []
    for number, chunk in enumerate(torch.split(images, _CHUNK)):
        x = treat(chunk.float().div_(255), treatment, generator)
        posterior = vae.posterior(x)
        z = posterior.sample(generator)[0]
        terms = ElboTerms(_log_likelihood(vae, x, z, check), posterior.kl())
        means.append(posterior.mean)
        log_likelihood += terms.log_likelihood.sum().item() / len(images)
        kl += terms.kl.sum().item() / len(images)
        if number == 0 and exact:
            points = marginal_points(vae)
            few = x[: max(1, points // _PER_IMAGE)]
            gap = log_marginal(vae, few, points, check) - terms.elbo[: len(few)].mean().item()
    activity = torch.cat(means).var(0, correction=0)
    return {
        "held_out_elbo": log_likelihood - kl,
        "held_out_log_likelihood": log_likelihood,
        "held_out_kl": kl,
        "held_out_log_marginal": log_likelihood - kl + gap if exact else None,
        "active_units": int((activity > ACTIVE).sum()),
    }


def log_marginal(vae: VAE, x: Tensor, points: int, check: Check = unchecked) -> float:
    """Mean log p(x) of x (n, pixels) in nats, summed over positions that are the same every time.

    Of a lattice over the prior, which misses no mode that q does not know, and of draws of q(z|x),
    which find a narrow posterior, or one far out; each counts by how likely either was to give it
    (the balance heuristic, Veach & Guibas 1995). What neither finds is missing.
    """
    generator = torch.Generator(x.device).manual_seed(_SEED)
    posterior = vae.posterior(x)

    def summed(z: Tensor, log_likelihood: Tensor) -> Tensor:
        """Log of the sum over k of z (k, 1 or n, 2), for log p(x|z) (k, n)."""
        prior = log_prior(z)
        drawn = posterior.log_prob(z) + math.log(_DRAWS)
        given = torch.logaddexp(prior + math.log(points), drawn)
        return (log_likelihood + prior - given).logsumexp(0)

    total = torch.full((len(x),), -math.inf, device=x.device)
    for some in torch.split(shifted_lattice(points, generator), vae.at_once(_CHUNK)):
        check()
        joint = vae.likelihood.pairwise(x, vae.outputs(some)).mT
        total = torch.logaddexp(total, summed(some[:, None], joint))
    for z in posterior.sample(generator, _DRAWS):
        there = _log_likelihood(vae, x, z, check)
        total = torch.logaddexp(total, summed(z[None], there[None]))
    return total.mean().item()


def _log_likelihood(vae: VAE, x: Tensor, z: Tensor, check: Check) -> Tensor:
    """Log p(x|z) of x (n, pixels) each at its z (n, 2), a part at a time."""
    at_once = vae.at_once(_CHUNK)
    found = []
    for some, there in zip(torch.split(x, at_once), torch.split(z, at_once), strict=True):
        check()
        found.append(vae.log_likelihood(some, there))
    return torch.cat(found)
