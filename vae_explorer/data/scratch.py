"""Room for pixels: memory, or of many a file that goes when the last who reads them goes."""

import os
import tempfile
from contextlib import suppress

import numpy as np

from vae_explorer import paths
from vae_explorer.errors import DataError
from vae_explorer.types import UInt8

BUDGET = 1 << 30
"""Bytes; more lie in a file of the user's cache folder, of which memory holds what is in use."""


def scratch(shape: tuple[int, ...]) -> UInt8:
    """An array of bytes to be filled.

    Raises:
        DataError: there is no room on the disk.
    """
    size = int(np.prod(shape, dtype=object)) if shape else 1
    if size <= BUDGET:
        return np.empty(shape, np.uint8)
    folder = paths.data_cache()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.name == "nt":  # which keeps the name of a file that is mapped
            for old in folder.glob("vae-explorer-*.pixels"):
                with suppress(OSError):  # in use
                    old.unlink()
        handle, name = tempfile.mkstemp(".pixels", "vae-explorer-", folder)
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(handle, 0, size)
            array: UInt8 = np.memmap(name, np.uint8, "r+", shape=shape)
        finally:
            os.close(handle)
            with suppress(OSError):
                os.unlink(name)
    except OSError as error:
        raise DataError(
            f"The images take {size:,} bytes, for which there is no room in {folder}: "
            f"{error.strerror or error}. Make room, or choose smaller images."
        ) from error
    return array
