"""The learn dock: the text of a lesson, a step at a time."""

from collections.abc import Collection, Mapping

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QComboBox, QLabel, QPushButton, QVBoxLayout, QWidget
from typing_extensions import override

from vae_explorer.gui.lessons.code_box import CodeBox
from vae_explorer.gui.lessons.formula import FormulaView
from vae_explorer.gui.lessons.large_type import lesson_font
from vae_explorer.gui.lessons.prose import Prose, unbroken
from vae_explorer.gui.lessons.question_box import QuestionBox
from vae_explorer.gui.theme import MARGIN, SPACE, TITLE
from vae_explorer.gui.widgets.rows import Scrolled, fill, row
from vae_explorer.lessons.course import Block, Code, Lesson, Question, Step

_EM = 1.5
"""A formula's em, in that of the text."""


class LearnPanel(QWidget):
    """Shows one step and what comes with it, in the order of its blocks.

    Signals:
        lesson_chosen(str): by its id.
        next_wanted(): the step after this one, of this lesson or the next.
        back_wanted(): the step before.

    The answer to a question is told by ``question``.
    """

    lesson_chosen = Signal(str)
    next_wanted = Signal()
    back_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Lesson")
        self._lesson: Lesson | None = None
        self._blocks: list[QWidget] = []
        self._code_shown = False
        self._lessons = QComboBox()
        self._lessons.setAccessibleName("Lesson")
        self._lessons.setMinimumContentsLength(12)
        self._lessons.activated.connect(self._choose)
        self._title = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self._references = Prose("Further reading")
        page = QWidget()
        self.question = QuestionBox(page)
        self._page = QVBoxLayout(page)
        self._page.setContentsMargins(MARGIN, SPACE, MARGIN, MARGIN)
        fill(self._page, self._title, self._references, None)
        self._area = Scrolled(page)
        self._area.setAccessibleName("Page of the lesson")
        self._area.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # keys scroll its text
        self._back = QPushButton("Back")
        self._back.setToolTip("Go to the step before")
        self._back.setProperty("command", "step_before")
        self._next = QPushButton("Next")
        self._next.setToolTip("Go on")
        self._next.setProperty("command", "next_step")
        self._back.clicked.connect(self.back_wanted)
        self._next.clicked.connect(self.next_wanted)
        for move in (self._back, self._next):
            move.setEnabled(False)  # until there is a step
        self._place = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        fill(layout, self._lessons, (self._area, 1), row(self._back, (self._place, 1), self._next))
        self.setMinimumWidth(300)
        self._show_title()

    def set_lessons(self, lessons: tuple[Lesson, ...], done: Collection[str] = ()) -> None:
        """Offer these, with a tick on those ``done``."""
        titles = [
            f"{number}  {lesson.title}{'  ✓' if lesson.id in done else ''}"
            for number, lesson in enumerate(lessons, 1)
        ]
        if titles != [self._lessons.itemText(row) for row in range(self._lessons.count())]:
            self._lessons.clear()
            for title, lesson in zip(titles, lessons, strict=True):
                self._lessons.addItem(title, lesson.id)
            self._show_chosen()

    def set_lesson(self, lesson: Lesson) -> None:
        """Show another lesson; its step follows."""
        self._lesson = lesson
        self._lessons.setToolTip(lesson.title)
        self._show_chosen()

    def set_step(self, step: Step, number: int) -> None:
        """Show a step of it, and of it no more than leads to its question."""
        lesson = self._lesson
        assert lesson is not None
        self._title.setText(unbroken(step.title))
        for block in self._blocks:
            self._page.removeWidget(block)
            if block is not self.question:
                block.hide()
                block.deleteLater()
        self.question.set_question(step.question)
        self._blocks = [self._block(block, lesson) for block in step.blocks]
        for place, widget in enumerate(self._blocks, 1):
            self._page.insertWidget(place, widget)
        last = number == len(lesson.steps) - 1
        text = "\n".join(f"- {reference}" for reference in lesson.references)
        self._references.set_text(f"**Further reading**\n\n{text}" if last and text else "")
        self._show_rest(shown=False)
        at = self._lessons.currentIndex()
        self._place.setText(f"{number + 1} of {len(lesson.steps)}")
        self._back.setEnabled(number > 0 or at > 0)
        self._next.setText("Next Lesson" if last else "Next")
        self._next.setEnabled(not last or at < self._lessons.count() - 1)
        self._area.verticalScrollBar().setValue(0)

    def set_answer(self, chosen: tuple[bool, ...]) -> None:
        """Show an answer, what is right, and what waits for it; () asks again."""
        self.question.set_answer(chosen)
        self._show_rest(bool(chosen))

    def set_values(self, values: Mapping[str, float | str]) -> None:
        """Write the live values into the formulas."""
        for block in self._blocks:
            if isinstance(block, FormulaView):
                block.set_values(values)

    def focus_page(self) -> None:
        """Let keys scroll the text."""
        self._area.setFocus()

    def set_large(self, large: bool) -> None:
        """Show large type, for a room, or the usual one."""
        self.setFont(lesson_font(large))

    @override
    def changeEvent(self, event: QEvent) -> None:
        """Set title and formulas in the size of the text."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._show_title()
            for block in self._blocks:
                if isinstance(block, FormulaView):
                    block.set_em(self._em)

    @property
    def _em(self) -> float:
        return _EM * self.fontInfo().pixelSize()

    def _block(self, block: Block, lesson: Lesson) -> QWidget:
        if isinstance(block, str):
            prose = Prose("Text of the step", self._page.parentWidget())
            prose.set_text(block)
            return prose
        if isinstance(block, Question):
            return self.question
        if isinstance(block, Code):
            code = CodeBox(block.text, self._code_shown)
            code.toggle.toggled.connect(self._on_show_code)
            return code
        formula = FormulaView(block, lesson.symbols)
        formula.set_em(self._em)
        return formula

    def _show_rest(self, shown: bool) -> None:
        """Show what stands after the question, or let it wait."""
        if self.question in self._blocks:
            for block in self._blocks[self._blocks.index(self.question) + 1 :]:
                block.setVisible(shown)

    def _show_title(self) -> None:
        font = self.font()
        font.setBold(True)
        font.setPointSizeF(TITLE * font.pointSizeF())
        self._title.setFont(font)

    def _show_chosen(self) -> None:
        if self._lesson is not None:
            self._lessons.setCurrentIndex(self._lessons.findData(self._lesson.id))

    def _choose(self) -> None:
        self.lesson_chosen.emit(self._lessons.currentData())

    def _on_show_code(self, shown: bool) -> None:
        self._code_shown = shown
