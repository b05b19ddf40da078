"""A question to be answered before the answer is read."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QRadioButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from vae_explorer.gui.lessons.prose import Prose
from vae_explorer.gui.widgets.rows import fill
from vae_explorer.lessons.course import Question

_RIGHT, _WRONG = "✓", "✗"


class QuestionBox(QFrame):
    """Shows a question, and after the answer which choices are right, and why.

    Signals:
        answered(tuple): the choices, (k,) of bool.
    """

    answered = Signal(tuple)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAccessibleName("Question")
        self._question: Question | None = None
        self._choices: list[_Choice] = []
        self._text = Prose("Question")
        self._group = QButtonGroup(self)
        self._button = QPushButton("Answer")
        self._button.clicked.connect(self._answer)
        self._reveal = Prose("Answer")
        self._column = QVBoxLayout(self)
        fill(self._column, self._text, self._button, self._reveal)
        self.set_question(None)

    def set_question(self, question: Question | None) -> None:
        """Ask another question, or none."""
        for old in self._choices:
            self._group.removeButton(old.button)
            self._column.removeWidget(old)
            old.deleteLater()
        self._question = question
        self._choices = []
        self.setVisible(question is not None)
        self._reveal.set_text("")
        if question is None:
            return
        single = sum(question.right) == 1
        self._text.set_text(question.text)
        self._group.setExclusive(single)
        for number, text in enumerate(question.choices):
            choice = _Choice(QRadioButton() if single else QCheckBox(), text)
            choice.button.toggled.connect(self._allow)
            self._group.addButton(choice.button)
            self._column.insertWidget(1 + number, choice)
            self._choices.append(choice)
        self._button.setVisible(True)
        self._allow()

    def set_answer(self, chosen: tuple[bool, ...]) -> None:
        """Show an answer, and what is right."""
        question = self._question
        if question is None:
            return
        for choice, text, is_chosen, right in zip(
            self._choices, question.choices, chosen, question.right, strict=True
        ):
            choice.button.setChecked(is_chosen)
            choice.setEnabled(False)
            mark = _RIGHT if right else _WRONG if is_chosen else "\N{EM SPACE}"
            choice.set_text(f"{mark} {text}")
        verdict = "**Right.**" if chosen == question.right else "**Not quite.**"
        self._reveal.set_text(f"{verdict} {question.reveal}")
        self._button.setVisible(False)

    def _allow(self) -> None:
        self._button.setEnabled(any(choice.button.isChecked() for choice in self._choices))

    def _answer(self) -> None:
        self.answered.emit(tuple(choice.button.isChecked() for choice in self._choices))


class _Choice(QWidget):
    """A button beside a text that is broken where there is no room, which Qt's own are not."""

    def __init__(self, button: QAbstractButton, text: str) -> None:
        super().__init__()
        self.button = button
        self._text = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self._text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._text, 1)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.set_text(text)

    def set_text(self, text: str) -> None:
        """Show another text."""
        self._text.setText(text)
        self.button.setAccessibleName(text)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        """Be as high as the text; a page that scrolls asks only for what is needed at least."""
        super().resizeEvent(event)
        self._text.setMinimumHeight(self._text.heightForWidth(self._text.width()))

    @override
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.button.click()
        event.accept()
