"""What a person did and may take back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Edit:
    """A change of state, already made when it is told.

    ``text`` follows "Undo" in a menu. ``undo`` and ``redo`` bring back the state before and after
    it; neither tells an edit. Edits told one after another with the same ``merge``, unless it is
    "", are one to a person: the first's ``undo`` and the last's ``redo``.
    """

    text: str
    undo: Callable[[], None]
    redo: Callable[[], None]
    merge: str = ""


def joined(edits: Sequence[Edit]) -> Edit:
    """Several edits, made one after another, as one that goes by the name of the first."""

    def undo() -> None:
        for edit in reversed(edits):
            edit.undo()

    def redo() -> None:
        for edit in edits:
            edit.redo()

    return Edit(edits[0].text, undo, redo)
