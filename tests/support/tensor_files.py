"""Files of tensors, good and written by hand, and how they are refused."""

import json
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from vae_explorer.errors import CheckpointError
from vae_explorer.training.tensors import VERSION, read_tensors

TENSORS = {
    "weight": torch.randn(40, 30, generator=torch.Generator().manual_seed(0)),
    "scalar": torch.tensor(3.5),
    "counts": torch.arange(7),
    "state": torch.arange(200, dtype=torch.uint8),
    "nothing": torch.empty(0, 4),
}
HEADER = {"note": 'naïve β ∈ [0, 1]\n"quoted"', "empty": ""}
OURS = {"format": "vae-explorer", "version": str(VERSION), "sha256": "0" * 64}


@contextmanager
def bounded() -> Iterator[None]:
    """Less than a second of work and 300 MB, whatever a file asks for."""
    process, start = psutil.Process(), time.process_time()
    before = process.memory_info().rss
    yield
    assert time.process_time() - start < 1
    assert process.memory_info().rss - before < 300e6


def assert_refused(path: Path, reason: str = ".") -> str:
    with bounded(), pytest.raises(CheckpointError, match=reason) as caught:
        read_tensors(path)
    message = str(caught.value)
    assert str(path) in message
    return message


def raw(header: Any, data: bytes = b"", size: int | None = None) -> bytes:
    """A safetensors file written by hand; ``header`` is JSON text or what becomes it."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if size is None else size) + text + data
