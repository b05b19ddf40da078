"""Rate against distortion: the model on the map, and small ones trained beside it at several β."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Self

import numpy as np

from vae_explorer.lessons import trade
from vae_explorer.lessons.trade import BETAS, HOLE, Study
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.session.jobs import Control
from vae_explorer.session.lessons.context import LessonContext
from vae_explorer.session.lessons.experiment import Experiment, Result, Settings, setting
from vae_explorer.types import Bools, Float32, Float64, UInt8

DRAWS = 25
"""Points sampled from the prior at a time."""
CODES = 2_000
"""Test images whose codes are drawn."""
FRAME = 0.02
"""Seconds from one picture of a morph to the next."""

_STEPS = 15  # of a morph
_NEAREST_RANGE = 3.2  # latent units, the least that is shown


@dataclass(frozen=True)
class TradeSettings(Settings):
    """The model on the map is shown or the small one of a β; which are trained, and the samples."""

    model: bool = setting(
        True,
        "Model of the &map",
        "Show the model on the map, or the small one of the slider's β",
        needs=("model", (True,)),
    )
    beta: float = setting(
        BETAS[0],
        "",
        "Which small model is shown; between two, the codes are interpolated",
        choices=BETAS,
        needs=("model", (False,)),
    )
    train: tuple[float, ...] = setting(
        (),
        "",
        "Train a small model at each β that has none yet, a few seconds each",
        choices=BETAS,
    )
    draws: int = setting(0, "New Samples", "Take new samples from the prior", high=2**31)

    def after(self, changes: Mapping[str, Any]) -> Self:
        """A β is shown in place of the model of the map."""
        if "beta" in changes:
            changes = dict(changes) | {"model": False}
        return self.replace(**changes)


@dataclass(frozen=True)
class Progress:
    """A training under way: its ``beta``, its ``share`` done, and how many ``wait`` after it."""

    beta: float
    share: float
    wait: int


@dataclass(frozen=True, eq=False)
class Draws:
    """``points`` (n, 2) from the prior, their decodes (n, h, w), and which lie in a ``hole`` (n,).

    ``ratio`` (n,) is q(z)/p(z).
    """

    points: Float64
    images: Float32
    hole: Bools
    ratio: Float64


@dataclass(frozen=True, eq=False)
class TradeResult(Result):
    """Points of the plane of rate and distortion, and the codes and decodes behind one of them.

    ``own`` is of the model on the map, ``studies`` by β of the small models trained so far. Shown
    is ``own`` if ``whole``, or at ``position``, an index into ``BETAS`` with a fraction, what was
    trained there; between two that were trained the codes are on their way. ``trail`` has rate and
    distortion, on the training images, of the training under way.
    """

    own: Study | None = None
    studies: Mapping[float, Study] = field(default_factory=dict)
    whole: bool = True
    position: float = 0.0
    draws: Draws | None = None
    progress: Progress | None = None
    trail: tuple[tuple[float, float], ...] = ()

    @property
    def trained(self) -> list[Study]:
        """The small models so far, by rising β."""
        return [self.studies[beta] for beta in sorted(self.studies)]

    @property
    def study(self) -> Study | None:
        """What is shown; on the way from one model to another, the nearer."""
        if self.whole or not self.studies:
            return self.own
        return min(self.trained, key=lambda one: abs(BETAS.index(one.beta) - self.position))

    @property
    def codes(self) -> Float32:
        """Where the codes are now, (n, 2): at most ``CODES``."""
        return self._between(lambda one: one.posterior.mean[:CODES])

    @property
    def labels(self) -> UInt8:
        """Their classes, (n,)."""
        return self.study.labels[:CODES] if self.study else np.zeros(0, np.uint8)

    @property
    def reach(self) -> float:
        """Half the side of the square that the codes are shown in, latent units."""
        found = self._between(lambda one: np.array([[_reach(one), 0]], np.float32))
        return float(found[0, 0]) if len(found) else _NEAREST_RANGE

    @property
    def at_rest(self) -> bool:
        """The codes are those of ``study``, and not between two models."""
        study = self.study
        return study is self.own or study is None or BETAS.index(study.beta) == self._at

    @property
    def _at(self) -> float:
        """``position``, or the nearest to it that is between trained models."""
        known = [BETAS.index(beta) for beta in self.studies]
        return min(max(self.position, min(known)), max(known))

    def _between(self, read: Callable[[Study], Float32]) -> Float32:
        """A figure of the models at ``position``, in proportion to how near they are."""
        study = self.study
        if study is None:
            return np.zeros((0, 2), np.float32)
        if self.whole or not self.studies:
            return np.asarray(read(study))
        known, at = [BETAS.index(one.beta) for one in self.trained], self._at
        left = max(index for index in known if index <= at)
        right = min(index for index in known if index >= at)
        weight = np.float32((at - left) / (right - left) if right > left else 0.0)
        start, end = (read(self.studies[BETAS[index]]) for index in (left, right))
        return np.asarray((1 - weight) * start + weight * end)


class Trade(Experiment[TradeSettings, TradeResult]):
    """Measures the model on the map and trains the small ones."""

    subject = "MNIST"

    def __init__(self, context: LessonContext) -> None:
        super().__init__(context, TradeSettings(), TradeResult())
        self._measure, self._training = self.newest("trade-own"), self.newest("trade-train")
        self._sampled: tuple[Study, int] | None = None
        self._shown: tuple[bool, float] = (True, 0.0)
        self._queue: tuple[float, ...] = ()

    def decode(self, point: tuple[float, float]) -> tuple[Float32, float] | None:
        """What the model makes of a latent point, (h, w), and q(z)/p(z) there."""
        study = self.result.study
        if study is None:
            return None
        z = np.array([point])
        return study.model.decode(z)[0], float(_ratio(study, z)[0])

    def set_place(self, position: float) -> None:
        """Go to an index into ``BETAS``, or between two."""
        self.freeze()
        position = min(max(position, 0.0), len(BETAS) - 1.0)
        self.settings = replace(self.settings, model=False, beta=BETAS[round(position)])
        self._shown = False, self.settings.beta
        self._put(position)

    def stop(self) -> None:
        """End the training; what is ready stays."""
        self._training.cancel()
        self._end_training()

    def state(self) -> dict[str, Any]:
        """What is shown, and which small models there are."""
        return self.settings.replace(train=tuple(sorted(self.result.studies))).state()

    def hide(self) -> None:
        """Stop training, measuring and moving."""
        super().hide()
        self.stop()

    def update(self) -> None:
        """Measure the model, train what is missing, and go to what is to be shown."""
        now, model = self.settings, self.context.model
        if model is not None:
            self._measure.ask(model, partial(_study, model), lambda study: self._take(own=study))
        missing = tuple(beta for beta in BETAS if beta in now.train)
        missing = tuple(beta for beta in missing if beta not in self.result.studies)
        missing = tuple(sorted(missing, key=lambda beta: beta != now.beta))  # first what is shown
        if set(missing) - set(self._queue) and model is not None:
            self._queue = missing
            self.result = replace(
                self.result, progress=Progress(missing[0], 0.0, len(missing) - 1), trail=()
            )
            own = self.result.own
            reference = own.posterior.mean if own else None
            train = partial(self._train, model, reference, missing)
            self._training.run(train, lambda _: self._end_training())
        shown = now.model, now.beta
        if shown != self._shown:
            was_whole, self._shown = self._shown[0], shown
            target, start = float(BETAS.index(now.beta)), self.result.position
            self.freeze()
            if now.model:
                self.result = replace(self.result, whole=True)
            elif was_whole or start == target:
                self.result = replace(self.result, whole=False, position=target)
            else:
                self._fly(start, target, 1)
        self._resample()

    def symbols(self) -> dict[str, float | str]:
        """Of what is shown: β, R, D, the ELBO, the loss, the information and the holes."""
        study = self.result.study
        if study is None:
            return {}
        f = study.aggregate
        return {
            "beta": f"{study.beta:g}",
            "R": f.rate,
            "D": f.distortion,
            "ELBO": -f.rate - f.distortion,
            "loss": f.distortion + study.beta * f.rate,
            "I": f.mutual_information,
            "KL": f.marginal_kl,
            "holes": study.holes,
            "slope": -study.beta,
        }

    def data(self) -> dict[str, Any]:
        """The metrics of what is shown, and the points of the plane by rising β."""
        points = self.result.trained
        shown: dict[str, Any] = {
            "betas": [one.beta for one in points],
            "rates": [one.aggregate.rate for one in points],
            "distortions": [one.aggregate.distortion for one in points],
            "slopes": trade.slopes(points),
        }
        study = self.result.study
        if study is not None:
            shown |= {
                "rate": study.aggregate.rate,
                "distortion": study.aggregate.distortion,
                "mutual_information": study.aggregate.mutual_information,
                "marginal_kl": study.aggregate.marginal_kl,
                "holes": study.holes,
                "sheet": study.sheet,
            }
        return shown

    def _take(self, **found: Any) -> None:
        self.result = replace(self.result, **found)
        self._resample()
        self.publish()

    def _train(
        self,
        model: TrainedVAE,
        reference: Float32 | None,
        betas: tuple[float, ...],
        control: Control,
    ) -> None:
        """On the worker's thread: train, look at what came of it, report, and take the next."""
        if reference is None:
            reference = trade.codes(model, control.check)
        for left, beta in zip(range(len(betas))[::-1], betas, strict=True):

            def report(
                share: float, rate: float, distortion: float, beta: float = beta, left: int = left
            ) -> None:
                now = Progress(beta, share, left)
                control.report(partial(self._on_step, now, (rate, distortion)))

            made = trade.train(beta, report=report, check=control.check)
            study = trade.study(beta, made, reference, control.check)
            control.report(partial(self._on_trained, study))

    def _on_step(self, progress: Progress, point: tuple[float, float]) -> None:
        before = self.result.progress
        trail = self.result.trail if before and before.beta == progress.beta else ()
        self.publish(progress=progress, trail=(*trail, point))

    def _on_trained(self, study: Study) -> None:
        self._take(studies={**self.result.studies, study.beta: study})

    def _end_training(self) -> None:
        self._queue = ()
        self.settings = replace(self.settings, train=())
        self.publish(progress=None, trail=())

    def _put(self, position: float) -> None:
        self._take(whole=False, position=position)

    def _fly(self, start: float, target: float, step: int) -> None:
        share = step / _STEPS
        self._put(start + (target - start) * share * share * (3 - 2 * share))
        if step < _STEPS:
            self.later(FRAME, partial(self._fly, start, target, step + 1))

    def _resample(self) -> None:
        study, seed = self.result.study, self.settings.draws
        if study is not None and self.shown and self._sampled != (study, seed):
            # At once: a training would keep the samples of the model before waiting.
            self._sampled = study, seed
            self.result = replace(self.result, draws=_draws(study, seed))


def _study(model: TrainedVAE, control: Control) -> Study:
    return trade.study(1.0, model, check=control.check)


def _draws(study: Study, seed: int) -> Draws:
    points = trade.prior_draws(DRAWS, seed)
    ratio = _ratio(study, points)
    return Draws(points, study.model.decode(points), ratio < HOLE, ratio)


def _ratio(study: Study, z: Float64) -> Float64:
    """q(z)/p(z) (n,) at z (n, 2)."""
    return np.asarray(np.exp(trade.excess(study.posterior, z)))


def _reach(study: Study) -> float:
    codes = np.abs(study.posterior.mean[:CODES])
    return max(_NEAREST_RANGE, float(np.quantile(codes, 0.995)))
