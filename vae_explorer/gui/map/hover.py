"""The point under the pointer: its ring, and the card beside it."""

from PySide6.QtCore import QObject, QTimer, Signal

from vae_explorer.gui.map.canvas import MapCanvas
from vae_explorer.gui.map.cloud import PointCloud
from vae_explorer.gui.map.markers import Markers
from vae_explorer.gui.map.picking import Picker
from vae_explorer.gui.map.point_tooltip import PointTooltip
from vae_explorer.session.map.point_index import PointIndex
from vae_explorer.session.map.state import MapPoints, class_name
from vae_explorer.types import UInt8

PICK_RADIUS = 14.0
"""Pixels from the pointer within which the nearest point is meant."""

CARD_DELAY_MS = 125


class Hover(QObject):
    """Which point is hovered; ``row`` is its index into the arrays of ``MapPoints``, or -1.

    Signals:
        changed: another one is, or none.
        dwelt: it has been for a while, and its card shows.
    """

    changed = Signal(int)
    dwelt = Signal(int)

    def __init__(self, canvas: MapCanvas, cloud: PointCloud, markers: Markers) -> None:
        super().__init__(canvas)
        self.row = -1
        self._canvas = canvas
        self._cloud = cloud
        self._markers = markers
        self._picker = Picker()
        self._card = PointTooltip(canvas)
        self._dwell = QTimer(self, singleShot=True, interval=CARD_DELAY_MS)
        self._dwell.timeout.connect(self._on_dwell)
        canvas.view_changed.connect(self._on_view)

    def set_index(self, index: PointIndex) -> None:
        """Pick with the help of an index of the positions."""
        self._picker.set_index(index)

    def pick(self, z1: float, z2: float) -> int:
        """The point at a position, or -1."""
        scale = self._canvas.pixels_per_unit()
        return self._picker.pick(self._cloud, (z1, z2), scale, PICK_RADIUS)

    def set_row(self, row: int, points: MapPoints | None) -> None:
        """Hover over this of the ``points``, or over none for -1."""
        if row == self.row:
            return
        self.forget()
        self.row = row
        if row != -1 and points is not None:
            split, number = points.origin(row)
            label = int(points.labels[row])
            name = class_name(points.data, label)
            self._card.set_point(label, f"{split} {number:,}", name)
            self._dwell.start()
        self.follow()
        self.changed.emit(row)

    def set_image(self, row: int, image: UInt8, caption: str) -> None:
        """Give the card of point ``row`` its (h, w) image; ignored once another is hovered."""
        if row == self.row != -1:
            self._card.set_picture(image, caption)
            if self._card.isVisible():
                self._show_card()

    def forget(self) -> None:
        """Hover over none, without a word."""
        self.row = -1
        self._hide_card()
        self._markers.set_hover_place(None)

    def follow(self) -> None:
        """Be where the point is now."""
        self._markers.set_hover_place(None if self.row == -1 else self._cloud.position(self.row))
        if self._card.isVisible():
            self._show_card()

    def _on_view(self) -> None:
        self._hide_card()
        if self.row != -1:
            self._dwell.start()

    def _on_dwell(self) -> None:
        self.dwelt.emit(self.row)
        self._show_card()  # above what that moves or raises

    def _show_card(self) -> None:
        place = None if self.row == -1 else self._cloud.position(self.row)
        if place is not None:
            self._card.show_beside(self._canvas.to_pixel(*place))

    def _hide_card(self) -> None:
        self._dwell.stop()
        self._card.hide()
