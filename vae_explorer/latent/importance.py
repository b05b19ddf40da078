"""The importance-weighted bound on log p(x), IWAE-k (Burda et al., arXiv 1509.00519, eq. 8).

With z₁ … z_k from a proposal r it is the logarithm of the mean of the weights
w = p(x|z) p(z) / r(z): in expectation a lower bound that never falls with k and goes to log p(x).
"""

import math

import numpy as np
import torch

from vae_explorer.model.trained import Check, Images, TrainedVAE, unchecked
from vae_explorer.model.vae import log_prior
from vae_explorer.types import Float64

_POINTS = 4_096  # decoded at once
_WEIGHTS = 4_000_000  # held at once


@torch.inference_mode()
def iwae(
    model: TrainedVAE,
    x: Images,
    k: int,
    seed: int = 0,
    check: Check = unchecked,
) -> Float64:
    """The k-sample bound of each image of x (n, h, w) by samples of q(z|x), (n,) nats.

    ``x`` is a sample of the model's data treatment (``TrainedVAE.treated``); ``seed`` fixes the
    noise; ``check`` is called between chunks, and what it raises ends the work.

    Raises:
        DataError: as ``TrainedVAE.encode``.
    """
    values = [np.empty(0)]
    vae, device = model.vae, model.device
    vae.check_marginal()
    generator = torch.Generator(device).manual_seed(seed)
    for some in torch.split(model.tensor(x), max(1, _WEIGHTS // k)) if len(x) else ():
        for images in torch.split(some, 64):
            posterior = vae.posterior(images)
            weights = torch.empty(len(images), k, dtype=torch.float64, device=device)
            each = max(1, vae.at_once(_POINTS) // len(images))
            for columns in torch.split(weights, each, dim=1):
                check()
                z = posterior.sample(generator, columns.shape[1])
                joint = vae.log_likelihood(images, z) + log_prior(z)
                columns.copy_((joint - posterior.log_prob(z)).mT)
            values.append((weights.logsumexp(1) - math.log(k)).cpu().numpy())
    return np.concatenate(values)


def block_bounds(log_weights: Float64, k: int) -> Float64:
    """The k-sample bound by each disjoint block of k weights of one image (n,): (n // k,) nats."""
    count = len(log_weights) // k
    blocks = log_weights[: count * k].reshape(count, k)
    top = blocks.max(1)
    return np.asarray(top + np.log(np.exp(blocks - top[:, None]).mean(1)))
