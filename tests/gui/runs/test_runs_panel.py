"""The dock of runs as a person uses it."""

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible, QContextMenuEvent
from PySide6.QtTest import QSignalSpy
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QLabel,
    QLineEdit,
    QMenu,
    QMessageBox,
    QWidget,
)
from pytestqt.qtbot import QtBot

from tests.gui.runs.test_runs_model import run
from vae_explorer.gui.runs.run_text import Column
from vae_explorer.gui.runs.runs_model import OVERLAY_COLORS
from vae_explorer.gui.runs.runs_panel import RunsPanel
from vae_explorer.session.runs.run_info import RunFigures
from vae_explorer.session.training.events import Phase
from vae_explorer.training.recipe import Recipe

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
CTRL = Qt.KeyboardModifier.ControlModifier
RUNS = (
    run("alpha", 3, figures=RunFigures(5.0, -130.0), recipe=Recipe(beta=4)),
    run("beta", 2, note="a second try"),
    run("gamma", 1, damaged="model.safetensors is missing: the run was never saved."),
)


@pytest.fixture
def panel(qtbot: QtBot) -> RunsPanel:
    panel = RunsPanel()
    qtbot.addWidget(panel)
    panel.resize(900, 220)
    panel.set_runs(RUNS)
    with qtbot.waitActive(panel):
        panel.show()
        panel.activateWindow()
    panel.table.setFocus()
    return panel


def names(panel: RunsPanel) -> list[str]:
    model = panel.table.model()
    return [model.index(row, Column.NAME).data() for row in range(model.rowCount())]


def center(panel: RunsPanel, row: int, column: Column) -> QPoint:
    return panel.table.visualRect(panel.table.model().index(row, column)).center()


def click(qtbot: QtBot, panel: RunsPanel, row: int, column: Column, held: object = NONE) -> None:
    qtbot.mouseClick(panel.table.viewport(), LEFT, held, center(panel, row, column))


def press(qtbot: QtBot, key: Qt.Key, held: Qt.KeyboardModifier = NONE) -> None:
    focused = QApplication.focusWidget()
    assert focused is not None
    qtbot.keyClick(focused, key, held)


def offered(panel: RunsPanel) -> set[str]:
    return {action.text() for action in panel.table.actions() if action.isEnabled()}


def button(panel: QWidget, text: str) -> QAbstractButton:
    (found,) = (b for b in panel.findChildren(QAbstractButton) if b.text() == text)
    return found


def test_the_filter_box_filters(qtbot: QtBot, panel: RunsPanel) -> None:
    box = panel.findChild(QLineEdit)
    box.setFocus()
    qtbot.keyClicks(box, "second")
    assert names(panel) == ["beta"]
    labels = [label.text() for label in panel.findChildren(QLabel) if label.isVisible()]
    assert labels == ["1 of 3 runs · 10.2 MB"]
    qtbot.keyClicks(box, "x")
    labels = [label.text() for label in panel.findChildren(QLabel) if label.isVisible()]
    assert "No run matches “secondx”." in labels
    button(panel, "Clear Filter").click()
    assert len(names(panel)) == 3
    assert box.hasFocus()


def test_before_the_first_listing_it_does_not_say_that_there_are_none(qtbot: QtBot) -> None:
    panel = RunsPanel()
    qtbot.addWidget(panel)
    panel.show()
    (label,) = [x for x in panel.findChildren(QLabel) if x.isVisible() and x.text()]
    assert label.text() == "Reading runs…"


def test_without_runs_it_says_where_they_come_from(panel: RunsPanel) -> None:
    panel.set_runs(())
    (label,) = [x for x in panel.findChildren(QLabel) if x.isVisible() and x.text()]
    assert label.text().startswith("No runs yet")
    asked = QSignalSpy(panel.training_requested)
    button(panel, "Train a Model").click()
    assert asked.count() == 1
    assert not panel.table.isVisible()
    assert offered(panel) == set()
    panel.set_runs(RUNS)
    assert panel.table.isVisible()


