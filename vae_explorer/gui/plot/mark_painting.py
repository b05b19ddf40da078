"""Paints the marks of a chart."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from pyqtgraph.functions import arrayToQPath, arrayToQPolygonF, ndarray_from_qpolygonf
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QPainter,
    QPen,
    QPolygonF,
    QTransform,
)

from vae_explorer.gui.plot.captions import captions, name_boxes, write_captions
from vae_explorer.gui.plot.latent_marks import prepared
from vae_explorer.gui.plot.layout import Layout
from vae_explorer.gui.plot.marks import (
    Arrow,
    Band,
    Box,
    Columns,
    Dots,
    Layer,
    Level,
    Line,
    Mark,
    Painted,
    Picture,
    Ring,
    theme_color,
)
from vae_explorer.gui.plot.thinning import thinned
from vae_explorer.gui.theme import Theme
from vae_explorer.types import Float64, Region

_SYMBOL = 3.0
_SYMBOL_ROOM = 8.0
"""Pixels; symbols that would touch are left out."""
_CORNERS = {
    "d": ((0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)),
    "s": ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
    "<": ((-1.0, 0.0), (0.2, -1.0), (0.2, 1.0)),
}
"""Of symbols that are not round, in their sizes."""
_MANY = 128
"""From this many points on, a wide line is painted piece by piece: Qt's own joints take 80 times as
long where it is rough."""


@contextmanager
def saved(painter: QPainter) -> Iterator[None]:
    """Whatever is done to a painter, or raised, it is afterwards as it was."""
    painter.save()
    try:
        yield
    finally:
        painter.restore()


def paint_marks(painter: QPainter, marks: tuple[Mark, ...], layout: Layout, theme: Theme) -> None:
    """Paint marks within the frame, later ones on top."""
    if not marks:
        return
    with saved(painter):
        painter.setClipRect(layout.frame)
        for mark in marks:
            with saved(painter):
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                painter.setBrush(Qt.BrushStyle.NoBrush)
                _paint_mark(painter, mark, layout, theme)
    _write_texts(painter, [mark for mark in marks if isinstance(mark, Ring)], layout, theme)


def _paint_mark(painter: QPainter, mark: Mark, layout: Layout, theme: Theme) -> None:
    frame = layout.frame
    match mark:
        case Line():
            _paint_line(painter, mark, layout, theme)
        case Band():
            _paint_band(painter, mark, layout, theme)
        case Columns():
            _paint_columns(painter, mark, layout, theme)
        case Box():
            _paint_box(painter, mark, layout, theme)
        case Dots():
            color = theme_color(theme, mark.color, mark.opacity)
            painter.setPen(_round_pen(color, mark.size * layout.scale))
            pixels = layout.pixels(mark.positions[:, 0], mark.positions[:, 1])
            painter.drawPoints(_polygon(pixels[np.isfinite(pixels).all(1)]))
        case Level():
            style = Qt.PenStyle.DashLine if mark.dashed else Qt.PenStyle.SolidLine
            color, width = theme_color(theme, mark.color), mark.width * layout.scale
            painter.setPen(QPen(color, width, style))
            axis, other = (layout.x, layout.y) if mark.upright else (layout.y, layout.x)
            if math.isfinite(axis.share(mark.value)):
                position = (mark.value, other.low) if mark.upright else (other.low, mark.value)
                at = layout.to_pixel(*position)
                ends = (
                    (at.x(), frame.top(), at.x(), frame.bottom())
                    if mark.upright
                    else (frame.left(), at.y(), frame.right(), at.y())
                )
                painter.drawLine(QLineF(*ends))
        case Arrow():
            _paint_arrow(painter, mark, layout, theme)
        case Ring():
            paint_ring(painter, mark, layout, theme)
        case Picture():
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.setOpacity(painter.opacity() * mark.opacity)
            image = mark.image.flipped(Qt.Orientation.Vertical)
            painter.drawImage(_area(mark.region, layout), image)
        case Painted():
            mark.paint(painter, layout, theme)
        case Layer():
            painter.setOpacity(painter.opacity() * mark.opacity)
            for one in mark.marks:
                with saved(painter):
                    _paint_mark(painter, one, layout, theme)
            _to_latent(painter, layout)
            left, right, bottom, top = layout.region
            texts = [text for one in mark.marks for text in captions(one, layout.font)]
            view = QRectF(left, bottom, right - left, top - bottom)
            write_captions(painter, texts, view, theme, name_boxes(mark.names, layout.font))
        case _:
            _to_latent(painter, layout)
            for paint in prepared(mark, theme, layout.scale):
                with saved(painter):
                    paint(painter)


def _to_latent(painter: QPainter, layout: Layout) -> None:
    """Let the painter's units be those of the axes, which are linear."""
    origin, scale = layout.to_pixel(0.0, 0.0), layout.to_pixel(1.0, 1.0)
    step = scale - origin
    to_pixels = QTransform(step.x(), 0.0, 0.0, step.y(), origin.x(), origin.y())
    painter.setWorldTransform(to_pixels, True)


