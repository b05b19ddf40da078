"""Terms of the field, hovered and clicked."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QEnterEvent, QHelpEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QTableWidget, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from vae_explorer.gui.main_thread import run_events
from vae_explorer.gui.plot.chart import Chart
from vae_explorer.gui.plot.layout import words
from vae_explorer.gui.plot.marks import Level
from vae_explorer.gui.widgets.terms import (
    TermBox,
    TermCard,
    TermDelegate,
    TermHeader,
    TermLabel,
    term_label,
)


class School(QWidget):
    """A window that has lessons."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.column = QVBoxLayout(self)

    def open_lesson(self, lesson: str) -> None:
        self.opened.append(lesson)


@pytest.fixture
def school(qtbot: QtBot) -> Iterator[School]:
    school = School()
    qtbot.addWidget(school)
    yield school
    school.close()


def hover(widget: QWidget, at: QPoint | None = None) -> None:
    """Rest the pointer somewhere, as long as it takes Qt to ask for a tip."""
    at = widget.rect().center() if at is None else at
    QApplication.sendEvent(widget, QHelpEvent(QEvent.Type.ToolTip, at, widget.mapToGlobal(at)))


def card(school: School) -> TermCard:
    found = school.findChild(TermCard)
    assert found is not None
    return found


def explained(school: School) -> str:
    """The text of the card on screen, "" if none is."""
    found = school.findChild(TermCard)
    return found.text.text() if found is not None and found.isVisible() else ""


def test_a_hovered_term_says_a_sentence_and_what_it_is_here(school: School) -> None:
    label = term_label("− KL", "Of <this> image")
    school.column.addWidget(label)
    school.show()
    assert isinstance(label, TermLabel)
    assert "prior" in label.accessibleDescription()
    hover(label)
    assert "<b>KL</b> – The Kullback–Leibler divergence" in explained(school)
    assert "Of &lt;this&gt; image" in explained(school)
    assert card(school).accessibleName().startswith("KL: The Kullback")
    assert not card(school).geometry().contains(label.mapToGlobal(label.rect().center()))


def test_a_click_explains_too_and_the_link_leads_to_the_lesson(school: School) -> None:
    label = term_label("ELBO")
    school.column.addWidget(label)
    school.show()
    QTest.mouseClick(label, Qt.MouseButton.LeftButton)
    assert "<a href='4-bound'>Lesson 4</a>" in explained(school)
    card(school).text.linkActivated.emit("4-bound")
    assert school.opened == ["4-bound"]
    assert explained(school) == ""


def test_it_stays_for_the_pointer_on_it_and_goes_when_that_leaves(
    school: School, qtbot: QtBot
) -> None:
    label = term_label("gap")
    school.column.addWidget(label)
    school.show()
    hover(label)
    QApplication.sendEvent(label, QEvent(QEvent.Type.Leave))
    spot = QPointF(1, 1)
    QApplication.sendEvent(card(school), QEnterEvent(spot, spot, spot))
    run_events(400)
    assert explained(school), "the link can be reached"
    QApplication.sendEvent(card(school), QEvent(QEvent.Type.Leave))
    qtbot.waitUntil(lambda: not explained(school))
    hover(label)
    label.hide()
    assert explained(school) == ""


def test_what_is_no_term_is_a_plain_label(school: School) -> None:
    label = term_label("Epochs", "Passes over the data")
    assert type(label) is QLabel
    assert label.toolTip() == "Passes over the data"


def test_boxes_headers_cells_and_charts_explain_theirs(school: School) -> None:
    box, table = TermBox("Metric"), QTableWidget(1, 2)
    table.setHorizontalHeader(TermHeader(table))
    table.setHorizontalHeaderLabels(["Seconds", "Best ELBO"])
    table.setItemDelegate(TermDelegate(table))
    names = QTableWidget(1, 1)
    names.setItemDelegate(TermDelegate(names))
    for one in (table, names):
        one.model().setData(one.model().index(0, 0), "Active units")
    chart = Chart("log p(x)", "step", "nats")
    chart.set_marks([Level(1.0, "train", "β"), Level(2.0, "train", "other")])
    for widget in (box, table, names, chart):
        school.column.addWidget(widget)
    school.resize(500, 600)
    school.show()
    hover(box)
    assert "<b>metric</b>" in explained(school)
    header = table.horizontalHeader()
    hover(header.viewport(), QPoint(header.sectionViewportPosition(1) + 5, 5))
    assert "<b>ELBO</b>" in explained(school)
    hover(names.viewport(), names.visualRect(names.model().index(0, 0)).center())
    assert "<b>active units</b>" in explained(school)
    places = {word: area.center().toPoint() for area, word in words(chart.plot, chart.placed)}
    for word, name in (("log p(x)", "log p(x)"), ("β", "β")):
        hover(chart, places[word])
        assert f"<b>{name}</b>" in explained(school)
    card(school).hide()
    hover(chart, places["other"])
    assert explained(school) == ""
    school.grab()  # all of them are painted
