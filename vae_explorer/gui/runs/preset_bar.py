"""Recipes by name, files of recipes, and what a recipe costs."""

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QMenu,
    QSizePolicy,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from vae_explorer.gui.theme import MARGIN, SPACE
from vae_explorer.gui.training.progress_text import format_bytes, format_duration
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.gui.widgets.rows import label_of, row
from vae_explorer.gui.widgets.wheel_guard import spare_from_wheel
from vae_explorer.training.estimate import Estimate
from vae_explorer.training.presets import Preset
from vae_explorer.training.recipe import Recipe

_ABOUT = Qt.ItemDataRole.UserRole


class PresetBar(QWidget):
    """A choice of presets, a menu of what can be done with recipes, and what the recipe costs.

    Signals:
        chosen(Preset): a person took a preset.
        save_requested(), import_requested(), export_requested(): as named.
        delete_requested(str): an own preset is to go.
    """

    chosen = Signal(object)
    save_requested = Signal()
    delete_requested = Signal(str)
    import_requested = Signal()
    export_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._presets: tuple[Preset, ...] = ()
        self._recipe = Recipe()
        self._box = QComboBox()
        self._box.setPlaceholderText("Custom recipe")
        self._box.setAccessibleName("Recipe")
        self._box.setToolTip(
            "What Start trains: a recipe of the program, with the time it took on two cores and "
            "what it reached, or one of your own"
        )
        self._box.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self._box.setMinimumContentsLength(12)
        self._box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._box.setItemDelegate(_WithFacts(self._box))
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
        self._line = Readout(lines=2, growing=True)
        self._line.setAccessibleName("Estimate")
        label = label_of(self._box, "Recipe")
        column = QVBoxLayout(self)
        column.setContentsMargins(MARGIN, 0, MARGIN, 0)
        column.setSpacing(SPACE)
        column.addLayout(row(label, self._box, self._menu, wide=self._box, spacing=SPACE))
        column.addWidget(self._line)
        self._show()

    def set_presets(self, presets: Sequence[Preset]) -> None:
        """Offer these."""
        self._presets = tuple(presets)
        with QSignalBlocker(self._box):
            self._box.clear()
            for number, preset in enumerate(self._presets):
                self._box.addItem(preset.name)
                self._box.setItemData(number, " · ".join((preset.name, *_facts(preset))), _ABOUT)
        view = self._box.view()
        view.setMinimumWidth(view.sizeHintForColumn(0) + 2 * view.frameWidth())
        self._show()
        self.set_no_estimate()

    def set_recipe(self, recipe: Recipe) -> None:
        """Name the recipe in the form, if it has a name."""
        other, self._recipe = recipe != self._recipe, recipe
        self._show()
        if other:
            self.set_no_estimate()

    @property
    def recipe(self) -> Recipe:
        """The recipe in the form, as far as it is understood."""
        return self._recipe

    @property
    def preset(self) -> Preset | None:
        """The one whose recipe is in the form."""
        row = self._box.currentIndex()
        return self._presets[row] if row >= 0 else None

    def set_editable(self, editable: bool) -> None:
        """Allow or refuse other recipes; a run in progress keeps its own."""
        self._box.setEnabled(editable)
        self._import.setEnabled(editable)

    def set_estimating(self) -> None:
        """Say that an estimate is on its way."""
        self._write("Estimating: running a few steps…")

    def set_estimate(self, estimate: Estimate) -> None:
        """Show what the recipe in the form costs."""
        figure = self.preset.figure if self.preset else ""
        self._write_facts(
            f"About {format_duration(estimate.run_seconds)} here",
            figure and f"{figure} held out",
            f"{format_bytes(estimate.disk_bytes)} on disk",
            f"{format_bytes(estimate.memory_bytes)} of memory",
            more=f"On this computer, beside the window: {format_seconds(estimate.epoch_seconds)} "
            f"an epoch of {estimate.steps_per_epoch:,} steps; {estimate.parameters:,} parameters.\n"
            "On disk: the model, what resumes the run, and "
            f"{format_bytes(estimate.snapshot_bytes)} of snapshots for the timeline.",
        )

    def set_no_estimate(self, reason: str = "") -> None:
        """Say why there is none; or show what was measured elsewhere, if anything was."""
        preset = self.preset
        if reason or preset is None:
            self._write(reason and f"No estimate: {reason}")
            return
        time = "" if preset.seconds is None else f"{format_duration(preset.seconds)} on two cores"
        self._write_facts(time, preset.figure and f"{preset.figure} held out")

    def _write_facts(self, *facts: str, more: str = "") -> None:
        """Show some in a line that is broken between them alone."""
        given = [fact for fact in facts if fact]
        self._write(" · ".join(fact.replace(" ", "\N{NO-BREAK SPACE}") for fact in given))
        self._line.setToolTip("\n".join(filter(None, (" · ".join(given), more))))

    def _write(self, text: str) -> None:
        self._line.set_text(text)
        self._line.setToolTip(text)

    def _show(self) -> None:
        found = [row for row, preset in enumerate(self._presets) if preset.recipe == self._recipe]
        here = self._box.currentIndex()
        # Of several of the same recipe the one that was chosen stays.
        row = here if here in found else found[0] if found else -1
        with QSignalBlocker(self._box):
            self._box.setCurrentIndex(row)
        self._delete.setEnabled(row >= 0 and self._presets[row].own)

    def _on_activated(self, row: int) -> None:
        self.chosen.emit(self._presets[row])

    def _on_delete(self) -> None:
        self.delete_requested.emit(self._box.currentText())


class _WithFacts(QStyledItemDelegate):
    """Writes more of a preset into the list than its box has room for."""

    @override
    def initStyleOption(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        super().initStyleOption(option, index)
        option.text = index.data(_ABOUT)


def _facts(preset: Preset) -> tuple[str, ...]:
    """What was measured of a preset."""
    time = "" if preset.seconds is None else format_duration(preset.seconds)
    return tuple(filter(None, (time, preset.figure)))


def format_seconds(seconds: float) -> str:
    """A short duration with two digits below ten seconds, such as "0.84 s"."""
    return f"{seconds:.2g} s" if seconds < 9.95 else format_duration(seconds)
