"""The window that compares: two maps side by side, moved, pointed at and selected as one."""

from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QRectF, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent, QColor, QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from vae_explorer.gui.compare_table import CompareTable
from vae_explorer.gui.decode.digit_view import DigitView
from vae_explorer.gui.decode.image import gray8
from vae_explorer.gui.figures import figure
from vae_explorer.gui.map.map_view import MapView
from vae_explorer.gui.theme import Theme, current_theme
from vae_explorer.gui.wheel_guard import WheelGuard
from vae_explorer.session.comparison import (
    SIDES,
    ComparisonTable,
    Preview,
    Side,
    SideInfo,
    other_side,
)
from vae_explorer.session.place_index import PlaceIndex
from vae_explorer.session.selection import Bools
from vae_explorer.session.state import MapPoints, UInt8

_SPLITS = {"train": "Training images", "test": "Test images", "both": "All images"}
_ON_MAP = "The model on the map"
_NO_MODEL = "No model yet: choose one above."
_SELECTING = "Shift-drag on either map selects in a box, Shift+Ctrl-drag with a lasso"
_IDLE = "Decoded"
_MARGIN = 8
_LETTERS = 10  # of a model's name in sight, in the narrowest side
_DIGIT_ZOOM = 3


class CompareWindow(QWidget):
    """Two maps, what each decodes under the pointer, and their figures in a table.

    Signals; a side is "A" or "B", a row one into the arrays of that side's ``MapPoints``, −1 none:
        model_chosen: a side and the ``Path`` of a model, or None for the one on the main map.
        open_requested: a side for which a person wants to choose a file.
        split_chosen: a side, and "train", "test" or "both".
        point_hovered: a side, and the row of the nearest point.
        place_hovered: a side, and (z1, z2) under the pointer, or None when it leaves.
        area_selected: a side, corners (k, 2), "replace", "add" or "remove", and which of its
            points (n,) show.
        point_selected: a side, a row, "replace" or "add".
        class_selected: a side, a label, "replace" or "add".
        clear_requested: nothing is to be selected.
        closed: the window is about to go.

    No ``set_…()`` emits any of them. The window deletes itself when it is closed.
    """

    model_chosen = Signal(str, object)
    open_requested = Signal(str)
    split_chosen = Signal(str, str)
    point_hovered = Signal(str, int)
    place_hovered = Signal(str, object)
    area_selected = Signal(str, object, str, object)
    point_selected = Signal(str, int, str)
    class_selected = Signal(str, int, str)
    clear_requested = Signal()
    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Compare — VAE Explorer")
        theme = current_theme()
        self.sides: dict[Side, SidePanel] = {side: SidePanel(side, theme) for side in SIDES}
        self.table = CompareTable()
        self._note = QLabel(wordWrap=True)
        self._progress = QLabel()
        self._progress.setAccessibleName("Progress")
        self._link = QCheckBox("Link &views")
        self._link.setChecked(True)
        self._link.setToolTip("Pan and zoom both maps together")
        self._clear = QPushButton("Clear selection (Esc)")
        self._clear.setEnabled(False)
        self._clear.setToolTip(_SELECTING)
        self._moving = False
        self._views: dict[Side, tuple[QRectF, QRectF]] = {}  # the plane in pixels, what it shows
        self._lay_out()
        self._connect()
        self.set_theme(theme)
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
        column.setContentsMargins(_MARGIN, 0, _MARGIN, _MARGIN)
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
            view.hovered.connect(partial(self.place_hovered.emit, side))
            view.dragged.connect(partial(self._on_dragged, side))
            view.selected.connect(partial(self._on_area, side))
            view.clicked.connect(partial(self._on_clicked, side))
            view.ctrl_clicked.connect(partial(self._on_ctrl_clicked, side))
            view.class_select_asked.connect(partial(self._on_class, side))
            view.visible_labels_changed.connect(other.set_visible_labels)
            view.canvas.view_changed.connect(partial(self._on_view, side))
        self._link.toggled.connect(self._on_link)
        self._clear.clicked.connect(self.clear_requested)
        QShortcut(QKeySequence("Esc"), self, self.clear_requested.emit)
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

    def set_index(self, side: Side, index: PlaceIndex) -> None:
        """Pick on a side with the help of an index of its positions."""
        self.sides[side].map.set_index(index)

    def set_linked(self, side: Side, row: int) -> None:
        """Ring the point that is hovered on the other side, or none for −1."""
        self.sides[side].map.set_pinned(row)

    def set_hover_image(self, side: Side, row: int, image: UInt8) -> None:
        """Give the card of a hovered point its (h, w) image."""
        self.sides[side].map.set_hover_image(row, image, caption="")

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

    def set_theme(self, theme: Theme) -> None:
        """Recolour."""
        for panel in self.sides.values():
            panel.set_theme(theme)
        for label in (self._note, self._progress):
            _color(label, theme.muted)

    # Intent from below

    def _on_dragged(self, side: Side, z1: float, z2: float) -> None:
        self.place_hovered.emit(side, (z1, z2))

    def _on_area(self, side: Side, polygon: NDArray[np.float64], mode: str) -> None:
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

    def changeEvent(self, event: QEvent) -> None:
        """Follow a change of scheme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.set_theme(current_theme())

    def closeEvent(self, event: QCloseEvent) -> None:
        """Say so before going."""
        self.closed.emit()
        super().closeEvent(event)


class SidePanel(QWidget):
    """One side: the choice of a model and of images, the digit it decodes, and its map.

    Signals:
        model_chosen: the ``Path`` of a model, or None for the one on the main map.
        open_requested: a person wants to choose a file.
        split_chosen: "train", "test" or "both".
    """

    model_chosen = Signal(object)
    open_requested = Signal()
    split_chosen = Signal(str)

    def __init__(self, side: Side, theme: Theme) -> None:
        super().__init__()
        self._info: SideInfo | None = None
        self._selected = ""
        self._name = QLabel(side)
        font = self._name.font()
        font.setBold(True)
        font.setPointSizeF(font.pointSizeF() * 1.6)
        self._name.setFont(font)
        self.models = _combo(f"Model of {side}")
        self.splits = _combo(f"Images of {side}")
        for split, text in _SPLITS.items():
            self.splits.addItem(text, split)
        self.models.setPlaceholderText("Choose a model")
        self.splits.setPlaceholderText("Choose images")
        self.splits.setCurrentIndex(-1)
        self._title, self._details = QLabel(wordWrap=True), QLabel(wordWrap=True)
        # Always two lines, or the maps would not stand side by side.
        self._details.setMinimumHeight(2 * self._details.fontMetrics().lineSpacing())
        self._title.setAccessibleName(f"What {side} shows")
        self.digit = DigitView(f"Decoded by {side}", _IDLE, zoom=_DIGIT_ZOOM)
        self.digit.setFixedSize(self.digit.minimumSizeHint())
        self.digit.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.message = QLabel(_NO_MODEL, alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        self.map = MapView(theme)
        self.map.canvas.setAccessibleName(f"Map of {side}")
        self.map.status.hide()  # its line stands above, its colours are the classes'
        self.message.setAutoFillBackground(True)
        self.map.canvas.add_overlay(self.message)
        guard = WheelGuard(self)
        for combo in (self.models, self.splits):
            combo.installEventFilter(guard)
        self.models.activated.connect(self._on_model)
        self.splits.activated.connect(self._on_split)
        self.set_models(())
        self._lay_out()

    def _lay_out(self) -> None:
        head = QGridLayout()
        head.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, 0)
        head.setVerticalSpacing(3)
        head.addWidget(self._name, 0, 0, 2, 1)
        head.addWidget(self.models, 0, 1)
        head.addWidget(self.splits, 1, 1)
        head.addWidget(self._title, 2, 0, 1, 2)
        head.addWidget(self._details, 3, 0, 1, 2)
        head.addWidget(self.digit, 0, 2, 4, 1, Qt.AlignmentFlag.AlignTop)
        head.setColumnStretch(1, 1)
        head.setRowStretch(3, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(head)
        layout.addWidget(self.map, 1)

    def set_models(self, models: tuple[tuple[Path, str], ...]) -> None:
        """Offer these models."""
        self.models.clear()
        self.models.addItem(_ON_MAP, "")
        for path, name in models:
            self._add_model(self.models.count(), path, name)
        self.models.addItem("Open…")
        self._show_choices()

    def set_info(self, info: SideInfo | None) -> None:
        """Say what there is to see, or that there is nothing."""
        self._info = info
        self._show_choices()
        if info is None:
            self._title.clear()
        else:
            epoch = figure(info.epoch, 1)
            self._title.setText(f"Epoch {epoch} · objective {info.objective}")
            self.message.setText(f"Encoding the images by {info.name}…")
        self._show_details()

    def set_points(self, points: MapPoints) -> None:
        """Show other points."""
        self.map.set_points(points)
        self.message.hide()
        self._show_details()

    def set_preview(self, preview: Preview | None) -> None:
        """Show a decoded digit, or none."""
        if preview is None:
            self.digit.set_image(None)
            self.digit.set_caption(_IDLE)
        else:
            self.digit.set_image(gray8(preview.image))
            z1, z2 = (figure(value, 2) for value in preview.z)
            self.digit.set_caption(preview.title or f"({z1}, {z2})")

    def set_selected(self, selected: Bools | None, summary: str) -> None:
        """Let the points that are not selected fade."""
        self.map.set_selected(selected)
        self._selected = summary
        self._show_details()

    def set_theme(self, theme: Theme) -> None:
        """Recolour."""
        self.map.set_theme(theme)
        self.digit.set_theme(theme)
        _color(self._details, theme.muted)
        _color(self.message, theme.muted, theme.canvas)

    def _show_choices(self) -> None:
        """Choose what is shown, whatever a person has chosen since."""
        info = self._info
        with QSignalBlocker(self.models), QSignalBlocker(self.splits):
            if info is None:
                self.models.setCurrentIndex(-1)
                self.splits.setCurrentIndex(-1)
                return
            data = "" if info.path is None else str(info.path)
            if info.path is not None and self.models.findData(data) < 0:
                self._add_model(self.models.count() - 1, info.path, info.name)
            self.models.setCurrentIndex(self.models.findData(data))
            self.splits.setCurrentIndex(self.splits.findData(info.split))

    def _add_model(self, at: int, path: Path, name: str) -> None:
        self.models.insertItem(at, name, str(path))
        self.models.setItemData(at, str(path), Qt.ItemDataRole.ToolTipRole)

    def _show_details(self) -> None:
        parts = [self._info.orientation] if self._info else []
        if self._selected:
            parts.append(f"{self._selected} selected")
        self._details.setText(" · ".join(part for part in parts if part))

    def _on_model(self, index: int) -> None:
        data = self.models.itemData(index)
        self._show_choices()  # until it is there
        if data is None:
            self.open_requested.emit()
        else:
            self.model_chosen.emit(Path(data) if data else None)

    def _on_split(self, index: int) -> None:
        self.split_chosen.emit(self.splits.itemData(index))


def _combo(name: str) -> QComboBox:
    combo = QComboBox()
    combo.setAccessibleName(name)
    combo.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(_LETTERS)
    combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return combo


def _color(label: QLabel, text: str, ground: str = "") -> None:
    palette = label.palette()
    palette.setColor(palette.ColorRole.WindowText, QColor(text))
    if ground:
        palette.setColor(palette.ColorRole.Window, QColor(ground))
    label.setPalette(palette)
