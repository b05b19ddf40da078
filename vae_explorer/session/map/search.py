"""Ways to find points: by point, class, likeness and ELBO. What is found becomes the selection."""

from collections.abc import Callable

import numpy as np
from psygnal import Signal

from vae_explorer.errors import UserError
from vae_explorer.export.numeric_requests import Points, ranges
from vae_explorer.latent.neighbours import nearest_codes, nearest_images
from vae_explorer.session.explore.pins import Pins
from vae_explorer.session.map.freshness import Freshness
from vae_explorer.session.map.latent_map import KINDS, LatentMap
from vae_explorer.session.map.scores import Scores
from vae_explorer.session.map.selection import Selection, inside
from vae_explorer.session.map.state import MapState, Mode, class_name, same_images
from vae_explorer.session.tasks import Tasks
from vae_explorer.types import Bools, Float32, Float64, Int64

_NOT_SELECTED = "Nothing was selected"


class Search:
    """Selects points of the map. All methods belong to the main thread."""

    ranking = Signal(str)
    """How far a ranking is, or "" when none is being made."""
    ranked = Signal(tuple)
    """(split, index, name of its class, ELBO) of every point, the lowest ELBO first."""

    def __init__(
        self, tasks: Tasks, latent_map: LatentMap, pins: Pins, selection: Selection, scores: Scores
    ) -> None:
        self._fail = tasks.fail
        self._nearest = tasks.newest("nearest", _NOT_SELECTED)
        self._map = latent_map
        self._pins = pins
        self._selection = selection
        self._scores = scores
        # Called with the rows of rising ELBO, if the map is still of that model and those images.
        self.freshness = Freshness(latent_map)
        """Of what was ranked."""
        self._then: dict[str, tuple[MapState, Callable[[Int64], None]]] = {}
        scores.changed.connect(self._on_scores)
        scores.progress.connect(self._on_progress)

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
            self._fail(_NOT_SELECTED, UserError("Pin an image first; its nearest follow."))
            return
        if space == "latent":
            row = self._map.row(pinned.split, pinned.index)
            z1, z2 = (points.positions[row] if row >= 0 else pinned.mean).tolist()
            try:
                rows = nearest_codes(points.positions, (z1, z2), k)
            except UserError as error:
                self._fail(_NOT_SELECTED, error)
            else:
                self._selection.replace(points.indices[rows], f"Select {k} Nearest Codes")
            return

        def work(check: Callable[[], None]) -> Int64:
            images = points.images[points.indices]
            return nearest_images(images, pinned.original, k, check)

        def select(rows: Int64) -> None:
            if self._map.points is points:
                self._selection.replace(points.indices[rows], f"Select {k} Nearest Images")

        self._nearest.run(lambda control: work(control.check), select)

    def rank(self) -> None:
        """Give all points from the lowest ELBO to the highest, once all are known."""

        def give(rows: Int64) -> None:
            state, elbo = self._map.state, self._scores.known["elbo"]
            assert state is not None
            assert state.points is not None
            points = state.points
            names = [class_name(points.data, label) for label in points.labels.tolist()]
            elbos = elbo.tolist()
            self.ranked.emit(
                tuple((*points.origin(row), names[row], elbos[row]) for row in rows.tolist())
            )
            self.freshness.show(state.model)

        self._by_elbo("rank", "Nothing was ranked", give)

    def lowest(self, k: int) -> None:
        """Select the ``k`` points of lowest ELBO once all are known, but not while they move."""

        def select(rows: Int64) -> None:
            points = self._map.points
            assert points is not None
            self._selection.replace(points.indices[rows[:k]], f"Select {k} of Lowest ELBO")

        self._by_elbo("lowest", _NOT_SELECTED, select)

    def _by_elbo(self, who: str, failure: str, then: Callable[[Int64], None]) -> None:
        state = self._map.state
        if state is None:
            return
        if state.moving:
            text = "The points move; pause or stop the training first."
            self._fail(failure, UserError(text))
            return
        if state.model.no_marginal:
            self._fail(failure, UserError(state.model.no_marginal))
            return
        self._then[who] = state, then
        self._scores.request(who, ("elbo",))

    def _on_progress(self, text: str) -> None:
        now, waiting = self._map.state, self._then.get("rank")
        wanted = now is not None and waiting is not None and waiting[0].model is now.model
        self.ranking.emit(text if wanted else "")

    def _on_scores(self, known: dict[str, Float32]) -> None:
        elbo, now = known.get("elbo"), self._map.state
        if elbo is not None and now is not None and not np.isnan(elbo).any():
            waiting, self._then = self._then, {}
            for state, then in waiting.values():
                if state.model is now.model and same_images(state.points, now.points):
                    then(np.argsort(elbo, kind="stable"))

    def points(self, table: str, reading: str) -> Points | None:
        """A table of the selected points, or of all if none is, with what is known of every one.

        ``table`` and ``reading`` are as of ``Points``.
        """
        state = self._map.state
        if state is None or state.points is None:
            return None
        points, scores = state.points, self._scores.known
        every = not len(self._selection)
        chosen = self._selection.mask(points.indices) | every
        rows = points.indices[chosen]

        def known(name: str) -> bool:
            return name in scores and not np.isnan(scores[name][chosen]).any()

        return Points(
            points.split,
            indices="" if len(rows) == points.total else ranges(rows.tolist()),
            elbo=known("elbo"),
            log_p=known("log_marginal"),
            exact=points.kind == KINDS["exact"],
            table=table,
            reading=reading,
        )

    def known(self) -> dict[str, Float32]:
        """What ``Points`` need not compute again, of all images of the split."""
        state = self._map.state
        if state is None or state.points is None:
            return {}
        points, found = state.points, self._scores.known
        if points.kind == KINDS["exact"]:
            z = state.model.in_checkpoint(points.positions)
            found |= {"exact1": z[:, 0], "exact2": z[:, 1]}
        whole = {name: np.full(points.total, np.nan, np.float32) for name in found}
        for name, values in found.items():
            whole[name][points.indices] = values
        return whole
