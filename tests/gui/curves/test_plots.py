from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QColor, QImage, QPalette
from PySide6.QtWidgets import QApplication, QLabel, QToolButton
from pytestqt.qtbot import QtBot

from tests.support.person import ShowTheme
from tests.support.widgets import expose
from vae_explorer.gui.curves.curve_controls import RATE_DISTORTION, CurveChoices
from vae_explorer.gui.curves.curve_panel import CurvePanel
from vae_explorer.gui.curves.curve_table import Overlay
from vae_explorer.gui.curves.panel import Panel
from vae_explorer.gui.curves.plots import ElboPlot
from vae_explorer.gui.curves.rate_distortion import RateDistortionPanel
from vae_explorer.gui.curves.trace import TimeScale
from vae_explorer.gui.plot.marks import Level, Line
from vae_explorer.gui.theme import DARK, LIGHT
from vae_explorer.training.history import HistoryPoint, from_csv
from vae_explorer.types import Float64

PER_EPOCH = 15


def history(epochs: int, start: int = 0, objective: str = "elbo") -> list[HistoryPoint]:
    """As of a run; with "iwae" the objective is its own, and log p(x) is known."""
    points = []
    own = 1.0 if objective == "iwae" else 0.0
    for step in range(start * PER_EPOCH + 1, (start + epochs) * PER_EPOCH + 1):
        epoch = step / PER_EPOCH
        kl = 7 - 6 * np.exp(-epoch)
        elbo = -133 - 407 * np.exp(-epoch / 0.8)
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


def titles(plot: ElboPlot) -> list[str]:
    return [panel.plot.title for panel in plot.findChildren(Panel) if panel.isVisible()]


@pytest.fixture
def plot(qtbot: QtBot) -> ElboPlot:
    return expose(qtbot, ElboPlot(), 340, 400)


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


def test_it_says_what_to_do_before_there_is_anything(qtbot: QtBot, plot: ElboPlot) -> None:
    empty = next(x for x in plot.findChildren(QLabel) if x.text() == "No training yet: press Start")
    assert empty.isVisible()
    plot.append(history(1))
    assert not empty.isVisible()
    plot.set_history(())
    assert empty.isVisible()
    wait_drawn(qtbot, plot, [])


def test_a_history_is_drawn_as_it_is(qtbot: QtBot, plot: ElboPlot) -> None:
    points = history(3)
    plot.set_history(points)
    wait_drawn(qtbot, plot, points)


def test_an_objective_of_its_own_and_the_exact_figure_come_and_go(
    qtbot: QtBot, plot: ElboPlot
) -> None:
    points = history(3, objective="iwae")
    plot.set_history(points)
    wait_drawn(qtbot, plot, points)
    for name in ("objective", "log p(x) −", "gap 1.00"):
        assert name in legends(plot)
    plot.set_history(history(3))
    wait_drawn(qtbot, plot, history(3))
    for name in ("objective", "log p(x) −", "gap 1.00"):
        assert name not in legends(plot)


