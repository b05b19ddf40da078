from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QColor, QPalette
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from vae_explorer.gui.explore.decode.pin_tray import PinTray
from vae_explorer.session.explore.pins import DataPoint
from vae_explorer.types import OneSplit

LEFT = Qt.MouseButton.LeftButton


def point(index: int, level: int, split: OneSplit = "train") -> DataPoint:
    return DataPoint(
        index=index,
        label=7,
        split=split,
        original=np.full((28, 28), level, np.uint8),
        reconstruction=np.zeros((28, 28), np.float32),
        mean=np.zeros(2, np.float32),
        covariance=np.eye(2, dtype=np.float32),
        elbo=-100.0,
        log_likelihood=-93.0,
        kl=7.0,
        seed=7,
        title="digit 7",
    )


PINS = (point(5, 60), point(59_999, 120), point(5, 180, "test"))


@pytest.fixture
def tray(qtbot: QtBot) -> PinTray:
    tray = PinTray()
    qtbot.addWidget(tray)
    tray.resize(250, tray.height())
    with qtbot.waitActive(tray):
        tray.show()
        tray.activateWindow()
    tray.set_pins(PINS, PINS[1])
    return tray


@pytest.fixture
def said(tray: PinTray) -> list[tuple[str, str, int]]:
    told: list[tuple[str, str, int]] = []
    tray.chosen.connect(lambda *pin: told.append(("chosen", *pin)))
    tray.removed.connect(lambda *pin: told.append(("removed", *pin)))
    return told


def click(tray: PinTray, row: int) -> None:
    QTest.mouseClick(tray.viewport(), LEFT, pos=tray.visualItemRect(tray.item(row)).center())


def test_every_pin_is_a_picture_in_one_row(tray: PinTray) -> None:
    image = tray.viewport().grab().toImage()
    boxes = [tray.visualItemRect(tray.item(row)) for row in range(3)]
    grays = [image.pixelColor(box.center()) for box in boxes]
    assert grays == [QColor(level, level, level) for level in (60, 120, 180)]
    assert len({box.top() for box in boxes}) == 1
    assert all(tray.viewport().rect().contains(box) for box in boxes)


def test_the_one_looked_at_is_framed(tray: PinTray) -> None:
    image = tray.viewport().grab().toImage()
    frame = tray.palette().color(QPalette.ColorRole.Highlight)
    edges = [
        image.pixelColor(box.left() + 1, box.center().y())
        for box in (tray.visualItemRect(tray.item(row)) for row in range(3))
    ]
    assert [color == frame for color in edges] == [False, True, False]


def test_a_click_looks_at_a_pin(tray: PinTray, said: list[tuple[str, str, int]]) -> None:
    click(tray, 2)
    click(tray, 0)
    assert said == [("chosen", "test", 5), ("chosen", "train", 5)]


def test_arrows_look_at_the_neighbours(tray: PinTray, said: list[tuple[str, str, int]]) -> None:
    tray.setFocus()
    QTest.keyClick(tray, Qt.Key.Key_Right)
    assert said == [("chosen", "test", 5)]


@pytest.mark.parametrize("key", [Qt.Key.Key_Delete, Qt.Key.Key_Backspace])
def test_delete_asks_to_take_the_current_one_out(
    tray: PinTray, said: list[tuple[str, str, int]], key: Qt.Key
) -> None:
    QTest.keyClick(tray, key)
    assert said == [("removed", "train", 59_999)]
    assert tray.count() == 3, "who is asked decides"
    tray.set_pins((), None)
    QTest.keyClick(tray, key)
    assert len(said) == 1


def test_setting_says_nothing(tray: PinTray, said: list[tuple[str, str, int]]) -> None:
    tray.set_pins(PINS[:2], PINS[0])
    tray.set_pins(PINS, PINS[2])
    tray.set_pins(PINS, None)
    tray.set_pins((), None)
    assert said == []


def test_pictures_stay_while_the_pins_do(tray: PinTray) -> None:
    """Another model describes the same images again, many times a second."""
    items = [tray.item(row) for row in range(3)]
    again = tuple(replace(pin, elbo=-90.0) for pin in PINS)
    tray.set_pins(again, again[0])
    assert [tray.item(row) for row in range(3)] == items
    assert tray.currentRow() == 0


def test_each_pin_has_a_name(tray: PinTray) -> None:
    interface = QAccessible.queryAccessibleInterface(tray)
    assert interface.text(QAccessible.Text.Name) == "Pinned images"
    names = [interface.child(row).text(QAccessible.Text.Name) for row in range(3)]
    assert names == ["digit 7 · #5 train", "digit 7 · #59,999 train", "digit 7 · #5 test"]
    assert [tray.item(row).toolTip() for row in range(3)] == names


def test_many_pins_scroll_sideways(tray: PinTray) -> None:
    height = tray.height()
    many = tuple(point(index, 100) for index in range(40))
    tray.set_pins(many, many[-1])
    bar = tray.horizontalScrollBar()
    assert bar.maximum() > 0
    assert tray.verticalScrollBar().maximum() == 0
    assert tray.height() == height
    tray.scrollToItem(tray.item(39))
    assert tray.viewport().rect().contains(tray.visualItemRect(tray.item(39)).center())
