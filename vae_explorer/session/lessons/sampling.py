"""log p(x) from samples of the prior and of q."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from vae_explorer.fields import FieldSpec
from vae_explorer.lessons.sampling import CHUNK, Curve, Samples, curve
from vae_explorer.session.lessons.context import LessonContext
from vae_explorer.session.lessons.experiment import setting
from vae_explorer.session.lessons.samples import (
    MOST_SAMPLES,
    SampleExperiment,
    SampleResult,
    SampleSettings,
    Seen,
)
from vae_explorer.session.map.marks import Field
from vae_explorer.types import Float32, Float64, Region

_GROUND = 1_500  # points that show where samples fall
_AROUND = 4.0  # standard deviations of p(z|x) on each side, zoomed in
_MOST_NEEDED = 60.0  # nats, beyond which nobody counts


@dataclass(frozen=True)
class SamplingSettings(SampleSettings):
    """The samples, the first ``m`` of them that are looked at, and the view of the plane."""

    q: str = setting(
        "none",
        "from",
        "What samples are drawn from besides the prior",
        choices=("none", "encoder", "matched"),
        titles=("the prior alone", "the encoder’s q as well", "the best Gaussian as well"),
    )
    m: int = setting(
        CHUNK, "Look at the first", "How many samples the mean is over", low=1, high=MOST_SAMPLES
    )
    near: bool = setting(
        False, "Zoom in on p(z|x)", "Show only the small region that holds the posterior"
    )

    def spec(self, name: str) -> FieldSpec:
        """The specification of a field; m is of the samples."""
        spec = super().spec(name)
        return replace(spec, high=self.samples) if name == "m" else spec

    def after(self, changes: Mapping[str, Any]) -> Self:
        """Of other samples all are looked at, and never more than there are."""
        samples, m = changes.get("samples", self.samples), changes.get("m", self.m)
        if type(samples) is int and type(m) is int:
            changed = samples != self.samples and "m" not in changes
            changes = {**changes, "m": samples if changed else min(m, max(samples, 1))}
        return super().after(changes)


@dataclass(frozen=True, eq=False)
class Lit:
    """The first ``m`` samples of one density.

    ``ground`` (k, 2) shows where they fall; ``points`` (n, 2) are those that matter, the heaviest
    first, each with its ``shares`` (n,) of the sum.
    """

    m: int
    ground: Float32
    points: Float32
    shares: Float64
    estimate: float
    effective: float
    negligible: float

    @classmethod
    def of(cls, samples: Samples, m: int) -> "Lit":
        """Those of some samples."""
        m = min(m, len(samples))
        rows, shares = samples.lit(m)
        some = np.array([m])
        return cls(
            m,
            samples.positions[: min(m, _GROUND)],
            samples.positions[rows],
            shares,
            float(samples.estimate(some)[0]),
            float(samples.effective(some)[0]),
            samples.negligible(m),
        )


@dataclass(frozen=True, eq=False)
class SamplingResult(SampleResult):
    """Of the prior, then of q if there is one: ``curves``, what is ``lit``, and ``needed``.

    ``needed`` are the samples, e to the KL, that each asks for. ``heaviest`` (h, w) is what the
    prior's heaviest of the first m decodes to; ``density`` is p(z|x), which lives in the region
    ``near``: left, right, bottom, top.
    """

    curves: tuple[Curve, ...] = ()
    lit: tuple[Lit, ...] = ()
    needed: tuple[float, ...] = ()
    heaviest: Float32 | None = None
    density: Field | None = None
    near: Region | None = None


class Sampling(SampleExperiment[SamplingSettings, SamplingResult]):
    """Grows samples to the number set, and looks at the first m of them."""

    look_only = ("m", "near")

    def __init__(self, context: LessonContext) -> None:
        super().__init__(context, SamplingSettings(), SamplingResult())
        self._lit: dict[str, tuple[Samples, Lit]] = {}

    @property
    def proposals(self) -> tuple[str, ...]:
        """The prior, and q if it is drawn from too."""
        q = self.settings.q
        return ("prior",) if q == "none" else ("prior", q)

    @property
    def seeds(self) -> dict[str, int]:
        """The prior and q have seeds of their own."""
        return {name: 2 * self.settings.seed + n for n, name in enumerate(self.proposals)}

    def summary(self, samples: Samples, log_marginal: float) -> Curve:
        """How the estimate goes on with m."""
        return curve(samples, log_marginal)

    def look(self) -> SamplingResult:
        """The curves, and the first m of the samples."""
        known, m = self.result.truth, self.settings.m
        seen = {name: self.seen[name] for name in self.proposals if name in self.seen}
        lit = {name: self._lit_of(name, one, m) for name, one in seen.items()}
        heaviest = None
        if "prior" in lit and self.context.model is not None:
            heaviest, before = self.result.heaviest, self.result.lit
            if not before or (lit["prior"].points[0] != before[0].points[0]).any():
                heaviest = self.context.model.decode(lit["prior"].points[:1])[0]
        result = replace(
            self.result,
            curves=tuple(one.summary for one in seen.values()),
            lit=tuple(lit.values()),
            heaviest=heaviest,
        )
        if known is None:
            return replace(result, needed=(), density=None, near=None)
        kls = [known.kl(known.proposal(name)) for name in self.proposals]
        result = replace(result, needed=tuple(float(np.exp(min(kl, _MOST_NEEDED))) for kl in kls))
        if result.density is not None:
            return result
        axis, density = known.grid.axis, known.grid.density.T.astype(np.float32)
        half = float(axis[1] - axis[0]) / 2
        low, high = float(axis[0]) - half, float(axis[-1]) + half
        field = Field((low, high, low, high), density, 0.0, float(density.max()), "", fading=True)
        reach = _AROUND * float(np.sqrt(np.linalg.eigvalsh(known.covariance)[-1]))
        x, y = known.mean.tolist()
        return replace(result, density=field, near=(x - reach, x + reach, y - reach, y + reach))

    def symbols(self) -> dict[str, float | str]:
        """The exact log p(x), the ELBO, the samples needed; and of the first m their estimate."""
        known, found = self.result.truth, self.result
        if known is None:
            return {}
        kls = [known.kl(known.proposal(name)) for name in self.proposals]
        values: dict[str, float | str] = {"logp": known.log_marginal, "elbo": known.elbo}
        values |= dict(zip(("kl", "klq"), kls, strict=False))
        values |= dict(zip(("needed",), found.needed, strict=False))
        for end, lit in zip(("", "_q"), found.lit, strict=False):
            values |= {f"estimate{end}": lit.estimate, f"ess{end}": lit.effective}
        if found.lit:
            values["m"] = f"{found.lit[0].m:,}"
            values["negligible"] = f"{100 * found.lit[0].negligible:.2f} %"
        return values

    def data(self) -> dict[str, Any]:
        """The exact value, the bounds and the curves."""
        known, found = self.result.truth, self.result
        if known is None or not found.curves:
            return {}
        data = {
            "exact": known.log_marginal,
            "elbo": known.elbo,
            "needed": np.array(found.needed),
            "m": found.curves[0].m,
            "negligible": found.lit[0].negligible,
        }
        for start, one in zip(("", "q_"), found.curves, strict=False):
            data |= {
                f"{start}estimate": one.estimate,
                f"{start}effective": one.effective,
                f"{start}error": one.error,
            }
        return data

    def _lit_of(self, name: str, seen: Seen, m: int) -> Lit:
        known = self._lit.get(name)
        if known is None or known[0] is not seen.samples or known[1].m != min(m, len(seen.samples)):
            known = self._lit[name] = seen.samples, Lit.of(seen.samples, m)
        return known[1]
