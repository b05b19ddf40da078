"""``vae-explorer encode`` and ``vae-explorer decode``: images to codes and back."""

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vae_explorer.cli.parameters import (
    check_place,
    checkpoint_argument,
    data_of,
    images_of,
    open_snapshot,
    output_option,
    read_option,
    split_option,
)
from vae_explorer.cli.recipes import scheduler_option
from vae_explorer.data.reading import Reading
from vae_explorer.export.content import export_content
from vae_explorer.paths import bundled_checkpoint

if TYPE_CHECKING:
    from vae_explorer.data.dataset import ImageSet
    from vae_explorer.model.trained import Posterior, TrainedVAE
    from vae_explorer.training.snapshot import DataReference, Snapshot
    from vae_explorer.types import UInt8

_IDX = re.compile(r"(\.idx(\.gz)?|ubyte(\.gz)?|\.gz)$")
"""Names of files that are read as bare images."""
_PART = 10_000
"""Images that a worker encodes at once."""


@click.command()
@checkpoint_argument
@click.option(
    "--data",
    "source",
    default="test",
    show_default=True,
    metavar="train|test|PATH",
    help="MNIST images, a file or folder of your own, or an IDX file of images alone.",
)
@split_option
@read_option
@output_option(".csv", ".npz", about="Where the codes are written.")
@scheduler_option
def encode(
    checkpoint: Path | None,
    source: str,
    split: str,
    choices: Reading,
    out: Path,
    scheduler: str | None,
) -> None:
    """Write the posterior of each image to a table.

    The model is CHECKPOINT, or the bundled one.

    A CSV has columns index, label (empty if unknown), the mean z1 and z2, and the covariance as
    var1, cov12 and var2. An NPZ has index, label (unless unknown), mean (n, 2), covariance
    (n, 2, 2) and trained_on. Either has the class of each label where it has a name, and a remark
    if the model is of other data than MNIST, or its figures are no likelihood.
    """
    snapshot = open_snapshot(checkpoint)
    images, shown = _images(source, split, choices)
    posterior = _encoded(snapshot.model, images.images, scheduler)
    table = _csv if out.suffix.lower() == ".csv" else _npz
    export_content(out, table(images, posterior, _remark(snapshot, shown), snapshot))
    click.echo(f"Wrote {len(images):,} codes to {click.format_filename(out)}")
    _say_data(snapshot.data, images, shown)


def _encoded(model: "TrainedVAE", images: "UInt8", scheduler: str | None) -> "Posterior":
    """The posteriors, by the workers of a scheduler if there is one, a part of the images each."""
    if not scheduler:
        return model.encode(images)
    import numpy as np

    from vae_explorer.model.trained import Posterior
    from vae_explorer.training.cluster import map_on

    parts = [images[first : first + _PART] for first in range(0, len(images), _PART)]
    found = [*map_on(scheduler, _encode_part, parts, model)]
    moments = zip(*((part.mean, part.covariance) for part in found), strict=True)
    return Posterior(*map(np.concatenate, moments))


def _encode_part(images: "UInt8", model: "TrainedVAE") -> "Posterior":
    return model.encode(images)


def _say_data(trained_on: "DataReference", images: "ImageSet", shown: "DataReference") -> None:
    """Say of which data the model is and which it encoded; of files only their name is known."""
    from vae_explorer.training.meaning import foreign

    click.echo(
        f"Trained on {trained_on.name} ({trained_on.images:,} images), encoded {images.name} "
        f"{images.split}",
        err=True,
    )
    remark = foreign(trained_on, shown)
    if remark and images.split != "file":
        click.echo(f"Warning: {remark.text}", err=True)


def _images(source: str, split: str, choices: Reading) -> "tuple[ImageSet, DataReference]":
    """The images meant, and of which data they are; MNIST's for a bare file of images."""
    from vae_explorer.data.bundled import read_idx_pair
    from vae_explorer.training.snapshot import BUNDLED, reference

    path = Path(source)
    if source not in ("train", "test") and _IDX.search(path.name):
        return read_idx_pair(path, None, name=path.name, split="file"), BUNDLED
    data = data_of(source, choices)
    return images_of(data, source, split), reference(data)


def _csv(
    images: "ImageSet", posterior: "Posterior", remark: dict[str, Any], _: "Snapshot"
) -> bytes:
    import numpy as np

    from vae_explorer.export.tables import class_columns, moment_columns, table_content

    count, labels = len(images), images.labels
    columns = {"index": np.arange(count), "label": np.full(count, "")}
    if labels is not None:
        columns |= {"label": labels} | class_columns(labels, images.classes)
    columns |= moment_columns(posterior.mean, posterior.covariance)
    columns |= {name: np.full(count, text) for name, text in remark.items()}
    return table_content(columns, ".csv")


def _remark(snapshot: "Snapshot", shown: "DataReference | None" = None) -> dict[str, Any]:
    """A column of what has to be said of the model, if anything has."""
    from vae_explorer.training.meaning import marks
    from vae_explorer.training.snapshot import BUNDLED

    remark = marks(snapshot, shown or BUNDLED)
    return {"remark": remark} if remark else {}


def _npz(
    images: "ImageSet", posterior: "Posterior", remark: dict[str, Any], snapshot: "Snapshot"
) -> bytes:
    import numpy as np

    from vae_explorer.export.tables import class_columns

    labels: dict[str, Any] = {}
    if images.labels is not None:
        labels = {"label": images.labels} | class_columns(images.labels, images.classes)
    content = io.BytesIO()
    np.savez(
        content,
        index=np.arange(len(images)),
        mean=posterior.mean,
        covariance=posterior.covariance,
        trained_on=snapshot.data.name,
        **labels,
        **remark,
    )
    return content.getvalue()


@click.command()
@checkpoint_argument
@click.option(
    "--z",
    "positions",
    type=(float, float),
    multiple=True,
    required=True,
    metavar="Z1 Z2",
    help="A latent point, in latent units; repeat it for several images side by side.",
)
@output_option(
    ".png",
    ".npz",
    about="A picture, several images side by side; or NPZ with z (n, 2), image (n, h, w), the "
    "means of the pixels, and trained_on.",
)
@click.option(
    "--scale",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="Size of a pixel in a PNG.",
)
def decode(
    checkpoint: Path | None, positions: tuple[tuple[float, float], ...], out: Path, scale: int
) -> None:
    """Decode positions of latent space.

    The model is CHECKPOINT, or the bundled one.
    """
    for position in positions:
        check_place(position)
    snapshot = open_snapshot(checkpoint)
    import numpy as np

    from vae_explorer.export.making import write
    from vae_explorer.export.requests import Digit, Strip
    from vae_explorer.export.source import Source

    if out.suffix.lower() == ".png":
        flat = tuple(number for position in positions for number in position)
        several = len(positions) > 1
        request = Strip(flat, scale=scale) if several else Digit(positions[0], scale)
        write(request, Source(snapshot, checkpoint or bundled_checkpoint()), out)
    else:
        z = np.array(positions, np.float32)
        content = io.BytesIO()
        texts: dict[str, Any] = {"trained_on": snapshot.data.name} | _remark(snapshot)
        np.savez(content, z=z, image=snapshot.model.decode(z), **texts)
        export_content(out, content.getvalue())
    click.echo(f"Wrote {click.format_filename(out)}")
