"""The point under the pointer."""

import numpy as np

from vae_explorer.gui.map.cloud import PointCloud
from vae_explorer.session.map.point_index import PointIndex
from vae_explorer.types import Float32

_BLOCK = 65_536  # as many as keep the scratch in the second-level cache
_MANY = 4 * _BLOCK  # points from which an index is worth asking
_FULLEST = 4_096  # points in a cell from which it loses its time there


class Picker:
    """Nearest point, by trying them all, or by an index where there is one and it is quicker.

    The former needs nothing built beforehand and stays right while the points move. It is the
    quicker one for few visible points, and where most points are in one position. And it is the
    one that knows of positions too far out to be drawn.
    """

    def __init__(self) -> None:
        self._index: PointIndex | None = None
        self._across: Float32 = np.empty(_BLOCK, np.float32)
        self._up: Float32 = np.empty(_BLOCK, np.float32)

    def set_index(self, index: PointIndex | None) -> None:
        """Use an index; it counts only while a cloud has the very positions it was built of."""
        self._index = index

    def pick(
        self,
        cloud: PointCloud,
        place: tuple[float, float],
        scale: tuple[float, float],
        radius: float,
    ) -> int:
        """Index into the ``MapPoints`` of the visible point nearest to ``place``, or -1.

        Args:
            cloud: the points.
            place: where to look, latent units.
            scale: pixels per latent unit, across and up, one and the same.
            radius: pixels, inclusive.
        """
        index = self._index
        if (
            index
            and index.positions is cloud.positions
            and index.fullest < _FULLEST
            and len(cloud.xs) == cloud.drawn > _MANY
        ):
            return index.nearest(place, radius / scale[0], cloud.shown)
        row = self.nearest(cloud.xs, cloud.ys, place, scale, radius)
        return -1 if row < 0 else int(cloud.order[row])

    def nearest(
        self,
        xs: Float32,
        ys: Float32,
        place: tuple[float, float],
        scale: tuple[float, float],
        radius: float,
    ) -> int:
        """Row of the point nearest to ``place``, or -1 with none within ``radius`` pixels.

        Args:
            xs: (n,) finite, latent units.
            ys: likewise.
            place: where to look, latent units.
            scale: pixels per latent unit, across and up.
            radius: pixels, inclusive.
        """
        best, found = np.float32(radius) ** 2, -1
        (x, y), (sx, sy) = np.asarray(place, np.float32), np.asarray(scale, np.float32)
        for start in range(0, len(xs), _BLOCK):
            block = slice(start, start + _BLOCK)
            n = len(xs[block])
            across, up = self._across[:n], self._up[:n]
            np.subtract(xs[block], x, out=across)
            np.multiply(across, sx, out=across)
            np.multiply(across, across, out=across)
            np.subtract(ys[block], y, out=up)
            np.multiply(up, sy, out=up)
            np.multiply(up, up, out=up)
            np.add(across, up, out=across)
            row = int(across.argmin())
            if across[row] < best or (found < 0 and across[row] == best):
                best, found = across[row], start + row
        return found