@pytest.mark.parametrize(
    ("chosen", "wanted"),
    [
        ([], set()),
        ([0], {"Open", "Resume", "Copy Recipe to Form", "Show Folder", "Rename", "Move to Trash…"}),
        ([1], {"Open", "Copy Recipe to Form", "Show Folder", "Rename", "Move to Trash…"}),
        ([2], {"Copy Recipe to Form", "Show Folder", "Rename", "Move to Trash…"}),
        ([0, 1], {"Compare Maps", "Move to Trash…"}),
        ([0, 2], {"Move to Trash…"}),
        ([0, 1, 2], {"Move to Trash…"}),
    ],
)
def test_what_can_be_done_depends_on_what_is_selected(
    qtbot: QtBot, panel: RunsPanel, chosen: list[int], wanted: set[str]
) -> None:
    for row in chosen:
        click(qtbot, panel, row, Column.ELBO, CTRL)
    assert offered(panel) == wanted


def test_the_run_under_way_cannot_go_and_the_others_wait(qtbot: QtBot, panel: RunsPanel) -> None:
    click(qtbot, panel, 0, Column.ELBO)
    panel.set_run(run("alpha", 3, figures=RunFigures(5.0), phase=Phase.RUNNING))
    assert offered(panel) == {"Open", "Show Folder", "Rename"}
    panel.set_run(run("alpha", 3, figures=RunFigures(5.0), phase=Phase.PAUSED))
    assert offered(panel) == {"Open", "Resume", "Show Folder", "Rename"}
    click(qtbot, panel, 1, Column.ELBO)
    assert offered(panel) == {"Open", "Show Folder", "Rename", "Move to Trash…"}


def test_buttons_and_menu_tell_the_run(qtbot: QtBot, panel: RunsPanel) -> None:
    click(qtbot, panel, 0, Column.ELBO)
    for text, signal in (("Open", panel.open_requested), ("Resume", panel.resume_requested)):
        with qtbot.waitSignal(signal) as told:
            qtbot.mouseClick(button(panel, text), LEFT)
        assert told.args == [RUNS[0]]
    actions = {action.text(): action for action in panel.table.actions()}
    with qtbot.waitSignal(panel.reveal_requested) as told:
        actions["Show Folder"].trigger()
    assert told.args == [RUNS[0]]
    with qtbot.waitSignal(panel.recipe_requested) as told:
        actions["Copy Recipe to Form"].trigger()
    assert told.args == [Recipe(beta=4)]
    click(qtbot, panel, 1, Column.ELBO, CTRL)
    with qtbot.waitSignal(panel.compare_requested) as told:
        qtbot.mouseClick(button(panel, "Compare Maps"), LEFT)
    assert told.args == [RUNS[0], RUNS[1]]


def test_the_context_menu_offers_all(qtbot: QtBot, panel: RunsPanel) -> None:
    click(qtbot, panel, 0, Column.ELBO)
    at, viewport = center(panel, 0, Column.ELBO), panel.table.viewport()
    reason = QContextMenuEvent.Reason.Keyboard
    QApplication.sendEvent(viewport, QContextMenuEvent(reason, at, viewport.mapToGlobal(at)))
    (menu,) = panel.findChildren(QMenu)
    assert {a.text() for a in menu.actions() if a.text()} == {
        a.text() for a in panel.table.actions()
    }
    menu.close()


def test_enter_opens_and_so_does_a_double_click(qtbot: QtBot, panel: RunsPanel) -> None:
    click(qtbot, panel, 0, Column.ELBO)
    press(qtbot, Qt.Key.Key_Down)
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
        with qtbot.waitSignal(panel.open_requested) as told:
            press(qtbot, key)
        assert told.args == [RUNS[1]]
    with qtbot.waitSignal(panel.open_requested) as told:
        click(qtbot, panel, 1, Column.NAME)
        qtbot.mouseDClick(panel.table.viewport(), LEFT, NONE, center(panel, 1, Column.NAME))
    assert told.args == [RUNS[1]]
    click(qtbot, panel, 2, Column.NAME)
    with qtbot.assertNotEmitted(panel.open_requested):  # it is damaged
        press(qtbot, Qt.Key.Key_Return)
        qtbot.mouseDClick(panel.table.viewport(), LEFT, NONE, center(panel, 2, Column.NAME))


