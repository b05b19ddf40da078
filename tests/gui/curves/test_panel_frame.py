import math

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from vae_explorer.gui.curves.curve_panel import CurvePanel
from vae_explorer.gui.curves.curve_table import PANELS
from vae_explorer.gui.curves.decimation import Vertices
from vae_explorer.gui.curves.history_table import HistoryTable
from vae_explorer.gui.curves.panel_frame import PanelFrame, distance
from vae_explorer.gui.curves.trace import Trace
from vae_explorer.gui.theme import LIGHT
from vae_explorer.training.history import HistoryPoint


@pytest.mark.parametrize(
    ("x", "y", "place", "pixels"),
    [
        ([0.0, 10.0], [0.0, 0.0], (5.0, 0.3), 3.0),  # beside a line
        ([0.0, 10.0], [0.0, 0.0], (13.0, 0.4), 5.0),  # beyond its end
        ([5.0], [1.0], (5.0, 1.0), 0.0),
        ([0.0, np.nan, 10.0], [0.0, 0.0, np.nan], (0.0, 0.1), 1.0),
        ([], [], (0.0, 0.0), math.inf),
    ],
)
def test_distances_are_in_pixels(
    x: list[float], y: list[float], place: tuple[float, float], pixels: float
) -> None:
    curve = Vertices(np.array(x), np.array(y))
    assert distance(curve, QPointF(*place), 1.0, 0.1) == pytest.approx(pixels)


@pytest.fixture
def panel(qtbot: QtBot) -> CurvePanel:
    """The KL, a straight line from 0 to 10 nats over ten epochs."""
    panel = CurvePanel(PANELS[2])
    qtbot.addWidget(panel)
    panel.resize(400, 300)
    with qtbot.waitExposed(panel):
        panel.show()
    panel.set_theme(LIGHT)
    points = [HistoryPoint(k / 10, -100.0, -100.0, k / 10, -100.0) for k in range(1, 101)]
    panel.set_traces([Trace(HistoryTable(points), PANELS[2].curves[0])], [])
    panel.refresh()
    panel.set_x_range(0, 10)
    panel.view.setYRange(0, 10, padding=0)
    return panel


def pixel(panel: PanelFrame, x: float, y: float) -> QPoint:
    place: QPoint = panel.plot.mapFromScene(panel.view.mapViewToScene(QPointF(x, y)))
    return place


def move(qtbot: QtBot, panel: PanelFrame, place: QPoint) -> bool:
    qtbot.mouseMove(panel.plot.viewport(), place + QPoint(1, 0))
    qtbot.mouseMove(panel.plot.viewport(), place)
    return False


def test_hovering_tells_the_place(qtbot: QtBot, panel: CurvePanel) -> None:
    heard: list[QPointF | None] = []
    panel.hovered.connect(heard.append)
    panel.left.connect(lambda: heard.append(None))
    # Again and again, for pyqtgraph drops moves that follow too soon.
    qtbot.waitUntil(lambda: move(qtbot, panel, pixel(panel, 5, 7)) or len(heard) > 0)
    assert heard[0] is not None
    assert heard[0].toTuple() == pytest.approx((5, 7), abs=0.2)
    qtbot.waitUntil(lambda: move(qtbot, panel, QPoint(1, 1)) or None in heard)


def test_a_hand_says_where_a_click_chooses(qtbot: QtBot, panel: CurvePanel) -> None:
    cursor = panel.plot.viewport().cursor
    qtbot.waitUntil(
        lambda: (
            move(qtbot, panel, pixel(panel, 5, 5))
            or cursor().shape() == Qt.CursorShape.PointingHandCursor
        )
    )
    qtbot.waitUntil(
        lambda: (
            move(qtbot, panel, pixel(panel, 5, 8)) or cursor().shape() == Qt.CursorShape.ArrowCursor
        )
    )


def test_only_a_click_on_a_curve_is_told(qtbot: QtBot, panel: CurvePanel) -> None:
    heard: list[QPointF] = []
    panel.clicked.connect(heard.append)
    viewport, left = panel.plot.viewport(), Qt.MouseButton.LeftButton
    qtbot.mouseClick(viewport, left, pos=pixel(panel, 4, 8))
    assert heard == []
    qtbot.mouseClick(viewport, left, pos=pixel(panel, 4, 4))
    assert len(heard) == 1
    assert heard[0].x() == pytest.approx(4, abs=0.1)
    qtbot.mouseClick(viewport, Qt.MouseButton.RightButton, pos=pixel(panel, 4, 4))
    assert len(heard) == 1


def test_a_drag_is_no_click(qtbot: QtBot, panel: CurvePanel) -> None:
    viewport, left = panel.plot.viewport(), Qt.MouseButton.LeftButton
    start = pixel(panel, 4, 4)
    with qtbot.assertNotEmitted(panel.clicked):
        qtbot.mousePress(viewport, left, pos=start)
        for share in (0.3, 0.6, 1.0):
            qtbot.mouseMove(viewport, start + QPoint(60, 0) * share)
        qtbot.mouseRelease(viewport, left, pos=start + QPoint(60, 0))


def test_a_double_click_asks_to_fit(qtbot: QtBot, panel: CurvePanel) -> None:
    viewport, place = panel.plot.viewport(), pixel(panel, 4, 8)
    with qtbot.waitSignal(panel.fit_requested):
        qtbot.mouseDClick(viewport, Qt.MouseButton.LeftButton, pos=place)
        qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=place)


def test_a_low_panel_drops_the_name_of_its_y_axis_and_most_numbers(
    qtbot: QtBot, panel: CurvePanel
) -> None:
    label = panel.y_axis.label
    assert label.isVisible()
    panel.resize(400, 110)
    qtbot.waitUntil(lambda: not label.isVisible())
    panel.resize(400, 300)
    qtbot.waitUntil(label.isVisible)


def test_a_hidden_x_axis_stays_hidden_under_another_name(panel: CurvePanel) -> None:
    panel.set_x_axis_shown(False)
    panel.set_x_label("epoch 3.40")
    assert panel.x_axis.labelText == "epoch 3.40"
    assert not panel.x_axis.label.isVisible()


def test_a_note_lies_over_the_plot(panel: CurvePanel) -> None:
    panel.set_note("Nothing here")
    (label,) = [x for x in panel.findChildren(QLabel) if x.text() == "Nothing here"]
    assert label.isVisible()
    assert panel.plot.rect().contains(label.geometry())
    panel.set_note("")
    assert not label.isVisible()
