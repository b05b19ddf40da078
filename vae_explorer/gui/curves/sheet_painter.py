"""Draws a sheet with any painter, in pixels of a screen of the usual density."""

from collections.abc import Iterator

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from vae_explorer.gui.curves.decimation import Vertices
from vae_explorer.gui.curves.legend import Entry, elided, entry_width
from vae_explorer.gui.curves.legend import flow as flow_lines
from vae_explorer.gui.curves.sheet import Axis, Band, Sheet, Stroke
from vae_explorer.gui.curves.ticks import ticks
from vae_explorer.gui.theme import Theme

_FONT_PIXELS = 12
_SMALL_PIXELS = 11
_LINE = 17.0
_LEFT, _RIGHT, _BOTTOM = 62.0, 12.0, 38.0
_TICK = 4.0
_FAR = 1e5
_SYMBOL = 3.0
_SHADE = 0.18


def draw_sheet(painter: QPainter, rect: QRectF, sheet: Sheet, theme: Theme) -> None:
    """Draw a panel with its title, legend, axes and curves into a rectangle."""
    painter.save()
    font, small = QFont(painter.font()), QFont(painter.font())
    font.setPixelSize(_FONT_PIXELS)
    small.setPixelSize(_SMALL_PIXELS)
    bold = QFont(font)
    bold.setBold(True)
    painter.setPen(QColor(theme.text))
    painter.setFont(bold)
    painter.drawText(QPointF(rect.left(), rect.top() + _LINE - 4), sheet.title)
    painter.setFont(font)
    top = rect.top() + _LINE + _draw_legend(painter, rect, sheet.entries, theme)
    painter.setFont(small)
    plot = QRectF(
        rect.left() + _LEFT,
        top + 4,
        max(rect.width() - _LEFT - _RIGHT, 1.0),
        max(rect.bottom() - _BOTTOM - top - 4, 1.0),
    )
    _draw_axes(painter, plot, sheet, theme)
    painter.setClipRect(plot)
    for band in sheet.bands:
        _draw_band(painter, plot, sheet, band)
    for mark in sheet.marks:
        x = _across(plot, sheet.x, mark.x)
        painter.setPen(QPen(QColor(mark.color), 1, mark.line))
        painter.drawLine(QPointF(x, plot.top()), QPointF(x, plot.bottom()))
    for stroke in sheet.strokes:
        _draw_stroke(painter, plot, sheet, stroke)
    if sheet.note:
        painter.setPen(QColor(theme.muted))
        painter.drawText(plot, Qt.AlignmentFlag.AlignCenter, sheet.note)
    painter.restore()


def _draw_legend(
    painter: QPainter, rect: QRectF, entries: tuple[Entry, ...], theme: Theme
) -> float:
    """Draw the entries under the title, and tell how high they are."""
    metrics = painter.fontMetrics()
    widths = [entry_width(entry, metrics) for entry in entries]
    y, remaining = rect.top() + _LINE, iter(zip(entries, widths, strict=True))
    for count in flow_lines(widths, round(rect.width())):
        x = rect.left()
        y += _LINE
        for _ in range(count):
            entry, width = next(remaining)
            painter.setPen(QColor(entry.color))
            painter.drawText(QPointF(x, y - 4), entry.stroke)
            painter.setPen(QColor(theme.text))
            start = x + metrics.horizontalAdvance(f"{entry.stroke} ")
            text = f"{elided(entry.name)} {entry.value}".strip()
            painter.drawText(QPointF(start, y - 4), text)
            x += width
    return y - rect.top() - _LINE


