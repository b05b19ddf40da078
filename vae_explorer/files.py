"""Reading files with suspicion, and writing them so that nothing ever leaves half of one."""

import errno
import io
import os
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from vae_explorer.errors import UserError

_MOST_TEXT = 16 << 20

_HELD = (5, 32)  # "access denied" and "sharing violation"
_PAUSES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4)

_TEMPORARY = ".vae-explorer-{}.tmp"

_UTF16 = b"\xff\xfe", b"\xfe\xff"


_ADVICE = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "; make room, or choose another folder"),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "; choose another folder"),
}


def cannot_write(path: Path, error: OSError) -> str:
    """What is said when a file cannot be written, such as into a folder that is not there."""
    folder = Path(os.path.realpath(path)).parent
    if isinstance(error, FileNotFoundError) and not folder.exists():
        why = f"the folder {folder} does not exist; make it first, or choose another one"
    else:
        why = (error.strerror or str(error)) + _ADVICE.get(error.errno or 0, "")
    return f"Cannot write {path}: {why}."


@contextmanager
def opened(
    path: Path, wanted: str, error: type[UserError] = UserError, *, most: int
) -> Iterator[BinaryIO]:
    """A regular file of at most ``most`` bytes, open to be read.

    Raises:
        UserError: ``error``, which names the file; ``wanted`` says what it should be, such as
            "a lesson (.md)". It stands for what the system refuses within the block, too.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # a pipe would be waited for, for ever
            raise error(f"{path} is not a regular file; choose {wanted}.")
        if status.st_size > most:
            raise error(
                f"{path} has {status.st_size:,} bytes, more than the {most:,} that are read of "
                f"{wanted}."
            )
        with path.open("rb") as stream:
            yield stream
    except FileNotFoundError:
        raise error(f"{path} does not exist.") from None
    except (OSError, ValueError) as wrong:  # a path may hold what no file can be named
        raise error(f"Cannot read {path}: {getattr(wrong, 'strerror', '') or wrong}.") from wrong


def read_bytes(path: Path, wanted: str, error: type[UserError] = UserError, *, most: int) -> bytes:
    """The content of a regular file of at most ``most`` bytes; raises as ``opened``."""
    with opened(path, wanted, error, most=most) as stream:
        return stream.read()


def read_text(
    path: Path,
    wanted: str,
    error: type[UserError] = UserError,
    *,
    most: int = _MOST_TEXT,
    errors: str = "strict",
) -> str:
    """The text of a regular file in UTF-8, or in UTF-16 with a byte-order mark, as PowerShell has.

    Lines end as Python's do; ``errors`` is that of ``bytes.decode``.

    Raises:
        UserError: ``error``, as ``read_bytes``.
    """
    content = read_bytes(path, wanted, error, most=most)
    encoding = _encoding(content[:2])
    try:
        text = content.decode(encoding, errors)
    except UnicodeDecodeError as wrong:
        raise error(_no_text(path, encoding, wrong, wanted)) from wrong
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_lines(
    path: Path, wanted: str, error: type[UserError] = UserError, *, most: int, longest: int
) -> Iterator[str]:
    """The lines of a text as ``read_text`` takes it, with their ends, one after another.

    None may be longer than ``longest`` characters.

    Raises:
        UserError: ``error``, as ``read_text``, maybe amid the lines.
    """
    number = 0
    with (
        opened(path, wanted, error, most=most) as stream,
        io.TextIOWrapper(stream, encoding := _encoding(_start(stream))) as lines,
    ):
        try:
            while line := lines.readline(longest + 1):
                number += 1
                if len(line) > longest:
                    raise error(
                        f"{path}, line {number:,}: it is longer than {longest:,} characters; "
                        f"choose {wanted}."
                    )
                yield line
        except UnicodeDecodeError as wrong:
            raise error(_no_text(path, encoding, wrong, wanted)) from wrong


def _start(stream: BinaryIO) -> bytes:
    start = stream.read(2)
    stream.seek(0)
    return start


def _encoding(start: bytes) -> str:
    return "utf-16" if start in _UTF16 else "utf-8-sig"


def _no_text(path: Path, encoding: str, wrong: UnicodeDecodeError, wanted: str) -> str:
    name = encoding.removesuffix("-sig").upper()
    return f"{path} is not text in {name} ({wrong.reason}); choose {wanted}."


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
        _rename(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _rename(source: Path, target: Path) -> None:
    """Replace ``target``, which on Windows a virus scanner or a backup may hold for a moment."""
    for pause in _PAUSES:
        try:
            source.replace(target)
        except PermissionError as error:
            if getattr(error, "winerror", None) not in _HELD:
                raise
            time.sleep(pause)
        else:
            return
    source.replace(target)


def sweep(folder: Path) -> None:
    """Delete what writers that were killed left in a folder; nobody may be writing there now."""
    for path in folder.glob(_TEMPORARY.format("[0-9a-f]" * 16)):
        with suppress(OSError):  # it does no harm, but for its size
            path.unlink()


def numbered(path: Path) -> Path:
    """``path`` if it is free, else the first of ``NAME-2``, ``NAME-3`` … that is."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_stem(f"{path.stem}-{number}")
    return free


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
