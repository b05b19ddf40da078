"""Sums and differences of codes, and the images nearest to the result."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vae_explorer.errors import DataError
from vae_explorer.latent.neighbours import nearest_codes
from vae_explorer.types import Float64, Floats, Int64


@dataclass(frozen=True, eq=False)
class Neighbourhood:
    """The images whose codes lie nearest to a position, nearest first.

    Attributes:
        rows: (k,), which of the codes.
        distances: (k,) from the position, latent units.
        shares: of each label among them, the largest first; they add up to 1.
    """

    rows: Int64
    distances: Float64
    shares: dict[int, float]


def class_means(codes: Floats, labels: NDArray[np.integer]) -> dict[int, Float64]:
    """The mean (2,) of the codes (n, 2) of each label, in the order of the labels (n,).

    Codes that are not finite are left out.

    Raises:
        DataError: a label has no finite code.
    """
    return {int(label): _mean(codes[labels == label]) for label in np.unique(labels)}


def attribute_vector(
    codes: Floats, group: NDArray[np.integer], other: NDArray[np.integer]
) -> Float64:
    """From the mean of the ``other`` rows of the codes (n, 2) to that of the ``group``, (2,).

    The attribute vector of White, "Sampling Generative Networks" (arXiv 1609.04468).
    It holds as well what else sets the two groups apart. Codes that are not finite are left out.

    Raises:
        DataError: either has no finite code.
    """
    return _mean(codes[group]) - _mean(codes[other])


def analogy(group: Floats, other: Floats, point: Floats) -> Float64:
    """What is to ``point`` as ``group`` is to ``other``: point + group − other, each (2,).

    The fourth corner of a parallelogram (Mikolov et al., arXiv 1301.3781, of words), latent units.
    """
    corner: Float64 = point.astype(np.float64) + group - other
    return corner


def neighbourhood(
    codes: Floats,
    labels: NDArray[np.integer],
    position: Floats,
    k: int,
) -> Neighbourhood:
    """The ``k`` images nearest to a position (2,) that arithmetic led to.

    A plane has room for any sum; whether it means something is said by the data around it (Liu et
    al., "Latent Space Cartography", 2019). All images are given where k is larger.

    Args:
        codes: (n, 2) in latent units; those that are NaN are left out.
        labels: (n,).
        position: (2,), likewise.
        k: 1 or more.

    Raises:
        DataError: k is below 1, or ``position`` is not finite.
    """
    rows = nearest_codes(codes, (float(position[0]), float(position[1])), k)
    distances = np.linalg.norm(codes[rows].astype(np.float64) - position, axis=1)
    found, counts = np.unique(labels[rows], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    shares = {int(found[i]): float(counts[i] / len(rows)) for i in order}
    return Neighbourhood(rows, distances, shares)


def _mean(codes: Floats) -> Float64:
    finite = codes[np.isfinite(codes).all(1)]
    if not len(finite):
        raise DataError("A group without codes has no mean; put at least one image into it.")
    mean: Float64 = finite.mean(0, dtype=np.float64)
    return mean
