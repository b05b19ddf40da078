"""QActions made of the records of commands, and the menus and the toolbar that hold them."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import shiboken6
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

from vae_explorer.gui.widgets.icons import icon
from vae_explorer.gui.window.records import MENUS, Choices, Command, with_keys
from vae_explorer.gui.window.toolbar import Toolbar


class Actions:
    """The commands of a window; their keys work everywhere in it and its docks.

    Args:
        window: gets the actions, the menus and the toolbar.
        records: the commands and menus of names, in their order in each menu.
        chosen: the keys that a person chose, by the ids of their commands.
    """

    def __init__(
        self,
        window: QMainWindow,
        records: Sequence[Command | Choices],
        chosen: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self._window = window
        self._chosen = chosen
        self.menus = {name: window.menuBar().addMenu(f"&{name}") for name in MENUS}
        self._actions: dict[str, _Action] = {}
        self._choices: list[_ChoicesMenu] = []
        groups: dict[str, QActionGroup] = {}
        for record in records:
            menu = self.menus[record.menu]
            if isinstance(record, Choices):
                self._choices.append(_ChoicesMenu(record, menu))
                menu.addMenu(self._choices[-1])
                continue
            action = _Action(record, self, window)
            if record.group:
                groups.setdefault(record.group, QActionGroup(window)).addAction(action)
            if record.separator:
                menu.addSeparator()
            menu.addAction(action)
            self._actions[record.id] = action
        # What the tip of a button says, of those that do what a command does.
        self._buttons = [
            (button, button.toolTip(), self._actions[button.property("command")])
            for button in window.findChildren(QAbstractButton)
            if button.property("command")
        ]
        buttons: dict[str, list[QAction]] = {name: [] for name in MENUS}
        for action in self._actions.values():
            if action.command.toolbar:
                buttons[action.command.menu].append(action)
        Toolbar(window, filter(None, buttons.values()))
        claims = _KeyClaims(window)
        for part in (window, *window.findChildren(QDockWidget)):
            part.installEventFilter(claims)
        self.refresh()

    def __getitem__(self, command_id: str) -> QAction:
        return self._actions[command_id]

    @property
    def commands(self) -> tuple[Command, ...]:
        """All of them, with the keys that they have now."""
        return tuple(action.command for action in self._actions.values())

    def refresh(self) -> None:
        """Enable, check and name everything as its record says it is now; give it its keys."""
        if not shiboken6.isValid(self._window):
            return  # closed while a run still tells of its end
        chosen = self._chosen()
        for action in self._actions.values():
            action.refresh(chosen)
        for menu in self._choices:
            menu.refresh()
        for button, about, action in self._buttons:
            button.setToolTip(keyed(about, native(action.command.keys[:1])))


class _Action(QAction):
    """A command as Qt knows it."""

    def __init__(self, command: Command, actions: Actions, window: QWidget) -> None:
        super().__init__(command.text, window)
        self._default = command
        self._actions = actions
        self.setStatusTip(command.help)
        if command.toolbar:
            self.setIcon(icon(command.icon))
            self.setIconVisibleInMenu(False)
            self.setIconText(command.toolbar)
        self._set_command(command)
        self.setCheckable(command.checked is not None)
        self.triggered.connect(self._run)

    def refresh(self, chosen: Mapping[str, str]) -> None:
        """Ask the rules of the command, and whether it has another key."""
        command = with_keys(self._default, chosen)
        if command.keys != self.command.keys:
            self._set_command(command)
        lacks = command.lacks() if command.lacks else ""
        if command.enabled is not None or command.lacks is not None:
            self.setEnabled(not lacks and (command.enabled is None or command.enabled()))
        if command.lacks is not None:
            self.setStatusTip(lacks or command.help)
            self.setToolTip(lacks or tip(command))
        if command.checked is not None:
            self.setChecked(command.checked())
        if command.named is not None:
            self.setText(command.named().replace("&", "&&"))

    def _set_command(self, command: Command) -> None:
        self.command = command
        self.setShortcuts([QKeySequence(key) for key in command.keys])
        self.setToolTip(tip(command))

    def _run(self) -> None:
        self.command.run()
        self._actions.refresh()  # a switch that did not obey is not checked


class _ChoicesMenu(QMenu):
    """A menu of names."""

    def __init__(self, choices: Choices, parent: QMenu) -> None:
        super().__init__(choices.text, parent)
        self._choices = choices
        self._names: tuple[str, ...] = ()
        self.setToolTipsVisible(True)
        self.setEnabled(False)
        self.triggered.connect(self._run)

    def refresh(self) -> None:
        """List the names that there are now, and tick them."""
        names, checked = tuple(self._choices.names()), self._choices.checked
        if names != self._names:
            self._names = names
            self.clear()
            for name in names:
                action = self.addAction(self._choices.label(name).replace("&", "&&"))
                action.setToolTip(name)
                action.setData(name)
                action.setCheckable(checked is not None)
            self.setEnabled(bool(names))
        if checked is not None:
            for action in self.actions():
                action.setChecked(checked(action.data()))

    def _run(self, action: QAction) -> None:
        self._choices.run(action.data())
        self.refresh()  # Qt ticks what is chosen


def native(keys: Iterable[str]) -> str:
    """Portable key sequences as people of this system write them."""
    text = QKeySequence.SequenceFormat.NativeText
    return ", ".join(QKeySequence(key).toString(text) for key in keys)


def tip(command: Command) -> str:
    """What a command does, and its first key."""
    return keyed(command.help, native(command.keys[:1]))


def keyed(text: str, key: str) -> str:
    """A tip that names the key, if there is one, of what it tells about."""
    return f"{text} ({key})" if key else text


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
