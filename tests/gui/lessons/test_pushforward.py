from collections.abc import Callable
from typing import TypeVar

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QLineEdit, QSlider, QWidget
from pytestqt.qtbot import QtBot

from vae_explorer.gui.lessons.plane import Plane
from vae_explorer.gui.lessons.pushforward import PushforwardView
from vae_explorer.gui.theme import DARK, LIGHT
from vae_explorer.session.lessons.pushforward import Pushforward
from vae_explorer.session.lessons.workbench import Workbench

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def instrument(workbench: Workbench) -> Pushforward:
    return Pushforward(workbench)


@pytest.fixture
def view(qtbot: QtBot, instrument: Pushforward, settle: Callable[[], None]) -> PushforwardView:
    view = PushforwardView(instrument)
    qtbot.addWidget(view)
    view.set_theme(LIGHT)
    view.resize(630, 720)
    with qtbot.waitActive(view):
        view.show()
        view.activateWindow()
    instrument.show()
    settle()
    return view


def plane(view: QWidget, title: str) -> Plane:
    return next(one for one in view.findChildren(Plane) if one.accessibleName() == title)


W = TypeVar("W", bound=QWidget)


def named(view: QWidget, kind: type[W], name: str) -> W:
    return next(one for one in view.findChildren(kind) if one.accessibleName() == name)


def lightness(plane: Plane, x: float, y: float) -> int:
    QApplication.processEvents()
    at = plane.to_pixel(x, y).toPoint() + QPoint(0, 0)
    return plane.grab().toImage().pixelColor(at).lightness()


def test_dragging_follows_another_place(view: PushforwardView, instrument: Pushforward) -> None:
    before = plane(view, "z")
    QTest.mousePress(before, LEFT, pos=before.to_pixel(0.5, 0.5).toPoint())
    QTest.mouseMove(before, before.to_pixel(-1.0, 2.0).toPoint())
    QTest.mouseRelease(before, LEFT, pos=before.to_pixel(-1.0, 2.0).toPoint())
    assert instrument.z == pytest.approx((-1, 2), abs=0.03)
    before.setFocus()
    QTest.keyClick(before, Qt.Key.Key_Right)
    assert instrument.z == pytest.approx((-0.9, 2), abs=0.03)


def test_the_ring_has_a_hole_in_both_densities(
    view: PushforwardView, instrument: Pushforward, settle: Callable[[], None]
) -> None:
    combo = named(view, QComboBox, "Function")
    combo.setCurrentIndex(combo.findText("ring"))
    combo.activated.emit(combo.currentIndex())
    settle()
    assert instrument.function == "ring"
    for title in ("p(x), by the formula", "p(x), by samples"):
        shown = plane(view, title)
        assert lightness(shown, 0, 0.1) > 240
        assert lightness(shown, 0, 1.08) < 170
    assert named(view, QLineEdit, "Formula of x₁").text() == "z1/10 + z1/hypot(z1, z2)"


def test_the_slider_sets_t_and_shows_it(
    view: PushforwardView, instrument: Pushforward, settle: Callable[[], None]
) -> None:
    slider = view.findChildren(QSlider)[0]
    slider.setFocus()
    QTest.keyClick(slider, Qt.Key.Key_Home)
    settle()
    assert instrument.t == 0
    instrument.set_t(0.5)
    assert slider.value() == 50


def test_a_formula_is_typed_and_a_wrong_one_told(
    view: PushforwardView, instrument: Pushforward, settle: Callable[[], None]
) -> None:
    edit = named(view, QLineEdit, "Formula of x₁")
    told = named(view, QLabel, "What is wrong with the formula")
    edit.setFocus()
    edit.selectAll()
    QTest.keyClicks(edit, "z1 + z7")
    QTest.keyClick(edit, Qt.Key.Key_Return)
    settle()
    assert told.isVisible()
    assert "no 'z7'" in told.text()
    assert edit.text() == "z1 + z7"
    edit.selectAll()
    QTest.keyClicks(edit, "2*z1")
    QTest.keyClick(edit, Qt.Key.Key_Return)
    settle()
    assert told.isHidden()
    assert instrument.texts[0] == "2*z1"
    assert named(view, QComboBox, "Function").currentText() == "your own"


def test_controls_can_be_hidden(view: PushforwardView) -> None:
    view.set_hidden(view.controls)
    assert not any(control.isVisible() for control in view.controls.values())
    view.set_hidden(())
    assert all(control.isVisible() for control in view.controls.values())


def test_it_is_drawn_in_the_theme(view: PushforwardView) -> None:
    after = plane(view, "x = f(z)")
    corner = after.plot_rect().bottomLeft().toPoint() + QPoint(3, -3)
    assert after.grab().toImage().pixelColor(corner).lightness() > 200
    view.set_theme(DARK)
    QApplication.processEvents()
    assert after.grab().toImage().pixelColor(corner).lightness() < 60
