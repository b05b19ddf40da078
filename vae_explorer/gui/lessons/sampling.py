"""Estimates of log p(x) from samples."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtWidgets import QProgressBar

from vae_explorer.gui.explore.decode.digit_view import DigitView
from vae_explorer.gui.lessons.lesson_view import LessonView
from vae_explorer.gui.lessons.log_plot import LogPlot
from vae_explorer.gui.plot.axis import Axis
from vae_explorer.gui.plot.chart import Chart
from vae_explorer.gui.plot.layout import Bar
from vae_explorer.gui.plot.marks import Dots, Level, Line
from vae_explorer.gui.theme import current_theme
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.gui.widgets.rows import beside, button, column, fill, row
from vae_explorer.lessons.sampling import CHUNK, Curve
from vae_explorer.number_format import figure
from vae_explorer.session.lessons.experiment import differs
from vae_explorer.session.lessons.sampling import Lit, Sampling, SamplingResult
from vae_explorer.types import Float64, Region

_NAMES = "prior", "q"
_COLORS = "train", "held_out"
_ESTIMATES, _WORTHS = ("estimate", "estimate_q"), ("ess", "ess_q")
"""The symbols of either kind of samples."""
_TOTALS = (10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000)
_BELOW, _ABOVE = 60.0, 8.0  # nats around the exact line
_FARTHEST = 1e8  # where a number of samples that is needed is still drawn
_WHOLE = (-3.5, 3.5, -3.5, 3.5)
"""Where the prior's samples fall."""
_SMALLEST, _LARGEST = 4, 17  # pixels across a sample that matters


class SamplingView(LessonView):
    """Plots the estimates over m; m is dragged in the plots or moved by the slider.

    Besides its controls a lesson may hide the line of the ``elbo``.
    """

    experiment: Sampling

    def __init__(self, experiment: Sampling) -> None:
        offers = {"samples": _TOTALS}
        super().__init__(experiment, sliders=("m",), buttons=("seed",), offers=offers)
        self._near: Region | None = None
        self._shown: object = None
        self.estimates = LogPlot("Estimate of log p(x)", "samples m", "nats")
        self.errors = LogPlot("Typical error", "samples m", "nats", log_y=True)
        self.map = Chart("Samples on p(z|x)", aspect="equal", zoomable=True)
        self.map.setMinimumSize(220, 200)
        self.map.setToolTip(
            "The colour is the exact p(z|x). The samples that carry the mean are large. "
            "The wheel zooms, a drag moves."
        )
        self._image = DigitView("The digit x", "x")
        self._heaviest = DigitView(
            "Decoded from the heaviest sample", "heaviest sample", "heaviest"
        )
        self.scores = Readout(lines=5, growing=True)
        for plot in (self.estimates, self.errors):
            plot.x_dragged.connect(lambda m: experiment.move(m=m))
            plot.setToolTip("Drag to look at the first m samples")
        self._bar = QProgressBar()
        self._bar.setMinimumWidth(90)
        self._bar.setAccessibleName("Samples taken")
        self._stop = button("Stop", "Stop at the samples taken so far", experiment.stop)

        facts = row((self._image, 1), (self._heaviest, 1), (self.scores, 3))
        lower = row((self.map, 1), (column(facts, (self.errors, 1)), 1))
        rows = self.form.rows
        for widget in (self._bar, self._stop):
            policy = widget.sizePolicy()
            policy.setRetainSizeWhenHidden(True)
            widget.setSizePolicy(policy)
        self.controls["samples"] = beside(rows["samples"], (self._bar, 1), self._stop)
        drawn = row(rows["q"], rows["seed"], (self.controls["samples"], 1))
        fill(self.page, (self.estimates, 5), (lower, 6))
        fill(self.page, column(rows["m"], drawn, self.line("near")))
        self.start()

    def draw(self, old: SamplingResult | None) -> None:
        """Draw what has changed."""
        found, settings = self.experiment.result, self.experiment.settings
        self.map.set_title(self.map.plot.title, *self.axes)
        self.map.set_front(_dots(found.lit))
        if differs(found, old, "density"):
            field = found.density
            self.map.set_marks([field] if field else [])
            axis = Axis(0.0, field.high, "p(z|x)") if field else None
            self.map.set_bar(Bar(axis, fading=True) if axis else None)
            self._image.set_image(found.image)
        if differs(found, old, "heaviest"):
            self._heaviest.set_image(found.heaviest)
        near = found.near if settings.near else None
        if old is None or near != self._near:
            self._near = near
            self.map.set_range(*(near or _WHOLE))
        self._show_scores(found)
        self._show_curves(found, max(settings.samples, CHUNK))
        self._bar.setMaximum(settings.samples)
        self._bar.setValue(min(found.drawn, settings.samples))
        self._bar.setFormat(f"{found.drawn:,} taken")
        for widget in (self._bar, self._stop):
            widget.setVisible(bool(found.working))

    def _show_scores(self, found: SamplingResult) -> None:
        lit = found.lit
        lines = [f"First <b>{lit[0].m:,}</b> samples"] if lit else ["Integrating …"]
        for number, (name, color, one) in enumerate(zip(_NAMES, _COLORS, lit, strict=False)):
            shade = getattr(current_theme(), color)
            value = self.told(_ESTIMATES[number], figure(one.estimate, 2))
            text = f'<span style="color:{shade}"><b>{name}</b></span> = {value}'
            if self.tells(_WORTHS[number]):
                worth = figure(one.effective, 1 if one.effective < 1_000 else ",.0f")
                text += f", effective {worth}"
            lines.append(text)
        if lit and self.tells("negligible"):
            lines.append(
                f"{100 * lit[0].negligible:.4g} % of the prior’s samples contribute nothing"
            )
        self.scores.set_text("<br>".join(lines))
        self.estimates.set_cursor(lit[0].m if lit else None)
        self.errors.set_cursor(lit[0].m if lit else None)

    def _show_curves(self, found: SamplingResult, top: int) -> None:
        known, shown = found.truth, (found.truth, found.curves, top, self.concealed)
        if shown == self._shown:
            return
        self._shown = shown
        if known is None:
            for plot in (self.estimates, self.errors):
                plot.set_x_range(1, top)
                plot.set_content(())
            return
        exact, elbo = known.log_marginal, known.elbo
        lines = [
            line
            for n, one in enumerate(found.curves)
            for line in _estimates(n, one)
            if self.tells(_ESTIMATES[n])
        ]
        levels = [
            Level(value, color, f"{name} = {figure(value, 2)}")
            for symbol, value, color, name in (
                ("elbo", elbo, "log_likelihood", "ELBO"),
                ("logp", exact, "text", "exact"),
            )
            if self.tells(symbol)
        ]
        self.estimates.set_x_range(1, top)
        limits = _limits(exact, elbo, found.curves)
        self.estimates.set_content(lines, levels, limits, self.waits("estimate"))
        needed = [
            Level(count, color, f"eᴷᴸ of {name}", upright=True)
            for n, (name, color, count) in enumerate(
                zip(_NAMES, _COLORS, found.needed, strict=False)
            )
            if count <= _FARTHEST and self.tells("needed", _ESTIMATES[n])
        ]
        errors = [
            Line(_floats(one.m), one.error, color, name)
            for n, (name, color, one) in enumerate(zip(_NAMES, _COLORS, found.curves, strict=False))
            if self.tells("logp", _ESTIMATES[n])
        ]
        self.errors.set_x_range(1, max([top, *(level.value for level in needed)]))
        self.errors.set_content(errors, needed, note=self.waits("logp", "estimate"))


