"""Watching the posterior of one image being refined, from the encoder's guess to the optimum."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from psygnal import Signal

from vae_explorer.latent.gap import Refinement, refine_posterior
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.session.explore.image_truth import image_bound, image_truth
from vae_explorer.session.explore.pins import Pin, Pins
from vae_explorer.session.jobs import After
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.map.marks import Ellipses, LayerContent
from vae_explorer.session.map.state import MapState
from vae_explorer.session.tasks import Tasks
from vae_explorer.types import Float32, UInt8

STEPS = 300
"""Of Adam, in all."""

_EVERY = 6  # steps between two that are shown
_PAUSE = 0.05  # seconds before the next is computed: at most 20 a second, the whole in 3 to 4 s


@dataclass(frozen=True, eq=False)
class RefinementStep:
    """The best q found after ``step`` of ``steps`` steps.

    ``mean`` (2,) and ``covariance`` (2, 2) in latent units, ``elbo`` in nats.
    """

    step: int
    steps: int
    mean: Float32
    covariance: Float32
    elbo: float


def refined_content(step: RefinementStep | None) -> LayerContent:
    """The refined q on the map, or how to come by one."""
    if step is None:
        return LayerContent(note="Pin an image and press Refine.", offer="refine")
    ellipses = Ellipses(step.mean[None], step.covariance[None])
    return LayerContent((ellipses,), f"Step {step.step} of {step.steps}")


@dataclass(frozen=True, eq=False)
class _Run:
    """A refinement under way to its ``last`` step, resumed on the worker's thread alone."""

    found: Iterator[Refinement]
    last: int


class Refiner:
    """Refines q(z|x) of the pinned image that is looked at. All methods belong to the main thread.

    The steps are computed a few at a time, and the lane is free in between. Another image or model
    ends a refinement, and what came of it is forgotten.

    Args:
        tasks: where the steps are computed.
        latent_map: has the model.
        pins: have the image.
        after: the pace.
    """

    available_changed = Signal(bool)
    """Another image is looked at, or by another model, and whether there is one."""
    started = Signal()
    stepped = Signal(RefinementStep)
    """The encoder's q as step 0, then a better one some times a second."""
    ended = Signal(object)
    """The last ``RefinementStep``, or None if there was none; not for one that is replaced."""
    ceiling_known = Signal(float)
    """log p(x) in nats, which the ELBO climbs to; once for each start, maybe after the end."""

    def __init__(self, tasks: Tasks, latent_map: LatentMap, pins: Pins, after: After) -> None:
        self._steps = tasks.newest("refine", "The posterior could not be refined", "layers")
        self._ceiling = tasks.newest("ceiling", "log p(x) could not be computed", "layers")
        self._map = latent_map
        self._pins = pins
        self._after = after
        self._run: _Run | None = None
        self._last: RefinementStep | None = None
        self._image: Pin | None = None
        latent_map.changed.connect(self._on_map)
        pins.changed.connect(self._on_pins)

    @property
    def last(self) -> RefinementStep | None:
        """The last step of a refinement that has ended."""
        return self._last if self._run is None else None

    def start(self, last: int | None = None) -> None:
        """Refine the pinned image in place of any other, if there is one, to the ``last`` step.

        That is by default the last of all.
        """
        state, pinned = self._map.state, self._pins.current
        if state is None or pinned is None or state.model.no_marginal:
            return
        model, image, seed = state.model, pinned.original, pinned.seed
        last = STEPS if last is None else min(last, STEPS)
        run = self._run = _Run(_refined(model, image, seed, last), last)
        self._last = None
        self.started.emit()
        self._advance(run)
        self._ceiling.run(
            lambda control: image_truth(model, image, seed, control.check).log_marginal,
            self.ceiling_known.emit,
        )

    def stop(self) -> None:
        """End at the step shown last, if one is running."""
        if self._run is not None:
            self._steps.cancel()
            self._end()

    def _on_map(self, new: MapState, old: MapState | None) -> None:
        if old is None or new.model is not old.model:
            self._forget()

    def _on_pins(self) -> None:
        current = self._pins.current
        image = (current.split, current.index) if current else None
        if image != self._image:
            self._image = image
            self._forget()

    def _forget(self) -> None:
        self._ceiling.cancel()
        self.stop()
        self._last = None
        state = self._map.state
        known = state is not None and not state.model.no_marginal
        self.available_changed.emit(known and self._pins.current is not None)

    def _advance(self, run: _Run) -> None:
        if run is self._run:
            self._steps.run(
                lambda _: next(run.found), partial(self._show, run), failed=lambda _: self._end()
            )

    def _show(self, run: _Run, found: Refinement) -> None:
        self._last = RefinementStep(
            found.step,
            STEPS,
            found.mean[0].astype(np.float32),
            found.covariance[0].astype(np.float32),
            float(found.elbo[0]),
        )
        self.stepped.emit(self._last)
        if run is not self._run:
            return  # stopped by one who listens
        if found.step == run.last:
            self._end()
        else:
            self._after(_PAUSE, partial(self._advance, run))

    def _end(self) -> None:
        self._run = None
        self.ended.emit(self._last)


# The rest runs on the worker's thread.


def _refined(model: TrainedVAE, image: UInt8, seed: int, last: int) -> Iterator[Refinement]:
    x = image_bound(model, image, seed).x
    # From the q that is on the map: the encoder is fed intensities.
    yield from refine_posterior(model, x, STEPS, every=_EVERY, encoded=image[None], last=last)
