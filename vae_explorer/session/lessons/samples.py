"""What the experiments share that draw more and more samples of z for one image."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from vae_explorer.latent.normal import Normal
from vae_explorer.latent.posterior import posterior_grid
from vae_explorer.lessons.course import LessonError
from vae_explorer.lessons.sampling import (
    CHUNK,
    Samples,
    Truth,
    chunks,
    extended,
)
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.session.explore.image_truth import image_truth
from vae_explorer.session.jobs import Control
from vae_explorer.session.lessons.context import LessonContext
from vae_explorer.session.lessons.experiment import DigitExperiment, DigitSettings, Result, setting
from vae_explorer.types import UInt8

MOST_SAMPLES = 1_000_000

_GROWTH = 1.2  # of the samples, after which they are summarised again


@dataclass(frozen=True)
class SampleSettings(DigitSettings):
    """How many samples, by which seed; the proposal ``q`` is a subclass's."""

    samples: int = setting(
        CHUNK, "Samples", "How many samples are drawn in total", low=CHUNK, high=MOST_SAMPLES
    )
    q: str = setting(
        "encoder", "q is", "The Gaussian that samples are drawn from", choices=("encoder",)
    )
    seed: int = setting(0, "New Samples", "Draw all samples again, with another seed", high=2**31)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.samples % CHUNK:
            raise LessonError(
                f"Setting 'samples' is {self.samples:,}; it must be a multiple of {CHUNK:,}."
            )


@dataclass(frozen=True, eq=False)
class SampleResult(Result):
    """What is known of the image, how many samples there are, and how the work goes on.

    ``working`` is what is under way, "" if nothing is, and ``share`` how much of it is done.
    """

    truth: Truth | None = None
    drawn: int = 0
    working: str = ""
    share: float = 1.0

    @property
    def image(self) -> UInt8 | None:
        """The image, (h, w)."""
        return None if self.truth is None else np.asarray(self.truth.image[0], np.uint8)


@dataclass(frozen=True, eq=False)
class Seen:
    """The samples of one proposal that are looked at, and their ``summary``."""

    samples: Samples
    summary: Any


S = TypeVar("S", bound=SampleSettings)
R = TypeVar("R", bound=SampleResult)


@dataclass(frozen=True, eq=False)
class Order(Generic[S]):
    """What a worker is to do: ``of`` the model, the image and the seed.

    ``image`` (h, w) has the ``seed`` of its binarisation; ``seeds`` are those of the samples, by
    proposal.
    """

    of: tuple[object, ...]
    model: TrainedVAE
    image: UInt8
    seed: int
    settings: S
    seeds: dict[str, int]
    known: Truth | None


