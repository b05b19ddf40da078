"""Working through lessons: which one, which step, what was answered."""

from pathlib import Path

from psygnal import Signal

from vae_explorer.errors import UserError
from vae_explorer.lessons.course import Lesson, Step, bundled_lessons, read_lesson, with_state
from vae_explorer.session.lessons.context import LessonContext
from vae_explorer.session.lessons.experiment import AnyExperiment, make_experiment
from vae_explorer.session.tasks import Tasks


class Learning:
    """The lessons and the position in them. All methods belong to the main thread.

    Args:
        context: what the experiments work with.
        tasks: where lesson files are read, and what shows failures.
    """

    opened = Signal(Lesson)
    """Another lesson, whose ``experiment`` is ready; its first step follows."""
    step_changed = Signal(Step)
    """Another step; the experiment is in its state."""
    answered = Signal(tuple)
    """The choices made for the question of the step, (k,) of bool; sent again on coming back."""
    values_changed = Signal(dict)
    """The live values of the lesson's symbols."""

    def __init__(self, context: LessonContext, tasks: Tasks) -> None:
        self.context = context
        self._fail = tasks.fail
        self._reading = tasks.newest("lesson file", "The lesson was not opened")
        self._lessons: dict[str, Lesson] = {}
        self._experiments: dict[str, AnyExperiment] = {}
        self._answers: dict[tuple[str, int], tuple[bool, ...]] = {}
        self.lesson: Lesson | None = None
        self.number = 0
        """Of the step, from 0."""
        self.shown = False

    @property
    def lessons(self) -> tuple[Lesson, ...]:
        """All lessons there are, the bundled ones first; read when first asked for."""
        if not self._lessons:
            try:
                self._lessons = {lesson.id: lesson for lesson in bundled_lessons()}
            except UserError as error:
                self._fail("The lessons cannot be read", error)
        return tuple(self._lessons.values())

    @property
    def step(self) -> Step | None:
        """The step that is shown."""
        return self.lesson.steps[self.number] if self.lesson else None

    @property
    def experiment(self) -> AnyExperiment | None:
        """Of the lesson; None if it uses the map."""
        return self._experiments.get(self.lesson.instrument) if self.lesson else None

    def show(self) -> None:
        """Come back to the lesson, or begin the first one."""
        self.shown = True
        if self.lesson is None and self.lessons:
            self.open(self.lessons[0].id)
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

    def open_file(self, path: Path) -> None:
        """Begin a lesson that is not bundled, once it has been read."""
        self._reading.run(lambda _: read_lesson(path), self._take)

    def _take(self, lesson: Lesson) -> None:
        before = {known.id: known for known in self.lessons}
        self._lessons = before | {lesson.id: lesson}
        self.open(lesson.id)

    def go(self, number: int) -> None:
        """Go to a step, of those there are the nearest."""
        if self.lesson is None:
            return
        self.number = min(max(number, 0), len(self.lesson.steps) - 1)
        step = self.lesson.steps[self.number]
        if self.experiment:
            try:
                state = {key: value for key, value in step.state.items() if key != "hide"}
                self.experiment.set_state(state)
            except UserError as error:
                self._fail("The step cannot be set up", error)
        self.step_changed.emit(step)
        answer = self._answers.get((self.lesson.id, self.number))
        if answer:
            self.answered.emit(answer)

    def answer(self, chosen: tuple[bool, ...]) -> None:
        """Answer the question of the step."""
        if self.lesson is not None:
            self._answers[self.lesson.id, self.number] = chosen
            self.answered.emit(chosen)

    def as_file(self) -> str:
        """The lesson as it stands, as the text of a lesson file: the present step set as it is now.

        For teachers, who set an experiment up by hand and give the file away.
        """
        if self.lesson is None:
            return ""
        state = self.experiment.state() if self.experiment else {}
        return with_state(self.lesson, self.number, state)

    def _on_values(self, values: dict[str, float | str]) -> None:
        if self.experiment and values is self.experiment.values:
            self.values_changed.emit(values)
