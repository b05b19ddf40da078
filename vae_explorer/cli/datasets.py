"""``vae-explorer data``."""

import json

import click

from vae_explorer.errors import DataError


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
def data(as_json: bool) -> None:
    """List the bundled images, checked to the last pixel."""
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
