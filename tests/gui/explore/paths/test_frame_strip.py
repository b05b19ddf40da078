import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QKeySequence, QShortcut, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from vae_explorer.gui.explore.paths.frame_strip import FrameStrip, curves_of
from vae_explorer.gui.theme import DARK, LIGHT, Theme
from vae_explorer.session.explore.latent_paths import LatentPath

LEFT = Qt.MouseButton.LeftButton


def path(n: int) -> LatentPath:
    """Frames that grow lighter, along a line away from the origin."""
    positions = np.stack([np.linspace(0, 3, n), np.zeros(n)], axis=1).astype(np.float32)
    levels = np.linspace(0.2, 0.8, n, dtype=np.float32)
    images = np.broadcast_to(levels[:, None, None], (n, 28, 28)).copy()
    log_prior = (-(positions**2).sum(1) / 2 - math.log(2 * math.pi)).astype(np.float32)
    return LatentPath("row", positions, positions, images, log_prior, positions, positions[:1])


@pytest.fixture
def strip(qtbot: QtBot) -> FrameStrip:
    strip = FrameStrip()
    qtbot.addWidget(strip)
    strip.resize(700, 110)
    with qtbot.waitActive(strip):
        strip.show()
        strip.activateWindow()
    strip.set_path(path(10))
    return strip


@pytest.fixture
def said(strip: FrameStrip) -> list[int]:
    frames: list[int] = []
    strip.frame_chosen.connect(frames.append)
    return frames


def shown(strip: FrameStrip) -> QImage:
    QApplication.processEvents()
    return strip.viewport().grab().toImage()


def curve_height(strip: FrameStrip, frame: int, color: str) -> float:
    """How far below the top of the viewport a frame's value is drawn, pixels."""
    image, x = shown(strip), strip.frame_rect(frame).center().x()
    top = strip.frame_rect(0).bottom() + 4
    rows = [y for y in range(top, image.height()) if near(image.pixelColor(x, y), color)]
    return float(np.mean(rows))


def near(color: QColor, wanted: str) -> bool:
    other = QColor(wanted)
    channels = ((color.red(), other.red()), (color.green(), other.green()))
    return all(abs(a - b) < 60 for a, b in (*channels, (color.blue(), other.blue())))


def test_every_frame_is_a_picture_in_one_row(strip: FrameStrip) -> None:
    image = shown(strip)
    boxes = [strip.frame_rect(frame) for frame in range(10)]
    levels = [image.pixelColor(box.center()).red() for box in boxes]
    np.testing.assert_allclose(levels, np.linspace(0.2, 0.8, 10) * 255, atol=1)
    assert all(strip.viewport().rect().contains(box) for box in boxes)
    assert {box.size().toTuple() for box in boxes} == {boxes[0].size().toTuple()}
    assert boxes[0].width() == boxes[0].height() > 40


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_the_current_frame_alone_is_framed(
    strip: FrameStrip, theme: Theme, show_theme: Callable[[Theme], None]
) -> None:
    show_theme(theme)
    strip.set_frame(3)
    image = shown(strip)
    boxes = [strip.frame_rect(frame) for frame in range(10)]
    edges = [image.pixelColor(box.left() - 1, box.center().y()).name() for box in boxes]
    assert [edge == theme.accent for edge in edges] == [frame == 3 for frame in range(10)]
    assert strip.accessibleDescription() == "Frame 4 of 10"


def test_a_click_and_a_drag_choose(strip: FrameStrip, said: list[int]) -> None:
    viewport = strip.viewport()
    QTest.mousePress(viewport, LEFT, pos=strip.frame_rect(4).center())
    for frame in (5, 6):
        QTest.mouseMove(viewport, strip.frame_rect(frame).center())
    QTest.mouseMove(viewport, QPoint(5_000, 5))
    QTest.mouseRelease(viewport, LEFT, pos=QPoint(5_000, 5))
    assert said == [4, 5, 6, 9]
    # Beneath a picture, among the curves, is the same frame.
    below = QPoint(strip.frame_rect(2).center().x(), viewport.height() - 3)
    QTest.mouseClick(viewport, LEFT, pos=below)
    assert said[4:] == [2]


def test_keys_choose(strip: FrameStrip, said: list[int]) -> None:
    strip.set_frame(4)
    strip.setFocus()
    keys = Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_PageUp
    for key in keys:
        QTest.keyClick(strip, key)
    assert said == [3, 5, 0, 9, 0], "who is asked decides, and the frame stays till then"


