"""The images nearest to one, and the codes nearest to a position: exact, by trying them all."""

import math

import numpy as np

from vae_explorer.errors import DataError
from vae_explorer.model.trained import Check, Images, unchecked
from vae_explorer.types import Float64, Floats, Int64, UInt8

_PIXELS = 1 << 20  # compared at once: scratch of 8 MB


def nearest_images(images: UInt8, image: Images, k: int, check: Check = unchecked) -> Int64:
    """The ``k`` images with the least Euclidean distance of pixels, nearest first, (k,).

    Sums are float64, exact for grey levels. Of equally near images the one with the lower index
    comes first; ``image`` itself is found where it is among ``images``.

    Args:
        images: (n, h, w), or in colour (n, h, w, 3).
        image: one of their shape, in the same levels.
        k: all n are given where it is larger.
        check: called between chunks; what it raises ends the work.

    Raises:
        DataError: k is below 1, or the images are of another size.
    """
    if image.shape != images.shape[1:]:
        raise DataError(
            f"The image is of shape {image.shape}, those to compare with of {images.shape[1:]}; "
            "give images of one size."
        )
    target = image.astype(np.float64)
    squares = np.empty(len(images))
    chunk = max(1, _PIXELS // max(1, image.size))
    for start in range(0, len(images), chunk):
        check()
        part = slice(start, start + chunk)
        difference = images[part] - target
        squares[part] = np.square(difference).reshape(len(difference), -1).sum(1)
    return _least(squares, k)


def nearest_codes(positions: Floats, place: tuple[float, float], k: int) -> Int64:
    """The rows of the ``k`` places nearest to ``place``, nearest first, (k,).

    Args:
        positions: (n, 2) in latent units; those that are NaN are left out.
        place: (z1, z2), likewise.
        k: all are given where it is larger.

    Raises:
        DataError: k is below 1, or ``place`` is not finite.
    """
    if not all(map(math.isfinite, place)):
        raise DataError(f"The place {place} is not finite; give two numbers.")
    offsets = positions.astype(np.float64) - place
    squares = np.square(offsets).sum(axis=1)
    rows = np.flatnonzero(~np.isnan(squares))
    return rows[_least(squares[rows], k)]


def _least(squares: Float64, k: int) -> Int64:
    if k < 1:
        raise DataError(f"{k} neighbours were asked for; ask for at least 1.")
    return np.argsort(squares, kind="stable")[:k]
