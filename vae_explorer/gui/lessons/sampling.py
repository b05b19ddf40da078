"""The instrument that estimates log p(x) from samples."""

import math
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSlider,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from vae_explorer.gui.explore.decode.digit_view import DigitView
from vae_explorer.gui.explore.decode.image import gray8
from vae_explorer.gui.lessons.instrument_view import InstrumentView
from vae_explorer.gui.lessons.log_plot import Level, Line, LogPlot
from vae_explorer.gui.lessons.sample_map import SampleMap
from vae_explorer.gui.theme import Theme, current_theme
from vae_explorer.gui.widgets.control_row import control_row
from vae_explorer.gui.widgets.number_format import figure
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.session.lessons.sampling import (
    CHUNK,
    PROPOSALS,
    Curve,
    Curves,
    Lit,
    Sampling,
    Scene,
)
from vae_explorer.session.state import TRAINING_IMAGES
from vae_explorer.types import Float32

_PROPOSAL_NAMES = {
    "none": "the prior alone",
    "encoder": "the encoder's q as well",
    "matched": "the best Gaussian as well",
}
_NAMES = "prior", "q"
_COLORS = "train", "held_out"
_TOTALS = (10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000)
_STEPS = 100  # of the slider to a factor of ten
_BELOW, _ABOVE = 60.0, 8.0  # nats around the exact line
_FARTHEST = 1e8  # where a number of samples that is needed is still drawn


