"""IWAE-k climbing to log p(x), and the noise of the encoder's gradient, beside the main thread."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from psygnal import Signal

from vae_explorer.latent.normal import Normal
from vae_explorer.lessons.course import LessonError
from vae_explorer.lessons.sampling import CHUNK as CHUNK
from vae_explorer.lessons.sampling import Samples, Truth, chunks, extended, truth
from vae_explorer.lessons.tighter import (
    ESTIMATORS,
    Gradients,
    bound,
    gradients,
    signal_to_noise,
    slope,
)
from vae_explorer.lessons.tighter import GRADIENT_KS as GRADIENT_KS
from vae_explorer.lessons.tighter import KS as KS
from vae_explorer.lessons.tighter import Bound as Bound
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.session.jobs import Control
from vae_explorer.session.lessons.chosen_digit import ChosenDigit, Digit, whole
from vae_explorer.session.lessons.instrument import Instrument
from vae_explorer.session.lessons.workbench import Workbench
from vae_explorer.types import Float64, UInt8

PROPOSALS = ("encoder", "matched", "wide")
MOST_SAMPLES = 1_000_000
LEAST_REPEATS, MOST_REPEATS = 20, 2_000

_LARGE = 10.0  # the k from which the power of the signal-to-noise ratio is told


@dataclass(frozen=True, eq=False)
class Ladder:
    """The ``bound`` so far under ``log_marginal`` and above ``elbo``, nats; ``image`` (h, w)."""

    image: UInt8
    log_marginal: float
    elbo: float
    bound: Bound


@dataclass(frozen=True, eq=False)
class Ratio:
    """The signal-to-noise ratio ``values`` (r,) of an estimator at ``ks`` (r,).

    It goes like k to the ``power``, which is NaN as long as too few are known.
    """

    name: str
    ks: Float64
    values: Float64
    power: float


class Tighter(Instrument):
    """Draws ``samples`` of q, whose blocks of k make the bound, then repeats gradients."""

    ladder_changed = Signal(object)
    """The ``Ladder`` so far, or None at first."""
    ratios_changed = Signal(tuple)
    """The ``Ratio`` of each estimator so far; none at first."""
    settings_changed = Signal()
    """What is set is another."""
    k_changed = Signal(int)
    """Another k is looked at."""
    worked = Signal(str, float)
    """What is under way, "" for nothing, and the share of it that is done."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        self.digit = ChosenDigit(bench)
        self.k = 1
        self.samples = 2 * CHUNK
        self.proposal = "encoder"
        self.gradient = False
        self.repeats = 100
        self.seed = 0
        self.ladder: Ladder | None = None
        self.ratios: tuple[Ratio, ...] = ()
        self.working = ""
        self._subject: tuple[TrainedVAE, Digit] | None = None
        self._truth: Truth | None = None
        self._drawn: dict[tuple[str, int], Samples] = {}
        self._gradients: dict[tuple[str, int, int], dict[str, Gradients]] = {}
        self._shown = False
        bench.model_changed.connect(self._begin)
        bench.subject_changed.connect(self._begin)

    def show(self) -> None:
        """Go on."""
        self._shown = True
        self._begin()

    def hide(self) -> None:
        """Leave off; what is known is kept."""
        self._shown = False
        self.bench.cancel("tighter")

    def state(self) -> dict[str, Any]:
        """The k looked at, the samples, q, the digit, and the gradients that are wanted."""
        return {
            "k": self.k,
            "samples": self.samples,
            "q": self.proposal,
            "image": self.digit.image,
            "gradient": self.gradient,
            "repeats": self.repeats,
            "seed": self.seed,
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Set what is named."""
        unknown = sorted(state.keys() - self.state().keys())
        if unknown:
            raise LessonError(f"The bound has no setting {', '.join(unknown)}.")
        new = self.state() | dict(state)
        k, samples = whole("k", new["k"]), whole("samples", new["samples"])
        repeats, seed = whole("repeats", new["repeats"]), whole("seed", new["seed"])
        if k not in KS:
            raise LessonError(f"k is one of {', '.join(map(str, KS))}, not {k}.")
        if not 1 <= samples <= MOST_SAMPLES or samples % CHUNK:
            raise LessonError(
                f"Samples come by {CHUNK:,}, up to {MOST_SAMPLES:,}, not {samples:,}."
            )
        if not LEAST_REPEATS <= repeats <= MOST_REPEATS:
            raise LessonError(
                f"repeats are from {LEAST_REPEATS} to {MOST_REPEATS:,}, not {repeats:,}."
            )
        if new["q"] not in PROPOSALS:
            raise LessonError(f"q is one of {', '.join(PROPOSALS)}, not {new['q']!r}.")
        self.digit.set_image(new["image"])
        self.k, self.samples, self.repeats, self.seed = k, samples, repeats, seed
        self.proposal, self.gradient = new["q"], bool(new["gradient"])
        self.settings_changed.emit()
        self._begin()

    def set_k(self, k: float) -> None:
        """Look at the rung nearest to k."""
        nearest = min(KS, key=lambda rung: abs(np.log(rung / max(k, 1e-9))))
        if nearest != self.k:
            self.k = nearest
            self.k_changed.emit(nearest)
            self._tell()

    def stop(self) -> None:
        """Be content with what is known."""
        self.bench.cancel("tighter")
        self._work("", 1.0)

    def data(self) -> dict[str, Any]:
        """The exact value, the bound, and the ratios if gradients are told."""
        if self.ladder is None:
            return {}
        found = self.ladder.bound
        data = {
            "exact": self.ladder.log_marginal,
            "elbo": self.ladder.elbo,
            "k": found.ks,
            "bound": found.mean,
            "spread": found.spread,
        }
        for ratio in self.ratios:
            data |= {f"snr_{ratio.name}": ratio.values, f"power_{ratio.name}": ratio.power}
        return data

    def _begin(self, _: object = None) -> None:
        """Begin anew if the model or the digit is another, and compute what is not known."""
        model, digit = self.bench.model, self.digit.current
        if not self._shown or model is None or digit is None:
            return
        if self._subject is None or self._subject[0] is not model or self._subject[1] != digit:
            self._subject = model, digit
            self._truth, self._drawn, self._gradients = None, {}, {}
        known, wanted, gradient = self._truth, self.samples, self.gradient
        name, repeats, seed = self.proposal, self.repeats, self.seed
        drawn = self._drawn.get((name, seed))
        self._tell_ladder()
        self._tell_ratios()

        def work(control: Control) -> None:
            now = known or truth(model, digit.image[None], digit.seed, control.check)
            control.report(partial(self._take_truth, now))
            proposal = _proposal(now, name)
            samples = drawn
            have = len(samples) if samples else 0
            stream = chunks(model, now.x, proposal, seed, have // CHUNK, control.check)
            while have < wanted:
                have = min(wanted, max(have + CHUNK, int(1.2 * have) // CHUNK * CHUNK))
                samples = extended(samples, stream, have)
                control.report(partial(self._take_samples, name, seed, samples))
            if gradient:
                streams = {
                    one: gradients(
                        model, now.x, proposal, one, repeats=repeats, seed=seed, check=control.check
                    )
                    for one in ESTIMATORS
                }
                for parts in zip(*streams.values(), strict=True):
                    found = dict(zip(streams, parts, strict=True))
                    control.report(partial(self._take_gradients, name, repeats, seed, found))

        done = known is not None and drawn is not None and len(drawn) >= wanted
        enough = self._gradients.get((name, repeats, seed), {})
        if done and (not gradient or _complete(enough)):
            self.bench.cancel("tighter")
            self._work("", 1.0)
            return
        self._work("integrating" if known is None else "drawing", 0.0)
        self.bench.compute("tighter", work, lambda _: self._work("", 1.0))

    def _take_truth(self, known: Truth) -> None:
        self._truth = known
        self._work("drawing", 0.0)

    def _take_samples(self, name: str, seed: int, samples: Samples) -> None:
        self._drawn[name, seed] = samples
        self._work("drawing", len(samples) / self.samples)
        self._tell_ladder()

    def _take_gradients(
        self, name: str, repeats: int, seed: int, found: dict[str, Gradients]
    ) -> None:
        self._gradients[name, repeats, seed] = found
        done = next(iter(found.values())).ks
        self._work("gradients", float(done.sum() / sum(GRADIENT_KS)))
        self._tell_ratios()

    def _work(self, what: str, share: float) -> None:
        self.working = what
        self.worked.emit(what, share)

    def _tell_ladder(self) -> None:
        known, drawn = self._truth, self._drawn.get((self.proposal, self.seed))
        if known is None or drawn is None:
            self.ladder = None
        else:
            image = np.asarray(known.image[0], np.uint8)
            found = bound(drawn.log_weights[: self.samples])
            elbo = known.elbo if self.proposal == "encoder" else float(found.mean[0])
            self.ladder = Ladder(image, known.log_marginal, elbo, found)
        self.ladder_changed.emit(self.ladder)
        self._tell()

    def _tell_ratios(self) -> None:
        found = self._gradients.get((self.proposal, self.repeats, self.seed), {})
        ratios = []
        if self.gradient and found:
            for name, one in found.items():
                values = signal_to_noise(found["dreg"], one)
                ratios.append(Ratio(name, one.ks, values, slope(one.ks, values, _LARGE)))
        self.ratios = tuple(ratios)
        self.ratios_changed.emit(self.ratios)
        self._tell()

    def _tell(self) -> None:
        if self.ladder is not None:
            found = self.ladder.bound
            at = int(np.searchsorted(found.ks, self.k, "right")) - 1
            value = float(found.mean[at])
            self.tell(
                logp=self.ladder.log_marginal,
                elbo=self.ladder.elbo,
                k=f"{self.k:,}",
                bound=value,
                gap=self.ladder.log_marginal - value,
                spread=float(found.spread[at]),
            )
        for ratio in self.ratios:
            at = int(np.searchsorted(ratio.ks, self.k, "right")) - 1
            self.tell(**{f"snr_{ratio.name}": float(ratio.values[at])})
            if np.isfinite(ratio.power):
                self.tell(**{f"power_{ratio.name}": ratio.power})


def _proposal(known: Truth, name: str) -> Normal:
    return {"encoder": known.q, "matched": known.matched, "wide": known.wide}[name]


def _complete(found: Mapping[str, Gradients]) -> bool:
    return bool(found) and all(len(one.ks) == len(GRADIENT_KS) for one in found.values())
