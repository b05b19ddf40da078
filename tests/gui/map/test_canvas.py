from typing import Any

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QShortcut
from pytestqt.qtbot import QtBot

from tests.support.canvas import Key, Modifier, at, names
from vae_explorer.gui.map.canvas import FRAME_MS, MapCanvas


def test_a_press_that_stays_is_a_click(canvas: MapCanvas, hand: Any, heard: list[Any]) -> None:
    spot = at(canvas, 30, 20)
    hand.drag(spot, spot + QPointF(2.0, 2.0))
    assert names(heard) == ["clicked"]
    assert heard[0][1:] == pytest.approx(canvas.to_latent(spot))


def test_a_press_that_moves_scrubs_every_place(
    canvas: MapCanvas, hand: Any, heard: list[Any]
) -> None:
    path = [at(canvas, 10 * i, -5 * i) for i in range(6)]
    hand.drag(*path)
    assert names(heard) == ["grabbed", *["scrubbed"] * 5, "grabbed"]
    assert heard[0] == ("grabbed", True)
    assert heard[-1] == ("grabbed", False)
    for entry, spot in zip(heard[1:-1], path[1:], strict=True):
        assert entry[1:] == pytest.approx(canvas.to_latent(spot))


def test_a_scrub_goes_on_outside_of_the_plane(
    canvas: MapCanvas, hand: Any, heard: list[Any]
) -> None:
    hand.drag(at(canvas), QPointF(-50, -50))
    assert heard[1][1:] == pytest.approx(canvas.to_latent(QPointF(-50, -50)))


def test_a_click_on_the_axes_is_none(canvas: MapCanvas, hand: Any, heard: list[Any]) -> None:
    hand.click(QPointF(5, 100))
    hand.move(QPointF(5, 100))
    assert heard == []


def test_a_double_click_follows_its_click(canvas: MapCanvas, hand: Any, heard: list[Any]) -> None:
    hand.double_click(at(canvas))
    assert names(heard) == ["clicked", "double_clicked"]


def test_middle_drag_pans(canvas: MapCanvas, hand: Any, heard: list[Any]) -> None:
    spot = at(canvas)
    position = canvas.to_latent(spot)
    hand.drag(spot, at(canvas, 20, 10), at(canvas, 60, -30), button=Qt.MouseButton.MiddleButton)
    assert names(heard) == ["grabbed", "grabbed"]
    assert canvas.to_latent(at(canvas, 60, -30)) == pytest.approx(position, abs=1e-9)


def test_the_right_button_moves_nothing_and_only_asks_for_a_menu(
    canvas: MapCanvas, hand: Any, heard: list[Any]
) -> None:
    view = canvas.view_box.viewRect()
    hand.drag(at(canvas), at(canvas, 50, 50), button=Qt.MouseButton.RightButton)
    assert canvas.view_box.viewRect() == view
    assert canvas.contextMenuPolicy() == Qt.ContextMenuPolicy.CustomContextMenu
    assert "clicked" not in names(heard)


def test_space_and_left_drag_pans_and_is_no_tap(
    qtbot: QtBot, canvas: MapCanvas, hand: Any, heard: list[Any]
) -> None:
    spot = at(canvas)
    position = canvas.to_latent(spot)
    qtbot.keyPress(canvas, Key.Key_Space)
    hand.drag(spot, at(canvas, 40, 40))
    qtbot.keyRelease(canvas, Key.Key_Space)
    assert names(heard) == ["grabbed", "grabbed"]
    assert canvas.to_latent(at(canvas, 40, 40)) == pytest.approx(position, abs=1e-9)


def test_a_tap_of_space_is_passed_on_once(
    qtbot: QtBot, canvas: MapCanvas, heard: list[Any]
) -> None:
    stolen: list[bool] = []
    shortcut = QShortcut(Qt.Key.Key_Space, canvas.window())
    shortcut.activated.connect(lambda: stolen.append(True))
    qtbot.keyClick(canvas, Key.Key_Space)
    assert names(heard) == ["space_tapped"]
    assert stolen == []


def test_space_is_forgotten_with_the_focus(
    qtbot: QtBot, canvas: MapCanvas, hand: Any, heard: list[Any]
) -> None:
    qtbot.keyPress(canvas, Key.Key_Space)
    canvas.clearFocus()
    hand.click(at(canvas))
    assert names(heard) == ["clicked"]