def test_home_is_the_strip_s_while_it_has_the_focus(strip: FrameStrip, said: list[int]) -> None:
    fit = QShortcut(QKeySequence("Home"), strip)
    fitted: list[int] = []
    fit.activated.connect(lambda: fitted.append(1))
    strip.set_frame(4)
    strip.setFocus()
    QTest.keyClick(strip, Qt.Key.Key_Home)
    assert (said, fitted) == ([0], [])


def test_setting_says_nothing(strip: FrameStrip, said: list[int]) -> None:
    strip.set_frame(7)
    strip.set_path(path(3))
    strip.set_frame(99)
    strip.set_path(None)
    strip.set_frame(1)
    assert said == []


def test_many_frames_scroll_and_the_current_one_is_in_sight(
    strip: FrameStrip, said: list[int]
) -> None:
    strip.set_path(path(64))
    assert strip.frame_rect(0).width() == 32, "no picture is shrunk"
    inside = strip.viewport().rect()
    for frame in (63, 30, 31, 0):
        strip.set_frame(frame)
        assert inside.contains(strip.frame_rect(frame))
    strip.set_frame(40)
    QTest.mouseClick(strip.viewport(), LEFT, pos=strip.frame_rect(41).center())
    assert said == [41]
    strip.resize(300, 110)
    assert strip.viewport().rect().contains(strip.frame_rect(40))


def test_the_wheel_scrolls_sideways(strip: FrameStrip) -> None:
    strip.set_path(path(64))
    at = QPointF(20, 20)
    none, phase = Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase
    turn = QWheelEvent(
        at,
        QPointF(strip.viewport().mapToGlobal(at)),
        QPoint(),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        none,
        phase,
        False,
    )
    QApplication.sendEvent(strip.viewport(), turn)
    assert strip.horizontalScrollBar().value() > 0


def test_the_prior_s_curve_falls_away_from_the_origin(strip: FrameStrip) -> None:
    heights = [curve_height(strip, frame, LIGHT.kl) for frame in range(10)]
    assert heights == sorted(heights)
    # Of −z²/2, a third of the way takes a ninth of the fall.
    share = (curve_height(strip, 3, LIGHT.kl) - heights[0]) / (heights[9] - heights[0])
    assert share == pytest.approx(1 / 9, abs=0.05)


def test_percentiles_have_a_fixed_scale_and_take_the_prior_s_place(strip: FrameStrip) -> None:
    values = np.full(10, 50, np.float32)
    values[[2, 7]] = 0, 100
    strip.set_path(replace(path(10), percentile=values))
    low, middle, high = (curve_height(strip, frame, LIGHT.kl) for frame in (2, 5, 7))
    assert low > middle > high
    assert middle == pytest.approx((low + high) / 2, abs=2)
    assert [curve.name for curve in curves_of(replace(path(10), percentile=values))] == [
        "q(z) above"
    ]


def test_the_likelihood_has_a_curve_of_its_own(strip: FrameStrip) -> None:
    values = np.linspace(-500, -100, 10, dtype=np.float32)
    values[4] = -np.inf
    strip.set_path(replace(path(10), log_likelihood=values))
    first, last = (curve_height(strip, frame, LIGHT.log_likelihood) for frame in (0, 9))
    assert last < first


def test_without_frames_a_note_says_why(strip: FrameStrip) -> None:
    strip.set_path(None)
    strip.set_note("Choose a kind of path above.")
    before = shown(strip)
    strip.set_path(replace(path(0), note="Pin two images or more."))
    after = shown(strip)
    assert after != before
    assert strip.accessibleDescription() == "No frames. Pin two images or more."
    strip.set_path(replace(path(0), note=""))
    colors = {shown(strip).pixelColor(x, y).name() for x in range(5, 690) for y in (50, 54, 58)}
    assert colors == {LIGHT.canvas}, "what was seen before was the note"


def test_pictures_keep_their_colours_and_proportions(strip: FrameStrip) -> None:
    red = np.zeros((10, 16, 8, 3), np.float32)
    red[..., 0] = 1
    strip.set_path(replace(path(10), images=red))
    image, box = shown(strip), strip.frame_rect(5)
    assert image.pixelColor(box.center()) == QColor(255, 0, 0)
    assert image.pixelColor(box.center().x(), box.top() + 2) == QColor(255, 0, 0)
    assert image.pixelColor(box.left() + 2, box.center().y()) != QColor(255, 0, 0)
