"""The door through which a person's own images come in."""

from pathlib import Path
from typing import Any

import numpy as np

from vae_explorer.data.dataset import Dataset, ImageSet
from vae_explorer.data.reading import Reading, Source
from vae_explorer.errors import DataError


def open_images(path: Path, reading: Reading = Reading()) -> Dataset:  # noqa: B008  # frozen
    """Read a data set from a file or a folder.

    Raises:
        DataError: there is nothing there that can be read.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays: dict[str, Any] = dict(file)
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path} holds no images that can be read; open an NPZ file with train_images and "
            "test_images, and maybe train_labels and test_labels."
        ) from error
    known: dict[str, Any] = {"name": path.stem}
    if "classes" in arrays:
        known["classes"] = tuple(map(str, arrays["classes"]))
    train, test = (
        ImageSet.from_arrays(
            arrays[f"{split}_images"], arrays.get(f"{split}_labels"), split=split, **known
        )
        for split in ("train", "test")
    )
    return Dataset(path.stem, train, test, Source(path, reading))
