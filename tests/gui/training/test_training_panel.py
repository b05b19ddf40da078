from contextlib import ExitStack
from functools import partial

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QLabel,
    QProgressBar,
    QWidget,
)
from pytestqt.qtbot import QtBot

from tests.support.commands import training_commands
from tests.support.widgets import type_over
from vae_explorer.errors import RecipeError
from vae_explorer.gui.training.recipe_form import CHANGED, FIRST_FIELDS, LIVE, RecipeForm
from vae_explorer.gui.training.training_panel import FormArea, TrainingPanel
from vae_explorer.gui.widgets.number_box import NumberBox
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.session.training.events import Phase, TrainingStatus
from vae_explorer.training.estimate import Estimate
from vae_explorer.training.presets import Preset
from vae_explorer.training.recipe import STEERABLE, Recipe

TALL, WIDE = (340, 700), (1280, 300)


@pytest.fixture
def called() -> list[str]:
    """The commands that were run."""
    return []


@pytest.fixture
def panel(qtbot: QtBot, called: list[str]) -> TrainingPanel:
    panel = TrainingPanel()
    panel.transport.set_commands(training_commands(lambda: panel.phase, called.append))
    qtbot.addWidget(panel)
    panel.resize(*TALL)
    with qtbot.waitExposed(panel):
        panel.show()
    return panel


@pytest.fixture
def unfolded(panel: TrainingPanel) -> TrainingPanel:
    """The same with its form in sight."""
    panel.change.click()
    return panel


def test_the_form_waits_behind_a_button(qtbot: QtBot, panel: TrainingPanel) -> None:
    seed, stop = editor(panel, "Seed"), panel.stop_rule
    assert not seed.isVisible()
    assert not stop.isVisible()
    panel.change.click()
    assert seed.isVisible()
    assert stop.isVisible()
    panel.change.click()
    assert not seed.isVisible()
    qtbot.waitUntil(lambda: panel.change.geometry().bottom() < panel.height() / 2)
    panel.set_status(TrainingStatus(Phase.RUNNING, 0.0, 20))
    button(panel, "stop").setFocus()
    panel.set_status(TrainingStatus(Phase.STOPPING, 0.0, 20))
    assert panel.focusWidget() is panel.change, "the form is not in sight"


def test_what_is_not_understood_is_shown_where_it_is(qtbot: QtBot, unfolded: TrainingPanel) -> None:
    epochs = editor(unfolded, "Epochs")
    assert isinstance(epochs, NumberBox)
    type_over(qtbot, epochs, "many")
    unfolded.change.click()
    with pytest.raises(RecipeError, match="Epochs"):
        unfolded.recipe()
    assert epochs.isVisible()


@pytest.mark.parametrize("width", [320, 340, 500])
def test_no_hint_of_a_field_is_cut(qtbot: QtBot, unfolded: TrainingPanel, width: int) -> None:
    unfolded.resize(width, 900)
    unfolded.set_status(TrainingStatus(Phase.RUNNING, 0.0, 20))
    (help_,) = (x for x in unfolded.findChildren(Readout) if x is unfolded._help)
    label = help_.findChild(QLabel)
    for row in unfolded.form._rows.values():
        unfolded.form.pointed.emit(row.help())
        qtbot.waitUntil(lambda: help_.height() >= label.heightForWidth(help_.width()))


def button(panel: TrainingPanel, name: str) -> QAbstractButton:
    buttons = panel.transport.buttons
    return panel.transport.start if name == "start" else buttons[name]


@pytest.mark.parametrize("phase", Phase)
def test_each_phase_opens_what_can_be_changed(panel: TrainingPanel, phase: Phase) -> None:
    panel.set_status(TrainingStatus(Phase.STOPPING, 3.0, 20))
    panel.set_status(TrainingStatus(phase, 3.0, 20))
    open_fields = {name for name, row in panel.form._rows.items() if row.editor.isEnabled()}
    live = set(STEERABLE) if phase in (Phase.RUNNING, Phase.PAUSED) else set()
    if phase is Phase.IDLE:
        assert open_fields > set(STEERABLE)
    else:
        assert open_fields == live
    box = panel.presets.findChild(QComboBox)
    assert box.isEnabled() == (phase is Phase.IDLE)
    assert (LIVE in help_line(panel)) == bool(live)


def help_line(panel: TrainingPanel) -> str:
    return panel._help.text()


