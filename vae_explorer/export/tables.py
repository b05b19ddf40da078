"""Points as CSV files."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from vae_explorer.errors import ExportError
from vae_explorer.export.content import export_content


def export_points(path: Path, columns: Mapping[str, NDArray[Any]]) -> None:
    """Write one line a point under a header, as UTF-8.

    Numbers have as many digits as it takes to read them back to the same bits of their own type.

    Args:
        path: the file.
        columns: by name, each (n,) of numbers or texts.

    Raises:
        ExportError: the columns differ in length, or the file cannot be written.
    """
    if len({len(column) for column in columns.values()}) > 1:
        lengths = ", ".join(f"{name} {len(column):,}" for name, column in columns.items())
        raise ExportError(f"The columns of {path} differ in length: {lengths}.")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    export_content(path, text.getvalue().encode())
