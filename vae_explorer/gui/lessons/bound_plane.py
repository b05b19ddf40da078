"""The plane of the bound: the exact posterior, and q with handles to drag."""

import math
from dataclasses import replace
from enum import Enum, auto

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget
from typing_extensions import override

from vae_explorer.gui.map.layer_item import LayerItem
from vae_explorer.gui.map.plot import LatentPlot
from vae_explorer.gui.theme import current_theme
from vae_explorer.latent.normal import Normal
from vae_explorer.session.map.marks import Field, LayerContent

_ON = 2.0
"""Standard deviations from the middle of q to the handles of its axes."""
_NEAREST = 18.0  # pixels from the middle to a handle, however narrow q is
_KNOB = 24.0  # pixels from the first axis's handle to the one that turns
_GRIP = 11.0  # pixels around a handle that take hold of it
_AXIS_WIDTH = 62  # for figures of three decimals
_CELL = 4  # pixels of the picture's cells
_REST_MS = 120  # after which a moved view is pictured again
_ZOOM_PER_DEGREE = 1.013
_WIDEN = 1.1  # a key's press
_TURN = math.radians(5)
_CIRCLE = np.stack([f(np.linspace(0, 2 * np.pi, 97)) for f in (np.cos, np.sin)], axis=1)


class Handle(Enum):
    """What of q is held."""

    CENTRE = auto()
    FIRST = auto()
    SECOND = auto()
    TURN = auto()