def test_the_keyboard_goes_from_start_to_pause_and_back(qtbot: QtBot, panel: TrainingPanel) -> None:
    button(panel, "start").setFocus()
    panel.set_status(TrainingStatus(Phase.RUNNING, 0.0, 20))
    assert panel.focusWidget() is button(panel, "pause")
    panel.set_status(TrainingStatus(Phase.PAUSED, 1.0, 20))
    assert panel.focusWidget() is button(panel, "pause")
    panel.set_status(TrainingStatus(Phase.IDLE, 1.0, 20))
    assert panel.focusWidget() is button(panel, "start")


def test_a_locked_field_hands_the_keyboard_on_once(unfolded: TrainingPanel) -> None:
    panel = unfolded
    editor(panel, "Seed").setFocus()
    panel.set_status(TrainingStatus(Phase.RUNNING, 0.0, 20))
    assert panel.focusWidget() is button(panel, "pause")
    button(panel, "stop").setFocus()
    panel.set_status(TrainingStatus(Phase.STOPPING, 0.1, 20))
    assert panel.focusWidget() is panel.findChild(FormArea)


def test_a_field_that_stays_open_keeps_the_keyboard(unfolded: TrainingPanel) -> None:
    panel = unfolded
    box = editor(panel, "Learning rate")
    box.setFocus()
    panel.set_status(TrainingStatus(Phase.RUNNING, 0.0, 20))
    assert panel.focusWidget() is box
    panel.set_status(TrainingStatus(Phase.STOPPING, 0.0, 20))
    assert panel.focusWidget() is panel.findChild(FormArea)
    panel.set_status(TrainingStatus(Phase.IDLE))
    panel.presets.findChild(QComboBox).setFocus()
    panel.set_status(TrainingStatus(Phase.RUNNING, 0.0, 20))
    assert panel.focusWidget() is button(panel, "pause")


def editor(panel: TrainingPanel, label: str) -> QWidget:
    return next(x for x in panel.findChildren(QLabel) if x.text() == label).buddy()


def test_the_field_that_is_looked_at_is_explained(qtbot: QtBot, unfolded: TrainingPanel) -> None:
    panel = unfolded
    editor(panel, "Epochs").setFocus()
    assert "Passes over the training images." in help_line(panel)
    assert "1 to 10,000 epochs" in help_line(panel)
    button(panel, "start").setFocus()
    assert help_line(panel) == "● changed"


def test_a_preset_is_taken_and_told(qtbot: QtBot, unfolded: TrainingPanel) -> None:
    panel = unfolded
    mine = Recipe(epochs=7, beta=2.0)
    panel.presets.set_presets((Preset("Default", Recipe()), Preset("mine", mine, own=True)))
    with qtbot.waitSignal(panel.recipe_changed) as told:
        panel.presets.chosen.emit(Preset("mine", mine, own=True))
    assert told.args == [mine]
    assert panel.form.recipe() == mine
    assert CHANGED not in marks(panel), "nothing of it is changed yet"
    box = panel.presets.findChild(QComboBox)
    assert box.currentText() == "mine"
    panel.set_recipe(Recipe())
    assert box.currentText() == "Default"
    qtbot.keyClick(editor(panel, "Seed"), Qt.Key.Key_Up)
    assert box.currentIndex() == -1
    assert marks(panel).count(CHANGED) == 1


def marks(panel: TrainingPanel) -> str:
    return "".join(row.mark.text() for row in panel.form._rows.values())


@pytest.mark.parametrize("size", [(340, 760), (1_280, 320)])
def test_a_banner_and_an_estimate_clip_nothing(
    qtbot: QtBot, panel: TrainingPanel, size: tuple[int, int]
) -> None:
    panel.resize(*size)
    panel.health.set_failure("Training diverged at step 7: the gradient is not finite. " * 2)
    panel.presets.set_estimate(Estimate(3.14, 62.8, 212_000_000, 1_234_567, 275))
    qtbot.waitUntil(lambda: inside(panel))
    text = panel.health.findChild(QLabel)
    qtbot.waitUntil(lambda: text.height() >= text.heightForWidth(text.width()))
    assert (panel.width(), panel.height()) == size


