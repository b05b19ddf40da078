"""Dialogs that ask which image to find, which neighbours to select, how to name a selection."""

from collections.abc import Collection, Mapping

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QWidget
from typing_extensions import override

from vae_explorer.gui.dialogs.form import FormDialog
from vae_explorer.gui.widgets.number_box import NumberBox

_MOST_NEIGHBOURS = 999


class FindImageDialog(FormDialog):
    """Asks for one image of the data: a split, and an index into it.

    Args:
        totals: the number of images of each split, at least one.
        split: the one to start with.
        parent: the window.
    """

    def __init__(self, totals: Mapping[str, int], split: str, parent: QWidget) -> None:
        super().__init__("Find Image", "Find", parent)
        self._totals = totals
        self._index = NumberBox(0, 0, whole=True, even=True)
        self._split = QComboBox()
        for name, total in totals.items():
            self._split.addItem(f"{name} ({total:,} images)", name)
        self._split.currentIndexChanged.connect(self._on_split)
        self._split.setCurrentIndex(self._split.findData(split))
        self._on_split()
        self.lay_out({"Index": self._index, "Images": self._split})
        self._index.selectAll()

    @override
    def values(self) -> tuple[str, int]:
        return self._split.currentData(), round(self._index.value())

    @Slot()
    def _on_split(self) -> None:
        self._index.setRange(0, self._totals[self._split.currentData()] - 1)


class NearestImagesDialog(FormDialog):
    """Asks how many neighbours to select, and whether nearest by "latent" or by "image"."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("Nearest Images", "Select", parent)
        self._count = NumberBox(1, _MOST_NEIGHBOURS, value=20, whole=True, even=True)
        self._space = QComboBox()
        self._space.addItem("Latent space (distance of codes)", "latent")
        self._space.addItem("Image space (distance of pixels)", "image")
        self.lay_out({"Images": self._count, "Nearest in": self._space})
        self._count.selectAll()

    @override
    def values(self) -> tuple[int, str]:
        return round(self._count.value()), self._space.currentData()


class NameDialog(FormDialog):
    """Asks for a name, and says so when it is one of ``taken``, or that in other letters.

    ``file`` says that a name is that of a file, of which some disks do not tell letters apart.
    """

    def __init__(
        self, title: str, taken: Collection[str], parent: QWidget, *, file: bool = False
    ) -> None:
        super().__init__(title, "Save", parent)
        self._as = str.casefold if file else str
        self._taken = {self._as(name): name for name in taken}
        self._name = QLineEdit()
        self._name.setMinimumWidth(240)
        self._name.setMaxLength(80)
        self._note = QLabel()
        self._name.textChanged.connect(self._on_typed)
        self.lay_out({"Name": self._name}, self._note)
        self._on_typed()

    @override
    def values(self) -> tuple[str]:
        return (self._name.text().strip(),)

    @Slot()
    def _on_typed(self) -> None:
        (name,) = self.values()
        self.go.setEnabled(bool(name))
        old = self._taken.get(self._as(name))
        said = {None: "", name: "Replaces the one with this name."}
        self._note.setText(said.get(old, f"Replaces “{old}”."))