@pytest.mark.parametrize(
    ("key", "modifier", "step"),
    [
        (Key.Key_Left, Modifier.NoModifier, (-0.1, 0.0)),
        (Key.Key_Right, Modifier.NoModifier, (0.1, 0.0)),
        (Key.Key_Up, Modifier.NoModifier, (0.0, 0.1)),
        (Key.Key_Down, Modifier.NoModifier, (0.0, -0.1)),
        (Key.Key_Right, Modifier.ShiftModifier, (1.0, 0.0)),
        (Key.Key_Up, Modifier.ControlModifier, (0.0, 0.01)),
    ],
)
def test_arrows_nudge(
    qtbot: QtBot,
    canvas: MapCanvas,
    heard: list[Any],
    key: Qt.Key,
    modifier: Qt.KeyboardModifier,
    step: tuple[float, float],
) -> None:
    qtbot.keyClick(canvas, key, modifier)
    assert names(heard) == ["nudged"]
    assert heard[0][1:] == pytest.approx(step)


def test_home_asks_to_fit_and_plus_and_minus_zoom(
    qtbot: QtBot, canvas: MapCanvas, heard: list[Any]
) -> None:
    qtbot.keyClick(canvas, Key.Key_Home)
    assert names(heard) == ["fit_asked"]
    scale = canvas.pixels_per_unit()[0]
    qtbot.keyClick(canvas, Key.Key_Plus)
    assert canvas.pixels_per_unit()[0] > scale
    qtbot.keyClick(canvas, Key.Key_Minus)
    assert canvas.pixels_per_unit()[0] == pytest.approx(scale)


def test_the_wheel_zooms_about_the_pointer(canvas: MapCanvas, hand: Any) -> None:
    spot = at(canvas, 90, -60)
    position, scale = canvas.to_latent(spot), canvas.pixels_per_unit()[0]
    hand.wheel(spot, 1)
    assert canvas.to_latent(spot) == pytest.approx(position, abs=1e-9)
    assert canvas.pixels_per_unit()[0] == pytest.approx(scale * 1.013**15)
    hand.wheel(spot, -1)
    assert canvas.pixels_per_unit()[0] == pytest.approx(scale)


def test_hover_is_at_once_then_once_a_frame_and_ends_with_none(
    qtbot: QtBot, canvas: MapCanvas, hand: Any, heard: list[Any]
) -> None:
    spots = [at(canvas, i, 0) for i in range(20)]
    for spot in spots:
        hand.move(spot)
    assert len(heard) <= 2  # a slow machine may fit a frame in between
    assert heard[0][1] == pytest.approx(canvas.to_latent(spots[0]))
    qtbot.waitUntil(lambda: heard[-1][1] == canvas.to_latent(spots[-1]), timeout=50 * FRAME_MS)
    hand.leave()
    hand.leave()
    assert [entry[1] for entry in heard].count(None) == 1
    assert heard[-1] == ("hovered", None)


def test_leaving_drops_the_hover_that_was_due(
    qtbot: QtBot, canvas: MapCanvas, hand: Any, heard: list[Any]
) -> None:
    hand.move(at(canvas))
    hand.move(at(canvas, 5, 5))
    hand.leave()
    count = len(heard)
    qtbot.wait(3 * FRAME_MS)
    assert len(heard) == count
    assert heard[-1] == ("hovered", None)


def test_no_hover_during_a_scrub(
    qtbot: QtBot, canvas: MapCanvas, hand: Any, heard: list[Any]
) -> None:
    hand.move(at(canvas))
    hand.move(at(canvas, 1, 1))
    hand.press(at(canvas))
    hand.move(at(canvas, 40, 40))
    heard.clear()
    qtbot.wait(3 * FRAME_MS)
    assert heard == []


def test_a_release_that_was_lost_ends_the_scrub(
    canvas: MapCanvas, hand: Any, heard: list[Any]
) -> None:
    hand.press(at(canvas))
    hand.move(at(canvas, 40, 40))
    hand._held = Qt.MouseButton.NoButton
    hand.move(at(canvas, 50, 50))
    assert names(heard) == ["grabbed", "scrubbed", "grabbed", "hovered"]
