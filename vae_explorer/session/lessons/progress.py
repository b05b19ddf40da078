"""How far a person has come in the lessons."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from vae_explorer.lessons.course import Lesson

Answer = tuple[bool, ...]
"""The choices made, (k,); () for none."""


@dataclass(frozen=True)
class Progress:
    """The ``lesson`` and ``step``, from 0, where one is, and the ``answers`` of the steps seen.

    These are by lesson and by number and title of the step: one that is another in a newer version
    counts as new. A step without a question has the answer ().
    """

    lesson: str = ""
    step: int = 0
    answers: Mapping[str, Mapping[str, Answer]] = field(default_factory=dict)

    def answer(self, lesson: Lesson, number: int) -> Answer:
        """What was answered to the question of a step; () if nothing was."""
        question = lesson.steps[number].question
        found = self.answers.get(lesson.id, {}).get(_key(lesson, number), ())
        return found if question and len(found) == len(question.choices) else ()

    def done(self, lesson: Lesson) -> bool:
        """Whether all its steps were seen and all its questions answered."""
        seen = self.answers.get(lesson.id, {})
        return all(
            _key(lesson, number) in seen and (not step.question or self.answer(lesson, number))
            for number, step in enumerate(lesson.steps)
        )

    def at(self, lesson: Lesson, number: int) -> Self:
        """With a step seen, where one is now."""
        here = replace(self, lesson=lesson.id, step=number)
        return here.answered(lesson, number, self.answer(lesson, number))

    def answered(self, lesson: Lesson, number: int, answer: Answer) -> Self:
        """With another answer."""
        seen = {**self.answers.get(lesson.id, {}), _key(lesson, number): answer}
        return replace(self, answers={**self.answers, lesson.id: seen})


def _key(lesson: Lesson, number: int) -> str:
    return f"{number + 1} {lesson.steps[number].title}"
