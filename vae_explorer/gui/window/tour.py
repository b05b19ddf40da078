"""Three hints on the window itself: what to try first, each beside the part that it is about."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
from psygnal import Signal
from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QSize, QTimer
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtWidgets import QApplication, QMainWindow, QWidget
from typing_extensions import override

from vae_explorer.gui.map.map_view import MapView
from vae_explorer.gui.widgets.hint import Hint
from vae_explorer.gui.window.records import Command, Controller
from vae_explorer.session.app import App
from vae_explorer.session.training.events import Phase, TrainingStatus

_GAP = 14  # from a hint to its part
_INSET = 6  # from the edges of the window and of the map
_MOVES = (
    QEvent.Type.Resize,
    QEvent.Type.Move,
    QEvent.Type.Show,
    QEvent.Type.Hide,
    QEvent.Type.ParentChange,
)

Found = tuple[QRect, QPoint]
"""Where a hint is to be, and where it points; in pixels of the window."""


@dataclass(frozen=True)
class Step:
    """A hint: its words, the part that it is about, and a place for one of a size clear of all."""

    id: str
    text: str
    part: QWidget
    place: Callable[[QSize, Sequence[QRect]], Found | None]


class Tour(Controller):
    """Shows the hints; each goes when it was followed, and all when a person has had enough.

    A hint is out of sight for as long as the part is that it is about.

    Args:
        app: tells when something was pinned or a run has begun.
        window: the hints lie over it.
        view: the map.
        pin: where a pinned digit appears.
        start: the button that trains.
    """

    changed = Signal()
    """It began or is over."""

    def __init__(
        self, app: App, window: QMainWindow, view: MapView, pin: QWidget, start: QWidget
    ) -> None:
        super().__init__(app)
        self._window = window
        self._view = view
        self._hints: dict[str, Hint] = {}
        self._before: QWidget | None = None
        self._greets = False
        self._watch = _Watch(window)
        self._watch.moved.connect(self._settle)
        self._steps = (
            Step("hover", "Hover over a point to see the digit behind it.", view.canvas,
                self._in_map),
            Step("click", "Click a point: its digit is pinned here, with what the model makes of "
                "it.", pin, lambda size, taken: self._beside(pin, size, taken, "left")),
            Step("start", "Start trains a new model; the map unfolds as it learns.", start,
                lambda size, taken: self._beside(start, size, taken, "below")),
        )  # fmt: skip
        view.dwelt.connect(self._on_dwelt)
        view.view_rested.connect(self._settle)
        app.pins.changed.connect(self._on_pins)
        app.training.status_changed.connect(self._on_status)
        self.commands = (
            Command("tour", "Help", "Tour", "Point at what to try first", self._toggle,
                checked=lambda: self.active),
        )  # fmt: skip
        self.changes = (self.changed,)

    @property
    def active(self) -> bool:
        """Whether a hint is left."""
        return bool(self._hints)

    def greet(self) -> None:
        """Show all hints at the first start, and never again by themselves."""
        settings = self._app.settings
        if not settings.now.toured:
            settings.change(replace(settings.now, toured=True))
            self.begin()

    def begin(self) -> None:
        """Show all hints."""
        self.end()
        self._before, self._greets = QApplication.focusWidget(), True
        for number, step in enumerate(self._steps, 1):
            hint = Hint(number, len(self._steps), step.text, self._window)
            hint.dismissed.connect(self.end)
            self._hints[step.id] = hint
        self._watch.follow([step.part for step in self._steps])
        self._settle()
        self.changed.emit()

    def end(self) -> None:
        """Show none any more."""
        for name in tuple(self._hints):
            self._drop(name)

    def _toggle(self) -> None:
        if self.active:
            self.end()
        else:
            self.begin()

    def _drop(self, name: str) -> None:
        hint = self._hints.pop(name, None)
        if hint is None:
            return
        focused = hint.isAncestorOf(self._window.focusWidget())
        hint.hide()
        hint.deleteLater()
        self._settle()
        if not self._hints:
            self._watch.follow([])
            if focused and self._before is not None:
                self._before.setFocus()
            self._before = None
            self.changed.emit()
        elif focused:
            next(iter(self._hints.values())).got_it.setFocus()

    # What ends a hint

    def _on_dwelt(self, _row: int) -> None:
        self._drop("hover")

    def _on_pins(self) -> None:
        if self._app.pins.current is not None:
            self._drop("click")

    def _on_status(self, status: TrainingStatus) -> None:
        if status.phase is not Phase.IDLE:
            self._drop("start")

    # Where they are

    def _settle(self, *_: object) -> None:
        """Put each hint beside its part, and the button that ends all on the first in sight."""
        if not self._hints or self._view.points is None:
            return  # until there is a map to speak of
        parts = [
            self._area(step.part) for step in self._steps if step.part is not self._view.canvas
        ]
        taken = [area for area in parts if area is not None]
        first = True
        for step in self._steps:
            hint = self._hints.get(step.id)
            if hint is None:
                continue
            hint.offer_end(first)
            found = step.place(hint.body_size(), taken) if self._area(step.part) else None
            if found is None:
                hint.hide()
                continue
            body, tip = found
            taken.append(body)
            hint.settle(body, tip)
            if hint.isHidden():
                hint.show()
                hint.announce()
            hint.raise_()
            if self._greets:
                self._greets = False
                hint.got_it.setFocus()
            first = False

    def _area(self, part: QWidget) -> QRect | None:
        """What of a part is in sight, in pixels of the window."""
        window = self._window
        if not part.isVisible() or part.window() is not window:
            return None
        seen = window.rect()
        for widget in _lineage(part):
            seen &= widget.rect().translated(widget.mapTo(window, QPoint()))
        return None if seen.isEmpty() else seen

    def _hidden(self, area: QRect) -> int:
        """How many points of the map something over this area of the window hides."""
        if not self._view.canvas.isVisible():
            return 0
        area = area.translated(-self._view.canvas.mapTo(self._window, QPoint()))
        x, y = self._view.point_pixels().T
        across = (x >= area.left()) & (x <= area.right())
        return int((across & (y >= area.top()) & (y <= area.bottom())).sum())

    def _beside(
        self, part: QWidget, size: QSize, taken: Sequence[QRect], side: str
    ) -> Found | None:
        target = self._area(part)
        assert target is not None
        free = [body for body in _around(target, size, side) if self._is_free(body, taken)]
        if not free:
            return None
        body = min(free, key=self._hidden)
        return body, _nearest(target, body.center())

    def _in_map(self, size: QSize, taken: Sequence[QRect]) -> Found | None:
        """At the edge of the plane where fewest points are hidden, pointing at the next one."""
        canvas, pixels = self._view.canvas, self._view.point_pixels()
        if not len(pixels):
            return None
        corner = canvas.mapTo(self._window, QPoint())
        plane = canvas.plot_rect().toRect().translated(corner)
        free = [body for body in _within(plane, size) if self._is_free(body, taken)]
        if not free:
            return None
        body = min(free, key=self._hidden)
        pixels = pixels + corner.toTuple()
        inner = plane.adjusted(_INSET, _INSET, -_INSET, -_INSET)
        ends = np.array([inner.topLeft().toTuple(), inner.bottomRight().toTuple()])
        pixels = pixels[(pixels >= ends[0]).all(1) & (pixels <= ends[1]).all(1)]
        middle, half = np.array(body.center().toTuple()), np.array(size.toTuple()) / 2
        away = np.hypot(*(np.abs(pixels - middle) - half).clip(0).T)
        away[away < _GAP] = np.inf
        if not np.isfinite(away).any():
            return None
        return body, QPoint(*pixels[away.argmin()].round().astype(int).tolist())

    def _is_free(self, body: QRect, taken: Sequence[QRect]) -> bool:
        inner = self._window.rect().adjusted(_INSET, _INSET, -_INSET, -_INSET)
        return inner.contains(body) and not any(map(body.intersects, taken))


class _Watch(QObject):
    """Tells that a part of the window, or what it is in, was moved, resized, shown or hidden."""

    moved = QtSignal()

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._followed: list[QWidget] = []
        self._timer = QTimer(self, singleShot=True, interval=0)
        self._timer.timeout.connect(self.moved)

    def follow(self, parts: Sequence[QWidget]) -> None:
        """Watch these, and no others."""
        for widget in self._followed:
            widget.removeEventFilter(self)
        self._followed = list(dict.fromkeys(chain.from_iterable(map(_lineage, parts))))
        for widget in self._followed:
            widget.installEventFilter(self)

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _MOVES:
            self._timer.start()
        return False


def _lineage(widget: QWidget | None) -> Iterator[QWidget]:
    """A widget and all that it is in."""
    while widget is not None:
        yield widget
        widget = widget.parentWidget()


def _around(target: QRect, size: QSize, side: str) -> Iterator[QRect]:
    """Places beside a target, those on one side first."""
    width, height = size.toTuple()
    xs = (target.left(), target.center().x() - width // 2, target.right() + 1 - width)
    ys = (target.center().y() - height // 2, target.top(), target.bottom() + 1 - height)
    sides = {
        "left": [(target.left() - _GAP - width, y) for y in ys],
        "below": [(x, target.bottom() + 1 + _GAP) for x in xs],
        "right": [(target.right() + 1 + _GAP, y) for y in ys],
        "above": [(x, target.top() - _GAP - height) for x in xs],
    }
    for name in sorted(sides, key=lambda name: name != side):
        yield from (QRect(QPoint(*corner), size) for corner in sides[name])


def _within(plane: QRect, size: QSize) -> Iterator[QRect]:
    """Places along the edges of a plane."""
    inner = plane.adjusted(_INSET, _INSET, -_INSET, -_INSET)
    for y in (inner.top(), inner.bottom() + 1 - size.height(), inner.center().y()):
        for x in (inner.left(), inner.right() + 1 - size.width()):
            yield QRect(QPoint(x, y), size)


def _nearest(area: QRect, to: QPoint) -> QPoint:
    """The spot of an area that is nearest to another."""
    return QPoint(
        min(max(to.x(), area.left()), area.right()), min(max(to.y(), area.top()), area.bottom())
    )
