from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtTest import QSignalSpy, QTest
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QDockWidget,
    QLabel,
    QLineEdit,
    QMainWindow,
    QMenu,
    QPushButton,
    QSlider,
    QToolBar,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

from vae_explorer.gui.window.actions import Actions
from vae_explorer.session.commands import COMMANDS, MENUS, Command

KEYS = [(command.id, key) for command in COMMANDS for key in command.keys]


class Desk:
    """A window with actions that only say they were called, and one of each control."""

    def __init__(self) -> None:
        self.called: list[str] = []
        self.window = QMainWindow()
        self.dock = QDockWidget("Dock", self.window)
        self.button = QPushButton("Button")
        self.dock.setWidget(self.button)
        self.window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, self.dock)
        self.combo = QComboBox()
        self.combo.addItems(["cosine", "one-cycle", "constant"])
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setValue(50)
        self.line, self.check, self.label = QLineEdit(), QCheckBox("Check"), QLabel("Label")
        self.label.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        center = QWidget()
        layout = QVBoxLayout(center)
        for widget in (self.combo, self.slider, self.line, self.check, self.label):
            layout.addWidget(widget)
        self.window.setCentralWidget(center)
        self.actions = Actions(self.window, {c.id: self.handler(c.id) for c in COMMANDS})

    def handler(self, command_id: str) -> Callable[[], object]:
        return lambda: self.called.append(command_id)

    def press(self, widget: QWidget, key: str) -> list[str]:
        """Press a key where ``widget`` has the focus, and tell what was called."""
        self.called.clear()
        widget.setFocus()
        assert QApplication.focusWidget() is widget
        QTest.keySequence(widget, QKeySequence(key))
        return self.called


@pytest.fixture
def desk(qtbot: QtBot) -> Desk:
    desk = Desk()
    qtbot.addWidget(desk.window)
    with qtbot.waitActive(desk.window):
        desk.window.show()
        desk.window.activateWindow()
    return desk


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.id)
def test_a_command_becomes_an_action(desk: Desk, command: Command) -> None:
    action = desk.actions[command.id]
    assert action.text() == command.text
    assert action.statusTip() == command.help
    assert action.shortcuts() == [QKeySequence(key) for key in command.keys]
    assert all(not shortcut.isEmpty() for shortcut in action.shortcuts())
    for key in command.keys[:1]:
        native = QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)
        assert action.toolTip() == f"{command.help} ({native})"
    if not command.keys:
        assert action.toolTip() == command.help
    assert action in desk.actions.menus[command.menu].actions()
    toolbar = desk.window.findChild(QToolBar, "toolbar")
    assert (action in toolbar.actions()) == command.toolbar
    action.trigger()
    assert desk.called == [command.id]


def test_menus_keep_the_order_of_the_table(desk: Desk) -> None:
    bar = [action.text() for action in desk.window.menuBar().actions()]
    assert bar == [f"&{name}" for name in MENUS]
    for name, menu in desk.actions.menus.items():
        shown = [action.text() for action in menu.actions() if not action.isSeparator()]
        assert shown == [command.text for command in COMMANDS if command.menu == name]


def test_lines_are_drawn_where_the_table_wants_them(desk: Desk) -> None:
    def line_above(menu: QMenu, action: QAction) -> bool:
        actions = menu.actions()
        place = actions.index(action)
        return place > 0 and actions[place - 1].isSeparator()

    for command in COMMANDS:
        menu = desk.actions.menus[command.menu]
        assert line_above(menu, desk.actions[command.id]) == command.separator


@pytest.mark.parametrize(("command_id", "key"), KEYS)
def test_a_key_works_wherever_the_focus_is(desk: Desk, command_id: str, key: str) -> None:
    assert desk.press(desk.label, key) == [command_id]


def test_of_a_group_one_is_checked(desk: Desk) -> None:
    for group in {command.group for command in COMMANDS if command.group}:
        members = [command.id for command in COMMANDS if command.group == group]
        for member in members:
            desk.actions.set_checked(member)
            assert [name for name in members if desk.actions[name].isChecked()] == [member]
    assert desk.called == [], "checking by an order is nobody's wish"


def test_a_disabled_action_does_nothing(desk: Desk) -> None:
    desk.actions.set_enabled({"pause": False, "start": True})
    assert desk.press(desk.label, "Space") == []
    desk.actions.set_enabled({"pause": True})
    assert desk.press(desk.label, "Space") == ["pause"]


@pytest.mark.parametrize("wrong", ["start", "fly"])
def test_table_and_handlers_must_match(qtbot: QtBot, wrong: str) -> None:
    window = QMainWindow()
    qtbot.addWidget(window)
    ids = {command.id for command in COMMANDS} ^ {wrong}
    with pytest.raises(KeyError, match=rf"\['{wrong}'\]"):
        Actions(window, dict.fromkeys(ids, list))


def test_space_presses_the_button_that_has_the_focus(desk: Desk) -> None:
    pressed = QSignalSpy(desk.button.clicked)
    assert desk.press(desk.button, "Space") == []
    assert pressed.count() == 1
    assert desk.press(desk.check, "Space") == []
    assert desk.check.isChecked()


def test_space_presses_a_button_in_a_dock_of_its_own(qtbot: QtBot, desk: Desk) -> None:
    pressed = QSignalSpy(desk.button.clicked)
    desk.dock.setFloating(True)
    desk.dock.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is desk.dock)
    assert desk.press(desk.button, "Space") == []
    assert pressed.count() == 1
    assert desk.press(desk.button, "Ctrl+T") == ["start"], "the window's keys work there too"


def test_a_choice_is_found_by_its_letter_and_opened_by_space(desk: Desk) -> None:
    assert desk.press(desk.combo, "o") == [], "O is also the key of a command"
    assert desk.combo.currentText() == "one-cycle"
    assert desk.press(desk.combo, "Home") == []
    assert desk.combo.currentText() == "cosine"
    assert desk.press(desk.combo, "Space") == []
    assert desk.combo.view().isVisible()
    desk.combo.hidePopup()


def test_a_slider_goes_home(desk: Desk) -> None:
    assert desk.press(desk.slider, "Home") == []
    assert desk.slider.value() == desk.slider.minimum()
    assert desk.press(desk.slider, "Space") == ["pause"], "a slider has no use for it"


def test_text_is_typed(desk: Desk) -> None:
    for key in ("o", "Space", "Home"):
        assert desk.press(desk.line, key) == []
    assert desk.line.text() == "o "
    assert desk.line.cursorPosition() == 0
    assert desk.press(desk.line, "Ctrl+T") == ["start"]
