"""Two estimators of one gradient side by side: of a function, of an ELBO, and in training."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Self

import numpy as np

from vae_explorer.fields import FieldSpec
from vae_explorer.lessons import algorithm, gradients
from vae_explorer.session.explore.image_truth import image_bound
from vae_explorer.session.jobs import Control
from vae_explorer.session.lessons.context import LessonContext
from vae_explorer.session.lessons.experiment import (
    DigitExperiment,
    DigitSettings,
    Result,
    digit_setting,
    setting,
)
from vae_explorer.types import Float64

ELBO, TRAINING = "elbo", "training"
FUNCTIONS = {name: function.name for name, function in gradients.FUNCTIONS.items()} | {
    ELBO: "the digit's ELBO",
    TRAINING: "the ELBO in training",
}
"""What an expectation is taken of, by the names of lesson files."""
PARAMETERS = dict.fromkeys(gradients.FUNCTIONS, ("μ", "σ")) | {
    ELBO: ("μ₁", "μ₂", "log s₁", "log s₂"),
    TRAINING: ("θ, φ",),
}
"""Of q, by what the expectation is taken of; s are the diagonal of L in q = N(μ, L Lᵀ)."""

_DRAWS, _ELBO_DRAWS = 8_192, 2_048
_EVERY, LAST = 10, 20  # steps of training until it is shown, and those that say how far it is
_OF_NUMBER = {"needs": ("function", tuple(gradients.FUNCTIONS))}


@dataclass(frozen=True)
class ReparameterisationSettings(DigitSettings):
    """What the expectation is of, q, and how estimates are made and shown.

    Of a function of a number the parameters are q's mean and σ; of the ELBO they are q's mean (2)
    and the logarithms of its scales (2). ``shift`` moves the image's q from the encoder's.
    """

    image: int = digit_setting(needs=("function", (ELBO,)))
    function: str = setting(
        "square",
        "f(z) =",
        "What the expectation is taken of",
        choices=tuple(FUNCTIONS),
        titles=tuple(FUNCTIONS.values()),
    )
    shift: tuple[float, float] = setting(
        (0.0, 0.0),
        "",
        "How far q's mean is from the encoder's",
        low=-0.2,
        high=0.2,
        needs=("function", (ELBO,)),
    )
    mean: float = setting(1.0, "", "The mean of q", low=-3, high=3, **_OF_NUMBER)
    sigma: float = setting(1.0, "", "The standard deviation of q", low=0.2, high=2, **_OF_NUMBER)
    parameter: int = setting(
        0, "gradient in", "The parameter of q whose gradient is shown", choices=(0, 1)
    )
    samples: int = setting(
        1, "samples k", "How many samples of z each estimate averages", low=1, high=64
    )
    baseline: bool = setting(
        False, "&Baseline", "Take the mean of f over the other samples from each f(z)"
    )
    same_scale: bool = setting(
        True, "Same s&cale", "Show both kinds of estimates at one scale, or each at its own"
    )
    seed: int = setting(0, "New Samples", "Take new samples with another seed", high=2**31)

    def spec(self, name: str) -> FieldSpec:
        """The specification of a field; the parameters are those of the function's q."""
        spec = super().spec(name)
        if name != "parameter":
            return spec
        titles = PARAMETERS[self.function]
        return replace(spec, choices=tuple(range(len(titles))), titles=titles)

    def after(self, changes: Mapping[str, Any]) -> Self:
        """Another function begins with its first parameter."""
        if changes.get("function", self.function) != self.function:
            changes = {"parameter": 0} | dict(changes)
        return super().after(changes)


@dataclass(frozen=True, eq=False)
class Estimates:
    """The ``exact`` gradient (d,), and ``score`` and ``path`` (n, d), its estimates of either kind.

    ``expected`` are the variances of either kind in theory, (2,) each, or None.
    """

    exact: Float64
    score: Float64
    path: Float64
    expected: tuple[Float64, Float64] | None


@dataclass(frozen=True, eq=False)
class ReparameterisationResult(Result):
    """The draws, and the estimates made of them; or the ``curves`` of training.

    ``mean`` (2,) and ``covariance`` (2, 2) are those of the image's q, of which draws follow after
    a while. A curve has the ELBO of each step so far in nats, by its estimator: "path" or "score".
    """

    draws: gradients.Draws | None = None
    estimates: Estimates | None = None
    mean: Float64 | None = None
    covariance: Float64 | None = None
    curves: Mapping[str, Float64] | None = None


