"""The bars of the bound: what log p(x) is made of, on one axis of nats."""

import itertools
import math
from collections.abc import Iterator, Mapping

import numpy as np

from vae_explorer.gui.plot.axis import Axis, Tick
from vae_explorer.gui.plot.chart import Chart
from vae_explorer.gui.plot.layout import Plot
from vae_explorer.gui.plot.marks import Box, Entry, Level, Line, Mark, Ring
from vae_explorer.lessons.bound import Bound
from vae_explorer.number_format import figure

_LEAST = 2.0  # nats on either side of log p(x)
_AIR = 1.15
_ROW, _REST = 1.9, 4.0  # the height of a row, and of what is around them, in lines
_BAR = 0.1, 0.9  # from the top to the bottom of a row
_TIP = 6.0  # pixels

_Bar = tuple[float, float, str, str]
"""From a value to another, a colour and a text."""


class BoundBars(Chart):
    """Rows of bars that share their axis.

    The sum: ELBO, and above it KL(q ‖ p(z|x)), which always end at log p(x). The terms: the
    reconstruction, and KL(q ‖ p(z)) that pulls back from it to the ELBO. The gap of the encoder in
    its two parts, once they are known. Bars begin beyond the left edge: log p(x) is far from 0.
    """

    def __init__(self) -> None:
        super().__init__()
        self._bound: Bound | None = None
        self._error = 0.0
        self._gap: Mapping[str, float] = {}
        self._terms = self._gap_shown = True
        self._waiting = False
        self.setToolTip(
            "The axis is cut off at the left. The ELBO and KL(q‖p(z|x)) are summed over different "
            "points of z; log p(x), which normalises p(z|x), is an integral over the whole plane."
        )
        self.setMinimumWidth(300)
        self._show()

    def show_bound(self, bound: Bound | None, error: float, gap: Mapping[str, float]) -> None:
        """Show other numbers, or none.

        ``error`` is that of log p(x) itself, in nats; ``gap`` has the parts of the encoder's,
        "amortisation" and "approximation", if they are known.
        """
        self._bound, self._error, self._gap = bound, error, gap
        self._show()

    def set_rows(self, terms: bool, gap: bool) -> None:
        """Which rows there are besides the sum."""
        self._terms, self._gap_shown = terms, gap
        self._show()

    def set_waiting(self, waiting: bool) -> None:
        """Keep the numbers back, of which a question is asked; they come with ``show_bound``."""
        self._waiting = waiting

    def _show(self) -> None:
        now = self._bound
        count = 1 + 2 * self._terms + self._gap_shown
        self.setFixedHeight(round((_ROW * count + _REST) * self.fontMetrics().height()))
        if now is None or self._waiting:
            none, note = Axis(numbers=False), "The exact log p(x) of this digit is being computed …"
            note = "Answer the question to see the bars" if self._waiting else note
            self.set_plot(Plot("ELBO and KL", none, none, note=note))
            return
        low, high = self._span(now)
        marks: list[Mark] = []
        ticks = []
        for number, (name, bars) in enumerate(self._rows(now, low)):
            top, bottom = (-number - share for share in _BAR)
            ticks.append(Tick(-number - 0.5, name))
            for start, end, color, text in bars:
                # In two where log p(x) crosses it, so that the line is beside the text.
                cuts = sorted({start, min(max(now.log_marginal, start), end), end})
                parts = sorted(itertools.pairwise(cuts), key=lambda part: part[0] - part[1])
                for part, said in zip(parts, (text, ""), strict=False):
                    marks.append(Box((*part, bottom, top), color, said))
        if self._terms:
            marks.append(Ring((now.elbo, -1.5), "kl", _TIP, "<", edge="kl"))
            down = np.array([0.0, -2.0])
            marks.append(Line(np.full(2, now.elbo), down, "muted", width=1.0, dashed=True))
        line = Level(now.log_marginal, "text", "log p(x)", upright=True, dashed=False, width=1.6)
        exact = max(now.error, self._error, 1e-4)
        sums = f"sums over {now.positions:,} positions of z, exact to {exact:.1g} nats"
        logp, elbo, gap = (
            figure(value, 3) for value in (now.log_marginal, now.elbo, now.kl_posterior)
        )
        self.set_plot(
            Plot(
                f"log p(x) = ELBO + KL(q ‖ p(z|x)):  {logp} = {elbo} + {gap}",
                Axis(low, high, "nats"),
                Axis(-count, 0.0, given=tuple(ticks)),
                (*marks, line),
                entries=(Entry("text", "│", "log p(x)"), Entry("muted", "", sums)),
            )
        )

    def _span(self, now: Bound) -> tuple[float, float]:
        """The ends of the axis in nats; they move in steps, so that bars keep still in between."""
        below = now.kl_posterior
        if self._gap_shown and self._gap:
            below = max(below, sum(self._gap.values()))
        above = now.log_likelihood - now.log_marginal if self._terms else 0.0
        right = _round_up(above)
        left = max(_round_up(below), right)  # room for an ELBO near log p(x) to be seen
        return now.log_marginal - left, now.log_marginal + right

    def _rows(self, now: Bound, start: float) -> Iterator[tuple[str, list[_Bar]]]:
        """From the terms to their sum, and the gap."""
        if self._terms:
            bar = (start, now.log_likelihood, "log_likelihood", "reconstruction")
            yield f"E[log p(x|z)] = {figure(now.log_likelihood, 3)}", [bar]
            bar = (now.elbo, now.log_likelihood, "kl", "pulls back to the prior")
            yield f"− KL(q ‖ p(z)) = {figure(-now.kl_prior, 3)}", [bar]
        whole = now.elbo + now.kl_posterior
        yield (
            f"ELBO + KL = {figure(whole, 3)}",
            [
                (start, now.elbo, "accent", "ELBO"),
                (now.elbo, whole, "held_out", "KL(q ‖ p(z|x))"),
            ],
        )
        if self._gap_shown and self._gap:
            amortisation, approximation = self._gap["amortisation"], self._gap["approximation"]
            best = now.log_marginal - approximation
            yield (
                f"Encoder’s KL = {figure(amortisation, 3)} + {figure(approximation, 3)}",
                [
                    (best - amortisation, best, "muted", "amortisation"),
                    (best, now.log_marginal, "held_out", "approximation"),
                ],
            )
        elif self._gap_shown:
            yield "Encoder’s KL: not yet split", []


def _round_up(nats: float) -> float:
    """The next of 1, 2, 5, 10, 20 … with some air."""
    wanted = max(nats * _AIR, _LEAST)
    power = 10.0 ** math.floor(math.log10(wanted))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= wanted * (1 - 1e-9))
