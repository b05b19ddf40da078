"""A dialog that is a form."""

from collections.abc import Callable, Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QWidget,
)
from typing_extensions import override

from vae_explorer.gui.widgets.number_box import NumberBox


class FormDialog(QDialog):
    """A form with a button that accepts it, which Enter presses, and one that cancels.

    Args:
        title: of the window.
        verb: what the button says.
        parent: the window it belongs to.
    """

    def __init__(self, title: str, verb: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self._done: Callable[..., object] | None = None
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.go = self._buttons.addButton(verb, QDialogButtonBox.ButtonRole.AcceptRole)
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)

    def lay_out(
        self, rows: Mapping[str, QWidget | QHBoxLayout], note: QLabel | None = None
    ) -> None:
        """Put the rows, each by its label, above a note and the buttons."""
        form = QFormLayout(self)
        for label, row in rows.items():
            form.addRow(label, row)
        if note is not None:
            form.addRow(note)
        form.addRow(self._buttons)

    def ask(self, done: Callable[..., object]) -> None:
        """Open it; ``done`` is given the ``values`` if it is accepted."""
        self._done = done
        self.open()

    def values(self) -> tuple[object, ...]:
        """What the form says now."""
        raise NotImplementedError

    def refuses(self) -> bool:
        """Whether something typed is no number that can be taken; the focus goes there."""
        for box in self.findChildren(NumberBox):
            if box.refusal:
                box.setFocus()
                return True
        return False

    @override
    def accept(self) -> None:
        if self.refuses():
            return
        super().accept()
        if self._done is not None:
            self._done(*self.values())
