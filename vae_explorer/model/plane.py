"""A plane in a latent space of more than two dimensions."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from vae_explorer.errors import DataError
from vae_explorer.number_format import coordinate
from vae_explorer.types import Float32, Float64, Floats


@dataclass(frozen=True, eq=False)
class Plane:
    """z = ``origin`` (d,) + u₁ a₁ + u₂ a₂, of orthonormal ``axes``: what the map shows.

    ``axes`` are (d, d), of which the first two span the plane and the others cross it; given two
    (2, d), others are found.
    """

    origin: Float64
    axes: Float64

    def __post_init__(self) -> None:
        if len(self.axes) == 2:
            across = np.linalg.svd(self.axes)[2][2:]
            object.__setattr__(self, "axes", np.concatenate([self.axes, across]))

    @classmethod
    def along(cls, first: int, second: int, others: ArrayLike) -> "Plane":
        """Of two coordinates, counted from 0, with the other ones as in ``others`` (d,).

        Raises:
            DataError: there are no such two.
        """
        origin = np.array(others, np.float64)
        every = {*range(len(origin))}
        if first == second or not {first, second} <= every:
            raise DataError(
                f"A plane is along two of the {len(origin)} latent dimensions, counted from 0, "
                f"not along {first} and {second}."
            )
        origin[[first, second]] = 0
        return cls(origin, np.eye(len(origin))[[first, second, *sorted(every - {first, second})]])

    @classmethod
    def principal(cls, codes: Floats) -> "Plane":
        """Through the mean of codes (n, d), along the two directions in which they vary most."""
        origin = codes.mean(0, dtype=np.float64)
        _, vectors = np.linalg.eigh(np.cov(codes.T.astype(np.float64), bias=True))
        axes = vectors.T[::-1]
        largest = np.take_along_axis(axes, np.abs(axes).argmax(1)[:, None], 1)
        return cls(origin, axes * np.sign(largest))

    @property
    def others(self) -> Float64:
        """Where the plane is along the axes that cross it, (d − 2,)."""
        return np.asarray(self.axes[2:] @ self.origin)

    def moved(self, others: Floats) -> "Plane":
        """The parallel plane with other ``others``."""
        return replace(self, origin=self.origin + (others - self.others) @ self.axes[2:])

    @property
    def coordinates(self) -> tuple[int, ...] | None:
        """Which coordinates the axes are along, counted from 0; None if along no single ones."""
        if not ((self.axes == 0) | (self.axes == 1)).all():
            return None
        return tuple(self.axes.argmax(1).tolist())

    @property
    def names(self) -> tuple[str, ...]:
        """What the axes are called."""
        if self.coordinates is None:
            return tuple(f"PC {number}" for number, _ in enumerate(self.axes, 1))
        return tuple(map(coordinate, self.coordinates))

    def lift(self, u: Floats) -> Float32:
        """Where points (n, 2) of the plane are, (n, d)."""
        return (self.origin + u @ self.axes[:2]).astype(np.float32)

    def drop(self, mean: Floats, covariance: Floats) -> tuple[Float64, Float64]:
        """The marginals on the plane of Gaussians in d dimensions."""
        axes = self.axes[:2]
        return np.asarray((mean - self.origin) @ axes.T), np.asarray(axes @ covariance @ axes.T)
