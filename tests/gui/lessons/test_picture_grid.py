"""Pictures in rows."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from vae_explorer.gui.lessons.picture_grid import PictureGrid


@pytest.mark.parametrize(("columns", "size"), [(0, (300, 200)), (0, (120, 400)), (7, (220, 300))])
def test_all_pictures_are_in_sight_and_apart(
    qtbot: QtBot, columns: int, size: tuple[int, int]
) -> None:
    grid = PictureGrid("Pictures", columns)
    qtbot.addWidget(grid)
    grid.resize(*size)
    grid.set_images(np.zeros((25, 28, 28), np.float32))
    boxes = [grid.box(number) for number in range(25)]
    assert all(grid.rect().contains(box.toRect()) for box in boxes)
    assert not any(a.intersects(b) for a in boxes for b in boxes if a is not b)
    if columns:
        assert boxes[columns].top() > boxes[columns - 1].top()


def test_a_square_sheet_is_square_before_its_pictures_are_there(qtbot: QtBot) -> None:
    grid = PictureGrid("Pictures", 7)
    qtbot.addWidget(grid)
    grid.resize(220, 300)
    before = grid.placed.frame
    grid.set_images(np.zeros((49, 28, 28), np.float32))
    assert grid.placed.frame == before


def test_pictures_frames_and_the_pointer(qtbot: QtBot) -> None:
    grid = PictureGrid("Pictures")
    qtbot.addWidget(grid)
    grid.resize(300, 200)
    grid.show()
    qtbot.waitExposed(grid)
    images = np.stack([np.full((28, 28), level, np.float32) for level in (0.0, 0.5, 1.0)])
    grid.set_images(images, framed=[1])
    shown = grid.grab().toImage()
    levels = [shown.pixelColor(grid.box(number).center().toPoint()).red() for number in range(3)]
    assert levels == [0, 128, 255]
    frame = shown.pixelColor(grid.box(1).topLeft().toPoint() + QPoint(1, 1))
    assert frame.red() > frame.blue() + 60
    told: list[int | None] = []
    grid.pointed.connect(told.append)
    QTest.mouseMove(grid, grid.box(2).center().toPoint())
    QTest.mouseMove(grid, grid.rect().bottomRight())
    assert told == [2, None]
    assert grid.export("svg").count(b"<image") == 3
