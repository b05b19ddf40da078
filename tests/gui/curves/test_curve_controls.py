import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QToolButton
from pytestqt.qtbot import QtBot

from vae_explorer.gui.curves.curve_controls import CurveChoices, CurveControls
from vae_explorer.gui.curves.trace import TimeScale
from vae_explorer.gui.widgets.number_box import NumberBox


@pytest.fixture
def controls(qtbot: QtBot) -> CurveControls:
    controls = CurveControls()
    qtbot.addWidget(controls)
    return controls


def button(controls: CurveControls, text: str) -> QToolButton:
    return next(b for b in controls.findChildren(QToolButton) if b.text() == text)


def action(controls: CurveControls, menu: str, text: str) -> QAction:
    actions = button(controls, menu).menu().actions()
    return next(a for a in actions if a.text() == text)


def test_each_choice_is_told_once(qtbot: QtBot, controls: CurveControls) -> None:
    told: list[CurveChoices] = []
    controls.choices_changed.connect(told.append)
    action(controls, "Curves", "Gradient norm").trigger()
    action(controls, "Axes", "Seconds").trigger()
    action(controls, "Axes", "Logarithmic Time").trigger()
    action(controls, "Axes", "Logarithmic Values").trigger()
    controls.findChild(NumberBox).setValue(0.9)
    assert len(told) == 5
    wanted = CurveChoices(frozenset({"gradient_norm"}), TimeScale("seconds", True), True, 0.9)
    assert told[-1] == controls.choices == wanted


def test_choices_are_taken_silently(qtbot: QtBot, controls: CurveControls) -> None:
    wanted = CurveChoices(
        frozenset({"active_units", "rate_distortion"}), TimeScale("step"), True, 0.5
    )
    with qtbot.assertNotEmitted(controls.choices_changed):
        controls.set_choices(wanted)
    assert controls.choices == wanted


def test_only_what_is_known_is_offered(controls: CurveControls) -> None:
    controls.set_known(frozenset({"learning_rate"}), frozenset({"epoch", "step"}))
    assert action(controls, "Curves", "Learning rate").isEnabled()
    assert not action(controls, "Curves", "β").isEnabled()
    assert action(controls, "Axes", "Steps").isEnabled()
    assert not action(controls, "Axes", "Seconds").isEnabled()
