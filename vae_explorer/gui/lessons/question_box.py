"""A question to be answered before the answer is read."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QCheckBox,
    QFrame,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from vae_explorer.gui.lessons.prose import Prose
from vae_explorer.session.learning import Question

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
        self._choices: list[QAbstractButton] = []
        self._text = Prose()
        self._group = QButtonGroup(self)
        self._button = QPushButton("Answer")
        self._button.clicked.connect(self._answer)
        self._reveal = Prose()
        self._column = QVBoxLayout(self)
        self._column.addWidget(self._text)
        self._column.addWidget(self._button)
        self._column.addWidget(self._reveal)
        self.set_question(None)

    def set_question(self, question: Question | None) -> None:
        """Ask another question, or none."""
        for old in self._choices:
            self._group.removeButton(old)
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
            choice: QAbstractButton = QRadioButton(text) if single else QCheckBox(text)
            choice.toggled.connect(self._allow)
            self._group.addButton(choice)
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
            choice.setChecked(is_chosen)
            choice.setEnabled(False)
            mark = _RIGHT if right else _WRONG if is_chosen else "\N{EM SPACE}"
            choice.setText(f"{mark} {text}")
        verdict = "**Right.**" if chosen == question.right else "**Not quite.**"
        self._reveal.set_text(f"{verdict} {question.reveal}")
        self._button.setVisible(False)

    def _allow(self) -> None:
        self._button.setEnabled(any(choice.isChecked() for choice in self._choices))

    def _answer(self) -> None:
        self.answered.emit(tuple(choice.isChecked() for choice in self._choices))
