"""A question to be answered before the answer is read."""

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QColor, QFont, QMouseEvent, QPalette, QResizeEvent
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

from vae_explorer.gui.lessons.prose import Prose, unbroken
from vae_explorer.gui.theme import current_theme
from vae_explorer.gui.widgets.rows import fill
from vae_explorer.lessons.course import Question

_MARKS = {"right": "✓", "wrong": "✗", "": ""}
"""Before a choice, by how it was answered, which is also the name of its colour."""


class QuestionBox(QFrame):
    """Shows a question, and after the answer which choices are right, and why.

    Signals:
        answered(tuple): the choices, (k,) of bool; () to try again.
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
        self._verdict = QLabel(textFormat=Qt.TextFormat.PlainText)
        self._reveal = Prose("Answer")
        self._again = QPushButton("Try Again")
        self._again.clicked.connect(lambda: self.answered.emit(()))
        self._column = QVBoxLayout(self)
        fill(self._column, self._text, self._button, self._verdict, self._reveal, self._again)
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
        self._verdict.hide()
        self._again.hide()
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
        """Show an answer, what is right, and why; () asks again."""
        question = self._question
        if question is None or not chosen:
            self.set_question(question)
            return
        for choice, is_chosen, right in zip(self._choices, chosen, question.right, strict=True):
            choice.button.setChecked(is_chosen)
            choice.set_mark("right" if right else "wrong" if is_chosen else "")
        self._reveal.set_text(question.reveal)
        self._show_verdict()
        self._button.hide()
        self._again.show()

    @override
    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of another scheme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._reveal.isVisibleTo(self):
            self._show_verdict()

    def _show_verdict(self) -> None:
        assert self._question is not None
        chosen = tuple(choice.button.isChecked() for choice in self._choices)
        right = chosen == self._question.right
        _color(self._verdict, "right" if right else "wrong")
        self._verdict.setText("✓ Right" if right else "✗ Not quite")
        self._verdict.show()
        for choice in self._choices:
            choice.color()

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
        self._said, self._mark = text, ""
        self._text.setText(unbroken(text))
        self.button.setAccessibleName(text)

    def set_mark(self, mark: str) -> None:
        """Say that it is "right", "wrong" or neither, "", and take no other answer."""
        self._mark = mark
        said = f"{_MARKS[mark]} {self._said}".strip()
        self._text.setText(unbroken(said))
        self.button.setAccessibleName(said)
        self.button.setEnabled(False)

    def color(self) -> None:
        """Take the colour of its mark in the present scheme."""
        _color(self._text, self._mark)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        """Be as high as the text; a page that scrolls asks only for what is needed at least."""
        super().resizeEvent(event)
        self._text.setMinimumHeight(self._text.heightForWidth(self._text.width()))
        self.button.setMinimumHeight(self._text.fontMetrics().height())

    @override
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.button.click()
        event.accept()


def _color(label: QLabel, name: str) -> None:
    """Write in bold in a colour of the theme, or as usual for ""."""
    font, palette = QFont(), QPalette()  # the rest of either is inherited
    font.setBold(bool(name))
    if name:
        color = QColor(getattr(current_theme(), name))
        palette.setColor(QPalette.ColorRole.WindowText, color)
    label.setFont(font)
    label.setPalette(palette)
