"""The docks around the map, and the arrangements of them that have a name."""

from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence

from PySide6.QtCore import QByteArray, QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDockWidget, QMainWindow, QWidget

from vae_explorer.gui.window.dock_tabs import DockTabs
from vae_explorer.gui.window.records import LAYOUTS, Panel

_VERSION = 4  # of the arrangement; one of another is not restored


class Docks:
    """The panels of a window as docks that a person may move, float and close.

    Args:
        window: whose docks they are.
        panels: what is in them; those of one side are tabs in this order.
    """

    def __init__(self, window: QMainWindow, panels: Sequence[Panel]) -> None:
        self._window = window
        self._panels = {panel.id: panel for panel in panels}
        self._docks: dict[str, QDockWidget] = {}
        self.layout = "train"
        """The arrangement that was chosen last; a person may have moved docks since."""
        window.setDockOptions(
            QMainWindow.DockOption.AnimatedDocks | QMainWindow.DockOption.AllowTabbedDocks
        )
        # Or a dock below the map would shorten those beside it.
        window.setCorner(Qt.Corner.BottomLeftCorner, Qt.DockWidgetArea.LeftDockWidgetArea)
        window.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea)
        in_front: dict[Qt.DockWidgetArea, QDockWidget] = {}
        for panel in panels:
            dock = QDockWidget(panel.title or panel.id.capitalize(), window)
            dock.setObjectName(panel.id)
            dock.setWidget(panel.widget)
            window.addDockWidget(panel.area, dock)
            self._docks[panel.id] = dock
            if panel.area in in_front:
                window.tabifyDockWidget(in_front[panel.area], dock)
            in_front.setdefault(panel.area, dock)
        self._tabs = DockTabs(window, self._docks.values())
        for dock in in_front.values():
            dock.raise_()
        for panel in panels:
            self._docks[panel.id].setHidden(panel.hidden)
        wide = [panel for panel in panels if panel.width]
        window.resizeDocks(
            [self._docks[panel.id] for panel in wide],
            [panel.width for panel in wide],
            Qt.Orientation.Horizontal,
        )

    def actions(self) -> list[QAction]:
        """What shows and hides each, to be put in a menu."""
        return [dock.toggleViewAction() for dock in self._docks.values()]

    def tell(self, name: str, seen: Callable[[bool], object]) -> None:
        """Call ``seen`` whenever a dock comes to the front, or another does or it is closed."""
        self._docks[name].visibilityChanged.connect(seen)

    def show(self, name: str) -> None:
        """Bring a dock to the front."""
        reveal(self._panels[name].widget)

    def lay_out(self, name: str) -> None:
        """Bring the docks of one of ``LAYOUTS`` to the front, where the window has room for them.

        Another name changes nothing: a workspace may have one of a newer program.
        """
        if name not in LAYOUTS:
            return
        self.layout = name
        size = self._window.size()
        for panel in self._panels.values():
            if name in panel.layouts and size.expandedTo(QSize(*panel.room)) == size:
                self.show(panel.id)
            elif panel.hidden:
                self._docks[panel.id].hide()

    def state(self) -> str:
        """Where each is and how large, as text for the settings."""
        return b64encode(self._window.saveState(_VERSION).data()).decode()

    def restore(self, state: str) -> None:
        """Put each where ``state`` says; a text that is no state leaves them as they are."""
        # Qt answers False to bytes that are not its own and leaves the window as it was.
        self._window.restoreState(decoded_bytes(state), _VERSION)


def reveal(panel: QWidget) -> None:
    """Bring the dock of a panel to the front."""
    dock = panel.parentWidget()
    if isinstance(dock, QDockWidget):
        dock.show()
        dock.raise_()


def decoded_bytes(text: str) -> QByteArray:
    """The bytes behind base64 text, none if it is no such text."""
    try:
        return QByteArray(b64decode(text, validate=True))
    except ValueError:
        return QByteArray()
