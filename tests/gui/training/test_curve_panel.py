import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from vae_explorer.gui.theme import DARK, LIGHT, Theme
from vae_explorer.gui.training.curve_panel import CurvePanel, Look, robust_range

X = np.linspace(0.0, 40.0, 601)
RISE = -133 - 407 * np.exp(-X / 0.8)


def test_the_first_steps_do_not_flatten_the_curve() -> None:
    limits = robust_range([(X, RISE)])
    assert limits is not None
    low, high = limits
    assert -140 < low < -133.5
    assert -133 < high < -132


def test_a_spike_and_a_nan_do_not_flatten_the_curve_either() -> None:
    y = RISE.copy()
    y[300], y[301], y[302] = -1e9, np.nan, np.inf
    limits = robust_range([(X, y)])
    assert limits is not None
    assert -145 < limits[0] < limits[1] < -130


def test_all_curves_fit() -> None:
    limits = robust_range([(X, RISE), (np.array([39.0, 40.0]), np.array([-150.0, -151.0]))])
    assert limits is not None
    assert limits[0] < -151
    assert limits[1] > -133


def test_a_million_values_are_thinned_not_lost() -> None:
    x = np.linspace(0, 1, 1_000_000)
    limits = robust_range([(x, np.sin(40 * x))])
    assert limits is not None
    np.testing.assert_allclose(limits, (-1.16, 1.16), atol=0.02)


@pytest.mark.parametrize("y", [[-133.0], [0.0], [-133.0, -133.0, -133.0]])
def test_a_flat_curve_has_a_range_around_it(y: list[float]) -> None:
    limits = robust_range([(np.arange(len(y), dtype=float), np.array(y))])
    assert limits is not None
    assert limits[0] < y[0] < limits[1]


@pytest.mark.parametrize("y", [[], [np.nan], [np.nan, np.inf]])
def test_nothing_finite_has_no_range(y: list[float]) -> None:
    assert robust_range([(np.arange(len(y), dtype=float), np.array(y, dtype=float))]) is None


@pytest.fixture
def panel(qtbot: QtBot) -> CurvePanel:
    panel = CurvePanel("ELBO", markers=True)
    qtbot.addWidget(panel)
    panel.set_theme(LIGHT, LIGHT.train, LIGHT.held_out)
    panel.resize(400, 300)
    with qtbot.waitExposed(panel):
        panel.show()
    panel.set_curves((X, RISE), (X[15::15], RISE[15::15]))
    panel.fit()
    return panel


def legend(panel: CurvePanel) -> str:
    return " ".join(label.text() for label in panel.findChildren(QLabel))


def test_curves_are_decimated_when_drawn(panel: CurvePanel) -> None:
    for curve in panel.plot.getPlotItem().listDataItems():
        assert curve.opts["autoDownsample"]
        assert curve.opts["downsampleMethod"] == "peak"
        assert curve.opts["clipToView"]
        assert curve.opts["pen"].width() == 1


def test_markers_go_when_they_would_touch(panel: CurvePanel) -> None:
    held_out = panel.plot.getPlotItem().listDataItems()[1]
    assert held_out.opts["symbol"] == "o"
    panel.set_curves((X, RISE), (X, RISE))
    assert held_out.opts["symbol"] is None


def test_held_out_is_dashed_where_it_has_no_markers(qtbot: QtBot) -> None:
    panel = CurvePanel("KL", markers=False)
    qtbot.addWidget(panel)
    panel.set_theme(DARK, DARK.kl, DARK.kl)
    train, held_out = panel.plot.getPlotItem().listDataItems()
    assert train.opts["pen"].style() == Qt.PenStyle.SolidLine
    assert held_out.opts["pen"].style() == Qt.PenStyle.DashLine
    assert train.opts["pen"].color().alpha() < held_out.opts["pen"].color().alpha()


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_colours_are_the_theme_s(panel: CurvePanel, theme: Theme) -> None:
    panel.set_theme(theme, theme.train, theme.held_out)
    train, held_out = panel.plot.getPlotItem().listDataItems()
    assert train.opts["pen"].color() == QColor(theme.train)
    assert held_out.opts["pen"].color() == QColor(theme.held_out)
    assert panel.plot.backgroundBrush().color() == QColor(theme.canvas)
    assert theme.train in legend(panel)
    assert theme.held_out in legend(panel)


