"""What a person did and may take back."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Edit:
    """A change of state, already made when it is told.

    ``text`` follows "Undo" in a menu. ``undo`` and ``redo`` bring back the state before and after
    it; neither tells an edit.
    """

    text: str
    undo: Callable[[], None]
    redo: Callable[[], None]
