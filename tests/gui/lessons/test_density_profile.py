import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from vae_explorer.gui.lessons.density_profile import DensityProfile
from vae_explorer.gui.theme import LIGHT
from vae_explorer.lessons import pushforward as pf
from vae_explorer.session.jobs import Control
from vae_explorer.session.lessons.pushed import push


@pytest.fixture
def profile(qtbot: QtBot) -> DensityProfile:
    profile = DensityProfile()
    qtbot.addWidget(profile)
    profile.resize(600, 96)
    profile.show()
    return profile


def seen(image: QImage, color: str, low: float, high: float) -> int:
    """Pixels of a colour between two shares of the width, below the names."""
    wanted = QColor(color)
    columns = range(round(low * image.width()), round(high * image.width()))
    return sum(image.pixelColor(x, y) == wanted for x in columns for y in range(24, 92))


def test_the_ring_has_two_peaks_and_a_closed_form(profile: DensityProfile) -> None:
    z = np.array([[1.2, 0.0]])
    for ring in (1.0, None):
        profile.set_result(
            push(
                pf.formula("ring"), 50_000, z, np.ones((1, 1)), ring, None, Control(lambda _: None)
            )
        )
        QApplication.processEvents()
        shown = profile.grab().toImage()
        color = LIGHT.held_out if ring else LIGHT.accent
        assert seen(shown, color, 0.05, 0.25) > 10
        assert seen(shown, color, 0.75, 0.95) > 10
        assert seen(shown, color, 0.35, 0.65) == 0
        assert (seen(shown, LIGHT.held_out, 0, 1) > 0) == (ring is not None)
