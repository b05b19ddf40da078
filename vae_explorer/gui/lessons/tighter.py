"""The bound that tightens with k, and the noise of its gradient."""

import math

import numpy as np
from PySide6.QtWidgets import QProgressBar

from vae_explorer.gui.explore.decode.digit_view import DigitView
from vae_explorer.gui.lessons.lesson_view import LessonView
from vae_explorer.gui.lessons.log_plot import LogPlot
from vae_explorer.gui.plot.marks import Band, Level, Line, Mark
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.gui.widgets.rows import button, column, fill, row
from vae_explorer.lessons.tighter import GRADIENT_KS, KS, Bound
from vae_explorer.number_format import figure, superscript
from vae_explorer.session.lessons.experiment import differs
from vae_explorer.session.lessons.tighter import Tighter, TighterResult

_TOTALS = (20_000, 50_000, 100_000, 200_000, 500_000)
_REPEATS = (50, 100, 200, 500, 1_000)
_ESTIMATORS = {"iwae": ("IWAE", "train"), "dreg": ("DReG", "held_out")}
_SMALLEST_GAP = 1e-3  # nats
_CONFIDENCE = 2.0  # standard errors


class TighterView(LessonView):
    """Plots the bound, its gap and the signal-to-noise ratio over k, which can be dragged."""

    experiment: Tighter

    def __init__(self, experiment: Tighter) -> None:
        offers = {"samples": _TOTALS, "repeats": _REPEATS}
        super().__init__(experiment, sliders=("k",), buttons=("seed",), offers=offers)
        self.bounds = LogPlot("The k-sample bound", "samples k in the bound", "nats")
        self.gaps = LogPlot("Gap to log p(x)", "k", "nats", log_y=True)
        self.ratios = LogPlot("Signal to noise of the encoder’s gradient", "k", "ratio", log_y=True)
        self._plots = (self.bounds, self.gaps, self.ratios)
        for plot in self._plots:
            plot.set_x_range(KS[0], GRADIENT_KS[-1] if plot is self.ratios else KS[-1])
            plot.x_dragged.connect(self._on_dragged)
            plot.setToolTip("Drag to look at another k")
        self._image = DigitView("The digit x", "x")
        self.scores = Readout(lines=4, growing=True)
        self._bar = QProgressBar()
        self._bar.setAccessibleName("Work done")
        self._stop = button("Stop", "Stop here", experiment.stop)
        for widget in (self._bar, self._stop):
            policy = widget.sizePolicy()
            policy.setRetainSizeWhenHidden(True)
            widget.setSizePolicy(policy)
        facts = row((self._image, 1), (self.scores, 4), (column(self._bar, self._stop), 2))
        lower = row((self.gaps, 1), (self.ratios, 1))
        fill(self.page, facts, (self.bounds, 5), (lower, 4), self.form.rows["k"])
        fill(self.page, self.line("samples", "seed", "q"))
        fill(self.page, self.line("gradient", "repeats"))
        self.start()

    def draw(self, old: TighterResult | None) -> None:
        """Draw what has changed."""
        found, settings = self.experiment.result, self.experiment.settings
        if differs(found, old, "truth"):
            self._image.set_image(found.image)
        if differs(found, old, "bound", "truth"):
            if found.bound is None or found.truth is None or not self.tells("bound"):
                for plot in (self.bounds, self.gaps):
                    plot.set_content((), note=self.waits("bound"))
            else:
                self._show_bound(found.bound, found.truth.log_marginal, found.elbo)
        if differs(found, old, "ratios"):
            self._show_ratios(found)
        for plot in self._plots:
            plot.set_cursor(settings.k)
        self.ratios.setVisible(settings.gradient)
        self._show_scores(found)
        self._bar.setValue(round(100 * found.share))
        self._bar.setFormat(f"{found.working} … %p %" if found.working else "done")
        self._bar.setVisible(bool(found.working))
        self._stop.setVisible(bool(found.working))

    def _show_bound(self, bound: Bound, exact: float, elbo: float) -> None:
        ks = bound.ks.astype(np.float64)
        spread, error = np.nan_to_num(bound.spread), _CONFIDENCE * np.nan_to_num(bound.error)
        levels = [
            Level(elbo, "log_likelihood", f"ELBO = {figure(elbo, 2)}"),
            Level(exact, "text", f"exact = {figure(exact, 2)}"),
        ]
        lines: list[Mark] = [
            Band(ks, bound.mean - spread, bound.mean + spread, "train"),
            Line(ks, bound.mean, "train", "mean, and one estimate’s spread", symbol="o"),
        ]
        low = float((bound.mean - spread).min())
        high = max(exact, float((bound.mean + spread).max()))
        margin = 0.06 * (high - low) or 1.0
        self.bounds.set_content(lines, levels, (low - margin, high + margin))
        if not self.tells("gap"):
            self.gaps.set_content((), note=self.waits("gap"))
            return
        gap = exact - bound.mean
        seen = np.where(gap > _SMALLEST_GAP, gap, np.nan)
        band = np.minimum(np.where(np.isfinite(seen), error, np.nan), 0.9 * seen)
        inverse = gap[0] / bound.ks
        self.gaps.set_content(
            [
                Line(ks, inverse, "muted", "1/k", dashed=True),
                Band(ks, seen - band, seen + band, "train"),
                Line(ks, seen, "train", "gap", symbol="o"),
            ],
            (),
            (
                max(_SMALLEST_GAP, float(np.nanmin(seen, initial=1.0)) / 2),
                2 * float(max(gap[0], 0.01)),
            ),
        )

    def _show_ratios(self, found: TighterResult) -> None:
        lines = []
        for ratio in found.ratios:
            if not self.tells(f"snr_{ratio.name}"):
                continue
            name, color = _ESTIMATORS[ratio.name]
            power = (
                f" ∝ k{superscript(figure(ratio.power, 2))}" if math.isfinite(ratio.power) else ""
            )
            ks = ratio.ks.astype(np.float64)
            lines.append(Line(ks, ratio.values, color, name + power, symbol="o"))
        self.ratios.set_content(lines, note="" if lines else self.waits("snr_iwae", "snr_dreg"))

    def _show_scores(self, found: TighterResult) -> None:
        if found.bound is None or found.truth is None:
            self.scores.set_text("Integrating p(x|z) p(z), and sampling …")
            return
        bound, exact = found.bound, found.truth.log_marginal
        at = int(np.searchsorted(bound.ks, self.experiment.settings.k, "right")) - 1
        lines = [
            f"<b>k = {bound.ks[at]:,.0f}</b>: bound = "
            f"{self.told('bound', figure(bound.mean[at], 3))} ± {figure(bound.error[at], 3)} nats",
            f"It is {self.told('gap', figure(exact - bound.mean[at], 3))} nats below log p(x)",
            f"The standard deviation of one estimate is {figure(bound.spread[at], 3)} nats",
            f"Mean of {bound.blocks[at]:,.0f} estimates",
        ]
        self.scores.set_text("<br>".join(lines))

    def _on_dragged(self, k: float) -> None:
        """Look at the k of the bound that is the nearest on a logarithmic axis."""
        self.experiment.set(k=min(KS, key=lambda one: abs(math.log(one / max(k, 1e-9)))))