def _dots(lit: Sequence[Lit]) -> Iterator[Dots]:
    """Where samples fall; and those that matter, the larger the more, with the heaviest on top."""
    for name, color, one in zip(_NAMES, _COLORS, lit, strict=False):
        yield Dots(one.ground, color, f"from {name}", opacity=0.27)
    for color, one in zip(_COLORS, lit, strict=False):
        sizes = np.rint(_LARGEST * np.sqrt(one.shares / one.shares[0])).clip(_SMALLEST)
        for size in np.unique(sizes).tolist():
            yield Dots(one.points[sizes == size], color, "", size, 0.2 + 0.65 * size / _LARGEST)


def _estimates(number: int, curve: Curve) -> list[Line]:
    """Its repeats, faintly, and the estimate by all samples."""
    color, name = _COLORS[number], _NAMES[number]
    repeats = [
        Line(_floats(curve.m), repeat, color, width=1.0, opacity=0.43) for repeat in curve.repeats
    ]
    return [*repeats, Line(_floats(curve.m), curve.estimate, color, f"from {name}")]


def _floats(values: NDArray[np.number]) -> Float64:
    return values.astype(np.float64)


def _limits(log_marginal: float, elbo: float, curves: Sequence[Curve]) -> tuple[float, float]:
    """The exact line with what is near it, and the ELBO if it is not too far below."""
    bottom = min(log_marginal - _BELOW, max(elbo, log_marginal - 2 * _BELOW) - 3)
    highest = max((float(curve.estimate.max()) for curve in curves), default=log_marginal)
    return bottom, max(log_marginal, highest) + _ABOVE
