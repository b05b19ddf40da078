"""Tables of what is known of images, a row each, for other programs and for our own map."""

import csv
import io
from collections.abc import Mapping
from typing import Any
from zipfile import ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray

from vae_explorer.data.dataset import Dataset
from vae_explorer.data.tables import Column, Numbers
from vae_explorer.errors import ExportError
from vae_explorer.number_format import AXES, plain
from vae_explorer.shell import install_line
from vae_explorer.types import Floats, Int64, Labels, Split

Columns = dict[str, NDArray[Any]]
"""By name, each (n,) of numbers or texts."""


def table_content(
    columns: Mapping[str, NDArray[Any]], suffix: str, numbers: str = "plain"
) -> bytes:
    """One row a point under a header, the same bytes for the same columns.

    Numbers have as many digits as it takes to read them back to the same bits of their own type.

    Args:
        columns: see ``Columns``.
        suffix: ".parquet", ".npz", ".tsv", or any other for CSV.
        numbers: of text, "plain" for programs; "point" or "comma" for Excel, of a country where a
            half is 0.5 or 0,5: with a byte-order mark, semicolons beside commas, and empty cells
            for what is not known.

    Raises:
        ExportError: the columns differ in length, or pyarrow is not installed.
    """
    if len({len(column) for column in columns.values()}) > 1:
        lengths = ", ".join(f"{one} {len(column):,}" for one, column in columns.items())
        raise ExportError(f"The columns of a table differ in length: {lengths}.")
    content = io.BytesIO()
    match suffix:
        case ".parquet":
            _write_parquet(columns, content)
        case ".npz":
            _write_npz(columns, content)
        case _:
            cut = "\t" if suffix == ".tsv" else ";" if numbers == "comma" else ","
            content.write(_text(columns, cut, numbers).encode())
    return content.getvalue()


def moment_columns(mean: Floats, covariance: Floats, axes: tuple[str, str] = AXES) -> Columns:
    """Means (n, 2), by the names of the coordinates, and covariances (n, 2, 2) as columns."""
    return {
        plain(axes[0]): mean[:, 0],
        plain(axes[1]): mean[:, 1],
        "var1": covariance[:, 0, 0],
        "cov12": covariance[:, 0, 1],
        "var2": covariance[:, 1, 1],
    }


def class_columns(labels: Labels, classes: tuple[str, ...]) -> Columns:
    """The names of classes beside their numbers, where they are other than these."""
    if classes == tuple(map(str, range(len(classes)))):
        return {}
    return {"class": np.array(classes)[labels]}


def point_columns(
    data: Dataset,
    split: Split,
    rows: Int64,
    mean: Floats,
    covariance: Floats,
    figures: Mapping[str, Floats],
    table: Mapping[str, Column],
    remark: str,
    axes: tuple[str, str] = AXES,
) -> Columns:
    """All that is known of images, which ``split`` and ``index`` name.

    Args:
        data: the images.
        split: of them.
        rows: (n,), which of the split.
        mean: (n, 2).
        covariance: (n, 2, 2).
        figures: by name, (n,) each.
        table: a user's columns, of all images as in ``read_table``; the data's own come before.
            One of a name that is taken already gets ``_own`` behind it.
        remark: what has to be said of the figures, if anything.
        axes: the names of the coordinates.
    """
    images = data.of(split)
    origins = [data.origin(split, row) for row in rows.tolist()]
    columns: Columns = {
        "split": np.array([one for one, _ in origins], "U5"),
        "index": np.array([index for _, index in origins], np.int64),
    }
    if images.labels is not None:
        labels = images.labels[rows]
        columns |= {"label": labels} | class_columns(labels, data.classes)
    columns |= moment_columns(mean, covariance, axes) | dict(figures)
    own = [(name, column, rows) for name, column in images.columns.items()]
    everywhere = data.in_both(split, rows)
    for name, column, at in own + [(*one, everywhere) for one in table.items()]:
        while name in columns:
            name = f"{name}_own"
        columns[name] = _cells(column, at)
    return columns | ({"remark": np.full(len(rows), remark)} if remark else {})


def _cells(column: Column, rows: Int64) -> NDArray[Any]:
    if isinstance(column, Numbers):
        return column.values[rows]
    return np.array([*column.names, ""])[column.codes[rows]]  # −1, of nothing, is the last


def _text(columns: Mapping[str, NDArray[Any]], cut: str, numbers: str) -> str:
    cells = []
    for column in columns.values():
        texts = column.astype(str).tolist()
        if numbers != "plain" and column.dtype.kind == "f":
            texts = ["" if one == "nan" else one for one in texts]
            if numbers == "comma":
                texts = [one.replace(".", ",") for one in texts]
        cells.append(texts)
    text = io.StringIO("" if numbers == "plain" else "\ufeff")
    text.seek(0, io.SEEK_END)
    writer = csv.writer(text, delimiter=cut, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*cells, strict=True))
    return text.getvalue()


def _write_npz(columns: Mapping[str, NDArray[Any]], target: io.BytesIO) -> None:
    with ZipFile(target, "w") as archive:  # NumPy's own refuses a column called "file"
        for name, column in columns.items():
            with archive.open(ZipInfo(f"{name}.npy"), "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, column, allow_pickle=False)


def _write_parquet(columns: Mapping[str, NDArray[Any]], target: io.BytesIO) -> None:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise ExportError(
            f"Parquet is written by pyarrow, which is not installed: {install_line('parquet')}."
        ) from None
    parquet.write_table(pyarrow.table(dict(columns)), target)
