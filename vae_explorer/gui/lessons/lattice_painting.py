"""How a lattice of the plane, carried along by a function, is drawn."""

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF

from vae_explorer.gui.lessons.plane import Plane
from vae_explorer.gui.theme import Theme, current_theme
from vae_explorer.types import Bools, Float64

_BRIGHTEST = 0.995  # quantile of the density from which cells are alike
_SHADES = 24
_OPAQUE, _FAINT = 220, 90  # alpha of the densest cell, and of the lattice's lines


def paint_cells(
    painter: QPainter, plane: Plane, images: Float64, densities: Float64 | None
) -> None:
    """The lattice's cells, the denser the less transparent."""
    if densities is None:
        return
    pixels = _pixels(plane, images)
    corners = np.stack([pixels[:-1, :-1], pixels[:-1, 1:], pixels[1:, 1:], pixels[1:, :-1]], axis=2)
    whole = np.isfinite(corners).all((2, 3)) & ~np.isnan(densities)
    if not whole.any():
        return
    highest = float(np.quantile(densities[whole], _BRIGHTEST)) or 1.0
    # A path a shade, made of arrays: a polygon a cell would take too long.
    shades = np.zeros(densities.shape, np.intp)
    shades[whole] = np.ceil(_SHADES * np.minimum(densities[whole] / highest, 1.0) - 0.1)
    fill = QColor(current_theme().accent)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setPen(Qt.PenStyle.NoPen)
    for shade in range(1, _SHADES + 1):
        cells = corners[shades == shade]
        if len(cells):
            fill.setAlpha(round(_OPAQUE * shade / _SHADES))
            path = _joined(cells)
            path.setFillRule(Qt.FillRule.WindingFill)
            painter.fillPath(path, fill)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)


def paint_lines(painter: QPainter, plane: Plane, lines: Float64) -> None:
    """The lattice's lines (k, n, 2)."""
    color = QColor(current_theme().text)
    color.setAlpha(_FAINT)
    painter.setPen(QPen(color, 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    pixels = _pixels(plane, lines)
    # Broken where f has no value, or tears.
    with np.errstate(invalid="ignore"):
        near = np.abs(np.diff(pixels, axis=1)).max(2) < plane.width() / 6
    painter.drawPath(_joined(np.nan_to_num(pixels), near))


def _joined(lines: Float64, joined: Bools | None = None) -> QPainterPath:
    """One path of lines (k, n, 2), or of those of their pieces (k, n − 1) that are ``joined``."""
    connect = np.zeros(lines.shape[:2], np.int32)
    connect[:, :-1] = 1 if joined is None else joined
    x, y = lines.reshape(-1, 2).T
    path: QPainterPath = pg.arrayToQPath(x, y, connect.ravel(), finiteCheck=False)
    return path


def _pixels(plane: Plane, x: Float64) -> Float64:
    """Pixels of places x (..., 2)."""
    square = plane.plot_rect()
    low, high = plane.to_place(square.bottomLeft()), plane.to_place(square.topRight())
    scale = square.width() / (high[0] - low[0])
    pixels = (square.left(), square.bottom()) + scale * np.array([1.0, -1.0]) * (x - low)
    return np.asarray(pixels.clip(-1e4, 1e4))


def _polygon(points: Float64) -> QPolygonF:
    return QPolygonF([QPointF(x, y) for x, y in points.tolist()])


def paint_patch(painter: QPainter, plane: Plane, edge: Float64, theme: Theme) -> None:
    """The edge (n, 2) of what a square has become."""
    if not np.isfinite(edge).all():
        return
    painter.setPen(QPen(QColor(theme.canvas), 4))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    polygon = _polygon(_pixels(plane, edge))
    painter.drawPolygon(polygon)
    painter.setPen(QPen(QColor(theme.held_out), 2))
    painter.drawPolygon(polygon)


def paint_dot(painter: QPainter, at: QPointF, theme: Theme, radius: float = 4.0) -> None:
    """A place that is followed, at a pixel."""
    painter.setPen(QPen(QColor(theme.canvas), 1.5))
    painter.setBrush(QColor(theme.held_out))
    painter.drawEllipse(at, radius, radius)
