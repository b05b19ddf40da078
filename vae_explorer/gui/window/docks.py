"""The docks around the map, and the arrangements of them that have a name."""

from base64 import b64decode, b64encode
from collections.abc import Mapping

from PySide6.QtCore import QByteArray, QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDockWidget, QMainWindow, QStyle, QWidget

from vae_explorer.gui.window.dock_tabs import DockTabs

LAYOUTS: Mapping[str, tuple[str, ...]] = {
    "explore": ("layers", "decode"),
    "train": ("training", "decode"),
    "learn": ("learn", "decode"),
    "travel": ("layers", "draw", "paths"),
}
"""By name, the docks that an arrangement brings to the front."""

_LEFT = Qt.DockWidgetArea.LeftDockWidgetArea
_RIGHT = Qt.DockWidgetArea.RightDockWidgetArea
_BOTTOM = Qt.DockWidgetArea.BottomDockWidgetArea

_AREAS = {
    "training": _LEFT,
    "layers": _LEFT,
    "learn": _LEFT,
    "decode": _RIGHT,
    "draw": _RIGHT,
    "refine": _RIGHT,
    "worst": _RIGHT,
    "paths": _BOTTOM,
    "runs": _BOTTOM,
    "sweep": _BOTTOM,
}
"""Where a dock is at first; those of one side are tabs, of which the first is in front."""

_AT_WISH = frozenset({"paths", "runs", "sweep"})
"""Not there at first."""

_ROOM_FOR_RUNS = QSize(1_700, 900)
"""Of a window that shows the runs below the map when it is laid out to train."""

_WIDTHS = {"training": 340, "decode": 300}
_VERSION = 4  # of the arrangement; one of another is not restored


class Docks:
    """The panels of a window as docks that a person may move, float and close.

    Args:
        window: whose docks they are.
        panels: what is in them, by the name of each: "training", "layers", "learn", "decode",
            "draw", "refine", "worst", "paths", "runs" and "sweep".
    """

    def __init__(self, window: QMainWindow, panels: Mapping[str, QWidget]) -> None:
        self._window = window
        self._docks: dict[str, QDockWidget] = {}
        self.layout = "train"
        """The arrangement that was chosen last; a person may have moved docks since."""
        window.setDockOptions(
            QMainWindow.DockOption.AnimatedDocks | QMainWindow.DockOption.AllowTabbedDocks
        )
        # Or a dock below the map would shorten those beside it.
        window.setCorner(Qt.Corner.BottomLeftCorner, _LEFT)
        window.setCorner(Qt.Corner.BottomRightCorner, _RIGHT)
        # In less it would scroll sideways, and a window made larger again leaves docks as they are.
        decode = panels["decode"]
        scroll_bar = decode.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent)
        decode.setMinimumWidth(decode.sizeHint().width() + scroll_bar)
        in_front: dict[Qt.DockWidgetArea, QDockWidget] = {}
        for name, area in _AREAS.items():
            dock = QDockWidget(name.capitalize(), window)
            dock.setObjectName(name)
            dock.setWidget(panels[name])
            window.addDockWidget(area, dock)
            self._docks[name] = dock
            if area in in_front:
                window.tabifyDockWidget(in_front[area], dock)
            in_front.setdefault(area, dock)
        self._tabs = DockTabs(window, self._docks.values())
        for dock in in_front.values():
            dock.raise_()
        for name in _AT_WISH:
            self._docks[name].hide()
        window.resizeDocks(
            [self._docks[name] for name in _WIDTHS],
            list(_WIDTHS.values()),
            Qt.Orientation.Horizontal,
        )

    def actions(self) -> list[QAction]:
        """What shows and hides each, to be put in a menu."""
        return [dock.toggleViewAction() for dock in self._docks.values()]

    def show(self, name: str) -> None:
        """Bring a dock to the front."""
        dock = self._docks[name]
        dock.show()
        dock.raise_()

    def lay_out(self, name: str) -> None:
        """Bring the docks of one of ``LAYOUTS`` to the front; those below the map show in no other.

        Training has the runs too where there is room for them.

        Another name changes nothing: a workspace may have one of a newer program.
        """
        if name not in LAYOUTS:
            return
        self.layout = name
        docks = LAYOUTS[name]
        if name == "train" and self._window.size().boundedTo(_ROOM_FOR_RUNS) == _ROOM_FOR_RUNS:
            docks = (*docks, "runs")
        for dock in _AT_WISH - {*docks}:
            self._docks[dock].hide()
        for dock in docks:
            self.show(dock)

    def state(self) -> str:
        """Where each is and how large, as text for the settings."""
        return b64encode(self._window.saveState(_VERSION).data()).decode()

    def restore(self, state: str) -> None:
        """Put each where ``state`` says; a text that is no state leaves them as they are."""
        # Qt answers False to bytes that are not its own and leaves the window as it was.
        self._window.restoreState(decoded_bytes(state), _VERSION)


def decoded_bytes(text: str) -> QByteArray:
    """The bytes behind base64 text, none if it is no such text."""
    try:
        return QByteArray(b64decode(text, validate=True))
    except ValueError:
        return QByteArray()
