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
from vae_explorer.model.vae import VAE, ElboTerms

_SEED = 20_140_501
_CHUNK = 2_500
_MARGINAL_IMAGES = 500
_PATIENCE = 5.0
"""Seconds that the figures may take when nobody waits for them; they mostly take less."""
MARGINAL_POINTS = 10_000
"""Of the lattice over the prior that log p(x) is summed over."""


class _GivenUpError(Exception):
    pass


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
    at_once = vae.at_once(_CHUNK)
    for number, chunk in enumerate(torch.split(images, _CHUNK)):
        x = treat(chunk.float().div_(255), treatment, generator)
        posterior = vae.posterior(x)
        z = posterior.sample(generator)[0]
        likelihoods = []
        for some, there in zip(torch.split(x, at_once), torch.split(z, at_once), strict=True):
            check()
            likelihoods.append(vae.log_likelihood(some, there))
        terms = ElboTerms(torch.cat(likelihoods), posterior.kl())
        means.append(posterior.mean)
        log_likelihood += terms.log_likelihood.sum().item() / len(images)
        kl += terms.kl.sum().item() / len(images)
        if number == 0 and exact:
            few = x[:_MARGINAL_IMAGES]
            gap = _log_marginal(vae, few, check) - terms.elbo[: len(few)].mean().item()
    activity = torch.cat(means).var(0, correction=0)
    return {
        "held_out_elbo": log_likelihood - kl,
        "held_out_log_likelihood": log_likelihood,
        "held_out_kl": kl,
        "held_out_log_marginal": log_likelihood - kl + gap if exact else None,
        "active_units": int((activity > ACTIVE).sum()),
    }


def _log_marginal(vae: VAE, x: Tensor, check: Check) -> float:
    """Mean log p(x) of x (n, pixels) in nats, from a fixed lattice over the prior.

    On posteriors wider than the lattice's spacing it is exact; on narrower ones a little too low,
    by some tenths of a nat for a sharp decoder.
    """
    generator = torch.Generator(x.device).manual_seed(_SEED)
    total = torch.full((len(x),), -math.inf, device=x.device)
    for points in torch.split(shifted_lattice(MARGINAL_POINTS, generator), vae.at_once(_CHUNK)):
        check()
        joint = vae.likelihood.pairwise(x, vae.outputs(points))
        total = torch.logaddexp(total, joint.logsumexp(1))
    return total.mean().item() - math.log(MARGINAL_POINTS)
