"""The table alone: sorting, checking and keys."""

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.gui.runs.test_runs_model import run
from vae_explorer.gui.runs.run_text import Column
from vae_explorer.gui.runs.runs_model import OVERLAY_COLORS, RunsModel, RunsOrder
from vae_explorer.gui.runs.runs_table import RunsTable
from vae_explorer.session.runs.run_info import RunFigures

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
CTRL = Qt.KeyboardModifier.ControlModifier
RUNS = (
    run("alpha", 3),
    run("beta", 2, note="a second try"),
    run("gamma", 1, figures=RunFigures(), damaged="the model is missing"),
)


@pytest.fixture
def table(qtbot: QtBot) -> RunsTable:
    rows = RunsModel()
    rows.set_runs(RUNS)
    order = RunsOrder(rows, rows)
    table = RunsTable(rows, order)
    rows.setParent(table)
    qtbot.addWidget(table)
    table.resize(900, 220)
    with qtbot.waitActive(table):
        table.show()
        table.activateWindow()
    table.setFocus()
    return table


def names(table: RunsTable) -> list[str]:
    model = table.model()
    return [model.index(row, Column.NAME).data() for row in range(model.rowCount())]


def center(table: RunsTable, row: int, column: Column) -> QPoint:
    return table.visualRect(table.model().index(row, column)).center()


def click(qtbot: QtBot, table: RunsTable, row: int, column: Column, held: object = NONE) -> None:
    qtbot.mouseClick(table.viewport(), LEFT, held, center(table, row, column))


def press(qtbot: QtBot, key: Qt.Key, held: Qt.KeyboardModifier = NONE) -> None:
    focused = QApplication.focusWidget()
    assert focused is not None
    qtbot.keyClick(focused, key, held)


def test_the_newest_is_first_and_a_header_sorts(qtbot: QtBot, table: RunsTable) -> None:
    assert names(table) == ["alpha", "beta", "⚠ gamma"]
    header = table.horizontalHeader()
    at = header.sectionViewportPosition(Column.NAME) + 10
    for wanted in (["alpha", "beta", "⚠ gamma"], ["⚠ gamma", "beta", "alpha"]):
        qtbot.mouseClick(header.viewport(), LEFT, NONE, QPoint(at, header.height() // 2))
        assert names(table) == wanted


def test_space_and_a_click_toggle_curves(qtbot: QtBot, table: RunsTable) -> None:
    def curves() -> list[tuple[Path, str]]:
        return list(table.rows.curves)

    click(qtbot, table, 1, Column.CURVE)
    alpha, beta = (Path("/runs/alpha"), Path("/runs/beta"))
    assert curves() == [(beta, OVERLAY_COLORS[0])]
    seen = table.viewport().grab().toImage()
    at = center(table, 1, Column.CURVE) * seen.devicePixelRatio()
    assert seen.pixelColor(at).name() == OVERLAY_COLORS[0]
    click(qtbot, table, 0, Column.ELBO, CTRL)
    press(qtbot, Qt.Key.Key_Space)
    assert curves() == [(beta, OVERLAY_COLORS[0]), (alpha, OVERLAY_COLORS[1])]
    press(qtbot, Qt.Key.Key_Space)
    assert curves() == []


def test_select_all_and_home_are_the_tables(qtbot: QtBot, table: RunsTable) -> None:
    press(qtbot, Qt.Key.Key_A, CTRL)
    assert len(table.chosen()) == 3
    click(qtbot, table, 1, Column.ELBO)
    press(qtbot, Qt.Key.Key_Home)
    assert table.currentIndex().column() == Column.CURVE


@pytest.mark.parametrize(("width", "whole"), [(640, Column.SECONDS), (1300, Column.DATE)])
def test_columns_suit_the_room_there_is(table: RunsTable, width: int, whole: Column) -> None:
    table.resize(width, 220)
    QApplication.processEvents()
    header = table.horizontalHeader()
    right = header.sectionViewportPosition(whole) + header.sectionSize(whole)
    assert right <= table.viewport().width()
    digits = table.fontMetrics().horizontalAdvance("20261127-160539-seed0")
    assert header.sectionSize(Column.NAME) >= digits


def test_a_width_of_a_persons_own_is_kept(table: RunsTable) -> None:
    header = table.horizontalHeader()
    header.resizeSection(Column.NAME, 77)
    table.resize(1400, 220)
    QApplication.processEvents()
    assert header.sectionSize(Column.NAME) == 77
