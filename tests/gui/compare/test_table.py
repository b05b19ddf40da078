import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QTableWidgetSelectionRange
from pytestqt.qtbot import QtBot

from vae_explorer.gui.compare.table import CompareTable
from vae_explorer.session.compare.metrics import ComparisonTable, TableRow

ROWS = (
    TableRow("Objective", "", "elbo", None),
    TableRow("ELBO", "nats", -129.909, -0.001),
    TableRow("Active units", "of 2", 2, 1, digits=0),
)


@pytest.fixture
def table(qtbot: QtBot) -> CompareTable:
    table = CompareTable()
    qtbot.addWidget(table)
    with qtbot.waitActive(table):
        table.show()
        table.activateWindow()
    table.set_table(ComparisonTable(("first", ""), ROWS, ""))
    return table


def texts(table: CompareTable) -> list[list[str]]:
    return [[table.item(row, column).text() for column in range(4)] for row in range(3)]


def copied(table: CompareTable) -> str:
    QApplication.clipboard().clear()
    (copy,) = table.actions()
    copy.trigger()
    return QApplication.clipboard().text()


def test_values_are_shown_with_their_decimals(table: CompareTable) -> None:
    assert texts(table) == [
        ["Objective", "", "elbo", "—"],
        ["ELBO", "nats", "−129.91", "0.00"],
        ["Active units", "of 2", "2", "1"],
    ]
    assert table.horizontalHeaderItem(2).text() == "A: first"
    assert table.horizontalHeaderItem(3).text() == "B: —"


def test_nothing_can_be_typed(table: CompareTable) -> None:
    table.setCurrentCell(1, 2)
    QTest.keyClicks(table, "5")
    assert table.state() is not CompareTable.State.EditingState
    assert texts(table)[1][2] == "−129.91"


def test_all_is_copied_with_its_headers_and_plain_minus_signs(table: CompareTable) -> None:
    assert copied(table).split("\n") == [
        "Figure\tUnit\tA: first\tB: —",
        "Objective\t\telbo\t—",
        "ELBO\tnats\t-129.91\t0.00",
        "Active units\tof 2\t2\t1",
    ]


def test_what_is_selected_is_copied_alone_and_stays_selected(table: CompareTable) -> None:
    table.setRangeSelected(QTableWidgetSelectionRange(1, 2, 2, 3), True)
    table.set_table(ComparisonTable(("first", "second"), ROWS, ""))
    assert copied(table) == "-129.91\t0.00\n2\t1"
    assert table.contextMenuPolicy() is Qt.ContextMenuPolicy.ActionsContextMenu
    assert [action.text() for action in table.actions()] == ["Copy"]
