from html import escape

import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QTextBrowser, QWidget
from pytestqt.qtbot import QtBot

from vae_explorer import __version__
from vae_explorer.gui.dialogs.help import GESTURES, TextDialog, keys_html, show_about, show_keys
from vae_explorer.gui.window.records import Command

COMMANDS = (
    Command("open", "File", "Open…", "Open <a> file", list, ("Ctrl+O", "Ctrl+Shift+O")),
    Command("fly", "Map", "Fly", "Leave the map", list),
)


@pytest.fixture
def parent(qtbot: QtBot) -> QWidget:
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.show()
    return parent


def opened(parent: QWidget) -> tuple[TextDialog, QTextBrowser]:
    (dialog,) = parent.findChildren(TextDialog)
    assert dialog.isVisible()
    (text,) = dialog.findChildren(QTextBrowser)
    return dialog, text


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.keys], ids=lambda c: c.id)
def test_every_key_is_on_the_sheet(command: Command) -> None:
    native = QKeySequence.SequenceFormat.NativeText
    keys = ", ".join(QKeySequence(key).toString(native) for key in command.keys)
    assert f"<b>{escape(keys)}</b></td><td>{escape(command.help)}</td>" in keys_html(COMMANDS)


def test_every_gesture_is_on_the_sheet_and_nothing_without_keys(
    qtbot: QtBot, parent: QWidget
) -> None:
    show_keys(COMMANDS, parent)
    _, text = opened(parent)
    page = text.toPlainText()
    for gesture, meaning in GESTURES:
        assert f"{gesture}\n{meaning}\n" in page
    for command in COMMANDS:
        assert (command.help in page) == bool(command.keys)


def test_about_names_version_data_papers_and_licence(qtbot: QtBot, parent: QWidget) -> None:
    show_about(parent)
    dialog, text = opened(parent)
    assert dialog.windowTitle() == "About VAE Explorer"
    for word in (__version__, "MNIST", "CC BY-SA 3.0", "1312.6114", "MIT licence", "LGPL"):
        assert word in text.toPlainText()
    assert text.openExternalLinks()


@pytest.mark.parametrize("way", ["Escape", "Close"])
def test_a_page_is_closed_with_key_or_button_and_gone(
    qtbot: QtBot, parent: QWidget, way: str
) -> None:
    show_keys(COMMANDS, parent)
    dialog, text = opened(parent)
    assert not dialog.isModal(), "one may read it and use the window at once"
    if way == "Escape":
        QTest.keyClick(text, Qt.Key.Key_Escape)
    else:
        (button,) = dialog.findChildren(QPushButton)
        button.click()
    qtbot.waitUntil(lambda: not shiboken6.isValid(dialog))


def test_a_page_needs_no_scrolling_sideways(qtbot: QtBot, parent: QWidget) -> None:
    show_keys(COMMANDS, parent)
    show_about(parent)
    for dialog in parent.findChildren(TextDialog):
        text = dialog.findChild(QTextBrowser)
        assert text.document().size().width() > 0
        assert text.horizontalScrollBar().maximum() == 0
        assert text.accessibleName() == dialog.windowTitle()
