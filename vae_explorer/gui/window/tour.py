"""Three hints on the window itself: what to try first, each beside the part that it is about."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
from psygnal import Signal
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QRect, QTimer
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtWidgets import QApplication, QMainWindow, QWidget
from typing_extensions import override

from vae_explorer.gui.map.map_view import MapView
from vae_explorer.gui.widgets.hint import Hint
from vae_explorer.gui.window.records import Command, Controller
from vae_explorer.session.app import App
from vae_explorer.session.training.events import Phase, TrainingStatus
from vae_explorer.types import Float64

_GAP = 16  # from the first hint to the point that it shows
_INSET = 8  # from the edges of the map, and between hints
_MOVES = (
    QEvent.Type.Resize,
    QEvent.Type.Move,
    QEvent.Type.Show,
    QEvent.Type.Hide,
    QEvent.Type.ParentChange,
)


@dataclass(frozen=True)
class Step:
    """A hint: its words, and the part that it is about."""

    id: str
    text: str
    part: QWidget


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
            Step("hover", "Hover over a point to see the image behind it.", view.canvas),
            Step("click", "Click a point: its image is pinned here, with what the model makes of "
                "it.", pin),
            Step("start", "Start trains a new model; the map unfolds as it learns.", start),
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
        """Put each hint at the edge of the map beside its part; the first in sight ends all."""
        canvas, pixels = self._view.canvas, self._view.point_pixels()
        plane = self._area(canvas)
        parts = {step.id: self._area(step.part) for step in self._steps} if plane else {}
        seen = [name for name, hint in self._hints.items() if parts.get(name)]
        for name in self._hints.keys() - seen:
            self._hints[name].hide()
        if not plane or not len(pixels):
            return  # until there is a map to speak of
        corner = canvas.mapTo(self._window, QPoint())
        plane &= canvas.plot_rect().toRect().translated(corner)
        plane.adjust(_INSET, _INSET, -_INSET, -_INSET)
        taken: list[QRect] = []
        for name in reversed(seen):
            hint, part = self._hints[name], parts[name]
            assert part is not None
            hint.offer_end(name == seen[0])
            body = QRect(QPoint(), hint.body_size())
            if name == "hover":
                body.moveTopRight(plane.topRight())
            else:
                body.moveCenter(QPoint(part.center().x(), part.bottom()))
            body.moveTopLeft(_nearest(_corners(plane, body), body.topLeft()))
            for other in sorted(taken, key=QRect.top):
                if body.intersects(other):
                    body.moveTop(other.bottom() + 1 + _INSET)
            taken.append(body)
            tip = _nearest(part, body.center())
            if name == "hover":
                tip = _point_beside(body, plane, pixels + corner.toTuple())
            hint.settle(body, tip)
            if hint.isHidden():
                hint.show()
                hint.announce()
            hint.raise_()
        if self._greets and seen:
            self._greets = False
            self._hints[seen[0]].got_it.setFocus()

    def _area(self, part: QWidget) -> QRect | None:
        """What of a part is in sight, in pixels of the window."""
        window = self._window
        if not part.isVisible() or part.window() is not window:
            return None
        seen = window.rect()
        for widget in _lineage(part):
            seen &= widget.rect().translated(widget.mapTo(window, QPoint()))
        return None if seen.isEmpty() else seen


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


def _nearest(area: QRect, to: QPoint) -> QPoint:
    """The spot of an area that is nearest to another."""
    return QPoint(
        max(min(to.x(), area.right()), area.left()), max(min(to.y(), area.bottom()), area.top())
    )


def _corners(area: QRect, body: QRect) -> QRect:
    """Where the upper left corner of a box may be that is to lie within an area."""
    return area.adjusted(0, 0, -body.width(), -body.height())


def _point_beside(body: QRect, plane: QRect, pixels: Float64) -> QPoint:
    """The point in sight that is nearest to a box and not right beside it."""
    low, high = np.array(plane.topLeft().toTuple()), np.array(plane.bottomRight().toTuple())
    half = np.array(body.size().toTuple()) / 2
    away = np.hypot(*(abs(pixels - body.center().toTuple()) - half).clip(0).T)
    away[(away < _GAP) | ((pixels < low) | (pixels > high)).any(1)] = np.inf
    if not np.isfinite(away.min()):
        return body.center()
    return QPointF(*pixels[away.argmin()]).toPoint()
