"""What is drawn over the points: class digits, the crosshair, the rings of pin and hover."""

from math import floor

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPixmap,
    QRegion,
)
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from vae_explorer.gui.map.plot import LatentPlot
from vae_explorer.gui.plot.captions import beside, free, name_font
from vae_explorer.gui.theme import Theme, current_theme
from vae_explorer.types import LatentPoint

_GAP = 9  # pixels left free around the position the crosshair marks
PIN_RADIUS = 8.0
_CURSOR_DOT, _HOVER_RADIUS = 1.5, 7.0
_REACH = 5.0  # pixels beside a hair that its halo and the dot can touch
_HALO_ALPHA = 190
_OUTSIDE = 1e5


class Markers(QWidget):
    """An overlay of a plot; it knows positions and no points."""

    def __init__(self, plot: LatentPlot) -> None:
        super().__init__(plot)
        self._plot = plot
        self.cursor_place: LatentPoint | None = None
        self.pin_place: LatentPoint | None = None
        self.hover_place: LatentPoint | None = None
        self.tray_places: list[tuple[float, float]] = []
        self.glyphs: dict[str, tuple[float, float]] = {}
        self._glyph_pictures: dict[tuple[str, Theme, float], QPixmap] = {}
        plot.add_overlay(self)
        plot.view_changed.connect(self.update)

    def set_cursor_place(self, position: LatentPoint | None) -> None:
        """Move the crosshair."""
        self.update(self._cross_region(self.cursor_place))
        self.cursor_place = position
        self.update(self._cross_region(position))

    def set_pin_place(self, position: LatentPoint | None) -> None:
        """Move the pin's ring."""
        self.update(self._ring_region(self.pin_place))
        self.pin_place = position
        self.update(self._ring_region(position))

    def set_tray_places(self, positions: list[tuple[float, float]]) -> None:
        """Ring all that is pinned, thinner than the one pin that is looked at."""
        if positions != self.tray_places:
            self.tray_places = positions
            self.update()

    def set_hover_place(self, position: LatentPoint | None) -> None:
        """Move the hover's ring."""
        self.update(self._ring_region(self.hover_place))
        self.hover_place = position
        self.update(self._ring_region(position))

    def set_glyphs(self, glyphs: dict[str, tuple[float, float]]) -> None:
        """Write each text at its position, the first foremost: of two that meet one gives way."""
        self.glyphs = glyphs
        self.update()

    @override
    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw what there is; everything gets a halo, so that it shows on any colour."""
        with QPainter(self) as painter:
            area = self._plot.plot_rect()
            painter.setClipRect(area)
            self._draw_glyphs(painter, area)
            if self.cursor_place is not None:
                self._draw_hairs(painter, area.toAlignedRect(), self._at(self.cursor_place))
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            if self.cursor_place is not None:
                painter.setPen(self._halo(0.0))
                painter.setBrush(QColor(current_theme().text))
                at = self._at(self.cursor_place)
                painter.drawEllipse(at, _CURSOR_DOT + 1.0, _CURSOR_DOT + 1.0)
            for position in self.tray_places:
                self._draw_ring(painter, position, PIN_RADIUS, current_theme().accent, 1.5)
            if self.pin_place is not None:
                self._draw_ring(painter, self.pin_place, PIN_RADIUS, current_theme().accent, 2.5)
            if self.hover_place is not None:
                self._draw_ring(painter, self.hover_place, _HOVER_RADIUS, current_theme().text, 1.5)

    def _halo_color(self) -> QColor:
        color = QColor(current_theme().canvas)
        color.setAlpha(_HALO_ALPHA)
        return color

    def _halo(self, width: float) -> QPen:
        return QPen(self._halo_color(), width + 2.5)

    def _draw_hairs(self, painter: QPainter, area: QRect, at: QPointF) -> None:
        # Filled rectangles: wide antialiased lines of this length cost a millisecond. All at once:
        # after each call Python's lock may have to be won back from a run.
        x, y = floor(at.x()), floor(at.y())
        across = (area.left(), x - _GAP), (x + _GAP, area.right() + 1)
        up = (area.top(), y - _GAP), (y + _GAP, area.bottom() + 1)
        painter.setPen(Qt.PenStyle.NoPen)
        for half, color in ((1, self._halo_color()), (0, QColor(current_theme().muted))):
            width = 2 * half + 1
            hairs = [QRect(edge, y - half, max(end - edge, 0), width) for edge, end in across]
            hairs += [QRect(x - half, edge, width, max(end - edge, 0)) for edge, end in up]
            painter.setBrush(color)
            painter.drawRects(hairs)

    def _draw_glyphs(self, painter: QPainter, area: QRectF) -> None:
        font, taken = name_font(self.font()), list[QRectF]()
        for text, position in self.glyphs.items():
            picture = self._glyph(text)
            box = QRectF(QPointF(), picture.deviceIndependentSize())
            box.moveCenter(QPointF())
            places = beside(self._at(position), box, font, area)
            if (at := free(places, box, taken)) is not None:
                painter.drawPixmap(at + box.topLeft(), picture)

    def _glyph(self, text: str) -> QPixmap:
        """A bold text with its halo; kept, since drawing it costs more than all the markers."""
        key = text, current_theme(), self.devicePixelRatioF()
        if key not in self._glyph_pictures:
            path = QPainterPath()
            path.addText(0, 0, name_font(self.font()), text)
            pen = self._halo(1.5)
            box = path.boundingRect().adjusted(-4, -4, 4, 4)
            ratio = self.devicePixelRatioF()
            picture = QPixmap((box.size() * ratio).toSize())
            picture.setDevicePixelRatio(ratio)
            picture.fill(Qt.GlobalColor.transparent)
            with QPainter(picture) as painter:
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                painter.translate(-box.topLeft())
                painter.strokePath(path, pen)
                painter.fillPath(path, QColor(current_theme().text))
            self._glyph_pictures[key] = picture
        return self._glyph_pictures[key]

    def _draw_ring(
        self,
        painter: QPainter,
        position: tuple[float, float],
        radius: float,
        color: str,
        width: float,
    ) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for pen in (self._halo(width), QPen(QColor(color), width)):
            painter.setPen(pen)
            painter.drawEllipse(self._at(position), radius, radius)

    def _at(self, position: tuple[float, float]) -> QPointF:
        """Pixel of a position; far outside, one that is merely outside, which integers can hold."""
        at = self._plot.to_pixel(*position)
        return QPointF(*(min(max(side, -_OUTSIDE), _OUTSIDE) for side in (at.x(), at.y())))

    def _cross_region(self, position: LatentPoint | None) -> QRegion:
        if position is None:
            return QRegion()
        around = _square(self._at(position), _REACH)
        column = QRect(around.left(), 0, around.width(), self.height())
        return QRegion(column) + QRect(0, around.top(), self.width(), around.height())

    def _ring_region(self, position: LatentPoint | None) -> QRegion:
        return (
            QRegion() if position is None else QRegion(_square(self._at(position), PIN_RADIUS + 5))
        )


def _square(at: QPointF, half: float) -> QRect:
    return QRectF(at.x() - half, at.y() - half, 2 * half, 2 * half).toAlignedRect()
