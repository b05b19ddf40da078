from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from tests.support.widgets import expose
from vae_explorer.gui.curves.curve_panel import CurvePanel
from vae_explorer.gui.curves.curve_table import PANELS, PanelSpec, overlaid
from vae_explorer.gui.curves.trace import TimeScale, Trace
from vae_explorer.gui.plot.marks import Band, Level, Line
from vae_explorer.gui.theme import LIGHT
from vae_explorer.session.training.run_history import RunHistory
from vae_explorer.training.history import HistoryPoint

SPECS = {spec.id: spec for spec in PANELS}
PER_EPOCH = 15


def points(epochs: int, shift: float = 0.0) -> list[HistoryPoint]:
    """As of a run, with all figures; log p(x) is measured every second epoch."""
    found = []
    for step in range(1, epochs * PER_EPOCH + 1):
        epoch = step / PER_EPOCH
        elbo = -133 - 407 * np.exp(-epoch / 0.8) + shift
        kl = 7 - 6 * np.exp(-epoch)
        point = HistoryPoint(epoch, elbo, elbo + kl, kl, elbo, step=step, seconds=step / 4)
        point = replace(point, learning_rate=10.0 ** -(1 + epoch), gradient_norm=10 / epoch)
        if step % PER_EPOCH == 0:
            point = replace(point, held_out_elbo=elbo - 2, held_out_kl=kl, active_units=2)
            point = replace(point, held_out_log_likelihood=elbo - 2 + kl)
        if step % (2 * PER_EPOCH) == 0:
            point = replace(point, held_out_log_marginal=elbo - 0.5)
        found.append(point)
    return found


def shown(
    qtbot: QtBot,
    spec: PanelSpec,
    history: list[HistoryPoint],
    *,
    smoothing: float = 0.0,
    foreign: tuple[tuple[str, str, list[HistoryPoint]], ...] = (),
    scale: TimeScale | None = None,
    log_y: bool = False,
) -> CurvePanel:
    """A panel of a run on screen, light."""
    panel = expose(qtbot, CurvePanel(spec), 400, 300)
    table = RunHistory(history)
    own = [Trace(table, curve, "", smoothing) for curve in spec.curves]
    others = [
        (name, [Trace(RunHistory(other), c, color, smoothing) for c in overlaid(spec)])
        for name, color, other in foreign
    ]
    panel.set_scale(scale or TimeScale(), log_y)
    panel.set_traces(own, others)
    panel.refresh()
    panel.fit()
    return panel


def legend(panel: CurvePanel) -> str:
    return " · ".join(f"{entry.name} {entry.value}".strip() for entry in panel.plot.legend)


def lines(panel: CurvePanel) -> list[Line]:
    return [mark for mark in panel.plot.marks if isinstance(mark, Line) and len(mark.x)]


def test_every_curve_is_drawn_as_it_is(qtbot: QtBot) -> None:
    history = points(4)
    train, held_out, exact, _ = lines(shown(qtbot, SPECS["elbo"], history))
    np.testing.assert_array_equal(train.y, [p.elbo for p in history])
    np.testing.assert_array_equal(held_out.x, [1, 2, 3, 4])
    np.testing.assert_array_equal(exact.x, [2, 4])
    assert (train.symbol, held_out.symbol, exact.symbol) == ("", "o", "d")


def test_the_raw_curve_is_pale_behind_the_smooth_one(qtbot: QtBot) -> None:
    raw, smooth, held_out = lines(shown(qtbot, SPECS["kl"], points(4), smoothing=0.9))
    assert (raw.opacity, smooth.opacity, held_out.opacity) == (0.35, 1.0, 1.0)
    assert len(raw.x) == len(smooth.x) == 4 * PER_EPOCH
    assert np.ptp(smooth.y) < np.ptp(raw.y)


def test_the_gap_is_shaded_where_both_are_known_and_written(qtbot: QtBot) -> None:
    panel = shown(qtbot, SPECS["elbo"], points(6))
    (band,) = [mark for mark in panel.plot.marks if isinstance(mark, Band)]
    np.testing.assert_array_equal(band.x, [2, 4, 6])
    np.testing.assert_allclose(band.upper - band.lower, 1.5)
    assert "gap 1.50" in legend(panel)
    # Off the curves, between the two, the canvas is tinted.
    panel.set_range(0, 6.2, -140, -130)
    at = panel.to_pixel(5.9, band.lower[2] + 0.75).toPoint()
    color = panel.grab().toImage().pixelColor(at)
    assert color != QColor(LIGHT.canvas)
    assert color.lightness() > 180


def test_no_gap_without_an_exact_metric(qtbot: QtBot) -> None:
    panel = shown(qtbot, SPECS["elbo"], points(1))
    assert not any(isinstance(mark, Band) for mark in panel.plot.marks)
    assert "gap" not in legend(panel)


