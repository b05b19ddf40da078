"""The gestures on the map: what hand and keyboard do, said in latent units."""

from enum import Enum, auto
from math import hypot
from typing import Literal

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy
from typing_extensions import override

from vae_explorer.gui.map.plot import LatentPlot
from vae_explorer.gui.map.selection_marks import box_cursor, lasso_cursor
from vae_explorer.session.map.state import Mode
from vae_explorer.types import Float64

Tool = Literal["none", "box", "lasso"]
"""What a left drag draws; with none it scrubs."""

FRAME_MS = 16
CLICK_SLOP = 4.0
"""A press that moves less than this many pixels is a click."""

NUDGE = 0.1
"""Latent units an arrow key moves; ten times that with Shift, a tenth with Ctrl."""

_ZOOM_PER_DEGREE = 1.013  # a notch of most wheels is 15 degrees
_ARROWS: dict[int, tuple[float, float]] = {
    Qt.Key.Key_Left: (-1.0, 0.0),
    Qt.Key.Key_Right: (1.0, 0.0),
    Qt.Key.Key_Down: (0.0, -1.0),
    Qt.Key.Key_Up: (0.0, 1.0),
}


class _Gesture(Enum):
    NONE = auto()
    PRESS = auto()
    SCRUB = auto()
    PAN = auto()
    SELECT = auto()


