"""A lattice of the plane, carried along by a function, as marks of a chart."""

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPainterPath, QPen

from vae_explorer.gui.plot.layout import Layout
from vae_explorer.gui.plot.marks import SHADED, Painted, theme_color
from vae_explorer.gui.theme import Theme
from vae_explorer.types import Bools, Float64, Region

_BRIGHTEST = 0.97  # quantile of the density from which cells are alike
_SHADES = 24
_FAINT = 0.35  # how opaque the lattice's lines are
_TORN = 1 / 6  # share of what is in sight; neighbours further apart are not joined


def densest(images: Float64, densities: Float64) -> float:
    """The density from which on cells are alike."""
    whole = _whole(images, densities)
    return float(np.quantile(densities[whole], _BRIGHTEST)) if whole.any() else 0.0


def cells(images: Float64, densities: Float64) -> Painted:
    """The lattice's cells between ``images`` (n, n, 2), the denser the less transparent."""
    x, y = images[..., 0], images[..., 1]
    whole, highest = _whole(images, densities), densest(images, densities)
    shades = np.zeros(densities.shape, np.intp)
    shares = np.minimum(densities[whole] / (highest or 1.0), 1.0)
    shades[whole] = np.ceil(_SHADES * shares - 0.1)

    def paint(painter: QPainter, layout: Layout, theme: Theme) -> None:
        at = layout.pixels(x, y)
        corners = np.stack([at[:-1, :-1], at[:-1, 1:], at[1:, 1:], at[1:, :-1]], axis=2)
        # One way round: where a fold lays a cell on another, the windings would cancel.
        (ax, ay), (bx, by) = (
            np.moveaxis(corners[..., n + 2, :] - corners[..., n, :], -1, 0) for n in (0, 1)
        )
        turned = ax * by < ay * bx
        corners[turned] = corners[turned][:, ::-1]
        # A path a shade, made of arrays: a polygon a cell would take too long.
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for shade in range(1, _SHADES + 1):
            chosen = corners[shades == shade]
            if len(chosen):
                path = _joined(chosen, np.ones((len(chosen), 3), bool))
                path.setFillRule(Qt.FillRule.WindingFill)
                painter.fillPath(path, theme_color(theme, "accent", SHADED * shade / _SHADES))

    return Painted(paint)


def lines(images: Float64, region: Region) -> Painted:
    """The lattice's lines (k, n, 2), broken where the function has no value, or tears."""
    left, right, _, _ = region
    with np.errstate(invalid="ignore"):
        near = np.abs(np.diff(images, axis=1)).max(2) < _TORN * (right - left)

    def paint(painter: QPainter, layout: Layout, theme: Theme) -> None:
        painter.setPen(QPen(theme_color(theme, "text", _FAINT), 1))
        pixels = layout.pixels(images[..., 0], images[..., 1])
        painter.drawPath(_joined(np.nan_to_num(pixels), near))

    return Painted(paint)


def _whole(images: Float64, densities: Float64) -> Bools:
    """The cells (n − 1, n − 1) that have corners and a density."""
    finite = np.isfinite(images[..., 0]) & np.isfinite(images[..., 1])
    corners = finite[:-1, :-1] & finite[:-1, 1:] & finite[1:, 1:] & finite[1:, :-1]
    return np.asarray(corners & ~np.isnan(densities))


def _joined(lines: Float64, joined: Bools) -> QPainterPath:
    """One path of those pieces (k, n − 1) of lines (k, n, 2) that are ``joined``."""
    connect = np.zeros(lines.shape[:2], np.int32)
    connect[:, :-1] = joined
    x, y = lines.reshape(-1, 2).T
    path: QPainterPath = pg.arrayToQPath(x, y, connect.ravel(), finiteCheck=False)
    return path
