"""log p(x) from samples of the prior and of q, growing beside the main thread."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from psygnal import Signal

from vae_explorer.latent.normal import PRIOR, Normal
from vae_explorer.lessons.course import LessonError
from vae_explorer.lessons.sampling import CHUNK as CHUNK
from vae_explorer.lessons.sampling import Curve as Curve
from vae_explorer.lessons.sampling import (
    Samples,
    Truth,
    chunks,
    curve,
    extended,
    truth,
)
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.session.jobs import Control
from vae_explorer.session.lessons.chosen_digit import ChosenDigit, Digit, whole
from vae_explorer.session.lessons.instrument import Instrument
from vae_explorer.session.lessons.workbench import Workbench
from vae_explorer.session.map.marks import Field
from vae_explorer.types import Float32, Float64, Region, UInt8

PROPOSALS = ("none", "encoder", "matched")
"""What is drawn from beside the prior."""
MOST_SAMPLES = 1_000_000

_GROWTH = 1.15  # of the samples, after which curves are drawn anew
_GROUND = 1_500  # places that show where samples fall
_AROUND = 4.0  # standard deviations of p(z|x) on each side, zoomed in


@dataclass(frozen=True, eq=False)
class Scene:
    """What is known of the digit: the density of p(z|x), log p(x), the ELBO, the numbers needed.

    ``needed`` are the samples, e to the KL, that the prior and, if there is one, q ask for.
    ``near`` is the region that holds p(z|x): left, right, bottom, top.
    """

    image: UInt8
    density: Field
    near: Region
    log_marginal: float
    elbo: float
    needed: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Lit:
    """The first ``m`` samples of one density.

    ``ground`` (k, 2) shows where they fall; ``places`` (n, 2) are those that matter, the heaviest
    first, each with its ``shares`` (n,) of the sum.
    """

    m: int
    ground: Float32
    places: Float32
    shares: Float64
    estimate: float
    effective: float
    negligible: float


Curves = tuple[Curve, ...]
"""Of the prior, then of q if there is one."""


class Sampling(Instrument):
    """Grows samples to the number wanted and looks at the first ``m`` of them."""

    scene_changed = Signal(object)
    """The ``Scene``, or None while it is computed."""
    curves_changed = Signal(tuple)
    """The ``Curves`` so far; none at first."""
    lit_changed = Signal(tuple)
    """A ``Lit`` of the first m samples of each density; none if there are none."""
    heaviest_changed = Signal(object)
    """The picture (h, w) that the prior's heaviest of the first m decodes to, or None."""
    settings_changed = Signal()
    """What is set is another."""
    m_changed = Signal(int)
    """Another number of samples is looked at, and all else is as it was."""
    grown = Signal(int, bool)
    """So many samples are there, and whether there will be more."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        self.digit = ChosenDigit(bench)
        self.samples = CHUNK
        self.m = CHUNK
        self.proposal = "none"
        self.seed = 0
        self.near = False
        self.growing = False
        self.curves: Curves = ()
        self.lit: tuple[Lit, ...] = ()
        self.scene: Scene | None = None
        self._truth: Truth | None = None
        self._found: dict[str, Samples] = {}
        self._curves: dict[str, Curve] = {}
        self._subject: tuple[TrainedVAE, Digit] | None = None
        self._heaviest: tuple[float, ...] | None = None
        self._shown = False
        bench.model_changed.connect(self._begin)
        bench.subject_changed.connect(self._begin)

    @property
    def drawn(self) -> int:
        """How many samples there are."""
        return min((len(self._found.get(name, ())) for name in self._names), default=0)

    def show(self) -> None:
        """Go on."""
        self._shown = True
        self._begin()

    def hide(self) -> None:
        """Leave off; what was drawn is kept."""
        self._shown = False
        self.bench.cancel("sampling")

    def state(self) -> dict[str, Any]:
        """The samples wanted, those looked at, what else is drawn from, the digit and the view."""
        return {
            "samples": self.samples,
            "m": self.m,
            "q": self.proposal,
            "image": self.digit.image,
            "seed": self.seed,
            "near": self.near,
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Set what is named."""
        unknown = sorted(state.keys() - self.state().keys())
        if unknown:
            raise LessonError(f"Sampling has no setting {', '.join(unknown)}.")
        new = self.state() | dict(state)
        samples, m, seed = (whole(name, new[name]) for name in ("samples", "m", "seed"))
        if not 1 <= samples <= MOST_SAMPLES or samples % CHUNK:
            raise LessonError(
                f"Samples come by {CHUNK:,}, up to {MOST_SAMPLES:,}, not {samples:,}."
            )
        if not 1 <= m <= MOST_SAMPLES:
            raise LessonError(f"m is from 1 to {MOST_SAMPLES:,}, not {m:,}.")
        if new["q"] not in PROPOSALS:
            raise LessonError(f"q is one of {', '.join(PROPOSALS)}, not {new['q']!r}.")
        self.digit.set_image(new["image"])
        self.samples, self.m, self.proposal = samples, min(m, samples), new["q"]
        if seed != self.seed:
            self.seed = seed
            self._found, self._curves = {}, {}
        self.near = bool(new["near"])
        self.settings_changed.emit()
        self._begin()

    def set_m(self, m: int) -> None:
        """Look at the first m samples."""
        m = min(max(1, m), self.samples)
        if m != self.m:
            self.m = m
            self.m_changed.emit(m)
            self._light()

    def draw_more(self, samples: int) -> None:
        """Grow to so many samples, and look at all of them."""
        self.set_state({"samples": min(samples, MOST_SAMPLES), "m": min(samples, MOST_SAMPLES)})

    def stop(self) -> None:
        """Be content with the samples that there are."""
        self.bench.cancel("sampling")
        self.growing = False
        self.samples = max(CHUNK, self.drawn)
        self.m = min(self.m, self.samples)
        self.settings_changed.emit()
        self.grown.emit(self.drawn, False)
        self._light()

    def data(self) -> dict[str, Any]:
        """The exact value, the bounds and the curves."""
        if self.scene is None or not self.curves:
            return {}
        first = self.curves[0]
        data = {
            "exact": self.scene.log_marginal,
            "elbo": self.scene.elbo,
            "needed": np.array(self.scene.needed),
            "m": first.m,
            "estimate": first.estimate,
            "effective": first.effective,
            "error": first.error,
            "negligible": self.lit[0].negligible,
        }
        for other in self.curves[1:]:
            data |= {
                "q_estimate": other.estimate,
                "q_effective": other.effective,
                "q_error": other.error,
            }
        return data

    @property
    def _names(self) -> tuple[str, ...]:
        return ("prior",) if self.proposal == "none" else ("prior", self.proposal)

    def _begin(self, _: object = None) -> None:
        """Begin anew if the model or the digit is another, and grow."""
        model, digit = self.bench.model, self.digit.current
        if not self._shown or model is None or digit is None:
            return
        if self._subject is None or self._subject[0] is not model or self._subject[1] != digit:
            self._subject = model, digit
            self._truth, self._found, self._curves = None, {}, {}
        self._tell_scene()
        self._tell_curves()
        known, found, curves = self._truth, dict(self._found), dict(self._curves)
        names, wanted, seed = self._names, self.samples, self.seed
        self.growing = known is None or self.drawn < wanted
        self.grown.emit(self.drawn, self.growing)
        if not self.growing:
            self.bench.cancel("sampling")
            return

        def work(control: Control) -> None:
            now = known or truth(model, digit.image[None], digit.seed, control.check)
            control.report(partial(self._take_truth, now))
            streams = {}
            for number, name in enumerate(names):
                have = len(found.get(name, ()))
                proposal = _proposal(now, name)
                start = have // CHUNK
                streams[name] = chunks(
                    model, now.x, proposal, 2 * seed + min(number, 1), start, control.check
                )
            while (least := min(len(found.get(name, ())) for name in names)) < wanted:
                # All to the same number, first those that are behind.
                behind = [name for name in names if len(found.get(name, ())) == least]
                ahead = [len(found[name]) for name in names if len(found.get(name, ())) > least]
                goal = min(wanted, *ahead, max(least + CHUNK, int(_GROWTH * least)))
                for name in behind:
                    found[name] = extended(found.get(name), streams[name], goal)
                    curves[name] = curve(found[name], now.log_marginal)
                control.report(partial(self._take, dict(found), dict(curves)))

        self.bench.compute("sampling", work, self._end)

    def _take_truth(self, known: Truth) -> None:
        self._truth = known
        self._tell_scene()

    def _take(self, found: dict[str, Samples], curves: dict[str, Curve]) -> None:
        self._found, self._curves = found, curves
        self.grown.emit(self.drawn, True)
        self._tell_curves()

    def _end(self, _: None) -> None:
        self.growing = False
        self.grown.emit(self.drawn, False)

    def _tell_scene(self) -> None:
        known = self._truth
        if known is None:
            self.scene = None
        else:
            kls = [known.kl(_proposal(known, name)) for name in self._names]
            self.scene = _scene(known, tuple(float(np.exp(min(kl, 60.0))) for kl in kls))
            self.tell(
                logp=known.log_marginal, elbo=known.elbo, kl=kls[0], needed=self.scene.needed[0]
            )
            if len(kls) > 1:
                self.tell(klq=kls[1])
        self.scene_changed.emit(self.scene)

    def _tell_curves(self) -> None:
        self.curves = tuple(self._curves[name] for name in self._names if name in self._curves)
        self.curves_changed.emit(self.curves)
        self._light()

    def _light(self) -> None:
        """Look at the first m."""
        if not self.curves or self.bench.model is None:
            self.lit = ()
            self._heaviest = None
            self.lit_changed.emit(())
            self.heaviest_changed.emit(None)
            return
        self.lit = tuple(
            _lit(self._found[name], self.m) for name in self._names if name in self._found
        )
        self.lit_changed.emit(self.lit)
        first, *others = self.lit
        heaviest = tuple(first.places[0].tolist())
        if heaviest != self._heaviest:
            self._heaviest = heaviest
            self.heaviest_changed.emit(self.bench.model.decode(first.places[:1])[0])
        self.tell(
            m=f"{first.m:,}",
            estimate=first.estimate,
            ess=first.effective,
            negligible=f"{100 * first.negligible:.2f} %",
        )
        for other in others:
            self.tell(estimate_q=other.estimate, ess_q=other.effective)