def test_the_legend_reads_values(panel: CurvePanel) -> None:
    panel.set_values(-133.456, None)
    assert "train&nbsp;−133.46" in legend(panel)
    panel.set_values(-133.456, -136.0)
    assert "held-out&nbsp;−136.00" in legend(panel)


def test_more_curves_are_in_the_legend_while_they_have_points(qtbot: QtBot) -> None:
    panel = CurvePanel("ELBO", markers=True, more=(Look("log p(x)", "━◆", symbol="d"),))
    qtbot.addWidget(panel)
    panel.set_theme(LIGHT, LIGHT.train, LIGHT.held_out, LIGHT.log_likelihood)
    nothing = (X[:0], X[:0])
    panel.set_curves((X, RISE), (X[15::15], RISE[15::15]), nothing)
    panel.set_values(-134.0, -136.0, None)
    assert LIGHT.log_likelihood not in legend(panel)
    assert panel.legend_lines == 1
    panel.set_curves((X, RISE), (X[15::15], RISE[15::15]), (X[15::15], RISE[15::15] - 9))
    panel.set_values(-134.0, -136.0, -135.0)
    assert f"{LIGHT.log_likelihood}" in legend(panel)
    assert "log&nbsp;p(x)&nbsp;−135.00" in legend(panel)
    assert panel.legend_lines == 2
    item = panel.plot.getPlotItem().listDataItems()[2]
    assert item.opts["symbol"] == "d"
    assert item.opts["pen"].color() == QColor(LIGHT.log_likelihood)
    panel.fit()
    assert panel.plot.viewRange()[1][0] < -142  # it counts for the scale


def test_the_axes_are_named(panel: CurvePanel) -> None:
    item = panel.plot.getPlotItem()
    assert item.getAxis("left").labelText == "nats / image"
    assert item.getAxis("bottom").labelText == "epoch"
    panel.set_crosshair(3.4)
    assert item.getAxis("bottom").labelText == "epoch 3.40"
    panel.set_crosshair(None)
    assert item.getAxis("bottom").labelText == "epoch"


def test_a_hidden_epoch_axis_stays_hidden_under_the_crosshair(panel: CurvePanel) -> None:
    panel.set_epoch_axis_shown(False)
    panel.set_crosshair(3.4)
    assert not panel.plot.getPlotItem().getAxis("bottom").label.isVisible()


def test_a_low_panel_drops_the_name_of_its_y_axis_and_most_numbers(
    qtbot: QtBot, panel: CurvePanel
) -> None:
    label = panel.plot.getPlotItem().getAxis("left").label
    assert label.isVisible()
    panel.resize(400, 110)
    qtbot.waitUntil(lambda: not label.isVisible())
    panel.resize(400, 300)
    qtbot.waitUntil(label.isVisible)


def at(panel: CurvePanel, x: float) -> QPoint:
    """The pixel of the plot at epoch ``x``, halfway up."""
    view = panel.plot.getPlotItem().getViewBox()
    low, high = view.viewRange()[1]
    scene = view.mapViewToScene(QPointF(x, (low + high) / 2))
    point: QPoint = panel.plot.mapFromScene(scene)
    return point


def test_hovering_tells_the_epoch(qtbot: QtBot, panel: CurvePanel) -> None:
    heard: list[float | None] = []
    panel.hovered.connect(heard.append)
    panel.left.connect(lambda: heard.append(None))
    # Again and again, for pyqtgraph drops moves that follow too soon.
    qtbot.waitUntil(lambda: _move(qtbot, panel, at(panel, 20.0)) or len(heard) > 0)
    assert heard[0] == pytest.approx(20.0, abs=0.5)
    qtbot.waitUntil(lambda: _move(qtbot, panel, QPoint(1, 1)) or None in heard)


def _move(qtbot: QtBot, panel: CurvePanel, place: QPoint) -> bool:
    viewport = panel.plot.viewport()
    qtbot.mouseMove(viewport, place + QPoint(1, 0))
    qtbot.mouseMove(viewport, place)
    return False


def test_a_double_click_asks_to_fit(qtbot: QtBot, panel: CurvePanel) -> None:
    viewport, place = panel.plot.viewport(), at(panel, 20.0)
    with qtbot.waitSignal(panel.fit_requested):
        qtbot.mouseDClick(viewport, Qt.MouseButton.LeftButton, pos=place)
        qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=place)
