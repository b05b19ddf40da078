"""The map as one widget: points under the hand, legend beside, an honest line below."""

import numpy as np
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout
from typing_extensions import override

from vae_explorer.gui.map.canvas import MapCanvas
from vae_explorer.gui.map.cloud import PointCloud
from vae_explorer.gui.map.easing import Easing
from vae_explorer.gui.map.figure import MapPicture
from vae_explorer.gui.map.glyphs import class_places, glyph_texts
from vae_explorer.gui.map.hover import Hover
from vae_explorer.gui.map.layer_stack import LayerStack
from vae_explorer.gui.map.legend import Legend
from vae_explorer.gui.map.markers import Markers
from vae_explorer.gui.map.point_colors import ColorKey, point_rgb
from vae_explorer.gui.map.points_item import PointsItem
from vae_explorer.gui.map.selection_marks import SelectionMarks
from vae_explorer.gui.map.status_line import StatusLine
from vae_explorer.gui.theme import MARGIN, Theme, Themed, current_theme
from vae_explorer.session.map.state import MapPoints, PointColors
from vae_explorer.types import Bools, Float32, Float64, Region

VIEW_DELAY_MS = 120
"""How long the view must rest before what follows it is drawn again."""
_AIR = 0.04  # of the points, around them
_MOST_GLYPHS = 20  # classes whose names are


