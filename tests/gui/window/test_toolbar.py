"""The toolbar: a picture and a word for each of the things people do most."""

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QAction, QIcon
from PySide6.QtWidgets import QMainWindow, QToolBar, QToolButton
from pytestqt.qtbot import QtBot

from tests.support.person import Person, ShowTheme
from vae_explorer.gui.theme import DARK, LIGHT, Theme
from vae_explorer.gui.widgets.icons import SIDE, icon
from vae_explorer.gui.window.toolbar import Toolbar

WORDS = "Open Export Scrub Box Lasso Fit Explore Train Learn Travel Find"


def buttons(window: QMainWindow) -> list[QToolButton]:
    bar = window.findChild(QToolBar, "toolbar")
    return [button for button in bar.findChildren(QToolButton) if button.defaultAction()]


def whole(button: QToolButton) -> bool:
    """All of it is seen, with room for what it says."""
    seen = button.visibleRegion().boundingRect().size()
    roomy = button.size() == button.size().expandedTo(button.sizeHint())
    return button.isVisible() and seen == button.size() and roomy


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_each_command_has_a_picture_of_its_own(
    person: Person, show_theme: ShowTheme, theme: Theme
) -> None:
    show_theme(theme)
    pictures = []
    for command in person.window.actions_.commands:
        if command.toolbar:
            for state in (QIcon.State.Off, QIcon.State.On):
                made = person.window.actions_[command.id].icon()
                image = made.pixmap(QSize(SIDE, SIDE), 2.0, QIcon.Mode.Normal, state).toImage()
                pictures.append(bytes(image.constBits()))
    assert all(any(picture) for picture in pictures)
    assert len(set(pictures)) == len(pictures) == 2 * len(WORDS.split())


@pytest.mark.parametrize("size", [(1024, 700), (1280, 800), (1920, 1080)])
def test_it_shows_all_of_itself_with_words(person: Person, size: tuple[int, int]) -> None:
    person.window.resize(*size)
    person.wait(lambda: all(map(whole, buttons(person.window))))
    for button in buttons(person.window):
        word = button.fontMetrics().horizontalAdvance(button.text())
        assert button.width() > button.height() + word
    assert " ".join(button.text() for button in buttons(person.window)) == WORDS


def test_words_go_where_there_is_no_room_and_tips_stay(qtbot: QtBot) -> None:
    window = QMainWindow()
    qtbot.addWidget(window)
    actions = [QAction(icon(name), name, window) for name in ("open", "fit", "find")]
    for action in actions:
        action.setToolTip(f"What {action.text()} does")
    bar = Toolbar(window, [actions[:2], actions[2:]])
    needed = bar.sizeHint().width()
    window.resize(needed, 100)
    with qtbot.waitExposed(window):
        window.show()
    wide = sum(button.width() for button in buttons(window))
    window.resize(needed - 1, 100)
    qtbot.waitUntil(lambda: sum(button.width() for button in buttons(window)) < wide)
    qtbot.waitUntil(lambda: all(map(whole, buttons(window))))
    assert [button.toolTip() for button in buttons(window)] == [a.toolTip() for a in actions]
    window.resize(needed, 100)
    qtbot.waitUntil(lambda: sum(button.width() for button in buttons(window)) == wide)
    font = bar.font()
    font.setPointSizeF(3 * font.pointSizeF())
    bar.setFont(font)
    qtbot.waitUntil(lambda: all(map(whole, buttons(window))))
    assert all(button.height() > 2 * SIDE for button in buttons(window))


def test_it_tells_tool_and_layout(person: Person) -> None:
    def lit() -> list[str]:
        return [button.text() for button in buttons(person.window) if button.isChecked()]

    by_word = {button.text(): button for button in buttons(person.window)}
    for layout in ("Train", "Learn", "Travel", "Explore"):
        by_word[layout].click()
        assert lit() == ["Scrub", layout]
        by_word[layout].click()
        assert lit() == ["Scrub", layout], "again is no way out"
    by_word["Box"].click()
    assert lit() == ["Box", "Explore"]
