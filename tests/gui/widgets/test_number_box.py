import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QLocale, QSignalBlocker, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from vae_explorer.fields import FieldSpec
from vae_explorer.gui.widgets.editors import make_editor
from vae_explorer.gui.widgets.number_box import NumberBox


def enter(qtbot: QtBot, box: NumberBox, typed: str) -> None:
    """Paste it over what is there, and press Enter."""
    box.selectAll()
    QApplication.clipboard().setText(typed)
    box.lineEdit().paste()
    qtbot.keyClick(box, Qt.Key.Key_Return)


@pytest.fixture
def box(qtbot: QtBot) -> NumberBox:
    """As for a learning rate."""
    box = make_editor(FieldSpec("G", "Rate", "", "", 1e-6, 1.0), 1.5e-3)
    assert isinstance(box, NumberBox)
    qtbot.addWidget(box)
    return box


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0015, "0.0015"), (1e-6, "1e-06"), (1.0, "1"), (0.5, "0.5"), (1.0e-4, "0.0001")],
)
def test_small_numbers_read_well(box: NumberBox, value: float, text: str) -> None:
    box.setValue(value)
    assert box.text() == text


@given(value=st.floats(1e-300, 1e6))
def test_no_digit_is_lost(qapp: QApplication, value: float) -> None:
    box = NumberBox(0.0, 1e6, 0.1, "nats")
    box.setValue(value)
    assert box.value() == value
    box.interpretText()  # what leaving the editor does
    assert box.value() == value


@pytest.mark.parametrize("typed", ["0.003", "3e-3", "3E-03", ".003", "+0.003"])
def test_a_number_can_be_typed_in_many_ways(qtbot: QtBot, box: NumberBox, typed: str) -> None:
    box.selectAll()
    qtbot.keyClicks(box, typed)
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert box.value() == 0.003
    assert box.text() == "0.003"


@pytest.mark.parametrize("typed", ["7", "0", "1e-9", "-0.5", "1e", "nan", "abc", "0x1", "0,1,2"])
def test_what_is_no_number_in_range_is_kept_and_marked(
    qtbot: QtBot, box: NumberBox, typed: str
) -> None:
    box.setValue(0.25)
    usual = box.palette().color(QPalette.ColorRole.Text)
    enter(qtbot, box, typed)
    assert (box.value(), box.text()) == (0.25, typed)
    assert typed in box.refusal
    assert box.toolTip() == box.refusal
    assert box.palette().color(QPalette.ColorRole.Text) != usual
    qtbot.keyClick(box, Qt.Key.Key_Escape)
    assert (box.value(), box.text(), box.refusal) == (0.25, "0.25", "")
    assert box.palette().color(QPalette.ColorRole.Text) == usual


def test_a_refused_text_gives_way_to_a_value_that_is_set(qtbot: QtBot, box: NumberBox) -> None:
    for value in (0.25, 0.5, 0.5):
        enter(qtbot, box, "abc")
        with QSignalBlocker(box):
            box.setValue(value)
        assert (box.text(), box.refusal) == (str(value), "")


@pytest.mark.parametrize("country", ["de_DE", "fr_FR", "ar_EG", "en_US"])
def test_a_number_is_read_alike_in_every_country(qtbot: QtBot, country: str) -> None:
    before = QLocale()
    QLocale.setDefault(QLocale(country))
    try:
        box = NumberBox(-10, 10_000, 0.1, "nats")
        qtbot.addWidget(box)
        written = {"0,5": 0.5, "0.5": 0.5, "−2,25": -2.25, "1.234,5 nats": 1234.5, "2,125": None}
        for typed, value in written.items():
            box.setValue(7)
            enter(qtbot, box, typed)
            assert (box.value(), bool(box.refusal)) == (7 if value is None else value, not value)
            assert value is None or box.text() == f"{value:.15g} nats"
    finally:
        QLocale.setDefault(before)


def test_a_whole_number_has_no_fraction(qtbot: QtBot) -> None:
    box = NumberBox(1, 60_000, unit="images", whole=True)
    qtbot.addWidget(box)
    for typed, value in {"1.5": 1, "1,5": 1, "60,000": 60_000, "12": 12}.items():
        enter(qtbot, box, typed)
        assert (box.number, type(box.number)) == (value, int)


def test_the_unit_is_shown_and_not_read(qtbot: QtBot) -> None:
    box = NumberBox(0.0, 1e6, 20.0, "nats")
    qtbot.addWidget(box)
    box.setValue(200.0)
    assert box.text() == "200 nats"
    box.lineEdit().setText("12.5 nats")
    box.interpretText()
    assert box.value() == 12.5


@pytest.mark.parametrize(
    ("value", "steps", "after"),
    [
        (0.0015, 1, 0.0016),
        (0.0015, -1, 0.0014),
        (0.001, -1, 0.00099),
        (0.00099, 1, 0.001),
        (0.0099, 2, 0.011),
        (2e-6, -5, 1e-6),
        (0.99, 5, 1.0),
    ],
)
def test_a_step_moves_the_second_digit(
    box: NumberBox, value: float, steps: int, after: float
) -> None:
    box.setValue(value)
    box.stepBy(steps)
    assert box.value() == after


def test_steps_reach_zero_and_leave_it(qtbot: QtBot) -> None:
    box = NumberBox(0.0, 1.0, 1e-4)
    qtbot.addWidget(box)
    box.setValue(1e-3)
    box.stepBy(-10)
    assert box.value() == 0.0
    box.stepBy(1)
    assert math.isclose(box.value(), 1e-4)
