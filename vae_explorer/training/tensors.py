"""Named tensors with a text header in one safetensors file: read with suspicion, written whole."""

import hashlib
import json
import math
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, BinaryIO

import torch
from msgspec import Meta
from safetensors.torch import save
from torch import Tensor

from vae_explorer import schema
from vae_explorer.errors import CheckpointError
from vae_explorer.files import atomic_write, opened
from vae_explorer.schema import check_version
from vae_explorer.training.foreign import how_to_bring

_LARGEST_FILE = 2 << 30
_LARGEST_HEADER = 16 << 20
_LOOK = 4096
_BEGINNINGS = {
    b"PK": "a PyTorch file or another ZIP archive",
    b"\x80": "a Python pickle, as older PyTorch files are",
    b"\x89HDF": "an HDF5 file",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"%PDF": "a PDF document",
    b"\x1f\x8b": "a gzip archive",
    b"\x93NUMPY": "a NumPy array",
    b"\x7fELF": "a program",
}
_FORMAT = "vae-explorer"
_TEXTS = "texts_sha256"
"""Name of the checksum of all other texts of the header."""
VERSION = 1
"""Version of the file format; a file with a larger one is refused."""


def write_tensors(path: Path, tensors: Mapping[str, Tensor], header: Mapping[str, str]) -> None:
    """Write tensors and header fields atomically, with a SHA-256 of either.

    Raises:
        CheckpointError: the disk is full or the folder cannot be written; an old file is intact.
    """
    content = tensor_file(tensors, header)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(path, content)
    except OSError as error:
        raise CheckpointError(
            f"Cannot write {path}: {error.strerror or error}. "
            "Nothing was changed; free some space or choose another folder."
        ) from error


