"""What becomes of the records of commands and panels, and of keys wherever the focus is."""

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
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

from vae_explorer.gui.dialogs.help import keys_html
from vae_explorer.gui.dialogs.palette import menu_commands
from vae_explorer.gui.window.actions import Actions, native
from vae_explorer.gui.window.docks import Docks
from vae_explorer.gui.window.records import LEFT, Choices, Command, Panel


class Desk:
    """A window of commands that only say they were called, one of each control, and a panel."""

    def __init__(self) -> None:
        self.called: list[str] = []
        self.offered, self.on, self.word, self.names = True, False, "Away", ["a", "b & c"]
        self.window = QMainWindow()
        self.button = QPushButton("Button")
        self.docks = Docks(self.window, [Panel("dummy", self.button, LEFT, {"explore": (0, 0)})])
        (self.dock,) = self.window.findChildren(QDockWidget)
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

        def command(name: str, *keys: str) -> Command:
            return Command(name, "Map", name, "Help", lambda: self.called.append(name), keys)

        self.fly = Command(
            "fly",
            "Map",
            "Fly",
            "Leave the map",
            self.run_fly,
            ("Ctrl+J", "Ctrl+U"),
            enabled=lambda: self.offered,
            checked=lambda: self.on,
            named=lambda: f"Fly {self.word}",
            toolbar="Fly",
            icon="travel",
            separator=True,
        )
        self.records = (
            command("space", "Space"),
            command("home", "Home"),
            command("o", "O"),
            self.fly,
            Choices("Map", "Visit", lambda: self.names, self.called.append, str.upper),
            command("last"),
        )
        self.chosen: dict[str, str] = {}
        self.actions = Actions(self.window, self.records, lambda: self.chosen)

    def run_fly(self) -> None:
        self.called.append("fly")

    @property
    def menu(self) -> QMenu:
        return self.actions.menus["Map"]

    @property
    def choices(self) -> list[QAction]:
        (menu,) = self.menu.findChildren(QMenu)
        return menu.actions()

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


def test_one_record_is_found_in_menu_toolbar_palette_and_key_sheet(desk: Desk) -> None:
    action = desk.actions["fly"]
    assert action in desk.menu.actions()
    buttons = desk.window.findChild(QToolBar, "toolbar").findChildren(QToolButton)
    assert [button.text() for button in buttons if button.defaultAction() is action] == ["Fly"]
    assert ("Map", action) in menu_commands(desk.window.menuBar())
    assert f">{native(desk.fly.keys)}</a></b></td><td>Leave the map" in keys_html([desk.fly])
    texts = ["" if each.isSeparator() else each.text() for each in desk.menu.actions()]
    assert texts == ["space", "home", "o", "", "Fly Away", "Visit", "last"]


def test_one_record_is_a_panel_in_a_dock_a_layout_and_the_menu(desk: Desk) -> None:
    assert [action.text() for action in desk.docks.actions().values()] == ["Dummy"]
    desk.dock.hide()
    desk.docks.lay_out("explore")
    assert desk.dock.isVisible()
    assert desk.window.dockWidgetArea(desk.dock) == LEFT


def test_a_refresh_asks_all_rules(desk: Desk) -> None:
    action = desk.actions["fly"]
    assert (action.isEnabled(), action.isChecked(), action.text()) == (True, False, "Fly Away")
    desk.offered, desk.on, desk.word = False, True, "Back & Forth"
    desk.actions.refresh()
    assert (action.isEnabled(), action.isChecked()) == (False, True)
    assert action.text() == "Fly Back && Forth"
    assert desk.press(desk.label, "Ctrl+J") == [], "a disabled command does nothing"


def test_a_switch_that_does_not_obey_is_not_checked(desk: Desk) -> None:
    desk.actions["fly"].trigger()
    assert desk.called == ["fly"]
    assert not desk.actions["fly"].isChecked()


def test_names_are_listed_as_they_are_now(desk: Desk) -> None:
    assert [action.text() for action in desk.choices] == ["A", "B && C"]
    desk.choices[1].trigger()
    assert desk.called == ["b & c"]
    desk.names = []
    desk.actions.refresh()
    (menu,) = desk.menu.findChildren(QMenu)
    assert not menu.isEnabled()
    assert not menu.actions()


@pytest.mark.parametrize("key", ["Ctrl+J", "Ctrl+U"])
def test_each_key_works_wherever_the_focus_is(desk: Desk, key: str) -> None:
    assert desk.press(desk.label, key) == ["fly"]


def test_another_key_can_be_chosen_and_taken_back(desk: Desk) -> None:
    desk.chosen = {"fly": "F7", "unheard of": "F8"}
    desk.actions.refresh()
    assert desk.press(desk.label, "Ctrl+J") == desk.press(desk.label, "F8") == []
    assert desk.press(desk.label, "F7") == ["fly"]
    assert desk.actions["fly"].toolTip() == "Leave the map (F7)"
    assert next(c.keys for c in desk.actions.commands if c.id == "fly") == ("F7",)
    desk.chosen = {"fly": "", "o": "no key at all"}
    desk.actions.refresh()
    assert desk.press(desk.label, "F7") == []
    assert desk.actions["fly"].toolTip() == "Leave the map"
    assert desk.press(desk.label, "o") == ["o"], "what is no key changes nothing"
    desk.chosen = {}
    desk.actions.refresh()
    assert desk.press(desk.label, "Ctrl+U") == ["fly"]


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
    assert desk.press(desk.button, "Ctrl+J") == ["fly"], "the window's keys work there too"


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
    assert desk.press(desk.slider, "Space") == ["space"], "a slider has no use for it"


def test_text_is_typed(desk: Desk) -> None:
    for key in ("o", "Space", "Home"):
        assert desk.press(desk.line, key) == []
    assert desk.line.text() == "o "
    assert desk.line.cursorPosition() == 0
    assert desk.press(desk.line, "Ctrl+J") == ["fly"]
