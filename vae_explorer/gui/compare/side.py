"""One side of the window that compares."""

from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QComboBox, QGridLayout, QLabel, QSizePolicy, QVBoxLayout
from typing_extensions import override

from vae_explorer.gui.explore.decode.digit_view import DigitView
from vae_explorer.gui.explore.decode.image import qimage_of
from vae_explorer.gui.map.map_menu import MapMenu
from vae_explorer.gui.map.map_view import MapView
from vae_explorer.gui.theme import DISPLAY, MARGIN, SPACE, Theme, Themed, current_theme, enlarge
from vae_explorer.gui.widgets.empty_state import EmptyState
from vae_explorer.gui.widgets.wheel_guard import spare_from_wheel
from vae_explorer.number_format import figure
from vae_explorer.session.compare.sides import Preview, Side, SideInfo
from vae_explorer.session.map.state import MapPoints
from vae_explorer.types import Bools

_SPLITS = {"train": "Training images", "test": "Test images", "both": "All images"}
_ON_MAP = "The model on the map"
_NO_MODEL = "No model yet: choose one above, or open a file."
_IDLE = "Decoded"
_LETTERS = 10  # of a model's name in sight, in the narrowest side
_LEAST_DIGIT = 84  # pixels


class SidePanel(Themed):
    """One side: the choice of a model and of images, the digit it decodes, and its map.

    Signals:
        model_chosen: the ``Path`` of a model, or None for the one on the main map.
        open_requested: a person wants to choose a file.
        split_chosen: "train", "test" or "both".
    """

    model_chosen = Signal(object)
    open_requested = Signal()
    split_chosen = Signal(str)

    def __init__(self, side: Side) -> None:
        super().__init__()
        self.info: SideInfo | None = None
        """What is shown."""
        self._selected = ""
        self._name = QLabel(side)
        enlarge(self._name, DISPLAY)
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
        self.digit = DigitView(f"Decoded by {side}", _IDLE, least=_LEAST_DIGIT)
        self.digit.setFixedSize(self.digit.minimumSizeHint())
        self.digit.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.map = MapView()
        self.map.canvas.setAccessibleName(f"Map of {side}")
        MapMenu(self.map, lambda: self.name)
        self.map.status.hide()  # its line stands above, its colours are the classes'
        self.message = EmptyState(_NO_MODEL, "Open Model…", "open", over=self.map)
        self.message.asked.connect(self.open_requested)
        spare_from_wheel(self.models, self.splits)
        self.models.activated.connect(self._on_model)
        self.splits.activated.connect(self._on_split)
        self.set_models(())
        self._lay_out()
        self.set_theme(current_theme())

    def _lay_out(self) -> None:
        head = QGridLayout()
        head.setContentsMargins(MARGIN, MARGIN, MARGIN, 0)
        head.setVerticalSpacing(SPACE)
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

    @property
    def name(self) -> str:
        """Of the model."""
        return self.info.name if self.info else self._name.text()

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
        self.info = info
        self._show_choices()
        if info is None:
            self._title.clear()
        else:
            epoch = figure(info.epoch, 1)
            self._title.setText(f"Epoch {epoch} · objective {info.objective}")
            self.message.say(f"Encoding the images by {info.name}…", mood="busy")
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
            self.digit.set_image(qimage_of(preview.image))
            z1, z2 = (figure(value, 2) for value in preview.z)
            self.digit.set_caption(preview.title or f"({z1}, {z2})")

    def set_selected(self, selected: Bools | None, summary: str) -> None:
        """Let the points that are not selected fade."""
        self.map.set_selected(selected)
        self._selected = summary
        self._show_details()

    @override
    def set_theme(self, theme: Theme) -> None:
        color(self._details, theme.muted)

    def _show_choices(self) -> None:
        """Choose what is shown, whatever a person has chosen since."""
        info = self.info
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
        parts = [self.info.orientation] if self.info else []
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


def color(label: QLabel, text: str) -> None:
    """Write a label in a colour."""
    palette = label.palette()
    palette.setColor(palette.ColorRole.WindowText, QColor(text))
    label.setPalette(palette)
