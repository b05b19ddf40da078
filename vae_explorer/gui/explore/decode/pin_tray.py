"""The tray: every pinned image as a small picture."""

from PySide6.QtCore import (
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QSignalBlocker,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QPainter, QPalette, QPen, QPixmap
from PySide6.QtWidgets import (
    QListView,
    QListWidget,
    QListWidgetItem,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)
from typing_extensions import override

from vae_explorer.gui.explore.decode.image import qimage_of
from vae_explorer.session.explore.pins import DataPoint

_SIDE = 36  # pixels of a picture
_ROOM = 6  # around it


class PinTray(QListWidget):
    """One row of pinned images that scrolls sideways.

    Signals; an image by its split and index:
        chosen: a person looks at it.
        removed: a person takes it out, by Delete.
    """

    chosen = Signal(str, int)
    removed = Signal(str, int)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Pinned images")
        self.setToolTip("Pinned images; Ctrl-click on the map adds one, Delete takes one out")
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(False)
        self.setMovement(QListView.Movement.Static)
        self.setItemDelegate(_PictureDelegate(self))
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # Qt wants 256 pixels, more than all else in the panel.
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        policy.setRetainSizeWhenHidden(True)
        self.setSizePolicy(policy)
        bar = self.horizontalScrollBar().sizeHint().height()
        self.setFixedHeight(_SIDE + _ROOM + bar + 2 * self.frameWidth())
        self.currentItemChanged.connect(self._on_current)
        self.hide()

    def set_pins(self, pins: tuple[DataPoint, ...], current: DataPoint | None) -> None:
        """Show these images, ``current`` as the one looked at."""
        self.setVisible(bool(pins))
        with QSignalBlocker(self):
            names = [self.item(row).data(Qt.ItemDataRole.UserRole) for row in range(self.count())]
            if names != [(pin.split, pin.index) for pin in pins]:
                self._fill(pins)
            rows = [row for row, pin in enumerate(pins) if pin is current]
            self.setCurrentRow(rows[0] if rows else -1)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        item = self.currentItem()
        if item is not None and event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.removed.emit(*item.data(Qt.ItemDataRole.UserRole))
        else:
            super().keyPressEvent(event)

    def _fill(self, pins: tuple[DataPoint, ...]) -> None:
        self.clear()
        for pin in pins:
            item = QListWidgetItem()
            item.setData(Qt.ItemDataRole.DecorationRole, QPixmap.fromImage(qimage_of(pin.original)))
            item.setData(Qt.ItemDataRole.UserRole, (pin.split, pin.index))
            item.setToolTip(pin.name)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, pin.name)
            self.addItem(item)

    def _on_current(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.chosen.emit(*item.data(Qt.ItemDataRole.UserRole))


class _PictureDelegate(QStyledItemDelegate):
    """A picture, framed if it is the current one: a tint over it would hide what it shows."""

    @override
    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        box: QRect = option.rect
        side = _ROOM // 2
        picture: QPixmap = index.data(Qt.ItemDataRole.DecorationRole)
        painter.drawPixmap(box.adjusted(side, side, -side, -side), picture)
        if option.state & QStyle.StateFlag.State_Selected:
            color = option.palette.color(QPalette.ColorRole.Highlight)
            painter.setPen(QPen(color, 2))
            painter.drawRect(box.adjusted(1, 1, -2, -2))

    @override
    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return QSize(_SIDE + _ROOM, _SIDE + _ROOM)
