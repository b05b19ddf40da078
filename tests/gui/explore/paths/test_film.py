"""The film of a path: large over the window's middle, in whatever layout."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtWidgets import QToolButton, QWidget
from pytestqt.qtbot import QtBot

from tests.support.person import Person
from vae_explorer.gui.explore.paths.film import Film
from vae_explorer.gui.main_thread import run_events
from vae_explorer.gui.window.records import LAYOUTS


@pytest.mark.parametrize("layout", LAYOUTS)
def test_playing_shows_the_digit_large_in_any_layout(person: Person, layout: str) -> None:
    window, playback = person.window, person.window.app.playback
    person.trigger(f"layout_{layout}")
    person.trigger("play_path")
    film = window.film
    assert window.paths.isVisible()
    assert film.isVisible()
    assert min(film.digit.width(), film.digit.height()) >= 140
    person.wait(lambda: playback.frame > 2)
    assert film.digit.accessibleDescription().startswith(f"{playback.frame + 1} of 48 · z = ")
    z1, z2 = playback.path.positions[playback.frame].tolist()
    assert window.app.cursor.position == pytest.approx((z1, z2))
    person.trigger("play_path")
    frame = playback.frame
    run_events(300)
    assert (playback.frame, film.isVisible()) == (frame, True), "a pause is to look at it"
    playback.choose("", 16, False)
    assert not film.isVisible()


def test_it_goes_with_its_button_and_with_the_panel(person: Person) -> None:
    window = person.window
    person.trigger("play_path")
    window.film.findChild(QToolButton).click()
    assert not window.film.isVisible()
    person.trigger("play_path")
    person.trigger("play_path")
    assert window.film.isVisible()
    person.trigger("layout_explore")
    assert not window.film.isVisible(), "the panel of paths is gone"


def test_it_hides_as_little_of_the_path_as_can_be(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.resize(600, 400)
    path = [QPoint(400, 100), QPoint(150, 100), QPoint(450, 300)]
    film = Film(parent, lambda: (parent.rect(), path))
    parent.show()
    film.start()
    film.set_frame(np.zeros((28, 28), np.float32), "1 of 3")
    assert not any(map(film.geometry().contains, path))
    parent.resize(500, 500)
    assert QRect(0, 0, 500, 500).contains(film.geometry())
    assert film.geometry().center().x() < 250 < film.geometry().center().y(), "it keeps its corner"
