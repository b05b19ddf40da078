import dataclasses
from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QCheckBox, QSlider, QTabWidget, QWidget
from pytestqt.qtbot import QtBot

from vae_explorer.gui.training.anatomy_card import Card
from vae_explorer.gui.training.slow_motion import FASTEST, SLOWEST, SlowMotion
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.session.training.events import Phase
from vae_explorer.training.anatomy import StepAnatomy

STAGES = ["Encode", "Sample", "Decode", "Terms", "Gradient"]


@pytest.fixture
def slow(qtbot: QtBot) -> Iterator[SlowMotion]:
    slow = SlowMotion()
    qtbot.addWidget(slow)
    slow.resize(340, 320)
    with qtbot.waitExposed(slow):
        slow.show()
    slow.findChild(QSlider).setValue(FASTEST)
    yield slow
    slow.hide()


def button(slow: SlowMotion, name: str) -> QAbstractButton:
    return next(
        x for x in slow.findChildren(QAbstractButton) if name in (x.text(), x.accessibleName())
    )


def caption(slow: SlowMotion) -> str:
    return slow.findChild(Readout).text()


def visible(slow: SlowMotion) -> list[str]:
    return [card.title for card in slow.findChildren(Card) if card.isVisible()]


def test_it_says_what_it_is_for(slow: SlowMotion) -> None:
    assert "Next Step takes one gradient step" in caption(slow)
    assert not button(slow, "Next stage").isEnabled()
    assert button(slow, "Next Step").isEnabled()
    assert not slow.playing


def test_the_stages_light_up_one_after_another(
    qtbot: QtBot, slow: SlowMotion, anatomy: StepAnatomy
) -> None:
    seen: list[str] = []
    with qtbot.assertNotEmitted(slow.step_requested):
        slow.set_anatomy(anatomy)
        assert slow.playing
        while slow.playing:
            (card,) = visible(slow)
            assert f"<b>Step {anatomy.step:,}.</b>" in caption(slow)
            assert button(slow, card).isChecked()
            if seen[-1:] != [card]:
                seen.append(card)
            qtbot.wait(20)
    assert seen == STAGES


def test_it_pauses_on_a_stage_and_goes_on(
    qtbot: QtBot, slow: SlowMotion, anatomy: StepAnatomy
) -> None:
    slow.set_anatomy(anatomy)
    qtbot.waitUntil(lambda: slow.stage == 1)
    qtbot.mouseClick(button(slow, "Pause on this stage"), Qt.MouseButton.LeftButton)
    qtbot.wait(100 * FASTEST + 100)
    assert slow.stage == 1
    qtbot.mouseClick(button(slow, "Play the stages"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: slow.stage == 4 and not slow.playing)
    qtbot.mouseClick(button(slow, "Play the stages"), Qt.MouseButton.LeftButton)
    assert slow.stage == 0, "the same step once more"


def test_stages_can_be_chosen_by_hand(qtbot: QtBot, slow: SlowMotion, anatomy: StepAnatomy) -> None:
    slow.set_anatomy(anatomy)
    qtbot.keyClick(button(slow, "Terms"), Qt.Key.Key_Space)
    assert visible(slow) == ["Terms"]
    assert not slow.playing
    qtbot.mouseClick(button(slow, "Next stage"), Qt.MouseButton.LeftButton)
    assert visible(slow) == ["Gradient"]
    with qtbot.waitSignal(slow.step_requested):
        qtbot.mouseClick(button(slow, "Next stage"), Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(slow.step_requested):
        qtbot.mouseClick(button(slow, "Next Step"), Qt.MouseButton.LeftButton)


def test_a_loop_asks_for_step_after_step_while_the_run_waits(
    qtbot: QtBot, slow: SlowMotion, anatomy: StepAnatomy
) -> None:
    slow.findChild(QCheckBox).click()
    slow.set_phase(Phase.PAUSED)
    with qtbot.waitSignal(slow.step_requested):
        slow.set_anatomy(anatomy)
    second = dataclasses.replace(anatomy, step=anatomy.step + 1)
    with qtbot.waitSignal(slow.step_requested):
        slow.set_anatomy(second)
    assert f"Step {second.step}" in caption(slow)
    slow.set_phase(Phase.IDLE)  # the run has ended: no loop begins another
    with qtbot.assertNotEmitted(slow.step_requested):
        slow.set_anatomy(anatomy)
        qtbot.waitUntil(lambda: not slow.playing)


def test_nothing_happens_while_it_is_hidden(qtbot: QtBot, anatomy: StepAnatomy) -> None:
    tabs, slow = QTabWidget(), SlowMotion()
    slow.findChild(QSlider).setValue(FASTEST)
    qtbot.addWidget(tabs)
    tabs.addTab(slow, "Slow")
    tabs.addTab(QWidget(), "Log")
    tabs.show()
    slow.set_anatomy(anatomy)
    qtbot.waitUntil(lambda: slow.stage == 1)
    tabs.setCurrentIndex(1)
    qtbot.wait(100 * FASTEST + 100)
    assert slow.stage == 1
    slow.set_anatomy(anatomy)
    qtbot.wait(100 * FASTEST + 100)
    assert slow.stage == 0
    tabs.setCurrentIndex(0)
    qtbot.waitUntil(lambda: slow.stage == 1)
    tabs.hide()


def test_the_speed_is_in_seconds_a_stage(slow: SlowMotion) -> None:
    slider = slow.findChild(QSlider)
    assert (slider.minimum(), slider.maximum()) == (FASTEST, SLOWEST) == (2, 30)
    slider.setValue(30)
    assert slow._seconds.text() == "3.0 s"
    slider.setValue(2)
    assert slow._seconds.text() == "0.2 s"


def test_a_wide_place_shows_all_stages(slow: SlowMotion, anatomy: StepAnatomy) -> None:
    slow.resize(1_200, 320)
    slow.set_anatomy(anatomy)
    assert visible(slow) == STAGES
    slow.resize(340, 320)
    assert visible(slow) == ["Encode"]
    assert slow.minimumSizeHint().width() <= 320


def test_no_step_is_asked_of_a_run_that_stops(slow: SlowMotion) -> None:
    slow.set_phase(Phase.STOPPING)
    assert not button(slow, "Next Step").isEnabled()
    slow.set_phase(Phase.IDLE)
    assert button(slow, "Next Step").isEnabled()
