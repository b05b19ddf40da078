"""Parquet and Arrow as Hugging Face's `datasets` writes them; needs pyarrow."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from vae_explorer.data.readers.found import Check, Found, Part, columns_of, shown_path, split_in
from vae_explorer.data.reading import NONE, Reading
from vae_explorer.data.tables import Column
from vae_explorer.errors import DataError
from vae_explorer.schema import parse_json
from vae_explorer.shell import install_line
from vae_explorer.types import OneSplit

_SUFFIXES = (".parquet", ".arrow")
_IMAGE, _LABEL = ("image", "img", "images", "pixel_values"), ("label", "labels", "class", "target")


class Encoded:
    """Pictures as bytes."""

    def __init__(self, values: Sequence[Any]) -> None:
        self._values = values

    def __len__(self) -> int:
        return len(self._values)

    def name(self, index: int) -> str:
        """The number of the row."""
        return f"row {index:,}"

    def open(self, index: int) -> Image.Image:
        """The picture in a row."""
        value = self._values[index].as_py()
        value = value.get("bytes") if isinstance(value, dict) else value
        if not isinstance(value, bytes):
            raise DataError("holds no bytes of a picture, but the path of a file elsewhere")
        return Image.open(io.BytesIO(value))


def is_parquet_folder(folder: Path) -> bool:
    """Whether a folder holds Parquet files, or a data set that `datasets` saved."""
    return bool(_files(folder))


def find_parquet(path: Path, reading: Reading, check: Check) -> Found:
    """The pictures in a Parquet file, or in a folder of such files, nested or not.

    Raises:
        DataError: pyarrow is not installed, a file is damaged, or no column holds pictures.
    """
    try:
        import pyarrow
        from pyarrow import ipc, parquet
    except ImportError:
        raise DataError(
            f"{shown_path(path)} is read by pyarrow, which is not installed: "
            f"{install_line('parquet')}."
        ) from None
    files = _files(path) if path.is_dir() else [path]
    tables: dict[OneSplit | Literal[""], list[Any]] = {}
    for file in files:
        check()
        inner = file.relative_to(path) if path.is_dir() else Path(file.name)
        split = split_in(" ".join(inner.with_suffix("").parts))
        try:
            if file.suffix == ".arrow":
                with pyarrow.memory_map(str(file)) as source:
                    try:
                        table = ipc.open_stream(source).read_all()
                    except pyarrow.ArrowInvalid:
                        table = ipc.open_file(source).read_all()
            else:
                table = parquet.ParquetFile(file, memory_map=True).read()
        except (pyarrow.ArrowException, OSError, ValueError) as error:
            raise DataError(f"{shown_path(file)} is damaged: {error}"[:300]) from error
        tables.setdefault(split, []).append(table)
    joined: dict[OneSplit | Literal[""], Any] = {}
    for split, some in tables.items():
        try:
            joined[split] = pyarrow.concat_tables(some, promote_options="default")
        except pyarrow.ArrowException as error:
            raise DataError(
                f"{shown_path(path)} has files of different columns: {error}"[:300]
            ) from error
    first = next(iter(joined.values()))
    images = [name for name in first.column_names if _holds_images(first.schema.field(name).type)]
    if not images or (reading.images and reading.images not in images):
        raise DataError(
            f"{shown_path(path)} has no column of pictures{_named(reading.images)}; its "
            f"columns are {', '.join(first.column_names)}."
        )
    key = reading.images or min(images, key=lambda name: name not in _IMAGE)
    flat = [name for name in first.column_names if _is_flat(first.schema.field(name).type)]
    named = [name for name in _LABEL if name in flat]
    label = reading.labels or (named[0] if named else NONE)
    if label != NONE and label not in flat:
        raise DataError(f"{shown_path(path)} has no column '{label}' of labels.")
    parts = []
    for split, table in joined.items():
        columns: dict[str, Column] = {}
        for name in flat:
            if name != label and name in table.column_names:
                columns |= columns_of(name, _values(table.column(name)))
        labels = None if label == NONE else _values(table.column(label))
        parts.append(Part(Encoded(table.column(key)), labels, split, columns))
    if any(part.split for part in parts):
        parts = [Part(p.images, p.labels, p.split or "train", p.columns) for p in parts]
    return Found(
        "parquet",
        shown_path(path.stem),
        tuple(sorted(parts, key=lambda part: part.split == "test")),
        classes=_class_names(first.schema.metadata, label),
        image_keys=tuple(dict.fromkeys((key, *images))),
        label_keys=tuple(dict.fromkeys((label, *flat, NONE))),
    )


def _files(folder: Path) -> list[Path]:
    """The files of a data set in a folder; what `datasets` keeps as a cache is none of it."""
    return sorted(
        path
        for suffix in _SUFFIXES
        for path in folder.rglob(f"*{suffix}")
        if path.is_file() and not path.name.startswith((".", "cache-"))
    )


def _named(name: str) -> str:
    return f" '{name}'" if name else ""


def _holds_images(kind: Any) -> bool:
    from pyarrow import types

    if types.is_struct(kind):
        return any(kind.field(at).name == "bytes" for at in range(kind.num_fields))
    return bool(types.is_binary(kind) or types.is_large_binary(kind))


def _is_flat(kind: Any) -> bool:
    from pyarrow import types

    return bool(
        types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_boolean(kind)
        or types.is_string(kind)
        or types.is_large_string(kind)
    )


def _values(column: Any) -> Any:
    values = column.to_pylist()
    if any(isinstance(value, str) for value in values):
        return np.array([value or "" for value in values])
    return np.array([np.nan if value is None else value for value in values])


def _class_names(metadata: Any, label: str) -> tuple[str, ...]:
    """What `datasets` calls the classes, in the text it keeps beside the schema."""
    text = (metadata or {}).get(b"huggingface")
    if not text:
        return ()
    try:
        said: Any = parse_json(text, "huggingface", DataError)
        names = said["info"]["features"][label]["names"]
    except (DataError, KeyError, TypeError):
        return ()
    names = names if isinstance(names, list) else []
    return tuple(map(str, names)) if len(set(map(str, names))) == len(names) else ()
