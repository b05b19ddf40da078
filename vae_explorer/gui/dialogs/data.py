"""A dialog that says what data were read, before they are trained on."""

from PySide6.QtWidgets import QLabel, QWidget
from typing_extensions import override

from vae_explorer.data.dataset import Dataset, size_text
from vae_explorer.gui.dialogs.form import FormDialog

_NAMED = 12  # classes that are listed


class DataDialog(FormDialog):
    """Asks whether to take a data set.

    Args:
        data: as it was read.
        parent: the window.
    """

    def __init__(self, data: Dataset, parent: QWidget) -> None:
        super().__init__(f"Open {data.name}", "Open", parent)
        self._data = data
        sizes, classes = data.sizes(), data.classes
        more = ", …" if len(classes) > _NAMED else ""
        named = f"{len(classes):,}: {', '.join(classes[:_NAMED])}{more}"
        texts = {
            "Images": f"{sizes['train']:,} to train on, {sizes['test']:,} to test on",
            "Size": f"{size_text(data.image_shape)} pixels",
            "Classes": named if classes else "none, the images have no labels",
        }
        note = QLabel(
            "The model on the map is shown on these images if it reads images of this size. "
            "Otherwise the map shows them as soon as you press Start."
        )
        note.setWordWrap(True)
        self.lay_out({name: QLabel(text) for name, text in texts.items()}, note)

    @override
    def values(self) -> tuple[Dataset]:
        return (self._data,)
