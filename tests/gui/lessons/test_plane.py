import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from vae_explorer.gui.lessons.plane import Plane
from vae_explorer.gui.plot.color_maps import field_image
from vae_explorer.gui.theme import LIGHT
from vae_explorer.session.map.marks import Field

LEFT = Qt.MouseButton.LeftButton
REGION = (-1.0, 3.0, 0.0, 4.0)


@pytest.fixture
def plane(qtbot: QtBot) -> Plane:
    plane = Plane("z", moved=True)
    qtbot.addWidget(plane)
    plane.resize(300, 340)
    plane.set_region(REGION)
    with qtbot.waitActive(plane):
        plane.show()
        plane.activateWindow()
    return plane


def at(plane: Plane, x: float, y: float) -> QPoint:
    return plane.to_pixel(x, y).toPoint()


def color(plane: Plane, x: float, y: float) -> QColor:
    QApplication.processEvents()
    return plane.grab().toImage().pixelColor(at(plane, x, y))


def test_places_and_pixels_agree(plane: Plane) -> None:
    square = plane.plot_rect()
    assert square.width() == square.height()
    assert plane.rect().contains(square.toRect())
    assert plane.to_pixel(-1, 4) == square.topLeft()
    assert plane.to_place(plane.to_pixel(0.3, 1.7)) == pytest.approx((0.3, 1.7))


def test_the_first_row_of_a_picture_is_lowest(plane: Plane) -> None:
    values = np.array([[0.0, 0.0], [0.0, 1.0]], np.float32)
    plane.set_picture(field_image(Field(REGION, values, 0.0, 1.0, ""), LIGHT))
    assert color(plane, 2.8, 3.8).lightness() < 80
    assert color(plane, 2.8, 0.2).lightness() > 110
    assert color(plane, -0.8, 3.8).lightness() > 110


def test_marks_are_drawn_over_the_ground(plane: Plane) -> None:
    def paint(painter: QPainter, plane: Plane) -> None:
        painter.fillRect(plane.plot_rect(), QColor("red"))

    plane.set_ground(paint)
    assert color(plane, 1, 2) == QColor("red")
    plane.set_marks(lambda painter, plane: painter.fillRect(plane.rect(), QColor("blue")))
    assert color(plane, 1, 2) == QColor("blue")
    # Marks stay inside.
    assert plane.grab().toImage().pixelColor(2, 2) != QColor("blue")


def test_the_mouse_tells_places(plane: Plane) -> None:
    told: list[tuple[str, float, float]] = []
    plane.pressed.connect(lambda x, y: told.append(("pressed", x, y)))
    plane.dragged.connect(lambda x, y: told.append(("dragged", x, y)))
    QTest.mousePress(plane, LEFT, pos=at(plane, 0, 1))
    QTest.mouseMove(plane, at(plane, 2, 3))
    QTest.mouseRelease(plane, LEFT, pos=at(plane, 2, 3))
    assert (told[0][0], told[-1][0]) == ("pressed", "dragged")
    assert told[0][1:] == pytest.approx((0, 1), abs=0.02)
    assert told[-1][1:] == pytest.approx((2, 3), abs=0.02)


def test_arrows_nudge(plane: Plane) -> None:
    told: list[tuple[float, float]] = []
    plane.nudged.connect(lambda x, y: told.append((x, y)))
    plane.setFocus()
    QTest.keyClick(plane, Qt.Key.Key_Left)
    QTest.keyClick(plane, Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClick(plane, Qt.Key.Key_Down, Qt.KeyboardModifier.ControlModifier)
    assert told == [(-1, 0), (0, 10), (0, pytest.approx(-0.1))]
