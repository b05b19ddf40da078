import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QSignalSpy
from PySide6.QtWidgets import QLabel, QListWidget, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from tests.support.person import ShowTheme
from vae_explorer.gui.theme import DARK, LIGHT, Theme
from vae_explorer.gui.widgets.empty_state import EmptyState


def colors(widget: QWidget) -> set[str]:
    image = widget.grab().toImage()
    return {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(60, 130)}


def test_it_says_why_and_does_what_its_button_says(qtbot: QtBot) -> None:
    empty = EmptyState("No runs yet", "Start", "run")
    qtbot.addWidget(empty)
    empty.resize(300, 200)
    with qtbot.waitExposed(empty):
        empty.show()
    button = empty.findChild(QPushButton)
    assert (empty.text(), button.text()) == ("No runs yet", "Start")
    asked = QSignalSpy(empty.asked)
    button.setFocus()
    qtbot.keyClick(button, Qt.Key.Key_Space)
    assert asked.count() == 1
    empty.say("No run matches “<b>”.")
    assert empty.findChild(QLabel).text() == "No run matches “<b>”."
    assert not button.isVisible()


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_empty_is_quiet_and_failed_is_not(
    qtbot: QtBot, show_theme: ShowTheme, theme: Theme
) -> None:
    show_theme(theme)
    empty = EmptyState("Nothing", sign="find")
    qtbot.addWidget(empty)
    empty.resize(300, 200)
    empty.show()
    assert {theme.muted} <= colors(empty)
    assert theme.wrong not in colors(empty)
    empty.say("It cannot be read", "Try Again", "failed")
    assert {theme.wrong, theme.text} <= colors(empty)


def test_it_covers_a_view_whatever_its_size(qtbot: QtBot) -> None:
    view = QListWidget()
    qtbot.addWidget(view)
    empty = EmptyState("Rank all images by their ELBO to see the lowest", "Rank", "find", over=view)
    for size in ((300, 400), (160, 60)):
        view.resize(*size)
        view.show()
        assert empty.size() == view.size()
        button = empty.findChild(QPushButton)
        assert button.visibleRegion().boundingRect().size() == button.size()
