"""Which images are selected, and which points lie in a polygon."""

from functools import partial

import numpy as np
from numpy.typing import ArrayLike
from psygnal import Signal

from vae_explorer.errors import UserError
from vae_explorer.session.edits import Edit
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.map.state import MapPoints, MapState, Mode
from vae_explorer.types import Bools, Float64, Floats, Int64


class Selection:
    """The selected images of the data on the map. All methods belong to the main thread.

    An index is one into that data, from 0 to ``total`` − 1; any order and repeats are fine. What
    changes the selection tells ``changed`` and then ``edited``; what leaves it as it was tells
    nothing.

    Args:
        latent_map: shows the data, if the selection is to follow it.
    """

    changed = Signal(object)
    """The selected indices, (k,) int64; there may be other data than before."""
    edited = Signal(Edit)
    names_changed = Signal(tuple)
    """The names of the saved selections of this data, the oldest first."""

    def __init__(self, latent_map: LatentMap | None = None) -> None:
        self._data = ("", 0)  # its key and its size
        self._chosen: Bools = np.zeros(0, np.bool_)  # (total,), never written to
        self._saved: dict[tuple[str, int], dict[str, Bools]] = {self._data: {}}
        if latent_map is not None:
            latent_map.changed.connect(self._on_map)

    def reset(self, total: int, data_key: str) -> None:
        """Select nothing of other data: ``total`` images, known by ``data_key``; no edit.

        Saved selections come back with their data. Edits made on other data then do nothing.
        """
        self._data = (data_key, total)
        self._saved.setdefault(self._data, {})
        self._set(np.zeros(total, np.bool_))
        self.names_changed.emit(self.names)

    def _on_map(self, state: MapState) -> None:
        points = state.points
        if points is not None and (key := data_key(points), points.total) != self._data:
            self.reset(points.total, key)

    # What is selected

    def __len__(self) -> int:
        """The number of selected images."""
        return int(np.count_nonzero(self._chosen))

    @property
    def total(self) -> int:
        """The number of images there are."""
        return len(self._chosen)

    @property
    def indices(self) -> Int64:
        """The selected images, (k,) rising."""
        return np.flatnonzero(self._chosen)

    def mask(self, indices: Int64) -> Bools:
        """Whether each of ``indices`` (n,), as of ``MapPoints``, is selected, (n,)."""
        return self._chosen[indices]

    def summary(self) -> str:
        """How many of how many, as in "47 of 70,000"."""
        return f"{len(self):,} of {self.total:,}"

    # Changing it

    def replace(self, indices: ArrayLike, text: str = "Select") -> None:
        """Select these images and no others.

        Args:
            indices: (k,) integers.
            text: names the edit.

        Raises:
            IndexError: there is no such image. Likewise below.
        """
        self._change(self._mask_of(indices), text)

    def add(self, indices: ArrayLike, text: str = "Add to Selection") -> None:
        """Select these images too."""
        self._change(self._chosen | self._mask_of(indices), text)

    def remove(self, indices: ArrayLike, text: str = "Remove from Selection") -> None:
        """Select these images no longer."""
        self._change(self._chosen & ~self._mask_of(indices), text)

    def combine(self, indices: ArrayLike, mode: Mode) -> None:
        """Replace by these images, add or remove them."""
        {"replace": self.replace, "add": self.add, "remove": self.remove}[mode](indices)

    def invert(self) -> None:
        """Select the others."""
        self._change(~self._chosen, "Invert Selection")

    def clear(self) -> None:
        """Select nothing."""
        self._change(np.zeros_like(self._chosen), "Clear Selection")

    # Saved selections

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the saved selections of this data, the oldest first."""
        return tuple(self._saved[self._data])

    def saved(self) -> dict[str, tuple[int, ...]]:
        """The indices of each saved selection of this data, rising."""
        chosen = self._saved[self._data]
        return {name: tuple(np.flatnonzero(mask).tolist()) for name, mask in chosen.items()}

    def save(self, name: str) -> None:
        """Keep the selection under ``name``, without spaces around it; an older one is replaced.

        Raises:
            UserError: the name is empty.
        """
        name = name.strip()
        if not name:
            raise UserError("The selection has no name; type one.")
        self._saved[self._data][name] = self._chosen
        self.names_changed.emit(self.names)

    def recall(self, name: str) -> None:
        """Select what was saved under ``name``.

        Raises:
            UserError: nothing was. Likewise below.
        """
        self._check_name(name)
        self._change(self._saved[self._data][name], f"Recall “{name}”")

    def forget(self, name: str) -> None:
        """Drop what was saved under ``name``."""
        self._check_name(name)
        del self._saved[self._data][name]
        self.names_changed.emit(self.names)

    def _check_name(self, name: str) -> None:
        if name not in self.names:
            known = ", ".join(f"“{other}”" for other in self.names)
            advice = f"choose one of {known}" if known else "save one first"
            raise UserError(f"No selection of this data is named “{name}”; {advice}.")

    def _mask_of(self, indices: ArrayLike) -> Bools:
        chosen = np.asarray(indices, np.int64)
        if chosen.size and not (chosen.min() >= 0 and chosen.max() < self.total):
            raise IndexError(f"indices are from 0 to {self.total - 1}")
        mask = np.zeros(self.total, np.bool_)
        mask[chosen] = True
        return mask

    def _change(self, chosen: Bools, text: str) -> None:
        before = self._chosen
        if np.array_equal(before, chosen):
            return
        self._set(chosen)
        restore = partial(self._restore, self._data)
        self.edited.emit(Edit(text, partial(restore, before), partial(restore, chosen)))

    def _restore(self, data: tuple[str, int], chosen: Bools) -> None:
        if data == self._data:
            self._set(chosen)

    def _set(self, chosen: Bools) -> None:
        self._chosen = chosen
        self.changed.emit(self.indices)


def data_key(points: MapPoints) -> str:
    """By which the images of some points are known, whichever of them are on the map."""
    return f"{points.split} {points.data.fingerprint}"


def inside(polygon: Float64, positions: Floats) -> Bools:
    """Which positions lie in a polygon by the even-odd rule, (n,).

    A ray from a point rightwards crosses the polygon's edges an odd number of times if the point
    is inside (Shimrat, CACM 5(8), 1962, algorithm 112). Points are sorted by height first, so that
    an edge meets only those beside it: for n positions, each of them beside c edges, the time grows
    with n (log n + c).

    Args:
        polygon: (k, 2) corners; the last is joined to the first, and edges may cross.
        positions: (n, 2) in the same units; NaN is outside.
    """
    mask = np.zeros(len(positions), np.bool_)
    if len(polygon) < 3:
        return mask
    (left, bottom), (right, top) = polygon.min(axis=0), polygon.max(axis=0)
    x, y = positions.T
    rows = np.flatnonzero((x >= left) & (x <= right) & (y >= bottom) & (y <= top))
    rows = rows[np.argsort(y[rows])]
    x, y = positions[rows].T.astype(np.float64)
    odd = np.zeros(len(rows), np.bool_)
    ends = np.roll(polygon, -1, axis=0)
    # A corner belongs to the edge above it, so that two edges which meet there count once.
    first = np.searchsorted(y, np.minimum(polygon, ends)[:, 1])
    after = np.searchsorted(y, np.maximum(polygon, ends)[:, 1])
    for (x1, y1), (x2, y2), start, stop in zip(polygon, ends, first, after, strict=True):
        if start < stop:
            beside = slice(start, stop)
            odd[beside] ^= x[beside] < x1 + (y[beside] - y1) * ((x2 - x1) / (y2 - y1))
    mask[rows] = odd
    return mask
