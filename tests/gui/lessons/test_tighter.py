"""The view on a real instrument: what it shows, and what hand and keys do."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QPushButton, QSlider, QSpinBox
from pytestqt.qtbot import QtBot

from vae_explorer.gui.lessons.tighter import TighterView
from vae_explorer.gui.theme import LIGHT
from vae_explorer.session.lessons.tighter import Tighter
from vae_explorer.session.lessons.workbench import Workbench

Settle = Callable[[], None]


@pytest.fixture
def instrument(workbench: Workbench, settle: Settle) -> Tighter:
    instrument = Tighter(workbench)
    instrument.set_state({"image": 7, "samples": 20_000, "repeats": 50})
    instrument.show()
    settle()
    return instrument


@pytest.fixture
def view(qtbot: QtBot, instrument: Tighter) -> TighterView:
    view = TighterView(instrument)
    qtbot.addWidget(view)
    view.set_theme(LIGHT)
    view.resize(630, 720)
    view.show()
    QApplication.processEvents()
    return view


def test_the_bound_is_drawn_under_the_exact_line(view: TighterView, instrument: Tighter) -> None:
    assert instrument.ladder is not None
    found = instrument.ladder.bound
    image = view.bounds.grab().toImage()

    def blueness(k: float, nats: float) -> int:
        color = image.pixelColor(view.bounds.to_pixel(k, nats).toPoint())
        return color.blue() - color.red()

    assert blueness(2, float(found.mean[1])) > 60
    shade = blueness(1.2, float(found.mean[0] - 0.5))
    assert 20 < shade < 70
    assert blueness(300, float(found.mean[0])) < 20
    assert "exact −122.92" in view.bounds.legend()
    assert "k = 1" in view._figures.text()
    assert "20,000 estimates" in view._figures.text()


def test_k_is_dragged_in_any_plot(view: TighterView, instrument: Tighter) -> None:
    for plot, height in ((view.bounds, -123.0), (view.gaps, 0.1)):
        at = plot.to_pixel(100, height).toPoint()
        QTest.mousePress(plot, Qt.MouseButton.LeftButton, pos=at)
        assert instrument.k == 100
        assert "k = 100" in view._figures.text()
        QTest.mouseMove(plot, at + QPoint(2_000, 0))
        assert instrument.k == 5_000
        QTest.mouseRelease(plot, Qt.MouseButton.LeftButton, pos=at)
        instrument.set_k(1)


def test_k_is_moved_by_keys(view: TighterView, instrument: Tighter) -> None:
    slider = view.controls["k"].findChild(QSlider)
    assert slider is not None
    QTest.keyClick(slider, Qt.Key.Key_Right)
    assert instrument.k == 2
    QTest.keyClick(slider, Qt.Key.Key_End)
    assert instrument.k == 5_000


def test_gradients_have_a_plot_when_wanted(
    view: TighterView, instrument: Tighter, settle: Settle
) -> None:
    assert not view.ratios.isVisible()
    box = view.controls["q"].findChild(QComboBox)
    assert box is not None
    box.setCurrentIndex(2)
    box.activated.emit(2)
    tick = view.controls["gradient"]
    assert isinstance(tick, QCheckBox)
    tick.click()
    assert view._stop.isEnabled()
    settle()
    assert instrument.proposal == "wide"
    assert view.ratios.isVisible()
    assert "IWAE ∝ k<sup>−0." in view.ratios.legend()
    assert "DReG ∝ k<sup>0." in view.ratios.legend()
    assert not view._stop.isEnabled()
    assert view._bar.text() == "done"


def test_other_samples_and_another_digit(
    view: TighterView, instrument: Tighter, settle: Settle
) -> None:
    assert instrument.ladder is not None
    before = instrument.ladder.bound.mean[0]
    again = view.controls["seed"]
    assert isinstance(again, QPushButton)
    again.click()
    settle()
    assert instrument.ladder.bound.mean[0] != before
    number = view.controls["image"].findChild(QSpinBox)
    assert number is not None
    number.setValue(3)
    settle()
    assert "exact −46.30" in view.bounds.legend()


def test_a_lesson_hides_controls(view: TighterView) -> None:
    view.set_hidden(["q", "gradient"])
    assert not view.controls["q"].isVisible()
    assert not view.controls["gradient"].isVisible()
    assert view.controls["k"].isVisible()
    view.set_hidden([])
    assert view.controls["q"].isVisible()


def test_every_control_has_a_name_and_a_tip(view: TighterView) -> None:
    for name in ("k", "samples", "q", "image", "repeats"):
        for kind in (QSlider, QComboBox, QSpinBox):
            for widget in view.controls[name].findChildren(kind):
                assert widget.accessibleName(), widget
                assert widget.toolTip(), widget
    for name in ("seed", "gradient"):
        assert view.controls[name].toolTip()
