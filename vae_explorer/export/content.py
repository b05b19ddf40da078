"""The one way in which exported files are written, whatever made their content."""

from contextlib import suppress
from pathlib import Path

from vae_explorer.errors import ExportError
from vae_explorer.files import atomic_write, cannot_write


def beside(path: Path) -> Path:
    """Where the text of a file lies that cannot carry it: NAME.csv.json beside NAME.csv."""
    return path.with_name(f"{path.name}.json")


def export_content(path: Path, content: bytes, text: bytes | None = None) -> None:
    """Write these bytes, and a text ``beside`` them.

    Raises:
        ExportError: a file cannot be written; older ones are intact.
    """
    other = beside(path)
    try:
        before = other.read_bytes() if text is not None and other.is_file() else None
        if text is not None:
            atomic_write(other, text)
        try:
            atomic_write(path, content)
        except OSError:
            if text is not None:
                with suppress(OSError):
                    atomic_write(other, before) if before is not None else other.unlink()
            raise
    except OSError as error:
        raise ExportError(cannot_write(path, error)) from error
