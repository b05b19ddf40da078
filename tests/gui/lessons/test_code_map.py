"""A plane of points by itself."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.support.person import ShowTheme
from vae_explorer.gui.lessons.code_map import CodeMap
from vae_explorer.gui.plot.marks import Line, Ring
from vae_explorer.gui.theme import CLASS_COLORS, DARK


@pytest.fixture
def code_map(qtbot: QtBot) -> CodeMap:
    made = CodeMap("Codes")
    qtbot.addWidget(made)
    made.resize(400, 300)
    made.show()
    qtbot.waitExposed(made)
    made.set_range(-2.0, 4.0, -3.0, 3.0)
    return made


def test_places_and_pixels_are_one_to_one_at_one_scale(code_map: CodeMap) -> None:
    for position in ((0.0, 0.0), (3.5, -2.5), (-1.0, 2.0)):
        assert code_map.to_data(code_map.to_pixel(*position)) == pytest.approx(position)
    across = code_map.to_pixel(1.0, 0.0) - code_map.to_pixel(0.0, 0.0)
    up = code_map.to_pixel(0.0, 0.0) - code_map.to_pixel(0.0, 1.0)
    assert across.x() == pytest.approx(up.y())
    for corner in ((-2.0, -3.0), (4.0, 3.0)):
        near = code_map.frame.adjusted(-1, -1, 1, 1)
        assert near.contains(code_map.to_pixel(*corner))


def test_points_have_their_colours_and_lines_lie_on_top(code_map: CodeMap) -> None:
    positions = np.array([[0.0, 0.0], [2.0, 1.0]])
    code_map.set_points(positions, np.array([2, 4], np.uint8))
    assert [entry.name for entry in code_map.plot.legend] == ["2", "4"]
    image = code_map.grab().toImage()
    for (x, y), label in zip(positions.tolist(), (2, 4), strict=True):
        at = code_map.to_pixel(x, y).toPoint()
        around = [image.pixelColor(at + QPoint(dx, dy)) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
        darkest = min(around, key=lambda color: color.lightness())
        rgb = np.array([darkest.red(), darkest.green(), darkest.blue()])
        on_canvas = (200 * CLASS_COLORS.astype(int) + 55 * 255) / 255
        assert np.abs(on_canvas - rgb).sum(1).argmin() == label
    line = Line(np.array([-1.0, 3.0]), np.zeros(2), "#00ff00", width=5.0)
    code_map.set_points(positions, np.array([2, 4], np.uint8), [line])
    code_map.set_front([Ring((2.0, 1.0), "#0000ff", 8.0), Ring((1.0, -2.0), "#0000ff", shape="x")])
    image = code_map.grab().toImage()
    assert image.pixelColor(code_map.to_pixel(0.0, 0.0).toPoint()).name() == "#00ff00"
    on_ring = (code_map.to_pixel(2.0, 1.0) + QPointF(8, 0)).toPoint()
    assert image.pixelColor(on_ring).blue() > 150
    assert image.pixelColor(code_map.to_pixel(1.0, -2.0).toPoint()).blue() > 150


def test_the_nearest_point_is_within_reach(code_map: CodeMap) -> None:
    assert code_map.nearest((0.0, 0.0)) is None
    code_map.set_points(np.array([[0.0, 0.0], [0.1, 0.0]]), np.zeros(2, np.uint8))
    assert code_map.nearest((0.08, 0.01)) == 1
    assert code_map.nearest((2.0, 2.0)) is None


def test_hand_and_keys(code_map: CodeMap) -> None:
    dragged: list[tuple[float, float]] = []
    pointed: list[object] = []
    code_map.dragged.connect(lambda x, y: dragged.append((x, y)))
    code_map.pointed.connect(pointed.append)
    at = code_map.to_pixel(1.0, 1.0).toPoint()
    QTest.mousePress(code_map, Qt.MouseButton.LeftButton, pos=at)
    QTest.mouseRelease(code_map, Qt.MouseButton.LeftButton, pos=at)
    assert dragged[-1] == pytest.approx((1.0, 1.0), abs=0.03)
    start = dragged[-1]
    QTest.keyClick(code_map, Qt.Key.Key_Up)
    assert dragged[-1][1] > start[1]
    QTest.keyClick(code_map, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert dragged[-1][0] - start[0] > 5 * (dragged[-1][1] - start[1])
    QTest.mouseMove(code_map, at)
    assert pointed[-1] == pytest.approx(start)
    QTest.mouseMove(code_map, QPoint(5, 3))  # in the title
    assert pointed[-1] is None


def test_its_file_is_light_and_its_table_has_the_classes(
    code_map: CodeMap, show_theme: ShowTheme
) -> None:
    positions = np.array([[0.5, -1.0], [2.0, 1.0]])
    code_map.set_points(positions, np.array([2, 4], np.uint8))
    code_map.set_subtitle("two of them")
    assert code_map.accessibleDescription() == "two of them"
    show_theme(DARK)
    picture = QImage.fromData(code_map.export("png"))
    assert picture.pixelColor(picture.rect().center()).name() == "#ffffff"
    rows = code_map.export("csv").decode().splitlines()[1:]
    assert rows == ["Codes,class 2,0.5,-1.0", "Codes,class 4,2.0,1.0"]
