"""How one latent space is turned against another.

The prior N(0, I) looks the same after any rotation or reflection, so two trainings may differ by
one, and only by these is a model turned without changing it (``TrainedVAE.turned``).
"""

import math

import numpy as np

from vae_explorer.number_format import figure
from vae_explorer.types import Float64, Floats


def procrustes(positions: Floats, reference: Floats) -> Float64:
    """The orthogonal R (2, 2), rotation or reflection, of the least Σ |R pᵢ − rᵢ|².

    Without scale or shift, which would change the prior (Schönemann 1966, "A generalized solution
    of the orthogonal Procrustes problem").

    Args:
        positions: pᵢ, (n, 2) latent units; a row that is not finite, here or there, is left out.
        reference: rᵢ, (n, 2), where the same images lie in the other space.

    Returns:
        R; the identity if fewer than two rows are left.
    """
    usable = np.isfinite(positions).all(1) & np.isfinite(reference).all(1)
    if usable.sum() < 2:
        return np.eye(2)
    p, r = (places[usable].astype(np.float64) for places in (positions, reference))
    left, _, right = np.linalg.svd(r.T @ p)
    return np.asarray(left @ right)


def describe(rotation: Floats) -> str:
    """Say what an orthogonal R (2, 2) does, such as "mirrored and turned by −120°".

    z₁ is mirrored first, left to right; angles are in whole degrees, counter-clockwise.
    """
    degrees = round(math.degrees(math.atan2(-rotation[0, 1], rotation[1, 1])))
    degrees = 180 - (180 - degrees) % 360  # −180° is 180°
    steps = ["mirrored"] if np.linalg.det(rotation) < 0 else []
    if degrees:
        steps.append(f"turned by {figure(degrees, 0)}°")
    return " and ".join(steps) or "as trained"
