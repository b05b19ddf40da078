"""Dialogs that ask what to export and where to."""

import os
from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import Slot
from PySide6.QtWidgets import (
    QComboBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QWidget,
)
from typing_extensions import override

from vae_explorer.export.requests import Manifold
from vae_explorer.gui.dialogs.ask_path import PNG, ask_save, may_write
from vae_explorer.gui.dialogs.form import FormDialog
from vae_explorer.gui.widgets.number_box import NumberBox
from vae_explorer.gui.widgets.rows import row
from vae_explorer.session.explore.cursor import LATENT_LIMIT


class _ExportDialog(FormDialog):
    """A form with a size line, a file line and the two usual buttons."""

    def __init__(self, title: str, path: Path, parent: QWidget) -> None:
        super().__init__(title, "Save", parent)
        self._size = QLabel()
        self._replaced: Path | None = None  # a person has said that it may be
        self._file = QLineEdit(str(path))
        self._file.setAccessibleName("File")
        self._file.setMinimumWidth(320)
        self._file.textChanged.connect(self._check)

    def lay_out_export(self, rows: Mapping[str, QWidget]) -> None:
        """Put the rows above those that every export has."""
        browse = QPushButton("Browse…")
        browse.clicked.connect(self._browse)
        file = row(self._file, browse, wide=self._file)
        self.lay_out({**rows, "Size": self._size, "File": file})

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
        self.go.setEnabled(name not in ("", ".", "..") and not os.path.isdir(self._typed))

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


class DigitExportDialog(_ExportDialog):
    """Asks for a path and the scale of the decoded image, of height and width ``image_shape``."""

    def __init__(self, path: Path, image_shape: tuple[int, int], parent: QWidget) -> None:
        super().__init__("Export Image", path, parent)
        self._shape = image_shape
        self._scale = NumberBox(1, 200, value=10, unit="×", whole=True)
        self._scale.valueChanged.connect(self._on_changed)
        self.lay_out_export({"Scale": self._scale})
        self._on_changed()

    @override
    def values(self) -> tuple[Path, int]:
        return self.path, round(self._scale.value())

    @Slot()
    def _on_changed(self) -> None:
        scale = round(self._scale.value())
        self.show_size(self._shape[1] * scale, self._shape[0] * scale)


class ManifoldExportDialog(_ExportDialog):
    """Asks for a path and the grid of a manifold sheet."""

    def __init__(self, path: Path, image_shape: tuple[int, int], parent: QWidget) -> None:
        super().__init__("Export Manifold", path, parent)
        self._shape = image_shape
        start = Manifold()
        self._n = NumberBox(1, 200, value=start.n, unit="images per side", whole=True)
        self._spacing = QComboBox()
        self._spacing.addItem("Quantiles of the prior (equal mass)", "quantile")
        self._spacing.addItem("Even steps over a range", "linear")
        self._extent = NumberBox(0.1, LATENT_LIMIT, 0.5, value=start.extent, even=True)
        self._extent.setPrefix("± ")
        self._scale = NumberBox(1, 20, value=start.scale, unit="×", whole=True)
        rows = {"Grid": self._n, "Spacing": self._spacing, "Range": self._extent}
        self.lay_out_export({**rows, "Scale": self._scale})
        self._n.valueChanged.connect(self._on_changed)
        self._scale.valueChanged.connect(self._on_changed)
        self._spacing.currentIndexChanged.connect(self._on_changed)
        self._on_changed()

    @property
    def request(self) -> Manifold:
        """What the form says now."""
        return Manifold(
            round(self._n.value()),
            self._spacing.currentData(),
            self._extent.value(),
            round(self._scale.value()),
        )

    @override
    def values(self) -> tuple[Path, Manifold]:
        return self.path, self.request

    @Slot()
    def _on_changed(self) -> None:
        side = round(self._n.value()) * round(self._scale.value())
        self.show_size(self._shape[1] * side, self._shape[0] * side)
        self._extent.setEnabled(self._spacing.currentData() == "linear")
