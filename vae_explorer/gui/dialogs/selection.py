"""Dialogs that ask which image to find, which neighbours to select, how to name a selection."""

from collections.abc import Collection, Mapping

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QSpinBox,
    QWidget,
)

_MOST_NEIGHBOURS = 999


class _Dialog(QDialog):
    """A form with a button that accepts it, which Enter presses, and one that cancels."""

    def __init__(self, title: str, verb: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.form = QFormLayout(self)
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.go = self._buttons.addButton(verb, QDialogButtonBox.ButtonRole.AcceptRole)
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)

    def finish_form(self) -> None:
        """Add the buttons under the lines a subclass added."""
        self.form.addRow(self._buttons)


class FindImageDialog(_Dialog):
    """Asks for one image of the data.

    Args:
        totals: the number of images of each split, at least one.
        split: the one to start with.
        parent: the window.
    """

    find_requested = Signal(str, int)
    """A split, and an index into it."""

    def __init__(self, totals: Mapping[str, int], split: str, parent: QWidget) -> None:
        super().__init__("Find Image", "Find", parent)
        self._totals = totals
        self._index = QSpinBox()
        self._split = QComboBox()
        for name, total in totals.items():
            self._split.addItem(f"{name} ({total:,} images)", name)
        self._split.currentIndexChanged.connect(self._on_split)
        self._split.setCurrentIndex(self._split.findData(split))
        self._on_split()
        self._index.setGroupSeparatorShown(True)
        self.form.addRow("Index", self._index)
        self.form.addRow("Images", self._split)
        self.finish_form()
        self._index.selectAll()
        self.accepted.connect(self._on_accepted)

    @Slot()
    def _on_split(self) -> None:
        self._index.setRange(0, self._totals[self._split.currentData()] - 1)

    @Slot()
    def _on_accepted(self) -> None:
        self.find_requested.emit(self._split.currentData(), self._index.value())


class NearestImagesDialog(_Dialog):
    """Asks how many neighbours to select, and nearest in what."""

    nearest_requested = Signal(int, str)
    """How many, and "latent" or "image"."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("Nearest Images", "Select", parent)
        self._count = QSpinBox()
        self._count.setRange(1, _MOST_NEIGHBOURS)
        self._count.setValue(20)
        self._space = QComboBox()
        self._space.addItem("Latent space (distance of codes)", "latent")
        self._space.addItem("Image space (distance of pixels)", "image")
        self.form.addRow("Images", self._count)
        self.form.addRow("Nearest in", self._space)
        self.finish_form()
        self._count.selectAll()
        self.accepted.connect(self._on_accepted)

    @Slot()
    def _on_accepted(self) -> None:
        self.nearest_requested.emit(self._count.value(), self._space.currentData())


class NameDialog(_Dialog):
    """Asks for a name, and says so when it is one of ``taken``."""

    name_chosen = Signal(str)

    def __init__(self, title: str, taken: Collection[str], parent: QWidget) -> None:
        super().__init__(title, "Save", parent)
        self._taken = taken
        self._name = QLineEdit()
        self._name.setMinimumWidth(240)
        self._name.setMaxLength(80)
        self._note = QLabel()
        self._name.textChanged.connect(self._on_typed)
        self.form.addRow("Name", self._name)
        self.form.addRow(self._note)
        self.finish_form()
        self._on_typed()
        self.accepted.connect(self._on_accepted)

    @property
    def _typed(self) -> str:
        return self._name.text().strip()

    @Slot()
    def _on_typed(self) -> None:
        self.go.setEnabled(bool(self._typed))
        self._note.setText("Replaces the one of this name." if self._typed in self._taken else "")

    @Slot()
    def _on_accepted(self) -> None:
        self.name_chosen.emit(self._typed)
