"""What the lessons say of numbers: a table to be filled, and what its rows need."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from vae_explorer.data.bundled import mnist
from vae_explorer.latent.normal import Normal
from vae_explorer.lessons import (
    sampling,
)
from vae_explorer.lessons.bound import bound
from vae_explorer.lessons.course import Lesson, Question, bundled_lessons
from vae_explorer.lessons.sampling import Samples, Truth
from vae_explorer.model.trained import TrainedVAE

LESSONS = {lesson.id[0]: lesson for lesson in bundled_lessons()}


@dataclass(eq=False)
class Known:
    """What several statements are about, each found once."""

    model: TrainedVAE
    _kept: dict[object, object] = field(default_factory=dict)

    def once(self, key: object, find: Callable[[], object]) -> object:
        """What ``find`` finds, under a key."""
        if key not in self._kept:
            self._kept[key] = find()
        return self._kept[key]

    def truth(self, step: str) -> Truth:
        """Of the digit of a step."""
        image = digit(step)
        images = mnist("train").images[image : image + 1]
        found = self.once(image, lambda: sampling.truth(self.model, images, image))
        assert isinstance(found, Truth)
        return found

    def samples(self, step: str, q: str) -> Samples:
        """As many as a step has, by the seeds of its figure."""
        known, state = self.truth(step), LESSONS[step[0]].settings(int(step[2]) - 1)
        seed = int(step[0] == "3" and q != "prior")
        count = state["samples"]

        def find() -> Samples:
            return sampling.draw(self.model, known.x, known.proposal(q), count, seed)

        found = self.once((digit(step), q, count, seed), find)
        assert isinstance(found, Samples)
        return found

    def kl(self, step: str, q: Normal) -> float:
        """KL(q ‖ p(z|x)) of the digit of a step, nats."""
        truth = self.truth(step)
        return bound(self.model, truth.x, q, truth.log_marginal, 40_000).kl_posterior


def digit(step: str) -> int:
    """The number of the training digit that a step is about."""
    number = LESSONS[step[0]].settings(int(step[2]) - 1)["image"]
    assert isinstance(number, int)
    return number


def words_of(lesson: Lesson, number: int) -> str:
    """All that one reads in a step, but formulas, code and wrong answers."""
    parts: list[str] = []
    for block in lesson.steps[number].blocks:
        if isinstance(block, str):
            parts.append(block)
        elif isinstance(block, Question):
            answers = zip(block.choices, block.right, strict=True)
            right = [choice for choice, is_right in answers if is_right]
            parts += [block.text, *right, block.reveal]
    return " ".join(" ".join(parts).split())


Check = Callable[[Known], None]
STATEMENTS: list[tuple[str, str, Check, bool]] = []


def says(step: str, *words: str, long: bool = False) -> Callable[[Check], Check]:
    """A step says so, and this is how it is computed."""

    def note(check: Check) -> Check:
        STATEMENTS.extend((step, one, check, long) for one in words)
        return check

    return note


def near(value: float, *, to: float, within: float) -> None:
    assert value == pytest.approx(to, abs=within)