def _proposal(known: Truth, name: str) -> Normal:
    return {"prior": PRIOR, "encoder": known.q, "matched": known.matched}[name]


def _lit(samples: Samples, m: int) -> Lit:
    m = min(m, len(samples))
    rows, shares = samples.lit(m)
    some = np.array([m])
    return Lit(
        m,
        samples.places[: min(m, _GROUND)],
        samples.places[rows],
        shares,
        float(samples.estimate(some)[0]),
        float(samples.effective(some)[0]),
        samples.negligible(m),
    )


def _scene(known: Truth, needed: tuple[float, ...]) -> Scene:
    axis, density = known.grid.axis, known.grid.density.T.astype(np.float32)
    half = float(axis[1] - axis[0]) / 2
    low, high = float(axis[0]) - half, float(axis[-1]) + half
    mean, covariance = known.exact.mean[0], known.exact.covariance[0]
    reach = _AROUND * float(np.sqrt(np.linalg.eigvalsh(covariance)[-1]))
    (x, y) = mean.tolist()
    return Scene(
        np.asarray(known.image[0], np.uint8),
        Field((low, high, low, high), density, 0.0, float(density.max()), "", fading=True),
        (x - reach, x + reach, y - reach, y + reach),
        known.log_marginal,
        known.elbo,
        needed,
    )
