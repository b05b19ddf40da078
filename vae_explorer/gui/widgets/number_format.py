"""Figures as a person reads them."""

import math

from vae_explorer.types import Float32

NONE = "—"
"""Stands where there is no figure."""


def figure(value: float, digits: int) -> str:
    """``value`` with so many decimals, a true minus sign and no negative zero."""
    return f"{value:z.{digits}f}".replace("-", "−")


def pair(z: tuple[float, float]) -> str:
    """A place in latent space, as in "(0.123, −1.250)"."""
    return f"({figure(z[0], 3)}, {figure(z[1], 3)})"


def posterior_widths(covariance: Float32) -> tuple[float, float]:
    """Standard deviations along the axes of a (2, 2) covariance, latent units, larger first."""
    (a, b), (_, c) = covariance.tolist()
    middle, radius = (a + c) / 2, math.hypot((a - c) / 2, b)
    # Rounding may leave the smaller variance of a thin ellipse just below zero.
    return math.sqrt(max(middle + radius, 0.0)), math.sqrt(max(middle - radius, 0.0))
