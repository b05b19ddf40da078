import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from vae_explorer.fields import LONGEST_STACK, FieldSpec
from vae_explorer.gui.widgets.editors import SizesBox, commit, make_editor, read, write
from vae_explorer.gui.widgets.number_box import NumberBox
from vae_explorer.training.recipe import Recipe


def test_each_kind_of_field_gets_its_editor(qtbot: QtBot) -> None:
    whole = make_editor(FieldSpec("G", "Batch", "", "images", 1, 60_000), 200)
    number = make_editor(FieldSpec("G", "Decay", "", "", 0.0, 1.0), 1e-3)
    choice = make_editor(FieldSpec("G", "Schedule", "", choices=("cosine", "constant")), "constant")
    for editor in (whole, number, choice):
        qtbot.addWidget(editor)
    assert isinstance(whole, NumberBox)
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


@pytest.mark.parametrize(
    ("typed", "taken"), [("512,256", "512-256"), ("512×64", "512-64"), ("5e2", ""), ("64+8", "")]
)
def test_sizes_are_a_list_or_nothing(qtbot: QtBot, sizes: SizesBox, typed: str, taken: str) -> None:
    before = sizes.value()
    sizes.selectAll()
    qtbot.keyClicks(sizes, typed)
    qtbot.keyClick(sizes, Qt.Key.Key_Return)
    assert sizes.value() == sizes.text() == (taken or before)


def test_writing_the_same_value_leaves_half_typed_text_alone(qtbot: QtBot) -> None:
    box = NumberBox(1e-6, 1.0)
    qtbot.addWidget(box)
    box.setValue(0.5)
    box.selectAll()
    qtbot.keyClicks(box, "0.50")
    write(box, 0.5)
    assert box.text() == "0.50"
    write(box, 0.25)
    assert box.text() == "0.25"
