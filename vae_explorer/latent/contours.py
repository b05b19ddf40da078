"""Lines of equal density on the latent plane, and which of them hold how much of the mass."""

from collections.abc import Sequence

import numpy as np
from contourpy import LineType, contour_generator

from vae_explorer.types import Float32, Float64, Floats, Region


def mass_levels(density: Float64, shares: Sequence[float]) -> Float64:
    """The levels whose regions, where ``density`` is at least so high, hold ``shares`` of its mass.

    Of all regions that hold a share this is the smallest, the highest-density region (Hyndman,
    "Computing and graphing highest density regions", 1996).

    Args:
        density: (m, m), on equal cells, not negative.
        shares: 0 to 1.

    Returns:
        (len(shares),), in the unit of ``density``.
    """
    falling = np.sort(density, axis=None)[::-1]
    mass = falling.cumsum()
    levels: Float64 = falling[np.searchsorted(mass, np.asarray(shares) * mass[-1])]
    return levels


def level_lines(values: Floats, region: Region, level: float) -> tuple[Float32, ...]:
    """The lines along which ``values`` pass a level, each (k, 2) in latent units.

    Args:
        values: (rows, columns), two or more of both, at the middles of equal cells that fill the
            region; rows along z₂, the lowest first. Lines end where values are not finite.
        region: (left, right, bottom, top), latent units.
        level: finite, in the unit of the values.

    Returns:
        Closed lines end where they begin; higher values are to their left.
    """
    left, right, bottom, top = region
    rows, columns = values.shape
    z1 = left + (np.arange(columns) + 0.5) * (right - left) / columns
    z2 = bottom + (np.arange(rows) + 0.5) * (top - bottom) / rows
    generator = contour_generator(z1, z2, np.ma.masked_invalid(values), line_type=LineType.Separate)
    return tuple(np.array(line, np.float32) for line in generator.lines(level))
