"""The section that refines a posterior, with steps as the session tells them."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from tests.support.person import ShowTheme
from vae_explorer.gui.explore.decode.refine_section import RefineSection
from vae_explorer.gui.plot.chart import Chart
from vae_explorer.gui.plot.marks import Level, Line
from vae_explorer.gui.theme import DARK, LIGHT, Theme
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.session.explore.refinement import RefinementStep


def step(number: int, elbo: float) -> RefinementStep:
    return RefinementStep(number, 300, np.zeros(2, np.float32), np.eye(2, dtype=np.float32), elbo)


STEPS = [step(0, -103.2), step(6, -102.0), step(12, -101.1)]


@pytest.fixture
def section(qtbot: QtBot) -> RefineSection:
    section = RefineSection()
    qtbot.addWidget(section)
    section.resize(260, section.sizeHint().height())
    section.show()
    return section


def button(section: RefineSection) -> QPushButton:
    (found,) = section.findChildren(QPushButton)
    return found


def text(section: RefineSection) -> str:
    (found,) = section.findChildren(Readout)
    return found.text().replace("\N{NO-BREAK SPACE}", " ")


def plot(section: RefineSection) -> Chart:
    (found,) = section.findChildren(Chart)
    return found


def test_the_button_starts_and_stops(qtbot: QtBot, section: RefineSection) -> None:
    told: list[str] = []
    section.start_requested.connect(lambda: told.append("start"))
    section.stop_requested.connect(lambda: told.append("stop"))
    assert button(section).text() == "Refine"
    qtbot.mouseClick(button(section), Qt.MouseButton.LeftButton)
    section.set_running(True)
    assert button(section).text() == "Stop"
    qtbot.mouseClick(button(section), Qt.MouseButton.LeftButton)
    assert told == ["start", "stop"]


def test_orders_emit_nothing(qtbot: QtBot, section: RefineSection) -> None:
    with (
        qtbot.assertNotEmitted(section.start_requested),
        qtbot.assertNotEmitted(section.stop_requested),
    ):
        for running in (True, False):
            section.set_running(running)
        section.set_steps(STEPS)
        section.append_step(step(18, -101.0))
        section.set_ceiling(-100.4)
        section.clear()


def test_the_line_tells_the_climb_and_the_gap(section: RefineSection) -> None:
    section.set_steps(STEPS[:2])
    assert text(section) == "ELBO −103.2 → −102.0 nats"
    section.append_step(STEPS[2])
    section.set_ceiling(-100.4)
    assert text(section) == "ELBO −103.2 → −101.1 · log p(x) −100.4 · gap 0.7 nats"
    section.clear()
    assert "−" not in text(section)


def test_the_curve_climbs_to_the_dashed_line_in_sight(section: RefineSection) -> None:
    for one in STEPS:
        section.append_step(one)
    assert len(plot(section).plot.marks) == 1
    section.set_ceiling(-100.4)
    curve, line = plot(section).plot.marks
    assert isinstance(curve, Line)
    assert isinstance(line, Level)
    assert curve.x.tolist() == [0, 6, 12]
    assert curve.y.tolist() == [-103.2, -102.0, -101.1]
    assert (line.value, line.dashed) == (-100.4, True)
    left, right, low, high = plot(section).region
    assert left <= 0
    assert right >= 300
    assert low < -103.2
    assert high > -100.4


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_nothing_is_clipped_or_moved_by_figures(
    section: RefineSection, show_theme: ShowTheme, theme: Theme
) -> None:
    show_theme(theme)
    parts = section.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly)
    before = [part.geometry() for part in parts]
    section.set_steps(STEPS)
    section.set_ceiling(-100.4)
    QApplication.processEvents()
    assert section.width() == 260
    assert [part.geometry() for part in parts] == before
    for part in parts:
        assert part.width() >= part.minimumSizeHint().width(), part
        assert section.rect().contains(part.geometry()), part
    (readout,) = section.findChildren(Readout)
    metrics = readout.fontMetrics()
    needed = metrics.boundingRect(readout.rect(), int(Qt.TextFlag.TextWordWrap), readout.text())
    assert needed.height() <= readout.height()
    assert needed.width() <= readout.width()
