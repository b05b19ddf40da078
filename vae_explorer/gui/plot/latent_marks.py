"""Marks in latent units, prepared once and then painted in whatever view: maps and lessons."""

from collections.abc import Callable, Iterator
from math import ceil

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QImage,
    QPaintEngine,
    QPainter,
    QPainterPath,
    QPen,
    QPolygonF,
    QTransform,
)

from vae_explorer.gui.plot.color_maps import argb_image, class_image, field_image
from vae_explorer.gui.theme import Theme, class_color
from vae_explorer.latent.normal import square_roots
from vae_explorer.session.map.marks import (
    ClassField,
    Curve,
    Ellipses,
    Field,
    Mark,
    Sheet,
    Spots,
    Trails,
)
from vae_explorer.types import Float32, Float64, Region

Paint = Callable[[QPainter], None]
"""Draws something prepared, with the painter in latent units."""

_HALO_ALPHA = 190
_LINE, _HALO = 1.5, 4.0  # logical pixels
_HAIR, _HAIR_HALO = 1.0, 2.5
_CROWD = 50  # from this many ellipses on, lines are thin
_CROSS, _FIRST_CROSS = 4.0, 7.0  # half a cross, logical pixels
_TRAIL = ((0.0, 0.4, 0.25), (0.4, 0.75, 0.5), (0.75, 1.0, 0.9))  # from, to, alpha
_DOT = 3.0
_CRISP_FROM = 2.0  # pixels of the screen to one of a picture
RASTER = QPaintEngine.Type.Raster
_FINE = 2.0  # device pixels to a logical one, beyond which hairlines side by side would leave gaps


def prepared(mark: Mark, theme: Theme, scale: float = 1.0) -> Iterator[Paint]:
    """What paints a mark, from the lowest on; ellipses in lines ``scale`` times as wide."""
    match mark:
        case Field():
            yield _picture(field_image(mark, theme), mark.region)
        case ClassField():
            yield _picture(class_image(mark), mark.region)
        case Sheet():
            yield _sheet(mark, theme)
        case Curve():
            yield from _curve(mark, theme)
        case Ellipses():
            yield from _ellipses(mark, theme, scale)
        case Spots():
            yield _spots(mark, theme)
        case Trails():
            yield from _trails(mark)


def _picture(image: QImage, region: Region) -> Paint:
    left, right, bottom, top = region
    # Latent units grow upwards, and so row 0 is drawn at the bottom.
    area = QRectF(left, bottom, right - left, top - bottom)

    def paint(painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(area, image)

    return paint


def _sheet(sheet: Sheet, theme: Theme) -> Paint:
    height, width = sheet.images.shape[1:3]
    levels = np.rint(255 * np.clip(sheet.images, 0.0, 1.0)).astype(np.uint32)
    if levels.ndim == 3:  # ink on the canvas
        pixels = levels << 24 | np.uint32(QColor(theme.text).rgb() & 0xFFFFFF)
    else:
        red, green, blue = np.moveaxis(levels, 3, 0)
        pixels = np.uint32(0xFF000000) | red << 16 | green << 8 | blue
    pictures = [argb_image(picture) for picture in pixels[:, ::-1]]
    left, right, bottom, top = sheet.cells.T
    scale = np.minimum((right - left) / width, (top - bottom) / height)
    x, y = (left + right - scale * width) / 2, (bottom + top - scale * height) / 2
    corners = np.stack([x, y, scale * width, scale * height], axis=1)
    areas = [QRectF(*corner) for corner in corners.tolist()]
    smallest = float(scale.min(initial=np.inf))

    def paint(painter: QPainter) -> None:
        crisp = smallest * painter.worldTransform().m11() >= _CRISP_FROM
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, not crisp)
        for area, picture in zip(areas, pictures, strict=True):
            painter.drawImage(area, picture)

    return paint


