"""Pictures along a path in a row, and below each gap how far the picture goes there."""

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget
from typing_extensions import override

from vae_explorer.gui.explore.decode.image import gray8
from vae_explorer.gui.theme import current_theme
from vae_explorer.types import Float32, Float64

_BARS = 24  # pixels, the highest bar
_GAP = 3
_TALLEST = 110  # pixels of a picture


class StepStrip(QWidget):
    """Shows pictures and steps; two strips with the same ``highest`` can be compared.

    Args:
        name: of the path.
        color: the name of its colour in a theme.
    """

    def __init__(self, name: str, color: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._color = color
        self._images: Float32 = np.zeros((0, 1, 1), np.float32)
        self._steps: Float64 = np.zeros(0)
        self._highest = 1.0
        self._title = name
        self.setAccessibleName(name)
        self.setToolTip("Below: how far the picture goes from one to the next")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_frames(self, images: Float32, steps: Float64, highest: float, title: str) -> None:
        """Show pictures (n, h, w) and the n − 1 steps between, of which ``highest`` is tallest."""
        self._images, self._steps, self._highest, self._title = images, steps, highest, title
        self.setAccessibleDescription(title)
        self.updateGeometry()
        self.update()

    def picture_rect(self, number: int) -> QRectF:
        """Where a picture is."""
        side, top = self._side, self.fontMetrics().height() + _GAP
        left = (self.width() - side * len(self._images)) / 2
        return QRectF(left + number * side, top, side, side).adjusted(1, 0, -1, -2)

    def bar_rect(self, number: int) -> QRectF:
        """Where the bar of a step is."""
        before, after = self.picture_rect(number), self.picture_rect(number + 1)
        middle, width = (before.right() + after.left()) / 2, 0.5 * before.width()
        height = _BARS * min(float(self._steps[number]) / self._highest, 1.0)
        foot = before.bottom() + _GAP + _BARS
        return QRectF(middle - width / 2, foot - height, width, height)

    @override
    def sizeHint(self) -> QSize:
        height = self.fontMetrics().height() + _GAP + self._side + _GAP + _BARS + _GAP
        return QSize(300, round(height))

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(200, self.sizeHint().height())

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.oldSize().width() != event.size().width():
            self.updateGeometry()

    @property
    def _side(self) -> float:
        return min(self.width() / max(len(self._images), 11), float(_TALLEST))

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            text = QFontMetricsF(self.font())
            theme = current_theme()
            color = QColor(getattr(theme, self._color))
            painter.setPen(QColor(theme.text))
            dot = QRectF(2, text.height() / 2 - 4, 9, 9)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setBrush(color)
            painter.drawEllipse(dot)
            painter.drawText(QPointF(16, text.ascent()), self._title)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            for number, image in enumerate(self._images):
                painter.drawImage(self.picture_rect(number), gray8(image))
            for number in range(len(self._steps)):
                painter.fillRect(self.bar_rect(number), color)
