"""The Gaussian posterior q(z|x) = N(μ, L Lᵀ) in two dimensions."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor

from vae_explorer.types import Floats

OUTPUTS = {"diagonal": 4, "full": 5}
"""Numbers an encoder gives per image: μ (2), log of L's diagonal (2) and, if full, L₂₁."""

LOG_SCALE_RANGE = (-9.0, 3.0)


@dataclass(frozen=True)
class Part:
    """The images from ``start`` to before ``stop`` of a batch of ``whole``."""

    start: int
    stop: int
    whole: int

    @property
    def rows(self) -> slice:
        """Where they are."""
        return slice(self.start, self.stop)


@dataclass(frozen=True)
class Gaussian:
    """A batch of n Gaussians: ``mean`` (n, 2), ``log_diagonal`` (n, 2), ``lower`` (n,) or None.

    L = [[exp(log_diagonal₀), 0], [lower, exp(log_diagonal₁)]] is the Cholesky factor of the
    covariance; ``lower`` is None for a diagonal one (Kingma & Welling, arXiv 1906.02691, §2.5.1).
    """

    mean: Tensor
    log_diagonal: Tensor
    lower: Tensor | None

    @classmethod
    def from_outputs(cls, outputs: Tensor) -> "Gaussian":
        """Read an encoder's (n, 4) or (n, 5) outputs."""
        # Clamped so that an untrained or extreme encoder cannot overflow exp().
        log_diagonal = outputs[:, 2:4].clamp(*LOG_SCALE_RANGE)
        return cls(outputs[:, :2], log_diagonal, outputs[:, 4] if outputs.shape[1] == 5 else None)

    @classmethod
    def from_moments(cls, mean: Floats, covariance: Floats) -> "Gaussian":
        """N(mean (n, 2), covariance (n, 2, 2)) in float64, on the CPU.

        In float32 the covariance of a needle need not be positive definite; L₂₂ is then 1e-6.
        """
        moments = torch.from_numpy(covariance.astype(np.float64))
        first = moments[:, 0, 0].sqrt()
        lower = moments[:, 1, 0] / first
        second = (moments[:, 1, 1] - lower.square()).clamp(min=1e-12).sqrt()
        log_diagonal = torch.stack([first, second], 1).log()
        return cls(torch.from_numpy(mean.astype(np.float64)), log_diagonal, lower)

    def scale_tril(self) -> Tensor:
        """The Cholesky factors L, (n, 2, 2)."""
        diagonal = self.log_diagonal.exp()
        lower = torch.zeros_like(diagonal[:, 0]) if self.lower is None else self.lower
        zero = torch.zeros_like(lower)
        return torch.stack([diagonal[:, 0], zero, lower, diagonal[:, 1]], dim=1).view(-1, 2, 2)

    def covariance(self) -> Tensor:
        """L Lᵀ, (n, 2, 2), squared latent units."""
        scale = self.scale_tril()
        return scale @ scale.mT

    def sample(self, generator: Generator, samples: int = 1, part: Part | None = None) -> Tensor:
        """Reparameterised draws z = μ + L ε, (samples, n, 2) (arXiv 1312.6114, §2.4).

        If these are only a ``part`` of a batch, their ε are those that they have in the whole.
        """
        count = part.whole if part else len(self.mean)
        noise = self.mean.new_empty(samples, count, 2).normal_(generator=generator)
        return self.transform(noise[:, part.rows] if part else noise)

    def transform(self, noise: Tensor) -> Tensor:
        """Map ε (..., n, 2) to z = μ + L ε."""
        offset = self.log_diagonal.exp() * noise
        if self.lower is not None:
            shear = self.lower * noise[..., 0]
            offset = offset + torch.stack([torch.zeros_like(shear), shear], dim=-1)
        return self.mean + offset

    def turned(self, rotation: Tensor | None) -> "Gaussian":
        """N(R μ, R Σ Rᵀ), the distribution of R z, for an orthogonal R (2, 2); itself for None."""
        if rotation is None:
            return self
        rotation = rotation.to(self.mean)
        # The first row of R L is as long as that of its Cholesky factor; the determinant stays.
        first, second = (rotation @ self.scale_tril()).unbind(1)
        length = first.norm(dim=1)
        log_length = length.log()
        log_diagonal = torch.stack([log_length, self.log_diagonal.sum(1) - log_length], dim=1)
        return Gaussian(self.mean @ rotation.T, log_diagonal, (first * second).sum(1) / length)

    def double(self) -> "Gaussian":
        """The same distributions in float64."""
        lower = None if self.lower is None else self.lower.double()
        return Gaussian(self.mean.double(), self.log_diagonal.double(), lower)

    def detach(self) -> "Gaussian":
        """The same distributions, through which no gradient flows."""
        lower = None if self.lower is None else self.lower.detach()
        return Gaussian(self.mean.detach(), self.log_diagonal.detach(), lower)

    def kl(self) -> Tensor:
        """KL(q(z|x) ‖ N(0, I)) in nats, (n,): arXiv 1312.6114, appendix B, plus the L₂₁ term."""
        squares = self.mean.square() + (2 * self.log_diagonal).exp()
        total = 0.5 * squares.sum(1) - 1.0 - self.log_diagonal.sum(1)
        return total if self.lower is None else total + 0.5 * self.lower.square()

    def log_prob(self, z: Tensor) -> Tensor:
        """Log q(z|x) in nats for z (..., n, 2), (..., n)."""
        diagonal = self.log_diagonal.exp()
        offset = z - self.mean
        first = offset[..., 0] / diagonal[:, 0]
        second = offset[..., 1]
        if self.lower is not None:
            second = second - self.lower * first
        second = second / diagonal[:, 1]
        normalizer = self.log_diagonal.sum(1) + math.log(2 * math.pi)
        return -0.5 * (first.square() + second.square()) - normalizer
