"""What a person did and may take back."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from psygnal import Signal


@dataclass(frozen=True)
class Edit:
    """A change of state, already made when it is published.

    ``text`` follows "Undo" in a menu. ``undo`` and ``redo`` bring back the state before and after
    it; neither publishes an edit. Edits made one after another with the same ``merge``, unless it
    is "", are one to a person: the first's ``undo`` and the last's ``redo``.
    """

    text: str
    undo: Callable[[], None]
    redo: Callable[[], None]
    merge: str = ""


class Edits:
    """The edits of all parts, in their order. Main thread only."""

    made = Signal(Edit)

    def __init__(self) -> None:
        self._gathered: list[Edit] | None = None

    def add(self, edit: Edit) -> None:
        """Publish an edit, or gather it for the one that is being made."""
        if self._gathered is None:
            self.made.emit(edit)
        else:
            self._gathered.append(edit)

    @contextmanager
    def as_one(self) -> Iterator[None]:
        """Publish the edits made within as one, by the name of the first."""
        self._gathered = []
        try:
            yield
        finally:
            edits, self._gathered = self._gathered, None
            if edits:
                self.made.emit(_joined(edits))


def _joined(edits: Sequence[Edit]) -> Edit:
    def undo() -> None:
        for edit in reversed(edits):
            edit.undo()

    def redo() -> None:
        for edit in edits:
            edit.redo()

    return Edit(edits[0].text, undo, redo)
