"""The bound: a Gaussian q under a person's hand, and how log p(x) divides into ELBO and KL."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from psygnal import Signal

from vae_explorer.latent.gap import Refinement, refine_posterior
from vae_explorer.latent.normal import Normal
from vae_explorer.lessons.bound import PLACES
from vae_explorer.lessons.bound import Bound as Bound
from vae_explorer.lessons.course import LessonError
from vae_explorer.session.lessons.bound_truth import MOST_PLACES, bound_of, find_truth, picture_of
from vae_explorer.session.lessons.bound_truth import Truth as Truth
from vae_explorer.session.lessons.instrument import Instrument
from vae_explorer.session.lessons.workbench import Workbench
from vae_explorer.session.state import LATENT_LIMIT
from vae_explorer.types import Float32, Region

KNOWN = ("encoder", "moments", "prior")
"""Where q can be put by name: what the encoder says, the exact posterior's moments, the prior."""
NARROWEST, WIDEST = 0.003, 2.0
"""Standard deviations that q can have along an axis, latent units."""
STEPS = 150
"""Of Adam, in a refinement."""

_EVERY = 5  # steps between two that are shown
_PAUSE = 0.05  # seconds between those
_CLOSE = 1e-3  # nats of error, from which on more places are worth their time
_SURROUNDINGS = 4.0  # standard deviations of the posterior and of q to show


@dataclass(frozen=True)
class _Put:
    """Where q is put by name, see ``BoundInstrument.put``."""

    name: str = "encoder"
    scale: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)


