"""Why the ELBO falls short of log p(x): the family of q, or the encoder that picks from it.

Everywhere ``x`` is (n, h, w), a draw of the model's data treatment (``TrainedVAE.treated``), and
``check`` is called between chunks: what it raises ends the work. Errors are those of
``TrainedVAE.encode``. E_q[log p(x|z)] is a Gauss-Hermite sum over 8 × 8 positions of z, exact for
polynomials of degree 15 in each direction; there is no noise.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vae_explorer.latent.normal import gauss_hermite
from vae_explorer.model.gaussian import OUTPUTS, Gaussian
from vae_explorer.model.trained import Check, Images, TrainedVAE, unchecked
from vae_explorer.types import Float64, Floats

_NODES = 8  # along each axis
_IMAGES = 64  # decoded at once, each at all of its nodes
_RATE = 0.1  # Adam's first step, in standard deviations of the encoder's q


@dataclass(frozen=True)
class Refinement:
    """The best q found for each of n images after ``step`` steps.

    ``mean`` (n, 2) and ``covariance`` (n, 2, 2) in latent units, ``elbo`` (n,) nats; all float64.
    """

    step: int
    mean: Float64
    covariance: Float64
    elbo: Float64


@dataclass(frozen=True)
class Gap:
    """log p(x) − ELBO in two parts (Cremer et al., arXiv 1801.03558, eq. 2-4), each (n,) nats.

    ``elbo_refined`` is that of the best q found in the encoder's family, ``elbo`` that of its own.
    """

    log_marginal: Float64
    elbo_refined: Float64
    elbo: Float64

    @property
    def approximation(self) -> Float64:
        """What even the best q of the family loses."""
        return self.log_marginal - self.elbo_refined

    @property
    def amortisation(self) -> Float64:
        """What the encoder loses to the best q; not negative."""
        return self.elbo_refined - self.elbo

    @property
    def total(self) -> Float64:
        """KL(q(z|x) ‖ p(z|x)) of the encoder's q."""
        return self.log_marginal - self.elbo


def gap(model: TrainedVAE, x: Images, log_marginal: Float64, check: Check = unchecked) -> Gap:
    """Split the gap below ``log_marginal``, (n,) nats, an estimate of log p(x)."""
    seen = list(refine_posterior(model, x, check=check))
    return Gap(log_marginal, seen[-1].elbo, seen[0].elbo)


@torch.no_grad()
def elbo_of(model: TrainedVAE, x: Images, q: Gaussian, check: Check = unchecked) -> Float64:
    """E_q[log p(x|z)] − KL of n images under as many Gaussians in float64, (n,) nats."""
    return torch.cat(list(_elbos(model, model.tensor(x), q, check))).cpu().numpy()


def refine_posterior(
    model: TrainedVAE,
    x: Images,
    steps: int = 300,
    check: Check = unchecked,
    every: int = 10,
    encoded: Images | None = None,
    start: tuple[Floats, Floats] | None = None,
    last: int | None = None,
) -> Iterator[Refinement]:
    """Climb the ELBO of each image from the encoder's q, by Adam within the encoder's family.

    Yields the encoder's q as step 0, then the best after every ``every`` steps and at the end,
    which is ``last`` if it is not to go on to the end of its ``steps``.
    The encoder is given ``encoded`` (n, h, w), such as the intensities that ``x`` is a draw of, or
    else ``x`` itself. It is not asked if there is a ``start``, mean (n, 2) and covariance
    (n, 2, 2): then the climb begins there, among all Gaussians.
    """
    if not len(x):
        yield Refinement(0, np.empty((0, 2)), np.empty((0, 2, 2)), np.empty(0))
        return
    images = model.tensor(x)
    if start is None:
        rotation = model.vae.rotation
        with torch.no_grad():
            given = images if encoded is None else model.tensor(encoded)
            first = Gaussian.from_outputs(model.vae.encoded(given).double())
    else:
        rotation, first = None, Gaussian.from_moments(*start)
    numbers = OUTPUTS["diagonal" if first.lower is None else "full"]
    offset = first.mean.new_zeros(len(images), numbers).requires_grad_()
    best, best_elbo = offset.detach().clone(), first.mean.new_full((len(images),), -math.inf)
    optimizer = torch.optim.Adam([offset], betas=(0.9, 0.99))
    last = steps if last is None else min(last, steps)
    for step in range(last + 1):
        optimizer.zero_grad()
        elbos = []
        for part in _elbos(model, images, _moved(first, offset).turned(rotation), check):
            elbos.append(part.detach())
            torch.autograd.backward(-part.sum(), retain_graph=True)  # of _moved, for the next chunk
        better = (elbo := torch.cat(elbos)) > best_elbo
        best = torch.where(better[:, None], offset.detach(), best)
        best_elbo = torch.where(better, elbo, best_elbo)
        if step % every == 0 or step == last:
            q = _moved(first, best).turned(rotation)
            found = (part.cpu().numpy() for part in (q.mean, q.covariance(), best_elbo))
            yield Refinement(step, *found)
        optimizer.param_groups[0]["lr"] = _RATE * (1 + math.cos(math.pi * step / max(1, steps))) / 2
        optimizer.step()


def _moved(start: Gaussian, offset: Tensor) -> Gaussian:
    """N(μ + L m, (L R)(L R)ᵀ) of ``start`` = N(μ, L Lᵀ) and (m, log of R's diagonal, maybe R₂₁).

    In units of ``start``: one step size does for wide and narrow posteriors.
    """
    lower = start.lower
    if lower is not None:
        lower = lower * offset[:, 2].exp() + start.log_diagonal[:, 1].exp() * offset[:, 4]
    return Gaussian(start.transform(offset[:, :2]), start.log_diagonal + offset[:, 2:4], lower)


def _elbos(model: TrainedVAE, x: Tensor, q: Gaussian, check: Check) -> Iterator[Tensor]:
    """E_q[log p(x|z)] − KL of some images (n, pixels) at a time, in their order, float64."""
    model.vae.check_marginal()
    nodes, weights = map(torch.from_numpy, gauss_hermite(_NODES))
    z, kl = q.transform(nodes[:, None]).float(), q.kl()
    images = max(1, min(_IMAGES, model.vae.need("decoder").rows(kept=True) // len(nodes)))
    for start in range(0, len(x), images):
        check()
        part = slice(start, start + images)
        yield weights @ model.vae.log_likelihood(x[part], z[:, part]).double() - kl[part]
