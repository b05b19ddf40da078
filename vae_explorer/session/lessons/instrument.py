"""What every instrument of a lesson is, without pixels."""

from collections.abc import Collection, Mapping
from typing import Any

from psygnal import Signal

from vae_explorer.lessons.course import LessonError
from vae_explorer.session.lessons.workbench import Workbench


def refuse_unknown(state: Mapping[str, Any], known: Collection[str]) -> None:
    """Let a lesson set no more than there is.

    Raises:
        LessonError: ``state`` has other keys than the ``known`` ones.
    """
    unknown = sorted(state.keys() - set(known))
    if unknown:
        raise LessonError(f"The instrument knows no {', '.join(unknown)}.")


class Instrument:
    """Holds what a person sets and what comes of it. All methods belong to the main thread.

    An instrument computes only while it is shown: between ``show`` and ``hide``.
    """

    values_changed = Signal(dict)
    """The live value of each symbol of the lesson: a float, or a text where one is not enough."""

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self.values: dict[str, float | str] = {}

    def show(self) -> None:
        """Begin to compute; called as the instrument comes to the front."""

    def hide(self) -> None:
        """Leave off computing and animating."""

    def state(self) -> dict[str, Any]:
        """What a person set, as TOML can hold it."""
        return {}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Set what is named, and leave the rest as it is.

        Raises:
            LessonError: a key is unknown or a value cannot be.
        """

    def data(self) -> dict[str, Any]:
        """The numbers that its figure shows now, by name: what the lesson's code reproduces."""
        return {}

    def tell(self, **values: float | str) -> None:
        """Say what some symbols are now."""
        self.values = self.values | values
        self.values_changed.emit(self.values)