class SampleExperiment(DigitExperiment[S, R], Generic[S, R]):
    """Draws to as many samples as are set, and keeps those there are.

    A subclass says which ``proposals`` it draws from, what ``summary`` a worker makes of their
    samples, and what there is to ``look`` at; ``more`` goes on when all are drawn.
    """

    look_only: ClassVar[tuple[str, ...]] = ()
    """The settings that ask for no work."""

    def __init__(self, context: LessonContext, settings: S, result: R) -> None:
        super().__init__(context, settings, result)
        self._draw = self.newest(type(self).__name__)
        self._nothing = result
        self._of: tuple[object, ...] = ()
        self._kept: dict[str, Samples] = {}
        self.seen: dict[str, Seen] = {}

    @property
    def proposals(self) -> tuple[str, ...]:
        """What is drawn from, by the names of ``Truth.proposal``."""
        return (self.settings.q,)

    @property
    def seeds(self) -> dict[str, int]:
        """The seeds of their samples."""
        return dict.fromkeys(self.proposals, self.settings.seed)

    def summary(self, samples: Samples, log_marginal: float) -> Any:
        """What is to be known of samples, beside the exact log p(x); called on the worker."""

    def look(self) -> R:
        """The result with what is looked at of ``seen``."""
        return self.result

    def more(self, order: "Order[S]", known: Truth, control: Control) -> None:
        """Go on, on the worker, when the samples are drawn."""

    def stop(self) -> None:
        """Leave it at what has been drawn."""
        self._draw.cancel()
        most = max(CHUNK, self.result.drawn // CHUNK * CHUNK)
        self.settings = self.settings.after({"samples": min(self.settings.samples, most)})
        self._draw.of = self._asking
        self._end()

    def update(self) -> None:
        """Start again if the model, the image or the seed is another, and draw what is missing."""
        model, digit = self.context.model, self.digit
        if model is None or digit is None:
            return
        of = (self.about, self.settings.seed)
        known = self.result.truth if of[:1] == self._of[:1] else None
        if of != self._of:
            self._of = of
            self._draw.cancel()
            self._kept, self.seen = {}, {}
            self.result = replace(self._nothing, truth=known)
        if self._asking != self._draw.of:
            self.seen = {name: one for name, one in self.seen.items() if name in self.proposals}
            drawn, working = self._drawn(self._kept), "sampling" if known else "integrating"
            self.result = replace(self.result, drawn=drawn, working=working, share=0.0)
            order = Order(of, model, digit.image, digit.seed, self.settings, self.seeds, known)
            work = partial(self._work, order, dict(self._kept), dict(self.seen))
            self._draw.ask(self._asking, work, lambda _: self._end())
        self.result = self.look()

    @property
    def _asking(self) -> S:
        usual = type(self.settings)()
        return replace(self.settings, **{name: getattr(usual, name) for name in self.look_only})

    def _drawn(self, kept: Mapping[str, Samples]) -> int:
        return min(len(kept.get(name, ())) for name in self.proposals)

    def _work(
        self,
        order: "Order[S]",
        kept: dict[str, Samples],
        seen: dict[str, Seen],
        control: Control,
    ) -> None:
        """On the worker: integrate, then draw, and report as the samples grow."""
        names, wanted = tuple(order.seeds), order.settings.samples
        known = order.known or _truth(order.model, order.image, order.seed, control)
        control.report(lambda: self.publish(truth=known, working="sampling"))
        streams = {}
        for name, seed in order.seeds.items():
            r, start = known.proposal(name), len(kept.get(name, ())) // CHUNK
            streams[name] = chunks(order.model, known.x, r, seed, start, control.check)
        while True:
            for name in names:
                samples = kept[name].first(wanted) if name in kept else None
                if samples and (name not in seen or len(seen[name].samples) != len(samples)):
                    seen[name] = Seen(samples, self.summary(samples, known.log_marginal))
            control.report(partial(self._take, dict(kept), dict(seen), wanted))
            lengths = [len(kept.get(name, ())) for name in names]
            if min(lengths) >= wanted:
                break
            # All to the same number, first those that are behind.
            least = min(lengths)
            goal = max(least + CHUNK, int(_GROWTH * least) // CHUNK * CHUNK)
            goal = min([goal, wanted, *(length for length in lengths if length > least)])
            for name, length in zip(names, lengths, strict=True):
                if length == least:
                    kept[name] = extended(kept.get(name), streams[name], goal)
        self.more(order, known, control)

    def _take(self, kept: dict[str, Samples], seen: dict[str, Seen], wanted: int) -> None:
        self._kept, self.seen = self._kept | kept, seen
        drawn = self._drawn(kept)
        self.result = replace(self.result, drawn=drawn, share=min(drawn / wanted, 1.0))
        self.result = self.look()
        self.publish()

    def _end(self) -> None:
        self.publish(working="", share=1.0)


def _truth(model: TrainedVAE, image: UInt8, seed: int, control: Control) -> Truth:
    """As ``lessons.sampling.truth``, of what is kept of an image (h, w)."""
    known = image_truth(model, image, seed, control.check)
    bound = known.bound
    return Truth(
        image[None],
        bound.x,
        known.log_marginal,
        known.mean,
        known.covariance,
        known.entropy,
        posterior_grid(model, bound.x, control.check),
        Normal.of(bound.mean, bound.covariance),
        bound.elbo,
    )
