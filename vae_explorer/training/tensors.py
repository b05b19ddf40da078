"""Named tensors with a text header in one safetensors file: read with suspicion, written whole."""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from vae_explorer.errors import CheckpointError
from vae_explorer.files import atomic_write, read_bytes
from vae_explorer.schema import check_version

_LARGEST_FILE = 2 << 30
_LARGEST_HEADER = 16 << 20
_FORMAT = "vae-explorer"
VERSION = 1
"""Version of the file format; a file with a larger one is refused."""


def write_tensors(path: Path, tensors: Mapping[str, Tensor], header: Mapping[str, str]) -> None:
    """Write tensors and header fields atomically, with a SHA-256 of the tensors' bytes.

    Raises:
        CheckpointError: the disk is full or the folder cannot be written; an old file is intact.
    """
    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    metadata = dict(header) | {
        "format": _FORMAT,
        "version": str(VERSION),
        "sha256": _digest(plain),
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(path, save(plain, metadata))
    except OSError as error:
        raise CheckpointError(
            f"Cannot write {path}: {error.strerror or error}. "
            "Nothing was changed; free some space or choose another folder."
        ) from error


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read what ``write_tensors`` wrote: tensors on the CPU and the header.

    The bytes are read once and never mapped, so that another program cutting the file short cannot
    take this one down.

    Raises:
        CheckpointError: missing, not a regular file, cut short, not safetensors, not ours, newer
            than this program, or damaged. The message names the file and what to do.
    """
    content = read_bytes(path, "a checkpoint (.safetensors)", CheckpointError, most=_LARGEST_FILE)
    metadata = _header(path, content)
    try:
        tensors = load(content)
    except (SafetensorError, RuntimeError, ValueError, KeyError) as error:
        raise CheckpointError(f"{path} is damaged or incomplete: {error}.") from error
    if _digest(tensors) != metadata.get("sha256"):
        raise CheckpointError(
            f"{path} is damaged: its contents do not match the checksum stored in it. "
            "Use another copy of the file."
        )
    return tensors, metadata


def _header(path: Path, content: bytes) -> dict[str, str]:
    size = int.from_bytes(content[:8], "little")
    if len(content) < 8 or content[8:9] != b"{":
        raise CheckpointError(
            f"{path} is not a safetensors file; choose a VAE Explorer checkpoint."
        )
    if size > _LARGEST_HEADER or 8 + size > len(content):
        raise CheckpointError(
            f"{path} is incomplete: its header is cut short or lies about its size."
        )
    try:
        metadata = json.loads(content[8 : 8 + size]).get("__metadata__")
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is damaged: its header is not JSON ({error}).") from error
    if not isinstance(metadata, dict) or metadata.get("format") != _FORMAT:
        raise CheckpointError(
            f"{path} was not written by VAE Explorer; choose one of its checkpoints."
        )
    version = str(metadata.get("version"))
    number = int(version) if re.fullmatch("[1-9][0-9]{0,8}", version) else version[:20]
    check_version(number, VERSION, str(path), CheckpointError)
    return {str(key): str(value) for key, value in metadata.items()}


def _digest(tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name}{tensor.dtype}{tuple(tensor.shape)}".encode())
        digest.update(tensor.contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
