import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QAccessible, QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QListWidget, QMainWindow, QWidget
from pytestqt.qtbot import QtBot

from tests.support.widgets import expose
from vae_explorer.gui.dialogs.palette import CommandPalette, match, menu_commands

# The match


def all_ways(query: str, text: str) -> int | None:
    """The best of all ways to find ``query`` in ``text``, each tried."""
    best: int | None = None
    for positions in itertools.combinations(range(len(text)), len(query)):
        if all(text[at] == letter for at, letter in zip(positions, query, strict=True)):
            starts = sum(text[at] != " " and (" " + text)[at] == " " for at in positions)
            runs = sum(b == a + 1 for a, b in itertools.pairwise((-1, *positions)))
            best = max(best or 0, 3 * starts + 2 * runs)
    return best


@given(st.text("ab", max_size=4), st.text("ab ", max_size=9))
def test_the_best_way_to_find_the_letters_counts(query: str, text: str) -> None:
    assert match(query, text) == all_ways(query, text)


@pytest.mark.parametrize(
    ("query", "best", "other"),
    [
        ("fm", "Fit the Map", "Follow them"),
        ("lay", "Layers", "Select a Play"),
        ("op", "Open Model…", "Stop"),
        ("EI", "Export Image…", "Shown Pieces"),
        ("ex ma", "Export Manifold…", "Explain a Mixture"),
    ],
)
def test_words_begun_come_first(query: str, best: str, other: str) -> None:
    high, low = match(query, best), match(query, other)
    assert high is not None
    assert low is None or high > low


def test_letters_out_of_order_do_not_fit() -> None:
    assert match("pam", "Map") is None
    assert match("mapp", "Map") is None
    assert match("STRASSE", "Straße") is None  # a letter is one letter
    assert match(" ", "Map") == 0


# The dialog


class Desk:
    """A window with menus, its palette, and what was run."""

    def __init__(self, qtbot: QtBot, window: QMainWindow) -> None:
        self._qtbot = qtbot
        self.window = window
        self.ran: list[str] = []
        self.actions: dict[str, QAction] = {}
        bar = window.menuBar()
        self.file, self.map = bar.addMenu("&File"), bar.addMenu("&Map")
        self.recent = self.file.addMenu("Open &Recent")
        for menu, text, keys in (
            (self.file, "Open Model…", "Ctrl+O"),
            (self.recent, "one && two", ""),
            (self.map, "Fit the &Map", "Home"),
            (self.map, "Cursor to the Origin", "O"),
        ):
            action = menu.addAction(text)
            action.setShortcut(keys)
            action.setStatusTip(f"About {text}")
            action.triggered.connect(lambda _, text=text: self.ran.append(text))
            self.actions[text] = action
            menu.addSeparator()
        self.palette = CommandPalette(window)

    def open(self) -> None:
        self.palette.set_commands(menu_commands(self.window.menuBar()))
        self.palette.open()
        self._qtbot.waitUntil(self.line.hasFocus)

    @property
    def rows(self) -> list[str]:
        """The names of the commands, from the top."""
        rows = self.list
        return [rows.item(row).text() for row in range(rows.count())]

    @property
    def line(self) -> QLineEdit:
        line = self.palette.findChild(QLineEdit)
        assert line is not None
        return line

    @property
    def list(self) -> QListWidget:
        rows = self.palette.findChild(QListWidget)
        assert rows is not None
        return rows

    def press(self, *keys: Qt.Key) -> None:
        for key in keys:
            focused = QApplication.focusWidget()
            assert focused is self.line
            QTest.keyClick(focused, key)

    def run(self, text: str) -> None:
        self.open()
        QTest.keyClicks(self.line, text)
        self.press(Qt.Key.Key_Return)


@pytest.fixture
def desk(qtbot: QtBot) -> Desk:
    window = QMainWindow()
    window.resize(900, 500)
    expose(qtbot, window)
    return Desk(qtbot, window)


def test_every_action_of_the_menus_is_there(desk: Desk) -> None:
    commands = menu_commands(desk.window.menuBar())
    assert [(path, action.text()) for path, action in commands] == [
        ("File › Open Recent", "one && two"),
        ("File", "Open Model…"),
        ("Map", "Fit the &Map"),
        ("Map", "Cursor to the Origin"),
    ]
    desk.actions["Fit the &Map"].setVisible(False)
    assert len(menu_commands(desk.window.menuBar())) == 3


