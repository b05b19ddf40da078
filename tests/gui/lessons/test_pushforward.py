from collections.abc import Callable
from typing import TypeVar

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QLineEdit, QSlider, QWidget

from tests.support.lessons import Shown
from vae_explorer.gui.lessons.plane import Plane
from vae_explorer.gui.lessons.pushforward import PushforwardView
from vae_explorer.session.lessons.context import LessonContext
from vae_explorer.session.lessons.pushforward import Pushforward

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def experiment(context: LessonContext) -> Pushforward:
    return Pushforward(context)


@pytest.fixture
def view(shown: Shown, experiment: Pushforward) -> PushforwardView:
    return shown(PushforwardView(experiment))


def plane(view: QWidget, title: str) -> Plane:
    return next(one for one in view.findChildren(Plane) if one.accessibleName() == title)


W = TypeVar("W", bound=QWidget)


def named(view: QWidget, kind: type[W], name: str) -> W:
    return next(one for one in view.findChildren(kind) if one.accessibleName() == name)


def editor(view: PushforwardView, kind: type[W], name: str) -> W:
    found = view.form.editor(name)
    assert isinstance(found, kind)
    return found


def lightness(plane: Plane, x: float, y: float) -> int:
    QApplication.processEvents()
    at = plane.to_pixel(x, y).toPoint() + QPoint(0, 0)
    return plane.grab().toImage().pixelColor(at).lightness()


def test_dragging_follows_another_place(view: PushforwardView, experiment: Pushforward) -> None:
    before = plane(view, "z")
    QTest.mousePress(before, LEFT, pos=before.to_pixel(0.5, 0.5).toPoint())
    QTest.mouseMove(before, before.to_pixel(-1.0, 2.0).toPoint())
    QTest.mouseRelease(before, LEFT, pos=before.to_pixel(-1.0, 2.0).toPoint())
    assert experiment.settings.z == pytest.approx((-1, 2), abs=0.03)
    before.setFocus()
    QTest.keyClick(before, Qt.Key.Key_Right)
    assert experiment.settings.z == pytest.approx((-0.9, 2), abs=0.03)


def test_the_ring_has_a_hole_in_both_densities(
    view: PushforwardView, experiment: Pushforward, settle: Callable[[], None]
) -> None:
    combo = editor(view, QComboBox, "function")
    combo.setCurrentIndex(combo.findText("ring"))
    combo.activated.emit(combo.currentIndex())
    settle()
    assert experiment.settings.function == "ring"
    for title in ("p(x), by the formula", "p(x), by samples"):
        shown = plane(view, title)
        assert lightness(shown, 0, 0.1) > 240
        assert lightness(shown, 0, 1.08) < 170
    assert editor(view, QLineEdit, "x1").text() == "z1/10 + z1/hypot(z1, z2)"


def test_the_slider_sets_t_and_shows_it(
    view: PushforwardView, experiment: Pushforward, settle: Callable[[], None]
) -> None:
    slider = view.findChildren(QSlider)[0]
    slider.setFocus()
    QTest.keyClick(slider, Qt.Key.Key_Home)
    settle()
    assert experiment.settings.t == 0
    experiment.set(t=0.5)
    assert slider.value() == 50


def test_a_formula_is_typed_and_a_wrong_one_told(
    view: PushforwardView, experiment: Pushforward, settle: Callable[[], None]
) -> None:
    edit = editor(view, QLineEdit, "x1")
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
    assert experiment.settings.x1 == "2*z1"
    assert editor(view, QComboBox, "function").currentText() == "your own"
