"""Two estimators of one gradient side by side: of a function of a number, and of a digit's ELBO."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from psygnal import Signal

from vae_explorer.latent.figures import own_draws
from vae_explorer.lessons import gradients
from vae_explorer.lessons.course import LessonError
from vae_explorer.session.jobs import Control
from vae_explorer.session.lessons.instrument import Instrument, refuse_unknown
from vae_explorer.session.lessons.workbench import Workbench
from vae_explorer.types import Float64

ELBO = "elbo"
FUNCTIONS = {name: function.name for name, function in gradients.FUNCTIONS.items()} | {
    ELBO: "the digit's ELBO"
}
"""What an expectation is taken of, by the names of lesson files."""
PARAMETERS = dict.fromkeys(gradients.FUNCTIONS, ("μ", "σ")) | {
    ELBO: ("μ₁", "μ₂", "log s₁", "log s₂")
}
"""Of q, by what the expectation is taken of; s are the diagonal of L in q = N(μ, L Lᵀ)."""
MEAN_LIMIT, SIGMA_RANGE = 3.0, (0.2, 2.0)
"""Of q of a function of a number."""
MOST_SAMPLES = 64
SHIFT_LIMIT = 0.2
"""How far q's mean may be moved from the encoder's, latent units."""

_THEORY = ("score_variance_expected", "path_variance_expected")
_DRAWS, _ELBO_DRAWS = 8_192, 2_048
_KEYS = {"function", "mean", "sigma", "parameter", "samples", "baseline", "seed"}
_KEYS |= {"shift", "same_scale"}


class Reparameterisation(Instrument):
    """The score function and the path-wise gradient of E_q[f(z)], and the exact one.

    Of a function of a number the parameters are q's mean and σ; of the ELBO of the bench's digit
    they are q's mean (2) and the logarithms of its scales (2). ``parameter`` is the one looked at.
    """

    changed = Signal()
    """Other draws, or another way to make estimates of them."""
    moved = Signal()
    """q of the digit is elsewhere; its estimates will follow."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        self.function = "square"
        self.mean, self.sigma = 1.0, 1.0
        self.parameter = 0
        self.samples = 1
        self.baseline = False
        self.same_scale = True
        self.seed = 0
        self.shift = (0.0, 0.0)
        self._shown = False
        self._computing = self._stale = False
        self._draws: gradients.Draws | None = None
        self._score = self._path = np.empty((0, 2))
        bench.model_changed.connect(self._on_bench)
        bench.subject_changed.connect(self._on_bench)

    # What there is to see

    @property
    def about_digit(self) -> bool:
        """The expectation is that of the ELBO."""
        return self.function == ELBO

    @property
    def ready(self) -> bool:
        """There are draws to show."""
        return self._draws is not None

    @property
    def exact(self) -> Float64:
        """The exact gradient, (d,)."""
        assert self._draws is not None
        return self._draws.exact

    @property
    def score(self) -> Float64:
        """Estimates by the score function, (n, d)."""
        return self._score

    @property
    def path(self) -> Float64:
        """Path-wise estimates, (n, d)."""
        return self._path

    @property
    def posterior(self) -> tuple[Float64, Float64] | None:
        """The mean (2,) and covariance (2, 2) of the q of the digit; None without one."""
        subject = self.bench.subject
        if subject is None:
            return None
        mean = subject.mean.astype(np.float64) + np.array(self.shift)
        return mean, subject.covariance.astype(np.float64)

    def curve(self, z: Float64) -> Float64:
        """f at z (m,)."""
        return gradients.FUNCTIONS[self.function].value(z)

    def expected_variances(self) -> tuple[Float64, Float64] | None:
        """Those of either kind in theory, (2,) each; None for the ELBO, of which none is known."""
        if self.about_digit:
            return None
        function = gradients.FUNCTIONS[self.function]
        score, path = gradients.exact_variances(function, self.mean, self.sigma, self.baseline)
        return score / self.samples, path / self.samples

    # What a person does

    def set_function(self, function: str) -> None:
        """Take the expectation of something else."""
        self.function = function
        self.parameter = 0
        self._draw()

    def set_q(self, mean: float, sigma: float) -> None:
        """Move and widen the q of a function of a number."""
        self.mean = min(max(mean, -MEAN_LIMIT), MEAN_LIMIT)
        self.sigma = min(max(sigma, SIGMA_RANGE[0]), SIGMA_RANGE[1])
        if not self.about_digit:
            self._draw()

    def set_shift(self, shift: tuple[float, float]) -> None:
        """Move the mean of the digit's q away from the encoder's, latent units."""
        first, second = np.clip(shift, -SHIFT_LIMIT, SHIFT_LIMIT).tolist()
        self.shift = first, second
        if self._computing:
            # Replaced at every move of a mouse, no work would ever be done.
            self._stale = True
            self.moved.emit()
        elif self.about_digit:
            self._draw()

    def set_parameter(self, parameter: int) -> None:
        """Look at the gradient by another one of ``PARAMETERS``."""
        self.parameter = parameter
        self._estimate()

    def set_samples(self, samples: int) -> None:
        """Make each estimate of so many draws."""
        self.samples = min(max(samples, 1), MOST_SAMPLES)
        self._estimate()

    def set_baseline(self, baseline: bool) -> None:
        """Take the mean of the other draws from each f(z), in the score function."""
        self.baseline = baseline
        self._estimate()

    def set_same_scale(self, same: bool) -> None:
        """Show both kinds of estimates at one scale, or each at its own."""
        self.same_scale = same
        self.changed.emit()

    def draw_again(self) -> None:
        """Take other draws."""
        self.seed += 1
        self._draw()

    # As every instrument

    def show(self) -> None:
        """Draw."""
        self._shown = True
        self._draw()

    def hide(self) -> None:
        """Leave what is computed."""
        self._shown = False
        self._leave()

    def state(self) -> dict[str, Any]:
        """All that a person set."""
        state: dict[str, Any] = {"function": self.function}
        if self.about_digit:
            state["shift"] = [round(one, 4) for one in self.shift]
        else:
            state |= {"mean": round(self.mean, 3), "sigma": round(self.sigma, 3)}
        return state | {
            "parameter": self.parameter,
            "samples": self.samples,
            "baseline": self.baseline,
            "same_scale": self.same_scale,
            "seed": self.seed,
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Set what ``state`` gives, in full or in part."""
        refuse_unknown(state, _KEYS)
        function = state.get("function", self.function)
        if function not in FUNCTIONS:
            raise LessonError(f"'{function}' is no function; take one of {', '.join(FUNCTIONS)}.")
        mean = _number(state, "mean", self.mean, -MEAN_LIMIT, MEAN_LIMIT)
        sigma = _number(state, "sigma", self.sigma, *SIGMA_RANGE)
        parameter = _whole(state, "parameter", 0, len(PARAMETERS[function]) - 1)
        samples = max(1, _whole(state, "samples", self.samples, MOST_SAMPLES))
        seed = _whole(state, "seed", self.seed, 2**31)
        shift = state.get("shift", list(self.shift))
        if not isinstance(shift, list) or len(shift) != 2:
            raise LessonError("shift must be a list of two numbers.")
        first, second = (
            _number({"shift": one}, "shift", 0.0, -SHIFT_LIMIT, SHIFT_LIMIT) for one in shift
        )
        baseline = _flag(state, "baseline", self.baseline)
        same_scale = _flag(state, "same_scale", self.same_scale)
        self.function, self.mean, self.sigma = function, mean, sigma
        self.parameter, self.samples, self.baseline = parameter, samples, baseline
        self.seed, self.shift, self.same_scale = seed, (first, second), same_scale
        self._draw()

    def data(self) -> dict[str, Any]:
        """The exact gradient (d,), and mean and variance (d,) of the estimates of either kind.

        Of a function of a number also what the variances are in theory.
        """
        if self._draws is None:
            return {}
        expected = self.expected_variances()
        theory = {} if expected is None else dict(zip(_THEORY, expected, strict=True))
        return theory | {
            "exact": self.exact,
            "score_mean": self._score.mean(0),
            "score_variance": self._score.var(0),
            "path_mean": self._path.mean(0),
            "path_variance": self._path.var(0),
        }

    def _on_bench(self, _: object) -> None:
        if self.about_digit:
            self._draw()

    def _draw(self) -> None:
        if not self._shown:
            return
        if not self.about_digit:
            self._leave()
            function = gradients.FUNCTIONS[self.function]
            epsilon = gradients.noise(_DRAWS, self.seed)
            self._take(gradients.draws(function, self.mean, self.sigma, epsilon))
            return
        if self._draws is not None and self._draws.exact.shape != (4,):
            self._take(None)  # those of a function of a number
        model, subject, posterior = self.bench.model, self.bench.subject, self.posterior
        if model is None or subject is None or posterior is None:
            self._leave()
            self._take(None)
            return
        mean, covariance = posterior
        seed = self.seed

        def work(control: Control) -> gradients.Draws:
            x = own_draws(model, subject.image[None], np.array([subject.seed]))
            check = control.check
            return gradients.elbo_draws(model, x, mean, covariance, _ELBO_DRAWS, seed, check)

        self._computing, self._stale = True, False
        self.moved.emit()
        self.bench.compute("reparameterisation", work, self._on_drawn)

    def _leave(self) -> None:
        self._computing = False
        self.bench.cancel("reparameterisation")

    def _on_drawn(self, draws: gradients.Draws) -> None:
        self._computing = False
        self._take(draws)
        if self._stale:
            self._draw()

    def _take(self, draws: gradients.Draws | None) -> None:
        self._draws = draws
        self._estimate()

    def _estimate(self) -> None:
        if self._draws is not None:
            self._score = self._draws.score_function(self.samples, self.baseline)
            self._path = self._draws.path_wise(self.samples)
            self._tell()
        self.changed.emit()

    def _tell(self) -> None:
        which = self.parameter
        exact, score, path = float(self.exact[which]), self._score[:, which], self._path[:, which]
        score_variance, path_variance = float(score.var()), float(path.var())
        self.tell(
            exact=exact,
            score=float(score.mean()),
            path=float(path.mean()),
            score_variance=score_variance,
            path_variance=path_variance,
            ratio=score_variance / path_variance if path_variance > 0 else "—",
            score_snr=abs(exact) / score_variance**0.5 if score_variance > 0 else "—",
            path_snr=abs(exact) / path_variance**0.5 if path_variance > 0 else "—",
            mu=self.mean,
            sigma=self.sigma,
            k=str(self.samples),
        )


def _number(state: Mapping[str, Any], key: str, usual: float, low: float, high: float) -> float:
    value = state.get(key, usual)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise LessonError(f"{key} must be a number from {low:g} to {high:g}, not {value}.")
    return float(value)


def _flag(state: Mapping[str, Any], key: str, usual: bool) -> bool:
    value = state.get(key, usual)
    if not isinstance(value, bool):
        raise LessonError(f"{key} must be true or false, not {value}.")
    return value


def _whole(state: Mapping[str, Any], key: str, usual: int, most: int) -> int:
    value = state.get(key, usual)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise LessonError(f"{key} must be a whole number from 0 to {most}, not {value}.")
    return value
