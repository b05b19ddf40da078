"""Lowest ELBO first: images by what the model makes of them."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import (
    QAbstractListModel,
    QItemSelection,
    QModelIndex,
    QPersistentModelIndex,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QListView, QSizePolicy, QWidget
from typing_extensions import override

from vae_explorer.gui.explore.decode.image import qimage_of
from vae_explorer.gui.widgets.empty_state import EmptyState
from vae_explorer.number_format import figure
from vae_explorer.training.meaning import Remark, explained, named
from vae_explorer.types import OneSplit, UInt8

Row = tuple[OneSplit, int, str, float]
"""Split, index in it, the name of its class if it has one, and ELBO in nats."""

_ABOUT = "The images that the model explains worst, the lowest ELBO first."
_SIDE = 32  # pixels of a picture
_BATCH = 2_000  # rows laid out at a time
_NOWHERE = QModelIndex()


class LowestElboList(QListView):
    """A row an image, in the order given; only rows in sight cost anything.

    Args:
        thumbnail: gives image (h, w) of a split by its index.
        parent: as of any widget.

    Signals; an image by its split and index:
        chosen: a person looks at it, by a click or the arrow keys.
        asked: a person wants the images ranked.
    """

    chosen = Signal(str, int)
    asked = Signal()

    def __init__(
        self, thumbnail: Callable[[OneSplit, int], UInt8], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setAccessibleName("Lowest ELBO first")
        self.set_remark(None)
        self.setUniformItemSizes(True)
        # Laying out all images at once would be felt.
        self.setLayoutMode(QListView.LayoutMode.Batched)
        self.setBatchSize(_BATCH)
        self.setIconSize(QSize(_SIDE, _SIDE))
        # Qt wants 256 pixels, and the dock may be narrower.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        self._rows = _Rows(thumbnail, self)
        self.setModel(self._rows)
        self._empty = EmptyState(over=self)
        self._empty.asked.connect(self.asked)
        self.set_progress("")

    def set_remark(self, remark: Remark | None) -> None:
        """Say what the figures are if they are no likelihood."""
        tip = f"Images by their {named('ELBO', remark)}; choosing one pins it"
        self.setToolTip(explained(tip, remark))

    def set_progress(self, text: str) -> None:
        """Say how far the ranking is that was asked for; with "" offer one."""
        if text:
            self._empty.say(text, mood="busy")
        else:
            self._empty.say(_ABOUT, "Rank the Images")

    def set_images(self, rows: Sequence[Row]) -> None:
        """Show these images, the worst first."""
        self._rows.set_rows(rows)
        self._empty.setHidden(bool(rows))

    @override
    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        super().selectionChanged(selected, deselected)
        for index in selected.indexes():
            self.chosen.emit(*index.data(Qt.ItemDataRole.UserRole))


class _Rows(QAbstractListModel):
    """What is shown of each image, made when it is asked for."""

    def __init__(self, thumbnail: Callable[[OneSplit, int], UInt8], parent: QWidget) -> None:
        super().__init__(parent)
        self._thumbnail = thumbnail
        self._rows: Sequence[Row] = ()

    def set_rows(self, rows: Sequence[Row]) -> None:
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    @override
    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._rows)

    @override
    def data(
        self,
        index: QModelIndex | QPersistentModelIndex,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> object:
        split, position, name, elbo = self._rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                image = f"#{position:,} {split} · {figure(elbo, 1)} nats"
                return f"{name} · {image}" if name else image
            case Qt.ItemDataRole.DecorationRole:
                return QPixmap.fromImage(qimage_of(self._thumbnail(split, position)))
            case Qt.ItemDataRole.UserRole:
                return split, position
        return None
