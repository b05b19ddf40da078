import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QPushButton, QTableWidget
from pytestqt.qtbot import QtBot

from vae_explorer.gui.plot.chart import Chart
from vae_explorer.gui.runs.sweep_panel import SweepPanel
from vae_explorer.gui.theme import CLASS_COLORS
from vae_explorer.gui.widgets.empty_state import EmptyState
from vae_explorer.session.runs.sweeps import CellMap, Varied
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.sweep import Axis, Sweep
from vae_explorer.training.sweep_folder import Result

SWEEP = Sweep(Recipe(epochs=2), (Axis("beta", (0.5, 4.0)), Axis("seed", (0, 1, 2))))


@pytest.fixture
def panel(qtbot: QtBot) -> SweepPanel:
    panel = SweepPanel()
    qtbot.addWidget(panel)
    panel.resize(1_000, 360)
    panel.show()
    return panel


def _button(panel: SweepPanel, text: str) -> QPushButton:
    return next(b for b in panel.findChildren(QPushButton) if b.text() == text)


def _rows(panel: SweepPanel) -> list[tuple[QComboBox, QLineEdit]]:
    fields = panel.findChildren(QComboBox)
    values = [edit for edit in panel.findChildren(QLineEdit) if edit.parent() not in fields]
    return list(zip(fields, values, strict=True))


def _says(panel: SweepPanel, text: str) -> bool:
    return any(text in label.text() for label in panel.findChildren(QLabel))


def test_before_a_sweep_it_says_what_one_is(panel: SweepPanel) -> None:
    (empty,) = panel.findChildren(EmptyState)
    assert empty.isVisible()
    assert empty.text().startswith("No sweep yet")
    panel.set_sweep(SWEEP)
    assert not empty.isVisible()


def test_it_says_what_would_be_trained_and_asks_for_it(panel: SweepPanel) -> None:
    panel.set_recipe(Recipe(epochs=5))
    assert _says(panel, "4 runs, 20 epochs")
    field, values = _rows(panel)[1]
    field.setCurrentIndex(field.findData("seed"))
    values.setText("0:3")
    assert _says(panel, "12 runs, 60 epochs")
    asked: list[Varied] = []
    panel.start_requested.connect(asked.append)
    _button(panel, "Start").click()
    assert asked == [(("beta", "0.5, 1, 2, 4"), ("seed", "0:3"))]


@pytest.mark.parametrize(
    ("text", "message"), [("0.5, many", "number"), ("-1", "between"), ("", "varies no field")]
)
def test_bad_values_are_told_at_once(panel: SweepPanel, text: str, message: str) -> None:
    _, values = _rows(panel)[0]
    values.setText(text)
    assert _says(panel, message)
    assert not _button(panel, "Start").isEnabled()


def test_buttons_offer_what_can_be_done(panel: SweepPanel) -> None:
    start, stop, go_on = (_button(panel, text) for text in ("Start", "Stop", "Resume"))
    assert (start.isEnabled(), stop.isEnabled(), go_on.isEnabled()) == (True, False, False)
    panel.set_free(False)
    assert not start.isEnabled()
    panel.set_free(True)
    panel.set_sweep(SWEEP)
    panel.set_results(tuple(Result(cell.values, "waiting") for cell in SWEEP.cells))
    assert go_on.isEnabled()
    panel.set_running(1)
    assert (start.isEnabled(), stop.isEnabled(), go_on.isEnabled()) == (False, True, False)


def test_the_table_has_a_row_a_run(panel: SweepPanel) -> None:
    panel.set_sweep(SWEEP)
    results = [Result(cell.values, "waiting") for cell in SWEEP.cells]
    results[1] = Result(SWEEP.cells[1].values, "finished", 2.0, -150.25, -147.5, 6.5, 2, 31.0, "x")
    panel.set_results(tuple(results))
    table = panel.findChild(QTableWidget)
    texts = [table.item(1, column).text() for column in range(table.columnCount())]
    assert texts == ["0.5", "1", "finished", "2.0", "−150.25", "−147.50", "6.50", "2", "31"]
    assert table.rowCount() == 6


def test_a_small_map_is_drawn_in_its_cell_and_can_be_chosen(panel: SweepPanel) -> None:
    panel.set_sweep(SWEEP)
    panel.set_results(tuple(Result(cell.values, "finished") for cell in SWEEP.cells))
    codes = np.zeros((50, 2), np.float32)  # all in the middle
    panel.set_map(CellMap(5, codes, np.full(50, 3, np.uint8)))
    charts = panel.findChildren(Chart)
    cell = charts[4]
    color = cell.grab().toImage().pixelColor(cell.rect().center())
    assert np.allclose([color.red(), color.green(), color.blue()], CLASS_COLORS[3], atol=2)
    chosen: list[int] = []
    panel.cell_chosen.connect(chosen.append)
    QTest.mouseClick(cell, Qt.MouseButton.LeftButton)
    QTest.keyClick(cell, Qt.Key.Key_Up)
    assert panel.focusWidget() is charts[1]
    QTest.keyClick(charts[1], Qt.Key.Key_Return)
    assert chosen == [5, 2]
    QTest.keyClick(charts[1], Qt.Key.Key_Up)
    QTest.mouseClick(panel.maps.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(1, 1))
    assert chosen == [5, 2]


def test_a_cell_says_what_became_of_it(panel: SweepPanel) -> None:
    panel.set_sweep(SWEEP)
    cells = [Result(cell.values, "waiting") for cell in SWEEP.cells]
    cells[0] = Result(SWEEP.cells[0].values, "finished", 2.0, -150.25)
    panel.set_results(tuple(cells))
    panel.set_running(2)
    charts = panel.findChildren(Chart)
    assert [chart.plot.note for chart in charts[:3]] == ["finished", "training", "waiting"]
    assert [bool(chart.plot.front) for chart in charts[:3]] == [False, True, False]
    said = "beta=0.5, seed=0 · finished · held-out ELBO −150.25"
    assert charts[0].toolTip() == charts[0].accessibleName() == said
    panel.set_map(CellMap(1, np.zeros((1, 2), np.float32), np.zeros(1, np.uint8)))
    panel.set_running(0)
    assert [chart.plot.note for chart in charts[:2]] == ["", "waiting"]
    panel.set_sweep(Sweep(Recipe(), SWEEP.axes[1:]))
    assert [chart.plot.note for chart in panel.maps.widget().findChildren(Chart)] == [""] * 3
