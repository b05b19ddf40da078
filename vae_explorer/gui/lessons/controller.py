"""Wires the lessons to the learn dock and puts their experiments in the place of the map."""

from PySide6.QtWidgets import QStackedWidget

from vae_explorer.gui.dialogs.ask_path import LESSON, AskPath
from vae_explorer.gui.lessons.learn_panel import LearnPanel
from vae_explorer.gui.lessons.lesson_view import LessonView, make_view
from vae_explorer.gui.widgets.rows import Scrolled
from vae_explorer.gui.window.docks import reveal
from vae_explorer.gui.window.records import LEFT, Command, Controller, Panel
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
        panel.step_wanted.connect(learning.go)
        panel.question.answered.connect(learning.answer)
        learning.opened.connect(self._on_opened)
        learning.step_changed.connect(self._on_step)
        learning.answered.connect(panel.question.set_answer)
        learning.values_changed.connect(panel.set_values)
        self.commands = (
            Command("next_step", "Course", "Next Step", "Go to the next step of the lesson",
                lambda: learning.go(learning.number + 1), ("Ctrl+PgDown",)),
            Command("step_before", "Course", "Previous Step",
                "Go to the previous step of the lesson",
                lambda: learning.go(learning.number - 1), ("Ctrl+PgUp",)),
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
        self.panel.set_lessons(self._learning.lessons)
        self.panel.set_lesson(lesson)
        experiment = self._learning.experiment
        if experiment is not None and lesson.instrument not in self._views:
            view = make_view(lesson.instrument, experiment)
            self._views[lesson.instrument] = view
            # In a small window it scrolls: the window must not grow with each lesson.
            page = self._pages_of[lesson.instrument] = Scrolled(view, sideways=True)
            self._pages.addWidget(page)
        self._show_page()

    def _on_step(self, step: Step) -> None:
        self.panel.set_step(step, self._learning.number)
        view = self._view
        if view is not None:
            view.set_hidden(step.hidden)
        if self._learning.experiment is not None:
            self.panel.set_values(self._learning.experiment.values)

    @property
    def _view(self) -> LessonView | None:
        lesson = self._learning.lesson
        return self._views.get(lesson.instrument) if lesson else None

    def _show_page(self) -> None:
        lesson = self._learning.lesson
        if self._learning.shown and lesson is not None and lesson.instrument in self._pages_of:
            self._pages.setCurrentWidget(self._pages_of[lesson.instrument])
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
