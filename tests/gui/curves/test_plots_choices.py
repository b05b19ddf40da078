from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication, QToolButton
from pytestqt.qtbot import QtBot

from tests.support.curves import (
    PER_EPOCH,
    epoch_label,
    full,
    grow,
    history,
    legend,
    legends,
    lines,
    panels,
    titles,
    view_range,
)
from tests.support.person import ShowTheme
from vae_explorer.gui.curves.curve_controls import RATE_DISTORTION, CurveChoices
from vae_explorer.gui.curves.curve_panel import CurvePanel
from vae_explorer.gui.curves.curve_table import Overlay
from vae_explorer.gui.curves.panel import Panel
from vae_explorer.gui.curves.plots import ElboPlot
from vae_explorer.gui.curves.rate_distortion import RateDistortionPanel
from vae_explorer.gui.curves.trace import TimeScale
from vae_explorer.gui.plot.marks import Level
from vae_explorer.gui.theme import DARK, LIGHT
from vae_explorer.session.training.run_history import RunHistory
from vae_explorer.training.history import from_csv


def test_more_panels_are_chosen_from_the_menu(qtbot: QtBot, plot: ElboPlot) -> None:
    plot.set_history(RunHistory(full(3)))
    assert titles(plot) == ["ELBO", "log p(x|z)", "KL"]
    wanted = {"active_units", "learning_rate", "gradient_norm", "beta", "samples", RATE_DISTORTION}
    plot.resize(1000, 700)
    plot.set_choices(CurveChoices(frozenset(wanted)))
    more = ["Active units", "Learning rate", "Gradient norm", "Rate–distortion"]
    assert titles(plot)[3:] == more  # β and the draws are one throughout
    plot.set_history(RunHistory(full(3, beta=2.0)))
    assert "β" in titles(plot)
    plot.set_history(RunHistory(history(2)))  # they stay, for whatever is shown next
    assert titles(plot)[3:] == more
    plot.set_choices(CurveChoices())
    assert titles(plot) == ["ELBO", "log p(x|z)", "KL"]


def test_a_person_s_choice_arrives(qtbot: QtBot, plot: ElboPlot) -> None:
    plot.set_history(RunHistory(full(3)))
    menus = {b.text(): b.menu() for b in plot.findChildren(QToolButton) if b.menu()}
    plot.resize(1000, 700)
    next(a for a in menus["Curves"].actions() if a.text() == "Gradient norm").trigger()
    next(a for a in menus["Axes"].actions() if a.text() == "Steps").trigger()
    assert titles(plot)[-1] == "Gradient norm"
    assert epoch_label(plot) == "steps"
    assert view_range(plot)[0][0] == pytest.approx(10)


def test_a_run_without_steps_is_shown_in_epochs_until_one_has_them(
    qtbot: QtBot, plot: ElboPlot
) -> None:
    plot.set_choices(CurveChoices(scale=TimeScale("seconds")))
    plot.set_history(RunHistory(history(3)))
    assert epoch_label(plot) == "epochs"
    plot.set_history(RunHistory(full(3)))
    assert epoch_label(plot) == "time (s)"
    grow(plot, [replace(history(4)[-1], seconds=None)])
    assert epoch_label(plot) == "epochs"
    assert view_range(plot)[0][1] < 5


def test_a_new_panel_shows_the_part_zoomed_into(qtbot: QtBot, plot: ElboPlot) -> None:
    plot.set_history(RunHistory(full(4)))
    plot.resize(1000, 700)
    panels(plot)[0].set_x_range(1, 2)
    panels(plot)[0].view_changed.emit()
    plot.set_choices(CurveChoices(frozenset({"gradient_norm"})))
    (new,) = [p for p in plot.findChildren(CurvePanel) if p.spec.id == "gradient_norm"]
    left, right, low, high = new.region
    assert (left, right) == pytest.approx((1, 2))
    assert low < 5.0 < high


def press(qtbot: QtBot, panel: Panel, x: float, y: float) -> None:
    qtbot.mouseClick(panel, Qt.MouseButton.LeftButton, pos=panel.to_pixel(x, y).toPoint())


@pytest.mark.parametrize(
    "scale", [TimeScale(), TimeScale("step"), TimeScale("seconds", log=True)], ids=str
)
def test_a_click_on_a_curve_chooses_its_moment(
    qtbot: QtBot, plot: ElboPlot, scale: TimeScale
) -> None:
    points = full(4)
    plot.set_history(RunHistory(points))
    plot.set_choices(CurveChoices(scale=scale))
    QApplication.processEvents()
    here = points[2 * PER_EPOCH + 4]
    time = {"epoch": here.epoch, "step": here.step, "seconds": here.seconds}[scale.unit]
    assert time is not None
    with qtbot.waitSignal(plot.moment_chosen) as chosen:
        press(qtbot, panels(plot)[2], time, here.kl)
    # Three reports lie within a pixel or two.
    assert chosen.args[0] == pytest.approx(here.epoch, abs=0.15)
    assert chosen.args[0] in [point.epoch for point in points]


