"""Arguments and checks that several commands share."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from vae_explorer.data.reading import CHOICES, Reading, parse_choices
from vae_explorer.errors import ExportError, UserError
from vae_explorer.files import cannot_write
from vae_explorer.paths import bundled_checkpoint, model_path

if TYPE_CHECKING:
    from vae_explorer.data.dataset import Dataset, ImageSet
    from vae_explorer.training.snapshot import Snapshot

Command = TypeVar("Command", bound=Callable[..., Any])


class _Model(click.Path):
    """The path of a checkpoint, which a bundled model's name stands for."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        return model_path(Path(os.fsdecode(super().convert(value, param, ctx))))


checkpoint_argument = click.argument(
    "checkpoint", required=False, type=_Model(), metavar="[CHECKPOINT]"
)
checkpoints_argument = click.argument(
    "checkpoints", nargs=-1, type=_Model(), metavar="[CHECKPOINT]..."
)


def open_snapshot(checkpoint: Path | None) -> "Snapshot":
    """Read a checkpoint, the bundled one if None.

    Raises:
        CheckpointError: see ``read_checkpoint``.
    """
    from vae_explorer.training.checkpoint import read_checkpoint

    return read_checkpoint(checkpoint or bundled_checkpoint())


split_option = click.option(
    "--split",
    type=click.Choice(["test", "train"]),
    default="test",
    show_default=True,
    help="Which images of data of your own.",
)


def _parse_choices(_: click.Context, __: click.Parameter, changes: tuple[str, ...]) -> Reading:
    return parse_choices(changes)


read_option = click.option(
    "--read",
    "choices",
    multiple=True,
    callback=_parse_choices,
    metavar="CHOICE=VALUE",
    help=f"How data of your own is read: {', '.join(CHOICES)}; as --read size=64x64 or --read "
    "invert=true; repeatable.",
)


def data_of(source: str, choices: Reading) -> "Dataset":
    """MNIST for the name of one of its splits, else what a file or folder holds.

    Raises:
        DataError: see ``open_images``.
    """
    from vae_explorer.data.bundled import mnist_dataset
    from vae_explorer.data.opening import open_images

    return mnist_dataset() if source in ("train", "test") else open_images(source, choices)


def images_of(data: "Dataset", source: str, split: str) -> "ImageSet":
    """The images that ``--data`` and ``--split`` mean of what ``data_of`` gave."""
    chosen = source if source in ("train", "test") else split
    return data.train if chosen == "train" else data.test


def output_option(
    *suffixes: str, about: str, required: bool = True
) -> Callable[[Command], Command]:
    """An ``--out`` that is refused before any work if its kind or its folder cannot be written."""

    def check(_: click.Context, __: click.Parameter, path: Path | None) -> Path | None:
        if path:
            _check_output(path, suffixes)
        return path

    return click.option(
        "--out",
        type=click.Path(path_type=Path),
        required=required,
        callback=check,
        metavar="|".join(f"FILE{suffix}" for suffix in suffixes),
        help=f"{about} A file that is there is replaced.",
    )


def _check_output(path: Path, suffixes: tuple[str, ...]) -> None:
    if path.suffix.lower() not in suffixes:
        raise ExportError(f"The name of {path} must end in {' or '.join(suffixes)}.")
    if path.is_dir():
        raise ExportError(f"{path} is a folder; name a file.")
    folder = Path(os.path.realpath(path)).parent  # where a symbolic link leads
    if not folder.exists():
        raise ExportError(cannot_write(path, FileNotFoundError()))
    try:
        # Trying is the only honest test: permissions, read-only disks, access lists.
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ExportError(
            f"Cannot write {path}: {error.strerror or error}. "
            f"Make the folder {folder} writable or choose another one."
        ) from error


def check_latent(name: str, value: float) -> None:
    """Refuse what lies off the explorer's plane.

    Raises:
        UserError: ``value`` is no finite number within ±``LATENT_LIMIT``; the message has both.
    """
    from vae_explorer.session.explore.cursor import LATENT_LIMIT

    if not abs(value) <= LATENT_LIMIT:  # true for NaN too
        raise UserError(
            f"{name} is {value:g}; it must be a number from {-LATENT_LIMIT:g} to "
            f"{LATENT_LIMIT:g} (latent units)."
        )


def check_place(z: tuple[float, float]) -> None:
    """Refuse a latent position with a coordinate off the plane; errors as ``check_latent``."""
    for name, value in zip(("z1", "z2"), z, strict=True):
        check_latent(name, value)
