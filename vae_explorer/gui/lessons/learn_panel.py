"""The learn dock: the text of a lesson, a step at a time."""

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import (
    QComboBox,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from vae_explorer.gui.lessons.formula import FormulaView
from vae_explorer.gui.lessons.prose import Prose
from vae_explorer.gui.lessons.question_box import QuestionBox
from vae_explorer.gui.widgets.rows import Scrolled, button, fill, row
from vae_explorer.lessons.course import Lesson, Step

_EM, _LARGE_EM = 18.0, 30.0
_LARGE_TEXT = 1.6
"""Of the usual size, when presenting."""


class LearnPanel(QWidget):
    """Shows one step and what comes with it.

    Signals:
        lesson_chosen(str): by its id.
        step_wanted(int): from 0.

    The answer to a question is told by ``question``.
    """

    lesson_chosen = Signal(str)
    step_wanted = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Lesson")
        self._lesson: Lesson | None = None
        self._number = 0
        self._formulas: list[FormulaView] = []
        self._large = False
        self._lessons = QComboBox()
        self._lessons.setAccessibleName("Lesson")
        self._lessons.setMinimumContentsLength(12)
        self._lessons.activated.connect(self._choose)
        self._title = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self._text = Prose("Text of the step")
        self.question = QuestionBox()
        self._show_code = QToolButton()
        self._show_code.setText("Show the code")
        self._show_code.setCheckable(True)
        self._show_code.setAutoRaise(True)
        self._show_code.toggled.connect(self._on_show_code)
        self._copy = button("Copy", "Copy the code, which runs as it is", self._copy_code)
        self._code = QPlainTextEdit()
        self._code.setReadOnly(True)
        self._code.setAccessibleName("Code that reproduces the figure")
        self._code.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self._code.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._references = Prose("Further reading")

        page, code = QWidget(), row(self._show_code, None, self._copy)
        self._page = QVBoxLayout(page)
        self._page.setContentsMargins(8, 4, 8, 8)
        fill(self._page, self._title, self._text, self.question, code, self._code)
        fill(self._page, self._references, None)
        self._area = Scrolled(page)
        self._area.setAccessibleName("Page of the lesson")
        self._area.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # keys scroll its text
        self._back = QPushButton("Back")
        self._back.setToolTip("Go to the step before")
        self._back.setProperty("command", "step_before")
        self._next = QPushButton("Next")
        self._next.setToolTip("Go on")
        self._next.setProperty("command", "next_step")
        self._back.clicked.connect(self._go_back)
        self._next.clicked.connect(self._go_on)
        for move in (self._back, self._next):
            move.setEnabled(False)  # until there is a step
        self._place = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        fill(layout, self._lessons, (self._area, 1), row(self._back, (self._place, 1), self._next))
        self.setMinimumWidth(300)
        self._show_title()

    def set_lessons(self, lessons: tuple[Lesson, ...]) -> None:
        """Offer these."""
        self._lessons.clear()
        for number, lesson in enumerate(lessons, 1):
            self._lessons.addItem(f"{number}  {lesson.title}", lesson.id)

    def set_lesson(self, lesson: Lesson) -> None:
        """Show another lesson; its step follows."""
        self._lesson = lesson
        self._lessons.setCurrentIndex(self._lessons.findData(lesson.id))
        self._lessons.setToolTip(lesson.title)

    def set_step(self, step: Step, number: int) -> None:
        """Show a step of it."""
        lesson = self._lesson
        assert lesson is not None
        self._number = number
        self._title.setText(step.title)
        self._text.set_text(step.text)
        for view in self._formulas:
            self._page.removeWidget(view)
            view.deleteLater()
        self._formulas = [FormulaView(parts, lesson.symbols) for parts in step.formulas]
        for offset, view in enumerate(self._formulas):
            view.set_em(_LARGE_EM if self._large else _EM)
            self._page.insertWidget(2 + offset, view)
        self.question.set_question(step.question)
        self._code.setPlainText(step.code.rstrip())
        self._show_code.setVisible(bool(step.code))
        self._on_show_code(self._show_code.isChecked())
        last = number == len(lesson.steps) - 1
        text = "\n".join(f"- {reference}" for reference in lesson.references)
        self._references.set_text(f"**Further reading**\n\n{text}" if last and text else "")
        self._place.setText(f"{number + 1} of {len(lesson.steps)}")
        self._back.setEnabled(number > 0)
        self._next.setText("Next lesson" if last else "Next")
        self._next.setEnabled(not last or self._lessons.currentIndex() < self._lessons.count() - 1)
        self._area.verticalScrollBar().setValue(0)

    def set_values(self, values: Mapping[str, float | str]) -> None:
        """Write the live values into the formulas."""
        for view in self._formulas:
            view.set_values(values)

    def set_large(self, large: bool) -> None:
        """Show large type, for a room, or the usual one."""
        self._large = large
        font = QGuiApplication.font()
        font.setPointSizeF(font.pointSizeF() * (_LARGE_TEXT if large else 1.0))
        self.setFont(font)
        self._show_title()
        for view in self._formulas:
            view.set_em(_LARGE_EM if large else _EM)

    def _show_title(self) -> None:
        font = self.font()
        font.setBold(True)
        font.setPointSizeF(1.25 * font.pointSizeF())
        self._title.setFont(font)

    def _choose(self) -> None:
        self.lesson_chosen.emit(self._lessons.currentData())

    def _go_back(self) -> None:
        self.step_wanted.emit(self._number - 1)

    def _go_on(self) -> None:
        assert self._lesson is not None
        if self._number < len(self._lesson.steps) - 1:
            self.step_wanted.emit(self._number + 1)
        else:
            self.lesson_chosen.emit(self._lessons.itemData(self._lessons.currentIndex() + 1))

    def _on_show_code(self, shown: bool) -> None:
        some = bool(self._code.toPlainText())
        self._show_code.setText("Hide the code" if shown else "Show the code")
        self._code.setVisible(shown and some)
        self._copy.setVisible(shown and some)
        lines = self._code.blockCount() + 2
        self._code.setFixedHeight(lines * self._code.fontMetrics().lineSpacing())

    def _copy_code(self) -> None:
        QGuiApplication.clipboard().setText(self._code.toPlainText())
