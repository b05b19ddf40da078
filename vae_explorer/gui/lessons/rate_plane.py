"""The plane of rate and distortion with the points of several β."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget
from typing_extensions import override

from vae_explorer.gui.lessons.heading import draw_heading, heading_height
from vae_explorer.gui.plot.axis import Axis
from vae_explorer.gui.theme import Theme, current_theme
from vae_explorer.types import Region

Place = tuple[float, float]
"""Rate and distortion, nats per image."""

_LEFT, _BOTTOM, _RIGHT = 44, 38, 10
_REACH = 14.0  # pixels from the pointer to the point it means
_DOT = 5.0
_AIR = 0.08
_HIGHEST = 215.0
"""Nats of distortion, from which a trail comes into sight: above is hardly a digit yet."""


@dataclass(frozen=True)
class PlanePoint:
    """A model of the plane: its ``name`` is written beside it, ``beta`` the slope of its line.

    ``own`` is drawn as a diamond, and is on no curve.
    """

    name: str
    beta: float
    place: Place
    own: bool = False


class RatePlane(QWidget):
    """Points, the curve through those that are not own, and a line of slope −β through one.

    Signals:
        chosen(int): the number of a point that was clicked, or walked to by an arrow key.
    """

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = current_theme()
        self._points: Sequence[PlanePoint] = ()
        self._shown: int | None = None
        self._trail: Sequence[Place] = ()
        self.setAccessibleName("Rate and distortion")
        self.setToolTip(
            "Each point is a model. Along its dashed line D + β R stays the same. "
            "Click a point, or walk by ← and →"
        )
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(200, 160)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_theme(self, theme: Theme) -> None:
        """Take the theme's colours."""
        self._theme = theme
        self.update()

    def set_points(self, points: Sequence[PlanePoint], shown: int | None) -> None:
        """Show these, by rising β, and the line of one."""
        self._points, self._shown = points, shown
        said = "; ".join(f"{p.name}: {p.place[0]:.1f}, {p.place[1]:.1f}" for p in points)
        self.setAccessibleDescription(said)
        self.update()

    def set_trail(self, trail: Sequence[Place]) -> None:
        """Show where a training is going."""
        self._trail = trail
        self.update()

    @override
    def sizeHint(self) -> QSize:
        return QSize(300, 280)

    @property
    def frame(self) -> QRectF:
        """The plane without its axes, in pixels."""
        top = heading_height(self)
        return QRectF(_LEFT, top, self.width() - _LEFT - _RIGHT, self.height() - top - _BOTTOM)

    def to_pixel(self, place: Place) -> QPointF:
        """Where a place is."""
        (left, right, bottom, top), frame = self._region, self.frame
        across = (place[0] - left) / (right - left)
        up = (place[1] - bottom) / (top - bottom)
        return QPointF(frame.left() + across * frame.width(), frame.bottom() - up * frame.height())

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        best, number = _REACH, None
        for index, point in enumerate(self._points):
            away = self.to_pixel(point.place) - event.position()
            if np.hypot(away.x(), away.y()) < best:
                best, number = float(np.hypot(away.x(), away.y())), index
        if number is not None:
            self.chosen.emit(number)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: 1, Qt.Key.Key_Right: -1}.get(Qt.Key(event.key()))
        if step is None or not self._points:
            super().keyPressEvent(event)
            return
        order = np.argsort([-point.place[0] for point in self._points]).tolist()
        at = order.index(self._shown) if self._shown in order else 0
        self.chosen.emit(order[min(max(at + step, 0), len(order) - 1)])

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme, frame = self._theme, self.frame
        note = "D (nats) against R (nats)"
        draw_heading(painter, self, "Rate and distortion", note, theme)
        painter.fillRect(frame, QColor(theme.canvas))
        self._draw_axes(painter)
        painter.save()
        painter.setClipRect(frame)
        if self._shown is not None:
            self._draw_line(painter, self._points[self._shown])
        curve = [self.to_pixel(point.place) for point in self._points if not point.own]
        painter.setPen(QPen(QColor(theme.train), 1.5))
        painter.drawPolyline(QPolygonF(curve))
        self._draw_trail(painter)
        painter.restore()
        for number, point in enumerate(self._points):
            self._draw_point(painter, point, shown=number == self._shown)
        self._draw_names(painter)

    @property
    def _region(self) -> Region:
        known = [point.place for point in self._points]
        near = [place for place in self._trail if place[1] < _HIGHEST]
        places = np.array(known + near).reshape(-1, 2)
        if not len(places):
            return 0.0, 16.0, 110.0, 210.0
        (right, top), bottom = places.max(0), places[:, 1].min()
        wide, high = max(right, 4.0), max(top - bottom, 20.0)
        return -0.02 * wide, (1 + 2 * _AIR) * wide, bottom - _AIR * high, top + _AIR * high

    def _draw_axes(self, painter: QPainter) -> None:
        (left, right, bottom, top), frame, theme = self._region, self.frame, self._theme
        metrics = self.fontMetrics()
        for value, text in Axis(left, right).ticks(int(frame.width() // 50)):
            x = self.to_pixel((value, bottom)).x()
            painter.setPen(QColor(theme.grid))
            painter.drawLine(QPointF(x, frame.top()), QPointF(x, frame.bottom()))
            painter.setPen(QColor(theme.muted))
            at = QPointF(x - metrics.horizontalAdvance(text) / 2, frame.bottom() + metrics.height())
            painter.drawText(at, text)
        for value, text in Axis(bottom, top).ticks(int(frame.height() // 36)):
            y = self.to_pixel((left, value)).y()
            painter.setPen(QColor(theme.grid))
            painter.drawLine(QPointF(frame.left(), y), QPointF(frame.right(), y))
            painter.setPen(QColor(theme.muted))
            at = QPointF(frame.left() - 5 - metrics.horizontalAdvance(text), y + 4)
            painter.drawText(at, text)
        painter.setPen(QColor(theme.text))
        word = "rate R = KL(q(z|x) ‖ p(z))"
        at = QPointF(frame.right() - metrics.horizontalAdvance(word), self.height() - 3.0)
        painter.drawText(at, word)

    def _draw_line(self, painter: QPainter, point: PlanePoint) -> None:
        left, right, _, _ = self._region
        rate, distortion = point.place
        ends = [(x, distortion - point.beta * (x - rate)) for x in (left, right)]
        painter.setPen(QPen(QColor(self._theme.accent), 1.5, Qt.PenStyle.DashLine))
        painter.drawLine(*map(self.to_pixel, ends))

    def _draw_trail(self, painter: QPainter) -> None:
        if self._trail:
            line = [self.to_pixel(place) for place in self._trail]
            painter.setPen(QPen(QColor(self._theme.kl), 1.5, Qt.PenStyle.DotLine))
            painter.drawPolyline(QPolygonF(line))
            painter.setBrush(QColor(self._theme.kl))
            painter.drawEllipse(line[-1], 4, 4)

    def _draw_point(self, painter: QPainter, point: PlanePoint, *, shown: bool) -> None:
        theme, at = self._theme, self.to_pixel(point.place)
        color = QColor(theme.held_out if point.own else theme.train)
        painter.setPen(QPen(QColor(theme.accent if shown else theme.canvas), 2))
        painter.setBrush(color)
        size = _DOT + 2 * shown
        if point.own:
            corners = ((0, -size), (size, 0), (0, size), (-size, 0))
            painter.drawPolygon(QPolygonF([at + QPointF(*corner) for corner in corners]))
        else:
            painter.drawEllipse(at, size, size)

    def _draw_names(self, painter: QPainter) -> None:
        """Each name beside its point, where no other is yet."""
        metrics = self.fontMetrics()
        taken = [QRectF(at.x() - 6, at.y() - 6, 12, 12) for at in self._places]
        painter.setPen(QColor(self._theme.text))
        for point, at in zip(self._points, self._places, strict=True):
            width, height = metrics.horizontalAdvance(point.name), metrics.height()
            tries = [
                QRectF(min(at.x() + across, self.width() - width - 1.0), at.y() + up, width, height)
                for across, up in (
                    (8.0, -height - 2.0),
                    (-width / 2, -height - 8.0),
                    (-width / 2, 8.0),
                    (-width / 2, -2 * height - 8.0),
                    (-width / 2, height + 8.0),
                )
            ]
            free = [box for box in tries if not any(box.intersects(other) for other in taken)]
            box = (free or tries)[0]
            taken.append(box)
            painter.drawText(
                box, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextDontClip, point.name
            )

    @property
    def _places(self) -> list[QPointF]:
        return [self.to_pixel(point.place) for point in self._points]
