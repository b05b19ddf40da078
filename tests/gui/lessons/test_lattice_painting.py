import numpy as np
import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from vae_explorer.gui.lessons.lattice_painting import (
    paint_cells,
    paint_dot,
    paint_lines,
    paint_patch,
)
from vae_explorer.gui.lessons.plane import Plane
from vae_explorer.gui.theme import LIGHT

NODES = np.stack(np.meshgrid(np.arange(3.0), np.arange(3.0)), axis=2)


@pytest.fixture
def plane(qtbot: QtBot) -> Plane:
    plane = Plane("x")
    qtbot.addWidget(plane)
    plane.resize(300, 300)
    plane.set_region((0.0, 2.0, 0.0, 2.0))
    plane.show()
    return plane


def color(plane: Plane, x: float, y: float) -> QColor:
    QApplication.processEvents()
    return plane.grab().toImage().pixelColor(plane.to_pixel(x, y).toPoint())


def test_denser_cells_are_stronger(plane: Plane) -> None:
    densities = np.array([[0.0, 0.5], [1.0, np.nan]])
    plane.set_ground(lambda painter, plane: paint_cells(painter, plane, NODES, densities))
    assert color(plane, 0.5, 0.5) == QColor(LIGHT.canvas)
    assert color(plane, 1.5, 1.5) == QColor(LIGHT.canvas)
    weak, strong = color(plane, 1.5, 0.5).red(), color(plane, 0.5, 1.5).red()
    assert strong < weak < 255


def test_nothing_known_and_nothing_finite_paint_nothing(plane: Plane) -> None:
    nowhere = np.full_like(NODES, np.nan)
    plane.set_ground(lambda painter, plane: paint_cells(painter, plane, NODES, None))
    assert color(plane, 0.5, 0.5) == QColor(LIGHT.canvas)
    ones = np.ones((2, 2))
    plane.set_ground(lambda painter, plane: paint_cells(painter, plane, nowhere, ones))
    assert color(plane, 0.5, 0.5) == QColor(LIGHT.canvas)


def test_lines_are_broken_where_there_is_no_value_or_a_tear(plane: Plane) -> None:
    x = np.linspace(0.05, 1.95, 39)
    line = np.stack([x, np.ones(39)], axis=1)
    line[10] = np.nan
    torn = np.stack([x, np.where(x < 1, 0.3, 1.7)], axis=1)
    lines = np.stack([line, torn])
    plane.set_ground(lambda painter, plane: paint_lines(painter, plane, lines))
    row = [color(plane, at, 1.0).lightness() for at in (0.3, x[10], 1.5)]
    assert row[1] == 255
    assert max(row[0], row[2]) < 230
    assert color(plane, 1.0, 0.8).lightness() == 255


def test_a_patch_and_a_dot_are_drawn(plane: Plane) -> None:
    edge = np.array([[0.5, 0.5], [1.5, 0.5], [1.5, 1.5], [0.5, 1.5]])
    plane.set_marks(lambda painter, plane: paint_patch(painter, plane, edge, LIGHT))
    assert color(plane, 1.0, 0.5).hsvHueF() == pytest.approx(
        QColor(LIGHT.held_out).hsvHueF(), abs=0.02
    )
    plane.set_marks(lambda painter, plane: paint_dot(painter, plane.to_pixel(1.0, 1.0), LIGHT))
    assert color(plane, 1.0, 1.0) == QColor(LIGHT.held_out)
