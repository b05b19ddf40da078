import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QColor
from PySide6.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from tests.support.curves import (
    PER_EPOCH,
    drawn,
    epoch_label,
    grow,
    history,
    legends,
    panels,
    view_range,
    wait_drawn,
)
from tests.support.person import ShowTheme
from vae_explorer.gui.curves.plots import ElboPlot
from vae_explorer.gui.theme import DARK
from vae_explorer.session.training import run_history
from vae_explorer.session.training.run_history import RunHistory
from vae_explorer.training.history import HistoryPoint


def test_it_says_what_to_do_before_there_is_anything(qtbot: QtBot, plot: ElboPlot) -> None:
    empty = next(
        x for x in plot.findChildren(QLabel) if x.text().startswith("The ELBO and its two terms")
    )
    assert empty.isVisible()
    grow(plot, history(1))
    assert not empty.isVisible()
    plot.set_history(RunHistory())
    assert empty.isVisible()
    start = next(b for b in plot.findChildren(QPushButton) if b.text() == "Start")
    with qtbot.waitSignal(plot.start_requested):
        start.click()
    plot.set_running(True)
    assert empty.text() == "The first values come after some steps"
    assert not start.isVisible()
    plot.set_running(False)
    assert start.isVisible()
    wait_drawn(qtbot, plot, [])


def test_an_objective_of_its_own_and_the_exact_figure_come_and_go(
    qtbot: QtBot, plot: ElboPlot
) -> None:
    points = history(3, objective="iwae")
    plot.set_history(RunHistory(points))
    wait_drawn(qtbot, plot, points)
    for name in ("objective", "log p(x) −", "gap 1.00"):
        assert name in legends(plot)
    plot.set_history(RunHistory(history(3)))
    wait_drawn(qtbot, plot, history(3))
    for name in ("objective", "log p(x) −", "gap 1.00"):
        assert name not in legends(plot)


def test_they_are_read_too(qtbot: QtBot, plot: ElboPlot) -> None:
    points = history(3, objective="iwae")
    plot.set_history(RunHistory(points))
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
    plot.set_history(RunHistory(points))
    qtbot.waitUntil(lambda: plot.up_to_date)
    QApplication.processEvents()
    for panel in panels(plot):
        if panel.isVisible():
            assert panel.height() >= panel.minimumSizeHint().height()


def test_portions_add_up(qtbot: QtBot, plot: ElboPlot) -> None:
    points = history(3)
    for start in range(0, len(points), 4):
        grow(plot, points[start : start + 4])
    wait_drawn(qtbot, plot, points)


def test_a_new_history_replaces_the_old(qtbot: QtBot, plot: ElboPlot) -> None:
    plot.set_history(RunHistory(history(5)))
    points = history(2)
    plot.set_history(RunHistory(points))
    wait_drawn(qtbot, plot, points)


def test_no_held_out_figures_draw_no_held_out_curve(qtbot: QtBot, plot: ElboPlot) -> None:
    points = history(1)[:-1]
    plot.set_history(RunHistory(points))
    wait_drawn(qtbot, plot, points)
    assert [curve.shape[1] for curve in drawn(plot)] == [14, 14, 14]


def test_a_diverged_run_is_no_accident(qtbot: QtBot, plot: ElboPlot) -> None:
    nan = float("nan")
    points = [*history(1), HistoryPoint(1.1, nan, nan, nan, nan)]
    plot.set_history(RunHistory(points))
    qtbot.waitUntil(lambda: plot.up_to_date)
    assert np.isfinite(view_range(plot)).all()


def test_nothing_is_drawn_while_hidden_and_all_of_it_when_shown(
    qtbot: QtBot, plot: ElboPlot
) -> None:
    plot.set_history(RunHistory(history(1)))
    wait_drawn(qtbot, plot, history(1))
    plot.hide()
    grow(plot, history(1, start=1))
    assert drawn(plot)[0].shape[1] == PER_EPOCH
    plot.show()
    wait_drawn(qtbot, plot, history(2))


