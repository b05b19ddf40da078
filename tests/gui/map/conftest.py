from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from tests.support.canvas import SIGNALS
from tests.support.widgets import expose
from vae_explorer.data.bundled import mnist_dataset
from vae_explorer.gui.map.canvas import MapCanvas
from vae_explorer.gui.map.map_view import MapView
from vae_explorer.session.map.state import MapPoints

LEFT = Qt.MouseButton.LeftButton
NO_BUTTON = Qt.MouseButton.NoButton


class Hand:
    """Sends mouse events to one widget, with the buttons a real mouse would report.

    ``keys`` are held down all the while.
    """

    def __init__(self, widget: QWidget) -> None:
        self.keys = Qt.KeyboardModifier.NoModifier
        self._widget = widget
        self._held = NO_BUTTON

    def _send(self, kind: QEvent.Type, at: QPointF, button: Qt.MouseButton) -> None:
        spot = QPointF(self._widget.mapToGlobal(at.toPoint()))
        event = QMouseEvent(kind, at, spot, button, self._held, self.keys)
        QApplication.sendEvent(self._widget, event)

    def move(self, at: QPointF) -> None:
        self._send(QEvent.Type.MouseMove, at, NO_BUTTON)

    def press(
        self,
        at: QPointF,
        button: Qt.MouseButton = LEFT,
        kind: QEvent.Type = QEvent.Type.MouseButtonPress,
    ) -> None:
        self._held = button
        self._send(kind, at, button)

    def release(self, at: QPointF, button: Qt.MouseButton = LEFT) -> None:
        self._held = NO_BUTTON
        self._send(QEvent.Type.MouseButtonRelease, at, button)

    def click(self, at: QPointF, button: Qt.MouseButton = LEFT) -> None:
        self.press(at, button)
        self.release(at, button)

    def double_click(self, at: QPointF) -> None:
        self.click(at)
        self.press(at, kind=QEvent.Type.MouseButtonDblClick)
        self.release(at)

    def drag(self, *path: QPointF, button: Qt.MouseButton = LEFT) -> None:
        self.press(path[0], button)
        for at in path[1:]:
            self.move(at)
        self.release(path[-1], button)

    def leave(self) -> None:
        QApplication.sendEvent(self._widget, QEvent(QEvent.Type.Leave))

    def wheel(self, at: QPointF, notches: int) -> None:
        spot = QPointF(self._widget.mapToGlobal(at.toPoint()))
        event = QWheelEvent(
            at,
            spot,
            QPoint(),
            QPoint(0, 120 * notches),
            NO_BUTTON,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(self._widget, event)


def make_points(places: list[tuple[float, float]], labels: list[int]) -> MapPoints:
    n = len(places)
    return MapPoints(
        positions=np.array(places, np.float32).reshape(n, 2),
        labels=np.array(labels, np.uint8),
        indices=np.arange(n, dtype=np.int64) + 1000,
        total=60_000,
        split="train",
        data=mnist_dataset(),
    )


@pytest.fixture
def points_of() -> Callable[[list[tuple[float, float]], list[int]], MapPoints]:
    return make_points


@pytest.fixture
def view(qtbot: QtBot) -> MapView:
    """A map of three classes, shown: two at the corners, and one in the middle."""
    widget = expose(qtbot, MapView(), 700, 560)
    widget.set_points(make_points([(-2, -2), (2, 2), (0, 0), (-2, 2)], [0, 1, 7, 1]))
    return widget


@pytest.fixture
def hand(view: MapView) -> Hand:
    return Hand(view.canvas)


@pytest.fixture
def canvas(view: MapView) -> MapCanvas:
    view.canvas.setFocus()
    return view.canvas


@pytest.fixture
def heard(canvas: MapCanvas) -> Iterator[list[tuple[Any, ...]]]:
    """Everything the canvas says: (signal, *arguments)."""
    said: list[tuple[Any, ...]] = []
    for name in SIGNALS:
        getattr(canvas, name).connect(lambda *a, name=name: said.append((name, *a)))
    yield said
    for name in SIGNALS:
        getattr(canvas, name).disconnect()
