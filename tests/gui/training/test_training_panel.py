from contextlib import ExitStack

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import (
    QLabel,
    QProgressBar,
    QPushButton,
    QSplitter,
    QTabBar,
    QTabWidget,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from vae_explorer.gui.theme import DARK, LIGHT
from vae_explorer.gui.training.curve_panel import CurvePanel
from vae_explorer.gui.training.log_view import LogView
from vae_explorer.gui.training.plots import ElboPlot, Overlay
from vae_explorer.gui.training.recipe_form import FIRST_FIELDS, RecipeForm
from vae_explorer.gui.training.training_panel import TrainingPanel
from vae_explorer.session import Recipe
from vae_explorer.session.state import HistoryPoint, Phase, TrainingStatus

TALL, WIDE = (340, 700), (1280, 300)
POINTS = [
    HistoryPoint(0.5, -200.0, -195.0, 5.0, -200.0),
    HistoryPoint(1.0, -150.0, -144.0, 6.0, -150.0, -152.0, -146.0, 6.0),
]


@pytest.fixture
def panel(qtbot: QtBot) -> TrainingPanel:
    panel = TrainingPanel()
    qtbot.addWidget(panel)
    panel.resize(*TALL)
    with qtbot.waitExposed(panel):
        panel.show()
    return panel


def button(panel: TrainingPanel, text: str) -> QPushButton:
    return next(x for x in panel.findChildren(QPushButton) if x.text() == text)


@pytest.mark.parametrize(
    ("phase", "enabled"),
    [
        (Phase.IDLE, {"Start", "Reset"}),
        (Phase.RUNNING, {"Pause", "Stop"}),
        (Phase.PAUSED, {"Resume", "Stop"}),
        (Phase.STOPPING, set()),
    ],
)
def test_each_phase_offers_what_can_be_done(
    panel: TrainingPanel, phase: Phase, enabled: set[str]
) -> None:
    panel.set_status(TrainingStatus(phase, 3.0, 20))
    buttons = panel.findChildren(QPushButton)
    assert len(buttons) == 4
    assert {x.text() for x in buttons if x.isEnabled()} == enabled
    editors = [x.buddy() for x in panel.findChildren(QLabel) if x.buddy()]
    assert len(editors) == len(Recipe.specs())
    assert any(editor.isEnabled() for editor in editors) == (phase is Phase.IDLE)


def test_the_keyboard_goes_from_start_to_pause_and_back(qtbot: QtBot, panel: TrainingPanel) -> None:
    button(panel, "Start").setFocus()
    panel.set_status(TrainingStatus(Phase.RUNNING, 0.0, 20))
    assert panel.focusWidget() is button(panel, "Pause")
    panel.set_status(TrainingStatus(Phase.PAUSED, 1.0, 20))
    assert panel.focusWidget() is button(panel, "Resume")
    panel.set_status(TrainingStatus(Phase.IDLE, 1.0, 20))
    assert panel.focusWidget() is button(panel, "Start")


def test_a_locked_field_hands_the_keyboard_on_once(panel: TrainingPanel) -> None:
    next(x for x in panel.findChildren(QLabel) if x.text() == "Seed").buddy().setFocus()
    panel.set_status(TrainingStatus(Phase.RUNNING, 0.0, 20))
    assert panel.focusWidget() is button(panel, "Pause")
    more = panel.findChild(RecipeForm).findChild(QToolButton)
    more.setFocus()
    panel.set_status(TrainingStatus(Phase.RUNNING, 0.1, 20))
    assert panel.focusWidget() is more
    button(panel, "Stop").setFocus()
    panel.set_status(TrainingStatus(Phase.STOPPING, 0.1, 20))
    assert panel.focusWidget() is panel.findChild(QTabBar)


def test_start_carries_the_recipe(qtbot: QtBot, panel: TrainingPanel) -> None:
    recipe = Recipe(epochs=3, beta=0.5)
    panel.set_recipe(recipe)
    with qtbot.waitSignal(panel.start_requested) as told:
        qtbot.mouseClick(button(panel, "Start"), Qt.MouseButton.LeftButton)
    assert told.args == [recipe]


def test_start_takes_what_was_just_typed(qtbot: QtBot, panel: TrainingPanel) -> None:
    label = next(x for x in panel.findChildren(QLabel) if x.text() == "Epochs")
    editor = label.buddy()
    editor.setFocus()
    qtbot.keyClick(editor, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClicks(editor, "37")
    with qtbot.waitSignal(panel.start_requested) as told:
        qtbot.mouseClick(button(panel, "Start"), Qt.MouseButton.LeftButton)
    assert told.args[0].epochs == 37


def test_the_other_buttons_say_what_they_say(qtbot: QtBot, panel: TrainingPanel) -> None:
    with qtbot.waitSignal(panel.reset_requested):
        qtbot.mouseClick(button(panel, "Reset"), Qt.MouseButton.LeftButton)
    panel.set_status(TrainingStatus(Phase.RUNNING, 3.0, 20))
    with qtbot.waitSignal(panel.pause_requested), qtbot.assertNotEmitted(panel.resume_requested):
        qtbot.mouseClick(button(panel, "Pause"), Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(panel.stop_requested):
        qtbot.mouseClick(button(panel, "Stop"), Qt.MouseButton.LeftButton)
    panel.set_status(TrainingStatus(Phase.PAUSED, 3.0, 20))
    with qtbot.waitSignal(panel.resume_requested), qtbot.assertNotEmitted(panel.pause_requested):
        qtbot.mouseClick(button(panel, "Resume"), Qt.MouseButton.LeftButton)
    assert button(panel, "Reset").toolTip() == "Back to the bundled model"


def test_a_changed_field_is_told(qtbot: QtBot, panel: TrainingPanel) -> None:
    label = next(x for x in panel.findChildren(QLabel) if x.text() == "Seed")
    with qtbot.waitSignal(panel.recipe_changed) as told:
        qtbot.keyClick(label.buddy(), Qt.Key.Key_Up)
    assert told.args == [Recipe(seed=1)]


def test_orders_are_not_echoed(qtbot: QtBot, panel: TrainingPanel) -> None:
    with ExitStack() as stack:
        for signal in (
            panel.start_requested,
            panel.pause_requested,
            panel.resume_requested,
            panel.stop_requested,
            panel.reset_requested,
            panel.recipe_changed,
        ):
            stack.enter_context(qtbot.assertNotEmitted(signal))
        for phase in Phase:
            panel.set_status(TrainingStatus(phase, 3.0, 20, 9_100, 80, "cpu"))
        panel.set_recipe(Recipe(epochs=3, treatment="gray"))
        panel.set_base(Recipe(epochs=3))
        panel.set_history(POINTS)
        panel.append_history(POINTS)
        panel.log("hello")
        panel.set_theme(DARK)
    assert panel.recipe() == Recipe(epochs=3, treatment="gray")


def test_progress_is_shown_in_words_and_as_a_bar(panel: TrainingPanel) -> None:
    panel.set_status(TrainingStatus(Phase.RUNNING, 5.0, 20, 9_100, 80, "cpu"))
    bar = panel.findChild(QProgressBar)
    assert bar.value() / bar.maximum() == 0.25
    assert any(
        label.text() == "epoch 5 of 20 · 9,100 images/s · 1 min 20 s left · cpu"
        for label in panel.findChildren(QLabel)
    )
    panel.set_status(TrainingStatus(Phase.IDLE))
    assert bar.value() == 0


def test_history_and_log_arrive(qtbot: QtBot, panel: TrainingPanel) -> None:
    panel.set_history(POINTS[:1])
    panel.append_history(POINTS[1:])
    elbo = panel.findChildren(CurvePanel)[0]
    qtbot.waitUntil(lambda: list(elbo.vertices()[0].y) == [-200.0, -150.0])
    panel.log("epoch 1: held-out −152.0")
    assert panel.findChild(LogView).toPlainText().endswith("epoch 1: held-out −152.0")


def test_the_curves_speak_through_the_panel(qtbot: QtBot, panel: TrainingPanel) -> None:
    panel.set_history(POINTS)
    panel.set_overlays((Overlay("other", "#d97706", POINTS),))
    panel.set_moment(1.0)
    plot = panel.findChild(ElboPlot)
    (mark,) = panel.findChildren(CurvePanel)[0].sheet(LIGHT).marks
    assert mark.x == 1.0
    assert "other" in panel.export_curves("svg").decode()
    with qtbot.waitSignal(panel.moment_chosen) as chosen:
        qtbot.keyClick(plot, Qt.Key.Key_Left)
        qtbot.keyClick(plot, Qt.Key.Key_Return)
    assert chosen.args == [0.5]
    with qtbot.waitSignal(panel.curves_export_requested):
        next(x for x in plot.findChildren(QToolButton) if x.text() == "Export…").click()


def test_a_tall_dock_stacks_form_and_plot(qtbot: QtBot, panel: TrainingPanel) -> None:
    form, plot = panel.findChild(RecipeForm), panel.findChild(ElboPlot)
    assert panel.findChild(QSplitter).orientation() == Qt.Orientation.Vertical
    assert (panel.width(), panel.height()) == TALL
    assert form.visibleRegion().boundingRect() == form.rect()  # no scrolling
    assert plot.height() > 250
    assert inside(panel)


def test_a_wide_dock_puts_them_side_by_side_and_back(qtbot: QtBot, panel: TrainingPanel) -> None:
    form, plot = panel.findChild(RecipeForm), panel.findChild(ElboPlot)
    splitter = panel.findChild(QSplitter)
    panel.resize(*WIDE)
    qtbot.waitUntil(lambda: splitter.orientation() == Qt.Orientation.Horizontal)
    qtbot.waitUntil(lambda: plot.width() > 700 and plot.height() > 200)
    assert (panel.width(), panel.height()) == WIDE
    assert form.visibleRegion().boundingRect() == form.rect()
    assert inside(panel)
    panel.resize(*TALL)
    qtbot.waitUntil(lambda: splitter.orientation() == Qt.Orientation.Vertical)
    assert (panel.width(), panel.height()) == TALL
    qtbot.waitUntil(lambda: inside(panel))


def test_a_wide_dock_may_be_moved_to_the_side(panel: TrainingPanel) -> None:
    panel.resize(*WIDE)
    assert panel.minimumSizeHint().width() <= TALL[0]


def inside(panel: TrainingPanel) -> bool:
    """Whether buttons and tabs lie within the panel and no button is cut off."""
    rectangle = panel.rect()
    for widget in (*panel.findChildren(QPushButton), panel.findChild(QTabWidget)):
        corner = widget.mapTo(panel, widget.rect().bottomRight())
        if not rectangle.contains(corner):
            return False
    return all(
        x.width() > x.fontMetrics().horizontalAdvance(x.text())
        for x in panel.findChildren(QPushButton)
    )


def test_more_gives_the_form_room(qtbot: QtBot, panel: TrainingPanel) -> None:
    panel.resize(340, 1_000)
    form = panel.findChild(RecipeForm)
    before = form.visibleRegion().boundingRect().height()
    more = next(x for x in panel.findChildren(QWidget) if x.property("text") == "More")
    qtbot.keyClick(more, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: form.visibleRegion().boundingRect().height() > 1.5 * before)


def test_a_share_chosen_by_hand_is_kept(qtbot: QtBot, panel: TrainingPanel) -> None:
    splitter = panel.findChild(QSplitter)
    handle = splitter.handle(1)
    start = handle.rect().center()
    qtbot.mousePress(handle, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(handle, start.__class__(start.x(), start.y() - 100))
    qtbot.mouseRelease(handle, Qt.MouseButton.LeftButton)
    chosen = splitter.sizes()[0]
    panel.resize(360, 700)
    assert splitter.sizes()[0] == chosen


def test_tab_visits_everything_and_all_of_it_has_a_name(qtbot: QtBot, panel: TrainingPanel) -> None:
    button(panel, "Start").setFocus()
    visited: list[QWidget] = []
    while (here := panel.focusWidget()) not in visited:
        assert here is not None
        visited.append(here)
        name = QAccessible.queryAccessibleInterface(here).text(QAccessible.Text.Name)
        assert name or type(here).__name__ == "QTabBar", here
        qtbot.keyClick(here, Qt.Key.Key_Tab)
    kinds = [type(widget).__name__ for widget in visited]
    assert kinds[:2] == ["QPushButton", "QPushButton"]
    assert kinds[-2:] == ["QTabBar", "ElboPlot"]
    assert len(visited) == 2 + len(FIRST_FIELDS) + 1 + 2
    bar = panel.findChild(QProgressBar)
    assert bar is not None
    name = QAccessible.queryAccessibleInterface(bar).text(QAccessible.Text.Name)
    assert name == "Training progress"
