"""QActions made from the table of commands, and the menus and toolbar that hold them."""

from collections.abc import Callable, Mapping

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction, QActionGroup, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QApplication,
    QComboBox,
    QDockWidget,
    QMainWindow,
    QMenu,
    QWidget,
)
from typing_extensions import override

from vae_explorer.session.commands import COMMANDS, MENUS


class Actions:
    """One QAction a command; its keys work everywhere in ``window`` and its docks.

    Args:
        window: gets the actions, the menus and the toolbar.
        handlers: what each command does, by id.

    Raises:
        KeyError: a command has no handler or a handler no command.
    """

    def __init__(self, window: QMainWindow, handlers: Mapping[str, Callable[[], object]]) -> None:
        unmatched = {command.id for command in COMMANDS} ^ handlers.keys()
        if unmatched:
            raise KeyError(f"commands and handlers differ: {sorted(unmatched)}")
        self._actions: dict[str, QAction] = {}
        self.menus: dict[str, QMenu] = {}
        groups: dict[str, QActionGroup] = {}
        for name in MENUS:
            self.menus[name] = window.menuBar().addMenu(f"&{name}")
        toolbar = window.addToolBar("Main")
        toolbar.setObjectName("toolbar")
        toolbar.setMovable(False)
        for command in COMMANDS:
            action = QAction(command.text, window)
            action.setShortcuts([QKeySequence(key) for key in command.keys])
            action.setStatusTip(command.help)
            keys = f" ({action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)})"
            action.setToolTip(command.help + (keys if command.keys else ""))
            action.triggered.connect(handlers[command.id])
            action.setCheckable(command.check)
            if command.group:
                group = groups.setdefault(command.group, QActionGroup(window))
                action.setCheckable(True)
                group.addAction(action)
            menu = self.menus[command.menu]
            if command.separator:
                menu.addSeparator()
            menu.addAction(action)
            if command.toolbar:
                toolbar.addAction(action)
            self._actions[command.id] = action
        claims = _KeyClaims(window)
        for part in (window, *window.findChildren(QDockWidget)):
            part.installEventFilter(claims)

    def __getitem__(self, command_id: str) -> QAction:
        return self._actions[command_id]

    def set_enabled(self, enabled: Mapping[str, bool]) -> None:
        """Enable or disable actions by id."""
        for command_id, value in enabled.items():
            self._actions[command_id].setEnabled(value)

    def set_checked(self, command_id: str, checked: bool = True) -> None:
        """Check one action of a group, or check or uncheck one that stands alone."""
        self._actions[command_id].setChecked(checked)


class _KeyClaims(QObject):
    """Leaves a focused button, choice or slider the keys it acts on.

    Qt asks the focused widget and then its parents whether a key is theirs before it makes a
    shortcut of it; text fields say so themselves, these do not.
    """

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            widget = QApplication.focusWidget()
            if widget is not None and _acts_on(widget, event):
                event.accept()
                return True
        return False


def _acts_on(widget: QWidget, event: QKeyEvent) -> bool:
    if event.modifiers() != Qt.KeyboardModifier.NoModifier:
        return False
    if isinstance(widget, QAbstractButton):
        return event.key() == Qt.Key.Key_Space
    if isinstance(widget, QComboBox):
        return event.text().isprintable() or event.key() == Qt.Key.Key_Home
    return isinstance(widget, QAbstractSlider) and event.key() == Qt.Key.Key_Home
