"""Which digit an instrument is about: that of the bench, or a training image of its own choice."""

from dataclasses import dataclass

from vae_explorer.data import bundled
from vae_explorer.lessons.course import LessonError
from vae_explorer.session import state
from vae_explorer.session.lessons.workbench import Workbench
from vae_explorer.types import UInt8


@dataclass(frozen=True, eq=False)
class Digit:
    """``image`` (h, w) uint8 and the ``seed`` of its draw."""

    image: UInt8
    seed: int

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Digit)
            and self.seed == other.seed
            and self.image.tobytes() == other.image.tobytes()
        )

    def __hash__(self) -> int:
        return hash((self.seed, self.image.tobytes()))


class ChosenDigit:
    """``image`` is the training image's index, or −1 for the digit of the bench."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self.image = -1

    @property
    def current(self) -> Digit | None:
        """The digit, if there is one."""
        if self.image >= 0:
            return Digit(bundled.mnist("train").images[self.image], self.image)
        subject = self._bench.subject
        return Digit(subject.image, subject.seed) if subject else None

    def set_image(self, image: object) -> None:
        """Be about another digit.

        Raises:
            LessonError: there is no such image.
        """
        last = state.TRAINING_IMAGES - 1
        if isinstance(image, bool) or not isinstance(image, int) or not -1 <= image <= last:
            raise LessonError(
                f"image is a training image from 0 to {last:,}, or −1 for the chosen digit, "
                f"not {image!r}."
            )
        self.image = image


def whole(name: str, value: object) -> int:
    """A whole number that a lesson sets.

    Raises:
        LessonError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise LessonError(f"{name} is a whole number, not {value!r}.")
    return value
