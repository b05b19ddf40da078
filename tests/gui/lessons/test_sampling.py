"""The view on a real instrument: what it shows, and what hand and keys do."""

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QProgressBar, QPushButton, QSlider, QSpinBox
from pytestqt.qtbot import QtBot

from vae_explorer.gui.lessons.sampling import SamplingView
from vae_explorer.gui.theme import DARK, LIGHT
from vae_explorer.session.lessons.sampling import Sampling
from vae_explorer.session.lessons.workbench import Workbench

Settle = Callable[[], None]


@pytest.fixture
def instrument(workbench: Workbench, settle: Settle) -> Sampling:
    instrument = Sampling(workbench)
    instrument.show()
    settle()
    return instrument


@pytest.fixture
def view(qtbot: QtBot, instrument: Sampling) -> SamplingView:
    view = SamplingView(instrument)
    qtbot.addWidget(view)
    view.set_theme(LIGHT)
    view.resize(630, 720)
    view.show()
    QApplication.processEvents()
    return view


def bluish(view: SamplingView, place: tuple[float, float]) -> bool:
    QApplication.processEvents()
    at = view.map.to_pixel(*place).toPoint()
    color = view.map.grab().toImage().pixelColor(at)
    return color.blue() > color.red() + 40


def test_the_samples_that_matter_are_lit(view: SamplingView, instrument: Sampling) -> None:
    heaviest = instrument.lit[0].places[0]
    assert bluish(view, (float(heaviest[0]), float(heaviest[1])))
    assert not bluish(view, (3.2, 3.2))
    assert "10,000" in view._figures.text()
    assert "exact −175.65" in view.estimates.legend()


def test_m_is_dragged_in_the_plot(view: SamplingView, instrument: Sampling) -> None:
    at = view.estimates.to_pixel(100, -190).toPoint()
    QTest.mousePress(view.estimates, Qt.MouseButton.LeftButton, pos=at)
    assert instrument.m == pytest.approx(100, rel=0.05)
    QTest.mouseMove(view.estimates, at + QPoint(60, 0))
    assert instrument.m > 150
    assert f"{instrument.m:,}" in view._figures.text()


def test_m_is_moved_by_keys(view: SamplingView, instrument: Sampling) -> None:
    slider = view.controls["m"].findChild(QSlider)
    assert slider is not None
    QTest.keyClick(slider, Qt.Key.Key_PageDown)
    assert instrument.m == pytest.approx(10_000 / 10**0.25, rel=0.02)
    QTest.keyClick(slider, Qt.Key.Key_Home)
    assert instrument.m == 1
    assert instrument.lit[0].effective == 1


def test_more_samples_are_drawn(view: SamplingView, instrument: Sampling, settle: Settle) -> None:
    box = view.controls["samples"].findChild(QComboBox)
    stop = view.controls["samples"].findChild(QPushButton)
    box.setCurrentIndex(1)
    box.activated.emit(1)
    assert stop.isEnabled()
    settle()
    assert instrument.drawn == 20_000
    assert not stop.isEnabled()
    bar = view.controls["samples"].findChild(QProgressBar)
    assert bar.text() == "20,000 drawn"


def test_q_and_another_digit(view: SamplingView, instrument: Sampling, settle: Settle) -> None:
    box = view.controls["q"].findChild(QComboBox)
    box.setCurrentIndex(1)
    box.activated.emit(1)
    view.controls["image"].findChild(QSpinBox).setValue(7)
    settle()
    assert instrument.proposal == "encoder"
    assert len(instrument.lit) == 2
    assert "from q" in view.estimates.legend()
    text = view._figures.text()
    assert text.count("worth") == 2
    view.controls["seed"].click()  # type: ignore[attr-defined]
    settle()
    assert instrument.seed == 1


def test_it_zooms_in_on_the_posterior(view: SamplingView, instrument: Sampling) -> None:
    assert instrument.scene is not None
    left, _, bottom, _ = instrument.scene.near
    wide = view.map.pixels_per_unit()[0]
    view.controls["near"].click()  # type: ignore[attr-defined]
    assert instrument.near
    assert view.map.pixels_per_unit()[0] > 5 * wide
    assert view.map.plot_rect().contains(view.map.to_pixel(left, bottom))
    middle = view.map.plot_rect().center()
    before = view.map.to_latent(middle)
    QTest.mousePress(view.map, Qt.MouseButton.LeftButton, pos=middle.toPoint())
    QTest.mouseMove(view.map, (middle + QPointF(40, 0)).toPoint())
    assert view.map.to_latent(middle)[0] < before[0]


def test_a_lesson_hides_controls(view: SamplingView) -> None:
    view.set_hidden(["q", "image"])
    assert not view.controls["q"].isVisible()
    assert view.controls["m"].isVisible()
    view.set_hidden([])
    assert view.controls["q"].isVisible()


def test_every_control_has_a_name_and_a_tip(view: SamplingView) -> None:
    for name in ("m", "samples", "q", "image"):
        for kind in (QSlider, QComboBox, QSpinBox):
            for widget in view.controls[name].findChildren(kind):
                assert widget.accessibleName(), widget
                assert widget.toolTip(), widget
    for name in ("seed", "near"):
        assert view.controls[name].toolTip()


def test_it_is_shown_dark(view: SamplingView) -> None:
    view.set_theme(DARK)
    QApplication.processEvents()
    image = view.estimates.grab().toImage()
    levels = [image.pixelColor(x, 120).lightness() for x in range(80, 500, 7)]
    assert np.median(levels) < 60
