from collections.abc import Mapping
from html import escape

import pytest
import shiboken6
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QDialogButtonBox,
    QKeySequenceEdit,
    QLabel,
    QPushButton,
    QTextBrowser,
    QWidget,
)
from pytestqt.qtbot import QtBot

from vae_explorer import __version__, paths
from vae_explorer.gui.dialogs.help import (
    GESTURES,
    KeysDialog,
    TextDialog,
    keys_html,
    show_about,
)
from vae_explorer.gui.window.actions import native
from vae_explorer.gui.window.records import Command, with_keys

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


class Sheet:
    """The sheet of keys over settings of its own."""

    def __init__(self, parent: QWidget) -> None:
        self.chosen: Mapping[str, str] = {}
        KeysDialog(self.commands, lambda: self.chosen, self.choose, parent).show()
        (self.dialog,) = parent.findChildren(KeysDialog)
        (self.page,) = self.dialog.findChildren(QTextBrowser)
        (self.edit,) = self.dialog.findChildren(QKeySequenceEdit)

    def commands(self) -> list[Command]:
        return [with_keys(command, self.chosen) for command in COMMANDS]

    def choose(self, chosen: Mapping[str, str]) -> None:
        self.chosen = chosen

    def click(self, command: str) -> None:
        self.page.anchorClicked.emit(QUrl(f"key:{command}"))

    def press(self, key: str) -> None:
        self.edit.setFocus()
        QTest.keySequence(self.edit, QKeySequence(key))

    @property
    def says(self) -> str:
        return " ".join(label.text() for label in self.dialog.findChildren(QLabel))

    def reset(self, text: str) -> None:
        (button,) = [b for b in self.dialog.findChildren(QPushButton) if b.text() == text]
        button.click()


def test_a_key_is_changed_where_it_is_listed(parent: QWidget) -> None:
    sheet = Sheet(parent)
    assert not sheet.edit.isVisible()
    sheet.click("open")
    assert sheet.edit.isVisible()
    assert sheet.edit.keySequence() == QKeySequence("Ctrl+O")
    assert "Open" in sheet.says
    sheet.press("F7")
    assert sheet.chosen == {"open": "F7"}
    assert "F7\nOpen <a> file" in sheet.page.toPlainText()
    sheet.click("fly")
    assert sheet.edit.keySequence().isEmpty()
    sheet.press("Ctrl+Y")
    assert sheet.chosen == {"open": "F7", "fly": "Ctrl+Y"}
    sheet.reset("Reset")
    assert sheet.chosen == {"open": "F7"}
    sheet.reset("Reset All")
    assert sheet.chosen == {}
    assert "Ctrl+O" in sheet.page.toPlainText()


def test_a_command_may_have_no_key(parent: QWidget) -> None:
    sheet = Sheet(parent)
    sheet.click("open")
    sheet.edit.clear()
    sheet.edit.editingFinished.emit()
    assert sheet.chosen == {"open": ""}
    assert "none\nOpen <a> file" in sheet.page.toPlainText()


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("Ctrl+Shift+O", "is a key of File ▸ Open; change that one first"),
        ("Ctrl+Alt+R", "types a letter on many keyboards"),
        ("Ctrl+Space", "input method"),
    ],
)
def test_a_key_that_would_do_harm_is_refused_by_name(parent: QWidget, key: str, why: str) -> None:
    sheet = Sheet(parent)
    sheet.click("fly")
    sheet.press(key)
    assert sheet.chosen == {}
    assert f"{native([key])} " in sheet.says
    assert why in sheet.says
    assert sheet.edit.keySequence().isEmpty(), "it shows the key that counts"


def test_a_key_that_another_command_took_is_not_given_back(parent: QWidget) -> None:
    sheet = Sheet(parent)
    sheet.chosen = chosen = {"open": "F7", "fly": "Ctrl+O"}
    sheet.click("open")
    sheet.reset("Reset")
    assert sheet.chosen == chosen
    assert "is a key of Map ▸ Fly; change that one first" in sheet.says


def opened(parent: QWidget) -> tuple[TextDialog, QTextBrowser]:
    (dialog,) = parent.findChildren(TextDialog)
    assert dialog.isVisible()
    (text,) = dialog.findChildren(QTextBrowser)
    return dialog, text


def test_every_key_is_on_the_sheet() -> None:
    native = QKeySequence.SequenceFormat.NativeText
    page = keys_html(COMMANDS)
    for command in (c for c in COMMANDS if c.keys):
        keys = ", ".join(QKeySequence(key).toString(native) for key in command.keys)
        assert f">{escape(keys)}</a></b></td><td>{escape(command.help)}</td>" in page


def test_every_gesture_is_on_the_sheet_and_every_command(qtbot: QtBot, parent: QWidget) -> None:
    Sheet(parent)
    _, text = opened(parent)
    page = text.toPlainText()
    for gesture, meaning in GESTURES:
        assert f"{gesture}\n{meaning}\n" in page
    for command in COMMANDS:
        assert f"{native(command.keys) or 'none'}\n{command.help}\n" in f"{page}\n"


def test_about_names_version_data_papers_and_licence(qtbot: QtBot, parent: QWidget) -> None:
    log = paths.log_file()
    show_about(parent)
    dialog, text = opened(parent)
    assert dialog.windowTitle() == "About VAE Explorer"
    for word in (
        __version__,
        "MNIST",
        "CC BY-SA 3.0",
        "1312.6114",
        "MIT licence",
        "LGPL",
        str(log),
    ):
        assert word in text.toPlainText()
    assert text.openExternalLinks()
    assert f'href="{log.as_uri()}"' in text.toHtml()


@pytest.mark.parametrize("way", ["Escape", "Close"])
def test_a_page_is_closed_with_key_or_button_and_gone(
    qtbot: QtBot, parent: QWidget, way: str
) -> None:
    Sheet(parent)
    dialog, text = opened(parent)
    assert not dialog.isModal(), "one may read it and use the window at once"
    if way == "Escape":
        QTest.keyClick(text, Qt.Key.Key_Escape)
    else:
        (buttons,) = dialog.findChildren(QDialogButtonBox)
        buttons.button(QDialogButtonBox.StandardButton.Close).click()
    qtbot.waitUntil(lambda: not shiboken6.isValid(dialog))


def test_a_page_needs_no_scrolling_sideways(qtbot: QtBot, parent: QWidget) -> None:
    Sheet(parent)
    show_about(parent)
    for dialog in parent.findChildren(TextDialog):
        text = dialog.findChild(QTextBrowser)
        assert text.document().size().width() > 0
        assert text.horizontalScrollBar().maximum() == 0
        assert text.accessibleName() == dialog.windowTitle()
