"""What a function makes of a normal density, as a figure shows it."""

from dataclasses import dataclass

import numpy as np

from vae_explorer.lessons import pushforward
from vae_explorer.lessons.pushforward import Map
from vae_explorer.session.jobs import Control
from vae_explorer.types import Float64, Region

DENSITY, BINS = 120, 60
"""Cells along each axis, of the density and of the histogram."""
SEEN = 4_000
"""Samples whose spread says what of x is in sight."""

_WIDE = 2  # cells of the histogram along each side of one that is compared
_PROFILE = 300  # positions along a line through the density
_LINES = 5  # over the height of a cell of the histogram, whose mean is compared with its bars


@dataclass(frozen=True, eq=False)
class Pushed:
    """What becomes of N(0, I), over a square ``region`` of x.

    ``density`` (DENSITY, DENSITY) is by the change of variables and ``histogram`` (BINS, BINS) of
    so many ``samples``, the lowest row first. ``means`` are those of the density over cells twice
    as wide, and ``apart`` is how far the samples are from them in total variation. A ``profile``
    and ``closed_form`` (or None) are densities at ``across`` (n,) along the line ``height`` = x₂,
    each the mean over the row of cells there, in which the histogram has ``bars`` (BINS,).
    ``stretch`` (cells, cells) is |det J| in the middles of the lattice's cells, the lowest row
    first.
    """

    region: Region
    density: Float64
    histogram: Float64
    samples: int
    means: Float64
    apart: float
    height: float
    across: Float64
    profile: Float64
    closed_form: Float64 | None
    bars: Float64
    stretch: Float64
    density_here: float
    preimages: Float64


def push(
    now: Map,
    n: int,
    z: Float64,
    stretch: Float64,
    ring: float | None,
    known: Pushed | None,
    control: Control,
) -> Pushed:
    """All there is to see; ``known`` is of the same f, and is taken over as far as it goes."""
    if known is None:
        region = pushforward.window(now(pushforward.samples(SEEN)))
        density = pushforward.density(now, region, (DENSITY, DENSITY), control.check)
        means = pushforward.cell_means(now, region, (BINS // _WIDE, BINS // _WIDE))
    else:
        region, density, means = known.region, known.density, known.means
    left, right, bottom, top = region
    control.check()
    if known is not None and known.samples == n:
        histogram = known.histogram
    else:
        histogram = pushforward.histogram(now(pushforward.samples(n)), region, (BINS, BINS))
    area = (right - left) * (top - bottom) * (_WIDE / BINS) ** 2
    sampled = pushforward.block_means(histogram, _WIDE)
    apart = pushforward.total_variation(means, sampled, area)
    here = now(z)[0]
    density_here, preimages = pushforward.density_at(now, here)
    height = float(np.clip(np.nan_to_num(here[1]), bottom, top))
    row = min(int((height - bottom) / (top - bottom) * BINS), BINS - 1)
    low, high = (bottom + at * (top - bottom) / BINS for at in (row, row + 1))
    strip = (left, right, low, high)
    profile = pushforward.density(now, strip, (_LINES, _PROFILE), control.check).mean(0)
    across = left + (np.arange(_PROFILE) + 0.5) * (right - left) / _PROFILE
    heights = low + (np.arange(_LINES) + 0.5) * (high - low) / _LINES
    positions = np.stack(np.meshgrid(across, heights), axis=-1).reshape(-1, 2)
    closed = None
    if ring is not None:
        closed = pushforward.ring_density(positions, ring).reshape(_LINES, -1).mean(0)
    return Pushed(
        region,
        density,
        histogram,
        n,
        means,
        apart,
        height,
        across,
        profile,
        closed,
        histogram[row],
        stretch,
        density_here,
        preimages,
    )