def _curve(curve: Curve, theme: Theme) -> Iterator[Paint]:
    halo, line = halo_color(theme), QColor(theme.text)
    strength = 0.4 + 0.6 * curve.share
    halo.setAlphaF(strength * halo.alphaF())
    line.setAlphaF(strength)
    path = _polylines(curve.paths)
    yield _halo(path, halo)
    yield _line(path, line, _LINE)


def _ellipses(ellipses: Ellipses, theme: Theme, scale: float) -> Iterator[Paint]:
    circle = QPainterPath()
    for radius in ellipses.radii:
        circle.addEllipse(QPointF(0.0, 0.0), radius, radius)
    paths: dict[int | None, QPainterPath] = {}
    found = list(drawable(ellipses))
    for center, root, label in found:
        (a, b), (c, d) = root.tolist()
        to_place = QTransform(a, c, b, d, *center.tolist())  # Qt multiplies from the left
        paths.setdefault(label, QPainterPath()).addPath(to_place.map(circle))
    crowd = len(found) * len(ellipses.radii) >= _CROWD
    halo = halo_color(theme)
    for path in paths.values():
        yield _line(path, halo, _HAIR_HALO * scale) if crowd else _halo(path, halo, scale)
    for label, path in paths.items():
        own = theme.text if crowd else theme.accent  # thin lines need the contrast
        color = QColor(own) if label is None else class_color(label)
        yield _line(path, color, scale * (_HAIR if crowd else _LINE))


def drawable(
    ellipses: Ellipses,
) -> Iterator[tuple[Float64, Float64, int | None]]:
    """Centre (2,), a square root (2, 2) of the covariance, and the label of every finite one."""
    centers = ellipses.centres.astype(np.float64)
    covariances = ellipses.covariances.astype(np.float64)
    finite = np.isfinite(centers).all(axis=1) & np.isfinite(covariances).all(axis=(1, 2))
    roots = square_roots(covariances[finite])
    labels = None if ellipses.labels is None else ellipses.labels[finite]
    for row, (center, root) in enumerate(zip(centers[finite], roots, strict=True)):
        yield center, root, None if labels is None else int(labels[row])


