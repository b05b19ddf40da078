"""The score function and the path-wise gradient, side by side."""

from collections.abc import Mapping

import numpy as np

from vae_explorer.gui.lessons.estimate_charts import EstimateCharts
from vae_explorer.gui.lessons.lesson_view import LessonView
from vae_explorer.gui.plot.chart import Chart
from vae_explorer.gui.plot.marks import Arrow, Dots, Line, Mark
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.gui.widgets.rows import fill
from vae_explorer.lessons.algorithm import STEPS
from vae_explorer.number_format import figure
from vae_explorer.session.lessons.reparameterisation import (
    FUNCTIONS,
    LAST,
    PARAMETERS,
    Estimates,
    Reparameterisation,
    ReparameterisationResult,
)
from vae_explorer.types import Float64

_SIGHT = 4.0
_HEIGHTS = {"square": (-0.8, 9.0), "sine": (-1.3, 1.5), "step": (-0.15, 1.4)}
"""Of f in sight, from the lowest to the highest."""
_TALLEST = 1.2
"""The density of q that fills the chart."""
_AROUND = 0.06
"""Latent units in sight around the encoder's mean."""
_MOST_DOTS = 1_000
_ELBOS = -560.0, -100.0
"""Nats in sight, of training."""
_ESTIMATORS = {"path": ("path-wise", "train"), "score": ("score function", "held_out")}
"""Name and colour of either estimator."""


