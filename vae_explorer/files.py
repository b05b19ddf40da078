"""Writing files so that a crash, a full disk or a second program never leaves half of one."""

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

_TEMPORARY = ".vae-explorer-{}.tmp"


def atomic_write(path: Path, content: bytes) -> None:
    """Replace ``path`` by ``content`` in one step.

    The bytes go to a temporary file in the same folder, are flushed to disk and then renamed over
    the old file, whose mode is kept; a symbolic link is followed, not replaced.

    Raises:
        OSError: the folder is missing or read-only, or the disk is full. The old file is intact.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(_TEMPORARY.format(secrets.token_hex(8)))
    stream = temporary.open("xb")
    try:
        with stream:
            if target.exists():
                temporary.chmod(stat.S_IMODE(target.stat().st_mode))
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def sweep(folder: Path) -> None:
    """Delete what writers that were killed left in a folder; nobody may be writing there now."""
    for path in folder.glob(_TEMPORARY.format("[0-9a-f]" * 16)):
        with suppress(OSError):  # it does no harm, but for its size
            path.unlink()


def _sync_folder(folder: Path) -> None:
    """Make the rename itself last; the file is in place and whole even where this is refused."""
    if os.name == "nt":  # Windows cannot open a folder for fsync
        return
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
