"""Wires the lessons to the learn dock and puts their experiments in the place of the map."""

from PySide6.QtWidgets import QStackedWidget

from vae_explorer.gui.dialogs.ask_path import LESSON, AskPath
from vae_explorer.gui.lessons.learn_panel import LearnPanel
from vae_explorer.gui.lessons.lesson_view import LessonView, make_view
from vae_explorer.gui.widgets.rows import Scrolled
from vae_explorer.gui.window.docks import reveal
from vae_explorer.gui.window.records import LEFT, Choices, Command, Controller, Panel
from vae_explorer.lessons.course import Lesson, Step
from vae_explorer.session.app import App


class LearnController(Controller):
    """Sends what is chosen in the learn dock to the session, and shows what it says.

    Args:
        app: has the lessons.
        pages: whose first page is the map; experiments are added to it.
        ask: asks for files.
    """

    def __init__(self, app: App, pages: QStackedWidget, ask: AskPath) -> None:
        super().__init__(app)
        self._learning = learning = app.learning
        self._ask = ask
        self.panel = panel = LearnPanel()
        self._pages = pages
        self._views: dict[str, LessonView] = {}
        self._pages_of: dict[str, Scrolled] = {}
        self._large = False
        panel.lesson_chosen.connect(learning.open)
        panel.next_wanted.connect(learning.next)
        panel.back_wanted.connect(learning.back)
        panel.question.answered.connect(learning.answer)
        learning.opened.connect(self._on_opened)
        learning.step_changed.connect(self._on_step)
        learning.answered.connect(self._on_answered)
        learning.listed.connect(self._on_listed)
        learning.values_changed.connect(panel.set_values)
        self.changes = (learning.listed,)
        self.commands = (
            Choices("Course", "Lessons", lambda: [lesson.id for lesson in learning.known],
                self._open_known, self._title_of, self._is_done),
            Command("next_step", "Course", "Next Step",
                "Go to the next step, or to the next lesson", learning.next, ("Ctrl+PgDown",)),
            Command("step_before", "Course", "Previous Step",
                "Go to the previous step, or to the lesson before", learning.back, ("Ctrl+PgUp",)),
            Command("open_lesson", "Course", "Open Lesson…",
                "Open a lesson from a file", self._open, separator=True),
            Command("save_lesson", "Course", "Save Lesson…",
                "Save the lesson as a file, with the current step set up as it is now", self._save),
            Command("large", "Course", "Large Type", "Enlarge the lesson for a lecture room",
                self._toggle_large, ("Ctrl+Shift+L",), checked=lambda: self._large),
        )  # fmt: skip
        self.panels = (Panel("learn", panel, LEFT, {"learn": (0, 0)}, size=400),)

    def show(self) -> None:
        """Begin or go on with the lessons."""
        self._learning.show()
        self._show_page()

    def leave(self) -> None:
        """Show the map again."""
        self._learning.hide()
        self._pages.setCurrentIndex(0)

    def set_in_front(self, front: bool) -> None:
        """Follow the dock: the lessons are under way as long as it can be seen."""
        if front:
            self.show()
        else:
            self.leave()

    def _on_opened(self, lesson: Lesson) -> None:
        self._on_listed()
        self.panel.set_lesson(lesson)
        experiment = self._learning.experiment
        if experiment is not None and lesson.instrument not in self._views:
            view = make_view(lesson.instrument, experiment)
            self._views[lesson.instrument] = view
            # In a small window it scrolls: the window must not grow with each lesson.
            view.set_large(self._large)
            page = self._pages_of[lesson.instrument] = Scrolled(view, sideways=True)
            self._pages.addWidget(page)
        self._show_page()

    def _on_step(self, step: Step) -> None:
        self.panel.set_step(step, self._learning.number)
        self._conceal()
        self.panel.set_values(self._learning.values)

    def _on_answered(self, chosen: tuple[bool, ...]) -> None:
        self.panel.set_answer(chosen)
        self._conceal()

    def _conceal(self) -> None:
        """Show of the figure what the step shows, and nothing that would answer its question."""
        view, step = self.view, self._learning.step
        if view is not None and step is not None:
            view.set_hidden(step.hidden | self._learning.concealed)

    def _on_listed(self) -> None:
        known = self._learning.known
        self.panel.set_lessons(known, [one.id for one in known if self._is_done(one.id)])

    def _title_of(self, lesson_id: str) -> str:
        ids = [lesson.id for lesson in self._learning.known]
        number = ids.index(lesson_id)
        return f"{number + 1}  {self._learning.known[number].title}"

    def _is_done(self, lesson_id: str) -> bool:
        learning = self._learning
        return any(one.id == lesson_id and learning.progress.done(one) for one in learning.known)

    def _open_known(self, lesson_id: str) -> None:
        reveal(self.panel)
        self._learning.open(lesson_id)

    @property
    def view(self) -> LessonView | None:
        """The figure of the lesson, if it has one of its own."""
        lesson = self._learning.lesson
        return self._views.get(lesson.instrument) if lesson else None

    def _show_page(self) -> None:
        lesson = self._learning.lesson
        if self._learning.shown and lesson is not None and lesson.instrument in self._pages_of:
            self._pages.setCurrentWidget(self._pages_of[lesson.instrument])
            focus = self.panel.window().focusWidget()
            if focus is None or not self.panel.isAncestorOf(focus):
                self.panel.focus_page()  # not what Qt chooses, the first number of the figure
        elif self._learning.shown:
            self._pages.setCurrentIndex(0)

    def _open(self) -> None:
        if path := self._ask.open("Open Lesson", LESSON):
            reveal(self.panel)
            self._learning.open_file(path)

    def _save(self) -> None:
        text = self._learning.as_file()
        if path := self._ask.save("Save Lesson", "lesson.md", LESSON):
            self._app.exports.content(path, text.encode(), "The lesson was not saved")

    def _toggle_large(self) -> None:
        self._large = not self._large
        self.panel.set_large(self._large)
        for view in self._views.values():
            view.set_large(self._large)
