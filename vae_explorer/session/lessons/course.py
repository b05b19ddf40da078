"""Working through lessons: which one, which step, what was answered."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from psygnal import Signal

from vae_explorer.errors import UserError
from vae_explorer.lessons.course import Lesson, Step, bundled_lessons, read_lesson, with_state
from vae_explorer.session.files.settings_file import SettingsFile
from vae_explorer.session.lessons.context import LessonContext
from vae_explorer.session.lessons.experiment import AnyExperiment, make_experiment
from vae_explorer.session.lessons.place import LessonPlace
from vae_explorer.session.lessons.progress import Answer, Progress
from vae_explorer.session.tasks import Tasks


class Learning:
    """The lessons and the position in them. All methods belong to the main thread.

    Args:
        context: what the experiments work with.
        tasks: where lesson files are read, and what shows failures.
        settings: remember how far one is.
    """

    listed = Signal()
    """The lessons, or how far one is in them, are others."""

    opened = Signal(Lesson)
    """Another lesson, whose ``experiment`` is ready; its first step follows."""
    step_changed = Signal(Step)
    """Another step; the experiment is in its state."""
    answered = Signal(tuple)
    """The choices made for the question of the step, (k,) of bool, or () if it is open again.

    Sent again on coming back to an answer.
    """
    values_changed = Signal(dict)
    """The live values of the lesson's symbols, "?" for those that are concealed."""

    def __init__(self, context: LessonContext, tasks: Tasks, settings: SettingsFile) -> None:
        self.context = context
        self._settings = settings
        self._fail = tasks.fail
        self._reading = tasks.newest("lesson file", "The lesson was not opened")
        self._listing = tasks.newest("lessons", "The lessons cannot be read")
        self._lessons: dict[str, Lesson] = {}
        self._experiments: dict[str, AnyExperiment] = {}
        self.lesson: Lesson | None = None
        self.number = 0
        """Of the step, from 0."""
        self.shown = False

    @property
    def lessons(self) -> tuple[Lesson, ...]:
        """All lessons there are, the bundled ones first; read at the latest when asked for."""
        if not self._lessons:
            try:
                self._list(bundled_lessons())
            except UserError as error:
                self._fail("The lessons cannot be read", error)
        return self.known

    @property
    def known(self) -> tuple[Lesson, ...]:
        """Those that have been read."""
        return tuple(self._lessons.values())

    @property
    def progress(self) -> Progress:
        """How far one is."""
        return self._settings.now.course

    @property
    def step(self) -> Step | None:
        """The step that is shown."""
        return self.lesson.steps[self.number] if self.lesson else None

    @property
    def answer_given(self) -> Answer:
        """To the question of the step; () if there is none yet."""
        return self.progress.answer(self.lesson, self.number) if self.lesson else ()

    @property
    def concealed(self) -> frozenset[str]:
        """What is not shown as long as the question of the step is open."""
        step = self.step
        hides = step is not None and step.question is not None and not self.answer_given
        return step.concealed if step and hides else frozenset()

    @property
    def values(self) -> dict[str, float | str]:
        """The live value of each symbol, "?" of those that are concealed."""
        values = self.experiment.values if self.experiment else {}
        symbols = self.lesson.symbols.keys() if self.lesson else ()
        return values | dict.fromkeys(self.concealed.intersection(symbols), "?")

    @property
    def experiment(self) -> AnyExperiment | None:
        """Of the lesson; None if it uses the map."""
        return self._experiments.get(self.lesson.instrument) if self.lesson else None

    def read(self) -> None:
        """Read the lessons off the main thread."""
        self._listing.run(lambda _: bundled_lessons(), self._list)

    def show(self) -> None:
        """Come back to the lesson, or to where one was at the last start, or begin the first."""
        self.shown = True
        if self.lesson is None and self.lessons:
            before = self.progress
            known = before.lesson in self._lessons
            self.open(*(before.lesson, before.step) if known else (self.lessons[0].id, 0))
        elif self.experiment:
            self.experiment.show()

    def hide(self) -> None:
        """Let the experiment rest while something else is shown."""
        self.shown = False
        if self.experiment:
            self.experiment.hide()

    def open(self, lesson_id: str, number: int = 0) -> None:
        """Begin a lesson, at a step."""
        lesson = self._lessons[lesson_id]
        try:
            if lesson.instrument and lesson.instrument not in self._experiments:
                made = make_experiment(lesson.instrument, self.context)
                made.values_changed.connect(self._on_values)
                self._experiments[lesson.instrument] = made
        except UserError as error:
            self._fail("The lesson was not opened", error)
            return
        if self.experiment:
            self.experiment.hide()
        self.lesson, self.number = lesson, 0
        self.opened.emit(lesson)
        if self.experiment and self.shown:
            self.experiment.show()
        self.go(number)

    @property
    def place(self) -> LessonPlace | None:
        """Where one is, None while the map is shown."""
        if self.lesson is None or not self.shown:
            return None
        state = self.experiment.state() if self.experiment else {}
        return LessonPlace(self.lesson.id, self.number, self.answer_given, state, self.context.mine)

    def restore(self, place: LessonPlace) -> None:
        """Come back to a place."""
        lesson = next((lesson for lesson in self.lessons if lesson.id == place.id), None)
        if lesson is None:
            text = f"There is no lesson “{place.id}” here; open its file, then try again."
            self._fail("The lesson was not opened", UserError(text))
            return
        step = min(place.step, len(lesson.steps) - 1)
        self._remember(self.progress.answered(lesson, step, place.answer))
        self.open(lesson.id, step)
        self.context.use_mine(place.mine)
        self._set(dict(place.settings))

    def open_file(self, path: Path) -> None:
        """Begin a lesson that is not bundled, once it has been read."""
        self._reading.run(lambda _: read_lesson(path), self._take)

    def _take(self, lesson: Lesson) -> None:
        before = {known.id: known for known in self.lessons}
        self._lessons = before | {lesson.id: lesson}
        self.open(lesson.id)
        self.listed.emit()

    def go(self, number: int) -> None:
        """Go to a step, of those there are the nearest."""
        if self.lesson is None:
            return
        self.number = min(max(number, 0), len(self.lesson.steps) - 1)
        self._remember(self.progress.at(self.lesson, self.number))
        step, answer = self.lesson.steps[self.number], self.answer_given
        self._set(self.lesson.settings(self.number) | (step.settings_after if answer else {}))
        self.step_changed.emit(step)
        if answer:
            self.answered.emit(answer)

    def next(self) -> None:
        """Go to the next step, after the last to the next lesson."""
        if self.lesson is not None and self.number + 1 < len(self.lesson.steps):
            self.go(self.number + 1)
        else:
            self._turn(1, 0)

    def back(self) -> None:
        """Go to the step before, from the first to the end of the lesson before."""
        if self.number > 0:
            self.go(self.number - 1)
        else:
            self._turn(-1, -1)

    def answer(self, chosen: Answer) -> None:
        """Answer the question of the step; () is to try again."""
        step = self.step
        if self.lesson is None or step is None or step.question is None:
            return
        self._remember(self.progress.answered(self.lesson, self.number, chosen))
        after = step.settings_after
        if after:
            self._set(after if chosen else self.lesson.settings(self.number))
        self.answered.emit(chosen)
        self.values_changed.emit(self.values)

    def as_file(self) -> str:
        """The lesson as it stands, as the text of a lesson file: the present step set as it is now.

        For teachers, who set an experiment up by hand and give the file away.
        """
        if self.lesson is None:
            return ""
        state = self.experiment.state() if self.experiment else {}
        return with_state(self.lesson, self.number, state)

    def _list(self, lessons: tuple[Lesson, ...]) -> None:
        if not self._lessons:
            self._lessons = {lesson.id: lesson for lesson in lessons}
            self.listed.emit()

    def _turn(self, by: int, step: int) -> None:
        """Go to a lesson after or before this one, if there is one, at a step of it."""
        if self.lesson is None:
            return
        ids = list(self._lessons)
        at = ids.index(self.lesson.id) + by
        if 0 <= at < len(ids):
            self.open(ids[at], range(len(self._lessons[ids[at]].steps))[step])

    def _set(self, state: dict[str, Any]) -> None:
        if self.experiment:
            try:
                self.experiment.set_state(state)
            except UserError as error:
                self._fail("The step cannot be set up", error)

    def _remember(self, progress: Progress) -> None:
        if progress != self.progress:
            self._settings.change(replace(self._settings.now, course=progress))
            self.listed.emit()

    def _on_values(self, values: dict[str, float | str]) -> None:
        if self.experiment and values is self.experiment.values:
            self.values_changed.emit(self.values)
