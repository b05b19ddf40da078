"""Ways to find points: by place, class, likeness and ELBO. What is found becomes the selection."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from vae_explorer.data import bundled
from vae_explorer.errors import UserError
from vae_explorer.latent.neighbours import nearest_codes, nearest_images
from vae_explorer.session.explore.pins import Pins
from vae_explorer.session.jobs import Jobs
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.map.scores import Arrays, PointFigures
from vae_explorer.session.map.selection import Mode, Selection, inside
from vae_explorer.types import Bools, Float64, Int64


class Search:
    """Selects points of the map. All methods belong to the main thread."""

    ranked = Signal(tuple)
    """(split, index, label, ELBO) of every point, the worst first."""

    def __init__(
        self,
        jobs: Jobs,
        latent_map: LatentMap,
        pins: Pins,
        selection: Selection,
        figures: PointFigures,
        moving: Callable[[], bool],
        fail: Callable[[str, BaseException], None],
    ) -> None:
        self._jobs = jobs
        self._map = latent_map
        self._pins = pins
        self._selection = selection
        self._figures = figures
        self._moving = moving
        self._fail = fail

    def inside(self, polygon: Float64, mode: Mode, visible: Bools) -> None:
        """Select the points in a polygon (k, 2), of those ``visible`` (n,)."""
        points = self._map.points
        if points is not None:
            rows = np.flatnonzero(inside(polygon, points.positions) & visible)
            self._selection.combine(points.indices[rows], mode)

    def labels(self, labels: frozenset[int], mode: Mode = "replace") -> None:
        """Select the points of these classes."""
        points = self._map.points
        if points is not None:
            rows = np.flatnonzero(np.isin(points.labels, sorted(labels)))
            self._selection.combine(points.indices[rows], mode)

    def nearest(self, k: int, space: str) -> None:
        """Select the ``k`` points nearest to the pinned image, in "latent" or "image" space."""
        points, pinned = self._map.points, self._pins.current
        if points is None or pinned is None:
            self._fail("Nothing was selected", UserError("Pin a digit first; its nearest follow."))
            return
        if space == "latent":
            row = self._map.row(pinned.split, pinned.index)
            z1, z2 = (points.positions[row] if row >= 0 else pinned.mean).tolist()
            try:
                rows = nearest_codes(points.positions, (z1, z2), k)
            except UserError as error:
                self._fail("Nothing was selected", error)
            else:
                self._selection.replace(points.indices[rows], f"Select {k} Nearest Codes")
            return

        def work(check: Callable[[], None]) -> Int64:
            images = bundled.mnist(points.split).images[points.indices]
            return nearest_images(images, pinned.original, k, check)

        def select(rows: Int64) -> None:
            if self._map.points is points:
                self._selection.replace(points.indices[rows], f"Select {k} Nearest Images")

        self._jobs.run_newest(
            "nearest",
            lambda control: work(control.check),
            done=select,
            failed=partial(self._fail, "Nothing was selected"),
        )

    def rank(self) -> None:
        """Tell all points from the lowest ELBO to the highest, once all are known."""
        if self._moving():
            text = "The points move; pause or stop the training first."
            self._fail("Nothing was ranked", UserError(text))
            return

        def tell(known: Arrays) -> None:
            elbo, points = known["elbo"], self._map.points
            if points is not None and not np.isnan(elbo).any():
                rows = np.argsort(elbo, kind="stable").tolist()
                labels, elbos = points.labels.tolist(), elbo.tolist()
                found = ((*points.origin(row), labels[row], elbos[row]) for row in rows)
                self.ranked.emit(tuple(found))

        self._figures.request("rank", ("elbo",), tell)

    def worst(self, k: int) -> None:
        """Select the ``k`` points of least ELBO once all are known, but not while they move."""
        if self._moving():
            text = "The points move; pause or stop the training first."
            self._fail("Nothing was selected", UserError(text))
            return

        def select(known: Arrays) -> None:
            elbo, points = known["elbo"], self._map.points
            if points is not None and not np.isnan(elbo).any():
                rows = np.argsort(elbo, kind="stable")[:k]
                self._selection.replace(points.indices[rows], f"Select {k} of Least ELBO")

        self._figures.request("worst", ("elbo",), select)

    def table(self) -> dict[str, NDArray[Any]]:
        """What is known of the selected points, or of all if none is, one column (k,) a name."""
        points = self._map.points
        if points is None:
            return {}
        chosen = self._selection.mask(points.indices)
        rows = np.flatnonzero(chosen) if len(self._selection) else np.arange(len(chosen))
        origins = [points.origin(row) for row in rows.tolist()]
        columns: dict[str, NDArray[Any]] = {
            "split": np.array([split for split, _ in origins]),
            "index": np.array([index for _, index in origins]),
            "label": points.labels[rows],
            "z1": points.positions[rows, 0],
            "z2": points.positions[rows, 1],
        }
        return columns | {name: values[rows] for name, values in self._figures.known.items()}
