"""What tests of dialogs that are forms share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QFormLayout

from vae_explorer.data.table_layout import TableDraft, TableLayout
from vae_explorer.gui.dialogs.form import FormDialog
from vae_explorer.gui.dialogs.selection import FindImageDialog, NameDialog, NearestImagesDialog
from vae_explorer.gui.dialogs.table import TableDialog
from vae_explorer.types import Split

Open = Callable[..., Any]
"""Shows a dialog of this kind, made with these arguments or with its ``ARGUMENTS``."""

SIZES: dict[Split, int] = {"train": 4, "test": 2, "both": 6}
TABLE = (
    "split;index;cluster;z;name\n",
    *(f"train;{row};{row % 2};{row},5;{row}{'abcdefghijkl'[row % 12]}\n" for row in range(24)),
)
"""Of which a column has too many names."""
ARGUMENTS: dict[type[FormDialog], tuple[object, ...]] = {
    FindImageDialog: ({"train": 60_000, "test": 10_000}, "train"),
    NearestImagesDialog: (),
    NameDialog: ("Name Selection", ["twos"]),
    TableDialog: (
        TableDraft(
            Path("/nowhere/table.csv"), (), TableLayout(), SIZES, "train", TABLE, True, 99
        ).read_with(";", ""),
    ),
}
"""What each kind of dialog is made with."""


def field(dialog: FormDialog, label: str) -> Any:
    form = dialog.findChild(QFormLayout)
    for row in range(form.rowCount()):
        item = form.itemAt(row, QFormLayout.ItemRole.LabelRole)
        if item and item.widget().text() == label:
            return form.itemAt(row, QFormLayout.ItemRole.FieldRole).widget()
    raise AssertionError(f"no field {label}")