class BoundPlane(LatentPlot):
    """A latent plane with one Gaussian under the hand.

    Signals:
        q_moved(Normal): what a hand or a key made of q.
        looked_at(region, shape): what is in sight, and the rows and columns of its picture.
        fit_asked: the Home key.
    """

    q_moved = Signal(object)
    looked_at = Signal(tuple, tuple)
    fit_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._plot.getPlotItem().getAxis("left").setWidth(_AXIS_WIDTH)
        self._q: Normal | None = None
        self._held: Handle | None = None
        self._offset = QPointF()
        self._lengths = (1.0, 1.0)
        self._panned_from: QPointF | None = None
        self.picture = LayerItem(self.view_box)
        self.add_item(self.picture)
        self._marks = _Marks(self)
        self.add_overlay(self._marks)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.setAccessibleName("q over the exact posterior")
        self.setAccessibleDescription(
            "Arrow keys move q, plus and minus widen and narrow it, the brackets its first axis, "
            "with Shift its second, comma and full stop turn it, Home shows all of it."
        )
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self._look)
        self.view_changed.connect(self._on_view)

    @override
    def sizeHint(self) -> QSize:
        return QSize(480, 400)

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(220, 200)

    @property
    def q(self) -> Normal | None:
        """What is shown."""
        return self._q

    def set_q(self, q: Normal | None) -> None:
        """Show another q, or none."""
        self._q = q
        self._marks.update()

    def set_picture(self, field: Field | None) -> None:
        """Show another picture of the posterior, or none."""
        self.picture.set_drawing(LayerContent((field,)) if field else LayerContent())

    def handle_at(self, handle: Handle) -> QPointF:
        """The pixel of a handle."""
        q = self._q
        assert q is not None
        middle = self.to_pixel(*q.mean)
        if handle is Handle.CENTRE:
            return middle
        scale = self.pixels_per_unit()[0]
        axis = 1 if handle is Handle.SECOND else 0
        length = max(_ON * q.widths[axis] * scale, _NEAREST)
        if handle is Handle.TURN:
            length += _KNOB
        angle = q.angle + axis * math.pi / 2
        return middle + QPointF(length * math.cos(angle), -length * math.sin(angle))

    def handle_under(self, pixel: QPointF) -> Handle | None:
        """Which handle a pixel takes hold of; the inside of q counts as its centre."""
        if self._q is None:
            return None
        distances = {h: _length(self.handle_at(h) - pixel) for h in Handle}
        nearest = min(distances, key=lambda handle: distances[handle])
        if distances[nearest] <= _GRIP:
            return nearest
        offset = np.array(self.to_latent(pixel)) - self._q.mean
        inside = np.linalg.norm(np.linalg.solve(self._q.factor, offset)) <= _ON
        return Handle.CENTRE if inside else None

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        if event.button() == Qt.MouseButton.MiddleButton:
            self._panned_from = at
        elif event.button() == Qt.MouseButton.LeftButton and self.plot_rect().contains(at):
            self._held = self.handle_under(at)
            if self._held is None:
                self._panned_from = at
            else:
                self._offset = self.handle_at(self._held) - at
                middle, scale = self.handle_at(Handle.CENTRE), self.pixels_per_unit()[0]
                first, second = (
                    _length(self.handle_at(handle) - middle) / scale
                    for handle in (Handle.FIRST, Handle.SECOND)
                )
                assert self._q is not None
                self._lengths = first / self._q.widths[0], second / self._q.widths[1]
        self._show_hand(at)

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        if self._held and self._q:
            self.q_moved.emit(self._dragged(self._q, self._held, at + self._offset))
        elif self._panned_from is not None:
            self.pan_by(at.x() - self._panned_from.x(), at.y() - self._panned_from.y())
            self._panned_from = at
        else:
            self._show_hand(at)

    @override
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._held = self._panned_from = None
        self._show_hand(event.position())

    @override
    def wheelEvent(self, event: QWheelEvent) -> None:
        degrees = event.angleDelta().y() / 8
        if degrees and self.plot_rect().contains(event.position()):
            self.zoom(_ZOOM_PER_DEGREE**degrees, event.position())
        event.accept()

    def event(self, event: QEvent) -> bool:
        """Take the keys that mean something here before a shortcut does."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            home = event.key() == Qt.Key.Key_Home
            if home or (self._q and _after_key(self._q, event)):
                event.accept()
                return True
        return super().event(event)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Home:
            self.fit_asked.emit()
            return
        moved = _after_key(self._q, event) if self._q else None
        if moved is None:
            super().keyPressEvent(event)
        else:
            self.q_moved.emit(moved)

    @override
    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._show_focus()

    @override
    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._show_focus()

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._rest.start()

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._rest.start()

    def _dragged(self, q: Normal, handle: Handle, pixel: QPointF) -> Normal:
        place = self.to_latent(pixel)
        if handle is Handle.CENTRE:
            return replace(q, mean=place)
        across, up = place[0] - q.mean[0], place[1] - q.mean[1]
        if handle is Handle.TURN:
            return replace(q, angle=math.atan2(up, across))
        cos, sin = math.cos(q.angle), math.sin(q.angle)
        first, second = q.widths
        if handle is Handle.FIRST:
            first = max((cos * across + sin * up) / self._lengths[0], 0.0)
        else:
            second = max((cos * up - sin * across) / self._lengths[1], 0.0)
        return replace(q, widths=(first, second))

    def _show_hand(self, at: QPointF) -> None:
        under = self._held or self.handle_under(at)
        shapes = {
            None: Qt.CursorShape.ArrowCursor,
            Handle.CENTRE: Qt.CursorShape.SizeAllCursor,
            Handle.TURN: Qt.CursorShape.PointingHandCursor,
        }
        self.setCursor(shapes.get(under, Qt.CursorShape.OpenHandCursor))

    def _on_view(self) -> None:
        self._marks.update()
        self._rest.start()

    def _look(self) -> None:
        if self.isVisible():
            view, rect = self.view_box.viewRect(), self.plot_rect()
            shape = max(2, round(rect.height() / _CELL)), max(2, round(rect.width() / _CELL))
            region = view.left(), view.right(), view.top(), view.bottom()
            self.looked_at.emit(region, shape)


class _Marks(QWidget):
    """Draws q over the plane: its ellipses of 1 and 2 standard deviations, and the handles."""

    def __init__(self, plane: BoundPlane) -> None:
        super().__init__(plane)
        self._plane = plane

    @override
    def paintEvent(self, _event: QPaintEvent) -> None:
        q = self._plane.q
        if q is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRect(self._plane.plot_rect())
        theme = current_theme()
        ink, halo = QColor(theme.accent), QColor(theme.canvas)
        for radius in (1.0, _ON):
            points = q.mean + radius * _CIRCLE @ q.factor.T
            outline = QPolygonF([self._plane.to_pixel(*point) for point in points.tolist()])
            for color, width in ((halo, 4.0), (ink, 2.0 if radius == 1 else 1.2)):
                painter.setPen(QPen(color, width))
                painter.drawPolyline(outline)
        at = {handle: self._plane.handle_at(handle) for handle in Handle}
        painter.setPen(QPen(ink, 1.2, Qt.PenStyle.DashLine))
        painter.drawLine(at[Handle.FIRST], at[Handle.TURN])
        for handle, place in at.items():
            painter.setPen(QPen(ink, 2.0))
            painter.setBrush(ink if handle is Handle.CENTRE else halo)
            if handle in (Handle.FIRST, Handle.SECOND):
                painter.drawRect(round(place.x()) - 5, round(place.y()) - 5, 10, 10)
            else:
                painter.drawEllipse(place, 5.5, 5.5)


def _length(offset: QPointF) -> float:
    return math.hypot(offset.x(), offset.y())


def _after_key(q: Normal, event: QKeyEvent) -> Normal | None:
    """What a key makes of q; None if it means nothing."""
    key, text = event.key(), event.text()
    step = min(q.widths) / 2
    if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
        step *= 5
    moves = {
        Qt.Key.Key_Left: (-step, 0.0),
        Qt.Key.Key_Right: (step, 0.0),
        Qt.Key.Key_Down: (0.0, -step),
        Qt.Key.Key_Up: (0.0, step),
    }
    for arrow, (across, up) in moves.items():
        if key == arrow:
            return replace(q, mean=(q.mean[0] + across, q.mean[1] + up))
    first, second = q.widths
    widths = {
        "+": (first * _WIDEN, second * _WIDEN),
        "=": (first * _WIDEN, second * _WIDEN),
        "-": (first / _WIDEN, second / _WIDEN),
        "]": (first * _WIDEN, second),
        "[": (first / _WIDEN, second),
        "}": (first, second * _WIDEN),
        "{": (first, second / _WIDEN),
    }
    if text in widths:
        return replace(q, widths=widths[text])
    turns = {",": _TURN, ".": -_TURN}
    return replace(q, angle=q.angle + turns[text]) if text in turns else None
