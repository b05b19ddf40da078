"""Dialogs that ask what to export and where to."""

import os
from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QWidget,
)
from typing_extensions import override

from vae_explorer.export.requests import ManifoldRequest
from vae_explorer.gui.dialogs.ask_path import PNG, ask_save, may_write
from vae_explorer.session.state import LATENT_LIMIT


class _ExportDialog(QDialog):
    """A form with a size line, a file line and the two usual buttons."""

    def __init__(self, title: str, path: Path, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.form = QFormLayout(self)
        self._size = QLabel()
        self._replaced: Path | None = None  # a person has said that it may be
        self._file = QLineEdit(str(path))
        self._file.setAccessibleName("File")
        self._file.setMinimumWidth(320)
        browse = QPushButton("Browse…")
        browse.clicked.connect(self._browse)
        row = QHBoxLayout()
        row.addWidget(self._file, 1)
        row.addWidget(browse)
        self._buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel
        )
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        self._file.textChanged.connect(self._check)
        self._row = row

    def finish_form(self) -> None:
        """Add the lines every export has, under those a subclass added."""
        self.form.addRow("Size", self._size)
        self.form.addRow("File", self._row)
        self.form.addRow(self._buttons)

    @property
    def path(self) -> Path:
        """The chosen file; ".png" is added where it was not typed."""
        return PNG.named(Path(self._typed))

    @property
    def _typed(self) -> str:
        # Unlike pathlib's, this one takes a "~somebody" whom nobody knows.
        return os.path.expanduser(self._file.text().strip())

    def show_size(self, width: int, height: int) -> None:
        """Tell how large the picture will be, in pixels."""
        self._size.setText(f"{width:,} × {height:,} pixels")

    @Slot()
    def _check(self) -> None:
        name = os.path.basename(self._typed)
        save = self._buttons.button(QDialogButtonBox.StandardButton.Save)
        save.setEnabled(name not in ("", ".", "..") and not os.path.isdir(self._typed))

    @Slot()
    def _browse(self) -> None:
        path = ask_save(self, self.windowTitle(), Path(self._file.text()), PNG)
        if path is not None:
            self._file.setText(str(path))
            self._replaced = path

    @override
    def accept(self) -> None:
        if self.path == self._replaced or may_write(self, self.path):
            super().accept()


def _whole(low: int, high: int, value: int, suffix: str) -> QSpinBox:
    box = QSpinBox()
    box.setRange(low, high)
    box.setValue(value)
    box.setSuffix(suffix)
    return box


class DigitExportDialog(_ExportDialog):
    """Asks for the scale of the decoded image."""

    export_requested = Signal(object, int)
    """Path, scale."""

    def __init__(self, path: Path, image_shape: tuple[int, int], parent: QWidget) -> None:
        super().__init__("Export Image", path, parent)
        self._shape = image_shape
        self._scale = _whole(1, 200, 10, " ×")
        self._scale.valueChanged.connect(self._on_changed)
        self.form.addRow("Scale", self._scale)
        self.finish_form()
        self._on_changed()
        self.accepted.connect(self._on_accepted)

    @Slot()
    def _on_changed(self) -> None:
        scale = self._scale.value()
        self.show_size(self._shape[1] * scale, self._shape[0] * scale)

    @Slot()
    def _on_accepted(self) -> None:
        self.export_requested.emit(self.path, self._scale.value())


class ManifoldExportDialog(_ExportDialog):
    """Asks for the grid of a manifold sheet."""

    export_requested = Signal(object, object)
    """Path, ``ManifoldRequest``."""

    def __init__(self, path: Path, image_shape: tuple[int, int], parent: QWidget) -> None:
        super().__init__("Export Manifold", path, parent)
        self._shape = image_shape
        start = ManifoldRequest()
        self._n = _whole(1, 200, start.n, " images a side")
        self._spacing = QComboBox()
        self._spacing.addItem("Quantiles of the prior (equal mass)", "quantile")
        self._spacing.addItem("Even steps over a range", "linear")
        self._extent = QDoubleSpinBox()
        self._extent.setRange(0.1, LATENT_LIMIT)
        self._extent.setSingleStep(0.5)
        self._extent.setValue(start.extent)
        self._extent.setPrefix("± ")
        self._scale = _whole(1, 20, start.scale, " ×")
        self.form.addRow("Grid", self._n)
        self.form.addRow("Spacing", self._spacing)
        self.form.addRow("Range", self._extent)
        self.form.addRow("Scale", self._scale)
        self.finish_form()
        self._n.valueChanged.connect(self._on_changed)
        self._scale.valueChanged.connect(self._on_changed)
        self._spacing.currentIndexChanged.connect(self._on_changed)
        self.accepted.connect(self._on_accepted)
        self._on_changed()

    @property
    def request(self) -> ManifoldRequest:
        """What the form says now."""
        return ManifoldRequest(
            self._n.value(), self._spacing.currentData(), self._extent.value(), self._scale.value()
        )

    @Slot()
    def _on_changed(self) -> None:
        side = self._n.value() * self._scale.value()
        self.show_size(self._shape[1] * side, self._shape[0] * side)
        self._extent.setEnabled(self._spacing.currentData() == "linear")

    @Slot()
    def _on_accepted(self) -> None:
        self.export_requested.emit(self.path, self.request)