def test_the_gap_is_of_one_moment(qtbot: QtBot) -> None:
    history = points(3)
    panel = shown(qtbot, SPECS["elbo"], history)
    panel.set_reading(3.0)
    then = history[2 * PER_EPOCH - 1]
    assert then.held_out_log_marginal is not None
    assert f"−{-then.held_out_log_marginal:.2f}" in legend(panel)
    assert "gap 1.50" in legend(panel)
    panel.set_reading(1.5)
    assert legend(panel).endswith("gap")  # nothing was measured by then


def test_other_runs_are_named_and_read_at_the_same_moment(qtbot: QtBot) -> None:
    other = points(5, shift=7)
    panel = shown(qtbot, SPECS["elbo"], points(3), foreign=(("other run", "#d97706", other),))
    assert [line.color for line in lines(panel)].count("#d97706") == 2
    panel.set_reading(2.0)
    here = other[2 * PER_EPOCH - 1]
    assert here.held_out_elbo is not None
    assert f"other run −{-here.elbo:.2f} / −{-here.held_out_elbo:.2f}" in legend(panel)
    # A click does not hit them: the moment would not be one of this run.
    panel.set_range(4, 5, -135, -120)
    assert not panel.is_near(4.5, other[-8].elbo)
    assert panel.is_near(2.0, points(3)[2 * PER_EPOCH - 1].elbo)
    panel.set_traces([Trace(RunHistory(points(1)), SPECS["kl"].curves[0])], [])
    panel.refresh()
    assert len(lines(panel)) == 1
    assert "other" not in legend(panel)


def test_another_run_that_does_not_know_the_unit_says_so(qtbot: QtBot) -> None:
    old = [HistoryPoint(1.0, -150.0, -144.0, 6.0, -150.0)]
    foreign = (("old", "#d97706", old),)
    panel = shown(qtbot, SPECS["elbo"], points(3), foreign=foreign, scale=TimeScale("seconds"))
    assert "old (no time (s))" in legend(panel)


@pytest.mark.parametrize(
    ("scale", "label", "reading", "read"),
    [
        (TimeScale("epoch"), "epochs", 3.4, "epoch 3.40"),
        (TimeScale("step"), "steps", 1_234.0, "step 1,234"),
        (TimeScale("seconds", True), "time (s)", 12.34, "time 12.3 s"),
    ],
)
def test_the_axes_are_named(
    qtbot: QtBot, scale: TimeScale, label: str, reading: float, read: str
) -> None:
    panel = shown(qtbot, SPECS["gradient_norm"], points(3), scale=scale)
    assert panel.plot.y.label == "nats"
    assert panel.plot.x.label == label
    panel.set_reading(reading)
    assert panel.plot.x.label == read
    panel.set_reading(None)
    assert panel.plot.x.label == label


@pytest.mark.parametrize(("name", "log"), [("learning_rate", True), ("elbo", False)])
def test_only_some_metrics_have_a_logarithm(qtbot: QtBot, name: str, log: bool) -> None:
    panel = shown(qtbot, SPECS[name], points(3), scale=TimeScale("epoch", True), log_y=True)
    assert panel.plot.x.log
    assert panel.plot.y.log == log
    left, right, _, _ = panel.region
    assert left == pytest.approx(1 / PER_EPOCH)
    assert right == pytest.approx(3, rel=0.3)


def test_crosshair_and_moment_are_two_different_lines(qtbot: QtBot) -> None:
    panel = shown(qtbot, SPECS["kl"], points(4), scale=TimeScale("step", True))
    panel.set_reading(20.0)
    panel.set_moment(30.0)
    crosshair, moment = panel.plot.front
    assert isinstance(crosshair, Level)
    assert isinstance(moment, Level)
    assert (crosshair.value, moment.value) == (20, 30)
    assert (crosshair.color, crosshair.dashed) != (moment.color, moment.dashed)
    panel.set_reading(None)
    panel.set_moment(None)
    assert panel.plot.front == ()


def test_a_metric_that_was_not_measured_is_told(qtbot: QtBot) -> None:
    old = [HistoryPoint(1.0, -150.0, -144.0, 6.0, -150.0)]
    assert shown(qtbot, SPECS["gradient_norm"], old).plot.note == "Not measured yet"
    assert shown(qtbot, SPECS["gradient_norm"], points(1)).plot.note == ""


def test_all_active_units_are_in_sight(qtbot: QtBot) -> None:
    panel = shown(qtbot, SPECS["active_units"], points(3))
    _, _, low, high = panel.region
    assert low < 0
    assert 2 < high < 2.5
    assert "held-out 2" in legend(panel)
