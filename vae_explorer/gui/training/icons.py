"""The signs on the transport's buttons, painted in the theme's colours."""

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap, QPolygonF

from vae_explorer.gui.theme import Theme

SIDE = 18
"""Logical pixels."""

_SCALE = 3  # pixels of the picture in a logical one, for screens of high density


def icon(name: str, theme: Theme) -> QIcon:
    """A sign for a button of this theme; ``NAMES`` are those there are."""
    sign = QIcon()
    for mode, color in ((QIcon.Mode.Normal, theme.text), (QIcon.Mode.Disabled, theme.grid)):
        pixmap = QPixmap(SIDE * _SCALE, SIDE * _SCALE)
        pixmap.setDevicePixelRatio(_SCALE)
        pixmap.fill(Qt.GlobalColor.transparent)
        with QPainter(pixmap) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(color))
            _SIGNS[name](painter)
        sign.addPixmap(pixmap, mode)
    return sign


def _triangle(painter: QPainter, left: float, right: float, half: float = 5.5) -> None:
    """Pointing right."""
    corners = [QPointF(left, 9 - half), QPointF(right, 9), QPointF(left, 9 + half)]
    painter.drawPolygon(QPolygonF(corners))


def _bar(painter: QPainter, left: float, width: float = 2.2) -> None:
    painter.drawRect(QRectF(left, 3.5, width, 11))


def _outline(painter: QPainter, width: float = 1.8) -> None:
    pen = QPen(painter.brush().color(), width)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    painter.setPen(pen)


def _run(painter: QPainter) -> None:
    _triangle(painter, 4.5, 14.5, 6)


def _pause(painter: QPainter) -> None:
    _bar(painter, 4.5, 3)
    _bar(painter, 10.5, 3)


def _stop(painter: QPainter) -> None:
    painter.drawRect(QRectF(4, 4, 10, 10))


def _step(painter: QPainter) -> None:
    _triangle(painter, 3.5, 11)
    _bar(painter, 12)


def _epoch(painter: QPainter) -> None:
    _triangle(painter, 1.5, 7)
    _triangle(painter, 7, 12.5)
    _bar(painter, 13.5)


def _slow(painter: QPainter) -> None:
    """A stop watch."""
    painter.drawRect(QRectF(7.2, 0.8, 3.6, 2))
    _outline(painter)
    brush = painter.brush()
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawEllipse(QPointF(9, 10), 6.2, 6.2)
    painter.setBrush(brush)
    painter.drawLine(QPointF(9, 10), QPointF(9, 6.4))
    painter.drawLine(QPointF(9, 10), QPointF(11.4, 11.2))


def _restart(painter: QPainter) -> None:
    """An arrow that goes round, back to where it began."""
    color = painter.brush()
    arrow = [QPointF(1.2, 4.2), QPointF(7.4, 3.2), QPointF(4.6, 8.8)]
    painter.drawPolygon(QPolygonF(arrow))
    _outline(painter, 2)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawArc(QRectF(3.5, 3.5, 11.5, 11.5), 140 * 16, -290 * 16)
    painter.setBrush(color)


def _branch(painter: QPainter) -> None:
    """A line that another leaves."""
    ends = (QPointF(5, 3.5), QPointF(5, 14.5), QPointF(13, 4.5))
    for end in ends:
        painter.drawEllipse(end, 2.3, 2.3)
    _outline(painter)
    painter.drawLine(ends[0], ends[1])
    way = QPainterPath(QPointF(5, 11))
    way.cubicTo(QPointF(5, 8.5), QPointF(13, 9.5), ends[2])
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(way)


def _seed(painter: QPainter) -> None:
    """A die."""
    for x, y in ((6, 6), (12, 6), (9, 9), (6, 12), (12, 12)):
        painter.drawEllipse(QPointF(x, y), 1.3, 1.3)
    _outline(painter, 1.6)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(QRectF(2.2, 2.2, 13.6, 13.6), 2.5, 2.5)


def _close(painter: QPainter) -> None:
    _outline(painter, 2)
    painter.drawLine(QPointF(5, 5), QPointF(13, 13))
    painter.drawLine(QPointF(13, 5), QPointF(5, 13))


_SIGNS: dict[str, Callable[[QPainter], None]] = {
    "run": _run,
    "pause": _pause,
    "stop": _stop,
    "step": _step,
    "epoch": _epoch,
    "slow_motion": _slow,
    "restart": _restart,
    "branch": _branch,
    "new_seed": _seed,
    "close": _close,
}
NAMES = tuple(_SIGNS)