def editor(panel: RunsPanel) -> QLineEdit:
    (found,) = panel.table.viewport().findChildren(QLineEdit)
    return found


def test_f2_renames_in_place(qtbot: QtBot, panel: RunsPanel) -> None:
    click(qtbot, panel, 1, Column.ELBO)
    press(qtbot, Qt.Key.Key_F2)
    assert editor(panel).text() == "beta"
    qtbot.keyClicks(editor(panel), "better")
    panel.set_run(run("beta", 2, note="a second try", figures=RunFigures(21.0, -99.0)))
    assert editor(panel).text() == "better", "news of the run do not disturb"
    with qtbot.waitSignal(panel.renamed) as told, qtbot.assertNotEmitted(panel.open_requested):
        press(qtbot, Qt.Key.Key_Return)
    assert told.args[0].path == Path("/runs/beta")
    assert told.args[1] == "better"
    qtbot.waitUntil(lambda: not panel.table.viewport().findChildren(QLineEdit))


def test_a_note_is_edited_in_place_and_esc_gives_up(qtbot: QtBot, panel: RunsPanel) -> None:
    at = center(panel, 1, Column.NOTE)
    qtbot.mouseClick(panel.table.viewport(), LEFT, NONE, at)
    qtbot.mouseDClick(panel.table.viewport(), LEFT, NONE, at)
    assert editor(panel).text() == "a second try"
    qtbot.keyClicks(editor(panel), "a third")
    with qtbot.assertNotEmitted(panel.noted):
        press(qtbot, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not panel.table.viewport().findChildren(QLineEdit))
    press(qtbot, Qt.Key.Key_F2)
    qtbot.keyClicks(editor(panel), "a third")
    with qtbot.waitSignal(panel.noted) as told:
        press(qtbot, Qt.Key.Key_Return)
    assert told.args == [RUNS[1], "a third"]
    qtbot.waitUntil(lambda: not panel.table.viewport().findChildren(QLineEdit))


def confirm(qtbot: QtBot, panel: RunsPanel, answer: str) -> str:
    """Answer the question that is asked; its text."""
    (box,) = panel.findChildren(QMessageBox)
    text = str(box.text())
    qtbot.mouseClick(button(box, answer), LEFT)
    qtbot.waitUntil(lambda: not panel.findChildren(QMessageBox))
    return text


def test_delete_asks_first(qtbot: QtBot, panel: RunsPanel) -> None:
    click(qtbot, panel, 0, Column.ELBO)
    with qtbot.assertNotEmitted(panel.trash_requested):
        press(qtbot, Qt.Key.Key_Delete)
        assert confirm(qtbot, panel, "Cancel") == "Move “alpha” to the trash?"
    panel.activateWindow()
    qtbot.waitUntil(panel.table.hasFocus)
    click(qtbot, panel, 2, Column.ELBO, CTRL)
    with qtbot.waitSignal(panel.trash_requested) as told:
        press(qtbot, Qt.Key.Key_Delete)
        assert confirm(qtbot, panel, "Move to Trash") == "Move 2 runs to the trash?"
    assert told.args == [(RUNS[0], RUNS[2])]


def test_orders_are_not_echoed_and_keep_the_selection(qtbot: QtBot, panel: RunsPanel) -> None:
    click(qtbot, panel, 1, Column.ELBO)
    spies = [
        QSignalSpy(signal)
        for signal in (panel.renamed, panel.noted, panel.curves_changed, panel.open_requested)
    ]
    panel.set_runs([*RUNS, run("delta", 9)])
    panel.set_run(run("delta", 9, note="new"))
    assert [spy.count() for spy in spies] == [0] * len(spies)
    assert names(panel)[0] == "delta"
    assert panel.table.chosen() == (RUNS[1],)


def test_it_says_when_it_is_seen(qtbot: QtBot, panel: RunsPanel) -> None:
    panel.hide()
    with qtbot.waitSignal(panel.shown):
        panel.show()


