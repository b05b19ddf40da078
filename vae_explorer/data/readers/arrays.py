"""NumPy's files: the arrays of a NPZ, and a NPY with those beside it."""

import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vae_explorer.data.readers.found import (
    Check,
    Found,
    Part,
    columns_of,
    shown_path,
    split_in,
)
from vae_explorer.data.reading import NONE, Reading, Skipped
from vae_explorer.data.scratch import scratch
from vae_explorer.data.tables import Column
from vae_explorer.errors import DataError
from vae_explorer.types import OneSplit

MOST_BYTES = 1 << 33
_CHUNK = 1 << 22
_READ_HEADER = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
_VAL = re.compile(r"(?<![A-Za-z])(?:val|valid|validation)(?![A-Za-z])", re.IGNORECASE)
_CLASSES = ("classes", "class_names", "label_names")
_LABEL_WORDS = ("label", "labels", "target", "targets", "class", "classes", "y")


class _Header(NamedTuple):
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool

    @property
    def bytes(self) -> int:
        size = self.dtype.itemsize
        for side in self.shape:
            size *= side
        return size

    @property
    def holds_images(self) -> bool:
        return self.dtype.kind in "buif" and (
            len(self.shape) in (3, 4, 5) or (len(self.shape) == 2 and self.shape[1] >= 16)
        )


def find_npz(path: Path, reading: Reading, check: Check) -> Found:
    """The images in a NPZ file, whatever their name.

    Raises:
        DataError: the file is damaged or has no array of images.
    """
    try:
        with zipfile.ZipFile(path) as file:
            skipped: list[Skipped] = []
            headers: dict[str, _Header] = {}
            for info in file.infolist():
                key = info.filename.removesuffix(".npy")
                check()
                try:
                    with file.open(info) as member:
                        header = _header(member)
                        place = member.tell()
                    if header.dtype.hasobject:
                        skipped.append(Skipped(key, "is pickled, which is never opened"))
                    elif place + header.bytes != info.file_size:
                        raise DataError(
                            f"{shown_path(path)}: the header of '{key}' announces {header.bytes:,} "
                            f"bytes, but {info.file_size - place:,} follow; the file is damaged."
                        )
                    else:
                        headers[key] = header
                except (ValueError, NotImplementedError, RuntimeError) as error:
                    skipped.append(Skipped(key, f"is no array: {error}"[:120]))

            def load(key: str) -> NDArray[Any]:
                return _load(file, file.getinfo(_member(file, key)), headers[key], path, check)

            return _found(path, "npz", path.stem, headers, load, skipped, reading)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
        raise DataError(f"{shown_path(path)} is damaged: {error}; fetch the file again.") from error


def find_npy(path: Path, reading: Reading, check: Check) -> Found:
    """The images in a NPY file, with labels or the other split in files beside it by name.

    Raises:
        DataError: the file is damaged or holds no images.
    """
    check()
    headers, skipped = dict[str, _Header](), list[Skipped]()
    own = path.stem
    for file in [path, *sorted(path.parent.glob("*.npy"))]:
        if file.stem in headers or not (file == path or _related(own, file.stem)):
            continue
        try:
            with file.open("rb") as stream:
                header = _header(stream)
                place = stream.tell()
            size = file.stat().st_size
            if header.dtype.hasobject:
                raise ValueError("is pickled, which is never opened")
            if place + header.bytes != size:
                raise ValueError(
                    f"the header announces {header.bytes:,} bytes, but {size - place:,} follow"
                )
            headers[file.stem] = header
        except (ValueError, EOFError, OSError) as error:
            if file == path:
                raise DataError(f"{shown_path(path)} cannot be read: {error}.") from error
            skipped.append(Skipped(shown_path(file.name), str(error)[:120]))

    def load(key: str) -> NDArray[Any]:
        file = path.parent / f"{key}{path.suffix}"
        mode: Any = "r" if headers[key].bytes else None  # nothing cannot be mapped
        loaded: NDArray[Any] = np.load(file, mmap_mode=mode, allow_pickle=False)
        return loaded

    if not headers[own].holds_images:
        raise DataError(_no_images(path, headers))
    chosen = reading if reading.images else replace(reading, images=own)
    return _found(path, "npy", own, headers, load, skipped, chosen)


def _related(own: str, other: str) -> bool:
    """Whether a name beside seems to be of the same data: the same but for words of the kind."""
    words = (
        r"(?<![A-Za-z])(?:images?|imgs?|x|data|pixels|labels?|targets?|y|train|test)(?![A-Za-z])"
    )
    bare = [re.sub(rf"{words}|[-_. ]", "", name.lower()) for name in (own, other)]
    return own != other and bare[0] == bare[1]


def _header(stream: IO[bytes]) -> _Header:
    version = np.lib.format.read_magic(stream)
    if version not in _READ_HEADER:
        raise ValueError(f"version {version[0]}.{version[1]} of the format is not known")
    try:
        shape, fortran, dtype = _READ_HEADER[version](stream)
    except Exception as error:  # of a damaged one NumPy's parser raises anything
        raise ValueError(f"its header is damaged ({error})"[:120]) from error
    if min(shape, default=0) < 0:
        raise ValueError(f"its shape is {shape}")
    return _Header(shape, dtype, fortran)


def _member(file: zipfile.ZipFile, key: str) -> str:
    return next(name for name in file.namelist() if name.removesuffix(".npy") == key)


