"""The instrument that tightens the bound with k."""

import math

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
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
from vae_explorer.gui.theme import Theme, current_theme
from vae_explorer.gui.widgets.control_row import control_row
from vae_explorer.gui.widgets.number_format import figure
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.session.lessons.tighter import GRADIENT_KS, KS, PROPOSALS, Ladder, Ratio, Tighter
from vae_explorer.session.state import TRAINING_IMAGES

_PROPOSAL_NAMES = {
    "encoder": "the encoder's",
    "matched": "the best Gaussian",
    "wide": "twice as wide as the best",
}
_TOTALS = (20_000, 50_000, 100_000, 200_000, 500_000)
_REPEATS = (50, 100, 200, 500, 1_000)
_ESTIMATORS = {"iwae": ("IWAE", "train"), "dreg": ("DReG", "held_out")}
_SMALLEST_GAP = 1e-3  # nats
_CONFIDENCE = 2.0  # standard errors


class TighterView(InstrumentView):
    """Plots the bound, its gap and the signal-to-noise ratio over k, which can be dragged."""

    def __init__(self, instrument: Tighter, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._instrument = instrument
        self._ladder: Ladder | None = None
        self._ratios: tuple[Ratio, ...] = ()
        self._theme = current_theme()
        self.bounds = LogPlot("The k-sample bound", "samples k in the bound", "nats")
        self.gaps = LogPlot("Gap to log p(x)", "k", "nats", log_y=True)
        self.ratios = LogPlot("Signal to noise of the encoder’s gradient", "k", "ratio", log_y=True)
        for plot in self._plots:
            plot.set_x_range(KS[0], GRADIENT_KS[-1] if plot is self.ratios else KS[-1])
            plot.dragged.connect(instrument.set_k)
            plot.setToolTip("Drag to look at another k")
        self._image = DigitView("The digit x", "x", zoom=2)
        self._figures = Readout(lines=4)
        self.controls = self._make_controls()
        progress = QVBoxLayout()
        progress.addWidget(self._bar)
        progress.addWidget(self._stop)
        for widget in (self._bar, self._stop):
            policy = widget.sizePolicy()
            policy.setRetainSizeWhenHidden(True)
            widget.setSizePolicy(policy)
        facts = QHBoxLayout()
        facts.addWidget(self._image, 1)
        facts.addWidget(self._figures, 4)
        facts.addLayout(progress, 2)
        lower = QHBoxLayout()
        lower.addWidget(self.gaps, 1)
        lower.addWidget(self.ratios, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.addLayout(facts)
        layout.addWidget(self.bounds, 5)
        layout.addLayout(lower, 4)
        for names in (("k",), ("samples", "q", "image"), ("seed", "gradient", "repeats")):
            row = QHBoxLayout()
            for name in names:
                row.addWidget(self.controls[name])
            if "k" not in names:
                row.addStretch(1)
            layout.addLayout(row)

        instrument.ladder_changed.connect(self.set_ladder)
        instrument.ratios_changed.connect(self.set_ratios)
        instrument.settings_changed.connect(self.set_settings)
        instrument.k_changed.connect(self.set_k)
        instrument.worked.connect(self.set_progress)
        self.set_theme(self._theme)
        self.set_settings()
        self.set_ladder(instrument.ladder)
        self.set_ratios(instrument.ratios)
        self.set_progress(instrument.working, 0.0)

    def set_theme(self, theme: Theme) -> None:
        """Take the theme's colours."""
        self._theme = theme
        self._image.set_theme(theme)
        for plot in self._plots:
            plot.set_theme(theme)

    def set_ladder(self, ladder: Ladder | None) -> None:
        """Draw the bound so far."""
        self._ladder = ladder
        self._image.set_image(gray8(ladder.image) if ladder else None)
        self._write()
        if ladder is None:
            self.bounds.set_content(())
            self.gaps.set_content(())
            return
        found = ladder.bound
        spread, error = np.nan_to_num(found.spread), _CONFIDENCE * np.nan_to_num(found.error)
        levels = [
            Level(ladder.log_marginal, "text", f"exact {figure(ladder.log_marginal, 2)}"),
            Level(ladder.elbo, "log_likelihood", f"ELBO {figure(ladder.elbo, 2)}"),
        ]
        lines = [
            Line(found.ks, found.mean, "train", "mean, and one estimate’s spread", band=spread),
            Line(found.ks, found.mean, "train", markers=True),
        ]
        low = float((found.mean - spread).min())
        high = max(ladder.log_marginal, float((found.mean + spread).max()))
        margin = 0.06 * (high - low) or 1.0
        self.bounds.set_content(lines, levels, (low - margin, high + margin))
        gap = ladder.log_marginal - found.mean
        seen = np.where(gap > _SMALLEST_GAP, gap, np.nan)
        band = np.where(np.isfinite(seen), error, np.nan)
        inverse = gap[0] / found.ks
        self.gaps.set_content(
            [
                Line(found.ks, inverse, "muted", "1/k", dashed=True),
                Line(found.ks, seen, "train", "gap", band=np.minimum(band, 0.9 * seen)),
                Line(found.ks, seen, "train", markers=True),
            ],
            (),
            (
                max(_SMALLEST_GAP, float(np.nanmin(seen, initial=1.0)) / 2),
                2 * float(max(gap[0], 0.01)),
            ),
        )

    def set_ratios(self, ratios: tuple[Ratio, ...]) -> None:
        """Draw the signal-to-noise ratios so far."""
        self._ratios = ratios
        lines = []
        for ratio in ratios:
            name, color = _ESTIMATORS[ratio.name]
            power = f" ∝ k<sup>{figure(ratio.power, 2)}</sup>" if math.isfinite(ratio.power) else ""
            lines.append(Line(ratio.ks, ratio.values, color, name + power))
            lines.append(Line(ratio.ks, ratio.values, color, markers=True))
        self.ratios.set_content(lines)

    def set_settings(self) -> None:
        """Show what is set."""
        instrument = self._instrument
        widgets = (self._total, self._q, self._digit, self._gradient, self._repeats)
        blockers = [QSignalBlocker(widget) for widget in widgets]
        self._total.setCurrentIndex(int(np.searchsorted(_TOTALS, instrument.samples)))
        self._q.setCurrentIndex(PROPOSALS.index(instrument.proposal))
        self._digit.setValue(instrument.digit.image)
        self._gradient.setChecked(instrument.gradient)
        self._repeats.setCurrentIndex(int(np.searchsorted(_REPEATS, instrument.repeats)))
        del blockers
        self.ratios.setVisible(instrument.gradient)
        self._repeats.setEnabled(instrument.gradient)
        self.set_k(instrument.k)

    def set_k(self, k: int) -> None:
        """Show which k is looked at."""
        with QSignalBlocker(self._k):
            self._k.setValue(KS.index(k))
        self._k_text.setText(f"{k:,}")
        for plot in self._plots:
            plot.set_cursor(k)
        self._write()

    def set_progress(self, what: str, share: float) -> None:
        """Say what is under way."""
        self._bar.setValue(round(100 * share) if what else 100)
        self._bar.setFormat(f"{what} … %p %" if what else "done")
        self._stop.setEnabled(bool(what))
        for widget in (self._bar, self._stop):
            widget.setVisible(bool(what))

    @property
    def _plots(self) -> tuple[LogPlot, ...]:
        return self.bounds, self.gaps, self.ratios

    def _make_controls(self) -> dict[str, QWidget]:
        instrument = self._instrument
        self._k = QSlider(Qt.Orientation.Horizontal)
        self._k.setRange(0, len(KS) - 1)
        self._k.setPageStep(3)
        self._k.valueChanged.connect(self._on_k)
        self._k_text = QLabel()
        self._k_text.setMinimumWidth(self.fontMetrics().horizontalAdvance("5,000 "))
        self._total = QComboBox()
        self._total.addItems([f"{total:,}" for total in _TOTALS])
        self._total.activated.connect(self._on_total)
        self._q = QComboBox()
        self._q.addItems([_PROPOSAL_NAMES[name] for name in PROPOSALS])
        self._q.activated.connect(self._on_q)
        self._digit = QSpinBox()
        self._digit.setRange(-1, TRAINING_IMAGES - 1)
        self._digit.setSpecialValueText("the chosen one")
        self._digit.setKeyboardTracking(False)
        self._digit.valueChanged.connect(self._on_image)
        self._gradient = QCheckBox("Gradients")
        self._gradient.setToolTip("Repeat the gradient of the bound, and tell its noise")
        self._gradient.toggled.connect(self._on_gradient)
        self._repeats = QComboBox()
        self._repeats.addItems([f"{repeats:,}" for repeats in _REPEATS])
        self._repeats.activated.connect(self._on_repeats)
        again = QPushButton("Draw afresh")
        again.setToolTip("Throw other dice: all samples are drawn anew")
        again.clicked.connect(self._on_again)
        self._bar = QProgressBar()
        self._bar.setAccessibleName("Work done")
        self._stop = QPushButton("Stop")
        self._stop.setToolTip("Be content with what is known")
        self._stop.clicked.connect(instrument.stop)
        return {
            "k": control_row("k", self._k, "How many samples the bound has", self._k_text),
            "samples": control_row(
                "Draw", self._total, "How many samples are drawn; blocks of k are averaged"
            ),
            "q": control_row("q is", self._q, "The Gaussian that is drawn from"),
            "image": control_row(
                "Digit", self._digit, "A training image by its number, or the one chosen on the map"
            ),
            "seed": again,
            "gradient": self._gradient,
            "repeats": control_row("Repeats", self._repeats, "How many gradients for each k"),
        }

    def _on_k(self, rung: int) -> None:
        self._instrument.set_k(KS[rung])

    def _on_total(self, index: int) -> None:
        self._instrument.set_state({"samples": _TOTALS[index]})

    def _on_q(self, index: int) -> None:
        self._instrument.set_state({"q": PROPOSALS[index]})

    def _on_image(self, image: int) -> None:
        self._instrument.set_state({"image": image})

    def _on_gradient(self, wanted: bool) -> None:
        self._instrument.set_state({"gradient": wanted})

    def _on_repeats(self, index: int) -> None:
        self._instrument.set_state({"repeats": _REPEATS[index]})

    def _on_again(self) -> None:
        self._instrument.set_state({"seed": self._instrument.seed + 1})

    def _write(self) -> None:
        """Write the figures at the k that is looked at."""
        ladder = self._ladder
        if ladder is None:
            self._figures.set_text("Integrating p(x|z) p(z), and drawing …")
            return
        found = ladder.bound
        at = int(np.searchsorted(found.ks, self._instrument.k, "right")) - 1
        lines = [
            f"<b>k = {found.ks[at]:,.0f}</b>: bound {figure(found.mean[at], 3)} "
            f"± {figure(found.error[at], 3)} nats",
            f"{figure(ladder.log_marginal - found.mean[at], 3)} nats below the exact log p(x)",
            f"One estimate scatters by {figure(found.spread[at], 3)} nats",
            f"Mean of {found.blocks[at]:,.0f} estimates",
        ]
        self._figures.set_text("<br>".join(lines))