def test_the_view_follows_the_run(qtbot: QtBot, plot: ElboPlot) -> None:
    plot.set_history(RunHistory(history(2)))
    wait_drawn(qtbot, plot, history(2))
    grow(plot, history(18, start=2))
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
    plot.set_history(RunHistory(history(4)))
    wait_drawn(qtbot, plot, history(4))
    for number, epochs in enumerate([(1, 2), (1.5, 3), (0, 4)]):
        panels(plot)[number].set_x_range(*epochs)
        panels(plot)[number].view_changed.emit()
        for panel in range(3):
            assert view_range(plot, panel)[0] == pytest.approx(epochs)


@pytest.mark.parametrize("way", ["double click", "home"])
def test_a_zoomed_view_stays_until_it_is_reset(qtbot: QtBot, plot: ElboPlot, way: str) -> None:
    plot.set_history(RunHistory(history(4)))
    wait_drawn(qtbot, plot, history(4))
    panel = panels(plot)[0]
    panel.set_range(1, 2, -200, -150)
    panel.view_changed.emit()
    zoomed = view_range(plot)
    grow(plot, history(4, start=4))
    qtbot.waitUntil(lambda: plot.up_to_date)
    assert view_range(plot) == zoomed
    if way == "home":
        qtbot.keyClick(plot, Qt.Key.Key_Home)
    else:
        qtbot.mouseDClick(panel, Qt.MouseButton.LeftButton, pos=panel.rect().center())
    qtbot.waitUntil(lambda: view_range(plot)[0][1] > 8)
    grow(plot, history(2, start=8))
    qtbot.waitUntil(lambda: view_range(plot)[0][1] > 10)


def test_a_reading_of_what_was_thinned_away_ends(
    qtbot: QtBot, plot: ElboPlot, monkeypatch: pytest.MonkeyPatch
) -> None:
    plot.set_history(RunHistory(history(2)))
    wait_drawn(qtbot, plot, history(2))
    qtbot.keyClick(plot, Qt.Key.Key_Left)
    assert epoch_label(plot) == "epoch 1.93"
    monkeypatch.setattr(run_history, "LONGEST_HISTORY", 2 * PER_EPOCH)
    grow(plot, history(1, start=2)[:1])
    assert epoch_label(plot) == "epochs"
    assert len(plot.history) < 2 * PER_EPOCH
    wait_drawn(qtbot, plot, list(plot.history.points))


def test_legends_read_the_newest_point(qtbot: QtBot, plot: ElboPlot) -> None:
    points = history(3)
    plot.set_history(RunHistory(points[:-1]))
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
    plot.set_history(RunHistory(points))
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
    plot.set_history(RunHistory(points))
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
    plot.set_history(RunHistory(history(1)))
    qtbot.waitUntil(lambda: three[0].y() < three[1].y() < three[2].y())
    assert len({panel.x() for panel in three}) == 1
    plot.resize(900, 220)
    qtbot.waitUntil(lambda: three[0].x() < three[1].x() < three[2].x())
    assert len({panel.y() for panel in three}) == 1


def test_a_small_space_shows_the_elbo_alone(qtbot: QtBot, plot: ElboPlot) -> None:
    elbo, log_likelihood, kl = panels(plot)
    plot.set_history(RunHistory(history(1)))
    qtbot.waitUntil(kl.isVisible)
    plot.resize(340, 150)
    qtbot.waitUntil(lambda: not kl.isVisible())
    assert elbo.isVisible()
    assert not log_likelihood.isVisible()
    grow(plot, history(1, start=1))
    qtbot.waitUntil(lambda: 2.0 <= view_range(plot)[0][1] <= 5.0)
    assert elbo.plot.x.numbers
    plot.resize(340, 400)
    qtbot.waitUntil(kl.isVisible)
    assert not elbo.plot.x.numbers
