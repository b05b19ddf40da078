"""The one door for images: a path, and how it is read, become a data set or a preview of it."""

import stat
from collections.abc import Callable
from pathlib import Path

from vae_explorer.data.dataset import Dataset
from vae_explorer.data.gathering import gather
from vae_explorer.data.plan import plan_of
from vae_explorer.data.preview import Preview, preview_of
from vae_explorer.data.readers import ready_made
from vae_explorer.data.readers.arrays import find_npy, find_npz
from vae_explorer.data.readers.folder import SUFFIXES, find_folder
from vae_explorer.data.readers.found import Check, Found, shown_path
from vae_explorer.data.readers.idx_pairs import find_idx, idx_folder, is_idx
from vae_explorer.data.readers.parquet import find_parquet, is_parquet_folder
from vae_explorer.data.readers.pixel_text import find_amat, find_csv
from vae_explorer.data.readers.stack import find_stack
from vae_explorer.data.reading import Reading, Source
from vae_explorer.errors import DataError

_MODELS = {
    ".pt": "a PyTorch file, which is pickled",
    ".pth": "a PyTorch file, which is pickled",
    ".pkl": "a pickle",
    ".pickle": "a pickle",
    ".joblib": "a pickle",
}


def open_images(
    path: str | Path,
    reading: Reading | None = None,
    progress: Callable[[float], object] = lambda _: None,
    check: Check = lambda: None,
) -> Dataset:
    """Read images from a folder, a file or the name of a ready-made set.

    Folders of pictures, IDX, NPZ, NPY, CSV and TSV of pixels, Parquet, amat, multi-page TIFF and
    sheets of images; "digits", "mnist", "fashion-mnist", "kmnist" and "emnist-letters" by name.

    Args:
        path: what to read.
        reading: choices; what it leaves open is decided as ``inspect`` shows it.
        progress: told the part that is done, from 0 to 1.
        check: called now and then; it may raise what ends the reading.

    Returns:
        The images to train on and to test on, uint8 of one size, and a report of what was
        converted or left out.

    Raises:
        DataError: there are no images, or fewer than two; a file is damaged; a choice does not fit.
    """
    reading = reading or Reading()
    if ready_made.is_mnist(path) and reading == Reading():
        from vae_explorer.data.bundled import mnist_dataset

        return mnist_dataset()
    where = Path(path)
    found = _find(where, reading, check)
    if found.unsure:
        raise DataError(found.unsure)
    plan = plan_of(found, reading, check)
    return gather(plan, Source(_kept(where), plan.reading), progress, check)


def _kept(path: Path) -> Path:
    """A path that leads to the same from any folder; the name of a ready-made set as it is."""
    return path.absolute() if path.exists() else path


def inspect(
    path: str | Path, reading: Reading | None = None, check: Check = lambda: None
) -> Preview:
    """What is at a path, how it will be read, and how some of it will look.

    Raises:
        DataError: as ``open_images``, as far as it can be seen without reading all.
    """
    reading = reading or Reading()
    plan = plan_of(_find(Path(path), reading, check), reading, check)
    return preview_of(plan, check)


def _find(path: Path, reading: Reading, check: Check) -> Found:
    known = ready_made.known(path)
    if known and not path.exists():
        return ready_made.find(known, reading, check)
    shown = shown_path(path)
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        names = ", ".join(ready_made.NAMES)
        raise DataError(f"{shown} does not exist; give a path, or one of {names}.") from None
    except (OSError, ValueError) as error:
        raise DataError(
            f"Cannot read {shown}: {getattr(error, 'strerror', '') or error}."
        ) from error
    if stat.S_ISDIR(mode):
        if reading.kind == "folder":
            return find_folder(path, reading, check)
        try:
            if images := idx_folder(path):
                return find_idx(images, reading, check)
            if is_parquet_folder(path):
                return find_parquet(path, reading, check)
        except OSError as error:
            raise DataError(f"Cannot read {shown}: {error.strerror or error}.") from error
        return find_folder(path, reading, check)
    if not stat.S_ISREG(mode):
        raise DataError(f"{shown} is neither a folder nor a regular file.")
    suffix = path.suffix.lower()
    start = _start(path)
    if suffix in _MODELS:
        raise DataError(
            f"{shown} is {_MODELS[suffix]} and may run any program when it is opened; save its "
            "images with numpy.save('images.npy', np.asarray(images)) and open that."
        )
    if start[:2] == b"\x1f\x8b" or is_idx(path) or start[:3] == b"\0\0\x08":
        return find_idx(path, reading, check)
    if start[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return find_npz(path, reading, check)
    if start[:6] == b"\x93NUMPY":
        return find_npy(path, reading, check)
    if start[:4] == b"PAR1" or suffix in (".parquet", ".arrow"):
        return find_parquet(path, reading, check)
    if suffix in SUFFIXES:
        return find_stack(path, reading, check)
    if suffix == ".amat":
        return find_amat(path, reading, check)
    if suffix in (".csv", ".tsv", ".txt"):
        return find_csv(path, reading, check)
    raise DataError(
        f"{shown} is of no kind that is read; choose a folder of pictures, or an IDX, NPZ, NPY, "
        "CSV, TSV, Parquet, amat or TIFF file."
    )


def _start(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(8)
    except OSError as error:
        raise DataError(f"Cannot read {shown_path(path)}: {error.strerror or error}.") from error
