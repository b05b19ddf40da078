import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtGui import QValidator
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit, QSpinBox, QWidget
from pytestqt.qtbot import QtBot

from vae_explorer.fields import LONGEST_STACK, FieldSpec
from vae_explorer.gui.widgets.editors import NumberBox, SizesBox, commit, make_editor, read, write
from vae_explorer.training.recipe import Recipe


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


@pytest.mark.parametrize("typed", ["7", "0", "1e-9", "-0.5", "1e", "nan", ""])
def test_what_is_no_number_in_range_is_not_taken(qtbot: QtBot, box: NumberBox, typed: str) -> None:
    box.setValue(0.25)
    box.selectAll()
    qtbot.keyClick(box, Qt.Key.Key_Delete)
    qtbot.keyClicks(box, typed)
    box.interpretText()
    assert box.value() == 0.25
    assert box.text() == "0.25"


def test_letters_and_commas_cannot_be_typed(box: NumberBox) -> None:
    for text in ("abc", "0,5", "inf", "0x1", "1 2"):
        state, _, _ = box.validate(text, len(text))
        assert state == QValidator.State.Invalid, text


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


def test_each_kind_of_field_gets_its_editor(qtbot: QtBot) -> None:
    whole = make_editor(FieldSpec("G", "Batch", "", "images", 1, 60_000), 200)
    number = make_editor(FieldSpec("G", "Decay", "", "", 0.0, 1.0), 1e-3)
    choice = make_editor(FieldSpec("G", "Schedule", "", choices=("cosine", "constant")), "constant")
    for editor in (whole, number, choice):
        qtbot.addWidget(editor)
    assert isinstance(whole, QSpinBox)
    assert (whole.minimum(), whole.maximum(), whole.text()) == (1, 60_000, "200 images")
    assert isinstance(number, NumberBox)
    assert (number.minimum(), number.maximum(), number.text()) == (0.0, 1.0, "0.001")
    assert isinstance(choice, QComboBox)
    assert [choice.itemText(i) for i in range(choice.count())] == ["cosine", "constant"]
    assert [read(editor) for editor in (whole, number, choice)] == [200, 1e-3, "constant"]


@pytest.fixture
def sizes(qtbot: QtBot) -> SizesBox:
    """As for the encoder's layers, at 512-256."""
    sizes = make_editor(Recipe.specs()["encoder_hidden"], "512-256")
    assert isinstance(sizes, SizesBox)
    qtbot.addWidget(sizes)
    return sizes


LONGEST = "-".join(["8192"] * LONGEST_STACK)


@pytest.mark.parametrize("typed", ["64", "1", "8192-1", "0064-32", LONGEST])
def test_sizes_can_be_typed(qtbot: QtBot, sizes: SizesBox, typed: str) -> None:
    sizes.selectAll()
    with qtbot.assertNotEmitted(sizes.value_changed):
        qtbot.keyClicks(sizes, typed)
    assert read(sizes) == "512-256"
    with qtbot.waitSignal(sizes.value_changed) as told:
        qtbot.keyClick(sizes, Qt.Key.Key_Return)
    assert told.args == [typed] == [read(sizes)]
    assert Recipe(encoder_hidden=typed).encoder_hidden == typed


@pytest.mark.parametrize("typed", ["", "-", "512-", "-512", "5--6", "0", "8193", f"{LONGEST}-1"])
@pytest.mark.parametrize("end", ["return", "leave", "commit"])
def test_incomplete_sizes_go_back(qtbot: QtBot, typed: str, end: str) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    sizes, other = SizesBox(Recipe.specs()["encoder_hidden"]), QLineEdit(window)
    sizes.setParent(window)
    write(sizes, "512-256")
    with qtbot.waitExposed(window):
        window.show()
    window.activateWindow()
    sizes.setFocus()
    qtbot.waitUntil(sizes.hasFocus)
    sizes.clear()
    qtbot.keyClicks(sizes, typed)
    assert sizes.text() == typed
    with qtbot.assertNotEmitted(sizes.value_changed):
        if end == "return":
            qtbot.keyClick(sizes, Qt.Key.Key_Return)
        elif end == "leave":
            other.setFocus()
        else:
            commit(sizes)
    assert sizes.text() == read(sizes) == "512-256"


def test_leaving_takes_complete_sizes(qtbot: QtBot, sizes: SizesBox) -> None:
    sizes.setText("64-32")
    with qtbot.waitSignal(sizes.value_changed) as told:
        commit(sizes)
    assert told.args == ["64-32"]
    with qtbot.assertNotEmitted(sizes.value_changed):
        commit(sizes)


def test_nothing_but_digits_and_hyphens_can_be_typed(qtbot: QtBot, sizes: SizesBox) -> None:
    sizes.clear()
    qtbot.keyClicks(sizes, "a5,1 2×-²+6")
    assert sizes.text() == "512-6"


def test_writing_the_same_value_leaves_half_typed_text_alone(qtbot: QtBot, box: NumberBox) -> None:
    box.setValue(0.5)
    box.selectAll()
    qtbot.keyClicks(box, "0.50")
    write(box, 0.5)
    assert box.text() == "0.50"
    write(box, 0.25)
    assert box.text() == "0.25"