class MapCanvas(LatentPlot):
    """A latent plane under the hand.

    Signals, all in latent units:
        hovered: (z1, z2) under the resting hand, or None when it leaves; once a frame at most.
        clicked, double_clicked: where. A double click follows the click it began with.
        ctrl_clicked: where, instead of either, with Ctrl held.
        scrubbed: every place of a left drag.
        nudged: what an arrow key adds.
        selected: the corners of what a drag drew, (k, 2) float64, and its ``Mode``.
        outline_changed: what a drag has drawn so far, (k, 2) float64, a box with its first corner
            again at the end; None when it is done or given up.
        grabbed: True while a scrub, a pan or a selection goes on.
        fit_asked: the Home key.
        space_tapped: Space pressed and released without a pan in between. The map takes the key
            to pan with, so whoever else listens to it must listen here too.

    Shift-drag draws a box, Shift+Ctrl-drag a lasso, and Alt makes either remove. With a tool set, a
    plain drag draws too; then Ctrl adds and Alt removes. Esc gives up.
    """

    hovered = Signal(object)
    clicked = Signal(float, float)
    ctrl_clicked = Signal(float, float)
    double_clicked = Signal(float, float)
    scrubbed = Signal(float, float)
    nudged = Signal(float, float)
    selected = Signal(object, str)
    outline_changed = Signal(object)
    grabbed = Signal(bool)
    fit_asked = Signal()
    space_tapped = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setAccessibleName("Map of latent space")
        self.setAccessibleDescription(
            "Arrow keys move the cursor, Home fits the view, plus and minus zoom."
        )
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._gesture = _Gesture.NONE
        self._button = Qt.MouseButton.NoButton
        self._pressed_at = self._last = QPointF()
        self._twice = self._with_ctrl = False
        self._tool: Tool = "none"
        self._drawing: Tool = "none"
        self._mode: Mode = "replace"
        self._path: list[tuple[float, float]] = []
        self._space = self._space_panned = False
        self._resting: QPointF | None = None
        self._over = False
        self._frame = QTimer(self)
        self._frame.setSingleShot(True)
        self._frame.setInterval(FRAME_MS)
        self._frame.timeout.connect(self._hover)
        self._show_hand()

    @override
    def sizeHint(self) -> QSize:
        return QSize(640, 560)

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(220, 200)

    @property
    def tool(self) -> Tool:
        """What a plain left drag does."""
        return self._tool

    def set_tool(self, tool: Tool) -> None:
        """Let a plain left drag draw a box, draw a lasso or scrub."""
        self._tool = tool
        self._show_hand()

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        if self._gesture is not _Gesture.NONE or not self.plot_rect().contains(at):
            return
        self._button, self._pressed_at, self._last = event.button(), at, at
        left = event.button() == Qt.MouseButton.LeftButton
        if event.button() == Qt.MouseButton.MiddleButton or (left and self._space):
            self._space_panned = self._space
            self._begin(_Gesture.PAN)
        elif left:
            self._gesture = _Gesture.PRESS
            self._choose(event.modifiers())

    @override
    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Begin the second click of two, which may still become a scrub."""
        self.mousePressEvent(event)
        self._twice = self._gesture is _Gesture.PRESS

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        if self._gesture is not _Gesture.NONE and not event.buttons() & self._button:
            self._end()  # the button was released where nobody told us
        if self._gesture is _Gesture.NONE:
            self._rest(at)
            return
        moved = at - self._pressed_at
        if self._gesture is _Gesture.PRESS and hypot(moved.x(), moved.y()) >= CLICK_SLOP:
            self._begin(_Gesture.SCRUB if self._drawing == "none" else _Gesture.SELECT)
        if self._gesture is _Gesture.SCRUB:
            self.scrubbed.emit(*self.to_latent(at))
        elif self._gesture is _Gesture.SELECT:
            self._draw_to(at)
        elif self._gesture is _Gesture.PAN:
            self.pan_by(at.x() - self._last.x(), at.y() - self._last.y())
        self._last = at

    @override
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the gesture; a press that stayed in place, or drew no area, was a click."""
        if self._gesture is _Gesture.NONE or event.button() != self._button:
            return
        selecting, twice = self._gesture is _Gesture.SELECT, self._twice
        drawn = selecting and self._has_area()
        clicked = self._gesture is _Gesture.PRESS or (selecting and not drawn)
        self._end()
        if drawn:
            self.selected.emit(self._polygon(), self._mode)
        elif clicked:
            signal = self.double_clicked if twice else self.clicked
            signal = self.ctrl_clicked if self._with_ctrl else signal
            signal.emit(*self.to_latent(self._pressed_at))

    @override
    def wheelEvent(self, event: QWheelEvent) -> None:
        degrees = event.angleDelta().y() / 8
        if degrees and self.plot_rect().contains(event.position()):
            self.zoom(_ZOOM_PER_DEGREE**degrees, event.position())
            if self._gesture is _Gesture.NONE:
                self._rest(event.position())
        event.accept()

    @override
    def leaveEvent(self, event: QEvent) -> None:
        self._rest(None)
        super().leaveEvent(event)

    def event(self, event: QEvent) -> bool:
        """Take Space, and Esc while something is drawn, before a shortcut does."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
            if (plain and event.key() == Qt.Key.Key_Space) or self._gives_up(event):
                event.accept()
                return True
        return super().event(event)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Nudge, fit, zoom, give up a selection, or make ready to pan."""
        key = event.key()
        if key in _ARROWS:
            step = NUDGE
            if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
                step *= 10
            if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
                step /= 10
            across, up = _ARROWS[key]
            self.nudged.emit(across * step, up * step)
        elif key == Qt.Key.Key_Home:
            self.fit_asked.emit()
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_PageUp):
            self.zoom(_ZOOM_PER_DEGREE**15)
        elif key in (Qt.Key.Key_Minus, Qt.Key.Key_Underscore, Qt.Key.Key_PageDown):
            self.zoom(_ZOOM_PER_DEGREE**-15)
        elif key == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                self._space, self._space_panned = True, False
                self._show_hand()
        elif self._gives_up(event):
            self._end()
        else:
            super().keyPressEvent(event)

    @override
    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() != Qt.Key.Key_Space:
            super().keyReleaseEvent(event)
        elif self._space and not event.isAutoRepeat():
            self._space = False
            self._show_hand()
            if not self._space_panned:
                self.space_tapped.emit()

    @override
    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._show_focus()

    @override
    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._space = False
        self._show_hand()
        self._show_focus()

    def _begin(self, gesture: _Gesture) -> None:
        self._gesture = gesture
        self._frame.stop()
        self._resting = None
        self._show_hand()
        self.grabbed.emit(True)

    def _end(self) -> None:
        gesture = self._gesture
        self._gesture, self._twice = _Gesture.NONE, False
        self._show_hand()
        if gesture is _Gesture.SELECT:
            self.outline_changed.emit(None)
        if gesture is not _Gesture.PRESS:
            self.grabbed.emit(False)

    def _choose(self, held: Qt.KeyboardModifier) -> None:
        """Note what a left drag is to do, by the keys held as it begins."""
        ctrl = bool(held & Qt.KeyboardModifier.ControlModifier)
        alt = bool(held & Qt.KeyboardModifier.AltModifier)
        self._with_ctrl = ctrl
        self._path = [self.to_latent(self._pressed_at)]
        if held & Qt.KeyboardModifier.ShiftModifier:
            self._drawing = "lasso" if ctrl else "box"
            self._mode = "remove" if alt else "replace"
        else:
            self._drawing = self._tool
            self._mode = "remove" if alt else "add" if ctrl else "replace"

    def _draw_to(self, at: QPointF) -> None:
        """Go on with the outline, which stays in sight."""
        rect = self.plot_rect()
        x = min(max(at.x(), rect.left()), rect.right())
        y = min(max(at.y(), rect.top()), rect.bottom())
        place = self.to_latent(QPointF(x, y))
        if self._drawing == "box":
            self._path = [self._path[0], place]
            corners = self._polygon()
            self.outline_changed.emit(np.vstack([corners, corners[:1]]))
        else:
            self._path.append(place)
            self.outline_changed.emit(self._polygon())

    def _polygon(self) -> Float64:
        if self._drawing == "box":
            (x1, y1), (x2, y2) = self._path
            return np.array([(x1, y1), (x2, y1), (x2, y2), (x1, y2)])
        return np.array(self._path)

    def _has_area(self) -> bool:
        """Whether some of the outline lies off the line from its start to its furthest corner.

        The area itself would not do: a figure of eight encloses nothing by the usual formula.
        """
        x, y = ((self._polygon() - self._path[0]) * self.pixels_per_unit()).T
        furthest = np.argmax(np.hypot(x, y))
        length = np.hypot(x[furthest], y[furthest])
        across = np.abs(x * y[furthest] - y * x[furthest])  # times that length
        return bool((across >= CLICK_SLOP * length).any() and length > 0)

    def _gives_up(self, event: QKeyEvent) -> bool:
        return self._gesture is _Gesture.SELECT and event.key() == Qt.Key.Key_Escape

    def _rest(self, at: QPointF | None) -> None:
        """Note where the hand rests, and say so now or with the next frame."""
        self._resting = at if at is not None and self.plot_rect().contains(at) else None
        if self._resting is None:
            self._frame.stop()
            if self._over:
                self._over = False
                self.hovered.emit(None)
        elif not self._frame.isActive():
            self._hover()

    def _hover(self) -> None:
        if self._resting is None:
            return
        at, self._resting = self._resting, None
        self._over = True
        self._frame.start()
        self.hovered.emit(self.to_latent(at))

    def _show_hand(self) -> None:
        shapes = Qt.CursorShape
        drawing = self._drawing if self._gesture is _Gesture.SELECT else self._tool
        if self._gesture is _Gesture.PAN:
            self.setCursor(shapes.ClosedHandCursor)
        elif self._space:
            self.setCursor(shapes.OpenHandCursor)
        elif drawing == "none":
            self.setCursor(shapes.CrossCursor)
        else:
            self.setCursor(box_cursor() if drawing == "box" else lasso_cursor())
