"""What is drawn while points are being selected: the outline, and the pointer of each tool."""

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QCursor,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
)
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from vae_explorer.gui.map.plot import LatentPlot
from vae_explorer.gui.theme import current_theme
from vae_explorer.types import Float64

_WIDTH, _HALO_WIDTH = 1.5, 4.0  # pixels
_HALO_ALPHA, _FILL_ALPHA = 190, 40
_CURSOR_SIZE, _HOT = 24, 7  # pixels; the cross is at (7, 7), the sign of the tool below it
_SIGN = QRectF(12.5, 13.5, 10.0, 8.0)


class SelectionMarks(QWidget):
    """An overlay of a plot with the outline a hand is drawing."""

    def __init__(self, plot: LatentPlot) -> None:
        super().__init__(plot)
        self._plot = plot
        self._outline: Float64 | None = None
        plot.add_overlay(self)
        plot.view_changed.connect(self.update)

    def set_outline(self, outline: Float64 | None) -> None:
        """Draw these corners, (k, 2) in latent units, or nothing."""
        self.update(self._area())
        self._outline = outline
        self.update(self._area())

    @override
    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the line, dashed where it would close, and tint what it encloses."""
        if self._outline is None:
            return
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setClipRect(self._plot.plot_rect())
            corners = self._corners()
            accent, halo = QColor(current_theme().accent), QColor(current_theme().canvas)
            tint = QColor(accent)
            tint.setAlpha(_FILL_ALPHA)
            halo.setAlpha(_HALO_ALPHA)
            inside = QPainterPath()  # fills by the even-odd rule, which also selects
            inside.addPolygon(corners)
            painter.fillPath(inside, tint)
            painter.setPen(QPen(halo, _HALO_WIDTH))
            painter.drawPolygon(corners)
            painter.setPen(QPen(accent, _WIDTH))
            painter.drawPolyline(corners)
            painter.setPen(QPen(accent, _WIDTH, Qt.PenStyle.DashLine))
            painter.drawLine(corners.last(), corners.first())

    def _corners(self) -> QPolygonF:
        assert self._outline is not None
        return QPolygonF([self._plot.to_pixel(*corner) for corner in self._outline.tolist()])

    def _area(self) -> QRect:
        if self._outline is None:
            return QRect()
        margin = _HALO_WIDTH
        rect = self._corners().boundingRect().adjusted(-margin, -margin, margin, margin)
        return (rect & QRectF(self.rect())).toAlignedRect()


def box_cursor() -> QCursor:
    """A cross with a small box."""
    sign = QPainterPath()
    sign.addRect(_SIGN)
    return _cursor(sign)


def lasso_cursor() -> QCursor:
    """A cross with a small loop."""
    sign = QPainterPath()
    sign.addEllipse(_SIGN)
    return _cursor(sign)


def _cursor(sign: QPainterPath) -> QCursor:
    """Black on white, like the system's own: it has to show on any colour."""
    picture = QPixmap(QSize(_CURSOR_SIZE, _CURSOR_SIZE))
    picture.fill(Qt.GlobalColor.transparent)
    middle, end = _HOT + 0.5, 2 * _HOT + 0.5
    for start, stop in (
        (QPointF(middle, 0.5), QPointF(middle, end)),
        (QPointF(0.5, middle), QPointF(end, middle)),
    ):
        sign.moveTo(start)
        sign.lineTo(stop)
    with QPainter(picture) as painter:
        for color, width in ((Qt.GlobalColor.white, 3.0), (Qt.GlobalColor.black, 1.0)):
            painter.strokePath(sign, QPen(color, width))
    return QCursor(picture, _HOT, _HOT)
