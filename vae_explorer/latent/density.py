"""Where codes lie on the latent plane, as densities on a grid of equal square cells."""

import numpy as np

from vae_explorer.model.trained import Check, unchecked
from vae_explorer.types import Float32, Float64, Floats, Labels, UInt8

_REACH = 4.5  # standard deviations: 1e-5 of the mass lies farther out, along an axis
_NARROWEST = 0.7  # cells, a standard deviation
_WIDEST = 1e5  # cells: flat over the square, as is anything wider
_COARSE = 2  # positions of a coarse grid that a standard deviation needs
_MARGIN = 5  # positions of a coarse grid beyond the square, as far as its kernels reach
_ROUND = 4  # positions: patches of fewer different sizes, hence more of each
_PAIRS = 200_000  # of a position and a Gaussian, at once: a few arrays of 1.6 MB
_BANDWIDTH = 0.3  # of Scott's
_EMPTY = 1e-12  # per squared latent unit


def aggregate_density(
    mean: Floats,
    covariance: Floats,
    labels: Labels | None,
    axis: Float64,
    check: Check = unchecked,
) -> Float64:
    """The aggregate posterior by class, (classes, m, m) per squared latent unit.

    ``[c, row, column]`` is (1/n) Σ N(z; μᵢ, Σᵢ) over the images of class c, at z₁ = axis[column]
    and z₂ = axis[row]. The sum over classes is q(z) (Hoffman & Johnson, "ELBO surgery", 2016).

    A Gaussian whose standard deviation along a principal axis is below 0.7 cells is widened to
    that: a narrower one would be seen too high or not at all, by how near to a point its mean is.
    At 0.7 the sum over the positions is its mass to 3e-4. One that is not finite lies nowhere, but
    counts in n.

    A wide one is a narrower one smoothed by a Gaussian. So the wide are summed on grids coarser
    by powers of 2 along either axis, narrowed by one point, and each such sum is smoothed at once.

    Args:
        mean: (n, 2), latent units.
        covariance: (n, 2, 2), positive semi-definite.
        labels: (n,), of as many classes as the largest asks for; None puts all into one.
        axis: (m,), the middles of two or more cells along z₁ as along z₂, ascending.
        check: called between chunks; what it raises ends the work.
    """
    if labels is None:
        labels = np.zeros(len(mean), np.uint8)
    side, step = len(axis), (axis[-1] - axis[0]) / (len(axis) - 1)
    density = np.zeros((int(labels.max(initial=0)) + 1, side, side))
    finite = np.isfinite(mean).all(1) & np.isfinite(covariance).all((1, 2))
    # In cells, from the middle of the first.
    middle = (mean[finite] - axis[0]) / step
    variance, turn = np.linalg.eigh(covariance[finite] / step**2)
    variance = variance.clip(_NARROWEST**2, _WIDEST**2)
    widened = (turn * variance[:, None]) @ turn.mT
    # How fast a Gaussian changes along an axis is said by its cut, not by its shadow.
    cut = np.sqrt(variance.prod(1)[:, None] / widened.diagonal(axis1=1, axis2=2)[:, ::-1])
    coarsest = max(0, int(np.log2(side)) - 3)
    level = np.floor(np.log2(cut / _COARSE)).clip(0, coarsest).astype(np.intp)
    for levels in np.unique(level, axis=0):
        chosen = (level == levels).all(1)
        spacing, coarse = 2.0**levels, levels > 0
        columns, rows = (np.ceil(side / spacing) + 2 * _MARGIN * coarse).astype(np.intp)
        sums = np.zeros((len(density), rows, columns))
        _add(
            middle[chosen] / spacing + _MARGIN * coarse,
            widened[chosen] / np.outer(spacing, spacing) - np.diag(coarse),
            labels[finite][chosen],
            sums,
            check,
        )
        density += _smoothed(_smoothed(sums, levels[0], side).mT, levels[1], side).mT
    density /= max(1, len(mean)) * step**2
    return density


