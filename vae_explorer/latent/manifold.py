"""Regular grids over the latent plane."""

import numpy as np
from numpy.typing import NDArray


def linear_axis(n: int, extent: float) -> NDArray[np.float64]:
    """n evenly spaced coordinates from −extent to extent; the middle, 0, if n is 1."""
    return np.linspace(-extent, extent, n) if n > 1 else np.zeros(1)


def quantile_axis(n: int) -> NDArray[np.float64]:
    """The n mid-quantiles of N(0, 1): cells of equal prior mass (arXiv 1312.6114, figure 4)."""
    # Imported late: it costs the start of the window a quarter of a second.
    from scipy.special import ndtri

    return np.asarray(ndtri((np.arange(n) + 0.5) / n))


def grid(axis: NDArray[np.float64]) -> NDArray[np.float32]:
    """All pairs of one axis, (n², 2) float32, as a picture reads: z₂ falls from row to row."""
    first, second = np.meshgrid(axis, axis[::-1])
    return np.stack([first.ravel(), second.ravel()], axis=1).astype(np.float32)
