from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QAccessible, QColor, QContextMenuEvent, QImage
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from vae_explorer.gui.explore.decode.digit_view import DigitView
from vae_explorer.gui.explore.decode.image import qimage_of
from vae_explorer.gui.theme import DARK, Theme
from vae_explorer.types import UInt8

NOISE = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)


def shown(qtbot: QtBot, width: int, height: int, caption: str = "", short: str = "") -> DigitView:
    view = DigitView("Digit", caption, short)
    qtbot.addWidget(view)
    view.resize(width, height)
    view.show()
    return view


def drawn(view: DigitView, ratio: float = 1.0) -> UInt8:
    """(h, w, 3) RGB of the view on a screen of ``ratio`` device pixels a logical one."""
    size = (round(view.width() * ratio), round(view.height() * ratio))
    image = QImage(*size, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    view.render(image)
    values = np.frombuffer(image.constBits(), np.uint8)
    return values.reshape(image.height(), image.width(), 4)[..., 2::-1].copy()


def find(picture: UInt8, pixels: UInt8, zoom: int) -> tuple[int, int]:
    """(left, top) of ``pixels`` enlarged exactly ``zoom`` times in a grey-valued picture."""
    wanted = pixels.repeat(zoom, 0).repeat(zoom, 1)[..., None].repeat(3, 2)
    height, width = wanted.shape[:2]
    for top in range(picture.shape[0] - height + 1):
        for left in range(picture.shape[1] - width + 1):
            if np.array_equal(picture[top : top + height, left : left + width], wanted):
                return left, top
    raise AssertionError(f"no exact copy at zoom {zoom}")


@pytest.mark.parametrize(
    ("width", "height", "zoom"), [(58, 58, 2), (114, 300, 4), (113, 300, 3), (143, 120, 4)]
)
def test_the_image_is_drawn_at_the_largest_whole_zoom(
    qtbot: QtBot, width: int, height: int, zoom: int
) -> None:
    view = shown(qtbot, width, height)
    view.set_image(qimage_of(NOISE))
    left, top = find(drawn(view), NOISE, zoom)
    assert abs(left - (width - 28 * zoom) / 2) <= 0.5
    assert abs(top - (height - 28 * zoom) / 2) <= 0.5


@pytest.mark.parametrize(("ratio", "zoom"), [(1.0, 3), (1.25, 4), (1.5, 5), (2.0, 7)])
def test_the_zoom_is_whole_in_device_pixels(qtbot: QtBot, ratio: float, zoom: int) -> None:
    view = shown(qtbot, 101, 103)
    view.set_image(qimage_of(NOISE))
    find(drawn(view, ratio), NOISE, zoom)


def test_an_image_too_large_is_shrunk_to_fit(qtbot: QtBot) -> None:
    view = shown(qtbot, 58, 58)
    view.set_image(qimage_of(np.full((64, 128), 80, dtype=np.uint8)))
    picture = drawn(view)
    assert (picture[29, 2:-2] == 80).all()
    assert (picture[10, 29] != 80).any()


def test_an_oblong_image_keeps_its_shape(qtbot: QtBot) -> None:
    view = shown(qtbot, 70, 70)
    pixels = NOISE[:10, :20]
    view.set_image(qimage_of(pixels))
    find(drawn(view), pixels, 3)


def test_a_black_digit_has_an_edge_in_the_dark(
    qtbot: QtBot, show_theme: Callable[[Theme], None]
) -> None:
    view = shown(qtbot, 60, 60)
    show_theme(DARK)
    view.set_image(qimage_of(np.zeros((28, 28), dtype=np.uint8)))
    picture = drawn(view)
    assert QColor(*picture[30, 2].tolist()) == QColor("black")
    assert QColor(*picture[30, 1].tolist()) == QColor(DARK.grid)


def test_the_empty_state_is_a_box_of_canvas_with_a_dash(qtbot: QtBot) -> None:
    view = shown(qtbot, 114, 114)
    view.set_image(qimage_of(NOISE))
    view.set_image(None)
    picture = drawn(view)
    inside = picture[1:-1, 1:-1].reshape(-1, 3)
    canvas = np.array([255, 255, 255])
    blank = (inside == canvas).all(1)
    assert 0.95 < blank.mean() < 1.0


def test_the_short_caption_stands_in_where_the_long_one_does_not_fit(qtbot: QtBot) -> None:
    long, short = "a caption far too long for a narrow view", "short"
    narrow = shown(qtbot, 70, 90, long, short)
    reference = shown(qtbot, 70, 90, short)
    assert np.array_equal(drawn(narrow), drawn(reference))
    narrow.resize(600, 90)
    reference.resize(600, 90)
    reference.set_caption(long)
    assert np.array_equal(drawn(narrow), drawn(reference))


def test_a_caption_takes_room_from_the_image_only_when_there_is_one(qtbot: QtBot) -> None:
    view = shown(qtbot, 58, 58)
    bare = view.height_for(100)
    view.set_caption("z")
    assert view.height_for(100) > bare
    assert view.minimumSizeHint().height() > view.minimumSizeHint().width()


@pytest.mark.parametrize("width", [58, 83, 100, 343])
def test_height_for_loses_no_zoom(qtbot: QtBot, width: int) -> None:
    view = shown(qtbot, 58, 58, "caption")
    view.set_image(qimage_of(NOISE))
    view.resize(width, view.height_for(width))
    ratio = view.devicePixelRatioF()
    find(drawn(view, ratio), NOISE, int((width - 2) * ratio) // 28)


def test_the_minimum_never_asks_for_less_than_its_zoom(qtbot: QtBot) -> None:
    view = DigitView("Digit", least=112)
    qtbot.addWidget(view)
    assert view.minimumSizeHint().width() == view.minimumSizeHint().height() == 114


def test_it_tells_assistive_tools_what_it_is(qtbot: QtBot) -> None:
    view = shown(qtbot, 58, 58)
    view.set_caption("z = (0, 0)", "z")
    interface = QAccessible.queryAccessibleInterface(view)
    assert interface.text(QAccessible.Text.Name) == "Digit"
    assert interface.text(QAccessible.Text.Description) == "z = (0, 0)"


def test_a_right_click_copies_the_image(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QMenu, "popup", lambda *_: None)
    view = shown(qtbot, 58, 58)
    at = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, QPoint(5, 5), QPoint(5, 5))
    QApplication.sendEvent(view, at)
    assert not view.findChildren(QMenu)
    view.set_image(NOISE)
    QApplication.sendEvent(view, at)
    menu = view.findChild(QMenu)
    actions = {action.text(): action for action in menu.actions()}
    assert list(actions) == ["Copy Picture", "Reset View"]
    assert not actions["Reset View"].isEnabled()
    actions["Copy Picture"].trigger()
    copied = QApplication.clipboard().image()
    assert copied.size().toTuple() == (280, 280)
    assert copied.pixelColor(15, 25).red() == NOISE[2, 1]
    menu.deleteLater()


@pytest.mark.parametrize(("side", "height"), [(64, 130), (8, 138), (200, 142)])
def test_room_is_made_for_images_of_any_size(qtbot: QtBot, side: int, height: int) -> None:
    view = shown(qtbot, 58, 58)
    with qtbot.waitSignal(view.reshaped):
        view.set_image(np.zeros((side, side), np.uint8))
    with qtbot.assertNotEmitted(view.reshaped):
        view.set_image(np.ones((side, side), np.uint8))
    assert view.height_for(142) == height
    assert view.side_for(100) == 2 + {64: 128, 8: 104, 200: 100}[side]


def test_a_caption_keeps_clear_of_what_is_beside_it(qtbot: QtBot) -> None:
    view = shown(qtbot, 70, 90, "a caption that would", "just fit")
    view.resize(view.fontMetrics().horizontalAdvance("a caption that would"), 90)
    edges = drawn(view)[60:, [0, 1, -2, -1]]
    assert (edges == edges[0, 0]).all()
