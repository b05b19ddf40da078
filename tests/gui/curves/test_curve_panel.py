from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from vae_explorer.gui.curves.curve_panel import CurvePanel
from vae_explorer.gui.curves.curve_table import PANELS, PanelSpec, overlaid
from vae_explorer.gui.curves.decimation import VERTICES_A_COLUMN
from vae_explorer.gui.curves.history_table import HistoryTable
from vae_explorer.gui.curves.trace import TimeScale, Trace
from vae_explorer.gui.theme import DARK, LIGHT, Theme
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
    panel = CurvePanel(spec)
    qtbot.addWidget(panel)
    panel.resize(400, 300)
    with qtbot.waitExposed(panel):
        panel.show()
    panel.set_theme(LIGHT)
    table = HistoryTable(history)
    own = [Trace(table, curve) for curve in spec.curves]
    others = [
        (name, [Trace(HistoryTable(other), curve, color) for curve in overlaid(spec)])
        for name, color, other in foreign
    ]
    for trace in (*own, *(trace for _, traces in others for trace in traces)):
        trace.set_smoothing(smoothing)
    panel.set_scale(scale or TimeScale())
    panel.set_log_y(log_y)
    panel.set_traces(own, others)
    panel.refresh()
    panel.fit()
    return panel


def legend(panel: CurvePanel) -> str:
    return " ".join(label.text() for label in panel.findChildren(QLabel))


def strokes(panel: CurvePanel) -> dict[tuple[str, float], int]:
    """How many vertices there are of each colour and opacity."""
    return {(s.color, s.opacity): len(s.vertices.x) for s in panel.sheet(LIGHT).strokes}


def test_every_curve_is_drawn_as_it_is(qtbot: QtBot) -> None:
    history = points(4)
    panel = shown(qtbot, SPECS["elbo"], history)
    train, held_out, exact, _ = panel.sheet(LIGHT).strokes
    np.testing.assert_array_equal(train.vertices.y, [p.elbo for p in history])
    np.testing.assert_array_equal(held_out.vertices.x, [1, 2, 3, 4])
    np.testing.assert_array_equal(exact.vertices.x, [2, 4])
    items = panel.plot.getPlotItem().listDataItems()
    np.testing.assert_array_equal(items[0].getOriginalDataset()[1], train.vertices.y)
    assert items[0].opts["pen"].width() == 1


def test_a_long_history_is_drawn_in_few_vertices_and_keeps_its_peaks(qtbot: QtBot) -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(size=40_000)
    noise[12_345], noise[23_456] = 50, -50
    history = [HistoryPoint(k / 15, y, y, 0.0, y) for k, y in enumerate(noise.tolist(), 1)]
    panel = shown(qtbot, SPECS["elbo"], history, smoothing=0.9)
    width = panel.view.width() * panel.devicePixelRatioF()
    for stroke in panel.sheet(LIGHT).strokes[:2]:
        assert 500 < len(stroke.vertices.x) <= VERTICES_A_COLUMN * (width + 1) + 2
    raw = panel.sheet(LIGHT).strokes[0].vertices.y
    assert (raw.max(), raw.min()) == (50, -50)


def test_the_raw_curve_is_pale_behind_the_smooth_one(qtbot: QtBot) -> None:
    panel = shown(qtbot, SPECS["kl"], points(4), smoothing=0.9)
    found = strokes(panel)
    assert found[LIGHT.kl, 1.0] == found[LIGHT.kl, 0.35] == 4 * PER_EPOCH
    assert found[LIGHT.held_out, 1.0] == 4
    raw, smooth = panel.sheet(LIGHT).strokes[:2]
    assert np.ptp(smooth.vertices.y) < np.ptp(raw.vertices.y)


def test_the_gap_is_shaded_where_both_are_known_and_written(qtbot: QtBot) -> None:
    panel = shown(qtbot, SPECS["elbo"], points(6))
    (band,) = panel.sheet(LIGHT).bands
    np.testing.assert_array_equal(band.lower.x, [2, 4, 6])
    np.testing.assert_allclose(band.upper.y - band.lower.y, 1.5)
    assert "gap&nbsp;1.50" in legend(panel)
    # Off the curves, between the two, the canvas is tinted.
    panel.view.setRange(xRange=(0, 6.2), yRange=(-140, -130), padding=0)
    picture = panel.plot.grab().toImage()
    place = panel.view.mapViewToScene(QPointF(5.9, band.lower.y[2] + 0.75))
    color = picture.pixelColor(round(place.x()), round(place.y()))
    assert color != QColor(LIGHT.canvas)
    assert color.lightness() > 180


def test_no_gap_without_an_exact_figure(qtbot: QtBot) -> None:
    panel = shown(qtbot, SPECS["elbo"], points(1))
    assert panel.sheet(LIGHT).bands == ()
    assert "gap" not in legend(panel)


def test_the_gap_is_of_one_moment(qtbot: QtBot) -> None:
    history = points(3)
    panel = shown(qtbot, SPECS["elbo"], history)
    panel.set_reading(3.0)
    then = history[2 * PER_EPOCH - 1]
    assert then.held_out_log_marginal is not None
    assert f"−{-then.held_out_log_marginal:.2f}" in legend(panel)
    assert "gap&nbsp;1.50" in legend(panel)
    panel.set_reading(1.5)
    assert "gap" in legend(panel)
    assert "gap&nbsp;" not in legend(panel)  # nothing was measured by then