def test_a_click_on_the_path_chooses_its_moment(qtbot: QtBot, plot: ElboPlot) -> None:
    points = full(4)
    plot.resize(1000, 700)
    plot.set_history(RunHistory(points))
    plot.set_choices(CurveChoices(frozenset({RATE_DISTORTION})))
    QApplication.processEvents()
    here = points[2 * PER_EPOCH - 1]
    (panel,) = plot.findChildren(RateDistortionPanel)
    with qtbot.waitSignal(plot.moment_chosen) as chosen:
        press(qtbot, panel, here.kl, -here.log_likelihood)
    assert chosen.args[0] == pytest.approx(2.0, abs=0.3)


def test_enter_chooses_the_point_read(qtbot: QtBot, plot: ElboPlot) -> None:
    points = full(2)
    plot.set_history(RunHistory(points))
    with qtbot.assertNotEmitted(plot.moment_chosen):
        qtbot.keyClick(plot, Qt.Key.Key_Return)
    qtbot.keyClick(plot, Qt.Key.Key_Left)
    with qtbot.waitSignal(plot.moment_chosen) as chosen:
        qtbot.keyClick(plot, Qt.Key.Key_Return)
    assert chosen.args == [points[-2].epoch]


def test_the_moment_shown_is_marked_in_whatever_unit(qtbot: QtBot, plot: ElboPlot) -> None:
    plot.set_history(RunHistory(full(4)))
    plot.set_moment(2.0)
    for scale, x in (
        (TimeScale(), 2.0),
        (TimeScale("step"), 300.0),
        (TimeScale("seconds", log=True), 15.0),
    ):
        plot.set_choices(CurveChoices(scale=scale))
        for panel in panels(plot):
            (mark,) = panel.plot.front
            assert isinstance(mark, Level)
            assert mark.value == pytest.approx(x)
    plot.set_moment(None)
    assert panels(plot)[0].plot.front == ()


def test_other_runs_are_drawn_in_all_panels(qtbot: QtBot, plot: ElboPlot) -> None:
    plot.set_history(RunHistory(full(3)))
    others = (
        Overlay("one", "#d97706", RunHistory(full(5, beta=4.0))),
        Overlay("another", "#0e7490", RunHistory(full(2))),
    )
    plot.resize(1000, 700)
    plot.set_choices(CurveChoices(frozenset({RATE_DISTORTION, "beta"}), smoothing=0.5))
    plot.set_overlays(others)
    assert "β" in titles(plot)
    for panel in plot.findChildren(Panel):
        drawn_colors = [line.color for line in lines(panel)]
        for overlay in others:
            assert overlay.name in legend(panel)
            assert overlay.color in drawn_colors
    plot.set_overlays(())
    assert "one" not in legends(plot)
    assert "#d97706" not in [line.color for line in lines(panels(plot)[0])]


def test_an_overlay_is_shown_without_a_run(qtbot: QtBot, plot: ElboPlot) -> None:
    plot.set_overlays((Overlay("one", "#d97706", RunHistory(full(5))),))
    assert titles(plot)
    assert [line.color for line in lines(panels(plot)[2])] == ["#d97706"] * 2
    left, right = view_range(plot)[0]
    assert right - left > 4


def test_what_is_exported_is_what_is_shown_on_white(
    qtbot: QtBot, plot: ElboPlot, show_theme: ShowTheme
) -> None:
    show_theme(DARK)
    plot.set_history(RunHistory(full(3)))
    image = QImage.fromData(plot.export("png"))
    assert image.pixelColor(1, 1) == QColor("white")
    said = plot.export("svg").decode()
    for text in ("ELBO", "log p(x|z)", "KL", "epochs", "nats / image"):
        assert text in said
    assert DARK.train not in said
    assert LIGHT.train in said
    assert plot.export("pdf").startswith(b"%PDF-")
    assert from_csv(plot.export("csv").decode()) == tuple(full(3))


def test_export_is_asked_for(qtbot: QtBot, plot: ElboPlot) -> None:
    plot.set_history(RunHistory(full(1)))
    button = next(b for b in plot.findChildren(QToolButton) if b.text() == "Export…")
    with qtbot.waitSignal(plot.export_requested):
        button.click()
    plot.set_history(RunHistory())
    assert not button.isEnabled()