def _paint_line(painter: QPainter, mark: Line, layout: Layout, theme: Theme) -> None:
    frame, width = layout.frame, mark.width * layout.scale
    pixels = thinned(_in_sight(layout.pixels(mark.x, mark.y), frame), frame.width())
    color = theme_color(theme, mark.color, mark.opacity)
    style = Qt.PenStyle.DotLine if mark.dotted else Qt.PenStyle.SolidLine
    style = Qt.PenStyle.DashLine if mark.dashed else style
    zero = min(max(layout.to_pixel(layout.x.low, 0.0).y(), -1e4), 1e4)
    for polygon in layout.polygons(pixels):
        if mark.filled:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)  # the line has it
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme_color(theme, mark.color, 0.24 * mark.opacity))
            area = QPolygonF(polygon)
            area.append(QPointF(polygon.last().x(), zero))
            area.append(QPointF(polygon.first().x(), zero))
            painter.drawPolygon(area)
            painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if mark.width and polygon.size() > 1:
            if mark.halo:
                painter.setPen(QPen(QColor(theme.canvas), width + 2))
                painter.drawPolyline(polygon)
            many = polygon.size() > _MANY and not layout.density
            painter.setPen(QPen(color, width, style))
            if many and width > 1:
                points = ndarray_from_qpolygonf(polygon)
                if mark.dashed or mark.dotted:
                    painter.drawPolyline(_polygon(points[:: -(-len(points) // _MANY)]))
                else:
                    x, y = np.repeat(points, 2, axis=0)[1:-1].T
                    painter.drawPath(arrayToQPath(x, y, connect="pairs"))
            else:
                painter.drawPolyline(polygon)
        elif mark.width and not mark.symbol:
            painter.setPen(_round_pen(color, 6.0 * layout.scale))
            painter.drawPoints(polygon)
    few = len(pixels) * _SYMBOL_ROOM * layout.scale <= frame.width() or not width
    if mark.symbol and few:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        for x, y in pixels[np.isfinite(pixels).all(1)].tolist():
            _paint_symbol(painter, QPointF(x, y), mark.symbol, _SYMBOL * layout.scale)


def _in_sight(pixels: Float64, frame: QRectF) -> Float64:
    """What of a line that goes to the right is in sight, and one point beyond either end."""
    x = pixels[:, 0]
    if len(x) < 3 or not np.isfinite(x).all() or (np.diff(x) < 0).any():
        return pixels
    first = max(int(np.searchsorted(x, frame.left())) - 1, 0)
    return pixels[first : int(np.searchsorted(x, frame.right(), side="right")) + 1]


def _paint_band(painter: QPainter, mark: Band, layout: Layout, theme: Theme) -> None:
    lower, upper = layout.pixels(mark.x, mark.lower), layout.pixels(mark.x, mark.upper)
    known = np.isfinite(lower).all(1) & np.isfinite(upper).all(1)
    if known.sum() < 2:
        return
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme_color(theme, mark.color, mark.opacity))
    lower, upper = lower[known], upper[known]
    if len(lower) <= _MANY or layout.density:
        painter.drawPolygon(_polygon(np.concatenate([upper, lower[::-1]])))
        return
    # A rough polygon takes Qt a hundred times as long as a box a pixel.
    first, last = max(lower[0, 0], layout.frame.left()), min(lower[-1, 0], layout.frame.right())
    across = np.arange(first, last)
    low, high = (np.interp(across + 0.5, *edge.T) for edge in (lower, upper))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    boxes = np.column_stack([across, high, np.ones(len(across)), low - high])
    painter.drawRects([QRectF(*box) for box in boxes.tolist()])


def _paint_columns(painter: QPainter, mark: Columns, layout: Layout, theme: Theme) -> None:
    inset = mark.gap * np.diff(mark.edges) / 2
    upper = layout.pixels(mark.edges[:-1] + inset, mark.heights)
    lower = layout.pixels(mark.edges[1:] - inset, np.zeros(len(mark.heights)))
    known = np.isfinite(upper).all(1) & np.isfinite(lower).all(1)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme_color(theme, mark.color, 0.6))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)  # slow, and blurs the sides
    boxes = np.column_stack([upper[known], lower[known] - upper[known]])
    painter.drawRects([QRectF(*box) for box in boxes.tolist()])


def _paint_box(painter: QPainter, mark: Box, layout: Layout, theme: Theme) -> None:
    area = _area(mark.region, layout)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.fillRect(area, theme_color(theme, mark.color))
    if QFontMetricsF(layout.font).horizontalAdvance(mark.name) + 6 < area.width():
        painter.setPen(QColor(theme.canvas))
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, mark.name)


