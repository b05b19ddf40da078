"""A VAE trained by the algorithm of its first paper, with either estimator of the gradient.

Algorithm 1 of Kingma & Welling, arXiv 1312.6114, with its equation 10 and M = 100, L = 1: no more
than the lines of a lesson. ``training`` has all that makes it fast and good.
"""

from collections.abc import Iterator
from typing import Literal

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from vae_explorer.data.bundled import mnist
from vae_explorer.model.trained import Check, unchecked
from vae_explorer.training.trainer import GLOBAL_STREAM

IMAGES = 5_000
"""First training images, which it is trained on."""
STEPS = 240

_BATCH, _HIDDEN, _RATE = 100, 256, 3e-3

Estimator = Literal["path", "score"]
ESTIMATORS: tuple[Estimator, ...] = ("path", "score")


def train(
    estimator: Estimator = "path", steps: int | None = None, seed: int = 0, check: Check = unchecked
) -> Iterator[float]:
    """The ELBO of the minibatch of each step, nats per image; ``STEPS`` if no number is given.

    The gradient by the encoder's parameters is that of the "path", or of the "score" function with
    the mean of the minibatch as its baseline; by the decoder's they are the same. ``check`` is
    called before every step; what it raises ends the work.
    """
    images = torch.tensor(mnist("train").images[:IMAGES] / 255).float().flatten(1)
    with GLOBAL_STREAM, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder = nn.Sequential(nn.Linear(784, _HIDDEN), nn.ReLU(), nn.Linear(_HIDDEN, 4))
        decoder = nn.Sequential(nn.Linear(2, _HIDDEN), nn.ReLU(), nn.Linear(_HIDDEN, 784))
        stream = torch.Generator()
        stream.set_state(torch.get_rng_state())
    optimiser = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=_RATE)
    for _ in range(STEPS if steps is None else steps):
        check()
        x = images[torch.randint(len(images), (_BATCH,), generator=stream)]
        mu, log_sigma = encoder(x).chunk(2, dim=1)
        sigma = log_sigma.exp()
        z = mu + sigma * torch.randn(mu.shape, generator=stream)
        if estimator == "score":
            z = z.detach()
        bits = binary_cross_entropy_with_logits(decoder(z), x, reduction="none")
        log_likelihood = -bits.sum(1)
        kl = -0.5 * (1 + 2 * log_sigma - mu**2 - sigma**2).sum(1)
        elbo = log_likelihood - kl
        gain = elbo.mean()
        if estimator == "score":
            log_q = (-0.5 * ((z - mu) / sigma) ** 2 - log_sigma).sum(1)
            value = log_likelihood.detach()
            gain = gain + ((value - value.mean()) * log_q).mean()
        optimiser.zero_grad()
        (-gain).backward()
        optimiser.step()
        yield float(elbo.mean().detach())
