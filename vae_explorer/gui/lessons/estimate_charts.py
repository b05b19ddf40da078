"""Estimates of one number by two recipes: their histograms and their running means."""

import numpy as np
from PySide6.QtWidgets import QVBoxLayout, QWidget

from vae_explorer.gui.plot.chart import Chart
from vae_explorer.gui.plot.marks import Columns, Level, Line
from vae_explorer.gui.widgets.rows import fill, row
from vae_explorer.types import Floats

_BINS = 61
_RUN = 2_000
"""The running means go over this many estimates."""
_SKIPPED = 10  # of these, which are all over the position
_DRAWN = 500  # points of a running mean: it is painted at every move of a hand


class EstimateCharts(QWidget):
    """Above the score function's histogram and the path-wise one, below both running means."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.score, self.path = (
            Chart(name, "estimate") for name in ("Score function", "Path-wise")
        )
        self.running = Chart("Mean of the first n estimates", "n")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        fill(layout, (row(self.score, self.path), 1), (self.running, 1))

    def clear(self) -> None:
        """Show no estimates."""
        for chart in (self.score, self.path, self.running):
            chart.set_marks(())

    def set_estimates(self, score: Floats, path: Floats, exact: float, *, same_scale: bool) -> None:
        """Show estimates (n,) of either kind of an ``exact`` number.

        The histograms have the ``same_scale``, or each its own.
        """
        spans = [_span(score, exact), _span(path, exact)]
        if same_scale:
            spans = [(min(low for low, _ in spans), max(high for _, high in spans))] * 2
        self._show_histogram(self.score, score, exact, spans[0], "held_out")
        self._show_histogram(self.path, path, exact, spans[1], "train")
        self._show_running(score[:_RUN], path[:_RUN], exact)

    def _show_histogram(
        self, chart: Chart, estimates: Floats, exact: float, span: tuple[float, float], color: str
    ) -> None:
        heights, edges = np.histogram(estimates, _BINS, span)
        share = heights / len(estimates)
        chart.set_range(*span, 0.0, 1.12 * max(float(share.max()), 1e-3))
        chart.set_marks(
            [
                Columns(edges, share, color),
                Level(exact, "log_likelihood", "exact", upright=True, dashed=False),
                Level(float(estimates.mean()), "text", "mean", upright=True),
            ]
        )

    def _show_running(self, score: Floats, path: Floats, exact: float) -> None:
        count = np.arange(1, len(score) + 1, dtype=np.float64)
        skipped = slice(min(_SKIPPED, len(count) // 4), None, -(-len(count) // _DRAWN))
        means = [(estimates.cumsum() / count)[skipped] for estimates in (score, path)]
        spread = max(float(score.std()), float(path.std()), 1e-6)
        # What a tenth of the estimates leaves, or as far as a biased mean is off.
        reach = 2.5 * spread / float(np.sqrt(max(0.1 * len(count), 1.0)))
        bias = float(path.mean()) - exact
        low, high = exact - max(reach, -1.2 * bias), exact + max(reach, 1.2 * bias)
        self.running.set_range(0.0, float(len(count)), low, high)
        self.running.set_marks(
            [
                Level(exact, "log_likelihood", "exact", dashed=False),
                Line(count[skipped], means[0], "held_out", "score function"),
                Line(count[skipped], means[1], "train", "path-wise"),
            ]
        )


def _span(estimates: Floats, exact: float) -> tuple[float, float]:
    """What holds all but a few of the estimates, and the exact gradient."""
    low, high = np.percentile(estimates, (0.5, 99.5)).tolist()
    low, high = min(low, exact), max(high, exact)
    margin = 0.05 * (high - low) or 0.5
    return low - margin, high + margin
