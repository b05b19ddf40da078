"""Lines drawn on a pad by the mouse, and the pixels that they should ink."""

from collections.abc import Callable, Iterable

import numpy as np
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import (
    QMouseEvent,
)
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from vae_explorer.gui.explore.sketch.drawing_pad import DrawingPad
from vae_explorer.gui.explore.sketch.strokes import SIDE
from vae_explorer.types import Float64, LatentPoint, UInt8

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
NONE_HELD = Qt.KeyboardModifier.NoModifier
Give = Callable[["DrawingPad", QMimeData], bool]


def pixel(pad: DrawingPad, position: LatentPoint) -> QPoint:
    """Where a position, in sides of the pad, is on the widget."""
    side = min(pad.width(), pad.height()) - 2
    left, top = (pad.width() - side) // 2, (pad.height() - side) // 2
    return QPoint(round(left + position[0] * side), round(top + position[1] * side))


def draw(pad: DrawingPad, positions: Iterable[LatentPoint], button: Qt.MouseButton = LEFT) -> None:
    first, *rest = [pixel(pad, position) for position in positions]
    QTest.mousePress(pad, button, pos=first)
    for at in rest:
        QTest.mouseMove(pad, at)
    QTest.mouseRelease(pad, button, pos=rest[-1] if rest else first)


def move(pad: DrawingPad, at: QPoint) -> None:
    """Move the mouse with the left button held, without a turn of the event loop."""
    there = QPointF(at)
    kind = QEvent.Type.MouseMove
    event = QMouseEvent(
        kind, there, pad.mapToGlobal(there), Qt.MouseButton.NoButton, LEFT, NONE_HELD
    )
    QApplication.sendEvent(pad, event)


def line(start: LatentPoint, end: LatentPoint, pieces: int = 20) -> list[LatentPoint]:
    shares = np.linspace(0, 1, pieces + 1)
    return [
        (start[0] + t * (end[0] - start[0]), start[1] + t * (end[1] - start[1])) for t in shares
    ]


def capsule(start: LatentPoint, end: LatentPoint, width: float) -> Float64:
    """Distance of each pixel's middle to the edge of a round line; negative inside, pixels."""
    y, x = np.indices((SIDE, SIDE)) + 0.5
    (x0, y0), (x1, y1) = start, end
    points = np.stack([x / SIDE - x0, y / SIDE - y0], axis=-1)
    along = np.array([x1 - x0, y1 - y0])
    share = np.clip(points @ along / max(along @ along, 1e-12), 0, 1)
    offsets = points - share[..., None] * along
    distance: Float64 = np.hypot(offsets[..., 0], offsets[..., 1]) - width / 2
    return distance * SIDE


def assert_is(ink: UInt8, distance: Float64) -> None:
    assert (ink[distance < -1.5] == 255).all()
    assert (ink[distance > 1.5] == 0).all()


HORIZONTAL = line((0.2, 0.3), (0.8, 0.3))
VERTICAL = line((0.5, 0.2), (0.5, 0.8))
