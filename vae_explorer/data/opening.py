"""The one door through which a person's own images come in."""

from pathlib import Path

from vae_explorer.data.dataset import Dataset
from vae_explorer.errors import DataError


def open_images(path: Path) -> Dataset:
    """Read a data set from a file or a folder.

    Raises:
        DataError: there is nothing there that can be read.
    """
    raise DataError(f"{path} holds no images that can be read.")
