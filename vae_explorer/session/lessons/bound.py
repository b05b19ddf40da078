"""The bound: a Gaussian q under a person's hand, and how log p(x) divides into ELBO and KL."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Self

import numpy as np

from vae_explorer.latent.gap import Refinement, refine_posterior
from vae_explorer.latent.normal import PRIOR, Normal
from vae_explorer.lessons.bound import PLACES, Bound
from vae_explorer.lessons.course import LessonError
from vae_explorer.session.explore.cursor import LATENT_LIMIT
from vae_explorer.session.lessons.bound_truth import (
    MOST_PLACES,
    Truth,
    bound_of,
    find_truth,
    picture_of,
)
from vae_explorer.session.lessons.context import LessonContext
from vae_explorer.session.lessons.experiment import DigitExperiment, DigitSettings, Result, setting
from vae_explorer.session.map.marks import Field
from vae_explorer.types import Float32, Region

NARROWEST, WIDEST = 0.003, 2.0
"""Standard deviations that q can have along an axis, latent units."""
STEPS = 150
"""Of Adam, in a refinement."""

_OWN = "own"
_NAMED = ("encoder", "moments", "prior")
_EVERY = 5  # steps between two that are shown
_PAUSE = 0.05  # seconds between those
_CLOSE = 1e-3  # nats of error, from which on more points are worth their time
_CELLS = (144, 144)
"""Of the picture, whatever its size on screen is: a figure of it is the same everywhere."""
_WIDER = 1.5  # that it is than what is to be seen, as there may be room for more
_AIR = 0.11  # on each side of what is to be seen, for the handles of a narrow q
_LEAST = 0.005  # latent units, of that air
_SURROUNDINGS = 4.0  # standard deviations of the posterior and of q to show
_BY_NAME = {"needs": ("q", _NAMED)}
_BY_HAND = {"needs": ("q", (_OWN,))}


@dataclass(frozen=True)
class BoundSettings(DigitSettings):
    """Where q is: at one of the named densities, or where a hand has put it.

    At a named one it is ``scale`` times as wide, moved along its axes by ``shift`` of their widths.
    With ``refine`` a refinement begins there. ``log`` is of the picture. ``angle`` is in degrees.
    ``view`` has the left, right, bottom and top edge of what is seen, if that is not all.
    """

    q: str = setting("encoder", "", "Where q is put", choices=(*_NAMED, _OWN))
    scale: float = setting(1.0, "", "Times as wide", low=1e-3, high=1e3, **_BY_NAME)
    shift: tuple[float, float] = setting(
        (0.0, 0.0), "", "Along its axes, in widths", low=-1e3, high=1e3, **_BY_NAME
    )
    refine: bool = setting(False, "", "Climb the ELBO from where q is; again to stop")
    mean: tuple[float, float] = setting(
        (0.0, 0.0), "", "Of q", low=-LATENT_LIMIT, high=LATENT_LIMIT, **_BY_HAND
    )
    widths: tuple[float, float] = setting(
        (1.0, 1.0), "", "Standard deviations of q", low=NARROWEST, high=WIDEST, **_BY_HAND
    )
    angle: float = setting(0.0, "", "Of its first axis", low=-36_000, high=36_000, **_BY_HAND)
    log: bool = setting(
        False, "log", "Show log p(z|x), which brings out what is far below the peak"
    )
    view: tuple[float, ...] | None = setting(None, "", "What is seen", low=-1e3, high=1e3)

    def after(self, changes: Mapping[str, Any]) -> Self:
        """A hand takes q from its name, and a name from the hand."""
        changes = dict(changes)
        if {"mean", "widths", "angle"} & changes.keys():
            changes = {"q": _OWN, "refine": False} | changes
        elif {"q", "scale", "shift"} & changes.keys() or ("image" in changes and self.q == _OWN):
            named = self.q if self.q != _OWN else "encoder"
            usual = {"scale": 1.0, "shift": (0.0, 0.0), "refine": False, "view": None}
            changes = {"q": named} | usual | changes
        after = super().after(changes)
        match after.view:
            case None:
                pass
            case (left, right, bottom, top) if left < right and bottom < top:
                pass
            case _:
                raise LessonError("“view” should be four numbers: left < right, bottom < top")
        return after


@dataclass(frozen=True, eq=False)
class BoundResult(Result):
    """What is known of the image, and of q.

    ``truth`` is None while it is computed. ``bound`` is of the newest q that one is known of, and
    ``best`` of all q that a refinement of this image has ended at. ``picture`` is the exact
    posterior, ``decoded`` (h, w) the decoder's picture of q's mean. ``frame`` is another one when
    all of q and of the posterior is to be shown.
    """

    truth: Truth | None = None
    q: Normal | None = None
    bound: Bound | None = None
    best: Bound | None = None
    picture: Field | None = None
    decoded: Float32 | None = None
    refining: bool = False
    frame: Region = (-3.0, 3.0, -3.0, 3.0)

    @property
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
        shown = [one for one in (self.truth and self.truth.moments, self.q) if one]
        if not shown:
            return -3.0, 3.0, -3.0, 3.0
        reach = [_SURROUNDINGS * np.sqrt(np.diag(one.covariance)) for one in shown]
        lowest = np.min([one.mean - far for one, far in zip(shown, reach, strict=True)], axis=0)
        highest = np.max([one.mean + far for one, far in zip(shown, reach, strict=True)], axis=0)
        return float(lowest[0]), float(highest[0]), float(lowest[1]), float(highest[1])


class BoundExperiment(DigitExperiment[BoundSettings, BoundResult]):
    """One q at a time, over one image."""

    def __init__(self, context: LessonContext) -> None:
        super().__init__(context, BoundSettings(), BoundResult())
        self._know, self._draw = self.newest("bound-truth"), self.newest("bound-picture")
        self._climb, self._fine = self.newest("bound-climb"), self.newest("bound-fine")
        self._measure = self.patient("bound")
        self._put: BoundSettings | None = None
        self._run: Iterator[Refinement] | None = None

    @property
    def sight(self) -> Region:
        """What of the plane is seen, in latent units: the ``view``, or the frame and some air."""
        left, right, bottom, top = self.settings.view or self.result.frame
        wide = 0.0 if self.settings.view else _LEAST + _AIR * max(right - left, top - bottom)
        return left - wide, right + wide, bottom - wide, top + wide

    def set_q(self, q: Normal) -> None:
        """Set q by hand; what is beyond the limits is moved to them."""
        angle = math.degrees(math.remainder(q.angle, 2 * math.pi))
        self.stop()
        self.settings = replace(self.settings, view=self.sight)  # it stays, whatever q is
        self.move(mean=q.mean, widths=q.widths, angle=angle)

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Set what is named, and put q there again."""
        settings = self.settings.after(state)
        if state.keys() - {"log", "view"}:
            self._put = None
            self.stop()
        self.take(settings)

    def put(self, name: str) -> None:
        """Put q at a named density."""
        self.set_state({"q": name})

    def refine(self) -> None:
        """Climb from q to the best Gaussian nearby."""
        self.stop()
        found = self.result
        if found.truth is None or found.q is None:
            return
        start = np.array([found.q.mean]), found.q.covariance[None]
        self._run = refine_posterior(
            found.truth.model, found.truth.x, STEPS, every=_EVERY, start=start
        )
        self.settings = replace(self.settings, refine=True, view=None)
        self._step()
        self.publish(refining=True)

    def stop(self) -> None:
        """End a refinement where it is."""
        self._climb.cancel()
        self.freeze()
        if self._run is not None:
            self._run = None
            self.publish(refining=False)

    def hide(self) -> None:
        """Stop all that is computed."""
        super().hide()
        self.stop()

    def update(self) -> None:
        """Find out all about the image, unless it is known; and put q where it is to be."""
        model, digit = self.context.model, self.digit
        if self._know.of is None or self._know.of != self.about:
            self.stop()
            mine, self._put = self._put is None, None  # what was set just now is of this image
            for work in (self._know, self._measure, self._fine, self._draw):
                work.cancel()
            if self.settings.q == _OWN and not mine:
                self.settings = self.settings.after({"q": "encoder"})
            self.result = BoundResult(frame=self.result.frame)
            if model and digit:
                self._know.ask(self.about, partial(find_truth, model, digit), self._on_truth)
        truth = self.result.truth
        if truth is None:
            return
        put = replace(self.settings, log=False, refine=False, view=None)
        if self._put != put:
            by_hand, self._put = self._put is not None, put
            self._place(truth)
            if not by_hand:
                self.result = replace(self.result, frame=self.result.region)
            if self.settings.refine:
                self.refine()
        elif self.result.bound is None or self.result.bound.q is not self.result.q:
            self._ask()
        self._picture()

    def symbols(self) -> dict[str, float | str]:
        """The exact log p(x), what it divides into at q, and the encoder's gap."""
        now, gap = self.result.bound, self.result.gap
        if now is None:
            names = ("logp", "elbo", "recon", "kl_prior", "kl_post", "approx", "amort")
            return dict.fromkeys(names, "")
        return {
            "logp": now.log_marginal,
            "elbo": now.elbo,
            "recon": now.log_likelihood,
            "kl_prior": now.kl_prior,
            "kl_post": now.kl_posterior,
            "approx": gap.get("approximation", ""),
            "amort": gap.get("amortisation", ""),
        }

    def data(self) -> dict[str, Any]:
        """The bars and q."""
        now = self.result.bound
        if now is None:
            return {}
        return {
            "log_marginal": now.log_marginal,
            "elbo": now.elbo,
            "log_likelihood": now.log_likelihood,
            "kl_prior": now.kl_prior,
            "kl_posterior": now.kl_posterior,
            "mean": np.array(now.q.mean),
            "widths": np.array(now.q.widths),
        } | self.result.gap

    def _on_truth(self, truth: Truth) -> None:
        self.result = replace(self.result, truth=truth)
        self.update()
        self.publish()

    def _place(self, truth: Truth) -> None:
        """Put q where the settings say."""
        now = self.settings
        if now.q == _OWN:
            self._set(Normal(now.mean, now.widths, math.radians(now.angle)))
            return
        named = {"encoder": truth.encoder, "moments": truth.moments, "prior": PRIOR}[now.q]
        z1, z2 = (named.mean + named.factor @ now.shift).tolist()
        first, second = named.widths
        self._set(Normal((z1, z2), (now.scale * first, now.scale * second), named.angle))

    def _set(self, q: Normal) -> None:
        truth = self.result.truth
        assert truth is not None
        z1, z2 = np.clip(q.mean, -LATENT_LIMIT, LATENT_LIMIT).tolist()
        first, second = np.clip(q.widths, NARROWEST, WIDEST).tolist()
        q = Normal((z1, z2), (first, second), float(q.angle))
        decoded = truth.model.decode(np.array([q.mean]))[0]
        self.result = replace(self.result, q=q, decoded=decoded)
        self._ask()

    def _ask(self) -> None:
        """Compute the bound of q, after the one that is being computed."""
        self._fine.cancel()
        truth, q = self.result.truth, self.result.q
        if truth and q:
            self._measure.run(partial(bound_of, truth, q, PLACES), self._on_bound)

    def _on_bound(self, bound: Bound) -> None:
        self.publish(bound=bound)
        truth = self.result.truth
        if bound.q is self.result.q and bound.error > _CLOSE and truth and self._run is None:
            # At rest there is time.
            work = partial(bound_of, truth, bound.q, MOST_PLACES)
            self._fine.run(work, lambda fine: self.publish(bound=fine))

    def fit(self) -> None:
        """Show all of the posterior and of q."""
        self.result = replace(self.result, frame=self.result.region)
        self.set(view=None)
        self.publish()

    def _picture(self) -> None:
        truth, log = self.result.truth, self.settings.log
        if truth:
            left, right, bottom, top = self.sight
            reach = _WIDER / 2 * max(right - left, top - bottom)
            z1, z2 = (left + right) / 2, (bottom + top) / 2
            region = z1 - reach, z1 + reach, z2 - reach, z2 + reach
            work = partial(picture_of, truth, region, _CELLS, log)
            self._draw.ask((region, log), work, lambda found: self.publish(picture=found))

    def _step(self) -> None:
        if run := self._run:
            self._climb.run(lambda _: next(run), self._on_step)

    def _on_step(self, found: Refinement) -> None:
        q = Normal.of(found.mean[0], found.covariance[0])
        truth = self.result.truth
        assert truth is not None
        if found.step < STEPS:
            self._set(q)
            self.publish()
            self.later(_PAUSE, self._step)
        else:
            self._climb.run(partial(bound_of, truth, q, MOST_PLACES), self._on_summit)

    def _on_summit(self, found: Bound) -> None:
        best = self.result.best
        if best is None or found.elbo > best.elbo:
            self.result = replace(self.result, best=found)
        self._run = None
        self._set(found.q)
        self.publish(refining=False, frame=self.result.region)
