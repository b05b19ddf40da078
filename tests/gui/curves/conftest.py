"""Runs to be drawn, and what training curves show of them."""

import pytest
from pytestqt.qtbot import QtBot

from tests.support.widgets import expose
from vae_explorer.gui.curves.plots import ElboPlot


@pytest.fixture
def plot(qtbot: QtBot) -> ElboPlot:
    return expose(qtbot, ElboPlot(), 340, 400)