def _load(
    file: zipfile.ZipFile, info: zipfile.ZipInfo, header: _Header, path: Path, check: Check
) -> NDArray[Any]:
    if header.bytes > MOST_BYTES:
        raise DataError(
            f"{shown_path(path)}: '{info.filename}' has {header.bytes:,} bytes, more than the "
            f"{MOST_BYTES:,} that are read; save it as NPY."
        )
    with file.open(info) as member:
        shape, dtype, fortran = _header(member)
        raw = scratch((header.bytes,))
        at = 0
        while chunk := member.read(_CHUNK):
            check()
            raw[at : at + len(chunk)] = np.frombuffer(chunk, np.uint8)
            at += len(chunk)
    values = raw.view(dtype) if raw.size else np.empty(0, dtype)
    return values.reshape(shape[::-1]).T if fortran else values.reshape(shape)


def _no_images(path: Path, headers: Mapping[str, _Header]) -> str:
    has = "; ".join(
        f"'{key}' {header.dtype} {header.shape}" for key, header in [*headers.items()][:8]
    )
    return (
        f"{shown_path(path)} has no images, which are numbers (n, height, width), (n, height, "
        f"width, 3) or (n, pixels); it has {has or 'no array'}."
    )


def _found(
    path: Path,
    kind: Any,
    name: str,
    headers: Mapping[str, _Header],
    load: Any,
    skipped: list[Skipped],
    reading: Reading,
) -> Found:
    keys = [key for key, header in headers.items() if header.holds_images and header.shape[0]]
    if not keys:
        raise DataError(_no_images(path, headers))
    if reading.images and reading.images not in keys:
        raise DataError(
            f"{shown_path(path)} has no images '{reading.images}'; choose one of {', '.join(keys)}."
        )
    chosen = reading.images or max(
        keys,
        key=lambda key: (
            len(headers[key].shape) > 2,
            split_in(key) == "train" and not _VAL.search(key),
            not _words(key) & {*_LABEL_WORDS},
            headers[key].bytes,
        ),
    )
    parts, notes = [], []
    labels_chosen = reading.labels
    label_key = ""
    for key, split in _splits(chosen, keys):
        count = headers[key].shape[0]
        own = [other for other, its in headers.items() if its.shape[:1] == (count,)]
        of_split = [
            other for other in own if other not in keys and split_in(other) == split_in(key)
        ]
        if key == chosen:
            labels = _label_key(labels_chosen, path, of_split, headers)
            label_key = labels or ""
        else:
            labels = _renamed(label_key, of_split) if label_key else None
        columns: dict[str, Column] = {}
        for other in of_split:
            if other != labels and len(headers[other].shape) <= 2:
                title = _VAL.sub("", re.sub(r"(?i)(train|test)", "", other)).strip("-_ ")
                columns |= columns_of(title or other, load(other))
        parts.append(Part(load(key), load(labels) if labels else None, split, columns))
        if _VAL.search(key):
            notes.append(f"'{key}' joins the images to train on.")
    if any(part.split for part in parts) and not all(part.split for part in parts):
        parts = [Part(p.images, p.labels, p.split or "train", p.columns) for p in parts]
    of_images = [key for key in headers if headers[key].shape[:1] == headers[chosen].shape[:1]]
    label_keys = [
        key
        for key in of_images
        if key not in (*keys, *_CLASSES) and len([s for s in headers[key].shape if s != 1]) <= 1
    ]
    return Found(
        kind,
        shown_path(name),
        tuple(sorted(parts, key=lambda part: part.split == "test")),
        classes=_classes(headers, load),
        skipped=tuple(skipped),
        skipped_count=len(skipped),
        notes=tuple(notes),
        image_keys=tuple(dict.fromkeys((chosen, *keys))),
        label_keys=tuple(dict.fromkeys((label_key or NONE, *label_keys, NONE))),
    )


def _classes(headers: Mapping[str, _Header], load: Any) -> tuple[str, ...]:
    """The names of the classes, where an array of texts holds them."""
    for key, header in headers.items():
        if key in _CLASSES and header.dtype.kind == "U" and len(header.shape) == 1:
            return tuple(map(str, load(key).tolist()))
    return ()


def _words(key: str) -> set[str]:
    return {*re.split(r"[^a-z]+", key.lower())}


def _splits(chosen: str, keys: list[str]) -> list[tuple[str, OneSplit | Any]]:
    """The chosen images and those of the other splits, whose names differ in that word alone."""
    bare = re.sub(r"(?i)train|test", "", _VAL.sub("", chosen))
    if not split_in(chosen):
        return [(chosen, "")]
    alike = [key for key in keys if re.sub(r"(?i)train|test", "", _VAL.sub("", key)) == bare]
    return [(key, split_in(key)) for key in sorted(alike, key=lambda key: key != chosen)]


def _label_key(
    wanted: str, path: Path, keys: list[str], headers: Mapping[str, _Header]
) -> str | None:
    if wanted == NONE:
        return None
    fit = [
        key
        for key in keys
        if headers[key].dtype.kind in "buifU"
        and len([s for s in headers[key].shape if s != 1]) <= 1
    ]
    if wanted:
        if wanted not in fit:
            raise DataError(
                f"{shown_path(path)} has no labels '{wanted}' of these images; choose one of "
                f"{', '.join((*fit, NONE))}."
            )
        return wanted
    named = [key for key in fit if _words(key) & {*_LABEL_WORDS}]
    return named[0] if named else None


def _renamed(label: str, keys: list[str]) -> str | None:
    bare = re.sub(r"(?i)train|test", "", _VAL.sub("", label))
    return next(
        (other for other in keys if re.sub(r"(?i)train|test", "", _VAL.sub("", other)) == bare),
        None,
    )
