from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from tests.support.widgets import expose
from vae_explorer.gui.map.point_tooltip import PointTooltip
from vae_explorer.gui.theme import DARK, Theme


@pytest.fixture
def room(qtbot: QtBot) -> QWidget:
    return expose(qtbot, QWidget(), 500, 400)


@pytest.fixture
def card(room: QWidget) -> PointTooltip:
    card = PointTooltip(room)
    card.set_point(7, "train 12,345", "7")
    return card


def texts(card: PointTooltip) -> list[str]:
    return [label.text() for label in card.findChildren(QLabel) if label.isVisibleTo(card)]


def test_a_card_without_its_picture_is_only_text(card: PointTooltip) -> None:
    assert [text for text in texts(card) if text] == ["7", "train 12,345"]


def test_the_picture_is_enlarged_a_whole_number_of_times(card: PointTooltip) -> None:
    image = np.random.default_rng(0).integers(0, 256, (28, 28)).astype(np.uint8)
    card.set_picture(image, "ELBO −131.2")
    assert "ELBO −131.2" in texts(card)
    (shown,) = [
        label.pixmap() for label in card.findChildren(QLabel) if label.pixmap().width() > 28
    ]
    picture = shown.toImage()
    assert (picture.width(), picture.height()) == (84, 84)
    for row, column in ((0, 0), (13, 20), (27, 27)):
        for inner in (0, 2):
            color = picture.pixelColor(3 * column + inner, 3 * row + inner)
            assert color.red() == color.green() == color.blue() == image[row, column]


@pytest.mark.parametrize("shape", [(1, 1), (8, 16), (32, 20), (100, 90)])
def test_pictures_of_any_shape(card: PointTooltip, shape: tuple[int, int]) -> None:
    card.set_picture(np.full(shape, 128, np.uint8), "")
    assert card.width() < 160 + shape[1]
    assert "" not in [text for text in texts(card) if text]


def test_a_picture_in_colour(card: PointTooltip) -> None:
    card.set_picture(np.full((16, 8, 3), (200, 10, 90), np.uint8), "")
    picture = card.findChildren(QLabel)[0].pixmap().toImage()
    assert (picture.width(), picture.height()) == (40, 80)
    assert picture.pixelColor(20, 40).getRgb() == (200, 10, 90, 255)


def test_another_point_forgets_the_picture(card: PointTooltip) -> None:
    card.set_picture(np.zeros((28, 28), np.uint8), "old")
    height = card.height()
    card.set_point(3, "train 1", "3")
    assert "old" not in texts(card)
    assert card.height() < height


def test_the_card_stays_inside_and_off_the_point(card: PointTooltip, room: QWidget) -> None:
    card.set_picture(np.zeros((28, 28), np.uint8), "ELBO −131.2 nats")
    for x in (0, 250, 499):
        for y in (0, 200, 399):
            card.show_beside(QPointF(x, y))
            assert room.rect().contains(card.geometry())
            assert not card.geometry().contains(x, y)


def test_the_card_is_deaf_and_follows_the_theme(
    card: PointTooltip, show_theme: Callable[[Theme], None]
) -> None:
    assert card.testAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    light = card.grab().toImage()
    show_theme(DARK)
    assert card.grab().toImage().pixelColor(5, 5).name() == DARK.canvas
    assert card.grab().toImage() != light