class Reparameterisation(DigitExperiment[ReparameterisationSettings, ReparameterisationResult]):
    """The score function and the path-wise gradient of E_q[f(z)], and the exact one."""

    def __init__(self, context: LessonContext) -> None:
        super().__init__(context, ReparameterisationSettings(), ReparameterisationResult())
        self._draw = self.patient("reparameterisation")
        self._train = self.newest("reparameterisation-training")

    @property
    def about_image(self) -> bool:
        """The expectation is that of the ELBO."""
        return self.settings.function == ELBO

    def curve(self, z: Float64) -> Float64:
        """f at z (m,)."""
        return gradients.FUNCTIONS[self.settings.function].value(z)

    def update(self) -> None:
        """Draw what is asked for, and make estimates of what there is."""
        now = self.settings
        if now.function == TRAINING:
            self._learn()
            return
        self._train.cancel()
        if self.about_image:
            self._draw_image()
        else:
            of = (now.function, now.mean, now.sigma, now.seed)
            if of != self._draw.of:
                self._draw.cancel()
                self._draw.of = of
                function = gradients.FUNCTIONS[now.function]
                epsilon = gradients.noise(_DRAWS, now.seed)
                draws = gradients.draws(function, now.mean, now.sigma, epsilon)
                self.result = ReparameterisationResult(draws)
        self._estimate()

    def symbols(self) -> dict[str, float | str]:
        """The gradient, its estimates, their variances and signal-to-noise ratios.

        Of training, the ELBO of the last steps by either.
        """
        found, now = self.result.estimates, self.settings
        if self.result.curves is not None:
            ends = {name: elbos[-LAST:].mean() for name, elbos in self.result.curves.items()}
            return {f"{name}_elbo": float(end) for name, end in ends.items()}
        if found is None:
            return {}
        which = now.parameter
        exact, score, path = float(found.exact[which]), found.score[:, which], found.path[:, which]
        score_variance, path_variance = float(score.var()), float(path.var())
        return {
            "exact": exact,
            "score": float(score.mean()),
            "path": float(path.mean()),
            "score_variance": score_variance,
            "path_variance": path_variance,
            "ratio": score_variance / path_variance if path_variance > 0 else "—",
            "score_snr": abs(exact) / score_variance**0.5 if score_variance > 0 else "—",
            "path_snr": abs(exact) / path_variance**0.5 if path_variance > 0 else "—",
            "mu": now.mean,
            "sigma": now.sigma,
            "k": str(now.samples),
        }

    def data(self) -> dict[str, Any]:
        """The exact gradient (d,), and mean and variance (d,) of the estimates of either kind.

        Of a function of a number also what the variances are in theory. Of training, the ELBO of
        each step by either.
        """
        found = self.result.estimates
        if self.result.curves is not None:
            return {f"{name}_elbo": elbos for name, elbos in self.result.curves.items()}
        if found is None:
            return {}
        theory = {}
        if found.expected is not None:
            names = ("score_variance_expected", "path_variance_expected")
            theory = dict(zip(names, found.expected, strict=True))
        return theory | {
            "exact": found.exact,
            "score_mean": found.score.mean(0),
            "score_variance": found.score.var(0),
            "path_mean": found.path.mean(0),
            "path_variance": found.path.var(0),
        }

    def _learn(self) -> None:
        """Train by one estimator, and then by the other."""
        seed = self.settings.seed
        if self.result.curves is None:
            self._draw.cancel()
            self.result = ReparameterisationResult(curves={})

        def work(control: Control) -> dict[str, Float64]:
            curves: dict[str, Float64] = {}
            for name in algorithm.ESTIMATORS:
                elbos: list[float] = []
                for elbo in algorithm.train(name, seed=seed, check=control.check):
                    elbos.append(elbo)
                    if len(elbos) % _EVERY == 0:
                        curves = curves | {name: np.array(elbos)}
                        control.report(partial(self.publish, curves=curves))
            return curves

        self._train.ask(seed, work, lambda curves: self.publish(curves=curves))

    def _draw_image(self) -> None:
        now, model, target = self.settings, self.context.model, self.digit
        if self.result.mean is None:  # the draws are those of a function of a number
            self.result = ReparameterisationResult()
        if model is None or target is None:
            self._draw.cancel()
            self.result = ReparameterisationResult()
            return
        mean = target.mean.astype(np.float64) + np.array(now.shift)
        covariance, seed = target.covariance.astype(np.float64), now.seed
        self.result = replace(self.result, mean=mean, covariance=covariance)

        def work(control: Control) -> gradients.Draws:
            x = image_bound(model, target.image, target.seed, control.check).x
            check = control.check
            return gradients.elbo_draws(model, x, mean, covariance, _ELBO_DRAWS, seed, check)

        def done(draws: gradients.Draws) -> None:
            self.result = replace(self.result, draws=draws)
            self._estimate()
            self.publish()

        self._draw.ask((self.about, tuple(mean.tolist()), seed), work, done)

    def _estimate(self) -> None:
        draws, now = self.result.draws, self.settings
        if draws is None:
            return
        expected = None
        if not self.about_image:
            function = gradients.FUNCTIONS[now.function]
            score, path = gradients.exact_variances(function, now.mean, now.sigma, now.baseline)
            expected = score / now.samples, path / now.samples
        score = draws.score_function(now.samples, now.baseline)
        estimates = Estimates(draws.exact, score, draws.path_wise(now.samples), expected)
        self.result = replace(self.result, estimates=estimates)
