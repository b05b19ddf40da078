"""The tabs of docks and the keyboard."""

from collections.abc import Iterable

from PySide6.QtCore import QObject, Qt, QTimer, Slot
from PySide6.QtWidgets import QDockWidget, QMainWindow, QTabBar


class DockTabs(QObject):
    """Shows the names of docks whole, and lets Tab pass by the tabs of those that are hidden.

    Qt keeps a bar of tabs for docks that share a position even while fewer than two are seen, then
    far off the window, where the keyboard would be lost.
    """

    def __init__(self, window: QMainWindow, docks: Iterable[QDockWidget]) -> None:
        super().__init__(window)
        self._window = window
        # The bar has its tabs only after the window was laid out.
        self._timer = QTimer(self, singleShot=True, interval=0)
        self._timer.timeout.connect(self._settle)
        self._docks = {dock.windowTitle(): dock for dock in docks}
        for dock in self._docks.values():
            dock.visibilityChanged.connect(self.settle)

    @Slot()
    def settle(self) -> None:
        """Look at the tabs again, once the window is laid out."""
        self._timer.start()

    @Slot()
    def _settle(self) -> None:
        direct = Qt.FindChildOption.FindDirectChildrenOnly
        widths = dict.fromkeys(self._docks, 0)
        for bar in self._window.findChildren(QTabBar, options=direct):
            bar.setElideMode(Qt.TextElideMode.ElideNone)
            bar.setUsesScrollButtons(True)
            seen = bar.count() > 1
            bar.setFocusPolicy(Qt.FocusPolicy.TabFocus if seen else Qt.FocusPolicy.NoFocus)
            if seen:
                names = [bar.tabText(tab) for tab in range(bar.count())]
                widths |= dict.fromkeys(names, bar.sizeHint().width())
        for name, dock in self._docks.items():
            dock.setMinimumWidth(widths[name])