def test_typing_and_enter_run_a_command(desk: Desk) -> None:
    desk.open()
    assert desk.rows == ["one & two", "Open Model…", "Fit the Map", "Cursor to the Origin"]
    QTest.keyClicks(desk.line, "ori")
    assert desk.rows[0] == "Cursor to the Origin"
    desk.press(Qt.Key.Key_Return)
    assert desk.ran == ["Cursor to the Origin"]
    assert not desk.palette.isVisible()


def test_a_command_is_found_by_its_menus_after_those_by_name(desk: Desk) -> None:
    desk.open()
    QTest.keyClicks(desk.line, "map")
    assert desk.rows == ["Fit the Map", "Cursor to the Origin"]
    desk.line.setText("recent")
    assert desk.rows == ["one & two"]
    desk.line.setText("xyz")
    assert desk.rows == ["No command fits"]
    desk.press(Qt.Key.Key_Down, Qt.Key.Key_Return)
    assert desk.palette.isVisible()


def test_keys_choose_and_a_click_runs(desk: Desk) -> None:
    desk.open()
    desk.press(Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_Enter)
    assert desk.ran == ["Open Model…"]
    desk.open()
    at = desk.list.visualItemRect(desk.list.item(3)).center()
    QTest.mouseClick(desk.list.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert desk.ran == ["Open Model…", "Cursor to the Origin"]
    desk.open()
    desk.press(Qt.Key.Key_Escape)
    assert not desk.palette.isVisible()
    assert len(desk.ran) == 2


def test_the_last_run_come_first(desk: Desk) -> None:
    for text in ("fit", "open model", "fit"):
        desk.run(text)
    desk.actions["Fit the &Map"].setText("Fit")  # known again by another name
    desk.open()
    assert desk.rows == ["Fit", "Open Model…", "one & two", "Cursor to the Origin"]
    assert desk.line.text() == ""


def test_a_disabled_command_is_passed_over_and_does_not_run(desk: Desk) -> None:
    for text in ("one && two", "Fit the &Map"):
        desk.actions[text].setEnabled(False)
    desk.open()
    assert desk.list.currentRow() == 1
    desk.press(Qt.Key.Key_Down)
    assert desk.list.currentRow() == 3
    at = desk.list.visualItemRect(desk.list.item(0)).center()
    QTest.mouseClick(desk.list.viewport(), Qt.MouseButton.LeftButton, pos=at)
    desk.line.setText("fit")
    desk.press(Qt.Key.Key_Return)
    desk.line.setText("open model")
    desk.actions["Open Model…"].setEnabled(False)  # while it is listed
    desk.press(Qt.Key.Key_Return)
    assert desk.ran == []
    assert desk.palette.isVisible()


def test_a_command_that_went_meanwhile_does_not_run(desk: Desk) -> None:
    desk.open()
    desk.recent.clear()
    desk.press(Qt.Key.Key_Return)
    desk.line.setText("o")
    assert "one & two" not in desk.rows
    assert desk.ran == []


def test_it_closes_when_the_window_is_active_again(qtbot: QtBot, desk: Desk) -> None:
    desk.open()
    assert not desk.palette.isModal()
    desk.window.activateWindow()
    qtbot.waitUntil(lambda: not desk.palette.isVisible())


@pytest.mark.parametrize("width", [260, 400, 1400])
def test_it_opens_at_the_top_of_the_window_and_within_it(desk: Desk, width: int) -> None:
    desk.window.menuBar().setNativeMenuBar(False)
    desk.window.resize(width, 300)
    desk.open()
    inside, outside = desk.palette.geometry(), QRect(desk.window.geometry())
    assert outside.contains(inside)
    assert abs(inside.center().x() - outside.center().x()) <= 1
    assert inside.top() - outside.top() < 20
    room = desk.list.viewport().rect()
    for row in range(desk.list.count()):
        assert room.contains(desk.list.visualItemRect(desk.list.item(row)))


def test_everything_has_a_name_and_the_line_tells_the_row(desk: Desk) -> None:
    desk.open()
    desk.press(Qt.Key.Key_Down, Qt.Key.Key_Down)
    for widget in (desk.line, desk.list):
        assert _name(widget).strip()
    assert desk.line.accessibleDescription() == "Fit the Map, Map, Home"
    assert desk.list.currentItem().toolTip() == "About Fit the &Map"


def _name(widget: QWidget) -> str:
    name: str = QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name)
    return name