def test_start_takes_what_was_just_typed(
    qtbot: QtBot, unfolded: TrainingPanel, called: list[str]
) -> None:
    panel = unfolded
    label = next(x for x in panel.findChildren(QLabel) if x.text() == "Epochs")
    editor = label.buddy()
    editor.setFocus()
    qtbot.keyClick(editor, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClicks(editor, "37")
    qtbot.mouseClick(button(panel, "start"), Qt.MouseButton.LeftButton)
    assert called == ["start"]
    assert panel.form.recipe().epochs == 37


def test_orders_are_not_echoed(qtbot: QtBot, panel: TrainingPanel, called: list[str]) -> None:
    with ExitStack() as stack:
        for signal in (
            panel.form.steered,
            panel.stop_rule.rule_changed,
            panel.presets.chosen,
            panel.recipe_changed,
        ):
            stack.enter_context(qtbot.assertNotEmitted(signal))
        for phase in Phase:
            panel.set_status(TrainingStatus(phase, 3.0, 20, 9_100, 80, "cpu"))
        panel.set_recipe(Recipe(epochs=3, treatment="gray"))
        panel.form.set_base(Recipe(epochs=3))
    assert panel.form.recipe() == Recipe(epochs=3, treatment="gray")
    assert not called


def test_progress_is_shown_in_words_and_as_a_bar(panel: TrainingPanel) -> None:
    panel.set_status(TrainingStatus(Phase.RUNNING, 5.0, 20, 9_100, 80, "cpu"))
    bar = panel.findChild(QProgressBar)
    assert bar.value() / bar.maximum() == 0.25
    texts = [label.text() for label in panel.findChildren(QLabel)]
    assert "5.00 / 20" in texts
    assert "9,100 images/s · cpu" in texts
    panel.set_status(TrainingStatus(Phase.IDLE))
    assert bar.value() == 0


def has_columns(panel: TrainingPanel, count: int) -> bool:
    """Whether the form has so many."""
    fields = [editor(panel, name) for name in ("Objective", "Seed")]
    return len({field.mapTo(panel, field.rect().topLeft()).x() for field in fields}) == count


def test_a_wide_dock_has_two_columns_and_a_tall_one_one(
    qtbot: QtBot, unfolded: TrainingPanel
) -> None:
    panel = unfolded
    form = panel.findChild(RecipeForm)
    for size, count in ((TALL, 1), (WIDE, 2), (TALL, 1)):
        panel.resize(*size)
        qtbot.waitUntil(partial(has_columns, panel, count))
        assert (panel.width(), panel.height()) == size
        qtbot.waitUntil(lambda: form.visibleRegion().boundingRect().width() == form.width())
        assert inside(panel)


def test_a_wide_dock_may_be_moved_to_the_side(panel: TrainingPanel) -> None:
    panel.resize(*WIDE)
    assert panel.minimumSizeHint().width() <= TALL[0]


def inside(panel: TrainingPanel) -> bool:
    """Whether buttons lie within the panel and none is cut off."""
    buttons = [
        x
        for part in (panel.transport, panel.presets)
        for x in part.findChildren(QAbstractButton)
        if x.isVisible()
    ]
    for widget in buttons:
        corner = widget.mapTo(panel, widget.rect().bottomRight())
        if not panel.rect().contains(corner):
            return False
    return all(
        x.width() > x.fontMetrics().horizontalAdvance(x.text())
        for x in buttons
        if x.icon().isNull()
    )


def test_the_form_has_the_room_that_is_left(qtbot: QtBot, unfolded: TrainingPanel) -> None:
    panel = unfolded
    panel.resize(340, 1_200)
    form = panel.findChild(RecipeForm)
    seen = form.visibleRegion().boundingRect().height()
    more = next(x for x in panel.findChildren(QWidget) if x.property("text") == "More")
    qtbot.keyClick(more, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: form.visibleRegion().boundingRect().height() > 1.5 * seen)


def test_tab_visits_everything_and_all_of_it_has_a_name(
    qtbot: QtBot, unfolded: TrainingPanel
) -> None:
    panel = unfolded
    button(panel, "start").setFocus()
    visited: list[QWidget] = []
    while (here := panel.focusWidget()) not in visited:
        assert here is not None
        visited.append(here)
        name = QAccessible.queryAccessibleInterface(here).text(QAccessible.Text.Name)
        assert name, here
        qtbot.keyClick(here, Qt.Key.Key_Tab)
    usable = [x for x in panel.transport.buttons.values() if x.isEnabled()]
    assert visited[: 1 + len(usable)] == [button(panel, "start"), *usable]
    presets, change, more, stop = 2, 1, 1, 1
    folds = change + more + stop
    assert len(visited) == 1 + len(usable) + presets + folds + len(FIRST_FIELDS)
    bar = panel.findChild(QProgressBar)
    assert bar is not None
    name = QAccessible.queryAccessibleInterface(bar).text(QAccessible.Text.Name)
    assert name == "Training progress"
