"""A small chart, drawn anew at every change, on which instruments show their numbers."""

import math
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget
from typing_extensions import override

from vae_explorer.gui.lessons.sketch_marks import (
    Arrow,
    Columns,
    Dots,
    Level,
    Line,
    Mark,
    tick_text,
    ticks,
)
from vae_explorer.gui.theme import Theme, current_theme
from vae_explorer.types import Floats, Region

_PAD = 6
_TICK = 4


class Sketch(QWidget):
    """A frame with a title, two axes and marks, in their order; later ones lie on top.

    Args:
        title: above the frame, with the names of the marks beside it.
        across: what x is.
    """

    def __init__(self, title: str, across: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = title
        self._across = across
        self._marks: Sequence[Mark] = ()
        self._named: list[Mark] = []
        self._frame = QRectF()
        self._title_width, self._head_lines = 0, 1
        self._range = (0.0, 1.0, 0.0, 1.0)
        self._square = False
        self._apart = 0.0
        self._theme = current_theme()
        self.setAccessibleName(title)
        self.setMinimumSize(150, 110)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_theme(self, theme: Theme) -> None:
        """Take the theme's colours for the frame."""
        self._theme = theme
        self.update()

    def set_title(self, title: str, across: str) -> None:
        """Call it and its x otherwise."""
        self._title, self._across = title, across
        self.setAccessibleName(title)
        self._measure()

    def set_apart(self, apart: float) -> None:
        """Let the numbers of x be so far from each other, or further."""
        self._apart = apart
        self.update()

    def set_square(self, square: bool) -> None:
        """Let a unit be as long upwards as across."""
        self._square = square
        self.update()

    def set_range(self, left: float, right: float, bottom: float, top: float) -> None:
        """Show this part of the plane."""
        self._range = left, right, bottom, top
        self.update()

    def set_marks(self, marks: Sequence[Mark]) -> None:
        """Show these marks."""
        self._marks = marks
        self._named = [mark for mark in marks if mark.name]
        self._measure()

    @override
    def sizeHint(self) -> QSize:
        return QSize(240, 180)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._measure()

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._measure()

    @property
    def frame(self) -> QRectF:
        """Where the marks are, in pixels."""
        return self._frame

    @property
    def range(self) -> Region:
        """What is shown: left, right, bottom, top."""
        left, right, bottom, top = self._range
        frame = self.frame
        if self._square and frame.width() > 0 and frame.height() > 0:
            scale = max((right - left) / frame.width(), (top - bottom) / frame.height()) / 2
            x, y = (left + right) / 2, (bottom + top) / 2
            wide, high = scale * frame.width(), scale * frame.height()
            return x - wide, x + wide, y - high, y + high
        return self._range

    def to_pixel(self, x: float, y: float) -> QPointF:
        """Where a place is."""
        (left, right, bottom, top), frame = self.range, self.frame
        across = frame.left() + (x - left) / (right - left) * frame.width()
        return QPointF(across, frame.bottom() - (y - bottom) / (top - bottom) * frame.height())

    def to_place(self, pixel: QPointF) -> tuple[float, float]:
        """Which place is there, (x, y)."""
        (left, right, bottom, top), frame = self.range, self.frame
        x = left + (pixel.x() - frame.left()) / frame.width() * (right - left)
        return x, bottom + (frame.bottom() - pixel.y()) / frame.height() * (top - bottom)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = self.frame
        if frame.width() < 20 or frame.height() < 20:
            return
        painter.fillRect(frame, QColor(self._theme.canvas))
        self._draw_axes(painter, frame)
        painter.save()
        painter.setClipRect(frame)
        for mark in self._marks:
            self._draw(painter, mark, frame)
        painter.restore()
        self._draw_head(painter)

    def _measure(self) -> None:
        """Once at each change: measuring text is slow."""
        metrics = self.fontMetrics()
        named = sum(metrics.horizontalAdvance(mark.name) + 30 for mark in self._named)
        self._title_width = round(1.1 * metrics.horizontalAdvance(self._title)) + 12
        fits = self._title_width + named <= self.width() - _PAD
        self._head_lines = 1 if fits or not named or not self._title else 2
        left = metrics.horizontalAdvance("−0.000") + _PAD
        top = self._head_lines * metrics.lineSpacing() + _PAD
        bottom = metrics.height() + _TICK + 2
        self._frame = QRectF(left, top, self.width() - left - 12, self.height() - top - bottom)
        self.update()

    def _draw_axes(self, painter: QPainter, frame: QRectF) -> None:
        metrics = self.fontMetrics()
        left, right, bottom, top = self.range
        grid, text = QColor(self._theme.grid), QColor(self._theme.muted)
        columns = ticks(left, right, max(2, int(frame.width() / 60)), self._apart)
        rows = ticks(bottom, top, min(8, max(2, int(frame.height() / (2.5 * metrics.height())))))
        room = frame.right() - metrics.horizontalAdvance(self._across) - 8 if self._across else 1e9
        step = columns[1] - columns[0] if len(columns) > 1 else 1.0
        for value in columns:
            x = self.to_pixel(value, bottom).x()
            painter.setPen(grid)
            painter.drawLine(QPointF(x, frame.top()), QPointF(x, frame.bottom()))
            word = tick_text(value, step)
            wide = metrics.horizontalAdvance(word)
            if x + wide / 2 < room:
                painter.setPen(text)
                painter.drawText(
                    QPointF(x - wide / 2, frame.bottom() + _TICK + metrics.ascent()), word
                )
        step = rows[1] - rows[0] if len(rows) > 1 else 1.0
        for value in rows:
            y = self.to_pixel(left, value).y()
            painter.setPen(grid)
            painter.drawLine(QPointF(frame.left(), y), QPointF(frame.right(), y))
            word = tick_text(value, step)
            painter.setPen(text)
            x = frame.left() - 5 - metrics.horizontalAdvance(word)
            painter.drawText(QPointF(x, y + metrics.ascent() / 2 - 1), word)
        if self._across:
            painter.setPen(QColor(self._theme.text))
            place = QPointF(
                frame.right() - metrics.horizontalAdvance(self._across),
                frame.bottom() + _TICK + metrics.ascent(),
            )
            painter.drawText(place, self._across)
        painter.setPen(QColor(self._theme.muted))
        painter.drawRect(frame)

    def _draw(self, painter: QPainter, mark: Mark, frame: QRectF) -> None:
        color = QColor(mark.color)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        match mark:
            case Line():
                self._draw_line(painter, mark)
            case Columns():
                self._draw_columns(painter, mark)
            case Dots():
                color.setAlphaF(mark.opacity)
                painter.setPen(
                    QPen(color, mark.size, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap)
                )
                painter.drawPoints(self._polygon(mark.places[:, 0], mark.places[:, 1]))
            case Level():
                style = Qt.PenStyle.DashLine if mark.dashed else Qt.PenStyle.SolidLine
                painter.setPen(QPen(color, 2, style))
                if mark.upright:
                    x = self.to_pixel(mark.value, 0.0).x()
                    painter.drawLine(QPointF(x, frame.top()), QPointF(x, frame.bottom()))
                else:
                    y = self.to_pixel(0.0, mark.value).y()
                    painter.drawLine(QPointF(frame.left(), y), QPointF(frame.right(), y))
            case Arrow():
                self._draw_arrow(painter, mark)

    def _draw_columns(self, painter: QPainter, mark: Columns) -> None:
        shade = QColor(mark.color)
        shade.setAlpha(150)
        inset = mark.gap * np.diff(mark.edges) / 2
        zero = np.zeros(len(mark.heights))
        upper = self._polygon(mark.edges[:-1] + inset, mark.heights).toList()
        lower = self._polygon(mark.edges[1:] - inset, zero).toList()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(shade)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)  # slow, and blurs the sides
        painter.drawRects([QRectF(*pair) for pair in zip(upper, lower, strict=True)])
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)

    def _draw_line(self, painter: QPainter, mark: Line) -> None:
        if len(mark.x) == 0:
            return
        color = QColor(mark.color)
        x, y = self._thinned(mark)
        polygon = self._polygon(x, y)
        if mark.filled:
            shade = QColor(color)
            shade.setAlpha(60)
            ends = (float(x[-1]), float(x[0]))
            area = QPolygonF([*polygon.toList(), *(self.to_pixel(end, 0.0) for end in ends)])
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(shade)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)  # slow; the line has it
            painter.drawPolygon(area)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setBrush(Qt.BrushStyle.NoBrush)
        style = Qt.PenStyle.DashLine if mark.dashed else Qt.PenStyle.SolidLine
        painter.setPen(QPen(color, mark.width, style))
        if len(x) == 1:
            painter.setPen(QPen(color, 6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawPoint(polygon.first())
        else:
            painter.drawPolyline(polygon)

    def _draw_arrow(self, painter: QPainter, mark: Arrow) -> None:
        color = QColor(mark.color)
        start, end = self.to_pixel(*mark.start), self.to_pixel(*mark.end)
        painter.setPen(QPen(color, 2.5))
        painter.drawLine(start, end)
        along = start - end
        length = math.hypot(along.x(), along.y())
        if length < 1:
            return
        back = along * (min(9.0, length) / length)
        side = QPointF(-back.y(), back.x()) * 0.45
        painter.setBrush(color)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawPolygon(QPolygonF([end, end + back + side, end + back - side]))

    def _polygon(self, x: Floats, y: Floats) -> QPolygonF:
        (left, right, bottom, top), frame = self.range, self.frame
        across = frame.left() + (x - left) / (right - left) * frame.width()
        # Far outside, Qt's drawing is slow, and overflows.
        up = frame.bottom() - (y - bottom) / (top - bottom) * frame.height()
        return QPolygonF(list(map(QPointF, across.tolist(), np.clip(up, -1e4, 1e4).tolist())))

    def _thinned(self, mark: Line) -> tuple[Floats, Floats]:
        """The points in sight and one beyond each end, about one to every three pixels."""
        left, right, _, _ = self.range
        inside = np.flatnonzero((mark.x >= left) & (mark.x <= right))
        if len(inside) < 2:
            return mark.x, mark.y
        first, last = max(inside[0] - 1, 0), min(inside[-1] + 2, len(mark.x))
        stride = max(1, round(3 * len(inside) / self.frame.width()))
        chosen = np.append(np.arange(first, last - 1, stride), last - 1)
        return mark.x[chosen], mark.y[chosen]

    def _draw_head(self, painter: QPainter) -> None:
        metrics = self.fontMetrics()
        base = metrics.ascent() + 1.0
        bold = self.font()
        bold.setBold(True)
        painter.setFont(bold)
        painter.setPen(QColor(self._theme.text))
        painter.drawText(QPointF(_PAD, base), self._title)
        painter.setFont(self.font())
        x = float(_PAD)
        if self._head_lines == 2:
            base += metrics.lineSpacing()
        elif self._title:
            x += self._title_width
        for mark in self._named:
            solid = isinstance(mark, Line | Level) and not mark.dashed
            middle = base - metrics.ascent() / 2 + 2
            dash = Qt.PenStyle.SolidLine if solid else Qt.PenStyle.DotLine
            if isinstance(mark, Columns | Dots | Arrow):
                painter.fillRect(QRectF(x + 3, middle - 4, 9, 9), QColor(mark.color))
            else:
                painter.setPen(QPen(QColor(mark.color), 3, dash))
                painter.drawLine(QPointF(x, middle), QPointF(x + 15, middle))
            painter.setPen(QColor(self._theme.text))
            painter.drawText(QPointF(x + 20, base), mark.name)
            x += metrics.horizontalAdvance(mark.name) + 30
