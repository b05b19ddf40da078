"""A plot that a person can touch: pointer, keys, focus and menu."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QKeySequence, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from vae_explorer.gui.plot.axis import Axis
from vae_explorer.gui.plot.layout import Aspect
from vae_explorer.gui.plot.menu import chart_menu
from vae_explorer.gui.plot.plot_view import PlotView

_CLICK = 4.0  # pixels; a drag goes further
_GRIP = 11.0  # pixels around a handle that take it, where other presses move the view
_ZOOM = 1.02
"""A degree of the wheel; a key is ten of them."""
_ARROWS: dict[int, tuple[float, float]] = {
    Qt.Key.Key_Left: (-1.0, 0.0),
    Qt.Key.Key_Right: (1.0, 0.0),
    Qt.Key.Key_Up: (0.0, 1.0),
    Qt.Key.Key_Down: (0.0, -1.0),
}


class Chart(PlotView):
    """Shows one ``Plot``, and says what a person does with it.

    A press takes a handle as ``handle_under`` says; else, if the chart is ``zoomable``, it begins
    to move the view, as the middle button does, which the wheel magnifies and Home or a double
    click resets. Else a press and what follows are ``dragged``. A ``movable`` chart has the
    keyboard's focus, and its arrow keys. ``keys`` are what characters do, whatever the window's
    shortcuts are.

    Signals:
        pressed(float, float): the left button, at a place.
        dragged(float, float): pressed there, or moved there with the button held.
        released(): the button.
        clicked(float, float): pressed and released without moving.
        hovered(float, float): the pointer, while no button is held.
        left(): the pointer is gone.
        handle_dragged(int, float, float): a handle, by its number, is wanted at a place.
        nudged(float, float): an arrow key, to the right and up: 1, 10 with Shift, 0.1 with Ctrl.
        view_changed(): a person moved or zoomed the view.
        reset_requested(): a person wants the whole view again.
    """

    pressed = Signal(float, float)
    dragged = Signal(float, float)
    released = Signal()
    clicked = Signal(float, float)
    hovered = Signal(float, float)
    left = Signal()
    handle_dragged = Signal(int, float, float)
    nudged = Signal(float, float)
    view_changed = Signal()
    reset_requested = Signal()

    def __init__(
        self,
        title: str = "",
        x_label: str = "",
        y_label: str = "",
        *,
        aspect: Aspect = "free",
        zoomable: bool = False,
        movable: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(title, x_label, y_label, aspect=aspect, parent=parent)
        self._zoomable, self._movable = zoomable, movable
        self._held: int | None = None
        self._offset = QPointF()
        self._pressed_at: QPointF | None = None
        self._moved = False
        self.setMouseTracking(True)
        self.keys: dict[str, Callable[[], object]] = {}
        """What is done at a letter typed, or at a key by its name, which every keyboard has."""
        if zoomable:
            for key, degrees in (("+", 10), ("=", 10), ("-", -10), ("PgUp", 10), ("PgDown", -10)):
                self.keys[key] = partial(self._zoom, _ZOOM**degrees)
        if movable:
            self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def reset_view(self) -> None:
        """Show again what was shown before a person moved the view."""
        x, y = self._home
        self.set_plot(replace(self._plot, x=x, y=y))
        self.reset_requested.emit()

    def handle_under(self, pixel: QPointF) -> int | None:
        """The handle that a press takes: the nearest, within reach if others move the view."""
        gaps = [self.to_pixel(*place) - pixel for place in self.handles]
        distances = [math.hypot(gap.x(), gap.y()) for gap in gaps]
        nearest = min(distances, default=math.inf)
        reach = _GRIP if self._zoomable else math.inf
        return distances.index(nearest) if distances and nearest <= reach else None

    # Qt's events

    @override
    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        reset = self.reset_view if self._zoomable else None
        chart_menu(self, self.export, reset).popup(event.globalPos())

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        left = event.button() == Qt.MouseButton.LeftButton
        if not left and not (self._zoomable and event.button() == Qt.MouseButton.MiddleButton):
            return
        at = event.position()
        self._pressed_at, self._moved = at, not left
        self._held = self.handle_under(at) if left else None
        if not left:
            return
        if self._held is None:
            self.pressed.emit(*self.to_data(at))
            if not self._zoomable:
                self.dragged.emit(*self.to_data(at))
        elif self._zoomable:
            self._offset = self.to_pixel(*self.handles[self._held]) - at
        else:
            self.handle_dragged.emit(self._held, *self.to_data(at))

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at, start = event.position(), self._pressed_at
        if start is None or not event.buttons():
            if self._handles:
                over = self.handle_under(at) is not None
                shape = Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.ArrowCursor
                self.setCursor(shape)
            self.hovered.emit(*self.to_data(at))
            return
        way = at - start
        self._moved |= math.hypot(way.x(), way.y()) > _CLICK
        if self._held is not None:
            self.handle_dragged.emit(self._held, *self.to_data(at + self._offset))
        elif not self._zoomable:
            self.dragged.emit(*self.to_data(at))
        elif self._moved:
            frame, axes = self.frame, self.placed
            self._pressed_at = at
            self._look(
                axes.x.panned(-way.x() / frame.width()), axes.y.panned(way.y() / frame.height())
            )

    @override
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.buttons() or self._pressed_at is None:
            return
        self._held = self._pressed_at = None
        self.released.emit()
        if not self._moved:
            self.clicked.emit(*self.to_data(event.position()))

    @override
    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._zoomable and self.handle_under(event.position()) is None:
            self.reset_view()
        else:
            self.mousePressEvent(event)

    @override
    def leaveEvent(self, event: QEvent) -> None:
        self.left.emit()
        super().leaveEvent(event)

    @override
    def wheelEvent(self, event: QWheelEvent) -> None:
        degrees = event.angleDelta().y() / 8
        if not self._zoomable or not degrees:
            super().wheelEvent(event)
            return
        self._zoom(_ZOOM**degrees, event.position())
        event.accept()

    @override
    def event(self, event: QEvent) -> bool:
        """Claim the keys that mean something here from the window's shortcuts."""
        asked = event.type() == QEvent.Type.ShortcutOverride
        if asked and isinstance(event, QKeyEvent) and self._meaning(event):
            event.accept()
            return True
        return super().event(event)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        act = self._meaning(event)
        if act:
            act()
        else:
            super().keyPressEvent(event)

    def _meaning(self, event: QKeyEvent) -> Callable[[], object] | None:
        """What a key does."""
        step, held = _ARROWS.get(event.key()), event.modifiers()
        if step and self._movable:
            size = 10.0 if held & Qt.KeyboardModifier.ShiftModifier else 1.0
            size = 0.1 if held & Qt.KeyboardModifier.ControlModifier else size
            return partial(self.nudged.emit, size * step[0], size * step[1])
        if self._zoomable and event.key() == Qt.Key.Key_Home:
            return self.reset_view
        return self.keys.get(event.text()) or self.keys.get(
            QKeySequence(event.keyCombination()).toString()
        )

    def _zoom(self, factor: float, at: QPointF | None = None) -> None:
        """Magnify about a pixel, or the middle; over the numbers of an axis, only along that."""
        frame, axes = self.frame, self.placed
        at = frame.center() if at is None else at
        across = (at.x() - frame.left()) / frame.width()
        up = (frame.bottom() - at.y()) / frame.height()
        alone = (axes.x.numbers and up < 0) or (axes.y.numbers and across < 0)
        alone &= self._plot.aspect == "free"
        self._look(
            axes.x if alone and across < 0 else axes.x.zoomed(factor, across),
            axes.y if alone and up < 0 else axes.y.zoomed(factor, up),
        )

    def _look(self, x: Axis, y: Axis) -> None:
        self.set_plot(replace(self._plot, x=x, y=y))
        self.view_changed.emit()
