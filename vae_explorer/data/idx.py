"""The IDX format of the MNIST files: a header of dimensions, then bytes.

Two zero bytes, a type code, the number of dimensions, one big-endian uint32 a dimension, the values
(http://yann.lecun.com/exdb/mnist/). A file that lies about its size costs no memory: never more is
read than the header announces, and never more is kept than the file holds.
"""

import gzip
import math
import os
import stat
import struct
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from vae_explorer.errors import DataError
from vae_explorer.types import UInt8

MAX_BYTES = 2**32
"""A header that announces more than 4 GiB of pixels is refused."""

_UINT8 = 0x08
_TYPES = {
    0x08: ("unsigned bytes", "u1"),
    0x09: ("signed bytes", "i1"),
    0x0B: ("16-bit integers", ">i2"),
    0x0C: ("32-bit integers", ">i4"),
    0x0D: ("32-bit floats", ">f4"),
    0x0E: ("64-bit floats", ">f8"),
}
_MAX_DIMENSIONS = 4
_CHUNK = 2**20
_LARGE = 2**28  # bytes that stay on disk
_GZIP_MAGIC = b"\x1f\x8b"


def read_idx(path: Path) -> UInt8:
    """Read an IDX file of unsigned bytes, gzipped or raw: its first bytes tell which.

    Returns:
        A uint8 array of one to four dimensions, as the header says.

    Raises:
        DataError: the file is missing, no regular file, damaged, not IDX, holds another type, or
            its size is not the one its header announces. The message names the file.
    """
    return _read_file(path, (_UINT8,))


def read_any_idx(path: Path) -> NDArray[Any]:
    """As ``read_idx``, of any of the types that the format has; a raw file stays on disk."""
    return _read_file(path, (*_TYPES,))


def _read_file(path: Path, kinds: tuple[int, ...]) -> NDArray[Any]:
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for ever
            raise DataError(f"{path} is not a regular file; name an IDX file (.gz or raw).")
        with path.open("rb") as file:
            zipped = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
            file.seek(0)
            if not zipped:
                return _read(file, path, kinds)
            with gzip.open(file) as unzipped:
                return _read(unzipped, path, kinds)
    except FileNotFoundError:
        raise DataError(f"{path} does not exist; check the path.") from None
    except EOFError:
        raise DataError(f"{path}: the gzip data is cut short; fetch the file again.") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path}: damaged gzip data ({error}); fetch the file again.") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error


def _read(stream: BinaryIO | gzip.GzipFile, path: Path, kinds: tuple[int, ...]) -> NDArray[Any]:
    dtype, shape = _read_shape(stream, path, kinds)
    expected = math.prod(shape) * dtype.itemsize  # Python integers: no overflow
    size = " × ".join(map(str, shape + (dtype.itemsize,) * (dtype.itemsize > 1)))
    if expected > MAX_BYTES:
        raise DataError(
            f"{path}: the header announces {size} = {expected:,} bytes, more than the "
            f"{MAX_BYTES:,} this program reads; the file is damaged or not MNIST-like."
        )
    if expected > _LARGE and not isinstance(stream, gzip.GzipFile):
        start = stream.tell()
        if start + expected == stream.seek(0, os.SEEK_END):
            return np.memmap(path, dtype, "r", start, shape)
        stream.seek(start)
    payload = _read_at_most(stream, expected + 1)  # one more tells a file that is too long
    if len(payload) != expected:
        found = "more follow" if len(payload) > expected else f"{len(payload):,} follow"
        raise DataError(
            f"{path}: the header announces {size} = {expected:,} bytes, but {found}; "
            "the file is damaged, fetch it again."
        )
    return np.frombuffer(payload, dtype).reshape(shape)


def _read_shape(
    stream: BinaryIO | gzip.GzipFile, path: Path, kinds: tuple[int, ...]
) -> tuple[np.dtype[Any], tuple[int, ...]]:
    magic = _read_at_most(stream, 4)
    if len(magic) < 4 or magic[:2] != b"\0\0":
        found = magic.hex(" ") or "nothing"
        raise DataError(
            f"{path} is not an IDX file: it begins with {found}, expected 00 00 08; "
            "name an MNIST-style file such as train-images-idx3-ubyte.gz."
        )
    kind, dimensions = magic[2], magic[3]
    if kind not in kinds:
        named = _TYPES[kind][0] if kind in _TYPES else "an unknown type"
        raise DataError(
            f"{path} holds {named} (type code 0x{kind:02x}), expected unsigned bytes (0x08); "
            "convert it to uint8."
        )
    if not 1 <= dimensions <= _MAX_DIMENSIONS:
        raise DataError(
            f"{path}: the header announces {dimensions} dimensions, expected 1 to "
            f"{_MAX_DIMENSIONS}; the file is damaged or not MNIST-like."
        )
    sizes = _read_at_most(stream, 4 * dimensions)
    if len(sizes) < 4 * dimensions:
        raise DataError(
            f"{path}: the header ends after {4 + len(sizes)} bytes, expected "
            f"{4 + 4 * dimensions}; the file is cut short, fetch it again."
        )
    return np.dtype(_TYPES[kind][1]), struct.unpack(f">{dimensions}I", sizes)


def _read_at_most(stream: BinaryIO | gzip.GzipFile, limit: int) -> bytearray:
    """Read up to ``limit`` bytes; memory grows with what is there, not with what is asked for."""
    content = bytearray()
    while len(content) < limit:
        chunk = stream.read(min(_CHUNK, limit - len(content)))
        if not chunk:
            break
        content += chunk
    return content
