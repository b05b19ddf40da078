"""How pixel intensities become the x of log p(x): the data treatment."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Generator, Tensor

TREATMENTS = ("binarized", "gray", "threshold")


def treat(intensities: "Tensor", treatment: str, generator: "Generator") -> "Tensor":
    """Turn intensities in [0, 1] into the values a Bernoulli decoder is scored on.

    ``binarized`` draws every pixel from a Bernoulli with its intensity as probability (dynamic
    binarisation, Salakhutdinov & Murray 2008), ``threshold`` asks whether it exceeds 0.5, ``gray``
    keeps it. Figures of different treatments are not comparable.

    Args:
        intensities: any shape, float32.
        treatment: one of ``TREATMENTS``.
        generator: on the same device; drawn from for ``binarized`` alone.

    Returns:
        A float32 tensor of the same shape.
    """
    if treatment == "gray":
        return intensities
    if treatment == "threshold":
        return (intensities > 0.5).float()
    draws = intensities.new_empty(intensities.shape).uniform_(generator=generator)
    return (draws < intensities).float()
