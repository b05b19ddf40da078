"""Figures of every image on the map, computed once for each model and kept."""

from collections.abc import Callable
from functools import partial

import numpy as np
from psygnal import Signal

from vae_explorer.data import bundled
from vae_explorer.latent.figures import image_figures, own_draws
from vae_explorer.latent.quadrature import exact_posterior
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.session.jobs import Control, Jobs
from vae_explorer.session.state import ExactFigures, MapPoints, draw_seeds
from vae_explorer.types import Float32, Int64, UInt8

_CHUNK = 2_000  # images between two reports of progress

NAMES = ("elbo", "log_likelihood", "log_marginal")
"""What can be asked for."""

Arrays = dict[str, Float32]


class PointFigures:
    """What the model thinks of the images on the map, nats per image. Main thread only.

    Args:
        jobs: where they are computed, which takes seconds for the ELBO and minutes for log p(x).
        fail: told what went wrong, with a title.
    """

    progress = Signal(str)
    """What is being computed and how far it is, or "" when nothing is."""
    inspected = Signal(ExactFigures)
    """Of the one image asked for by ``inspect``."""

    def __init__(self, jobs: Jobs, fail: Callable[[str, BaseException], None]) -> None:
        self._jobs = jobs
        self._fail = fail
        self._model: TrainedVAE | None = None
        self._points: MapPoints | None = None
        self._known: Arrays = {}
        self._requests: dict[str, tuple[tuple[str, ...], Callable[[Arrays], None]]] = {}

    @property
    def known(self) -> Arrays:
        """All that has been asked for, by name, (n,) each; NaN where not yet known."""
        return dict(self._known)

    def set_model(self, model: TrainedVAE) -> None:
        """Forget what another model thought."""
        if model is not self._model:
            self._model = model
            self._forget()

    def set_points(self, points: MapPoints) -> None:
        """Speak of other images from now on."""
        old, self._points = self._points, points
        if (
            old is None
            or old.split != points.split
            or not np.array_equal(old.indices, points.indices)
        ):
            self._forget()

    def request(self, who: str, names: tuple[str, ...], done: Callable[[Arrays], None]) -> None:
        """Call ``done`` with arrays (n,), NaN where not yet known, as often as more is known.

        Args:
            who: asks; replaces what the same one asked before.
            names: of ``NAMES``.
            done: told; no longer once everything is.
        """
        if names != ("log_marginal",):
            names = (*names, "elbo", "log_likelihood")  # computed together
        self._requests[who] = names, done
        self._work_on()

    def cancel(self, who: str) -> None:
        """Compute no more for one who asked."""
        if self._requests.pop(who, None):
            self._work_on()

    def _work_on(self) -> None:
        """Compute what is wanted now; what an earlier job has found stays found."""
        model, points, known = self._model, self._points, self._known
        self._jobs.cancel("figures")
        self.progress.emit("")
        if model is None or points is None or not self._requests:
            return
        wanted = {name for names, _ in self._requests.values() for name in names}
        names = [name for name in NAMES if name in wanted]
        for name in names:
            known.setdefault(name, np.full(len(points.indices), np.nan, np.float32))
        if not any(np.isnan(known[name]).any() for name in names):
            self._end()
            return
        self._jobs.run_newest(
            "figures",
            lambda control: self._compute(model, points, known, names, control),
            done=lambda _: self._end(),
            failed=self._give_up,
            lane="figures",
        )

    def inspect(self, row: int) -> None:
        """Compute the figures of one image of the map; newest wins."""
        model, points = self._model, self._points
        if model is None or points is None:
            return
        split, index = points.origin(row)

        def work(control: Control) -> ExactFigures:
            image = bundled.mnist(split).images[index : index + 1]
            seeds = draw_seeds(split, np.array([index]))
            elbo = image_figures(model, image, seeds, control.check).elbo
            exact = exact_posterior(model, own_draws(model, image, seeds), control.check)
            return ExactFigures(
                split, index, float(elbo[0]), float(exact.log_marginal[0]), float(exact.error[0])
            )

        self._jobs.run_newest(
            "inspect",
            work,
            done=self.inspected.emit,
            failed=partial(self._fail, "The figures could not be computed"),
            lane="layers",
        )

    def _tell(self) -> None:
        # A copy, because what was told must not change in another thread.
        known = {name: values.copy() for name, values in self._known.items()}
        for who, (names, done) in list(self._requests.items()):
            if not any(np.isnan(known[name]).any() for name in names):
                del self._requests[who]
            done(known)

    def _end(self) -> None:
        self.progress.emit("")
        self._tell()
        self._requests.clear()

    def _give_up(self, error: BaseException) -> None:
        self.progress.emit("")
        self._requests.clear()
        self._fail("The figures could not be computed", error)

    def _forget(self) -> None:
        self._jobs.cancel("figures")
        self._jobs.cancel("inspect")
        self.progress.emit("")
        self._known = {}
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
        images = bundled.mnist(points.split).images
        seeds = draw_seeds(points.split, points.indices)
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
                control.report(self._tell)

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

    @staticmethod
    def _exact(
        model: TrainedVAE,
        images: UInt8,
        seeds: Int64,
        known: Arrays,
        part: slice,
        control: Control,
    ) -> None:
        exact = exact_posterior(model, own_draws(model, images, seeds), control.check)
        known["log_marginal"][part] = exact.log_marginal
