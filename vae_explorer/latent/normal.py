"""Gaussians over the latent plane, in NumPy; ``model.gaussian.Gaussian`` is a batch in PyTorch."""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.polynomial.hermite_e import hermegauss

from vae_explorer.types import Float64, Floats, LatentPoint


@dataclass(frozen=True)
class Normal:
    """A Gaussian by its ellipse, in latent units.

    ``widths`` are the standard deviations along its two axes, ``angle`` the direction of the first
    in radians, anticlockwise from z₁.
    """

    mean: LatentPoint
    widths: tuple[float, float]
    angle: float = 0.0

    @classmethod
    def of(cls, mean: Floats, covariance: Floats) -> "Normal":
        """N(mean (2,), covariance (2, 2)); its first axis is the longer one and points right."""
        variances, axes = np.linalg.eigh(covariance.astype(np.float64))
        angle = math.atan2(axes[1, 1], axes[0, 1])
        z1, z2 = map(float, mean)
        short, long = map(float, np.sqrt(variances.clip(0)))
        return cls((z1, z2), (long, short), math.remainder(angle, math.pi))

    @property
    def factor(self) -> Float64:
        """A (2, 2), A Aᵀ the covariance; its columns are the axes, each as long as its width."""
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        return np.array([[cos, -sin], [sin, cos]]) * self.widths

    @property
    def covariance(self) -> Float64:
        """(2, 2), squared latent units."""
        factor = self.factor
        return np.asarray(factor @ factor.T)

    @property
    def log_determinant(self) -> float:
        """Log of the determinant of ``factor``: of the product of the widths."""
        return sum(map(math.log, self.widths))

    def kl_prior(self) -> float:
        """KL(q ‖ N(0, I)) in nats, arXiv 1312.6114, appendix B."""
        squares = sum(value**2 for value in (*self.mean, *self.widths))
        return 0.5 * squares - 1.0 - self.log_determinant


PRIOR = Normal((0.0, 0.0), (1.0, 1.0))


def square_roots(covariance: Floats) -> Float64:
    """Matrices A with A Aᵀ = ``covariance`` (..., 2, 2), likewise (..., 2, 2) float64.

    By eigenvectors, the columns of A: in float32 the covariance of a needle need not be positive
    definite.
    """
    variances, axes = np.linalg.eigh(covariance.astype(np.float64))
    return np.asarray(axes * np.sqrt(variances.clip(0))[..., None, :])


def gauss_hermite(nodes: int) -> tuple[Float64, Float64]:
    """Points (nodes², 2) and weights (nodes²,) whose sum is a mean under N(0, I).

    Exact for polynomials of degree 2 · nodes − 1 in each direction.
    """
    axis, mass = _hermite(nodes)
    points = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    return points, np.outer(mass, mass).reshape(-1) / (2 * math.pi)


@cache
def _hermite(nodes: int) -> tuple[Float64, Float64]:
    """Kept: an optimiser asks at every step, and the roots take as long as a gradient."""
    axis, mass = hermegauss(nodes)
    return axis, mass
