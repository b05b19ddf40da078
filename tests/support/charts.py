"""Charts on screen and the pixels of their pictures."""

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QMouseEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.support.widgets import expose
from vae_explorer.gui.plot.chart import Chart
from vae_explorer.types import Float64


def shown(qtbot: QtBot, chart: Chart) -> Chart:
    return expose(qtbot, chart, 320, 220)


def hover(chart: Chart, at: QPoint) -> None:
    """Not by the real pointer: a window of another test that lies there would get it."""
    none, spot = Qt.MouseButton.NoButton, QPointF(chart.mapToGlobal(at))
    held = Qt.KeyboardModifier.NoModifier
    move = QMouseEvent(QEvent.Type.MouseMove, QPointF(at), spot, none, none, held)
    QApplication.sendEvent(chart, move)


def pixels(image: QImage) -> Float64:
    rgb = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(rgb.constBits(), np.uint8).reshape(rgb.height(), rgb.bytesPerLine())
    return rows[:, : 3 * rgb.width()].reshape(rgb.height(), rgb.width(), 3).astype(float)


def count(image: QImage, color: str) -> int:
    wanted = QColor(color)
    near = np.abs(pixels(image) - (wanted.red(), wanted.green(), wanted.blue())) < 30
    return int(near.all(axis=2).sum())
