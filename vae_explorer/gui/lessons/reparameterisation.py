"""The score function and the path-wise gradient, side by side."""

import numpy as np
from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from vae_explorer.gui.lessons.estimate_charts import EstimateCharts
from vae_explorer.gui.lessons.handles import HandleSketch
from vae_explorer.gui.lessons.instrument_view import InstrumentView
from vae_explorer.gui.lessons.sketch_marks import Arrow, Dots, Line, Mark
from vae_explorer.gui.theme import Theme, current_theme
from vae_explorer.gui.widgets.number_format import figure
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.session.lessons.reparameterisation import (
    FUNCTIONS,
    MOST_SAMPLES,
    PARAMETERS,
    Reparameterisation,
)

_SIGHT = 4.0
_HEIGHTS = {"square": (-0.8, 9.0), "sine": (-1.3, 1.5), "step": (-0.15, 1.4)}
"""Of f in sight, from the lowest to the highest."""
_TALLEST = 1.2
"""The density of q that fills the chart."""
_AROUND = 0.11
"""Latent units in sight around the encoder's mean."""
_MOST_DOTS = 1_000


class ReparameterisationView(InstrumentView):
    """Above q and f, or q in the latent plane; below the estimates, and their running means."""

    def __init__(self, instrument: Reparameterisation, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._instrument = instrument
        self._theme = current_theme()
        self._place = HandleSketch("q")
        self._place.setToolTip("Drag the handles of q, or move them by the arrow keys")
        self._charts = EstimateCharts()
        self._readout = Readout(2)

        self._function = QComboBox()
        for name, title in FUNCTIONS.items():
            self._function.addItem(title, name)
        self._function.setAccessibleName("Expectation of")
        self._function.setToolTip("What the expectation is taken of")
        self._parameter = QComboBox()
        self._parameter.setAccessibleName("Gradient by")
        self._parameter.setToolTip("The parameter of q by which the gradient is shown")
        self._parameter.setMinimumContentsLength(5)
        self._samples = QSpinBox()
        self._samples.setRange(1, MOST_SAMPLES)
        self._samples.setKeyboardTracking(False)
        self._samples.setAccessibleName("Draws an estimate")
        self._samples.setToolTip("How many draws of z each estimate is the mean of")
        self._baseline = QCheckBox("&Baseline")
        self._baseline.setToolTip("Take the mean of f over the other draws from each f(z)")
        self._same_scale = QCheckBox("Same s&cale")
        self._same_scale.setToolTip("Show both kinds of estimates at one scale, or each at its own")
        self._again = QPushButton("&Draw again")
        self._again.setToolTip("Take other draws")
        function, parameter = (
            _labelled("E of", self._function),
            _labelled("gradient by", self._parameter),
        )
        samples = _labelled("draws k", self._samples)
        top, second = (
            _row(function, parameter, samples),
            _row(self._baseline, self._same_scale, self._again),
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.addLayout(top)
        layout.addLayout(second)
        layout.addWidget(self._place, 5)
        layout.addWidget(self._readout)
        layout.addWidget(self._charts, 7)
        self.controls = {
            "function": function,
            "parameter": parameter,
            "samples": samples,
            "baseline": self._baseline,
            "scale": self._same_scale,
            "again": self._again,
            "running": self._charts.running,
        }

        self._function.activated.connect(
            lambda: instrument.set_function(self._function.currentData())
        )
        self._parameter.activated.connect(lambda index: instrument.set_parameter(index))
        self._samples.valueChanged.connect(instrument.set_samples)
        self._baseline.toggled.connect(instrument.set_baseline)
        self._same_scale.toggled.connect(instrument.set_same_scale)
        self._again.clicked.connect(instrument.draw_again)
        self._place.dragged.connect(self._on_dragged)
        self._place.nudged.connect(self._on_nudged)
        instrument.changed.connect(self._show)
        instrument.moved.connect(self._on_moved)
        self._show()

    def set_theme(self, theme: Theme) -> None:
        """Take the theme's colours."""
        self._theme = theme
        self._place.set_theme(theme)
        self._charts.set_theme(theme)
        self._show()

    def _show(self) -> None:
        instrument = self._instrument
        self._show_controls()
        if not instrument.ready:
            self._place.set_marks(())
            self._place.set_handles(())
            self._charts.clear()
            drawing = instrument.posterior is not None
            self._readout.set_text("Drawing …" if drawing else "There is no digit yet.")
            return
        if instrument.about_digit:
            self._show_plane()
        else:
            self._show_function()
        self._charts.set_estimates(
            instrument.score[:, instrument.parameter],
            instrument.path[:, instrument.parameter],
            float(instrument.exact[instrument.parameter]),
            same_scale=instrument.same_scale,
        )
        self._show_readout()

    def _show_controls(self) -> None:
        instrument = self._instrument
        names = PARAMETERS[instrument.function]
        with (
            QSignalBlocker(self._samples),
            QSignalBlocker(self._baseline),
            QSignalBlocker(self._same_scale),
        ):
            self._function.setCurrentIndex(self._function.findData(instrument.function))
            if self._parameter.count() != len(names):
                self._parameter.clear()
                self._parameter.addItems(names)
            self._parameter.setCurrentIndex(instrument.parameter)
            self._samples.setValue(instrument.samples)
            self._baseline.setChecked(instrument.baseline)
            self._same_scale.setChecked(instrument.same_scale)

    def _show_function(self) -> None:
        """f, and the density of q with a handle at its mean and one at a σ from it."""
        instrument, theme = self._instrument, self._theme
        bottom, top = _HEIGHTS[instrument.function]
        z = np.linspace(-_SIGHT, _SIGHT, 401)
        mean, sigma = instrument.mean, instrument.sigma
        peak = top / _TALLEST / (sigma * np.sqrt(2 * np.pi))
        q = peak * np.exp(-0.5 * ((z - mean) / sigma) ** 2)
        self._place.set_title("f and q", "z")
        self._place.set_square(False)
        self._place.set_range(-_SIGHT, _SIGHT, bottom, top)
        self._place.set_marks(
            [
                Line(z, q, theme.accent, "q(z)", filled=True),
                Line(
                    z,
                    instrument.curve(z),
                    theme.kl,
                    f"f(z): {FUNCTIONS[instrument.function]}",
                ),
            ]
        )
        height = float(min(peak, 0.95 * top))
        self._place.set_handles([(mean, height), (mean + sigma, float(peak * np.exp(-0.5)))])

    def _show_plane(self) -> None:
        """q in the latent plane, and where a natural-gradient step Σ g of each estimate leads."""
        instrument, theme = self._instrument, self._theme
        posterior = instrument.posterior
        if posterior is None:
            return
        mean, covariance = posterior
        middle = mean - np.array(instrument.shift)
        self._place.set_title("q in the latent plane, and steps Σ g", "z₁")
        self._place.set_square(True)
        left, bottom = (middle - _AROUND).tolist()
        right, top = (middle + _AROUND).tolist()
        self._place.set_range(left, right, bottom, top)
        around = np.linspace(0, 2 * np.pi, 73)
        circle = np.stack([np.cos(around), np.sin(around)], 1) @ np.linalg.cholesky(covariance).T
        score, path = instrument.score[:_MOST_DOTS, :2], instrument.path[:_MOST_DOTS, :2]
        end = mean + covariance @ instrument.exact[:2]
        x, y = mean.tolist()
        marks: list[Mark] = [
            Dots(mean + score @ covariance, theme.held_out, "score function", opacity=0.4),
            Dots(mean + path @ covariance, theme.train, "path-wise", opacity=0.4),
            Line(mean[0] + circle[:, 0], mean[1] + circle[:, 1], theme.text, "1 σ of q"),
            Arrow((x, y), (float(end[0]), float(end[1])), theme.log_likelihood, "exact"),
        ]
        self._place.set_marks(marks)
        self._place.set_handles([(x, y)])

    def _show_readout(self) -> None:
        instrument, values = self._instrument, self._instrument.values
        which = instrument.parameter
        name = PARAMETERS[instrument.function][which]
        words = [
            f"{title} {_short(estimates.mean())} ± {_short(estimates.std())}, "
            f"signal to noise {_told(values[snr])}"
            for title, estimates, snr in (
                ("Score function:", instrument.score[:, which], "score_snr"),
                ("Path-wise:", instrument.path[:, which], "path_snr"),
            )
        ]
        exact = f"<b>∂/∂{name}: exact {_short(float(instrument.exact[which]))}</b>"
        ratio = values["ratio"]
        told = "" if isinstance(ratio, str) else f"variances {_told(ratio)} : 1"
        expected = instrument.expected_variances()
        if told and expected is not None:
            told += f" (in theory {_told(float(expected[0][which] / expected[1][which]))})"
        self._readout.set_text(f"{exact} &nbsp; {words[1]}<br>{words[0]} &nbsp; {told}")

    def _on_moved(self) -> None:
        if self._instrument.ready:
            self._show_plane()

    def _on_dragged(self, handle: int, x: float, y: float) -> None:
        instrument = self._instrument
        if instrument.about_digit:
            posterior = instrument.posterior
            if posterior is not None:
                start = posterior[0] - np.array(instrument.shift)
                instrument.set_shift((x - float(start[0]), y - float(start[1])))
        elif handle == 0:
            instrument.set_q(x, instrument.sigma)
        else:
            instrument.set_q(instrument.mean, x - instrument.mean)

    def _on_nudged(self, right: int, up: int) -> None:
        instrument = self._instrument
        if instrument.about_digit:
            first, second = instrument.shift
            instrument.set_shift((first + 0.005 * right, second + 0.005 * up))
        else:
            instrument.set_q(instrument.mean + 0.1 * right, instrument.sigma + 0.05 * up)


def _short(value: float) -> str:
    """Three digits or so."""
    size = abs(value)
    return figure(value, 0 if size >= 100 else 1 if size >= 10 else 3)


def _told(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if value >= 100 else figure(value, 1 if value >= 10 else 3)


def _row(*widgets: QWidget) -> QHBoxLayout:
    layout = QHBoxLayout()
    for widget in widgets:
        layout.addWidget(widget)
    layout.addStretch(1)
    return layout


def _labelled(text: str, widget: QWidget) -> QWidget:
    label = QLabel(text)
    label.setBuddy(widget)
    pair = QWidget()
    layout = QHBoxLayout(pair)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(label)
    layout.addWidget(widget)
    return pair
