"""The view on a real experiment: what it shows, and what hand and keys do."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QComboBox, QPushButton, QSlider

from tests.support.lessons import choose
from vae_explorer.gui.lessons.tighter import TighterView
from vae_explorer.gui.widgets.number_box import NumberBox
from vae_explorer.session.lessons.context import LessonContext
from vae_explorer.session.lessons.tighter import Tighter

Settle = Callable[[], None]


@pytest.fixture
def experiment(context: LessonContext) -> Tighter:
    experiment = Tighter(context)
    experiment.set_state({"image": 7, "samples": 20_000, "repeats": 50})
    return experiment


def test_the_bound_is_drawn_under_the_exact_line(view: TighterView, experiment: Tighter) -> None:
    found = experiment.result.bound
    assert found is not None
    image = view.bounds.grab().toImage()

    def blueness(k: float, nats: float) -> int:
        color = image.pixelColor(view.bounds.to_pixel(k, nats).toPoint())
        return color.blue() - color.red()

    assert blueness(2, float(found.mean[1])) > 60
    shade = blueness(1.2, float(found.mean[0] - 0.5))
    assert 20 < shade < 70
    assert blueness(300, float(found.mean[0])) < 20
    assert "exact = −122.92" in view.bounds.legend()
    assert "k = 1" in view.scores.text()
    assert "20,000 estimates" in view.scores.text()


def test_k_is_dragged_in_any_plot(view: TighterView, experiment: Tighter) -> None:
    for plot, height in ((view.bounds, -123.0), (view.gaps, 0.1)):
        at = plot.to_pixel(100, height).toPoint()
        QTest.mousePress(plot, Qt.MouseButton.LeftButton, pos=at)
        assert experiment.settings.k == 100
        assert "k = 100" in view.scores.text()
        QTest.mouseMove(plot, at + QPoint(2_000, 0))
        assert experiment.settings.k == 5_000
        QTest.mouseRelease(plot, Qt.MouseButton.LeftButton, pos=at)
        experiment.set(k=1)


def test_k_is_moved_by_keys(view: TighterView, experiment: Tighter) -> None:
    slider = view.controls["k"].findChild(QSlider)
    assert slider is not None
    QTest.keyClick(slider, Qt.Key.Key_Right)
    assert experiment.settings.k == 2
    QTest.keyClick(slider, Qt.Key.Key_End)
    assert experiment.settings.k == 5_000


def test_gradients_have_a_plot_when_wanted(
    view: TighterView, experiment: Tighter, settle: Settle
) -> None:
    assert not view.ratios.isVisible()
    box = view.controls["q"].findChild(QComboBox)
    assert box is not None
    choose(box, 2)
    tick = view.controls["gradient"]
    assert isinstance(tick, QCheckBox)
    tick.click()
    assert view._stop.isVisible()
    settle()
    assert experiment.settings.q == "wide"
    assert view.ratios.isVisible()
    assert "IWAE ∝ k⁻⁰·" in view.ratios.legend()
    assert "DReG ∝ k⁰·" in view.ratios.legend()
    assert not view._stop.isVisible()
    assert view._bar.text() == "done"


def test_other_samples_and_another_digit(
    view: TighterView, experiment: Tighter, settle: Settle
) -> None:
    assert experiment.result.bound is not None
    before = experiment.result.bound.mean[0]
    again = view.controls["seed"]
    assert isinstance(again, QPushButton)
    again.click()
    settle()
    assert experiment.result.bound.mean[0] != before
    number = view.controls["image"].findChild(NumberBox)
    assert number is not None
    number.setValue(3)
    settle()
    assert "exact = −46.30" in view.bounds.legend()
