"""Runs to be drawn, and what training curves show of them."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from pytestqt.qtbot import QtBot

from vae_explorer.gui.curves.curve_panel import CurvePanel
from vae_explorer.gui.curves.panel import Panel
from vae_explorer.gui.curves.plots import ElboPlot
from vae_explorer.gui.plot.marks import Line
from vae_explorer.training.history import HistoryPoint
from vae_explorer.types import Float64

PER_EPOCH = 15


def history(epochs: int, start: int = 0, objective: str = "elbo") -> list[HistoryPoint]:
    """As of a run; with "iwae" the objective is its own, and log p(x) is known."""
    points = []
    own = 1.0 if objective == "iwae" else 0.0
    for step in range(start * PER_EPOCH + 1, (start + epochs) * PER_EPOCH + 1):
        epoch = step / PER_EPOCH
        kl = 7 - 6 * math.exp(-epoch)
        elbo = -133 - 407 * math.exp(-epoch / 0.8)
        held_out: tuple[float | None, float | None, float | None, float | None] = (None,) * 4
        if step % PER_EPOCH == 0:
            held_out = (elbo - 2, elbo - 2 + kl, kl, elbo - 1 if own else None)
        points.append(HistoryPoint(epoch, elbo, elbo + kl, kl, elbo + own, *held_out))
    return points


def full(epochs: int, beta: float = 1.0) -> list[HistoryPoint]:
    """With all that a run of today reports: ten steps and half a second a report."""
    return [
        replace(
            point,
            step=10 * number,
            seconds=number / 2,
            learning_rate=1e-3,
            gradient_norm=5.0,
            beta=beta,
            samples=1,
            active_units=None if point.held_out_elbo is None else 2,
        )
        for number, point in enumerate(history(epochs), 1)
    ]


def grow(plot: ElboPlot, points: Sequence[HistoryPoint]) -> None:
    """As the run that is shown goes on."""
    plot.history.extend(points)
    plot.grow()


def titles(plot: ElboPlot) -> list[str]:
    return [panel.plot.title for panel in plot.findChildren(Panel) if panel.isVisible()]


def panels(plot: ElboPlot) -> list[CurvePanel]:
    """ELBO, log-likelihood and KL."""
    return [panel for panel in plot.findChildren(CurvePanel) if not panel.spec.optional]


def lines(panel: Panel) -> list[Line]:
    return [mark for mark in panel.plot.marks if isinstance(mark, Line) and len(mark.x)]


def drawn(plot: ElboPlot) -> list[Float64]:
    """(2, n) x and y of the curves that have points, panel by panel."""
    return [np.stack([line.x, line.y]) for panel in panels(plot) for line in lines(panel)]


def expected(points: list[HistoryPoint]) -> list[Float64]:
    curves = []
    own = any(p.objective != p.elbo for p in points)
    for name in (
        *("elbo", "held_out_elbo", "held_out_log_marginal", "objective" if own else ""),
        *("log_likelihood", "held_out_log_likelihood"),
        *("kl", "held_out_kl"),
    ):
        rows = [(p.epoch, y) for p in points if (y := getattr(p, name, None)) is not None]
        if rows:
            curves.append(np.array(rows, dtype=float).T)
    return curves


def wait_drawn(qtbot: QtBot, plot: ElboPlot, points: list[HistoryPoint]) -> None:
    def check() -> None:
        for got, wanted in zip(drawn(plot), expected(points), strict=True):
            np.testing.assert_array_equal(got, wanted)

    qtbot.waitUntil(check)


def view_range(plot: ElboPlot, panel: int = 0) -> tuple[list[float], list[float]]:
    left, right, bottom, top = panels(plot)[panel].region
    return [left, right], [bottom, top]


def legend(panel: Panel) -> str:
    return " · ".join(f"{e.name} {e.value}".strip() for e in panel.plot.legend)


def legends(plot: ElboPlot) -> str:
    return " ".join(map(legend, panels(plot)))


def epoch_label(plot: ElboPlot) -> str:
    return panels(plot)[0].plot.x.label
