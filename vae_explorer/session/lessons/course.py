"""Working through lessons: which one, which step, what was answered."""

from pathlib import Path

from psygnal import Signal

from vae_explorer.errors import UserError
from vae_explorer.lessons.course import FormulaPart as FormulaPart
from vae_explorer.lessons.course import Lesson as Lesson
from vae_explorer.lessons.course import Question as Question
from vae_explorer.lessons.course import Step as Step
from vae_explorer.lessons.course import bundled_lessons, read_lesson, with_state
from vae_explorer.session.jobs import Tasks
from vae_explorer.session.lessons.instrument import Instrument
from vae_explorer.session.lessons.registry import make_instrument
from vae_explorer.session.lessons.workbench import Workbench


class Learning:
    """The lessons and the place in them. All methods belong to the main thread.

    Args:
        bench: what the instruments work with.
        tasks: where lesson files are read, and what shows failures.
    """

    opened = Signal(Lesson)
    """Another lesson, whose ``instrument`` is ready; its first step follows."""
    step_changed = Signal(Step)
    """Another step; the instrument is in its state."""
    answered = Signal(tuple)
    """The choices made for the question of the step, (k,) of bool; told again on coming back."""
    values_changed = Signal(dict)
    """The live values of the lesson's symbols."""

    def __init__(self, bench: Workbench, tasks: Tasks) -> None:
        self.bench = bench
        self._fail = tasks.fail
        self._reading = tasks.newest("lesson file", "The lesson was not opened")
        self._lessons: dict[str, Lesson] = {}
        self._instruments: dict[str, Instrument] = {}
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
    def instrument(self) -> Instrument | None:
        """Of the lesson; None if it uses the map."""
        return self._instruments.get(self.lesson.instrument) if self.lesson else None

    def show(self) -> None:
        """Come back to the lesson, or begin the first one."""
        self.shown = True
        if self.lesson is None and self.lessons:
            self.open(self.lessons[0].id)
        elif self.instrument:
            self.instrument.show()

    def hide(self) -> None:
        """Let the instrument rest while something else is shown."""
        self.shown = False
        if self.instrument:
            self.instrument.hide()

    def open(self, lesson_id: str, number: int = 0) -> None:
        """Begin a lesson, at a step."""
        lesson = self._lessons[lesson_id]
        try:
            if lesson.instrument and lesson.instrument not in self._instruments:
                made = make_instrument(lesson.instrument, self.bench)
                made.values_changed.connect(self._on_values)
                self._instruments[lesson.instrument] = made
        except UserError as error:
            self._fail("The lesson was not opened", error)
            return
        if self.instrument:
            self.instrument.hide()
        self.lesson, self.number = lesson, 0
        self.opened.emit(lesson)
        if self.instrument and self.shown:
            self.instrument.show()
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
        if self.instrument:
            try:
                state = {key: value for key, value in step.state.items() if key != "hide"}
                self.instrument.set_state(state)
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

        For teachers, who set an instrument up by hand and give the file away.
        """
        if self.lesson is None:
            return ""
        state = self.instrument.state() if self.instrument else {}
        return with_state(self.lesson, self.number, state)

    def _on_values(self, values: dict[str, float | str]) -> None:
        if self.instrument and values is self.instrument.values:
            self.values_changed.emit(values)