class ReparameterisationView(LessonView):
    """Above q and f, or q in the latent plane; below the estimates, and their running means.

    Or the ELBO of two trainings.
    """

    experiment: Reparameterisation

    def __init__(self, experiment: Reparameterisation) -> None:
        super().__init__(experiment, buttons=("seed",))
        self._place = Chart("q", movable=True)
        self._place.setMinimumHeight(150)
        self._place.setToolTip("Drag the handles of q, or move them by the arrow keys")
        self._charts = EstimateCharts()
        self._readout = Readout(2, growing=True)
        rows = self.form.rows
        names = "function", "parameter", "samples", "seed", "baseline", "same_scale"
        fill(self.page, self.line(*names), (self._place, 5), self._readout, (self._charts, 7))
        self.controls = {
            name: rows[name] for name in ("function", "parameter", "samples", "baseline")
        } | {
            "scale": rows["same_scale"],
            "again": rows["seed"],
            "running": self._charts.running,
            "path": self._charts.path,
        }
        self._place.handle_dragged.connect(self._on_dragged)
        self._place.nudged.connect(self._on_nudged)
        self.start()

    def draw(self, old: ReparameterisationResult | None) -> None:
        """Draw q, and the estimates by one parameter."""
        settings, found = self.experiment.settings, self.experiment.result.estimates
        curves = self.experiment.result.curves
        self._charts.setVisible(curves is None)
        if curves is not None:
            self._show_training(curves)
            return
        if found is None:
            self._place.set_marks(())
            self._place.set_handles(())
            self._charts.clear()
            drawing = self.experiment.result.mean is not None
            self._readout.set_text("Sampling …" if drawing else "There is no digit yet.")
            return
        if self.experiment.about_image:
            self._show_plane(found)
        else:
            self._show_function()
        which = settings.parameter
        score, path = found.score[:, which], found.path[:, which]
        exact = float(found.exact[which])
        self._charts.set_estimates(score, path, exact, same_scale=settings.same_scale)
        self._show_readout(found, score, path, exact)

    def _show_function(self) -> None:
        """f, and the density of q with a handle at its mean and one at a σ from it."""
        settings = self.experiment.settings
        bottom, top = _HEIGHTS[settings.function]
        z = np.union1d(np.linspace(-_SIGHT, _SIGHT, 241), [1e-9])  # where f may jump
        mean, sigma = settings.mean, settings.sigma
        peak = top / _TALLEST / (sigma * np.sqrt(2 * np.pi))
        q = peak * np.exp(-0.5 * ((z - mean) / sigma) ** 2)
        self._place.set_title("f and q", "z", "")
        self._place.set_look("free")
        self._place.set_range(-_SIGHT, _SIGHT, bottom, top)
        self._place.set_marks(
            [
                Line(z, q, "accent", "q(z), not to scale", filled=True),
                Line(z, self.experiment.curve(z), "kl", f"f(z): {FUNCTIONS[settings.function]}"),
            ]
        )
        height = float(min(peak, 0.95 * top))
        self._place.set_handles([(mean, height), (mean + sigma, float(peak * np.exp(-0.5)))])

    def _show_training(self, curves: Mapping[str, Float64]) -> None:
        """The ELBO at each step of either training."""
        self._place.set_title("ELBO of each minibatch, nats", "step", "")
        self._place.set_look("free")
        self._place.set_range(0.0, float(STEPS), *_ELBOS)
        marks: list[Mark] = []
        words = []
        for name, elbos in curves.items():
            if not self.tells(f"{name}_elbo"):
                continue
            title, color = _ESTIMATORS[name]
            steps = np.arange(1.0, len(elbos) + 1)
            marks.append(Line(steps, elbos, color, title))
            elbo = figure(float(elbos[-LAST:].mean()), 1)
            words.append(f"{title}: step {len(elbos)}, ELBO {elbo} over the last {LAST}")
        self._place.set_marks(marks)
        self._place.set_handles(())
        self._readout.set_text("<br>".join(words) or "Training …")

    def _show_plane(self, found: Estimates) -> None:
        """q in the latent plane, and where a natural-gradient step Σ g of each estimate leads."""
        result = self.experiment.result
        mean, covariance = result.mean, result.covariance
        assert mean is not None
        assert covariance is not None
        middle = mean - np.array(self.experiment.settings.shift)
        self._place.set_title("q in the latent plane, and steps Σ g", *self.axes)
        self._place.set_look("equal")
        left, bottom = (middle - _AROUND).tolist()
        right, top = (middle + _AROUND).tolist()
        self._place.set_range(left, right, bottom, top)
        around = np.linspace(0, 2 * np.pi, 73)
        circle = np.stack([np.cos(around), np.sin(around)], 1) @ np.linalg.cholesky(covariance).T
        score, path = found.score[:_MOST_DOTS, :2], found.path[:_MOST_DOTS, :2]
        end = mean + covariance @ found.exact[:2]
        x, y = mean.tolist()
        marks: list[Mark] = [
            Dots(mean + score @ covariance, "held_out", "score function", opacity=0.4),
            Line(mean[0] + circle[:, 0], mean[1] + circle[:, 1], "text", "1 σ of q"),
            Arrow((x, y), (float(end[0]), float(end[1])), "log_likelihood", "exact"),
        ]
        if self.tells("path"):
            marks.insert(1, Dots(mean + path @ covariance, "train", "path-wise", opacity=0.4))
        self._place.set_marks(marks)
        self._place.set_handles([(x, y)])

    def _show_readout(self, found: Estimates, score: Float64, path: Float64, exact: float) -> None:
        values, settings = self.experiment.symbols(), self.experiment.settings
        which = settings.parameter
        words = [
            f"{title} {_short(estimates.mean())} ± {_short(estimates.std())}, "
            f"signal to noise {_figure(values[snr])}"
            for title, estimates, snr in (
                ("Score function:", score, "score_snr"),
                ("Path-wise:", path, "path_snr"),
            )
        ]
        name = PARAMETERS[settings.function][which]
        ratio = values["ratio"]
        variances = "" if isinstance(ratio, str) else f"variances {_figure(ratio)} : 1"
        if variances and found.expected is not None:
            theory = float(found.expected[0][which] / found.expected[1][which])
            variances += f" (in theory {_figure(theory)})"
        first = f"<b>∂/∂{name}: exact {_short(exact)}</b>"
        if self.tells("ratio"):
            first += f" &nbsp; {words[1] if self.tells('path') else ''}"
            first += f"<br>{words[0]} &nbsp; {variances if self.tells('path') else ''}"
        self._readout.set_text(first)

    def _on_dragged(self, handle: int, x: float, y: float) -> None:
        experiment = self.experiment
        mean = experiment.result.mean
        if experiment.result.curves is not None:
            return
        if experiment.about_image:
            if mean is not None:
                start = mean - np.array(experiment.settings.shift)
                experiment.move(shift=(x - float(start[0]), y - float(start[1])))
        elif handle == 0:
            experiment.move(mean=x)
        else:
            experiment.move(sigma=x - experiment.settings.mean)

    def _on_nudged(self, right: float, up: float) -> None:
        settings = self.experiment.settings
        if self.experiment.result.curves is not None:
            return
        if self.experiment.about_image:
            first, second = settings.shift
            self.experiment.move(shift=(first + 0.005 * right, second + 0.005 * up))
        else:
            mean, sigma = settings.mean + 0.1 * right, settings.sigma + 0.05 * up
            self.experiment.move(mean=mean, sigma=sigma)


def _short(value: float) -> str:
    """Three digits or so."""
    size = abs(value)
    return figure(value, ",.0f" if size >= 100 else 1 if size >= 10 else 3)


def _figure(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if value >= 100 else figure(value, 1 if value >= 10 else 3)
