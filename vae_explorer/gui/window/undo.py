"""Taking edits back, and making them again."""

from collections.abc import Callable
from dataclasses import replace

from psygnal import Signal
from PySide6.QtCore import QObject
from PySide6.QtGui import QUndoCommand, QUndoStack
from typing_extensions import override

from vae_explorer.session.edits import Edit

MOST_EDITS = 100
"""Edits kept; each holds a state before and one after it."""


class Undo:
    """The edits of a window in their order."""

    changed = Signal()
    """There are others to undo or redo."""

    def __init__(self, parent: QObject | None = None) -> None:
        self._restoring = False
        self._stack = QUndoStack(parent)  # whose end is that of the stack and its commands
        self._stack.setUndoLimit(MOST_EDITS)

    @property
    def can_undo(self) -> bool:
        """Whether there is an edit to take back."""
        return self._stack.canUndo()

    @property
    def can_redo(self) -> bool:
        """Whether there is one to make again."""
        return self._stack.canRedo()

    @property
    def undo_text(self) -> str:
        """What ``undo`` takes back, "" if nothing."""
        return self._stack.undoText()

    @property
    def redo_text(self) -> str:
        """What ``redo`` makes again, "" if nothing."""
        return self._stack.redoText()

    def push(self, edit: Edit) -> None:
        """Take note of an edit; those told while another is undone or redone belong to that.

        One of the same ``merge`` as the edit before it becomes one with that, unless something was
        undone in between.
        """
        if self._restoring:
            return
        newest = self._stack.index() - 1
        last = self._stack.command(newest) if newest == self._stack.count() - 1 else None
        # Merged here and not by Qt, as PySide never frees a command that Qt has merged: a scrub
        # would leave one behind for every move of the pointer.
        if not (isinstance(last, _Command) and last.takes_over(edit)):
            self._stack.push(_Command(edit))
            self.changed.emit()

    def undo(self) -> None:
        """Take the last edit back, if there is one."""
        self._restore(self._stack.undo)

    def redo(self) -> None:
        """Make the edit again that was taken back last, if there is one."""
        self._restore(self._stack.redo)

    def clear(self) -> None:
        """Forget all edits, as when what they changed is gone."""
        self._stack.clear()
        self.changed.emit()

    def _restore(self, step: Callable[[], None]) -> None:
        before, self._restoring = self._stack.index(), True
        try:
            step()
        finally:
            self._restoring = False
            if self._stack.index() != before:
                self.changed.emit()


class _Command(QUndoCommand):
    def __init__(self, edit: Edit) -> None:
        super().__init__(edit.text)
        self._edit = edit
        self._pushed = False

    def takes_over(self, edit: Edit) -> bool:
        """Go on to where ``edit`` ends, if it goes on with this one."""
        if not edit.merge or edit.merge != self._edit.merge:
            return False
        self._edit = replace(self._edit, redo=edit.redo)
        return True

    @override
    def undo(self) -> None:
        self._edit.undo()

    @override
    def redo(self) -> None:
        # Qt calls this for a push too, when the edit is made already.
        if self._pushed:
            self._edit.redo()
        self._pushed = True
