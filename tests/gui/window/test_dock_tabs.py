import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QTabBar, QTextEdit
from pytestqt.qtbot import QtBot

from vae_explorer.gui.window.dock_tabs import DockTabs


@pytest.fixture
def window(qtbot: QtBot) -> QMainWindow:
    """Two hidden docks in one position."""
    window = QMainWindow()
    qtbot.addWidget(window)
    window.setCentralWidget(QTextEdit())
    docks = [QDockWidget(name, window) for name in ("A", "B")]
    for dock in docks:
        dock.setWidget(QTextEdit())
        window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, dock)
    window.tabifyDockWidget(*docks)
    DockTabs(window, docks)
    for dock in docks:
        dock.hide()
    window.resize(600, 400)
    window.show()
    return window


def stops(window: QMainWindow) -> list[int]:
    """The number of tabs of each bar that Tab stops at."""
    policy = Qt.FocusPolicy.TabFocus
    return [bar.count() for bar in window.findChildren(QTabBar) if bar.focusPolicy() & policy]


def test_tab_stops_at_tabs_that_are_seen(qtbot: QtBot, window: QMainWindow) -> None:
    qtbot.waitUntil(lambda: stops(window) == [])
    assert window.findChildren(QTabBar), "Qt has one all the same"
    first, second = window.findChildren(QDockWidget)
    first.show()
    second.show()
    qtbot.waitUntil(lambda: stops(window) == [2])
    first.hide()
    qtbot.waitUntil(lambda: stops(window) == [])
