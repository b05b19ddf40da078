"""How pixel intensities become the x of log p(x): the data treatment."""

from typing import TYPE_CHECKING

import numpy as np

from vae_explorer.types import UInt8

if TYPE_CHECKING:
    from torch import Generator, Tensor

TREATMENTS = ("binarized", "gray", "threshold", "fixed")


def treat(intensities: "Tensor", treatment: str, generator: "Generator") -> "Tensor":
    """Turn intensities in [0, 1] into the values a Bernoulli decoder is scored on.

    ``binarized`` draws every pixel from a Bernoulli with its intensity as probability (dynamic
    binarisation, Salakhutdinov & Murray 2008), ``threshold`` asks whether it exceeds 0.5, ``gray``
    keeps it, and so does ``fixed``, for pixels that are 0 or 1 already. Figures of different
    treatments are not comparable.

    Args:
        intensities: any shape, float32.
        treatment: one of ``TREATMENTS``.
        generator: on the same device; drawn from for ``binarized`` alone.

    Returns:
        A float32 tensor of the same shape.
    """
    if treatment in ("gray", "fixed"):
        return intensities
    if treatment == "threshold":
        return (intensities > 0.5).float()
    return intensities.new_empty(intensities.shape).uniform_(generator=generator).lt_(intensities)


def first_gray(images: UInt8) -> int | None:
    """The first image with pixels that are neither black nor white, None if there is none."""
    step = max(1, (1 << 22) // max(1, images[:1].size))
    for start in range(0, len(images), step):
        part = images[start : start + step].reshape(len(images[start : start + step]), -1)
        gray = (part - np.uint8(1) < 254).any(axis=1)  # 0 becomes 255, 255 becomes 254
        if gray.any():
            return start + int(np.argmax(gray))
    return None
