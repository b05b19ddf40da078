from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from vae_explorer.gui.map.legend import Legend, LegendButton
from vae_explorer.gui.theme import CLASS_COLORS, DARK, LIGHT, Theme

LEFT = Qt.MouseButton.LeftButton
ALL = frozenset({0, 1, 2, 11})


@pytest.fixture
def legend(qtbot: QtBot) -> Legend:
    widget = Legend()
    qtbot.addWidget(widget)
    widget.set_counts({0: 5_923, 1: 6_742, 2: 10, 11: 1})
    widget.resize(widget.width(), 300)
    with qtbot.waitExposed(widget):
        widget.show()
    return widget


@pytest.fixture
def said(legend: Legend) -> list[frozenset[int]]:
    said: list[frozenset[int]] = []
    legend.visible_changed.connect(said.append)
    return said


def button(legend: Legend, label: int) -> LegendButton:
    return next(b for b in legend.findChildren(LegendButton) if b.label == label)


def double_click(qtbot: QtBot, target: LegendButton) -> None:
    at = QPoint(10, 8)
    qtbot.mouseClick(target, LEFT, pos=at)
    qtbot.mouseDClick(target, LEFT, pos=at)


def test_all_classes_show_at_first_with_their_counts(legend: Legend) -> None:
    assert legend.labels() == legend.visible_labels() == ALL
    assert button(legend, 0).accessibleName() == "Class 0, 5,923 points"


def test_a_click_toggles(qtbot: QtBot, legend: Legend, said: list[frozenset[int]]) -> None:
    qtbot.mouseClick(button(legend, 1), LEFT)
    qtbot.mouseClick(button(legend, 1), LEFT)
    assert said == [ALL - {1}, ALL]


def test_the_keyboard_toggles_and_isolates(
    qtbot: QtBot, legend: Legend, said: list[frozenset[int]]
) -> None:
    target = button(legend, 2)
    assert target.focusPolicy() == Qt.FocusPolicy.StrongFocus
    qtbot.keyClick(target, Qt.Key.Key_Space)
    qtbot.keyClick(target, Qt.Key.Key_Return)
    qtbot.keyClick(target, Qt.Key.Key_Return)
    assert said == [ALL - {2}, frozenset({2}), ALL]


def test_a_double_click_isolates_and_the_next_restores(
    qtbot: QtBot, legend: Legend, said: list[frozenset[int]]
) -> None:
    double_click(qtbot, button(legend, 1))
    assert said[-1] == legend.visible_labels() == frozenset({1})
    double_click(qtbot, button(legend, 1))
    assert said[-1] == legend.visible_labels() == ALL


def test_a_hidden_class_can_be_isolated(
    qtbot: QtBot, legend: Legend, said: list[frozenset[int]]
) -> None:
    legend.set_visible_labels(ALL - {2})
    double_click(qtbot, button(legend, 2))
    assert said[-1] == frozenset({2})


def test_setting_says_nothing(legend: Legend, said: list[frozenset[int]]) -> None:
    legend.set_visible_labels(frozenset({0, 99}))
    assert legend.visible_labels() == frozenset({0})
    legend.set_counts({3: 4})
    assert legend.visible_labels() == legend.labels() == frozenset({3})
    legend.set_counts({})
    assert legend.width() == 0
    assert said == []


def test_a_hidden_class_and_a_theme_look_different(
    legend: Legend, show_theme: Callable[[Theme], None]
) -> None:
    shown = legend.grab().toImage()
    legend.set_visible_labels(ALL - {0})
    hidden = legend.grab().toImage()
    assert hidden != shown
    show_theme(DARK)
    assert legend.grab().toImage() != hidden


def test_focus_is_visible(qtbot: QtBot, legend: Legend) -> None:
    target = button(legend, 1)
    target.clearFocus()
    before = target.grab().toImage()
    target.setFocus()
    qtbot.waitUntil(target.hasFocus)
    assert target.grab().toImage() != before


def test_a_shift_click_asks_to_select_and_toggles_nothing(
    qtbot: QtBot, legend: Legend, said: list[frozenset[int]]
) -> None:
    asked: list[tuple[int, bool]] = []
    legend.select_asked.connect(lambda *asking: asked.append(asking))
    shift, ctrl = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
    qtbot.mousePress(button(legend, 1), LEFT, shift)
    qtbot.mouseDClick(button(legend, 1), LEFT, shift)
    qtbot.mousePress(button(legend, 2), LEFT, shift | ctrl)
    assert asked == [(1, False), (2, True)]
    assert said == []
    assert legend.visible_labels() == ALL


def test_swatches_are_grey_while_colours_mean_something_else(legend: Legend) -> None:
    def swatch(label: int) -> str:
        target = button(legend, label)
        return target.grab().toImage().pixelColor(12, target.height() // 2).name()

    blue, orange = (QColor(*CLASS_COLORS[label].tolist()).name() for label in (0, 1))
    assert (swatch(0), swatch(1)) == (blue, orange)
    legend.set_colored(False)
    assert swatch(0) == swatch(1) == LIGHT.muted
    legend.set_counts({1: 2})
    assert swatch(1) == LIGHT.muted, "of other points too"
    legend.set_colored(True)
    assert swatch(1) == orange


def test_many_classes_scroll(legend: Legend) -> None:
    legend.set_counts(dict.fromkeys(range(47), 100))
    legend.widget().adjustSize()
    assert legend.widget().sizeHint().height() > legend.height()
    assert len(legend.findChildren(LegendButton)) >= 47


def test_a_scroll_bar_has_room_of_its_own(qtbot: QtBot, legend: Legend) -> None:
    legend.resize(legend.width(), 400)
    legend.show()
    wide = legend.width()
    legend.resize(legend.width(), 100)
    qtbot.waitUntil(lambda: legend.verticalScrollBar().isVisible())
    qtbot.waitUntil(lambda: legend.width() == wide + legend.verticalScrollBar().width())
    assert legend.viewport().width() == wide
    legend.resize(legend.width(), 400)
    qtbot.waitUntil(lambda: legend.width() == wide)