def _area(region: Region, layout: Layout) -> QRectF:
    left, right, bottom, top = region
    return QRectF(layout.to_pixel(left, top), layout.to_pixel(right, bottom)).normalized()


def _paint_arrow(painter: QPainter, mark: Arrow, layout: Layout, theme: Theme) -> None:
    color = theme_color(theme, mark.color)
    start, end = layout.to_pixel(*mark.start), layout.to_pixel(*mark.end)
    painter.setPen(QPen(color, 2.5 * layout.scale))
    painter.drawLine(start, end)
    along = start - end
    length = math.hypot(along.x(), along.y())
    if length < 1:
        return
    back = along * (min(9.0 * layout.scale, length) / length)
    side = QPointF(-back.y(), back.x()) * 0.45
    painter.setBrush(color)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawPolygon(QPolygonF([end, end + back + side, end + back - side]))


def paint_ring(painter: QPainter, mark: Ring, layout: Layout, theme: Theme) -> None:
    """Paint a ring, whether it is within the frame or not."""
    if not np.isfinite(mark.position).all():
        return
    at, size = layout.to_pixel(*mark.position), mark.size * layout.scale
    if mark.shape not in "ox":
        painter.setPen(QPen(theme_color(theme, mark.edge), 1.5))
        painter.setBrush(theme_color(theme, mark.color))
        _paint_symbol(painter, at, mark.shape, size)
        return
    for color, width in ((QColor(theme.canvas), 4.0), (theme_color(theme, mark.color), 2.0)):
        painter.setPen(QPen(color, width * layout.scale))
        if mark.shape == "o":
            painter.drawEllipse(at, size, size)
        else:
            painter.drawLine(at + QPointF(-size, -size), at + QPointF(size, size))
            painter.drawLine(at + QPointF(-size, size), at + QPointF(size, -size))


def _paint_symbol(painter: QPainter, at: QPointF, symbol: str, size: float) -> None:
    if symbol in _CORNERS:
        painter.drawPolygon(QPolygonF([at + QPointF(*way) * size for way in _CORNERS[symbol]]))
    else:
        painter.drawEllipse(at, size, size)


def _write_texts(painter: QPainter, rings: list[Ring], layout: Layout, theme: Theme) -> None:
    """Each text beside its position, where no other is yet."""
    named = [(ring.text, layout.to_pixel(*ring.position)) for ring in rings if ring.text]
    taken = [QRectF(at.x() - 6, at.y() - 6, 12, 12) for _, at in named]
    metrics = QFontMetricsF(layout.font)
    high = metrics.height()
    painter.setFont(layout.font)
    painter.setPen(QColor(theme.text))
    for text, at in named:
        wide = metrics.horizontalAdvance(text)
        shifts = (
            (8.0, -high - 5.0),  # clear of a line that is nearly level
            (-wide / 2, -high - 8.0),
            (-wide / 2, 8.0),
            (-wide / 2, -2 * high - 8.0),
            (-wide / 2, high + 8.0),
        )
        last = layout.frame.right() - wide - 1.0
        tries = [QRectF(min(at.x() + x, last), at.y() + y, wide, high) for x, y in shifts]
        free = [box for box in tries if not any(box.intersects(other) for other in taken)]
        box = (free or tries)[0]
        taken.append(box)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextDontClip, text)


def _polygon(pixels: Float64) -> QPolygonF:
    return arrayToQPolygonF(*np.ascontiguousarray(pixels.T)) if len(pixels) else QPolygonF()


def _round_pen(color: QColor, width: float) -> QPen:
    return QPen(color, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap)
