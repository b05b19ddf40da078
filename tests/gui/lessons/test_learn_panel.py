import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QToolButton,
)
from pytestqt.qtbot import QtBot

from tests.support.lessons import choose
from vae_explorer.gui.lessons.code_box import CodeBox
from vae_explorer.gui.lessons.formula import FormulaView
from vae_explorer.gui.lessons.learn_panel import LearnPanel
from vae_explorer.gui.lessons.prose import Prose
from vae_explorer.gui.lessons.question_box import QuestionBox
from vae_explorer.lessons.course import Code, FormulaPart, Lesson, Question, Step

FIRST = Step(
    "A functional",
    (
        "It takes a *function*.",
        (FormulaPart("H", "H"), FormulaPart("= 1")),
        "What is it?",
        Question("Which?", ("a", "b"), (False, True), "b."),
        "And so it ends.",
    ),
)
LAST = Step("The end", ("Some text.", Code("data = {'H': 1.0}\n"), "More."))
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
    assert not [view for view in panel.findChildren(FormulaView) if view.isVisible()]


def test_a_step_is_shown_in_its_order(panel: LearnPanel) -> None:
    QApplication.processEvents()
    kinds = (Prose, FormulaView, QuestionBox, CodeBox)
    parts = [one for kind in kinds for one in panel.findChildren(kind) if one.isVisible()]
    page = panel.question.parentWidget()
    parts = sorted((one for one in parts if one.parent() is page), key=lambda one: one.y())
    assert [type(one) for one in parts] == [Prose, FormulaView, Prose, QuestionBox]
    panel.set_step(LAST, 1)
    QApplication.processEvents()
    parts = [one for kind in kinds for one in panel.findChildren(kind) if one.isVisible()]
    parts = sorted((one for one in parts if one.parent() is page), key=lambda one: one.y())
    assert [type(one) for one in parts] == [Prose, CodeBox, Prose, Prose]


def test_what_follows_the_question_waits_for_the_answer(panel: LearnPanel) -> None:
    assert "What is it?" in _read(panel)
    assert "And so it ends." not in _read(panel)
    panel.set_answer((True, False))
    assert "And so it ends." in _read(panel)
    panel.set_answer(())
    assert "And so it ends." not in _read(panel)
    assert panel.question.isVisible()


def test_one_walks_through_the_steps_and_on_to_the_next_lesson(panel: LearnPanel) -> None:
    wanted: list[str] = []
    panel.next_wanted.connect(lambda: wanted.append("next"))
    panel.back_wanted.connect(lambda: wanted.append("back"))
    _button(panel, "Next").click()
    panel.set_step(LAST, 1)
    _button(panel, "Back").click()
    _button(panel, "Next Lesson").click()
    assert wanted == ["next", "back", "next"]
    panel.set_lesson(OTHER)
    panel.set_step(FIRST, 0)
    assert not _button(panel, "Next Lesson").isEnabled()
    assert _button(panel, "Back").isEnabled()  # to the lesson before


def test_a_lesson_is_chosen_from_the_list(panel: LearnPanel) -> None:
    wanted: list[str] = []
    panel.lesson_chosen.connect(wanted.append)
    box = panel.findChild(QComboBox)
    assert [box.itemText(row) for row in range(2)] == ["1  Entropy", "2  The bound"]
    box.activated.emit(0)
    choose(box, 1)
    assert wanted == ["one", "two"]
    panel.set_lessons((LESSON, OTHER), {"one"})
    assert [box.itemText(row) for row in range(2)] == ["1  Entropy  ✓", "2  The bound"]
    assert box.currentData() == "one"


def test_the_code_is_shown_on_demand_and_can_be_copied(panel: LearnPanel) -> None:
    assert not panel.findChildren(CodeBox)
    panel.set_step(LAST, 1)
    code = panel.findChild(QPlainTextEdit)
    assert code.isHidden()
    _button(panel, "Copy Code").click()
    assert QGuiApplication.clipboard().text() == "data = {'H': 1.0}"
    panel.findChild(QToolButton).click()
    assert not code.isHidden()
    panel.set_step(FIRST, 0)
    panel.set_step(LAST, 1)
    assert not panel.findChildren(QPlainTextEdit)[-1].isHidden()  # as it was left


def test_large_type_is_larger_and_goes_back(panel: LearnPanel) -> None:
    (formula,) = panel.findChildren(FormulaView)
    small, height = panel.font().pointSizeF(), formula.sizeHint().height()
    answer, low = _button(panel, "Answer"), _button(panel, "Answer").sizeHint().height()
    panel.set_large(True)
    assert answer.font().pointSizeF() > 1.4 * small
    assert answer.sizeHint().height() > low
    assert panel.font().pointSizeF() > 1.4 * small
    assert formula.sizeHint().height() > 1.4 * height
    panel.set_large(False)
    assert panel.font().pointSizeF() == small
    assert formula.sizeHint().height() == height


def test_live_values_reach_the_formulas(panel: LearnPanel) -> None:
    panel.set_values({"H": 0.5})
    (formula,) = panel.findChildren(FormulaView)
    assert "entropy: 0.500" in formula.accessibleDescription()