class MapView(Themed):
    """Points of latent space to look at, to point at and to move over.

    Signals; places in latent units, an index is one into the arrays of ``MapPoints``, -1 none:
        hovered: (z1, z2) under the pointer, or None when it leaves; once a frame at most.
        point_hovered: the nearest point, whenever it becomes another one.
        dwelt: the point that has been hovered for a while.
        clicked: place, and the point there.
        ctrl_clicked: the point there.
        view_rested: left, right, bottom and top edge, and the size (width, height) in pixels.

    No ``set_…()`` emits any of them, nor one of ``canvas`` or ``legend``, which have more.
    ``hover`` has the point under the pointer.
    """

    hovered = Signal(object)
    point_hovered = Signal(int)
    dwelt = Signal(int)
    clicked = Signal(float, float, int)
    ctrl_clicked = Signal(int)
    view_rested = Signal(object, object)

    def __init__(self) -> None:
        super().__init__()
        self._points: MapPoints | None = None
        self._pinned = -1
        self._tray: tuple[int, ...] = ()
        self._colors: PointColors | None = None
        self._selected: Bools | None = None
        self._summary = ""
        self._class_places: dict[int, tuple[float, float]] = {}
        self._cloud = PointCloud()
        self.canvas = MapCanvas()
        self._item = PointsItem(self._cloud, self.canvas.view_box)
        self.layers = LayerStack(self.canvas, self._item)
        self._markers = Markers(self.canvas)
        self.hover = Hover(self.canvas, self._cloud, self._markers)
        self._outline = SelectionMarks(self.canvas)
        self._empty = QLabel("Opening the map…", alignment=Qt.AlignmentFlag.AlignCenter)
        self.canvas.add_overlay(self._empty)
        self._rest = QTimer(self, singleShot=True, interval=VIEW_DELAY_MS)
        self._easing = Easing(self)
        self.legend = Legend()
        self._key = ColorKey()
        self.status = StatusLine()
        self._lay_out()
        self.setFocusProxy(self.canvas)
        self.setAutoFillBackground(True)
        self._connect()
        self.set_theme(current_theme())

    def _lay_out(self) -> None:
        column = QVBoxLayout()
        column.setSpacing(0)
        column.addWidget(self._key, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.legend, 1)
        layout = self._grid = QGridLayout(self)
        layout.setContentsMargins(0, MARGIN, 0, 0)
        layout.setSpacing(0)
        layout.setColumnStretch(0, 1)
        layout.addWidget(self.canvas, 0, 0)
        layout.addLayout(column, 0, 1)
        layout.addWidget(self.status, 1, 0, 1, 2)

    def _connect(self) -> None:
        canvas = self.canvas
        canvas.hovered.connect(self._on_hover)
        canvas.clicked.connect(self._on_click)
        canvas.ctrl_clicked.connect(self._on_ctrl_click)
        canvas.double_clicked.connect(self._on_double_click)
        canvas.outline_changed.connect(self._outline.set_outline)
        canvas.grabbed.connect(self._on_grab)
        canvas.fit_asked.connect(self.fit)
        canvas.view_changed.connect(self._rest.start)
        self.legend.visible_changed.connect(self._filter)
        self.hover.changed.connect(self.point_hovered)
        self.hover.dwelt.connect(self.dwelt)
        self._rest.timeout.connect(self._tell_view)
        self._easing.moved.connect(self._place)

    @property
    def points(self) -> MapPoints | None:
        """What is shown, at the positions that ``set_points`` gave."""
        return self._points

    # Orders from above.

    def set_points(self, points: MapPoints, fit: bool = False) -> None:
        """Show other points, in the colours of their classes; hover, pins, selection are forgotten.

        The view is fitted to the first points ever, and when ``fit`` asks for it. Classes stay
        hidden when the new points have the same classes.

        Raises:
            ValueError: the arrays of ``points`` do not fit together.
        """
        numbers = np.bincount(points.labels).tolist()
        counts = {label: n for label, n in enumerate(numbers) if n}
        names = points.data.classes
        self.legend.set_counts(counts if names else {}, names)
        self._grid.activate()  # or the first picture, and the fit, would be of a wider plane
        self._easing.stop()
        self.canvas.set_axes(points.axes)
        first, self._points = self._points is None, points
        self._cloud.set_points(points, self._visible())
        self._colors = self._selected = None
        self._pinned, self._tray = -1, ()
        self.hover.forget()
        self._empty.setText("No points to show")
        self._empty.setVisible(not len(self._cloud))
        if first or fit:
            self.fit()
        self._follow(points)

    def set_positions(self, positions: Float32, ease: bool = False) -> None:
        """Move the same points to ``positions``, (n, 2) in latent units, maybe along the way.

        Raises:
            ValueError: there are not as many as there are points.
        """
        if ease and positions.shape == self._cloud.positions.shape:
            self._easing.start(self._cloud.positions, positions)
        else:
            self._easing.stop()
            self._place(positions)

    def set_colors(self, colors: PointColors | None) -> None:
        """Give points other colours than their classes', and show the key to them.

        Raises:
            ValueError: there are not as many values as points.
        """
        self._colors = colors
        self.legend.set_colored(colors is None)
        self._key.set_colors(colors)
        self._recolor()

    def set_selected(self, selected: Bools | None, summary: str = "") -> None:
        """Let the points that are not ``selected`` (n,) fade; none does without a selection."""
        self._selected, self._summary = selected, summary
        self._recolor()

    def region(self) -> Region:
        """What of the plane is in sight."""
        view = self.canvas.view_box.viewRect()
        return view.left(), view.right(), view.top(), view.bottom()  # its top is its least z₂

    def all_of_it(self) -> Region | None:
        """Where the points are, with a little air around them."""
        bounds = self._cloud.bounds()
        if bounds is None:
            return None
        left, right, bottom, top = bounds
        across, up = (max(_AIR * side, 1e-3) for side in (right - left, top - bottom))
        return left - across, right + across, bottom - up, top + up

    def class_places(self) -> dict[int, tuple[float, float]]:
        """The densest position of each class that has some points, latent units."""
        return self._class_places

    def picture(self, region: Region | None = None) -> MapPicture | None:
        """What is in sight, or would be of another region, to be painted elsewhere."""
        if self._points is None:
            return None
        markers = self._markers
        rings = [*markers.tray_places, *([markers.pin_place] if markers.pin_place else [])]
        return MapPicture(
            region or self.region(), self._points, self._cloud, self._visible(), self._colors,
            self._selected, self.canvas.axes, markers.glyphs, rings, self.layers.states,
            self.layers.contents,
        )  # fmt: skip

    def shown(self) -> Bools:
        """Which points (n,) are of classes that show."""
        shown = self._cloud.shown
        return np.ones(len(self._cloud), np.bool_) if shown is None else shown

    def point_pixels(self) -> Float64:
        """Where the points are that show, (n, 2), in pixels of the canvas."""
        (left, right, bottom, top), rect = self.region(), self.canvas.plot_rect()
        x, y = self._cloud.positions[self.shown()].T.astype(np.float64)
        across = rect.left() + rect.width() * (x - left) / (right - left)
        up = rect.bottom() - rect.height() * (y - bottom) / (top - bottom)
        return np.stack([across, up], axis=1)

    def set_cursor(self, z1: float, z2: float) -> None:
        """Move the crosshair."""
        self._markers.set_cursor_place((z1, z2))

    def set_pinned(self, index: int, tray: tuple[int, ...] = ()) -> None:
        """Ring the point ``index``, or none for -1, and those of the ``tray`` too."""
        self._pinned, self._tray = index, tray
        self._place_rings()

    def set_visible_labels(self, labels: frozenset[int]) -> None:
        """Show only points of these classes."""
        self.legend.set_visible_labels(labels)
        self._filter(self._visible())

    @override
    def set_theme(self, theme: Theme) -> None:
        self._recolor()
        palette = self.palette()
        palette.setColor(palette.ColorRole.Window, QColor(theme.canvas))
        palette.setColor(palette.ColorRole.WindowText, QColor(theme.muted))
        self.setPalette(palette)

    def fit(self) -> None:
        """Show the points, hidden classes included, so that toggling a class moves nothing.

        Of many points a few outliers may be left out of sight.
        """
        bounds = self._cloud.bounds()
        if bounds is not None:
            self.canvas.show_region(*bounds)

    # Intent from below.

    def _on_hover(self, place: tuple[float, float] | None) -> None:
        # The picture of the position first; then what marks the point there.
        self.hovered.emit(place)
        self.hover.set_row(-1 if place is None else self._pick(*place), self._points)

    def _on_click(self, z1: float, z2: float) -> None:
        self.clicked.emit(z1, z2, self._pick(z1, z2))

    def _on_ctrl_click(self, z1: float, z2: float) -> None:
        hit = self._pick(z1, z2)
        if hit != -1:
            self.ctrl_clicked.emit(hit)

    def _on_double_click(self, z1: float, z2: float) -> None:
        if self._pick(z1, z2) == -1:
            self.fit()
        else:
            self._on_click(z1, z2)

    def _on_grab(self, grabbed: bool) -> None:
        if grabbed:
            self.hover.set_row(-1, None)

    def _tell_view(self) -> None:
        rect = self.canvas.plot_rect()
        self.view_rested.emit(self.region(), (round(rect.width()), round(rect.height())))

    def _pick(self, z1: float, z2: float) -> int:
        return self.hover.pick(z1, z2) if self._item.isVisible() else -1

    # What follows from either.

    def _place(self, positions: Float32) -> None:
        self._cloud.set_positions(positions)
        if self._points is not None:
            self._follow(self._points)

    def _follow(self, points: MapPoints) -> None:
        """Draw all that depends on where the points are."""
        self._place_rings()
        self.hover.follow()
        self._class_places = class_places(self._cloud.positions, points.labels)
        self._show_glyphs()
        self._points_changed()

    def _recolor(self) -> None:
        if self._points is not None:
            labels = self._points.labels
            rgb = point_rgb(self._colors, labels, self._selected, current_theme())
            self._cloud.set_colors(rgb)
            self._points_changed()

    def _filter(self, labels: frozenset[int]) -> None:
        self._cloud.set_visible(labels)
        self._show_glyphs()
        self.hover.forget()
        self._points_changed()

    def _place_rings(self) -> None:
        place = self._cloud.position
        self._markers.set_pin_place(None if self._pinned == -1 else place(self._pinned))
        places = [place(row) for row in self._tray if row != self._pinned]
        self._markers.set_tray_places([there for there in places if there is not None])

    def _show_glyphs(self) -> None:
        """Write each visible class's digit: colour is never the only cue."""
        data = self._points.data if self._points else None
        visible = self._visible() if data and data.classes else ()
        texts = dict(enumerate(glyph_texts(data.classes[:_MOST_GLYPHS]))) if data else {}
        places = self._class_places.items()
        names = {texts[label]: at for label, at in places if label in texts and label in visible}
        self._markers.set_glyphs(names)
        self.layers.set_names(names)

    def _visible(self) -> frozenset[int]:
        """The classes that show: all there is of images without labels."""
        labelled = self._points is not None and self._points.data.classes
        return self.legend.visible_labels() if labelled else frozenset({0})

    def _points_changed(self) -> None:
        self._item.update()
        if self._points is not None:
            selected = self._summary if self._selected is not None else ""
            self.status.set_points(self._points, self._cloud.drawn, selected)
