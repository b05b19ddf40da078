"""What the model makes of a sketch, as frozen values."""

from dataclasses import dataclass

from vae_explorer.session.explore.image_truth import ImageBound, ImageTruth
from vae_explorer.session.map.state import Thumbnail

NEIGHBOURS = 5
"""Nearest images shown beside a sketch."""


@dataclass(frozen=True)
class Reading:
    """What the encoder says of a sketch, and the integral, None while it is not known."""

    bound: ImageBound
    truth: ImageTruth | None = None


@dataclass(frozen=True, eq=False)
class Neighbour:
    """An image of the data, and its Euclidean ``distance`` to the sketch, full ink being 1."""

    thumbnail: Thumbnail
    distance: float
