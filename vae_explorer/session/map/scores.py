"""Scores of every image on the map, computed once for each model and kept."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from psygnal import Signal

from vae_explorer.latent.figures import image_figures, own_draws
from vae_explorer.latent.quadrature import exact_posterior
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.session.explore.image_truth import ImageTruth, image_truth
from vae_explorer.session.jobs import Control
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.map.state import MapPoints, MapState, same_images
from vae_explorer.session.tasks import Tasks
from vae_explorer.types import Float32, Int64, OneSplit, UInt8

_CHUNK = 2_000  # images between two reports of progress

NAMES = ("elbo", "log_likelihood", "log_marginal")
"""What can be asked for."""

Arrays = dict[str, Float32]


@dataclass(frozen=True, eq=False)
class InspectedImage:
    """What is known of image ``index`` of ``split``."""

    split: OneSplit
    index: int
    truth: ImageTruth


class Scores:
    """What the model thinks of the images on the map, nats per image. Main thread only.

    What is known is of one model and one set of images; other ones make it forgotten.

    Args:
        tasks: where scores are computed, which takes seconds for the ELBO and minutes for log p(x).
        latent_map: has the model and the images.
    """

    changed = Signal(dict)
    """All that is ``known``, as often as more is."""
    progress = Signal(str)
    """What is being computed and how far it is, or "" when nothing is."""
    inspected = Signal(InspectedImage)
    """Of the one image asked for by ``inspect``."""

    def __init__(self, tasks: Tasks, latent_map: LatentMap) -> None:
        failure = "The scores could not be computed"
        self._work = tasks.newest("scores", failure, "figures")
        self._inspection = tasks.newest("inspect point", failure, "layers")
        self._map = latent_map
        self._of: MapState | None = None
        self._known: Arrays = {}
        self._requests: dict[str, tuple[str, ...]] = {}
        latent_map.changed.connect(self._keep_up)

    @property
    def known(self) -> Arrays:
        """All that has been asked for, by name, (n,) each; NaN where not yet known."""
        self._keep_up()
        return dict(self._known)

    def request(self, who: str, names: tuple[str, ...]) -> None:
        """Compute scores of all images, until they are known or the map shows others.

        Args:
            who: asks; replaces what the same one asked before.
            names: of ``NAMES``.
        """
        self._keep_up()
        if names != ("log_marginal",):
            names = (*names, "elbo", "log_likelihood")  # computed together
        self._requests[who] = names
        self._work_on()

    def cancel(self, who: str) -> None:
        """Compute no more for one who asked."""
        if self._requests.pop(who, None):
            self._work_on()

    def inspect(self, row: int) -> None:
        """Compute the scores of one image of the map; newest wins."""
        state = self._map.state
        if state is None or state.points is None:
            return
        model, data, (split, index) = state.model, state.data, state.points.origin(row)

        def work(control: Control) -> InspectedImage:
            image = data.of(split).images[index]
            seed = data.in_both(split, index)
            return InspectedImage(split, index, image_truth(model, image, seed, control.check))

        self._inspection.run(work, self.inspected.emit)

    def _keep_up(self) -> None:
        """Forget what is of another model or other images than the map's."""
        old, new = self._of, self._map.state
        self._of = new
        if new is not old and not (
            new and old and new.model is old.model and same_images(new.points, old.points)
        ):
            self._work.cancel()
            self._inspection.cancel()
            self.progress.emit("")
            self._known = {}
            self._requests.clear()

    def _work_on(self) -> None:
        """Compute what is asked for now; what an earlier job has found stays found."""
        state, known = self._map.state, self._known
        self._work.cancel()
        self.progress.emit("")
        if state is None or state.points is None or not self._requests:
            return
        model, points = state.model, state.points
        names = [name for name in NAMES if name in sum(self._requests.values(), ())]
        for name in names:
            known.setdefault(name, np.full(len(points.indices), np.nan, np.float32))
        if not any(np.isnan(known[name]).any() for name in names):
            self._end()
            return
        first = "log p(x)" if names == ["log_marginal"] else "ELBO"
        self.progress.emit(f"{first}: 0 of {len(points.indices):,} images")
        self._work.run(
            lambda control: self._compute(model, points, known, names, control),
            lambda _: self._end(),
            failed=self._give_up,
        )

    def _publish(self) -> None:
        # A copy, because what was told must not change in another thread.
        self.changed.emit({name: values.copy() for name, values in self._known.items()})

    def _end(self) -> None:
        self.progress.emit("")
        self._requests.clear()
        self._publish()

    def _give_up(self, _: BaseException) -> None:
        self.progress.emit("")
        self._requests.clear()

    # The rest runs on the worker's thread.

    def _compute(
        self,
        model: TrainedVAE,
        points: MapPoints,
        known: Arrays,
        names: list[str],
        control: Control,
    ) -> None:
        images, seeds = points.images, points.seeds
        passes = ("ELBO", "elbo", self._bound), ("log p(x)", "log_marginal", self._exact)
        for what, name, compute in passes:  # the ELBO of all first: it is much quicker
            if name not in names:
                continue
            for start in range(0, len(seeds), _CHUNK):
                part = slice(start, min(start + _CHUNK, len(seeds)))
                if np.isnan(known[name][part]).any():
                    chosen = images[points.indices[part]]
                    compute(model, chosen, seeds[part], known, part, control)
                text = f"{what}: {part.stop:,} of {len(seeds):,} images"
                control.report(partial(self.progress.emit, text))
                control.report(self._publish)

    @staticmethod
    def _bound(
        model: TrainedVAE,
        images: UInt8,
        seeds: Int64,
        known: Arrays,
        part: slice,
        control: Control,
    ) -> None:
        figures = image_figures(model, images, seeds, control.check)
        known["elbo"][part] = figures.elbo
        known["log_likelihood"][part] = figures.log_likelihood

    def _exact(
        self,
        model: TrainedVAE,
        images: UInt8,
        seeds: Int64,
        known: Arrays,
        part: slice,
        control: Control,
    ) -> None:
        count = f"{part.start:,} of {len(known['log_marginal']):,} images"
        tell = control.seldom(
            lambda share: self.progress.emit(
                f"log p(x): {count}, {share:.0%} of the next {len(seeds):,}"
            )
        )
        exact = exact_posterior(model, own_draws(model, images, seeds), control.check, tell)
        known["log_marginal"][part] = exact.log_marginal