class SamplingView(InstrumentView):
    """Plots the estimates over m; m is dragged in the plots or moved by the slider."""

    def __init__(self, instrument: Sampling, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._instrument = instrument
        self._curves: Curves = ()
        self._scene: Scene | None = None
        self._theme = current_theme()
        self.estimates = LogPlot("Estimate of log p(x)", "samples m", "nats")
        self.errors = LogPlot("Typical error", "samples m", "nats", log_y=True)
        self.map = SampleMap(self._theme)
        self._image = DigitView("The digit x", "x", zoom=2)
        self._heaviest = DigitView(
            "Decoded from the heaviest sample", "heaviest sample", "heaviest"
        )
        self._figures = Readout(lines=5)
        for plot in (self.estimates, self.errors):
            plot.set_x_range(1, CHUNK)
            plot.dragged.connect(self._on_dragged)
            plot.setToolTip("Drag to look at the first m samples")
        self._near = QCheckBox("Zoom in on p(z|x)")
        self._near.setToolTip("Show only the small region that holds the posterior")
        self._near.toggled.connect(self._on_near)

        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.addWidget(self.estimates, 5)
        lower = QGridLayout()
        lower.addWidget(self.map, 0, 0, 2, 1)
        facts = QHBoxLayout()
        facts.addWidget(self._image, 1)
        facts.addWidget(self._heaviest, 1)
        facts.addWidget(self._figures, 3)
        lower.addLayout(facts, 0, 1)
        lower.addWidget(self.errors, 1, 1)
        lower.setColumnStretch(0, 1)
        lower.setColumnStretch(1, 1)
        lower.setRowStretch(1, 1)
        layout.addLayout(lower, 6)
        self.controls = self._make_controls()
        rows = QVBoxLayout()
        for names in (("m",), ("samples", "q"), ("image", "seed", "near")):
            row = QHBoxLayout()
            for name in names:
                row.addWidget(self.controls[name], 1 if name in ("m", "samples") else 0)
            if "m" not in names and "samples" not in names:
                row.addStretch(1)
            rows.addLayout(row)
        layout.addLayout(rows)

        instrument.scene_changed.connect(self.set_scene)
        instrument.curves_changed.connect(self.set_curves)
        instrument.lit_changed.connect(self.set_lit)
        instrument.heaviest_changed.connect(self.set_heaviest)
        instrument.settings_changed.connect(self.set_settings)
        instrument.m_changed.connect(self.set_m)
        instrument.grown.connect(self.set_progress)
        self.set_theme(self._theme)
        self.set_scene(instrument.scene)
        self.set_curves(instrument.curves)
        self.set_lit(instrument.lit)
        self.set_settings()
        self.set_progress(instrument.drawn, instrument.growing)

    def set_theme(self, theme: Theme) -> None:
        """Take the theme's colours."""
        self._theme = theme
        for part in (self.estimates, self.errors, self.map, self._image, self._heaviest):
            part.set_theme(theme)
        self.set_lit(self._instrument.lit)

    def set_scene(self, scene: Scene | None) -> None:
        """Show another digit and its posterior."""
        self._scene = scene
        self.map.set_density(scene.density if scene else None)
        self._image.set_image(gray8(scene.image) if scene else None)
        self._show_region()
        self._draw()

    def set_curves(self, curves: Curves) -> None:
        """Draw the estimates so far."""
        self._curves = curves
        self._draw()

    def set_lit(self, lit: tuple[Lit, ...]) -> None:
        """Show the first m samples, and their figures."""
        self.map.set_lit(lit)
        lines = [f"First <b>{lit[0].m:,}</b> samples"] if lit else ["Integrating …"]
        for name, color, one in zip(_NAMES, _COLORS, lit, strict=False):
            shade = getattr(self._theme, color)
            value, worth = figure(one.estimate, 2), figure(one.effective, 1)
            lines.append(f'<span style="color:{shade}"><b>{name}</b></span> {value}, worth {worth}')
        if lit:
            lines.append(f"{100 * lit[0].negligible:.2f} % of the prior’s are for nothing")
        self._figures.set_text("<br>".join(lines))
        self.estimates.set_cursor(lit[0].m if lit else None)
        self.errors.set_cursor(lit[0].m if lit else None)

    def set_heaviest(self, picture: Float32 | None) -> None:
        """Show what the heaviest of the prior's samples decodes to."""
        self._heaviest.set_image(None if picture is None else gray8(picture))

    def set_settings(self) -> None:
        """Show what is set."""
        instrument = self._instrument
        # The slider too, whose maximum may move it.
        widgets = (self._m, self._total, self._q, self._digit, self._near)
        blockers = [QSignalBlocker(widget) for widget in widgets]
        self._m.setMaximum(round(_STEPS * math.log10(instrument.samples)))
        self._total.setCurrentIndex(int(np.searchsorted(_TOTALS, instrument.samples)))
        self._q.setCurrentIndex(PROPOSALS.index(instrument.proposal))
        self._digit.setValue(instrument.digit.image)
        self._near.setChecked(instrument.near)
        del blockers
        self.set_m(instrument.m)
        self._show_region()
        self._draw()

    def set_m(self, m: int) -> None:
        """Show how many samples are looked at."""
        with QSignalBlocker(self._m):
            self._m.setValue(round(_STEPS * math.log10(m)))
        self._m_text.setText(f"{m:,}")

    def set_progress(self, drawn: int, growing: bool) -> None:
        """Say how far the samples have grown."""
        self._bar.setMaximum(self._instrument.samples)
        self._bar.setValue(min(drawn, self._instrument.samples))
        self._bar.setFormat(f"{drawn:,} drawn")
        self._stop.setEnabled(growing)

    def _make_controls(self) -> dict[str, QWidget]:
        self._m = QSlider(Qt.Orientation.Horizontal)
        self._m.setPageStep(_STEPS // 4)
        self._m.setMinimumWidth(120)
        self._m.valueChanged.connect(self._on_m)
        self._m_text = QLabel()
        self._m_text.setMinimumWidth(self.fontMetrics().horizontalAdvance("1,000,000"))
        self._total = QComboBox()
        for total in _TOTALS:
            self._total.addItem(f"{total:,}")
        self._total.activated.connect(self._on_total)
        self._bar = QProgressBar()
        self._bar.setMinimumWidth(90)
        self._bar.setAccessibleName("Samples drawn")
        self._stop = QPushButton("Stop")
        self._stop.setToolTip("Be content with the samples that there are")
        self._stop.clicked.connect(self._instrument.stop)
        self._q = QComboBox()
        for name in PROPOSALS:
            self._q.addItem(_PROPOSAL_NAMES[name])
        self._q.activated.connect(self._on_q)
        self._digit = QSpinBox()
        self._digit.setRange(-1, TRAINING_IMAGES - 1)
        self._digit.setSpecialValueText("the chosen one")
        self._digit.setKeyboardTracking(False)
        self._digit.valueChanged.connect(self._on_image)
        again = QPushButton("Draw afresh")
        again.setToolTip("Throw other dice: all samples are drawn anew")
        again.clicked.connect(self._on_again)
        return {
            "m": control_row(
                "Look at the first", self._m, "How many samples the mean is of", self._m_text
            ),
            "samples": control_row(
                "Draw", self._total, "How many samples are drawn in all", self._bar, self._stop
            ),
            "q": control_row("from", self._q, "What samples are drawn from besides the prior"),
            "image": control_row(
                "Digit",
                self._digit,
                "A training image by its number, or the digit chosen on the map",
            ),
            "seed": again,
            "near": self._near,
        }

    def _on_m(self, value: int) -> None:
        self._instrument.set_m(round(10.0 ** (value / _STEPS)))

    def _on_dragged(self, x: float) -> None:
        self._instrument.set_m(round(x))

    def _on_total(self, index: int) -> None:
        self._instrument.draw_more(_TOTALS[index])

    def _on_q(self, index: int) -> None:
        self._instrument.set_state({"q": PROPOSALS[index]})

    def _on_image(self, image: int) -> None:
        self._instrument.set_state({"image": image})

    def _on_again(self) -> None:
        self._instrument.set_state({"seed": self._instrument.seed + 1})

    def _on_near(self, near: bool) -> None:
        self._instrument.set_state({"near": near})

    def _show_region(self) -> None:
        if self._instrument.near and self._scene is not None:
            self.map.set_near(self._scene.near)
        else:
            self.map.set_whole()

    def _draw(self) -> None:
        """Draw both plots."""
        scene = self._scene
        top = max(self._instrument.samples, CHUNK)
        if scene is None:
            for plot in (self.estimates, self.errors):
                plot.set_x_range(1, top)
                plot.set_content(())
            return
        lines = [
            line for number, one in enumerate(self._curves) for line in _estimates(number, one)
        ]
        levels = [
            Level(scene.log_marginal, "text", f"exact {figure(scene.log_marginal, 2)}"),
            Level(scene.elbo, "log_likelihood", f"ELBO {figure(scene.elbo, 2)}"),
        ]
        self.estimates.set_x_range(1, top)
        self.estimates.set_content(lines, levels, _limits(scene, self._curves))
        needed = [
            Level(count, color, f"eᴷᴸ of {name}", upright=True)
            for name, color, count in zip(_NAMES, _COLORS, scene.needed, strict=False)
            if count <= _FARTHEST
        ]
        errors = [
            Line(one.m, one.error, color, name)
            for name, color, one in zip(_NAMES, _COLORS, self._curves, strict=False)
        ]
        self.errors.set_x_range(1, max([top, *(level.value for level in needed)]))
        self.errors.set_content(errors, needed)


def _estimates(number: int, curve: Curve) -> list[Line]:
    """Its repeats, faintly, and the estimate by all samples."""
    color, name = _COLORS[number], _NAMES[number]
    repeats = [Line(curve.m, repeat, color, faint=True) for repeat in curve.repeats]
    return [*repeats, Line(curve.m, curve.estimate, color, f"from {name}")]


def _limits(scene: Scene, curves: Sequence[Curve]) -> tuple[float, float]:
    """The exact line with what is near it, and the ELBO if it is not too far below."""
    bottom = min(scene.log_marginal - _BELOW, max(scene.elbo, scene.log_marginal - 2 * _BELOW) - 3)
    highest = max((float(curve.estimate.max()) for curve in curves), default=scene.log_marginal)
    return bottom, max(scene.log_marginal, highest) + _ABOVE
