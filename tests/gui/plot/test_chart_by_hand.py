"""A chart under keys, pointer and wheel."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.support.charts import hover, shown
from vae_explorer.gui.plot.chart import Chart


def test_name_focus_and_arrow_keys(qtbot: QtBot) -> None:
    chart = shown(qtbot, Chart("A chart", movable=True))
    said = QAccessible.queryAccessibleInterface(chart)
    assert said.text(QAccessible.Text.Name) == "A chart"
    chart.set_title("Another")
    assert said.text(QAccessible.Text.Name) == "Another"
    chart.clearFocus()
    corner = chart.frame.topLeft().toPoint() + QPoint(40, 0)
    without = chart.grab().toImage().pixelColor(corner)
    chart.activateWindow()
    chart.setFocus()
    qtbot.waitUntil(chart.hasFocus)
    assert chart.grab().toImage().pixelColor(corner) != without
    steps: list[tuple[float, float]] = []
    chart.nudged.connect(lambda dx, dy: steps.append((dx, dy)))
    qtbot.keyClick(chart, Qt.Key.Key_Left)
    qtbot.keyClick(chart, Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClick(chart, Qt.Key.Key_Down, Qt.KeyboardModifier.ControlModifier)
    assert steps == [(-1, 0), (0, 10), (0, -0.1)]
    still = shown(qtbot, Chart("A chart"))
    assert still.focusPolicy() == Qt.FocusPolicy.NoFocus


def test_a_key_means_the_same_to_the_chart_and_to_shortcuts(qtbot: QtBot) -> None:
    chart = shown(qtbot, Chart("A chart", zoomable=True))
    chart.keys["["] = lambda: chart.set_range(0, 9, 0, 9)
    for key, text, ours in ((Qt.Key.Key_BracketLeft, "[", True), (Qt.Key.Key_Left, "", False)):
        event = QKeyEvent(QEvent.Type.ShortcutOverride, key, Qt.KeyboardModifier.NoModifier, text)
        event.ignore()
        QApplication.sendEvent(chart, event)
        assert event.isAccepted() == ours
        qtbot.keyClick(chart, key)
    assert chart.region == (0, 9, 0, 9)


def test_the_nearest_handle_is_dragged(qtbot: QtBot) -> None:
    chart = shown(qtbot, Chart())
    chart.set_handles([(0.2, 0.2), (0.8, 0.8)])
    seen: list[tuple[int, float, float]] = []
    chart.handle_dragged.connect(lambda *args: seen.append(args))
    start, end = chart.to_pixel(0.75, 0.8).toPoint(), chart.to_pixel(0.5, 0.5).toPoint()
    qtbot.mousePress(chart, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(chart, end)
    qtbot.mouseRelease(chart, Qt.MouseButton.LeftButton, pos=end)
    assert seen[0][0] == 1
    assert seen[0][1:] == pytest.approx((0.75, 0.8), abs=0.01)


def test_where_a_drag_moves_the_view_a_handle_is_held_as_it_is(qtbot: QtBot) -> None:
    chart = shown(qtbot, Chart(zoomable=True))
    chart.set_handles([(0.2, 0.2), (0.8, 0.8)], ".s")
    seen: list[tuple[int, float, float]] = []
    chart.handle_dragged.connect(lambda *args: seen.append(args))
    left, middle = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton
    near, far = (
        chart.to_pixel(0.8, 0.8).toPoint() + QPoint(5, 0),
        chart.to_pixel(0.5, 0.5).toPoint(),
    )
    for button, start, moved in ((left, near, False), (left, far, True), (middle, near, True)):
        chart.reset_view()
        region = chart.region
        qtbot.mousePress(chart, button, pos=start)
        qtbot.mouseMove(chart, start + QPoint(20, 0))
        qtbot.mouseRelease(chart, button, pos=start + QPoint(20, 0))
        assert (chart.region != region) == moved
    chart.reset_view()
    assert {handle for handle, _, _ in seen} == {1}
    assert chart.to_pixel(*seen[-1][1:]).x() == pytest.approx(chart.to_pixel(0.8, 0.8).x() + 20)
    hover(chart, near)
    assert chart.cursor().shape() == Qt.CursorShape.PointingHandCursor
    hover(chart, far)
    assert chart.cursor().shape() == Qt.CursorShape.ArrowCursor


def test_a_press_is_dragged_and_a_click_is_clicked(qtbot: QtBot) -> None:
    chart = shown(qtbot, Chart())
    dragged: list[tuple[float, float]] = []
    chart.dragged.connect(lambda *args: dragged.append(args))
    with qtbot.waitSignals([chart.pressed, chart.clicked, chart.released]):
        pos = chart.to_pixel(0.25, 0.5).toPoint()
        qtbot.mouseClick(chart, Qt.MouseButton.LeftButton, pos=pos)
    assert dragged[0] == pytest.approx((0.25, 0.5), abs=0.01)


def wheel(chart: Chart, at: QPointF, degrees: int) -> None:
    event = QWheelEvent(
        at, QPointF(chart.mapToGlobal(at.toPoint())), QPoint(), QPoint(0, 8 * degrees),
        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase,
        False,
    )  # fmt: skip
    QApplication.sendEvent(chart, event)


@pytest.mark.parametrize("log", [False, True])
def test_the_wheel_zooms_about_the_pointer_and_home_resets(qtbot: QtBot, log: bool) -> None:
    chart = shown(qtbot, Chart("A chart", "x", zoomable=True))
    chart.set_plot(replace(chart.plot, x=replace(chart.plot.x, log=log)))
    chart.set_range(1, 100, -1, 1)
    at = chart.to_pixel(10, 0.5)
    with qtbot.waitSignal(chart.view_changed):
        wheel(chart, at, 30)
    left, right, bottom, top = chart.region
    assert 1 < left < 10 < right < 100
    assert top - bottom < 2
    assert chart.to_pixel(10, 0.5).x() == pytest.approx(at.x())
    wheel(chart, QPointF(chart.frame.center().x(), chart.height() - 3.0), 30)
    assert chart.region[2:] == (bottom, top)  # over an axis, only along it
    with qtbot.waitSignal(chart.reset_requested):
        qtbot.keyClick(chart, Qt.Key.Key_Home)
    assert chart.region == (1, 100, -1, 1)
    qtbot.keyClicks(chart, "+")
    assert chart.region[1] < 100
    qtbot.mouseDClick(chart, Qt.MouseButton.LeftButton, pos=chart.rect().center())
    assert chart.region == (1, 100, -1, 1)


def test_a_drag_moves_the_view(qtbot: QtBot) -> None:
    chart = shown(qtbot, Chart("A chart", zoomable=True))
    chart.set_range(0, 10, 0, 10)
    start = chart.to_pixel(5, 5).toPoint()
    qtbot.mousePress(chart, Qt.MouseButton.LeftButton, pos=start)
    event_end = start + QPoint(40, 0)
    qtbot.mouseMove(chart, event_end)
    qtbot.mouseRelease(chart, Qt.MouseButton.LeftButton, pos=event_end)
    qtbot.waitUntil(lambda: chart.region[0] < 0)
    assert chart.region[2:] == (0, 10)
