"""Files whose content is there already, such as a figure that a view has drawn."""

from pathlib import Path

from vae_explorer.errors import ExportError
from vae_explorer.files import atomic_write


def export_content(path: Path, content: bytes) -> None:
    """Write these bytes.

    Raises:
        ExportError: the file cannot be written.
    """
    try:
        atomic_write(path, content)
    except OSError as error:
        raise ExportError(f"Cannot write {path}: {error.strerror or error}.") from error