def _spots(spots: Spots, theme: Theme) -> Paint:
    finite = spots.positions[np.isfinite(spots.positions).all(axis=1)]
    positions = [QPointF(*position) for position in finite.tolist()]
    pens = QPen(halo_color(theme), _HALO + 0.5), QPen(QColor(theme.text), 2.0)

    def paint(painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        to_pixels = painter.worldTransform()
        painter.setWorldTransform(QTransform())
        for index, position in enumerate(positions):
            half = _CROSS if index else _FIRST_CROSS
            at, down, up = to_pixels.map(position), QPointF(half, half), QPointF(half, -half)
            for pen in pens:
                painter.setPen(pen)
                painter.drawLines([QLineF(at - down, at + down), QLineF(at - up, at + up)])

    return paint


def _trails(trails: Trails) -> Iterator[Paint]:
    finite = np.isfinite(trails.start).all(axis=1) & np.isfinite(trails.end).all(axis=1)
    start, end, labels = trails.start[finite], trails.end[finite], trails.labels[finite]
    for label in np.unique(labels).tolist():
        of_class = labels == label
        first, move = start[of_class], (end - start)[of_class]
        for begin, stop, alpha in _TRAIL:
            color = class_color(label)
            color.setAlphaF(alpha)
            pairs = np.stack([first + begin * move, first + stop * move], axis=1)
            yield _line(_polylines(tuple(pairs)), color, _HAIR)
        positions = QPolygonF([QPointF(*position) for position in end[of_class].tolist()])
        yield _dots(positions, class_color(label))


def _halo(path: QPainterPath, color: QColor, scale: float = 1.0) -> Paint:
    """The ground of a line; nobody sees that it is not smooth, which makes it cheap."""

    def paint(painter: QPainter) -> None:
        if _is_fine(painter):
            _stroke(painter, path, color, scale * _HALO)
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.strokePath(path, _cosmetic(color, scale * _HALO * _ratio(painter)))

    return paint


def _line(path: QPainterPath, color: QColor, width: float) -> Paint:
    hairline = _cosmetic(QColor(color.rgb()), 1.0)

    def paint(painter: QPainter) -> None:
        if _is_fine(painter):
            _stroke(painter, path, color, width)
            return
        _thicken(painter, width, color.alphaF(), lambda: painter.strokePath(path, hairline))

    return paint


def _dots(positions: QPolygonF, color: QColor) -> Paint:
    point = _cosmetic(color, 1.0)

    def paint(painter: QPainter) -> None:
        if _is_fine(painter):
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            to_pixels = painter.worldTransform()
            painter.setWorldTransform(QTransform())
            pen = QPen(color, _DOT)
            pen.setCapStyle(Qt.PenCapStyle.RoundCap)
            painter.setPen(pen)
            painter.drawPoints(to_pixels.map(positions))
            return
        painter.setPen(point)
        pixels = round(_DOT * _ratio(painter))
        side = np.arange(pixels) - (pixels - 1) / 2
        square = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
        disc = square[np.hypot(*square.T) < pixels / 2 - 0.25]
        _repeat(painter, disc, lambda: painter.drawPoints(positions))

    return paint


def _is_fine(painter: QPainter) -> bool:
    """Whether lines are more than some hairlines wide, or no pixels at all: in files."""
    return painter.paintEngine().type() != RASTER or _ratio(painter) > _FINE


def _stroke(painter: QPainter, path: QPainterPath, color: QColor, width: float) -> None:
    """A true line of this width in pixels that are not the device's."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    to_pixels = painter.worldTransform()
    painter.setWorldTransform(QTransform())
    pen = QPen(color, width)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.strokePath(to_pixels.map(path), pen)


def _thicken(painter: QPainter, width: float, alpha: float, draw: Callable[[], None]) -> None:
    """Draw hairlines side by side: to Qt they are twenty times cheaper than a wide smooth line."""
    pixels = max(width * _ratio(painter), 1.0)
    count = 1 if pixels == 1.0 else 1 + ceil(pixels)
    angle = np.linspace(0.0, 2 * np.pi, count, endpoint=False)
    ring = (pixels - 1.0) / 2 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    # They overlap; together they are to be as opaque as one line.
    painter.setOpacity(1.0 - (1.0 - alpha * painter.opacity()) ** (pixels / count))
    _repeat(painter, ring, draw)


def _repeat(painter: QPainter, shifts: Float64, draw: Callable[[], None]) -> None:
    """Draw once at every one of (k, 2) shifts in pixels of the device."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    matrix = painter.worldTransform()
    for shift in (shifts / _ratio(painter)).tolist():
        painter.setWorldTransform(matrix * QTransform.fromTranslate(*shift))
        draw()


def _polylines(lines: tuple[Float32, ...]) -> QPainterPath:
    if not lines:
        return QPainterPath()
    points = np.concatenate(lines).astype(np.float64)
    joined = np.ones(len(points), np.int32)
    joined[np.cumsum([len(line) for line in lines]) - 1] = 0
    path: QPainterPath = pg.arrayToQPath(points[:, 0], points[:, 1], connect=joined)
    return path


def _cosmetic(color: QColor, width: float) -> QPen:
    """A pen this many pixels of the device wide; a cosmetic one knows no pixel ratio."""
    pen = QPen(color, width)
    pen.setCosmetic(True)
    return pen


def _ratio(painter: QPainter) -> float:
    """Device pixels per logical one, also where a widget is rendered into a denser image."""
    return painter.deviceTransform().m11() / painter.worldTransform().m11()


def halo_color(theme: Theme) -> QColor:
    """What sets things off from their ground."""
    color = QColor(theme.canvas)
    color.setAlpha(_HALO_ALPHA)
    return color
