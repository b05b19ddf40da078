"""Recipes by name, files of recipes, and what a recipe would cost."""

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QMenu,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from vae_explorer.gui.training.progress_text import format_bytes, format_duration
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.gui.widgets.rows import label_of, row
from vae_explorer.gui.widgets.wheel_guard import spare_from_wheel
from vae_explorer.session.runs.presets import Preset
from vae_explorer.training.estimate import Estimate
from vae_explorer.training.recipe import Recipe


class PresetBar(QWidget):
    """A choice of presets, a menu of what can be done with recipes, and an estimate.

    Signals:
        chosen(Recipe): a person took a preset.
        save_requested(), import_requested(), export_requested(), estimate_requested(): as named.
        delete_requested(str): an own preset is to go.
    """

    chosen = Signal(object)
    save_requested = Signal()
    delete_requested = Signal(str)
    import_requested = Signal()
    export_requested = Signal()
    estimate_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._presets: tuple[Preset, ...] = ()
        self._recipe = Recipe()
        self._editable = True
        self._estimate = ""
        self._box = QComboBox()
        self._box.setPlaceholderText("Custom recipe")
        self._box.setAccessibleName("Preset")
        self._box.setToolTip("Recipes by name: the default, the bundled models' and your own")
        self._box.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self._box.setMinimumContentsLength(12)
        self._box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        spare_from_wheel(self._box)
        self._box.activated.connect(self._on_activated)
        menu = QMenu(self)
        menu.addAction("Save as Preset…").triggered.connect(self.save_requested)
        self._delete = menu.addAction("Delete Preset")
        self._delete.triggered.connect(self._on_delete)
        menu.addSeparator()
        self._import = menu.addAction("Import Recipe…")
        self._import.triggered.connect(self.import_requested)
        menu.addAction("Export Recipe…").triggered.connect(self.export_requested)
        self._menu = QToolButton()
        self._menu.setText("⋯")
        self._menu.setAccessibleName("Recipes")
        self._menu.setToolTip("Save, delete, import or export a recipe")
        self._menu.setMenu(menu)
        self._menu.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._menu.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._ask = QPushButton("Estimate")
        self._ask.setToolTip("Estimate how long this recipe takes on this computer, and its memory")
        self._ask.clicked.connect(self.estimate_requested)
        self._line = Readout(lines=2)
        self._line.setAccessibleName("Estimate")
        self._line.hide()
        label = label_of(self._box, "Preset")
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 2, 6, 2)
        column.setSpacing(2)
        column.addLayout(row(label, self._box, self._menu, self._ask, wide=self._box, spacing=4))
        column.addWidget(self._line)
        self._show()

    def set_presets(self, presets: Sequence[Preset]) -> None:
        """Offer these."""
        self._presets = tuple(presets)
        with QSignalBlocker(self._box):
            self._box.clear()
            self._box.addItems([preset.name for preset in self._presets])
        self._show()

    def set_recipe(self, recipe: Recipe) -> None:
        """Name the recipe in the form, if it has a name; an estimate of another grows stale."""
        if recipe != self._recipe:
            self._recipe = recipe
            if self._estimate:
                self._write(f"Before the last change: {self._estimate}")
                self._line.setEnabled(False)
        self._show()

    def set_editable(self, editable: bool) -> None:
        """Allow or refuse other recipes and estimates; a run in progress keeps its own."""
        self._editable = editable
        self._ask.setEnabled(editable)
        self._box.setEnabled(editable)
        self._import.setEnabled(editable)

    def set_estimating(self) -> None:
        """Say that an estimate is on its way."""
        self._estimate = ""
        self._write("Estimating: running a few steps…")

    def set_estimate(self, estimate: Estimate) -> None:
        """Show what the recipe in the form would cost."""
        self._estimate = (
            f"{format_seconds(estimate.epoch_seconds)} an epoch, "
            f"{format_duration(estimate.run_seconds)} in all · "
            f"{format_bytes(estimate.memory_bytes)} of memory · "
            f"{format_bytes(estimate.snapshot_bytes)} of snapshots · "
            f"{estimate.parameters:,} parameters · {estimate.steps_per_epoch:,} steps an epoch"
        )
        self._write(self._estimate)

    def set_no_estimate(self, reason: str = "") -> None:
        """Say why there is none, or take it away."""
        self._estimate = ""
        self._write(f"No estimate: {reason}" if reason else "")

    def _write(self, text: str) -> None:
        self._line.setEnabled(True)
        self._line.set_text(text)
        self._line.setToolTip(text)
        self._line.setVisible(bool(text))

    def _show(self) -> None:
        found = [row for row, preset in enumerate(self._presets) if preset.recipe == self._recipe]
        here = self._box.currentIndex()
        # Of several of the same recipe the one that was chosen stays.
        row = here if here in found else found[0] if found else -1
        with QSignalBlocker(self._box):
            self._box.setCurrentIndex(row)
        self._delete.setEnabled(row >= 0 and self._presets[row].own)

    def _on_activated(self, row: int) -> None:
        self.chosen.emit(self._presets[row].recipe)

    def _on_delete(self) -> None:
        self.delete_requested.emit(self._box.currentText())


def format_seconds(seconds: float) -> str:
    """A short duration with two digits below ten seconds, such as "0.84 s"."""
    return f"{seconds:.2g} s" if seconds < 9.95 else format_duration(seconds)