def test_markers_go_when_they_would_touch(qtbot: QtBot) -> None:
    few, many = points(4), points(120)
    for history, symbol in ((few, "o"), (many, None)):
        panel = shown(qtbot, SPECS["elbo"], history)
        assert panel.sheet(LIGHT).strokes[1].symbol == symbol
        assert panel.plot.getPlotItem().listDataItems()[2].opts["symbol"] == symbol


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_colours_are_the_theme_s(qtbot: QtBot, theme: Theme) -> None:
    panel = shown(qtbot, SPECS["kl"], points(2))
    panel.set_theme(theme)
    train, _, held_out, _ = panel.plot.getPlotItem().listDataItems()
    assert train.opts["pen"].color() == QColor(theme.kl)
    assert held_out.opts["pen"].color() == QColor(theme.held_out)
    assert held_out.opts["pen"].style() == Qt.PenStyle.DashLine
    assert panel.plot.backgroundBrush().color() == QColor(theme.canvas)
    assert theme.kl in legend(panel)
    assert theme.held_out in legend(panel)


def test_other_runs_are_named_and_read_at_the_same_moment(qtbot: QtBot) -> None:
    other = points(5, shift=7)
    panel = shown(qtbot, SPECS["elbo"], points(3), foreign=(("other run", "#d97706", other),))
    sheet = panel.sheet(LIGHT)
    colors = [stroke.color for stroke in sheet.strokes]
    assert colors.count("#d97706") == 2
    panel.set_reading(2.0)
    here = other[2 * PER_EPOCH - 1]
    assert here.held_out_elbo is not None
    read = f"other&nbsp;run&nbsp;−{-here.elbo:.2f}&nbsp;/&nbsp;−{-here.held_out_elbo:.2f}"
    assert read in legend(panel)
    # A click does not hit them: the moment would not be one of this run.
    assert len(panel.vertices()) == 8


def test_another_run_that_does_not_know_the_unit_says_so(qtbot: QtBot) -> None:
    old = [HistoryPoint(1.0, -150.0, -144.0, 6.0, -150.0)]
    foreign = (("old", "#d97706", old),)
    panel = shown(qtbot, SPECS["elbo"], points(3), foreign=foreign, scale=TimeScale("seconds"))
    assert "old&nbsp;(no&nbsp;time&nbsp;(s))" in legend(panel)


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
    assert panel.y_axis.labelText == "nats"
    assert panel.x_axis.labelText == label
    panel.set_reading(reading)
    assert panel.x_axis.labelText == read
    panel.set_reading(None)
    assert panel.x_axis.labelText == label


def test_a_logarithmic_panel_draws_powers(qtbot: QtBot) -> None:
    panel = shown(
        qtbot, SPECS["learning_rate"], points(3), scale=TimeScale("epoch", True), log_y=True
    )
    (stroke,) = panel.sheet(LIGHT).strokes
    np.testing.assert_allclose(stroke.vertices.y, -(1 + 10**stroke.vertices.x))
    assert panel.sheet(LIGHT).y.log
    assert panel.sheet(LIGHT).x.log
    left, right = panel.view.viewRange()[0]
    assert left == pytest.approx(np.log10(1 / PER_EPOCH))
    assert right == pytest.approx(np.log10(3), abs=0.1)


def test_an_elbo_has_no_logarithm(qtbot: QtBot) -> None:
    panel = shown(qtbot, SPECS["elbo"], points(3), log_y=True)
    assert not panel.sheet(LIGHT).y.log


def test_crosshair_and_moment_are_two_different_lines(qtbot: QtBot) -> None:
    panel = shown(qtbot, SPECS["kl"], points(4), scale=TimeScale("step", True))
    assert panel.sheet(LIGHT).marks == ()
    panel.set_reading(20.0)
    panel.set_moment(30.0)
    crosshair, moment = panel.sheet(LIGHT).marks
    assert crosshair.x == pytest.approx(np.log10(20))
    assert moment.x == pytest.approx(np.log10(30))
    assert (crosshair.color, crosshair.line) != (moment.color, moment.line)
    panel.set_reading(None)
    panel.set_moment(None)
    assert panel.sheet(LIGHT).marks == ()


def test_a_figure_that_was_not_measured_is_told(qtbot: QtBot) -> None:
    old = [HistoryPoint(1.0, -150.0, -144.0, 6.0, -150.0)]
    panel = shown(qtbot, SPECS["gradient_norm"], old)
    assert panel.note == panel.sheet(LIGHT).note == "Not measured so far"
    assert shown(qtbot, SPECS["gradient_norm"], points(1)).note == ""


def test_all_active_units_are_in_sight(qtbot: QtBot) -> None:
    panel = shown(qtbot, SPECS["active_units"], points(3))
    low, high = panel.view.viewRange()[1]
    assert low < 0
    assert 2 < high < 2.5
    assert "held-out&nbsp;2" in legend(panel)


def test_fewer_runs_leave_no_curves_behind(qtbot: QtBot) -> None:
    foreign = (("other", "#d97706", points(2)),)
    panel = shown(qtbot, SPECS["kl"], points(3), foreign=foreign)
    assert len(panel.sheet(LIGHT).strokes) == 4
    panel.set_traces([Trace(HistoryTable(points(1)), SPECS["kl"].curves[0])], [])
    panel.refresh()
    assert len(panel.sheet(LIGHT).strokes) == 1
    drawn = [item.getOriginalDataset()[0] for item in panel.plot.getPlotItem().listDataItems()]
    assert sum(x is not None for x in drawn) == 1
    assert "other" not in legend(panel)


def test_zooming_shows_every_point_again(qtbot: QtBot) -> None:
    values = np.random.default_rng(0).normal(size=40_000)
    history = [HistoryPoint(k / 10, y, y, 0.0, y) for k, y in enumerate(values.tolist(), 1)]
    panel = shown(qtbot, SPECS["elbo"], history)
    panel.set_x_range(1_000.05, 1_010.05)
    drawn = panel.sheet(LIGHT).strokes[0].vertices
    np.testing.assert_array_equal(drawn.y, values[9_999:10_101])