def tensor_file(tensors: Mapping[str, Tensor], header: Mapping[str, str]) -> bytes:
    """What ``write_tensors`` writes."""
    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    metadata = dict(header) | {
        "format": _FORMAT,
        "version": str(VERSION),
        "sha256": digest(plain),
    }
    metadata[_TEXTS] = _digest_of_texts(metadata)
    return save(plain, metadata)


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read what ``write_tensors`` wrote: tensors on the CPU and the header.

    The bytes are read once, after the header was found to be ours, and never mapped, so that
    another program cutting the file short cannot take this one down.

    Raises:
        CheckpointError: missing, not a regular file, cut short, not safetensors, not ours, newer
            than this program, or damaged. The message names the file and what to do.
    """
    wanted = "a checkpoint (.safetensors)"
    with opened(path, wanted, CheckpointError, most=_LARGEST_FILE) as stream:
        texts, table = _header(path, stream)
        entries = schema.build(
            dict[str, _Entry], table, f"{path} is damaged: its header", CheckpointError
        )
        _check_layout(path, entries.values(), os.fstat(stream.fileno()).st_size - stream.tell())
        tensors = {name: _tensor(stream, entry) for name, entry in _in_order(entries)}
    if digest(tensors) != texts.get("sha256"):
        raise CheckpointError(
            f"{path} is damaged: its contents do not match the checksum stored in it. "
            "Use another copy of the file."
        )
    if _TEXTS in texts and texts[_TEXTS] != _digest_of_texts(texts):  # older files have none
        raise CheckpointError(
            f"{path} is damaged: the texts in its header do not match the checksum stored in it. "
            "Use another copy of the file."
        )
    return tensors, texts


_DTYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8,
    "U8": torch.uint8, "BOOL": torch.bool, "C64": torch.complex64,
}  # fmt: skip
_Size = Annotated[int, Meta(ge=0, le=_LARGEST_FILE)]


@dataclass(frozen=True)
class _Entry:
    """A tensor in the table of the header; its bytes are counted from the end of that."""

    dtype: Annotated[str, schema.one_of(*_DTYPES)]
    shape: tuple[_Size, ...]
    data_offsets: tuple[_Size, _Size]

    @property
    def bytes(self) -> int:
        return math.prod(self.shape) * _DTYPES[self.dtype].itemsize


def _in_order(entries: Mapping[str, _Entry]) -> list[tuple[str, _Entry]]:
    return sorted(entries.items(), key=lambda item: item[1].data_offsets)


def _check_layout(path: Path, entries: Iterable[_Entry], size: int) -> None:
    """Refuse tensors that do not fill the file one after another."""
    at = 0
    for start, end, needed in sorted((*entry.data_offsets, entry.bytes) for entry in entries):
        if start != at or end - start != needed:
            raise CheckpointError(f"{path} is damaged: its header lies about its tensors.")
        at = end
    if at != size:
        raise CheckpointError(
            f"{path} is damaged or incomplete: {size:,} bytes follow its header, not {at:,}."
        )


def _tensor(stream: BinaryIO, entry: _Entry) -> Tensor:
    dtype = _DTYPES[entry.dtype]
    if not entry.bytes:
        return torch.empty(entry.shape, dtype=dtype)
    content = bytearray(entry.bytes)
    stream.readinto(content)  # type: ignore[attr-defined]
    return torch.frombuffer(content, dtype=dtype).reshape(entry.shape)


def _header(path: Path, stream: BinaryIO) -> tuple[dict[str, str], dict[str, object]]:
    """The texts, and the table of the tensors."""
    first = stream.read(9)
    size = int.from_bytes(first[:8], "little")
    if first[8:] != b"{":
        stream.seek(0)
        what = _what(stream.read(_LOOK))
        raise CheckpointError(
            f"{path} is not a safetensors file but {what}; choose a VAE Explorer checkpoint."
            f"{how_to_bring(path)}"
        )
    content = first[8:] + (stream.read(size - 1) if 0 < size <= _LARGEST_HEADER else b"")
    if len(content) != size:
        raise CheckpointError(
            f"{path} is incomplete: its header is cut short or lies about its size."
        )
    table = schema.parse_json(content, f"{path} is damaged: its header", CheckpointError)
    metadata = table.pop("__metadata__", None) if isinstance(table, dict) else None
    if not isinstance(metadata, dict) or metadata.get("format") != _FORMAT:
        raise CheckpointError(
            f"{path} was not written by VAE Explorer; choose one of its checkpoints."
        )
    version = str(metadata.get("version"))
    number = int(version) if re.fullmatch("[1-9][0-9]{0,8}", version) else version[:20]
    check_version(number, VERSION, str(path), CheckpointError)
    assert isinstance(table, dict)
    return {str(key): str(value) for key, value in metadata.items()}, table


def _what(beginning: bytes) -> str:
    """What else a file is, in words."""
    for start, what in _BEGINNINGS.items():
        if beginning.startswith(start):
            return what
    if not beginning:
        return "empty"
    if b'"vae-explorer workspace"' in beginning:
        return "a workspace, which File ▸ Open Workspace… opens"
    text = beginning.decode(errors="replace")
    return "of another kind" if "\0" in text or "\ufffd" in text[:-1] else "a text"


def digest(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 of named tensors, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name}{tensor.dtype}{tuple(tensor.shape)}".encode())
        digest.update(tensor.contiguous().view(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _digest_of_texts(texts: Mapping[str, str]) -> str:
    beside = _TEXTS, _FORMAT  # the last is how an export was made
    pairs = sorted((name, text) for name, text in texts.items() if name not in beside)
    return hashlib.sha256(json.dumps(pairs).encode()).hexdigest()


def fill(tensor: Tensor, value: Tensor) -> None:
    """Copy saved numbers, which must be finite and of the same shape and type."""
    if (value.shape, value.dtype) != (tensor.shape, tensor.dtype) or not value.isfinite().all():
        raise ValueError(f"not {tuple(tensor.shape)} finite numbers of type {tensor.dtype}")
    tensor.copy_(value)
