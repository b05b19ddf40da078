"""Watching the posterior of one image being refined, from the encoder's guess to the optimum."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from psygnal import Signal

from vae_explorer.latent.figures import own_draws
from vae_explorer.latent.gap import Refinement, refine_posterior
from vae_explorer.latent.quadrature import exact_posterior
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.session.jobs import After, Control, Jobs
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


_Run = Iterator[Refinement]
"""A refinement under way, resumed on the worker's thread alone."""


class Refining:
    """One refinement at a time. All methods belong to the main thread.

    The steps are computed a few at a time, and the lane is free in between.

    Args:
        jobs: where they are computed.
        fail: told what went wrong, with a title.
        after: the pace.
    """

    started = Signal()
    stepped = Signal(RefinementStep)
    """The encoder's q as step 0, then a better one some times a second."""
    ended = Signal(object)
    """The last ``RefinementStep``, or None if there was none; not told of one that is replaced."""
    ceiling_known = Signal(float)
    """log p(x) in nats, which the ELBO climbs to; once for each start, maybe after the end."""

    def __init__(
        self, jobs: Jobs, fail: Callable[[str, BaseException], None], after: After
    ) -> None:
        self._jobs = jobs
        self._fail = fail
        self._after = after
        self._run: _Run | None = None
        self._last: RefinementStep | None = None

    def start(
        self, model: TrainedVAE, image: UInt8, seed: int, log_marginal: float | None = None
    ) -> None:
        """Refine q(z|x) of an image (h, w) in place of any other.

        Args:
            model: gives the encoder's guess, and the ELBO.
            image: grey levels.
            seed: of the draw of its data treatment, see ``own_draws``.
            log_marginal: log p(x) of that draw in nats; computed if not given.
        """
        self._jobs.cancel("ceiling")
        run = self._run = _refined(model, image, seed)
        self._last = None
        self.started.emit()
        self._advance(run)
        if log_marginal is not None:
            self.ceiling_known.emit(log_marginal)
            return
        self._jobs.run_newest(
            "ceiling",
            partial(_log_marginal, model, image, seed),
            done=self.ceiling_known.emit,
            failed=partial(self._fail, "log p(x) could not be computed"),
            lane="layers",
        )

    def stop(self) -> None:
        """End at the step shown last, if one is running."""
        if self._run is not None:
            self._jobs.cancel("refine")
            self._end()

    def forget(self) -> None:
        """Stop, and tell nothing more of this image, log p(x) included."""
        self._jobs.cancel("ceiling")
        self.stop()

    def _advance(self, run: _Run) -> None:
        if run is self._run:
            self._jobs.run_newest(
                "refine",
                lambda _: next(run),
                done=partial(self._show, run),
                failed=self._give_up,
                lane="layers",
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
        if found.step == STEPS:
            self._end()
        else:
            self._after(_PAUSE, partial(self._advance, run))

    def _give_up(self, error: BaseException) -> None:
        self._end()
        self._fail("The posterior could not be refined", error)

    def _end(self) -> None:
        self._run = None
        self.ended.emit(self._last)


# The rest runs on the worker's thread.


def _refined(model: TrainedVAE, image: UInt8, seed: int) -> Iterator[Refinement]:
    x = own_draws(model, image[None], np.array([seed]))
    # From the q that is on the map: the encoder is fed intensities.
    yield from refine_posterior(model, x, STEPS, every=_EVERY, encoded=image[None])


def _log_marginal(model: TrainedVAE, image: UInt8, seed: int, control: Control) -> float:
    x = own_draws(model, image[None], np.array([seed]))
    return float(exact_posterior(model, x, control.check).log_marginal[0])
