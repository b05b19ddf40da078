"""The window that compares: two maps side by side, moved, pointed at and selected as one."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent, QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from vae_explorer.gui.compare.side import SidePanel, color
from vae_explorer.gui.compare.table import CompareTable
from vae_explorer.gui.main_thread import FrameClock
from vae_explorer.gui.theme import MARGIN, Theme, Themed, current_theme
from vae_explorer.session.compare.metrics import ComparisonTable
from vae_explorer.session.compare.sides import SIDES, Preview, Side, SideInfo, other_side
from vae_explorer.session.map.point_index import PointIndex
from vae_explorer.session.map.state import MapPoints
from vae_explorer.types import Bools, Float64, UInt8

_SELECTING = "Shift-drag on either map selects in a box, Shift+Ctrl-drag with a lasso"


class CompareWindow(Themed):
    """Two maps, what each decodes under the pointer, and their figures in a table.

    Signals; a side is "A" or "B", a row one into the arrays of that side's ``MapPoints``, −1 none:
        model_chosen: a side and the ``Path`` of a model, or None for the one on the main map.
        open_requested: a side for which a person wants to choose a file.
        split_chosen: a side, and "train", "test" or "both".
        point_hovered: a side, and the row of the nearest point.
        place_hovered: (z1, z2) under the pointer, or None when it leaves; once a frame at most.
        area_selected: a side, corners (k, 2), "replace", "add" or "remove", and which of its
            points (n,) show.
        point_selected: a side, a row, "replace" or "add".
        class_selected: a side, a label, "replace" or "add".
        clear_requested: nothing is to be selected.
        export_requested: the two maps are to leave.
        closed: the window is about to go.

    No ``set_…()`` emits any of them. The window deletes itself when it is closed.
    """

    model_chosen = Signal(str, object)
    open_requested = Signal(str)
    split_chosen = Signal(str, str)
    point_hovered = Signal(str, int)
    place_hovered = Signal(object)
    area_selected = Signal(str, object, str, object)
    point_selected = Signal(str, int, str)
    class_selected = Signal(str, int, str)
    clear_requested = Signal()
    export_requested = Signal()
    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setProperty("export", "comparison")
        self.setWindowTitle("Compare — VAE Explorer")
        self.sides: dict[Side, SidePanel] = {side: SidePanel(side) for side in SIDES}
        self.table = CompareTable()
        self._note = QLabel(wordWrap=True)
        self._progress = QLabel()
        self._progress.setAccessibleName("Progress")
        self._link = QCheckBox("Link &views")
        self._link.setChecked(True)
        self._link.setToolTip("Pan and zoom both maps together")
        self._clear = QPushButton("Clear Selection (Esc)")
        self._clear.setEnabled(False)
        self._clear.setToolTip(_SELECTING)
        self._moving = False
        self._clock = FrameClock(self)
        self._views: dict[Side, tuple[QRectF, QRectF]] = {}  # the plane in pixels, what it shows
        self._lay_out()
        self._connect()
        self.set_theme(current_theme())
        self.resize(QSize(1280, 800).boundedTo(QGuiApplication.primaryScreen().availableSize()))

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.addWidget(self._link)
        bar.addWidget(self._clear)
        bar.addWidget(self._progress, 1, Qt.AlignmentFlag.AlignRight)
        maps = QSplitter(Qt.Orientation.Horizontal, childrenCollapsible=False)
        for panel in self.sides.values():
            maps.addWidget(panel)
        maps.setSizes([1, 1])
        below = QWidget()
        column = QVBoxLayout(below)
        column.setContentsMargins(MARGIN, 0, MARGIN, MARGIN)
        column.addLayout(bar)
        column.addWidget(self.table, 1)
        column.addWidget(self._note)
        whole = QSplitter(Qt.Orientation.Vertical, childrenCollapsible=False)
        whole.addWidget(maps)
        whole.addWidget(below)
        whole.setStretchFactor(0, 1)
        whole.setSizes([500, 300])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(whole)

    def _connect(self) -> None:
        for side, panel in self.sides.items():
            panel.model_chosen.connect(partial(self.model_chosen.emit, side))
            panel.open_requested.connect(partial(self.open_requested.emit, side))
            panel.split_chosen.connect(partial(self.split_chosen.emit, side))
            view, other = panel.map, self.sides[other_side(side)].map
            view.point_hovered.connect(partial(self.point_hovered.emit, side))
            view.hovered.connect(self.place_hovered)
            view.canvas.scrubbed.connect(self._on_dragged)
            view.canvas.selected.connect(partial(self._on_area, side))
            view.clicked.connect(partial(self._on_clicked, side))
            view.ctrl_clicked.connect(partial(self._on_ctrl_clicked, side))
            view.legend.select_asked.connect(partial(self._on_class, side))
            view.legend.visible_changed.connect(other.set_visible_labels)
            view.canvas.view_changed.connect(partial(self._on_view, side))
        self._link.toggled.connect(self._on_link)
        self._clear.clicked.connect(self.clear_requested)
        QShortcut(QKeySequence("Esc"), self, self.clear_requested.emit)
        QShortcut(QKeySequence("Ctrl+E"), self, self.export_requested.emit)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Close), self, self.close)

    # Orders from above

    def set_models(self, models: tuple[tuple[Path, str], ...]) -> None:
        """Offer these models, each a file and a name, besides the one on the main map."""
        for panel in self.sides.values():
            panel.set_models(models)

    def set_side(self, side: Side, info: SideInfo | None) -> None:
        """Say what a side shows, or will as soon as its points come."""
        self.sides[side].set_info(info)

    def set_points(self, side: Side, points: MapPoints) -> None:
        """Show other points on a side."""
        self.sides[side].set_points(points)

    def set_index(self, side: Side, index: PointIndex) -> None:
        """Pick on a side with the help of an index of its positions."""
        self.sides[side].map.hover.set_index(index)

    def set_linked(self, side: Side, row: int) -> None:
        """Ring the point that is hovered on the other side, or none for −1."""
        self.sides[side].map.set_pinned(row)

    def set_hover_image(self, side: Side, row: int, image: UInt8) -> None:
        """Give the card of a hovered point its (h, w) image."""
        self.sides[side].map.hover.set_image(row, image, "")

    def set_preview(self, side: Side, preview: Preview | None) -> None:
        """Show what a side decodes, or nothing."""
        self.sides[side].set_preview(preview)

    def set_selected(self, side: Side, selected: Bools | None, summary: str) -> None:
        """Let a side's points that are not ``selected`` (n,) fade; ``summary`` says how many are.

        None lets none fade.
        """
        self.sides[side].set_selected(selected, summary)
        self._clear.setEnabled(selected is not None)

    def set_figures(self, table: ComparisonTable) -> None:
        """Show the figures known by now."""
        self.table.set_table(table)
        self._note.setText(table.note)

    def set_progress(self, text: str) -> None:
        """Say what is being computed; "" when nothing is."""
        self._progress.setText(text)

    @override
    def set_theme(self, theme: Theme) -> None:
        for label in (self._note, self._progress):
            color(label, theme.muted)

    # Intent from below

    def _on_dragged(self, z1: float, z2: float) -> None:
        self._clock.defer(partial(self.place_hovered.emit, (z1, z2)))

    def _on_area(self, side: Side, polygon: Float64, mode: str) -> None:
        self.area_selected.emit(side, polygon, mode, self.sides[side].map.shown())

    def _on_clicked(self, side: Side, _z1: float, _z2: float, row: int) -> None:
        if row >= 0:
            self.point_selected.emit(side, row, "replace")

    def _on_ctrl_clicked(self, side: Side, row: int) -> None:
        self.point_selected.emit(side, row, "add")

    def _on_class(self, side: Side, label: int, adding: bool) -> None:
        self.class_selected.emit(side, label, "add" if adding else "replace")

    def _on_view(self, side: Side) -> None:
        canvas = self.sides[side].map.canvas
        now = canvas.plot_rect(), QRectF(canvas.view_box.viewRect())
        before = self._views.get(side)
        self._views[side] = now
        # Another size is no wish of a person's to see something else: the other map stays.
        moved = before is not None and now[0] == before[0] and now[1] != before[1]
        if moved and not self._moving and self._link.isChecked():
            self._follow(side)

    def _on_link(self, linked: bool) -> None:
        if linked:
            self._follow("A")

    def _follow(self, side: Side) -> None:
        """Show on the other side what this one shows, in its middle and at its scale."""
        canvas, other = (self.sides[each].map.canvas for each in (side, other_side(side)))
        across, up = canvas.pixels_per_unit()
        room, center = other.plot_rect(), canvas.view_box.viewRect().center()
        region = QRectF(0, 0, room.width() / across, room.height() / up)
        region.moveCenter(center)
        self._moving = True
        other.view_box.setRange(region, padding=0, disableAutoRange=False)
        self._moving = False

    # Qt's events

    @override
    def closeEvent(self, event: QCloseEvent) -> None:
        self.closed.emit()
        super().closeEvent(event)
