"""The list of the worst, over real images."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from vae_explorer.data.dataset import ImageSet
from vae_explorer.gui.explore.decode.lowest_elbo_list import LowestElboList, Row
from vae_explorer.gui.widgets.empty_state import EmptyState
from vae_explorer.types import OneSplit, UInt8


class Images:
    """Gives images and remembers which."""

    def __init__(self, images: UInt8) -> None:
        self._images = images
        self.asked: set[tuple[str, int]] = set()

    def __call__(self, split: OneSplit, index: int) -> UInt8:
        self.asked.add((split, index))
        image: UInt8 = self._images[index % len(self._images)]
        return image


@pytest.fixture
def images(mnist_small: ImageSet) -> Images:
    return Images(mnist_small.images)


@pytest.fixture
def worst(qtbot: QtBot, images: Images) -> LowestElboList:
    worst = LowestElboList(images)
    qtbot.addWidget(worst)
    worst.resize(260, 160)
    with qtbot.waitActive(worst):
        worst.show()
        worst.activateWindow()
    return worst


@pytest.fixture
def said(worst: LowestElboList) -> list[tuple[str, int]]:
    said: list[tuple[str, int]] = []
    worst.chosen.connect(lambda *image: said.append(image))
    return said


ROWS: tuple[Row, ...] = (
    ("train", 59_999, "six", -301.26),
    ("test", 3, "0", -250.0),
    ("train", 3, "", -249.9),
)


def middle(worst: LowestElboList, row: int) -> QPoint:
    return worst.visualRect(worst.model().index(row, 0)).center()


def test_a_row_says_which_image_it_is_and_shows_it(
    worst: LowestElboList, mnist_small: ImageSet
) -> None:
    worst.set_images(ROWS)
    QApplication.processEvents()
    interface = QAccessible.queryAccessibleInterface(worst)
    assert interface.text(QAccessible.Text.Name) == "Lowest ELBO first"
    names = [interface.child(row).text(QAccessible.Text.Name) for row in range(3)]
    assert names == [
        "six · #59,999 train · −301.3 nats",
        "0 · #3 test · −250.0 nats",
        "#3 train · −249.9 nats",
    ]
    box = worst.visualRect(worst.model().index(1, 0))
    row = worst.viewport().grab(box).toImage()
    pixels = np.array(
        [[row.pixelColor(x, y).red() for x in range(40)] for y in range(row.height())]
    )
    image = mnist_small.images[3]
    found = [
        (top, left)
        for top in range(pixels.shape[0] - 27)
        for left in range(pixels.shape[1] - 27)
        if np.array_equal(pixels[top : top + 28, left : left + 28], image)
    ]
    assert len(found) == 1


def test_only_rows_in_sight_are_fetched(
    qtbot: QtBot, worst: LowestElboList, images: Images
) -> None:
    worst.set_images([("train", index, "5", -300.0 + index / 1_000) for index in range(60_000)])
    worst.grab()
    assert 0 < len(images.asked) < 20
    images.asked.clear()
    qtbot.waitUntil(lambda: worst.verticalScrollBar().maximum() > 50_000)
    worst.scrollTo(worst.model().index(50_000, 0))
    worst.grab()
    assert 0 < len(images.asked) < 20
    assert ("train", 50_000) in images.asked


def test_clicks_and_arrows_choose(worst: LowestElboList, said: list[tuple[str, int]]) -> None:
    worst.set_images(ROWS)
    QApplication.processEvents()
    QTest.mouseClick(worst.viewport(), Qt.MouseButton.LeftButton, pos=middle(worst, 1))
    worst.setFocus()
    QTest.keyClick(worst, Qt.Key.Key_Down)
    assert said == [("test", 3), ("train", 3)]


def test_neither_orders_nor_the_focus_choose(
    qtbot: QtBot, worst: LowestElboList, said: list[tuple[str, int]]
) -> None:
    elsewhere = QLineEdit(worst)
    elsewhere.show()
    elsewhere.setFocus()
    worst.set_images(ROWS)
    worst.setFocus(Qt.FocusReason.TabFocusReason)
    assert worst.hasFocus()
    worst.set_images(ROWS[::-1])
    worst.set_images(())
    assert said == []


def test_an_empty_list_says_what_it_is_for_and_asks_for_the_images(
    qtbot: QtBot, worst: LowestElboList
) -> None:
    empty = worst.findChild(EmptyState)
    assert empty.isVisible()
    assert "explains worst" in empty.text()
    with qtbot.waitSignal(worst.asked):
        empty.findChild(QPushButton).click()
    worst.set_images(ROWS)
    assert not empty.isVisible()
    worst.set_images(())
    assert empty.isVisible()


def test_a_ranking_is_told_in_the_list(worst: LowestElboList) -> None:
    empty = worst.findChild(EmptyState)
    button = empty.findChild(QPushButton)
    worst.set_progress("ELBO: 2,000 of 60,000 images")
    assert empty.text() == "ELBO: 2,000 of 60,000 images"
    assert not button.isVisible()
    worst.set_progress("")
    assert button.isVisible()
