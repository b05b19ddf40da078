"""How the importance-weighted bound tightens with k, and what k does to the encoder's gradient.

IWAE-k is E[log (1/k) Σ wᵢ] with w = p(x, z)/q(z|x) and z from q (Burda et al., arXiv 1509.00519,
eq. 8). It never falls with k and goes to log p(x).
"""

import math
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Generator, Tensor, nn

from vae_explorer.latent.importance import block_bounds
from vae_explorer.latent.normal import Normal
from vae_explorer.model.trained import Check, Images, TrainedVAE, unchecked
from vae_explorer.model.vae import VAE
from vae_explorer.training.objective import Objective, iwae, iwae_dreg
from vae_explorer.types import Float64

KS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
"""At which the bound is shown."""
GRADIENT_KS = (1, 2, 5, 10, 20, 50, 100, 200)
"""At which the gradient is repeated."""


class _Estimator(Protocol):
    def __call__(self, vae: VAE, x: Tensor, generator: Generator, samples: int, /) -> Objective: ...


ESTIMATORS: dict[str, _Estimator] = {"iwae": iwae, "dreg": iwae_dreg}
"""The objectives of training whose gradients are compared."""

_PLACES = 4_000  # decoded at once, with all that a gradient needs
_SMALLEST = 1e-300


@dataclass(frozen=True)
class Bound:
    """IWAE-k for every k of ``ks`` (r,), each (r,) float64 nats.

    ``mean`` is over disjoint blocks of k weights, of which there are ``blocks`` (r,); ``spread`` is
    the standard deviation of one block's value, NaN if there is but one.
    """

    ks: Float64
    mean: Float64
    spread: Float64
    blocks: Float64

    @property
    def error(self) -> Float64:
        """The standard error of ``mean``, (r,) nats."""
        return np.asarray(self.spread / np.sqrt(self.blocks))


@dataclass(frozen=True)
class Gradients:
    """The gradient of IWAE-k by the encoder's outputs, by repeats, for every k of ``ks`` (r,).

    ``mean`` (r, p) over the repeats of p outputs, ``spread`` (r, p) the standard deviation of one
    repeat; ``repeats`` how many they were.
    """

    ks: Float64
    mean: Float64
    spread: Float64
    repeats: int


def bound(log_weights: Float64, ks: Sequence[int] = KS) -> Bound:
    """IWAE-k from the weights of one image (n,), for each k up to n."""
    ks = [k for k in ks if k <= len(log_weights)]
    mean, spread, blocks = [], [], []
    for k in ks:
        values = block_bounds(log_weights, k)
        mean.append(values.mean())
        spread.append(values.std(ddof=1) if len(values) > 1 else math.nan)
        blocks.append(len(values))
    return Bound(*(np.array(part, np.float64) for part in (ks, mean, spread, blocks)))


def gradients(
    model: TrainedVAE,
    x: Images,
    q: Normal,
    estimator: str,
    ks: Sequence[int] = GRADIENT_KS,
    repeats: int = 100,
    seed: int = 0,
    check: Check = unchecked,
) -> Iterator[Gradients]:
    """What a step of training would send to an encoder that puts out ``q``, many times over.

    Yields what is known after every k. An encoder puts out five numbers: μ, the logarithm of L's
    diagonal and L₂₁, see ``Gaussian``.

    Args:
        model: gives p(x|z).
        x: (1, h, w), a draw of the model's data treatment.
        q: what is drawn from.
        estimator: one of ``ESTIMATORS``.
        ks: how many samples the bound has.
        repeats: gradients for each k, two or more.
        seed: fixes all noise.
        check: called between chunks; what it raises ends the work.
    """
    outputs = _outputs(model, q)
    target = model.tensor(x)
    generator = Generator(model.device).manual_seed(seed)
    means: list[Float64] = []
    spreads: list[Float64] = []
    for k in ks:

        def climb(vae: VAE, x: Tensor, k: int = k) -> Objective:
            return ESTIMATORS[estimator](vae, x, generator, k)

        parts, left = [], repeats
        while left:
            check()
            rows = min(left, max(1, _PLACES // k))
            parts.append(_gradient(model.vae, outputs, target, climb, rows))
            left -= rows
        found = torch.cat(parts).double().numpy()
        means.append(found.mean(0))
        spreads.append(found.std(0, ddof=1))
        done = np.array(ks[: len(means)], np.float64)
        yield Gradients(done, np.array(means), np.array(spreads), repeats)


def signal_to_noise(signal: Gradients, noise: Gradients) -> Float64:
    """|E g| / std g, the root mean square over the outputs, for every k (r,).

    Both gradients estimate the same mean: ``signal`` tells it from the quieter one, since that of
    the other may be lost in its noise (Rainforth et al., arXiv 1802.04537, eq. 3, who take the mean
    over parameters).
    """
    ratio = np.abs(signal.mean) / np.maximum(noise.spread, _SMALLEST)
    return np.asarray(np.sqrt((ratio**2).mean(1)))


def slope(ks: Float64, values: Float64, least: float = 1.0) -> float:
    """The power of k that ``values`` (r,) follow from k = ``least`` on, by least squares."""
    some = (ks >= least) & (values > 0)
    if some.sum() < 2:
        return math.nan
    return float(np.polyfit(np.log(ks[some]), np.log(values[some]), 1)[0])


class _Given(nn.Module):
    """An encoder whose outputs (n, p) are given."""

    def __init__(self, outputs: Tensor) -> None:
        super().__init__()
        self.outputs = outputs

    def forward(self, _: Tensor) -> Tensor:
        """The outputs, whatever the images."""
        return self.outputs


def _gradient(
    vae: VAE,
    outputs: Tensor,
    x: Tensor,
    objective: Callable[[VAE, Tensor], Objective],
    rows: int,
) -> Tensor:
    """Independent gradients of the bound by ``outputs`` (1, 5), (rows, 5)."""
    leaf = outputs.repeat(rows, 1).requires_grad_()
    # The same model with the same decoder, whose encoder puts these out.
    memo: dict[int, object] = {id(vae.encoder): _Given(leaf), id(vae.decoder): vae.decoder}
    loss = objective(deepcopy(vae, memo), x.expand(rows, -1)).loss
    (gradient,) = torch.autograd.grad(loss, leaf)
    # The loss is minus the mean over rows, of which each has an output of its own.
    return -rows * gradient


def _outputs(model: TrainedVAE, q: Normal) -> Tensor:
    """What an encoder puts out for ``q``, (1, 5), before the latent space is turned."""
    turn = np.eye(2) if model.vae.rotation is None else model.vae.rotation.cpu().numpy()
    factor = np.linalg.cholesky(turn.T @ q.covariance @ turn)
    numbers = [*(turn.T @ q.mean), *np.log(np.diagonal(factor)), factor[1, 0]]
    return torch.tensor([numbers], dtype=torch.float32, device=model.device)
