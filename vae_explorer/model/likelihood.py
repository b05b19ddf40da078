"""Likelihoods p(x|z) of an image given what the decoder puts out, in nats per image.

All are exponential families, log p(x|z) = x·a(z) − b(z) + c(x) over the pixels, so that the values
for n images at K positions of the latent plane are one (n × D)(D × K) matrix product.
"""

import math
from abc import abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional

SMALL = 0.1
"""Outputs of a continuous Bernoulli nearer to 0 are taken by their series."""


class Likelihood(nn.Module):
    """The family of log p(x|z); ``x`` is (..., D) and ``outputs``, the decoder's, (..., D)."""

    @abstractmethod
    def natural(self, outputs: Tensor) -> Tensor:
        """The natural parameters a, (..., D)."""

    @abstractmethod
    def log_normalizer(self, outputs: Tensor) -> Tensor:
        """The sum b over pixels, (...,) nats."""

    def log_base(self, x: Tensor) -> Tensor:
        """The sum c over pixels, (...,) nats, or one zero for all."""
        return x.new_zeros(())

    @abstractmethod
    def mean(self, outputs: Tensor) -> Tensor:
        """E[x|z], (..., D)."""

    @abstractmethod
    def outputs_for(self, mean: Tensor) -> Tensor:
        """Decoder outputs whose mean is near ``mean`` in [0, 1]; where training starts."""

    def forward(self, x: Tensor, outputs: Tensor) -> Tensor:
        """Log p(x|z) of each image with its own outputs, (...,) nats; shapes broadcast."""
        product = (x * self.natural(outputs)).sum(-1)
        return product - self.log_normalizer(outputs) + self.log_base(x)

    def pairwise(self, x: Tensor, outputs: Tensor) -> Tensor:
        """Log p(xᵢ|zₖ) of every image (n, D) with every output (K, D), (n, K) nats."""
        constant = self.log_base(x).reshape(-1, 1) - self.log_normalizer(outputs)
        # The product may come in bfloat16; the sum must not.
        return constant + x @ self.natural(outputs).mT


class Bernoulli(Likelihood):
    """Binary pixels; the outputs are logits. Gray values give a cross-entropy, not a likelihood."""

    def natural(self, outputs: Tensor) -> Tensor:
        """The logits themselves."""
        return outputs

    def log_normalizer(self, outputs: Tensor) -> Tensor:
        """Σ softplus: finite where log(1 − sigmoid) would not be."""
        return functional.softplus(outputs).sum(-1)

    def mean(self, outputs: Tensor) -> Tensor:
        """The sigmoid."""
        return outputs.sigmoid()

    def outputs_for(self, mean: Tensor) -> Tensor:
        """The logit, of at most 999 to 1."""
        return torch.logit(mean, eps=1e-3)


class ContinuousBernoulli(Bernoulli):
    """A density on [0, 1] for gray pixels (Loaiza-Ganem & Cunningham, arXiv 1907.06845).

    With the output l the density is exp(l·x) l/(exp(l) − 1).
    """

    def log_normalizer(self, outputs: Tensor) -> Tensor:
        """Σ log((exp(l) − 1)/l); its Taylor series where l is small, as 0/0 is not a number."""
        small = outputs.abs() < SMALL
        size = outputs.abs().clamp(min=SMALL)
        large = outputs.relu() + torch.log(-torch.expm1(-size) / size)
        square = outputs.square()
        series = outputs / 2 + square / 24 - square.square() / 2880
        return torch.where(small, series, large).sum(-1)

    def mean(self, outputs: Tensor) -> Tensor:
        """1/(1 − exp(−l)) − 1/l."""
        small = outputs.abs() < SMALL
        safe = torch.where(small, torch.ones_like(outputs), outputs)
        series = 0.5 + outputs / 12 - outputs**3 / 720
        # By tanh, as the gradient is not a number where exp(−l) overflows.
        return torch.where(small, series, 0.5 + 0.5 / torch.tanh(safe / 2) - 1 / safe)


class Gaussian(Likelihood):
    """A density with the outputs as mean and one learned variance for all pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.log_variance = nn.Parameter(torch.full((), math.log(0.05)))

    def natural(self, outputs: Tensor) -> Tensor:
        """The mean over the variance."""
        return outputs * torch.exp(-self.log_variance)

    def log_normalizer(self, outputs: Tensor) -> Tensor:
        """Half of |mean|²/variance + D log(2π variance)."""
        scaled = outputs.square().sum(-1) * torch.exp(-self.log_variance)
        return 0.5 * (scaled + outputs.shape[-1] * (math.log(2 * math.pi) + self.log_variance))

    def log_base(self, x: Tensor) -> Tensor:
        """Minus half of |x|²/variance."""
        return -0.5 * x.square().sum(-1) * torch.exp(-self.log_variance)

    def mean(self, outputs: Tensor) -> Tensor:
        """The outputs."""
        return outputs

    def outputs_for(self, mean: Tensor) -> Tensor:
        """The mean."""
        return mean


FAMILIES: dict[str, type[Likelihood]] = {
    "bernoulli": Bernoulli,
    "continuous-bernoulli": ContinuousBernoulli,
    "gaussian": Gaussian,
}
"""A recipe's name of a likelihood → its class."""
