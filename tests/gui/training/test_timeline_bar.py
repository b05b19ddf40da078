from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QToolButton
from pytestqt.qtbot import QtBot

from vae_explorer.gui.training.timeline_bar import TimelineBar, describe
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.model.trained import Posterior
from vae_explorer.session.training.timeline_entry import TimelineEntry
from vae_explorer.training.history import HistoryPoint

_NOTHING = Posterior(np.zeros((1, 2), np.float32), np.eye(2, dtype=np.float32)[None])


def frame(step: int) -> TimelineEntry:
    point = HistoryPoint(step / 100, -200.0 + step / 10, -190.0, 10.0, -200.0)
    sheet = np.full((16, 16), step % 256, np.uint8)
    return TimelineEntry(step, step / 100, _NOTHING, sheet, point if step else None)


FRAMES = tuple(map(frame, (0, 1, 2, 4, 100, 200)))


@pytest.fixture
def bar(qtbot: QtBot) -> TimelineBar:
    bar = TimelineBar()
    qtbot.addWidget(bar)
    bar.resize(700, 40)
    bar.set_frames(FRAMES)
    bar.show()
    return bar


def _button(bar: TimelineBar, start: str) -> QToolButton:
    buttons = bar.findChildren(QToolButton)
    return next(b for b in buttons if (b.text() or b.accessibleName()).startswith(start))


def test_without_moments_there_is_no_bar(qtbot: QtBot) -> None:
    bar = TimelineBar()
    qtbot.addWidget(bar)
    assert bar.isHidden()
    bar.set_frames(FRAMES[:1])
    assert not bar.isVisible()


def test_every_moment_and_now_can_be_reached_by_keys(bar: TimelineBar) -> None:
    chosen: list[int] = []
    lives: list[bool] = []
    bar.moment_chosen.connect(chosen.append)
    bar.live_requested.connect(lambda: lives.append(True))
    assert bar.slider.value() == len(FRAMES)  # now
    for _ in FRAMES:
        QTest.keyClick(bar.slider, Qt.Key.Key_Left)
    assert chosen == [200, 100, 4, 2, 1, 0]
    QTest.keyClick(bar.slider, Qt.Key.Key_End)
    assert lives == [True]


def test_setting_it_says_nothing(bar: TimelineBar) -> None:
    told: list[object] = []
    bar.moment_chosen.connect(told.append)
    bar.live_requested.connect(lambda: told.append("live"))
    bar.set_shown(FRAMES[3])
    assert bar.slider.value() == 3
    bar.set_frames((*FRAMES, frame(300)))  # another was kept meanwhile
    assert (bar.slider.value(), bar.slider.maximum()) == (3, 7)
    bar.set_shown(None)
    assert bar.slider.value() == 7
    assert not told


def test_a_click_goes_where_it_points(bar: TimelineBar) -> None:
    chosen: list[int] = []
    bar.moment_chosen.connect(chosen.append)
    middle = QPoint(round(bar.slider.width() * 4 / 6), bar.slider.height() // 2)
    QTest.mouseClick(bar.slider, Qt.MouseButton.LeftButton, pos=middle)
    assert chosen == [100]


def test_live_is_offered_when_something_else_is_shown(
    bar: TimelineBar, count: Callable[[object], list[object]]
) -> None:
    live = _button(bar, "Live")
    bar.set_shown(None)
    assert not live.isEnabled()
    bar.set_shown(FRAMES[2])
    asked = count(bar.live_requested)
    live.click()
    assert len(asked) == 1


def test_play_asks_and_shows_what_is_said(
    bar: TimelineBar, count: Callable[[object], list[object]]
) -> None:
    asked = count(bar.play_requested)
    _button(bar, "Play").click()
    assert asked == [True]
    bar.set_playing(True)
    _button(bar, "Pause").click()
    assert asked == [True, False]


def test_the_moment_under_the_pointer_is_previewed(bar: TimelineBar) -> None:
    at = QPointF(bar.slider.width() * 4 / 6, 4)
    none = Qt.MouseButton.NoButton
    spot = QPointF(bar.slider.mapToGlobal(at.toPoint()))
    held = Qt.KeyboardModifier.NoModifier
    move = QMouseEvent(QEvent.Type.MouseMove, at, spot, none, none, held)
    QApplication.sendEvent(bar.slider, move)
    preview = bar._preview
    assert preview.isVisible()
    assert "epoch 1.00" in preview._words.text()
    image = preview._picture.pixmap().toImage()
    assert image.pixelColor(3, 3).value() == 100
    QApplication.sendEvent(bar.slider, QEvent(QEvent.Type.Leave))
    assert not preview.isVisible()


def test_a_moment_in_words() -> None:
    assert describe(FRAMES[0]) == "epoch 0.00 · step 0"
    assert describe(FRAMES[4]) == "epoch 1.00 · step 100 · ELBO −190.0"


@pytest.fixture
def count() -> Callable[[object], list[object]]:
    """``count(signal)``: a list that gets what the signal says."""

    def listen(signal: object) -> list[object]:
        told: list[object] = []
        signal.connect(lambda *values: told.append(values[0] if values else None))  # type: ignore[attr-defined]
        return told

    return listen


@pytest.mark.parametrize("width", [390, 420, 900])
def test_the_slider_has_room_and_no_word_is_cut(bar: TimelineBar, width: int) -> None:
    bar.setFixedWidth(width)
    QApplication.processEvents()
    longest = replace(FRAMES[1], step=100_000, epoch=1_000.0)
    bar.set_shown(longest)
    assert bar.slider.width() > 0.25 * width
    readout = bar.findChild(Readout)
    assert readout is not None
    label = readout.findChild(QLabel)
    assert label is not None
    assert label.text().replace("\N{NO-BREAK SPACE}", " ") == describe(longest)
    assert label.heightForWidth(label.width()) <= label.height() or not label.wordWrap()
    assert label.wordWrap() or label.sizeHint().width() <= label.width()
