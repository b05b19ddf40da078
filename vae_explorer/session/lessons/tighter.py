"""IWAE-k climbing to log p(x), and the noise of the encoder's gradient."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from vae_explorer.lessons.sampling import CHUNK, Samples, Truth
from vae_explorer.lessons.tighter import (
    ESTIMATORS,
    GRADIENT_KS,
    KS,
    Bound,
    Gradients,
    bound,
    gradients,
    signal_to_noise,
    slope,
)
from vae_explorer.session.jobs import Control
from vae_explorer.session.lessons.context import LessonContext
from vae_explorer.session.lessons.experiment import setting
from vae_explorer.session.lessons.samples import (
    MOST_SAMPLES,
    Order,
    SampleExperiment,
    SampleResult,
    SampleSettings,
)
from vae_explorer.types import Float64

_LARGE = 10.0  # the k from which the power of the signal-to-noise ratio is taken


@dataclass(frozen=True)
class TighterSettings(SampleSettings):
    """The samples, the ``k`` that is looked at, and the gradients that are wanted."""

    samples: int = setting(
        2 * CHUNK,
        "Samples",
        "How many samples are drawn; blocks of k are averaged",
        low=CHUNK,
        high=MOST_SAMPLES,
    )
    q: str = setting(
        "encoder",
        "q is",
        "The Gaussian that samples are drawn from",
        choices=("encoder", "matched", "wide"),
        titles=("the encoder’s", "the best Gaussian", "twice as wide as the best"),
    )
    k: int = setting(1, "k", "How many samples the bound has", choices=KS)
    gradient: bool = setting(
        False, "Gradients", "Repeat the gradient of the bound, and show its noise"
    )
    repeats: int = setting(
        100,
        "Repeats",
        "How many gradients for each k",
        low=20,
        high=2_000,
        needs=("gradient", (True,)),
    )


@dataclass(frozen=True, eq=False)
class Ratio:
    """The signal-to-noise ratio ``values`` (r,) of an estimator at ``ks`` (r,).

    It goes like k to the ``power``, which is NaN as long as too few are known.
    """

    name: str
    ks: Float64
    values: Float64
    power: float


@dataclass(frozen=True, eq=False)
class TighterResult(SampleResult):
    """The ``bound`` so far, the ``elbo`` it begins at, and the ``ratios`` of the gradients."""

    bound: Bound | None = None
    elbo: float = 0.0
    ratios: tuple[Ratio, ...] = ()


class Tighter(SampleExperiment[TighterSettings, TighterResult]):
    """Draws samples of q, whose blocks of k make the bound, then repeats gradients."""

    look_only = ("k",)

    def __init__(self, context: LessonContext) -> None:
        super().__init__(context, TighterSettings(), TighterResult())
        # By model, image, seed, q and the number of repeats.
        self._gradients: dict[tuple[object, ...], dict[str, Gradients]] = {}

    def summary(self, samples: Samples, log_marginal: float) -> Bound:
        """IWAE-k for each k; what the exact value is makes no difference."""
        del log_marginal
        return bound(samples.log_weights)

    def look(self) -> TighterResult:
        """The bound of the samples, and the ratios of the gradients."""
        known, seen = self.result.truth, self.seen.get(self.settings.q)
        found: Bound | None = seen.summary if seen else None
        elbo = 0.0
        if known is not None and found is not None:
            elbo = known.elbo if self.settings.q == "encoder" else float(found.mean[0])
        ratios = []
        if self.settings.gradient:
            key = (*self._of, self.settings.q, self.settings.repeats)
            repeated = self._gradients.get(key, {})
            for name, one in repeated.items():
                values = signal_to_noise(repeated["dreg"], one)
                ratios.append(Ratio(name, one.ks, values, slope(one.ks, values, _LARGE)))
        return replace(self.result, bound=found, elbo=elbo, ratios=tuple(ratios))

    def more(self, order: Order[TighterSettings], known: Truth, control: Control) -> None:
        """Repeat the gradients of both estimators, k by k."""
        settings = order.settings
        key = (*order.of, settings.q, settings.repeats)
        done = self._gradients.get(key, {})
        complete = done and all(len(one.ks) == len(GRADIENT_KS) for one in done.values())
        if not settings.gradient or complete:
            return
        q = known.proposal(settings.q)
        repeat = partial(
            gradients, repeats=settings.repeats, seed=settings.seed, check=control.check
        )
        streams = [repeat(order.model, known.x, q, name) for name in ESTIMATORS]
        for parts in zip(*streams, strict=True):
            found = dict(zip(ESTIMATORS, parts, strict=True))
            control.report(partial(self._take_gradients, key, found))

    def symbols(self) -> dict[str, float | str]:
        """The exact log p(x), the ELBO, and the bound and the ratios at k."""
        known, found, k = self.result.truth, self.result, self.settings.k
        values: dict[str, float | str] = {}
        if known is not None and found.bound is not None:
            at = int(np.searchsorted(found.bound.ks, k, "right")) - 1
            value = float(found.bound.mean[at])
            values |= {
                "logp": known.log_marginal,
                "elbo": found.elbo,
                "k": f"{k:,}",
                "bound": value,
                "gap": known.log_marginal - value,
                "spread": float(found.bound.spread[at]),
            }
        for ratio in found.ratios:
            at = int(np.searchsorted(ratio.ks, k, "right")) - 1
            values[f"snr_{ratio.name}"] = float(ratio.values[at])
            if np.isfinite(ratio.power):
                values[f"power_{ratio.name}"] = ratio.power
        return values

    def data(self) -> dict[str, Any]:
        """The exact value, the bound, and the ratios if gradients are wanted."""
        known, found = self.result.truth, self.result
        if known is None or found.bound is None:
            return {}
        data = {
            "exact": known.log_marginal,
            "elbo": found.elbo,
            "k": found.bound.ks,
            "bound": found.bound.mean,
            "spread": found.bound.spread,
        }
        for ratio in found.ratios:
            data |= {f"snr_{ratio.name}": ratio.values, f"power_{ratio.name}": ratio.power}
        return data

    def _take_gradients(self, key: tuple[object, ...], found: dict[str, Gradients]) -> None:
        self._gradients = {
            other: known for other, known in self._gradients.items() if other[:3] == key[:3]
        } | {key: found}
        done = next(iter(found.values())).ks
        share = float(done.sum() / sum(GRADIENT_KS))
        self.result = replace(self.result, working="gradients", share=share)
        self.result = self.look()
        self.publish()
