"""The one way in which exported files are written, whatever made their content."""

from pathlib import Path

from vae_explorer.errors import ExportError
from vae_explorer.files import atomic_write, cannot_write


def export_content(path: Path, content: bytes) -> None:
    """Write these bytes.

    Raises:
        ExportError: the file cannot be written; an older one is intact.
    """
    try:
        atomic_write(path, content)
    except OSError as error:
        raise ExportError(cannot_write(path, error)) from error
