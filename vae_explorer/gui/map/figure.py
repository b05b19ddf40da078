"""The map as a plot of the chart kit, which is how it is painted into files."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from vae_explorer.export.figure import MOST_VECTOR_POINTS
from vae_explorer.gui.map.cloud import PointCloud
from vae_explorer.gui.map.markers import PIN_RADIUS
from vae_explorer.gui.map.point_colors import point_rgb
from vae_explorer.gui.map.points_item import PointPicture, size_of
from vae_explorer.gui.map.raster import opacity
from vae_explorer.gui.map.splat import MARGIN, MAX_DIAMETER
from vae_explorer.gui.map.status_line import told
from vae_explorer.gui.plot.axis import Axis
from vae_explorer.gui.plot.captions import Outlined, beside, free, name_font
from vae_explorer.gui.plot.color_maps import opaque
from vae_explorer.gui.plot.latent_marks import halo_color
from vae_explorer.gui.plot.layout import Bar, Layout, Plot
from vae_explorer.gui.plot.marks import Entry, Layer, Mark, Painted, Ring
from vae_explorer.gui.theme import (
    CLASS_PALETTE,
    NAMED_COLORS,
    Theme,
    class_rows,
)
from vae_explorer.number_format import plain
from vae_explorer.session.map.layers import LAYERS, LayerState
from vae_explorer.session.map.marks import Curve, Ellipses, Field, LayerContent, Trails
from vae_explorer.session.map.state import MapPoints, PointColors, class_name
from vae_explorer.types import Bools, Region, UInt32

_MOST_NAMES = 24
"""Classes in the legend."""
_HALO = 4.0
_HAIR = 1e-3
"""Pixels at each edge, without which programs that show a PDF widen a picture by one."""


@dataclass(frozen=True, eq=False)
class MapPicture:
    """All that a map shows but what follows the pointer: neither crosshair nor hover.

    ``glyphs`` are the names of classes where they are dense, ``rings`` around what is pinned.
    ``layers`` are the topmost first, ``contents`` what they draw.
    """

    region: Region
    points: MapPoints
    cloud: PointCloud
    visible: frozenset[int]
    colors: PointColors | None
    selected: Bools | None
    axes: tuple[str, str]
    glyphs: Mapping[str, tuple[float, float]]
    rings: Sequence[tuple[float, float]]
    layers: Sequence[LayerState]
    contents: Mapping[str, LayerContent]

    def plot(self, title: str) -> Plot:
        """Of just this part of the plane."""
        left, right, bottom, top = self.region
        names = Painted(partial(_paint_names, self.glyphs))
        rings = [Ring(place, "accent", PIN_RADIUS) for place in self.rings]
        return Plot(
            title,
            Axis(left, right, self.axes[0]),
            Axis(bottom, top, self.axes[1]),
            tuple(self._marks()),
            (names, *rings),
            (*self._classes(), *self._lines()),
            aspect="exact",
            bar=self._bar(),
            subtitle=told(self.points, self.cloud.drawn),
        )

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """A line a point that shows: split, index, both coordinates, label, and what colours it."""
        points, colors = self.points, self.colors
        names = map(plain, self.axes)
        yield "split", "index", *names, "label", *([colors.title] if colors else [])
        positions = self.cloud.positions.tolist()
        for row in self.cloud.order.tolist():
            value = [] if colors is None else [_value(colors, row)]
            label = int(points.labels[row])
            yield *points.origin(row), *positions[row], label, *value

    def _marks(self) -> Iterator[Mark]:
        for state in reversed(self.layers):
            if state.id == "points" and state.on:
                yield Painted(partial(self._paint_points, state))
            elif state.on and (content := self.contents.get(state.id)):
                yield Layer(content.marks, state.opacity, names=self.glyphs)

    def _classes(self) -> Iterator[Entry]:
        points, colors = self.points, self.colors
        if colors is not None:
            named = [(NAMED_COLORS[n % len(NAMED_COLORS)], x) for n, x in enumerate(colors.names)]
        elif points.data.classes:
            present = [n for n in np.unique(points.labels).tolist() if n in self.visible]
            named = [
                (CLASS_PALETTE[class_rows(np.array(n))], class_name(points.data, n))
                for n in present
            ]
        else:
            named = []
        for rgb, name in named[:_MOST_NAMES]:
            yield Entry(QColor(*rgb.tolist()).name(), "●", name)
        if len(named) > _MOST_NAMES:
            yield Entry("muted", "", f"and {len(named) - _MOST_NAMES:,} more")

    def _drawn(self) -> Iterator[tuple[str, LayerContent]]:
        """Names and contents of the layers that show something, the topmost first."""
        names = {spec.id: spec.name for spec in LAYERS}
        for state in self.layers:
            content = self.contents.get(state.id)
            if state.on and content and content.marks:
                yield names[state.id], content

    def _lines(self) -> Iterator[Entry]:
        for name, content in self._drawn():
            if any(isinstance(mark, Curve | Trails) for mark in content.marks):
                yield Entry("text", "━", name)
            elif any(isinstance(mark, Ellipses) for mark in content.marks):
                yield Entry("accent", "━", name)
            else:
                yield Entry("muted", "▒", name)

    def _bar(self) -> Bar | None:
        colors = self.colors
        if colors is not None and not colors.names:
            label = f"{colors.title}, {colors.unit}" if colors.unit else colors.title
            return Bar(Axis(colors.low, colors.high, label))
        for name, content in self._drawn():
            for mark in content.marks:
                if isinstance(mark, Field):
                    label = f"{name}, {mark.unit}" if mark.unit else name
                    return Bar(Axis(mark.low, mark.high, label), fading=mark.fading)
        return None

    def _paint_points(
        self, state: LayerState, painter: QPainter, layout: Layout, theme: Theme
    ) -> None:
        cloud, labels = self.cloud, self.points.labels
        rgb = point_rgb(self.colors, labels, self.selected, theme)
        rgb = CLASS_PALETTE[class_rows(labels)] if rgb is None else rgb
        colors = opaque(rgb[cloud.order])
        left, right, bottom, top = layout.region
        seen = (cloud.xs >= left) & (cloud.xs <= right) & (cloud.ys >= bottom) & (cloud.ys <= top)
        points = cloud.xs, cloud.ys, colors
        picture, frame = PointPicture(), layout.frame
        size = round(frame.width()), round(frame.height())
        # What a dot is on screen, and then the same on paper.
        picture.measure(points, layout.region, size, size_of(state))
        painter.setOpacity(painter.opacity() * state.opacity)
        if seen.sum() <= MOST_VECTOR_POINTS:
            alpha = float(opacity(np.ones(1, np.float32), picture.crowd)[0])
            _paint_dots(painter, layout, (cloud.xs[seen], cloud.ys[seen], colors[seen]),
                picture.diameter, alpha)  # fmt: skip
            return
        density = min(layout.density, MAX_DIAMETER / picture.diameter)
        corner = int(frame.left() * density), int(frame.top() * density)
        size = int(frame.width() * density) + 2, int(frame.height() * density) + 2
        low, high = (
            layout.to_data(QPointF(corner[0] + x * size[0], corner[1] + y * size[1]) / density)
            for x, y in ((0, 1), (1, 0))
        )
        image = picture.draw(points, (low[0], high[0], low[1], high[1]), size, density)
        area = QRectF(corner[0] - MARGIN, corner[1] - MARGIN, image.width(), image.height())
        area.adjust(_HAIR, _HAIR, -_HAIR, -_HAIR)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, density < layout.density)
        painter.drawImage(
            QRectF(area.topLeft() / density, area.size() / density), image, QRectF(image.rect())
        )


def _paint_dots(
    painter: QPainter,
    layout: Layout,
    points: tuple[np.ndarray, np.ndarray, UInt32],
    diameter: float,
    alpha: float,
) -> None:
    xs, ys, colors = points
    pixels = layout.pixels(xs, ys)
    for argb in np.unique(colors).tolist():
        color = QColor.fromRgba(argb)
        color.setAlphaF(alpha)
        pen = QPen(color, diameter)
        pen.setCapStyle(pen.capStyle().RoundCap)
        painter.setPen(pen)
        painter.drawPoints(QPolygonF([QPointF(*at) for at in pixels[colors == argb].tolist()]))


def _paint_names(
    glyphs: Mapping[str, tuple[float, float]], painter: QPainter, layout: Layout, theme: Theme
) -> None:
    font, halo = name_font(layout.font), QPen(halo_color(theme), _HALO)
    taken: list[QRectF] = []
    for text, place in glyphs.items():
        name = Outlined(text, font)
        places = beside(layout.to_pixel(*place), name.box, font, layout.frame)
        if (at := free(places, name.box, taken)) is not None:
            name.write(painter, at, halo, QColor(theme.text))


def _value(colors: PointColors, row: int) -> str | float:
    value = float(colors.values[row])
    if not np.isfinite(value):
        return ""
    return colors.names[int(value)] if colors.names else value
