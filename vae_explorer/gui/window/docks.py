"""The docks around the map, and the arrangements of them that have a name."""

from base64 import b64encode
from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, Slot
from PySide6.QtGui import QAction, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QDockWidget, QMainWindow, QWidget
from typing_extensions import override

from vae_explorer.gui.window.dock_tabs import DockTabs
from vae_explorer.gui.window.geometry import decoded_bytes
from vae_explorer.gui.window.records import BOTTOM, LAYOUTS, LEFT, RIGHT, Panel

_VERSION = 6  # of the arrangement; one of another is not restored
_USUAL = QSize(1280, 800)
_LINE = 15  # the height of a line at 9 points
_LEAST, _MOST = 0.8, 1.3  # of the sizes in a window of the usual size
_HEART, _SIDE, _UPPER = 0.4, 0.42, 0.62
"""Of the window's width and height: where what is in the middle has less than the first it is given
more, a dock takes no more than the second, and one with another under it no more than the third."""


class Docks(QObject):
    """The panels of a window as docks that a person may move, float, resize and close.

    What a layout shows depends on the room there is. Sizes follow that of the window until a person
    drags an edge of a dock, and again after the type has changed.

    Args:
        window: whose docks they are.
        panels: what is in them; those of one side are tabs in this order, but for those that stand
            under them.
    """

    def __init__(self, window: QMainWindow, panels: Sequence[Panel]) -> None:
        super().__init__(window)
        self._window = window
        self._panels = {panel.id: panel for panel in panels}
        self._docks: dict[str, QDockWidget] = {}
        self._sizes_are_theirs = False
        self._fitted = self._type_size
        self._front: list[Panel] = []
        self._refitting = QTimer(self, singleShot=True, interval=0)
        self._refitting.timeout.connect(self._refit)
        self.layout = "train"
        """The arrangement that was chosen last; a person may have moved docks since."""
        window.setDockOptions(
            QMainWindow.DockOption.AnimatedDocks | QMainWindow.DockOption.AllowTabbedDocks
        )
        in_front: dict[Qt.DockWidgetArea, QDockWidget] = {}
        firsts = {panel.area: panel for panel in reversed(panels) if not panel.under}.values()
        # Qt splits no dock that has tabs already.
        for panel in (*firsts, *sorted(panels, key=lambda panel: not panel.under)):
            if panel.id in self._docks:
                continue
            dock = QDockWidget(panel.title or panel.id.capitalize(), window)
            dock.setObjectName(panel.id)
            dock.setWidget(panel.widget)
            window.addDockWidget(panel.area, dock)
            self._docks[panel.id] = dock
            first = in_front.setdefault(panel.area, dock)
            if panel.under:
                window.splitDockWidget(first, dock, Qt.Orientation.Vertical)
            elif dock is not first:
                window.tabifyDockWidget(first, dock)
            if panel.hidden:
                dock.visibilityChanged.connect(self._on_seen)
        self._tabs = DockTabs(window, self._docks.values())
        for dock in in_front.values():
            dock.raise_()
        for panel in panels:
            self._docks[panel.id].setHidden(panel.hidden)
        window.installEventFilter(self)

    def actions(self) -> dict[str, QAction]:
        """What shows and hides each, to be put in a menu, by the name of its panel."""
        return {name: self._docks[name].toggleViewAction() for name in self._panels}

    def tell(self, name: str, seen: Callable[[bool], object]) -> None:
        """Call ``seen`` whenever a dock comes to the front, or another does or it is closed."""
        self._docks[name].visibilityChanged.connect(seen)

    def show(self, name: str) -> None:
        """Bring a dock to the front."""
        reveal(self._panels[name].widget)

    def lay_out(self, name: str) -> None:
        """Bring the docks of one of ``LAYOUTS`` to the front, where the window has room for them.

        A side of which it shows none is left to the map. Another name changes nothing: a workspace
        may have one of a newer program.
        """
        if name not in LAYOUTS:
            return
        self.layout = name
        self._sizes_are_theirs = False
        self._arrange(self._window.size())

    @Slot(bool)
    def _on_seen(self, seen: bool) -> None:
        if seen and self._window.isVisible():
            self.refit()

    @Slot()
    def refit(self) -> None:
        """Give the docks the sizes that suit what is in them now, unless a person chose others."""
        self._refitting.start()  # Qt knows only then how large they want to be

    @Slot()
    def _refit(self) -> None:
        if not self._sizes_are_theirs:
            QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest.value)
            self._fit(self._window.size())

    def state(self) -> str:
        """Where each is and how large, as text for the settings."""
        where = b64encode(self._window.saveState(_VERSION).data()).decode()
        return f"{self.layout} {where}"

    def restore(self, state: str) -> None:
        """Put each where ``state`` says; after a text that is no state as the layout says."""
        name, _, where = state.partition(" ")
        # Qt answers False to bytes that are not its own.
        if name in LAYOUTS and self._window.restoreState(decoded_bytes(where), _VERSION):
            self.layout = name
            self._sizes_are_theirs = True
            self._front = self._with_room(self._window.size())
        else:
            self.lay_out(self.layout)

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QMouseEvent) and event.type() == QEvent.Type.MouseButtonPress:
            self._sizes_are_theirs |= self._window.isSeparator(event.position().toPoint())
        elif isinstance(event, QResizeEvent):
            if self._front != self._with_room(event.size()):
                self._arrange(event.size())
            elif not self._sizes_are_theirs or self._is_crowded(event):
                self._fit(event.size())
        elif event.type() == QEvent.Type.FontChange and self._type_size != self._fitted:
            self._fitted = self._type_size
            self._sizes_are_theirs = False  # in other type they would cut or waste
            self._tabs.settle()
            self.refit()
        return super().eventFilter(watched, event)

    @property
    def _type_size(self) -> float:
        """Of that in which the sizes of panels are said."""
        return max(self._window.fontMetrics().height() / _LINE, 1.0)

    def _side(self, panel: Panel) -> Qt.DockWidgetArea:
        return self._window.dockWidgetArea(self._docks[panel.id])

    def _with_room(self, window: QSize) -> list[Panel]:
        """What the layout shows in a window of this size."""
        layout, size = self.layout, window / self._type_size
        return [
            panel
            for panel in self._panels.values()
            if layout in panel.layouts and size.expandedTo(QSize(*panel.layouts[layout])) == size
        ]

    def _arrange(self, window: QSize) -> None:
        """Show what the layout shows, and fold away the sides of which that is nothing."""
        self._front = front = self._with_room(window)
        sides = {self._side(panel) for panel in front}
        seen = {
            self._docks[panel.id]: panel in front
            or (not panel.hidden and self._side(panel) in sides)
            for panel in self._panels.values()
            if panel.hidden or not self._docks[panel.id].isFloating()
        }
        # First what goes, or the window would grow for all of them at once.
        for dock in sorted(seen, key=seen.__getitem__):
            dock.setVisible(seen[dock])
        for panel in front:
            self.show(panel.id)
        self._fit(window)

    def _is_crowded(self, event: QResizeEvent) -> bool:
        """Whether the docks as they are would leave too little to what is in the middle."""
        center = self._window.centralWidget()
        if center is None or not event.oldSize().isValid():
            return False
        heart = center.size() + event.size() - event.oldSize()
        least = event.size() * _HEART
        return heart.width() < least.width() or heart.height() < least.height()

    def _fit(self, window: QSize) -> None:
        """Make the docks as large as suits a window of this size."""
        type_size = self._type_size
        for side, length, usual, way in (
            (LEFT, window.width(), _USUAL.width(), Qt.Orientation.Horizontal),
            (RIGHT, window.width(), _USUAL.width(), Qt.Orientation.Horizontal),
            (BOTTOM, window.height(), _USUAL.height(), Qt.Orientation.Vertical),
        ):
            here = [panel for panel in self._panels.values() if self._side(panel) == side]
            docks = {panel.id: self._docks[panel.id] for panel in here}
            seen = [p for p in here if not (docks[p.id].isHidden() or docks[p.id].isFloating())]
            suits = [panel.size for panel in seen if self.layout in panel.layouts]
            size = max(suits or [panel.size for panel in seen or here], default=0)
            share = min(max(length / type_size / usual, _LEAST), _MOST)
            if seen and size:
                pixels = round(min(size * share * type_size, _SIDE * length))
                self._window.resizeDocks([docks[seen[0].id]], [pixels], way)
            upper = next((p for p in seen if p in self._front and not p.under), None)
            under = next((p for p in seen if p.under), None)
            if upper and under:
                # As high as it needs, if that is not too much, and the rest to what is under it.
                pair = [docks[upper.id], docks[under.id]]
                needs = min(pair[0].sizeHint().height(), round(_UPPER * window.height()))
                heights = [needs, max(window.height() - needs, 1)]
                self._window.resizeDocks(pair, heights, Qt.Orientation.Vertical)


def reveal(panel: QWidget) -> None:
    """Bring the dock of a panel to the front."""
    dock = panel.parentWidget()
    if isinstance(dock, QDockWidget):
        dock.show()
        dock.raise_()