class BoundInstrument(Instrument):
    """One q at a time, over one digit."""

    truth_changed = Signal(object)
    """The ``Truth``, or None while it is computed."""
    q_changed = Signal(object)
    """The ``Normal`` that is set, or None."""
    bound_changed = Signal(object)
    """The ``Bound`` of the newest q that one is known of, or None."""
    picture_changed = Signal(object)
    """The exact posterior as a ``Field``, or None."""
    refining_changed = Signal(bool)
    log_changed = Signal(bool)
    """Whether the posterior is pictured by its logarithm."""
    region_wanted = Signal()
    """``region`` is another; q was put somewhere."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        self.truth: Truth | None = None
        self.q: Normal | None = None
        self.bound: Bound | None = None
        self.best: Bound | None = None
        """Of all q that a refinement of this digit has ended at."""
        self.log = False
        self._shown = False
        self._put: _Put | None = _Put()
        self._refined = False
        self._to_refine = False
        self._run: Iterator[Refinement] | None = None
        self._busy = False
        self._view: tuple[Region, tuple[int, int]] | None = None

    def show(self) -> None:
        """Begin with the digit of the bench."""
        if not self._shown:
            self._shown = True
            self.bench.model_changed.connect(self._prepare)
            self.bench.subject_changed.connect(self._prepare)
        self._prepare()

    def hide(self) -> None:
        """Leave all that is computed."""
        if self._shown:
            self._shown = False
            self.bench.model_changed.disconnect(self._prepare)
            self.bench.subject_changed.disconnect(self._prepare)
        self.stop()
        for key in ("truth", "bound", "picture"):
            self.bench.cancel(f"bound-{key}")
        self._busy = False

    def state(self) -> dict[str, Any]:
        """Where q is, by name if it was put there."""
        state: dict[str, Any] = {"log": self.log}
        if self._put:
            put = self._put
            placed = {"q": put.name, "scale": put.scale, "shift": list(put.shift)}
            return state | placed | {"refine": self._refined}
        if self.q is None:
            return state
        mean, widths = list(self.q.mean), list(self.q.widths)
        return state | {"mean": mean, "widths": widths, "angle": math.degrees(self.q.angle)}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Keys: ``q`` of ``KNOWN`` with its ``scale`` and ``shift``, see ``put``.

        Or else ``mean``, ``widths`` and ``angle``, in degrees. With ``refine`` a refinement begins
        from there; ``log`` is of the picture.
        """
        known = {"q", "scale", "shift", "mean", "widths", "angle", "refine", "log"}
        if unknown := state.keys() - known:
            raise LessonError(f"The bound has no {', '.join(sorted(unknown))} to set.")
        name = state.get("q", "encoder")
        if name not in KNOWN:
            raise LessonError(f"q can be put at {', '.join(KNOWN)}, not at '{name}'.")
        old = self.q or Normal((0.0, 0.0), (1.0, 1.0))
        (scale,) = _numbers(state, "scale", 1, (1.0,))
        shift = _numbers(state, "shift", 2, (0.0, 0.0))
        mean = _numbers(state, "mean", 2, old.mean)
        widths = _numbers(state, "widths", 2, old.widths)
        (angle,) = _numbers(state, "angle", 1, (math.degrees(old.angle),))
        if min(scale, *widths) <= 0:
            raise LessonError("The scale and the widths of q must be more than 0.")
        if "log" in state:
            self.set_log(bool(state["log"]))
        if {"mean", "widths", "angle"} & state.keys():
            self.set_q(Normal((mean[0], mean[1]), (widths[0], widths[1]), math.radians(angle)))
            self.region_wanted.emit()
        elif {"q", "scale", "shift"} & state.keys():
            self.put(str(name), scale, (shift[0], shift[1]))
        if state.get("refine"):
            self.refine()

    def data(self) -> dict[str, Any]:
        """The bars and q."""
        now = self.bound
        if now is None:
            return {}
        data: dict[str, Any] = {
            "log_marginal": now.log_marginal,
            "elbo": now.elbo,
            "log_likelihood": now.log_likelihood,
            "kl_prior": now.kl_prior,
            "kl_posterior": now.kl_posterior,
            "mean": np.array(now.q.mean),
            "widths": np.array(now.q.widths),
        }
        return data | self.gap()

    def gap(self) -> dict[str, float]:
        """The two parts of the encoder's gap in nats, once a refinement has ended.

        Cremer et al., arXiv 1801.03558, eq. 2-4.
        """
        if self.truth is None or self.best is None:
            return {}
        return {
            "approximation": self.truth.log_marginal - self.best.elbo,
            "amortisation": self.best.elbo - self.truth.encoder_bound.elbo,
        }

    @property
    def region(self) -> Region:
        """What of the plane holds the exact posterior and q: left, right, bottom and top edge."""
        shown = [self.truth.moments] if self.truth else []
        shown += [self.q] if self.q else []
        reach = [_SURROUNDINGS * np.sqrt(np.diag(one.covariance)) for one in shown]
        if not shown:
            return -3.0, 3.0, -3.0, 3.0
        lowest = np.min([one.mean - far for one, far in zip(shown, reach, strict=True)], axis=0)
        highest = np.max([one.mean + far for one, far in zip(shown, reach, strict=True)], axis=0)
        return float(lowest[0]), float(highest[0]), float(lowest[1]), float(highest[1])

    @property
    def decoded(self) -> Float32 | None:
        """What the decoder makes of q's mean, (h, w)."""
        if self.truth is None or self.q is None:
            return None
        picture: Float32 = self.truth.model.decode(np.array([self.q.mean]))[0]
        return picture

    def set_q(self, q: Normal) -> None:
        """Set q by hand; what is beyond the limits is moved to them."""
        self._leave()
        self._put = None
        self._set(q)

    def put(self, name: str, scale: float = 1.0, shift: tuple[float, float] = (0.0, 0.0)) -> None:
        """Put q at one of ``KNOWN``, so many times as wide.

        ``shift`` moves it along its axes, in widths of what it is put at.
        """
        self._leave()
        self._put = _Put(name, scale, shift)
        self._place()

    def set_log(self, log: bool) -> None:
        """Picture the logarithm of the posterior, or the posterior."""
        if log != self.log:
            self.log = log
            self.log_changed.emit(log)
            self._draw()

    def look_at(self, region: Region, shape: tuple[int, int]) -> None:
        """Picture the posterior over this region, of so many rows and columns."""
        if (region, shape) != self._view:
            self._view = region, shape
            self._draw()

    def refine(self) -> None:
        """Climb from q to the best Gaussian nearby."""
        self._leave()
        self._refined = True
        if self.truth is None or self.q is None:
            self._to_refine = True
            return
        start = np.array([self.q.mean]), self.q.covariance[None]
        run = self._run = refine_posterior(
            self.truth.model, self.truth.x, STEPS, every=_EVERY, start=start
        )
        self.refining_changed.emit(True)
        self._climb(run)

    @property
    def refining(self) -> bool:
        """A refinement is under way."""
        return self._run is not None

    def stop(self) -> None:
        """End a refinement where it is."""
        self._to_refine = False
        if self._run is not None:
            self._run = None
            self.bench.cancel("bound-climb")
            self.refining_changed.emit(False)

    def _leave(self) -> None:
        """Refine no longer, and forget that it was."""
        self.stop()
        self._refined = False

    def _prepare(self, *_: object) -> None:
        """Find out all about the digit, unless it is known."""
        model, subject = self.bench.model, self.bench.subject
        old = self.truth
        if old and old.is_of(model, subject):
            self._ask()
            return
        self.stop()
        self._to_refine = self._refined and self._put is not None
        self.truth = self.best = None
        self._forget()
        if not self._put:
            self._put = _Put()
        self.truth_changed.emit(None)
        self.bench.cancel("bound-picture")
        self.picture_changed.emit(None)
        if model is None or subject is None:
            self.bench.cancel("bound-truth")
            return
        self.bench.compute("bound-truth", partial(find_truth, model, subject), self._on_truth)

    def _on_truth(self, truth: Truth) -> None:
        self.truth = truth
        self.truth_changed.emit(truth)
        climb = self._to_refine
        self._place()
        self._draw()
        if climb:
            self.refine()

    def _place(self) -> None:
        """Put q where it is to be, once that is known."""
        if self.truth is None or self._put is None:
            return
        put = self._put
        places = {
            "encoder": self.truth.encoder,
            "moments": self.truth.moments,
            "prior": Normal((0.0, 0.0), (1.0, 1.0)),
        }
        place = places[put.name]
        z1, z2 = (place.mean + place.factor @ put.shift).tolist()
        first, second = place.widths
        self._set(Normal((z1, z2), (put.scale * first, put.scale * second), place.angle))
        self.region_wanted.emit()

    def _set(self, q: Normal) -> None:
        z1, z2 = np.clip(q.mean, -LATENT_LIMIT, LATENT_LIMIT).tolist()
        first, second = np.clip(q.widths, NARROWEST, WIDEST).tolist()
        self.q = Normal((z1, z2), (first, second), float(q.angle))
        self.q_changed.emit(self.q)
        self._ask()

    def _forget(self) -> None:
        self.bench.cancel("bound-bound")
        self._busy = False
        self.q = self.bound = None
        self.q_changed.emit(None)
        self.bound_changed.emit(None)
        self.tell(
            **dict.fromkeys(("logp", "elbo", "recon", "kl_prior", "kl_post", "approx", "amort"), "")
        )

    def _ask(self) -> None:
        """Compute the bound of q, after the one that is being computed."""
        if self._shown and self.truth and self.q and not self._busy:
            self._busy = True
            self.bench.compute(
                "bound-bound", partial(bound_of, self.truth, self.q, PLACES), self._on_bound
            )

    def _on_bound(self, found: Bound) -> None:
        self._busy = False
        self._tell(found)
        if found.q is not self.q:
            self._ask()
        elif found.error > _CLOSE and self.truth and self._run is None:
            # At rest there is time; a new q, asked for under the same key, ends this.
            work = partial(bound_of, self.truth, found.q, MOST_PLACES)
            self.bench.compute("bound-bound", work, self._tell)

    def _tell(self, found: Bound) -> None:
        self.bound = found
        self.bound_changed.emit(found)
        gap = self.gap()
        self.tell(
            logp=found.log_marginal,
            elbo=found.elbo,
            recon=found.log_likelihood,
            kl_prior=found.kl_prior,
            kl_post=found.kl_posterior,
            approx=gap.get("approximation", ""),
            amort=gap.get("amortisation", ""),
        )

    def _draw(self) -> None:
        if self._shown and self.truth and self._view:
            work = partial(picture_of, self.truth, *self._view, self.log)
            self.bench.compute("bound-picture", work, self.picture_changed.emit)

    def _climb(self, run: Iterator[Refinement]) -> None:
        if run is self._run:
            self.bench.compute("bound-climb", lambda _: next(run), partial(self._on_step, run))

    def _on_step(self, run: Iterator[Refinement], found: Refinement) -> None:
        q = Normal.of(found.mean[0], found.covariance[0])
        if found.step < STEPS:
            self._set(q)
            self.bench.after(_PAUSE, partial(self._climb, run))
            return
        assert self.truth is not None
        self.bench.compute(
            "bound-climb", partial(bound_of, self.truth, q, MOST_PLACES), self._on_summit
        )

    def _on_summit(self, found: Bound) -> None:
        if self.best is None or found.elbo > self.best.elbo:
            self.best = found
        self._run = None
        self._set(found.q)
        self.region_wanted.emit()
        self.refining_changed.emit(False)


def _numbers(
    state: Mapping[str, Any], key: str, count: int, default: tuple[float, ...]
) -> tuple[float, ...]:
    """``count`` finite numbers of a state."""
    value = state.get(key, default)
    values = value if isinstance(value, list | tuple) else [value]
    good = all(isinstance(one, int | float) and np.isfinite(one) for one in values)
    if len(values) != count or not good:
        wanted = "a number" if count == 1 else f"{count} numbers"
        raise LessonError(f"The bound's {key} must be {wanted}, not {value}.")
    return tuple(map(float, values))