def test_they_are_read_too(qtbot: QtBot, plot: ElboPlot) -> None:
    points = history(3, objective="iwae")
    plot.set_history(points)
    wait_drawn(qtbot, plot, points)
    for _ in range(2):
        qtbot.keyClick(plot, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    here, measured = points[-21], points[PER_EPOCH - 1].held_out_log_marginal
    assert measured is not None
    assert f"objective −{-here.objective:.2f}" in legends(plot)
    assert f"log p(x) −{-measured:.2f}" in legends(plot)
    for _ in range(2):
        qtbot.keyClick(plot, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert "log p(x) −" not in legends(plot)  # nothing was measured by then


@pytest.mark.parametrize("size", [(340, 400), (340, 250), (200, 120), (900, 220)])
def test_a_longer_legend_has_its_room(qtbot: QtBot, plot: ElboPlot, size: tuple[int, int]) -> None:
    points = history(3, objective="iwae")
    plot.resize(*size)
    plot.set_history(points)
    qtbot.waitUntil(lambda: plot.up_to_date)
    QApplication.processEvents()
    for panel in panels(plot):
        if panel.isVisible():
            assert panel.height() >= panel.minimumSizeHint().height()


def test_portions_add_up(qtbot: QtBot, plot: ElboPlot) -> None:
    points = history(3)
    for start in range(0, len(points), 4):
        plot.append(points[start : start + 4])
    wait_drawn(qtbot, plot, points)


def test_a_new_history_replaces_the_old(qtbot: QtBot, plot: ElboPlot) -> None:
    plot.set_history(history(5))
    points = history(2)
    plot.set_history(points)
    wait_drawn(qtbot, plot, points)


def test_no_held_out_figures_draw_no_held_out_curve(qtbot: QtBot, plot: ElboPlot) -> None:
    points = history(1)[:-1]
    plot.set_history(points)
    wait_drawn(qtbot, plot, points)
    assert [curve.shape[1] for curve in drawn(plot)] == [14, 14, 14]


def test_a_diverged_run_is_no_accident(qtbot: QtBot, plot: ElboPlot) -> None:
    nan = float("nan")
    points = [*history(1), HistoryPoint(1.1, nan, nan, nan, nan)]
    plot.set_history(points)
    qtbot.waitUntil(lambda: plot.up_to_date)
    assert np.isfinite(view_range(plot)).all()


def test_nothing_is_drawn_while_hidden_and_all_of_it_when_shown(
    qtbot: QtBot, plot: ElboPlot
) -> None:
    plot.set_history(history(1))
    wait_drawn(qtbot, plot, history(1))
    plot.hide()
    plot.append(history(1, start=1))
    assert drawn(plot)[0].shape[1] == PER_EPOCH
    plot.show()
    wait_drawn(qtbot, plot, history(2))


def test_the_view_follows_the_run(qtbot: QtBot, plot: ElboPlot) -> None:
    plot.set_history(history(2))
    wait_drawn(qtbot, plot, history(2))
    plot.append(history(18, start=2))
    wait_drawn(qtbot, plot, history(20))
    (left, right), (low, high) = view_range(plot)
    assert left == pytest.approx(1 / PER_EPOCH)
    assert 20 <= right <= 2.5 * 20  # the axis grows in steps
    plot.fit()
    (left, right), (low, high) = view_range(plot)
    assert right == pytest.approx(20, rel=0.05)
    assert -180 < low < -135  # not −540
    assert -134 < high < -120


def test_the_panels_share_their_epochs(qtbot: QtBot, plot: ElboPlot) -> None:
    plot.set_history(history(4))
    wait_drawn(qtbot, plot, history(4))
    for number, epochs in enumerate([(1, 2), (1.5, 3), (0, 4)]):
        panels(plot)[number].set_x_range(*epochs)
        panels(plot)[number].view_changed.emit()
        for panel in range(3):
            assert view_range(plot, panel)[0] == pytest.approx(epochs)


@pytest.mark.parametrize("way", ["double click", "home"])
def test_a_zoomed_view_stays_until_it_is_reset(qtbot: QtBot, plot: ElboPlot, way: str) -> None:
    plot.set_history(history(4))
    wait_drawn(qtbot, plot, history(4))
    panel = panels(plot)[0]
    panel.set_range(1, 2, -200, -150)
    panel.view_changed.emit()
    zoomed = view_range(plot)
    plot.append(history(4, start=4))
    qtbot.waitUntil(lambda: plot.up_to_date)
    assert view_range(plot) == zoomed
    if way == "home":
        qtbot.keyClick(plot, Qt.Key.Key_Home)
    else:
        qtbot.mouseDClick(panel, Qt.MouseButton.LeftButton, pos=panel.rect().center())
    qtbot.waitUntil(lambda: view_range(plot)[0][1] > 8)
    plot.append(history(2, start=8))
    qtbot.waitUntil(lambda: view_range(plot)[0][1] > 10)


def test_legends_read_the_newest_point(qtbot: QtBot, plot: ElboPlot) -> None:
    points = history(3)
    plot.set_history(points[:-1])
    wait_drawn(qtbot, plot, points[:-1])
    text = legends(plot)
    for value in (points[-2].elbo, points[-2].log_likelihood, points[-2].kl):
        assert f"train {value:.2f}".replace("-", "−") in text
    at_two = points[2 * PER_EPOCH - 1].held_out_elbo
    assert at_two is not None
    assert f"held-out −{-at_two:.2f}" in text


def test_hovering_reads_the_nearest_point_until_the_pointer_goes(
    qtbot: QtBot, plot: ElboPlot
) -> None:
    points = history(4)
    plot.set_history(points)
    wait_drawn(qtbot, plot, points)
    panel = panels(plot)[1]
    near = min(points, key=lambda p: abs(p.epoch - 2.0))
    panel.hovered.emit(2.001, -140.0)
    assert epoch_label(plot) == f"epoch {near.epoch:.2f}"
    assert f"{near.elbo:.2f}".replace("-", "−") in legends(plot)
    panel.left.emit()
    assert epoch_label(plot) == "epochs"
    assert f"{points[-1].elbo:.2f}".replace("-", "−") in legends(plot)


def test_arrow_keys_read_points(qtbot: QtBot, plot: ElboPlot) -> None:
    points = history(4)
    plot.set_history(points)
    wait_drawn(qtbot, plot, points)
    qtbot.keyClick(plot, Qt.Key.Key_Left)
    assert epoch_label(plot) == f"epoch {points[-2].epoch:.2f}"
    qtbot.keyClick(plot, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert epoch_label(plot) == f"epoch {points[-12].epoch:.2f}"
    qtbot.keyClick(plot, Qt.Key.Key_Right)
    assert epoch_label(plot) == f"epoch {points[-11].epoch:.2f}"
    for _ in range(10):
        qtbot.keyClick(plot, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert epoch_label(plot) == f"epoch {points[0].epoch:.2f}"
    assert f"{points[0].elbo:.2f}".replace("-", "−") in legends(plot)
    assert "held-out −" not in legends(plot)  # nothing was measured by then
    qtbot.keyClick(plot, Qt.Key.Key_Escape)
    assert epoch_label(plot) == "epochs"


def test_keys_do_no_harm_without_points(qtbot: QtBot, plot: ElboPlot) -> None:
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_Escape):
        qtbot.keyClick(plot, key)
    assert epoch_label(plot) == "epochs"


def test_the_keyboard_s_place_is_visible_and_named(
    qtbot: QtBot, plot: ElboPlot, show_theme: ShowTheme
) -> None:
    show_theme(DARK)
    plot.clearFocus()
    without = plot.grab().toImage().pixelColor(1, 1)
    plot.activateWindow()
    plot.setFocus()
    qtbot.waitUntil(plot.hasFocus)
    assert plot.grab().toImage().pixelColor(1, 1) == QColor(DARK.accent) != without
    said = QAccessible.queryAccessibleInterface(plot)
    assert said.text(QAccessible.Text.Name) == "Training curves"


def test_panels_stand_side_by_side_in_a_wide_space(qtbot: QtBot, plot: ElboPlot) -> None:
    three = panels(plot)
    plot.set_history(history(1))
    qtbot.waitUntil(lambda: three[0].y() < three[1].y() < three[2].y())
    assert len({panel.x() for panel in three}) == 1
    plot.resize(900, 220)
    qtbot.waitUntil(lambda: three[0].x() < three[1].x() < three[2].x())
    assert len({panel.y() for panel in three}) == 1


def test_a_small_space_shows_the_elbo_alone(qtbot: QtBot, plot: ElboPlot) -> None:
    elbo, log_likelihood, kl = panels(plot)
    plot.set_history(history(1))
    qtbot.waitUntil(kl.isVisible)
    plot.resize(340, 150)
    qtbot.waitUntil(lambda: not kl.isVisible())
    assert elbo.isVisible()
    assert not log_likelihood.isVisible()
    plot.append(history(1, start=1))
    qtbot.waitUntil(lambda: 2.0 <= view_range(plot)[0][1] <= 5.0)
    assert elbo.plot.x.numbers
    plot.resize(340, 400)
    qtbot.waitUntil(kl.isVisible)
    assert not elbo.plot.x.numbers


def test_it_takes_the_theme(plot: ElboPlot, show_theme: ShowTheme) -> None:
    show_theme(DARK)
    assert plot.palette().color(QPalette.ColorRole.Window) == QColor(DARK.canvas)


def test_more_panels_are_chosen_from_the_menu(qtbot: QtBot, plot: ElboPlot) -> None:
    plot.set_history(full(3))
    assert titles(plot) == ["ELBO", "log p(x|z)", "KL"]
    wanted = {"active_units", "learning_rate", "gradient_norm", "beta", "samples", RATE_DISTORTION}
    plot.resize(1000, 700)
    plot.set_choices(CurveChoices(frozenset(wanted)))
    more = ["Active units", "Learning rate", "Gradient norm", "Rate–distortion"]
    assert titles(plot)[3:] == more  # β and the draws are one throughout
    plot.set_history(full(3, beta=2.0))
    assert "β" in titles(plot)
    plot.set_history(history(2))  # they stay, for whatever is shown next
    assert titles(plot)[3:] == more
    plot.set_choices(CurveChoices())
    assert titles(plot) == ["ELBO", "log p(x|z)", "KL"]


def test_a_person_s_choice_arrives(qtbot: QtBot, plot: ElboPlot) -> None:
    plot.set_history(full(3))
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
    plot.set_history(history(3))
    assert epoch_label(plot) == "epochs"
    plot.set_history(full(3))
    assert epoch_label(plot) == "time (s)"
    plot.append([replace(history(4)[-1], seconds=None)])
    assert epoch_label(plot) == "epochs"
    assert view_range(plot)[0][1] < 5


def test_a_new_panel_shows_the_part_zoomed_into(qtbot: QtBot, plot: ElboPlot) -> None:
    plot.set_history(full(4))
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
    plot.set_history(points)
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
    plot.set_history(points)
    plot.set_choices(CurveChoices(frozenset({RATE_DISTORTION})))
    QApplication.processEvents()
    here = points[2 * PER_EPOCH - 1]
    (panel,) = plot.findChildren(RateDistortionPanel)
    with qtbot.waitSignal(plot.moment_chosen) as chosen:
        press(qtbot, panel, here.kl, -here.log_likelihood)
    assert chosen.args[0] == pytest.approx(2.0, abs=0.3)


def test_enter_chooses_the_point_read(qtbot: QtBot, plot: ElboPlot) -> None:
    points = full(2)
    plot.set_history(points)
    with qtbot.assertNotEmitted(plot.moment_chosen):
        qtbot.keyClick(plot, Qt.Key.Key_Return)
    qtbot.keyClick(plot, Qt.Key.Key_Left)
    with qtbot.waitSignal(plot.moment_chosen) as chosen:
        qtbot.keyClick(plot, Qt.Key.Key_Return)
    assert chosen.args == [points[-2].epoch]


def test_the_moment_shown_is_marked_in_whatever_unit(qtbot: QtBot, plot: ElboPlot) -> None:
    plot.set_history(full(4))
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
    plot.set_history(full(3))
    others = (
        Overlay("one", "#d97706", full(5, beta=4.0)),
        Overlay("another", "#0e7490", full(2)),
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
    plot.set_overlays((Overlay("one", "#d97706", full(5)),))
    assert titles(plot)
    assert [line.color for line in lines(panels(plot)[2])] == ["#d97706"] * 2
    left, right = view_range(plot)[0]
    assert right - left > 4


def test_what_is_exported_is_what_is_shown_on_white(
    qtbot: QtBot, plot: ElboPlot, show_theme: ShowTheme
) -> None:
    show_theme(DARK)
    plot.set_history(full(3))
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
    plot.set_history(full(1))
    button = next(b for b in plot.findChildren(QToolButton) if b.text() == "Export…")
    with qtbot.waitSignal(plot.export_requested):
        button.click()
    plot.set_history(())
    assert not button.isEnabled()
