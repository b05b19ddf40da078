"""The points as the map draws and picks them: filtered by class, always finite."""

import numpy as np

from vae_explorer.gui.plot.color_maps import opaque
from vae_explorer.gui.theme import CLASS_PALETTE, class_rows
from vae_explorer.session.map.state import MapPoints
from vae_explorer.types import Float32, Labels, Region, UInt8, UInt32

DRAWABLE_LIMIT = np.float32(1e6)
"""Positions further from the origin than this, infinite or NaN, are neither drawn nor picked."""

_NOWHERE = np.float32(1e9)  # finite, so that arithmetic on it stays silent, and in no view
_OUTLIERS, _FEW = 0.2, 1_000  # per cent at each side of the plane, in sets that are not small


class PointCloud:
    """Points of the visible classes.

    Attributes:
        xs, ys: (m,) float32, contiguous, latent units.
        colors: (m,) uint32, opaque ARGB.
        order: (m,) int32, where each of them stands in the ``MapPoints``.
        shown: (n,) bool, which points are of visible classes; None when all are.
        drawn: how many of the m have a place that can be drawn.
        version: grows with every change.
    """

    def __init__(self) -> None:
        self.version = 0
        self._positions: Float32 = np.empty((0, 2), np.float32)
        self._labels: Labels = np.empty(0, np.uint8)
        self._own_colors: UInt32 | None = None
        self._palette = opaque(CLASS_PALETTE)
        self._filter(frozenset())

    def __len__(self) -> int:
        """The number of points, hidden ones included."""
        return len(self._positions)

    @property
    def positions(self) -> Float32:
        """(n, 2), hidden ones included; the very array given if it is float32 and contiguous."""
        return self._positions

    def set_points(self, points: MapPoints, visible: frozenset[int]) -> None:
        """Take n new points in the colours of their classes; those in ``visible`` show.

        Raises:
            ValueError: positions are not (n, 2), or labels not (n,).
        """
        self._positions = _checked(points.positions, len(points.labels))
        self._labels = np.ascontiguousarray(points.labels)
        self._own_colors = None
        self._filter(visible)

    def set_positions(self, positions: Float32) -> None:
        """Move the same n points to ``positions``, (n, 2).

        Raises:
            ValueError: the shape is another one.
        """
        self._positions = _checked(positions, len(self._positions))
        self._gather()

    def set_visible(self, visible: frozenset[int]) -> None:
        """Show the classes in ``visible`` only."""
        self._filter(visible)

    def set_colors(self, rgb: UInt8 | None) -> None:
        """Give each of the n points its own colour, (n, 3), until other points come.

        None gives them back their classes' colours.

        Raises:
            ValueError: the shape is another one.
        """
        if rgb is not None and rgb.shape != (len(self), 3):
            raise ValueError(f"colours are {rgb.shape}; the map holds {len(self)} points, (n, 3)")
        self._own_colors = None if rgb is None else opaque(rgb)
        self._color()
        self.version += 1

    def position(self, index: int) -> tuple[float, float] | None:
        """Latent place of point ``index`` of the ``MapPoints``; None where it cannot be drawn."""
        x, y = (float(value) for value in self._positions[index])
        drawable = abs(x) <= DRAWABLE_LIMIT and abs(y) <= DRAWABLE_LIMIT  # false for NaN
        return (x, y) if drawable else None

    def bounds(self) -> Region | None:
        """Smallest and largest z₁, then z₂, of all drawable points; None without any.

        Of a thousand points or more, a few outliers do not count: they would leave the rest small.
        """
        good = self._positions[(np.abs(self._positions) <= DRAWABLE_LIMIT).all(axis=1)]
        if not len(good):
            return None
        outliers = _OUTLIERS if len(good) >= _FEW else 0.0
        (x0, y0), (x1, y1) = np.percentile(good, [outliers, 100 - outliers], axis=0)
        return float(x0), float(x1), float(y0), float(y1)

    def _filter(self, visible: frozenset[int]) -> None:
        most = max(int(self._labels.max(initial=0)), *visible, 0)
        classes = np.zeros(most + 1, bool)
        classes[list(visible)] = True
        shown = classes[self._labels]
        self.order = np.flatnonzero(shown).astype(np.int32)
        self.shown = None if len(self.order) == len(shown) else shown
        self._color()
        self._gather()

    def _color(self) -> None:
        if self._own_colors is None:
            self.colors = self._palette[class_rows(self._labels[self.order])]
        else:
            self.colors = self._own_colors[self.order]

    def _gather(self) -> None:
        # As pairs of eight bytes: one gather of them costs half of two gathers of four.
        pairs = self._positions.view(np.complex64)[:, 0]
        if self.shown is not None:
            pairs = pairs.take(self.order)
        self.xs = np.ascontiguousarray(pairs.real)
        self.ys = np.ascontiguousarray(pairs.imag)
        good = (np.abs(self.xs) <= DRAWABLE_LIMIT) & (np.abs(self.ys) <= DRAWABLE_LIMIT)
        self.drawn = int(np.count_nonzero(good))
        if self.drawn < len(good):
            np.logical_not(good, out=good)
            self.xs[good] = self.ys[good] = _NOWHERE
        self.version += 1


def _checked(positions: Float32, n: int) -> Float32:
    if positions.shape != (n, 2):
        raise ValueError(f"positions are {positions.shape}; the map holds {n} points, ({n}, 2)")
    return np.ascontiguousarray(positions, np.float32)
