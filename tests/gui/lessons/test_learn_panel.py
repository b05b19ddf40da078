import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QComboBox, QLabel, QPlainTextEdit, QPushButton, QToolButton
from pytestqt.qtbot import QtBot

from tests.support.lessons import choose
from vae_explorer.gui.lessons.formula import FormulaView
from vae_explorer.gui.lessons.learn_panel import LearnPanel
from vae_explorer.gui.lessons.prose import Prose
from vae_explorer.lessons.course import FormulaPart, Lesson, Question, Step

FIRST = Step(
    "A functional",
    "It takes a *function*.",
    ((FormulaPart("H", "H"), FormulaPart("= 1")),),
    Question("Which?", ("a", "b"), (False, True), "b."),
)
LAST = Step("The end", "Some text.", code="data = {'H': 1.0}\n")
LESSON = Lesson("one", "Entropy", "", (FIRST, LAST), {"H": "entropy"}, ("[a](https://b.c)",))
OTHER = Lesson("two", "The bound", "", (FIRST,), {"H": "entropy"})


@pytest.fixture
def panel(qtbot: QtBot) -> LearnPanel:
    panel = LearnPanel()
    qtbot.addWidget(panel)
    panel.resize(340, 700)
    panel.set_lessons((LESSON, OTHER))
    panel.set_lesson(LESSON)
    panel.set_step(FIRST, 0)
    panel.show()
    return panel


def _button(panel: LearnPanel, text: str) -> QPushButton:
    return next(b for b in panel.findChildren(QPushButton) if b.text() == text)


def _read(panel: LearnPanel) -> str:
    return "\n".join(p.toPlainText() for p in panel.findChildren(Prose) if not p.isHidden())


def test_a_step_is_shown_whole(panel: LearnPanel) -> None:
    assert any(label.text() == "A functional" for label in panel.findChildren(QLabel))
    assert "It takes a function." in _read(panel)
    assert len(panel.findChildren(FormulaView)) == 1
    assert "Further reading" not in _read(panel)
    assert not _button(panel, "Back").isEnabled()
    panel.set_step(LAST, 1)
    assert "Further reading" in _read(panel)
    assert not [view for view in panel.findChildren(FormulaView) if view in panel._formulas]


def test_one_walks_through_the_steps_and_on_to_the_next_lesson(panel: LearnPanel) -> None:
    wanted: list[object] = []
    panel.step_wanted.connect(wanted.append)
    panel.lesson_chosen.connect(wanted.append)
    _button(panel, "Next").click()
    panel.set_step(LAST, 1)
    _button(panel, "Back").click()
    _button(panel, "Next lesson").click()
    assert wanted == [1, 0, "two"]
    panel.set_lesson(OTHER)
    panel.set_step(FIRST, 0)
    assert not _button(panel, "Next lesson").isEnabled()


def test_a_lesson_is_chosen_from_the_list(panel: LearnPanel) -> None:
    wanted: list[str] = []
    panel.lesson_chosen.connect(wanted.append)
    box = panel.findChild(QComboBox)
    assert [box.itemText(row) for row in range(2)] == ["1  Entropy", "2  The bound"]
    box.activated.emit(0)
    choose(box, 1)
    assert wanted == ["one", "two"]


def test_the_code_is_shown_on_demand_and_can_be_copied(panel: LearnPanel) -> None:
    show = next(b for b in panel.findChildren(QToolButton) if "code" in b.text())
    code = panel.findChild(QPlainTextEdit)
    assert show.isHidden()
    panel.set_step(LAST, 1)
    assert code.isHidden()
    show.click()
    assert not code.isHidden()
    _button(panel, "Copy").click()
    assert QGuiApplication.clipboard().text() == "data = {'H': 1.0}"
    panel.set_step(FIRST, 0)
    assert code.isHidden()


def test_large_type_is_larger_and_goes_back(panel: LearnPanel) -> None:
    (formula,) = panel._formulas
    small, height = panel.font().pointSizeF(), formula.sizeHint().height()
    panel.set_large(True)
    assert panel.font().pointSizeF() > 1.4 * small
    assert formula.sizeHint().height() > 1.4 * height
    panel.set_large(False)
    assert panel.font().pointSizeF() == small
    assert formula.sizeHint().height() == height


def test_live_values_reach_the_formulas(panel: LearnPanel) -> None:
    panel.set_values({"H": 0.5})
    (formula,) = panel._formulas
    assert "entropy: 0.500" in formula.accessibleDescription()