def _add(mean: Float64, covariance: Float64, labels: Labels, sums: Float64, check: Check) -> None:
    """Add the density of each Gaussian, in positions, to its class's of ``sums``.

    Row by row: N(z₂) gives the rows in reach, N(z₁|z₂) the columns in reach of each. Those that
    would lie outside the grid are moved inside, where the density is as true.
    """
    size = np.array(sums.shape[:0:-1])
    shadow, slope = covariance[:, 1, 1], covariance[:, 0, 1] / covariance[:, 1, 1]
    cut = covariance[:, 0, 0] - slope * covariance[:, 0, 1]
    reach = _REACH * np.sqrt(np.stack([cut, shadow], 1))
    count = np.minimum(size, np.ceil((2 * reach + 1) / _ROUND) * _ROUND).astype(np.intp)
    for counts in np.unique(count, axis=0):
        alike = np.flatnonzero((count == counts).all(1))
        width, height = counts
        for part in np.array_split(alike, len(alike) * width * height // _PAIRS + 1):
            check()
            first = np.ceil(mean[part, 1] - reach[part, 1]).clip(0, size[1] - height)
            row = first[:, None] + np.arange(height)
            above = row - mean[part, 1, None]
            peak = np.exp(-(above**2) / (2 * shadow[part, None]))
            peak /= 2 * np.pi * np.sqrt(cut * shadow)[part, None]
            middle = mean[part, 0, None] + slope[part, None] * above
            first = np.ceil(middle - reach[part, :1]).clip(0, size[0] - width)
            column = first[:, :, None] + np.arange(width)
            exponent = (column - middle[:, :, None]) ** 2
            exponent /= -2 * cut[part, None, None]
            values = peak[:, :, None] * np.exp(exponent)
            line = (labels[part, None].astype(np.intp) * size[1] + row) * size[0]
            index = (line[:, :, None] + column).astype(np.intp)
            np.add.at(sums.reshape(-1), index.ravel(), values.ravel())


def _smoothed(sums: Float64, level: int, side: int) -> Float64:
    """From positions along the last axis to ``side`` cells, by a Gaussian of one position."""
    if not level:
        return sums
    spacing = 2.0**level
    position = np.arange(sums.shape[-1])[:, None] - _MARGIN
    distance = np.arange(side) / spacing - position
    smoothed: Float64 = sums @ (np.exp(-(distance**2) / 2) / (np.sqrt(2 * np.pi) * spacing))
    return smoothed


def points_density(positions: Floats, axis: Float64) -> Float64:
    """The density of positions (n, 2) themselves, (m, m) per squared latent unit, rows along z₂.

    A kernel estimate on the cells whose middles are ``axis`` (m,), as in ``aggregate_density``: a
    histogram smoothed along each axis by 0.3 of Scott's bandwidth, n^(−1/6) standard deviations
    ("Multivariate Density Estimation", 1992). That suits a single Gaussian, but codes lie in thin,
    bent clusters: of the bundled models, fitted to half of the test codes, the other half is
    likeliest at 0.25 to 0.4 of it. Points that are not finite are left out; those beyond the square
    count in n.
    """
    # Imported late: it costs the start of the window a fifth of a second.
    from scipy.ndimage import gaussian_filter

    finite = positions[np.isfinite(positions).all(1)]
    step = (axis[-1] - axis[0]) / (len(axis) - 1)
    low, high = axis[0] - step / 2, axis[-1] + step / 2
    inside = finite[((finite >= low) & (finite <= high)).all(1)]
    if not len(inside):
        return np.zeros((len(axis), len(axis)))
    counts, _, _ = np.histogram2d(
        inside[:, 1], inside[:, 0], bins=len(axis), range=[[low, high], [low, high]]
    )
    deviation = inside.std(0, dtype=np.float64)[::-1] / step
    bandwidth = _BANDWIDTH * len(inside) ** (-1 / 6) * deviation
    smooth: Float64 = gaussian_filter(counts, bandwidth, mode="constant")
    smooth /= len(finite) * step**2
    return smooth


def class_posterior(density: Float64) -> tuple[UInt8, Float32]:
    """What class a position's images have, from ``aggregate_density`` (classes, m, m).

    By Bayes' rule p(y|z) is the class's share of the density.

    Returns:
        The most probable class, (m, m), the first of equals; and the entropy of p(y|z), (m, m)
        nats, 0 to the log of the number of classes: NaN where no density is to speak of.
    """
    total = density.sum(0)
    known = total > _EMPTY
    share = density / np.where(known, total, 1)
    terms = share * np.log(share, out=np.zeros_like(share), where=share > 0)
    entropy = np.where(known, np.abs(terms.sum(0)), np.nan)
    return density.argmax(0).astype(np.uint8), entropy.astype(np.float32)
