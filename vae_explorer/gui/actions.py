"""QActions made from the table of commands, and the menus and toolbar that hold them."""

from collections.abc import Callable, Mapping

from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from vae_explorer.session.commands import COMMANDS, MENUS


class Actions:
    """One QAction a command, added to ``window`` so that its keys work everywhere.

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

    def __getitem__(self, command_id: str) -> QAction:
        return self._actions[command_id]

    def set_enabled(self, enabled: Mapping[str, bool]) -> None:
        """Enable or disable actions by id."""
        for command_id, value in enabled.items():
            self._actions[command_id].setEnabled(value)

    def set_checked(self, command_id: str) -> None:
        """Check one action of a group."""
        self._actions[command_id].setChecked(True)
