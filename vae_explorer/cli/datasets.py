"""``vae-explorer data``."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from vae_explorer.cli.parameters import read_option
from vae_explorer.data.reading import Reading
from vae_explorer.errors import DataError

if TYPE_CHECKING:
    from vae_explorer.data.preview import Preview


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
@click.pass_context
def data(ctx: click.Context, as_json: bool) -> None:
    """List the bundled images, checked to the last pixel; or inspect others."""
    if ctx.invoked_subcommand is None:
        _list_bundled(as_json)


def _list_bundled(as_json: bool) -> None:
    import numpy as np

    from vae_explorer.data.bundled import FINGERPRINTS, mnist

    for split, published in FINGERPRINTS.items():
        images = mnist(split)
        if images.fingerprint != published:
            raise DataError(
                f"The bundled {images.name} {split} images are not the published ones "
                f"(fingerprint {images.fingerprint[:12]}, expected {published[:12]}); "
                "install VAE Explorer again."
            )
        height, width = images.image_shape[:2]
        assert images.labels is not None
        labels, counts = np.unique_counts(images.labels)
        classes = dict(zip(labels.tolist(), counts.tolist(), strict=True))
        if as_json:
            record = {
                "name": images.name,
                "split": split,
                "images": len(images),
                "height": height,
                "width": width,
                "classes": classes,
                "fingerprint": images.fingerprint,
            }
            click.echo(json.dumps(record))
            continue
        counted = "  ".join(f"{label}: {count:,}" for label, count in classes.items())
        click.echo(f"{images.name} {split}: {len(images):,} images of {height} x {width}, intact")
        click.echo(f"  images a class  {counted}")
        click.echo(f"  fingerprint     {images.fingerprint}")


@data.command()
@click.argument("path")
@read_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def inspect(path: str, choices: Reading, as_json: bool) -> None:
    """Say what images are at PATH and how they will be read.

    PATH is a folder of pictures; an IDX, NPZ, NPY, CSV, TSV, Parquet, amat or TIFF file; or the
    name of a ready-made set: mnist, digits, fashion-mnist, kmnist, emnist-letters.
    """
    from vae_explorer.data import opening
    from vae_explorer.data.preview import LISTED, facts, some

    found = opening.inspect(path, choices)
    if as_json:
        click.echo(json.dumps(_record(found)))
        return
    size = " x ".join(map(str, found.image_shape[:2]))
    click.echo(
        f"{found.name} ({found.kind}): {found.counts['both']:,} images of {size}, {_color(found)}"
    )
    rows = {
        **facts(found),
        "images key": _keys(found.image_keys, some),
        "labels key": _keys(found.label_keys, some),
        "proposed": f"likelihood {found.likelihood}, data treatment {found.treatment}",
    }
    for title, text in rows.items():
        if text:
            click.echo(f"  {title:<12}{text}")
    for offer in found.offers:
        click.echo(f"  offered     {offer.field}: {offer.why}")
    for note in found.report.notes:
        click.echo(f"  note        {note}")
    if found.report.skipped_count:
        click.echo(f"  skipped     {found.report.skipped_count:,}")
        for skipped in found.report.skipped[:LISTED]:
            click.echo(f"    {skipped.name}: {skipped.why}")


def _color(found: "Preview") -> str:
    return "RGB" if len(found.image_shape) == 3 else "gray"


def _keys(keys: tuple[str, ...], some: Callable[[tuple[str, ...]], str]) -> str:
    return f"{keys[0]} (or {some(keys[1:])})" if len(keys) > 1 else ""


def _record(found: "Preview") -> dict[str, Any]:
    """All of it but the pixels."""
    return {
        "name": found.name,
        "kind": found.kind,
        "counts": dict(found.counts),
        "image_shape": found.image_shape,
        "found_sizes": found.found_sizes[:100],
        "range": found.range,
        "classes": dict(found.classes),
        "columns": found.columns,
        "split": found.split,
        "likelihood": found.likelihood,
        "treatment": found.treatment,
        "image_keys": found.image_keys,
        "label_keys": found.label_keys,
        "offers": {offer.field: offer.why for offer in found.offers},
        "notes": found.report.notes,
        "skipped": {skipped.name: skipped.why for skipped in found.report.skipped},
        "skipped_count": found.report.skipped_count,
        "reading": asdict(found.reading),
    }