def test_tab_visits_everything_and_all_of_it_has_a_name(qtbot: QtBot, panel: RunsPanel) -> None:
    click(qtbot, panel, 0, Column.ELBO)
    visited: list[QWidget] = []
    while (here := QApplication.focusWidget()) not in visited:
        assert here is not None
        visited.append(here)
        assert QAccessible.queryAccessibleInterface(here).text(QAccessible.Text.Name)
        qtbot.keyClick(here, Qt.Key.Key_Tab)
    kinds = [type(widget).__name__ for widget in visited]
    assert kinds == ["RunsTable", "QLineEdit", "QToolButton", "QToolButton"]


def test_two_hundred_runs_are_shown_as_easily(qtbot: QtBot, panel: RunsPanel) -> None:
    panel.set_runs([run(f"run {n:03}", figures=RunFigures(1.0 + n)) for n in range(200)])
    assert len(names(panel)) == 200
    panel.findChild(QLineEdit).setText("19")
    assert names(panel) == ["run 019", "run 119", *(f"run {n}" for n in range(190, 200))]


def test_the_newest_is_first_and_a_header_sorts(qtbot: QtBot, panel: RunsPanel) -> None:
    assert names(panel) == ["alpha", "beta", "⚠ gamma"]
    header = panel.table.horizontalHeader()
    at = header.sectionViewportPosition(Column.NAME) + 10
    for wanted in (["alpha", "beta", "⚠ gamma"], ["⚠ gamma", "beta", "alpha"]):
        qtbot.mouseClick(header.viewport(), LEFT, NONE, QPoint(at, header.height() // 2))
        assert names(panel) == wanted


def test_space_and_a_click_toggle_curves(qtbot: QtBot, panel: RunsPanel) -> None:
    def curves() -> list[tuple[Path, str]]:
        return list(panel.table.rows.curves)

    click(qtbot, panel, 1, Column.CURVE)
    alpha, beta = (Path("/runs/alpha"), Path("/runs/beta"))
    assert curves() == [(beta, OVERLAY_COLORS[0])]
    seen = panel.table.viewport().grab().toImage()
    at = center(panel, 1, Column.CURVE) * seen.devicePixelRatio()
    assert seen.pixelColor(at).name() == OVERLAY_COLORS[0]
    click(qtbot, panel, 0, Column.ELBO, CTRL)
    press(qtbot, Qt.Key.Key_Space)
    assert curves() == [(beta, OVERLAY_COLORS[0]), (alpha, OVERLAY_COLORS[1])]
    press(qtbot, Qt.Key.Key_Space)
    assert curves() == []


def test_select_all_and_home_are_the_tables(qtbot: QtBot, panel: RunsPanel) -> None:
    press(qtbot, Qt.Key.Key_A, CTRL)
    assert len(panel.table.chosen()) == 3
    click(qtbot, panel, 1, Column.ELBO)
    press(qtbot, Qt.Key.Key_Home)
    assert panel.table.currentIndex().column() == Column.CURVE


@pytest.mark.parametrize(("width", "whole"), [(640, Column.SECONDS), (1300, Column.DATE)])
def test_columns_suit_the_room_there_is(panel: RunsPanel, width: int, whole: Column) -> None:
    panel.resize(width, 220)
    QApplication.processEvents()
    header = panel.table.horizontalHeader()
    right = header.sectionViewportPosition(whole) + header.sectionSize(whole)
    assert right <= panel.table.viewport().width()
    digits = panel.table.fontMetrics().horizontalAdvance("20261127-160539-seed0")
    assert header.sectionSize(Column.NAME) >= digits


def test_a_width_of_a_persons_own_is_kept(panel: RunsPanel) -> None:
    header = panel.table.horizontalHeader()
    header.resizeSection(Column.NAME, 77)
    panel.resize(1400, 220)
    QApplication.processEvents()
    assert header.sectionSize(Column.NAME) == 77


def test_a_name_is_whole_also_while_its_run_goes_on(panel: RunsPanel) -> None:
    panel.resize(1_024, 220)
    name = "20261129-121051-seed1234"
    panel.set_runs([*RUNS, run(name, 4, phase=Phase.RUNNING)])
    QApplication.processEvents()
    assert f"▶ {name}" in names(panel)
    assert panel.table.columnWidth(Column.NAME) >= panel.table.sizeHintForColumn(Column.NAME)
