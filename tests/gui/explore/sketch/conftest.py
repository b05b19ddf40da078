"""Lines drawn on a pad by the mouse, and the pixels that they should ink."""

import pytest
from pytestqt.qtbot import QtBot

from vae_explorer.gui.explore.sketch.drawing_pad import DrawingPad
from vae_explorer.gui.explore.sketch.strokes import SIDE


@pytest.fixture
def pad(qtbot: QtBot) -> DrawingPad:
    pad = DrawingPad()
    qtbot.addWidget(pad)
    pad.resize(SIDE + 2, SIDE + 2)
    with qtbot.waitActive(pad):
        pad.show()
        pad.activateWindow()
    pad.setFocus()
    return pad
