"""Wires the lessons to the learn dock and puts their experiments in the place of the map."""

from collections.abc import Callable

from PySide6.QtWidgets import QStackedWidget

from vae_explorer.gui.dialogs.ask_path import LESSON, AskPath
from vae_explorer.gui.lessons.learn_panel import LearnPanel
from vae_explorer.gui.lessons.lesson_view import LessonView, make_view
from vae_explorer.gui.theme import Theme, current_theme
from vae_explorer.session.app import Explorer
from vae_explorer.session.lessons.course import Lesson, Step


class LearnController:
    """Sends what is chosen in the learn dock to the session, and shows what it says.

    Args:
        explorer: has the lessons.
        panel: their text.
        pages: whose first page is the map; experiments are added to it.
        ask: asks for files.
    """

    def __init__(
        self, explorer: Explorer, panel: LearnPanel, pages: QStackedWidget, ask: AskPath
    ) -> None:
        self._explorer = explorer
        self._learning = learning = explorer.learning
        self._ask = ask
        self._panel = panel
        self._pages = pages
        self._views: dict[str, LessonView] = {}
        self._large = False
        panel.lesson_chosen.connect(learning.open)
        panel.step_wanted.connect(learning.go)
        panel.answered.connect(learning.answer)
        learning.opened.connect(self._on_opened)
        learning.step_changed.connect(self._on_step)
        learning.answered.connect(panel.set_answer)
        learning.values_changed.connect(panel.set_values)

    def handlers(self) -> dict[str, Callable[[], object]]:
        """What its commands do."""
        return {
            "next_step": self._next,
            "step_before": self._before,
            "open_lesson": self._open,
            "save_lesson": self._save,
            "large": self._toggle_large,
        }

    def show(self) -> None:
        """Begin or go on with the lessons."""
        if self._learning.lesson is None:
            self._panel.set_lessons(self._learning.lessons)
        self._learning.show()
        self._show_page()

    def leave(self) -> None:
        """Give the map its place back."""
        self._learning.hide()
        self._pages.setCurrentIndex(0)

    def set_theme(self, theme: Theme) -> None:
        """Take the theme's colours."""
        for view in self._views.values():
            view.set_theme(theme)

    def _on_opened(self, lesson: Lesson) -> None:
        self._panel.set_lesson(lesson)
        experiment = self._learning.experiment
        if experiment is not None and lesson.instrument not in self._views:
            view = make_view(lesson.instrument, experiment)
            view.set_theme(current_theme())
            self._views[lesson.instrument] = view
            self._pages.addWidget(view)
        self._show_page()

    def _on_step(self, step: Step) -> None:
        self._panel.set_step(step, self._learning.number)
        view = self._view
        if view is not None:
            view.set_hidden(step.hidden)
        if self._learning.experiment is not None:
            self._panel.set_values(self._learning.experiment.values)

    @property
    def _view(self) -> LessonView | None:
        lesson = self._learning.lesson
        return self._views.get(lesson.instrument) if lesson else None

    def _show_page(self) -> None:
        if self._learning.shown:
            self._pages.setCurrentIndex(self._pages.indexOf(self._view) if self._view else 0)

    def _next(self) -> None:
        self._learning.go(self._learning.number + 1)

    def _before(self) -> None:
        self._learning.go(self._learning.number - 1)

    def _open(self) -> None:
        if path := self._ask.open("Open Lesson", LESSON):
            self._learning.open_file(path)

    def _save(self) -> None:
        text = self._learning.as_file()
        if path := self._ask.save("Save Lesson", "lesson.md", LESSON):
            self._explorer.write_text(path, text, "The lesson was not saved")

    def _toggle_large(self) -> None:
        self._large = not self._large
        self._panel.set_large(self._large)
