import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QCheckBox,
    QLabel,
    QPushButton,
    QRadioButton,
)
from pytestqt.qtbot import QtBot

from tests.support.person import ShowTheme
from vae_explorer.gui.lessons.prose import Prose
from vae_explorer.gui.lessons.question_box import QuestionBox
from vae_explorer.gui.theme import DARK, LIGHT
from vae_explorer.lessons.course import Question

ONE = Question("Which is **largest**?", ("this", "that"), (False, True), "Because.")
MANY = Question("Which of them?", ("a", "b", "c"), (True, False, True), "Both.")


@pytest.fixture
def box(qtbot: QtBot) -> QuestionBox:
    box = QuestionBox()
    qtbot.addWidget(box)
    box.resize(320, 300)
    box.show()
    return box


def _choices(box: QuestionBox) -> list[QAbstractButton]:
    return [choice.button for choice in box._choices]


def _read(box: QuestionBox) -> str:
    return " ".join(p.toPlainText() for p in box.findChildren(Prose) if not p.isHidden())


def _said(box: QuestionBox) -> list[str]:
    return [label.text() for label in box.findChildren(QLabel) if label.isVisible()]


def test_the_answer_is_read_only_after_answering(box: QuestionBox) -> None:
    box.set_question(ONE)
    answers: list[tuple[bool, ...]] = []
    box.answered.connect(answers.append)
    button = box.findChild(QPushButton)
    assert not button.isEnabled()
    assert "Because" not in _read(box)
    this, that = _choices(box)
    assert isinstance(this, QRadioButton)
    this.click()
    that.click()
    assert not this.isChecked()
    button.click()
    assert answers == [(False, True)]
    box.set_answer(answers[0])
    assert "✓ Right" in _said(box)
    assert "Because." in _read(box)
    assert that.accessibleName() == "✓ that"
    assert not that.isEnabled()
    assert button.isHidden()


def test_a_wrong_answer_sees_the_right_one(box: QuestionBox) -> None:
    box.set_question(ONE)
    box.set_answer((True, False))
    assert "✗ Not quite" in _said(box)
    assert "Because." in _read(box)
    assert [choice.accessibleName()[0] for choice in _choices(box)] == ["✗", "✓"]


def test_another_answer_takes_the_place_of_one(box: QuestionBox) -> None:
    box.set_question(ONE)
    box.set_answer((True, False))
    box.set_answer((False, True))
    assert [choice.accessibleName() for choice in _choices(box)] == ["this", "✓ that"]
    assert "✓ Right" in _said(box)


def test_one_may_try_again(box: QuestionBox) -> None:
    answers: list[tuple[bool, ...]] = []
    box.answered.connect(answers.append)
    box.set_question(ONE)
    again = next(b for b in box.findChildren(QPushButton) if b.text() == "Try Again")
    assert not again.isVisible()
    box.set_answer((True, False))
    again.click()
    assert answers == [()]
    box.set_answer(())
    assert "Because" not in _read(box)
    assert not again.isVisible()
    assert not any("Right" in said or "Not quite" in said for said in _said(box))
    assert all(one.isEnabled() and not one.isChecked() for one in _choices(box))


def test_right_and_wrong_have_colours_in_either_scheme(
    box: QuestionBox, show_theme: ShowTheme
) -> None:
    box.set_question(MANY)
    box.set_answer((True, True, False))
    for theme in (LIGHT, DARK):
        show_theme(theme)
        colors = {
            label.text(): label.palette().color(QPalette.ColorRole.WindowText).name()
            for label in box.findChildren(QLabel)
        }
        assert colors["✓ a"] == colors["✓ c"] == theme.right
        assert colors["✗ b"] == colors["✗ Not quite"] == theme.wrong


def test_several_may_be_right(box: QuestionBox) -> None:
    box.set_question(MANY)
    choices = _choices(box)
    assert all(isinstance(choice, QCheckBox) for choice in choices)
    choices[0].click()
    choices[2].click()
    answers: list[tuple[bool, ...]] = []
    box.answered.connect(answers.append)
    box.findChild(QPushButton).click()
    assert answers == [(True, False, True)]


def test_without_a_question_there_is_no_box(box: QuestionBox) -> None:
    box.set_question(ONE)
    box.set_question(None)
    assert box.isHidden()
    box.set_answer((True, False))  # of a question that is gone
    assert _choices(box) == []


def test_a_long_choice_is_broken_and_its_text_can_be_clicked(box: QuestionBox) -> None:
    long = "a choice with this many words that no dock is wide enough to show it in a line"
    box.set_question(Question("Which?", (long, "short"), (True, False), "So."))
    QApplication.processEvents()
    assert box.minimumSizeHint().width() < 320
    box.adjustSize()
    box.resize(320, box.height())
    QApplication.processEvents()
    first, second = box._choices
    assert first._text.height() > 1.8 * second._text.fontMetrics().height()
    assert first._text.heightForWidth(first._text.width()) <= first._text.height()
    QTest.mouseClick(first._text, Qt.MouseButton.LeftButton)
    assert first.button.isChecked()
