"""The plane of rate and distortion by itself."""

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from vae_explorer.gui.lessons.rate_plane import PlanePoint, RatePlane

_POINTS = [
    PlanePoint("β = 1", 1.0, (5.0, 159.0)),
    PlanePoint("β = 8", 8.0, (2.0, 169.0)),
    PlanePoint("this model", 1.0, (8.0, 122.0), own=True),
]


def _plane(qtbot: QtBot, shown: int | None) -> RatePlane:
    plane = RatePlane()
    qtbot.addWidget(plane)
    plane.resize(320, 300)
    plane.set_points(_POINTS, shown)
    return plane


def test_the_line_has_the_slope_of_its_point(qtbot: QtBot) -> None:
    plane = _plane(qtbot, 1)
    image = plane.grab().toImage()
    rate, distortion = _POINTS[1].position
    found = 0
    for step in (-0.8, -0.6, 1.0, 1.4, 2.0):
        at = plane.to_pixel(rate + step, distortion - 8.0 * step).toPoint()
        around = [image.pixelColor(at + QPoint(x, y)) for x in (-1, 0, 1) for y in (-2, 0, 2)]
        found += any(color.blue() > color.red() + 60 for color in around)
    assert found >= 3  # it is dashed


def test_points_are_chosen_by_clicks_and_keys(qtbot: QtBot) -> None:
    plane = _plane(qtbot, 0)
    chosen: list[int] = []
    plane.chosen.connect(chosen.append)
    for point in _POINTS:
        QTest.mouseClick(
            plane, Qt.MouseButton.LeftButton, pos=plane.to_pixel(*point.position).toPoint()
        )
    QTest.mouseClick(plane, Qt.MouseButton.LeftButton, pos=QPoint(300, 60))
    assert chosen == [0, 1, 2]
    QTest.keyClick(plane, Qt.Key.Key_Left)  # less rate
    QTest.keyClick(plane, Qt.Key.Key_Right)
    assert chosen[3:] == [1, 2]


def test_a_trail_comes_into_sight(qtbot: QtBot) -> None:
    plane = _plane(qtbot, None)
    assert not plane.frame.contains(plane.to_pixel(3.0, 205.0))
    plane.set_trail([(0.1, 400.0), (3.0, 205.0)])
    assert plane.frame.contains(plane.to_pixel(3.0, 205.0))
    assert not plane.frame.contains(plane.to_pixel(0.1, 400.0))


def test_without_points_there_are_axes(qtbot: QtBot) -> None:
    plane = _plane(qtbot, None)
    plane.set_points([], None)
    QTest.keyClick(plane, Qt.Key.Key_Left)
    assert not plane.grab().isNull()
    assert plane.accessibleDescription() == ""
