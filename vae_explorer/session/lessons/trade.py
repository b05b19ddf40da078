"""Rate against distortion: the model on the map, and small ones trained beside it at several β."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from psygnal import Signal

from vae_explorer.lessons import trade
from vae_explorer.lessons.course import LessonError
from vae_explorer.lessons.trade import BETAS as BETAS
from vae_explorer.lessons.trade import HOLE as HOLE
from vae_explorer.lessons.trade import SHARES as SHARES
from vae_explorer.lessons.trade import SHEET as SHEET
from vae_explorer.lessons.trade import Study
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.session.jobs import Control
from vae_explorer.session.lessons.instrument import Instrument, refuse_unknown
from vae_explorer.session.lessons.workbench import Workbench
from vae_explorer.types import Bools, Float32, Float64, UInt8

DRAWS = 25
"""Places drawn from the prior at a time."""
CODES = 2_000
"""Test images whose codes are drawn."""
FRAME = 0.02
"""Seconds from one picture of a morph to the next."""

_STEPS = 15  # of a morph
_NEAREST_RANGE = 3.2  # latent units, the least that is shown


@dataclass(frozen=True)
class Progress:
    """A training under way: its ``beta``, its ``share`` done, and how many ``wait`` after it."""

    beta: float
    share: float
    wait: int


@dataclass(frozen=True, eq=False)
class Draws:
    """``places`` (n, 2) from the prior, their decodes (n, h, w), and which lie in a ``hole`` (n,).

    ``ratio`` (n,) is q(z)/p(z).
    """

    places: Float64
    images: Float32
    hole: Bools
    ratio: Float64


class Trade(Instrument):
    """Points of the plane of rate and distortion, and the codes and decodes behind one of them.

    Shown is the model on the map, or at ``place``, an index into ``BETAS`` with a fraction, what
    was trained there; between two that were trained the codes are on their way.
    """

    changed = Signal()
    """Another model is shown, or there are other points."""
    moved = Signal()
    """The codes are elsewhere; sent with ``changed`` too."""
    draws_changed = Signal()
    """Other places were drawn from the prior, or they are decoded by another model."""
    training_changed = Signal()
    """A training went on, began or ended."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        self.studies: dict[float, Study] = {}
        """By β, of the small models trained so far."""
        self.own: Study | None = None
        """Of the model on the map."""
        self.progress: Progress | None = None
        self.trail: list[tuple[float, float]] = []
        """Rate and distortion, on the training images, of the training under way."""
        self.draws: Draws | None = None
        self.whole = True
        """The model on the map is shown, and not a small one."""
        self.place = 0.0
        self.seed = 0
        self._shown = False
        self._of: TrainedVAE | None = None
        self._flight: object = None
        self._drawn: tuple[Study, int] | None = None
        self._queue: tuple[float, ...] = ()
        bench.model_changed.connect(self._on_model)

    # What there is to see

    @property
    def trained(self) -> list[Study]:
        """The small models so far, by rising β."""
        return [self.studies[beta] for beta in sorted(self.studies)]

    @property
    def study(self) -> Study | None:
        """What is shown; on the way from one model to another, the nearer."""
        if self.whole or not self.studies:
            return self.own
        return min(self.trained, key=lambda one: abs(BETAS.index(one.beta) - self.place))

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

    def decode(self, place: tuple[float, float]) -> tuple[Float32, float] | None:
        """What the model makes of a place, (h, w), and q(z)/p(z) there."""
        study = self.study
        if study is None:
            return None
        z = np.array([place])
        excess = trade.excess(study.posterior, z)
        return study.model.decode(z)[0], float(np.exp(excess[0]))

    # What a person does

    def set_place(self, place: float) -> None:
        """Go to an index into ``BETAS``, or between two."""
        self._land()
        self._put(place)

    def show_beta(self, beta: float) -> None:
        """Let the codes move to where the model of a β has them."""
        self._land()
        target = float(BETAS.index(beta))
        start, self._flight = self.place, object()
        if self.whole or not self._shown or start == target:
            self._put(target)
        else:
            self._fly(self._flight, start, target, 1)

    def show_model(self) -> None:
        """Show the model on the map."""
        self._land()
        self.whole = True
        self._announce()

    def draw(self) -> None:
        """Draw other places from the prior."""
        self.seed += 1
        self._redraw()

    def train(self, betas: tuple[float, ...] = BETAS) -> None:
        """Train the small models that there are not yet, one after the other."""
        missing = [beta for beta in betas if beta not in self.studies]
        model = self.bench.model
        if not set(missing) - set(self._queue) or not self._shown or model is None:
            return
        self._queue = tuple(missing)
        self.progress, self.trail = Progress(missing[0], 0.0, len(missing) - 1), []
        self.training_changed.emit()
        reference = self.own.posterior.mean if self.own else None
        work = partial(self._train, model, reference, missing)
        self.bench.compute("trade-train", work, lambda _: self._end_training())

    def stop(self) -> None:
        """Leave the training; what is ready stays."""
        self.bench.cancel("trade-train")
        self._end_training()

    # As every instrument

    def show(self) -> None:
        """Measure the model on the map."""
        self._shown = True
        self._measure()

    def hide(self) -> None:
        """Leave off training, measuring and moving."""
        self._shown = False
        self._land()
        self.bench.cancel("trade-own")
        self.stop()

    def state(self) -> dict[str, Any]:
        """What is shown and which small models there are."""
        shown: dict[str, Any] = (
            {"model": True} if self.whole else {"beta": BETAS[round(self.place)]}
        )
        return shown | {"train": sorted(self.studies), "draws": self.seed}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Show the ``model`` or a ``beta``, and ``train`` those of a list that are missing.

        ``draws`` is the seed of the places drawn from the prior.
        """
        refuse_unknown(state, {"model", "beta", "train", "draws"})
        train, beta = state.get("train", []), state.get("beta")
        wanted = [
            *(train if isinstance(train, list) else [train]),
            *([] if beta is None else [beta]),
        ]
        wrong = [str(value) for value in wanted if value not in BETAS]
        if wrong:
            known = ", ".join(f"{value:g}" for value in BETAS)
            raise LessonError(f"There is no model of β {', '.join(wrong)}; take of {known}.")
        seed = state.get("draws", self.seed)
        if not isinstance(seed, int) or seed < 0:
            raise LessonError(f"draws must be a whole number from 0, not {seed}.")
        self.seed = seed
        if train:
            self.train(tuple(value for value in BETAS if value in train))
        if beta is not None:
            self.show_beta(BETAS[BETAS.index(beta)])
        elif state.get("model"):
            self.show_model()
        self._redraw()

    def data(self) -> dict[str, Any]:
        """The figures of what is shown, and the points of the plane by rising β."""
        points = self.trained
        shown: dict[str, Any] = {
            "betas": [one.beta for one in points],
            "rates": [one.aggregate.rate for one in points],
            "distortions": [one.aggregate.distortion for one in points],
            "slopes": trade.slopes(points),
        }
        study = self.study
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

    def _on_model(self) -> None:
        if self._shown:
            self._measure()

    def _measure(self) -> None:
        model = self.bench.model
        if model is None or model is self._of:
            self._announce()
            return

        def done(study: Study) -> None:
            self.own, self._of = study, model
            self._announce()

        self.bench.compute(
            "trade-own", lambda control: trade.study(1.0, model, check=control.check), done
        )

    def _train(
        self,
        model: TrainedVAE,
        reference: Float32 | None,
        betas: list[float],
        control: Control,
    ) -> None:
        """On the worker's thread: train, look at what came of it, tell, and take the next."""
        if reference is None:
            reference = trade.codes(model, control.check)
        for number, beta in enumerate(betas):
            left = len(betas) - 1 - number

            def report(share: float, rate: float, distortion: float, now: Progress) -> None:
                control.report(
                    partial(self._on_step, Progress(now.beta, share, now.wait), rate, distortion)
                )

            told = partial(report, now=Progress(beta, 0.0, left))
            made = trade.train(beta, report=told, check=control.check)
            control.report(
                partial(self._on_trained, trade.study(beta, made, reference, control.check))
            )

    def _on_step(self, progress: Progress, rate: float, distortion: float) -> None:
        if self.progress is None or self.progress.beta != progress.beta:
            self.trail = []
        self.progress = progress
        self.trail.append((rate, distortion))
        self.training_changed.emit()

    def _on_trained(self, study: Study) -> None:
        self.studies[study.beta] = study
        self._announce()

    def _end_training(self) -> None:
        if self.progress is not None:
            self.progress, self.trail, self._queue = None, [], ()
            self.training_changed.emit()

    def _between(self, read: Callable[[Study], Float32]) -> Float32:
        """A figure of the models at ``place``, in proportion to how near they are."""
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

    @property
    def _at(self) -> float:
        """``place``, or the nearest to it that is between trained models."""
        known = [BETAS.index(beta) for beta in self.studies]
        return min(max(self.place, min(known)), max(known))

    def _put(self, place: float) -> None:
        before, self.whole = self.study, False
        self.place = min(max(place, 0.0), len(BETAS) - 1.0)
        if self.study is before:
            self.moved.emit()
        else:
            self._announce()

    def _fly(self, flight: object, start: float, target: float, step: int) -> None:
        if flight is not self._flight or not self._shown:
            return
        share = step / _STEPS
        self._put(start + (target - start) * share * share * (3 - 2 * share))
        if step < _STEPS:
            self.bench.after(FRAME, partial(self._fly, flight, start, target, step + 1))

    def _land(self) -> None:
        self._flight = None

    def _announce(self) -> None:
        study = self.study
        if study is not None:
            figures = study.aggregate
            self.tell(
                beta=f"{study.beta:g}",
                R=figures.rate,
                D=figures.distortion,
                ELBO=-figures.rate - figures.distortion,
                loss=figures.distortion + study.beta * figures.rate,
                I=figures.mutual_information,
                KL=figures.marginal_kl,
                holes=study.holes,
                slope=-study.beta,
            )
        self._redraw()
        self.changed.emit()
        self.moved.emit()

    def _redraw(self) -> None:
        study = self.study
        if study is None or not self._shown or self._drawn == (study, self.seed):
            return
        self._drawn = study, self.seed
        places = trade.prior_draws(DRAWS, self.seed)
        excess = trade.excess(study.posterior, places)
        ratio = np.exp(excess)
        self.draws = Draws(places, study.model.decode(places), ratio < HOLE, ratio)
        self.draws_changed.emit()


def _reach(study: Study) -> float:
    codes = np.abs(study.posterior.mean[:CODES])
    return max(_NEAREST_RANGE, float(np.quantile(codes, 0.995)))