def _draw_axes(painter: QPainter, plot: QRectF, sheet: Sheet, theme: Theme) -> None:
    metrics = QFontMetricsF(painter.font(), painter.device())
    for x, number in ticks(sheet.x.low, sheet.x.high, int(plot.width() // 48), log=sheet.x.log):
        at = _across(plot, sheet.x, x)
        painter.setPen(QPen(QColor(theme.grid), 1))
        painter.drawLine(QPointF(at, plot.top()), QPointF(at, plot.bottom() + _TICK))
        painter.setPen(QColor(theme.text))
        place = QRectF(at - 40, plot.bottom() + _TICK, 80, 14)
        painter.drawText(place, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, number)
    for y, number in ticks(
        sheet.y.low, sheet.y.high, max(int(plot.height() // 24), 2), log=sheet.y.log
    ):
        at = _up(plot, sheet.y, y)
        painter.setPen(QPen(QColor(theme.grid), 1))
        painter.drawLine(QPointF(plot.left() - _TICK, at), QPointF(plot.right(), at))
        painter.setPen(QColor(theme.text))
        place = QRectF(plot.left() - _LEFT, at - 8, _LEFT - _TICK - 2, 16)
        painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, number)
    painter.setPen(QPen(QColor(theme.muted), 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(plot)
    painter.setPen(QColor(theme.text))
    below = QRectF(plot.left(), plot.bottom() + 18, plot.width(), 16)
    painter.drawText(below, Qt.AlignmentFlag.AlignCenter, sheet.x.label)
    painter.save()
    painter.translate(plot.left() - _LEFT + 10, plot.center().y())
    painter.rotate(-90)
    width = metrics.horizontalAdvance(sheet.y.label)
    painter.drawText(QPointF(-width / 2, 0), sheet.y.label)
    painter.restore()


def _draw_band(painter: QPainter, plot: QRectF, sheet: Sheet, band: Band) -> None:
    upper = list(_polygons(plot, sheet, band.upper))
    lower = list(_polygons(plot, sheet, band.lower))
    color = QColor(band.color)
    color.setAlphaF(_SHADE)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    for above, below in zip(upper, lower, strict=True):
        painter.drawPolygon(QPolygonF([*above, *reversed(below)]))
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _draw_stroke(painter: QPainter, plot: QRectF, sheet: Sheet, stroke: Stroke) -> None:
    color = QColor(stroke.color)
    color.setAlphaF(stroke.opacity)
    for points in _polygons(plot, sheet, stroke.vertices):
        painter.setPen(QPen(color, 1.2, stroke.line))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(points)
        if stroke.symbol:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color)
            for point in points:
                _draw_symbol(painter, point, stroke.symbol)


def _draw_symbol(painter: QPainter, point: QPointF, symbol: str) -> None:
    if symbol == "o":
        painter.drawEllipse(point, _SYMBOL, _SYMBOL)
        return
    r = _SYMBOL * 1.3
    corners = ((0, -r), (r, 0), (0, r), (-r, 0))
    painter.drawPolygon(QPolygonF([point + QPointF(x, y) for x, y in corners]))


def _polygons(plot: QRectF, sheet: Sheet, vertices: Vertices) -> Iterator[list[QPointF]]:
    """The pieces of a curve between values that are not finite, in pixels."""
    x = _across(plot, sheet.x, 0.0) + vertices.x * plot.width() / (sheet.x.high - sheet.x.low)
    y = _up(plot, sheet.y, 0.0) - vertices.y * plot.height() / (sheet.y.high - sheet.y.low)
    finite = np.isfinite(x) & np.isfinite(y)
    pieces = np.split(np.arange(len(x)), np.flatnonzero(np.diff(finite.astype(int))) + 1)
    for piece in pieces:
        if len(piece) and finite[piece[0]]:
            places = zip(
                x[piece].clip(-_FAR, _FAR).tolist(),
                y[piece].clip(-_FAR, _FAR).tolist(),
                strict=True,
            )
            yield [QPointF(*place) for place in places]


def _across(plot: QRectF, axis: Axis, x: float) -> float:
    return plot.left() + (x - axis.low) / (axis.high - axis.low) * plot.width()


def _up(plot: QRectF, axis: Axis, y: float) -> float:
    return plot.bottom() - (y - axis.low) / (axis.high - axis.low) * plot.height()
