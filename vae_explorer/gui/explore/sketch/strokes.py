"""The ink on the pad: lines and pictures, and how they are drawn."""

from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QPainterPath, QPen

SIDE = 280
"""Pixels a side of the ink, however large the pad is on screen."""


@dataclass(frozen=True)
class Sample:
    """A position of a line and its width there, in sides of the pad."""

    x: float
    y: float
    width: float

    def pixel(self) -> QPointF:
        """Where it is in the ink."""
        # Scaling the painter instead makes Qt's round caps square: it flattens before it scales.
        return QPointF(self.x * SIDE, self.y * SIDE)


@dataclass(frozen=True, eq=False)
class Stroke:
    """A line through ``samples``, to which more are appended while it is drawn."""

    samples: list[Sample]
    erasing: bool


@dataclass(frozen=True, eq=False)
class Picture:
    """An image, as large as fits."""

    image: QImage


Mark = Stroke | Picture
"""What an undo takes back."""


def inked(marks: Iterable[Mark]) -> QImage:
    """All marks on an empty pad, in their order; grey, SIDE × SIDE."""
    ink = QImage(SIDE, SIDE, QImage.Format.Format_Grayscale8)
    ink.fill(Qt.GlobalColor.black)
    with QPainter(ink) as painter:
        _smooth(painter)
        for mark in marks:
            if isinstance(mark, Picture):
                _draw_picture(painter, mark.image)
            else:
                for position in range(len(mark.samples) + 1):
                    _draw_piece(painter, mark, position)
    return ink


def draw_end(ink: QImage, stroke: Stroke) -> None:
    """Draw what the last sample adds to a line that is being drawn."""
    with QPainter(ink) as painter:
        _smooth(painter)
        _draw_piece(painter, stroke, len(stroke.samples) - 1)


def _smooth(painter: QPainter) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)


def _draw_piece(painter: QPainter, stroke: Stroke, position: int) -> None:
    """Draw what sample ``position`` adds to a line; beyond the last one, its end.

    The line goes through the middles between samples, as a parabola whose tangents meet in the
    sample between them. Drawn piece by piece at any time, it has the same pixels.
    """
    samples = stroke.samples
    last = samples[max(position - 1, 0)]
    color = Qt.GlobalColor.black if stroke.erasing else Qt.GlobalColor.white
    pen = QPen(color, last.width * SIDE)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    painter.setPen(pen)
    if position == 0:
        painter.drawPoint(last.pixel())
        return
    start = (samples[max(position - 2, 0)].pixel() + last.pixel()) / 2
    path = QPainterPath(start)
    if position < len(samples):
        path.quadTo(last.pixel(), (last.pixel() + samples[position].pixel()) / 2)
    else:
        path.lineTo(last.pixel())
    painter.drawPath(path)


def _draw_picture(painter: QPainter, image: QImage) -> None:
    """Draw it in the middle, as large as fits."""
    scale = SIDE / max(image.width(), image.height())
    width, height = scale * image.width(), scale * image.height()
    painter.drawImage(QRectF((SIDE - width) / 2, (SIDE - height) / 2, width, height), image)
