"""The map as one widget: points under the hand, legend beside, an honest line below."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from vae_explorer.gui.map.canvas import MapCanvas
from vae_explorer.gui.map.cloud import PointCloud
from vae_explorer.gui.map.glyphs import class_places
from vae_explorer.gui.map.hover_card import HoverCard
from vae_explorer.gui.map.legend import Legend
from vae_explorer.gui.map.markers import Markers
from vae_explorer.gui.map.picking import Picker
from vae_explorer.gui.map.points_item import PointsItem
from vae_explorer.gui.theme import Theme
from vae_explorer.session.state import Float32, MapPoints

PICK_RADIUS = 14.0
"""Pixels from the pointer within which the nearest point is meant."""

CARD_DELAY_MS = 125


class MapView(QWidget):
    """Points of latent space to look at, to point at and to move over.

    Signals; places in latent units, an index is one into the arrays of ``MapPoints``, -1 none:
        hovered: (z1, z2) under the pointer, or None when it leaves; once a frame at most.
        point_hovered: the nearest point, whenever it becomes another one.
        clicked: place, and the point there.
        dragged: every place of a scrub.
        nudged: what an arrow key adds to the cursor.
        visible_labels_changed: frozenset of the labels a person wants to see.
        space_tapped: Space was pressed on the map, and not to pan.

    No ``set_…()`` emits any of them.
    """

    hovered = Signal(object)
    point_hovered = Signal(int)
    clicked = Signal(float, float, int)
    dragged = Signal(float, float)
    nudged = Signal(float, float)
    visible_labels_changed = Signal(object)
    space_tapped = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._points: MapPoints | None = None
        self._pinned = self._hit = -1
        self._class_places: dict[int, tuple[float, float]] = {}
        self._cloud = PointCloud()
        self._picker = Picker()
        self.canvas = MapCanvas(theme)
        self._item = PointsItem(self._cloud, self.canvas.view_box)
        self.canvas.add_item(self._item)
        self._markers = Markers(self.canvas, theme)
        self._empty = QLabel("Opening the map…", alignment=Qt.AlignmentFlag.AlignCenter)
        self.canvas.add_overlay(self._empty)
        self._card = HoverCard(self.canvas, theme)
        self._dwell = QTimer(self, singleShot=True, interval=CARD_DELAY_MS)
        self.legend = Legend(theme)
        self._status = QLabel()
        self._status.setAccessibleName("Points shown")
        self._status.setContentsMargins(10, 2, 10, 6)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 6, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.canvas, 0, 0)
        layout.addWidget(self.legend, 0, 1)
        layout.addWidget(self._status, 1, 0, 1, 2)
        self.setFocusProxy(self.canvas)
        self.setAutoFillBackground(True)
        self._connect()
        self.set_theme(theme)

    def _connect(self) -> None:
        canvas = self.canvas
        canvas.hovered.connect(self._on_hover)
        canvas.clicked.connect(self._on_click)
        canvas.double_clicked.connect(self._on_double_click)
        canvas.scrubbed.connect(self.dragged)
        canvas.nudged.connect(self.nudged)
        canvas.grabbed.connect(self._on_grab)
        canvas.fit_asked.connect(self.fit)
        canvas.space_tapped.connect(self.space_tapped)
        canvas.view_changed.connect(self._on_view)
        self.legend.visible_changed.connect(self._on_legend)
        self._dwell.timeout.connect(self._show_card)

    # Orders from above.

    def set_points(self, points: MapPoints, fit: bool = False) -> None:
        """Show other points; hover and pin are forgotten.

        The view is fitted to the first points ever, and when ``fit`` asks for it. Classes stay
        hidden when the new points have the same classes.

        Raises:
            ValueError: the arrays of ``points`` do not fit together.
        """
        numbers = np.bincount(points.labels).tolist()
        counts = {label: n for label, n in enumerate(numbers) if n}
        visible = self.legend.visible_labels()
        if frozenset(counts) != self.legend.labels():
            visible = frozenset(counts)
        self._cloud.set_points(points, visible)
        first = self._points is None
        self._points = points
        self._forget_hit()
        self.set_pinned(-1)
        with QSignalBlocker(self.legend):
            self.legend.set_counts(counts)
            self.legend.set_visible_labels(visible)
        self._empty.setText("No points to show")
        self._empty.setVisible(not len(self._cloud))
        if first or fit:
            self.fit()
        self._class_places = class_places(points.positions, points.labels)
        self._show_glyphs()
        self._points_changed()

    def set_positions(self, positions: Float32) -> None:
        """Move the same points to ``positions``, (n, 2) in latent units.

        Raises:
            ValueError: there are not as many as there are points.
        """
        self._cloud.set_positions(positions)
        self._place_rings()
        if self._card.isVisible():
            self._show_card()
        if self._points is not None:
            self._class_places = class_places(positions, self._points.labels)
            self._show_glyphs()
        self._points_changed()

    def set_cursor(self, z1: float, z2: float) -> None:
        """Move the crosshair."""
        self._markers.set_cursor_place((z1, z2))

    def set_pinned(self, index: int) -> None:
        """Ring the point ``index``, or none for -1."""
        self._pinned = index
        self._place_rings()

    def set_hover_image(self, index: int, image: NDArray[np.uint8], caption: str) -> None:
        """Give the card of point ``index`` its (h, w) image; ignored once another is hovered."""
        if index == self._hit != -1:
            self._card.set_picture(image, caption)
            if self._card.isVisible():
                self._show_card()

    def set_visible_labels(self, labels: frozenset[int]) -> None:
        """Show only points of these classes."""
        self.legend.set_visible_labels(labels)
        self._filter(self.legend.visible_labels())

    def set_theme(self, theme: Theme) -> None:
        """Recolour everything."""
        for part in (self.canvas, self._markers, self._card, self.legend):
            part.set_theme(theme)
        palette = self.palette()
        palette.setColor(palette.ColorRole.Window, QColor(theme.canvas))
        palette.setColor(palette.ColorRole.WindowText, QColor(theme.muted))
        self.setPalette(palette)

    def fit(self) -> None:
        """Show all points, hidden classes included, so that toggling a class moves nothing."""
        bounds = self._cloud.bounds()
        if bounds is not None:
            self.canvas.show_region(*bounds)

    # Intent from below.

    def _on_hover(self, place: tuple[float, float] | None) -> None:
        self._set_hit(-1 if place is None else self._pick(*place))
        self.hovered.emit(place)

    def _on_click(self, z1: float, z2: float) -> None:
        self.clicked.emit(z1, z2, self._pick(z1, z2))

    def _on_double_click(self, z1: float, z2: float) -> None:
        if self._pick(z1, z2) == -1:
            self.fit()
        else:
            self._on_click(z1, z2)

    def _on_grab(self, grabbed: bool) -> None:
        if grabbed:
            self._set_hit(-1)

    def _on_view(self) -> None:
        self._hide_card()
        if self._hit != -1:
            self._dwell.start()

    def _on_legend(self, labels: frozenset[int]) -> None:
        self._filter(labels)
        self.visible_labels_changed.emit(labels)

    def _pick(self, z1: float, z2: float) -> int:
        cloud, scale = self._cloud, self.canvas.pixels_per_unit()
        row = self._picker.nearest(cloud.xs, cloud.ys, (z1, z2), scale, PICK_RADIUS)
        return -1 if row < 0 else int(cloud.order[row])

    # What follows from either.

    def _set_hit(self, index: int) -> None:
        if index == self._hit:
            return
        self._forget_hit()
        self._hit = index
        if index != -1 and self._points is not None:
            points = self._points
            self._card.set_point(
                int(points.labels[index]), f"{points.split} {points.indices[index]:,}"
            )
            self._dwell.start()
        self._place_rings()
        self.point_hovered.emit(index)

    def _forget_hit(self) -> None:
        self._hit = -1
        self._hide_card()
        self._markers.set_hover_place(None)

    def _filter(self, labels: frozenset[int]) -> None:
        self._cloud.set_visible(labels)
        self._show_glyphs()
        self._forget_hit()
        self._points_changed()

    def _place_rings(self) -> None:
        place = self._cloud.place
        self._markers.set_pin_place(None if self._pinned == -1 else place(self._pinned))
        self._markers.set_hover_place(None if self._hit == -1 else place(self._hit))

    def _show_glyphs(self) -> None:
        """Write each visible class's digit: colour is never the only cue."""
        visible = self.legend.visible_labels()
        places = self._class_places.items()
        self._markers.set_glyphs({str(k): place for k, place in places if k in visible})

    def _points_changed(self) -> None:
        self._item.update()
        if self._points is not None:
            self._status.setText(
                f"{self._cloud.drawn:,} of {self._points.total:,} · "
                f"{self._points.split} · {self._points.kind}"
            )

    def _show_card(self) -> None:
        place = None if self._hit == -1 else self._cloud.place(self._hit)
        if place is not None:
            self._card.show_beside(self.canvas.to_pixel(*place))

    def _hide_card(self) -> None:
        self._dwell.stop()
        self._card.hide()
