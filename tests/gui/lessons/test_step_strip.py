from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from vae_explorer.gui.lessons.step_strip import StepStrip
from vae_explorer.gui.theme import LIGHT

IMAGES = np.stack([np.full((4, 4), level, np.float32) for level in (0.2, 0.5, 0.8)])
STEPS = np.array([1.0, 3.0])


@pytest.fixture
def strip(qtbot: QtBot) -> Iterator[StepStrip]:
    page = QWidget()
    qtbot.addWidget(page)
    strip = StepStrip("Straight line", "accent")
    layout = QVBoxLayout(page)
    layout.addStretch(1)
    layout.addWidget(strip)
    page.resize(600, 300)
    strip.set_frames(IMAGES, STEPS, 3.0, "Straight line: 4 pixels")
    page.show()
    QApplication.processEvents()
    page.resize(700, 300)
    QApplication.processEvents()
    yield strip
    page.close()  # held until here, as it owns the strip


def test_it_is_as_tall_as_its_pictures(strip: StepStrip) -> None:
    assert strip.height() == strip.sizeHint().height()
    assert strip.bar_rect(1).bottom() <= strip.height()
    strip.window().resize(1100, 300)
    QApplication.processEvents()
    assert strip.bar_rect(1).bottom() <= strip.height()


def test_pictures_and_bars_are_where_they_say(strip: StepStrip) -> None:
    shown = strip.grab().toImage()
    for number, level in enumerate((0.2, 0.5, 0.8)):
        at = strip.picture_rect(number).center().toPoint()
        assert shown.pixelColor(at).lightness() == pytest.approx(255 * level, abs=2)
    low, high = strip.bar_rect(0), strip.bar_rect(1)
    assert 3 * low.height() == pytest.approx(high.height())
    assert low.bottom() == pytest.approx(high.bottom())
    assert shown.pixelColor(high.center().toPoint()) == QColor(LIGHT.accent)
    above = low.center().toPoint()
    above.setY(round(high.top()) + 1)
    assert shown.pixelColor(above) != QColor(LIGHT.accent)
    assert strip.accessibleDescription() == "Straight line: 4 pixels"
