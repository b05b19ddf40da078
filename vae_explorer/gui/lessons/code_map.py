"""A plane of points in the colours of their classes, with lines: the maps of the lessons."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
)
from PySide6.QtWidgets import QSizePolicy, QWidget
from typing_extensions import override

from vae_explorer.gui.lessons.heading import draw_heading, heading_height
from vae_explorer.gui.theme import CLASS_COLORS, Theme, Themed, current_theme
from vae_explorer.types import Floats, Region, UInt8

_REACH = 12.0
"""Pixels from the pointer to the point it means."""
_NUDGE = 0.02
"""Of the width, by an arrow key."""
_ARROWS: dict[int, tuple[float, float]] = {
    Qt.Key.Key_Left: (-1.0, 0.0),
    Qt.Key.Key_Right: (1.0, 0.0),
    Qt.Key.Key_Down: (0.0, -1.0),
    Qt.Key.Key_Up: (0.0, 1.0),
}


@dataclass(frozen=True, eq=False)
class Path:
    """A line through ``places`` (k, 2) in a colour."""

    places: Floats
    color: str
    width: float = 1.5
    dashed: bool = False


@dataclass(frozen=True, eq=False)
class Ring:
    """A ring around a place, or a cross if it is not ``round``."""

    place: tuple[float, float]
    color: str
    size: float = 5.0
    round: bool = True


class CodeMap(Themed):
    """Points, lines and rings at one scale for both axes.

    Signals:
        pointed(object): the place (x, y) under the pointer, or None as it leaves.
        dragged(float, float): a place that is pressed, dragged to, or moved to by an arrow key.
    """

    pointed = Signal(object)
    dragged = Signal(float, float)

    def __init__(self, title: str, note: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title, self._note = title, note
        self._region: Region = (-3.0, 3.0, -3.0, 3.0)
        self._places: Floats = np.zeros((0, 2))
        self._labels: UInt8 = np.zeros(0, np.uint8)
        self._paths: Sequence[Path] = ()
        self._rings: Sequence[Ring] = ()
        self._hand = (0.0, 0.0)
        self._picture: QPixmap | None = None
        self.setAccessibleName(title)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(150, 150)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    @override
    def set_theme(self, theme: Theme) -> None:
        self._redraw()

    def set_title(self, title: str, note: str = "") -> None:
        """Write another title above, and after it a note."""
        self._title, self._note = title, note
        self.setAccessibleName(title)
        self.setAccessibleDescription(note)
        self.update()

    def set_region(self, region: Region) -> None:
        """Show at least this region."""
        self._region = region
        self._redraw()

    def set_points(self, places: Floats, labels: UInt8) -> None:
        """Show points (n, 2) of classes (n,)."""
        self._places, self._labels = places, labels
        self._redraw()

    def set_paths(self, paths: Sequence[Path]) -> None:
        """Show these lines over the points."""
        self._paths = paths
        self._redraw()

    def set_rings(self, rings: Sequence[Ring]) -> None:
        """Show these on top."""
        self._rings = rings
        self.update()

    def set_hand(self, place: tuple[float, float]) -> None:
        """Let the arrow keys go on from a place."""
        self._hand = place

    def nearest(self, place: tuple[float, float]) -> int | None:
        """The row of the point at a place; None if none is near."""
        if not len(self._places):
            return None
        away = np.hypot(*(self._places - np.array(place)).T) * self._scale
        row = int(away.argmin())
        return row if away[row] < _REACH else None

    @override
    def sizeHint(self) -> QSize:
        return QSize(300, 300)

    @property
    def frame(self) -> QRectF:
        """The plane, in pixels."""
        top = heading_height(self)
        return QRectF(1, top, self.width() - 2, self.height() - top - 1)

    def to_pixel(self, place: tuple[float, float]) -> QPointF:
        """Where a place is."""
        middle, scale = self._middle, self._scale
        at = self.frame.center()
        return QPointF(
            at.x() + (place[0] - middle[0]) * scale, at.y() - (place[1] - middle[1]) * scale
        )

    def to_place(self, pixel: QPointF) -> tuple[float, float]:
        """What place is there."""
        middle, scale = self._middle, self._scale
        away = pixel - self.frame.center()
        return middle[0] + away.x() / scale, middle[1] - away.y() / scale

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._drag(event.position())

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._drag(event.position())
        inside = self.frame.contains(event.position())
        self.pointed.emit(self.to_place(event.position()) if inside else None)

    @override
    def leaveEvent(self, event: QEvent) -> None:
        self.pointed.emit(None)
        super().leaveEvent(event)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the place by the arrow keys; ten times as far with Shift."""
        if event.key() not in _ARROWS:
            super().keyPressEvent(event)
            return
        step = _NUDGE * self.frame.width() / self._scale
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            step *= 10
        across, up = _ARROWS[event.key()]
        self._hand = self._hand[0] + across * step, self._hand[1] + up * step
        self.dragged.emit(*self._hand)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw all of it; points and lines are drawn again only when they are others."""
        ratio = self.devicePixelRatioF()
        size = self.size() * ratio
        if self._picture is None or self._picture.size() != size:
            self._picture = QPixmap(size)
            self._picture.setDevicePixelRatio(ratio)
            self._draw_picture(self._picture)
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._picture)
        draw_heading(painter, self, self._title, self._note, current_theme())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme = current_theme()
        painter.setPen(QPen(QColor(theme.accent if self.hasFocus() else theme.grid), 1))
        painter.drawRect(self.frame)
        painter.setClipRect(self.frame)
        for ring in self._rings:
            self._draw_ring(painter, ring)

    def _draw_picture(self, picture: QPixmap) -> None:
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.frame, QColor(current_theme().canvas))
        painter.setClipRect(self.frame)
        self._draw_points(painter)
        for path in self._paths:
            style = Qt.PenStyle.DashLine if path.dashed else Qt.PenStyle.SolidLine
            painter.setPen(QPen(QColor(path.color), path.width, style))
            painter.drawPolyline(self._polygon(path.places))
        painter.end()

    def _redraw(self) -> None:
        self._picture = None
        self.update()

    @property
    def _middle(self) -> tuple[float, float]:
        left, right, bottom, top = self._region
        return (left + right) / 2, (bottom + top) / 2

    @property
    def _scale(self) -> float:
        """Pixels a unit."""
        left, right, bottom, top = self._region
        frame = self.frame
        scale = min(frame.width() / (right - left), frame.height() / (top - bottom))
        return max(scale, 1e-9)

    def _drag(self, pixel: QPointF) -> None:
        self._hand = self.to_place(pixel)
        self.dragged.emit(*self._hand)

    def _polygon(self, places: Floats) -> QPolygonF:
        (x, y), scale, at = self._middle, self._scale, self.frame.center()
        across = at.x() + (places[:, 0] - x) * scale
        up = at.y() - (places[:, 1] - y) * scale
        return QPolygonF(
            [QPointF(*pair) for pair in zip(across.tolist(), up.tolist(), strict=True)]
        )

    def _draw_points(self, painter: QPainter) -> None:
        size = 3.0 if self.frame.width() < 500 else 4.0
        for label in np.unique(self._labels).tolist():
            red, green, blue = CLASS_COLORS[label % len(CLASS_COLORS)].tolist()
            painter.setPen(
                QPen(
                    QColor(red, green, blue, 200),
                    size,
                    Qt.PenStyle.SolidLine,
                    Qt.PenCapStyle.RoundCap,
                )
            )
            painter.drawPoints(self._polygon(self._places[self._labels == label]))

    def _draw_ring(self, painter: QPainter, ring: Ring) -> None:
        at, size = self.to_pixel(ring.place), ring.size
        for color, width in ((current_theme().canvas, 4.0), (ring.color, 2.0)):
            painter.setPen(QPen(QColor(color), width))
            if ring.round:
                painter.drawEllipse(at, size, size)
            else:
                painter.drawLine(at + QPointF(-size, -size), at + QPointF(size, size))
                painter.drawLine(at + QPointF(-size, size), at + QPointF(size, -size))
