"""``vae-explorer export``: pictures to take away."""

from pathlib import Path
from typing import Literal

import click

from vae_explorer.cli.parameters import (
    check_latent,
    check_place,
    checkpoint_argument,
    open_snapshot,
    output_option,
)
from vae_explorer.errors import UserError

_out = output_option(".png", about="The picture.")


@click.group()
def export() -> None:
    """Write pictures that say how to make them again."""


@export.command()
@checkpoint_argument
@click.option("--z", type=(float, float), required=True, metavar="Z1 Z2", help="Latent units.")
@click.option(
    "--scale", type=click.IntRange(min=1), default=10, show_default=True, help="Size of a pixel."
)
@_out
def digit(checkpoint: Path | None, z: tuple[float, float], scale: int, out: Path) -> None:
    """Write one decoded position.

    The model is CHECKPOINT, or the bundled one.
    """
    check_place(z)
    snapshot = open_snapshot(checkpoint)
    from vae_explorer.export.images import export_digit
    from vae_explorer.export.requests import DigitRequest
    from vae_explorer.training.meaning import origin

    export_digit(snapshot.model, DigitRequest(z, scale), out, origin(snapshot))
    click.echo(f"Wrote {click.format_filename(out)}")


@export.command()
@checkpoint_argument
@click.option(
    "--n", type=click.IntRange(min=1), default=20, show_default=True, help="Images per side."
)
@click.option(
    "--spacing",
    type=click.Choice(["quantile", "linear"]),
    default="quantile",
    show_default=True,
    help="Equal prior mass between latent points, or equal distance.",
)
@click.option(
    "--extent",
    type=float,
    help="Half the side of the sheet, latent units, with linear spacing  [default: 3.0]",
)
@click.option(
    "--scale", type=click.IntRange(min=1), default=1, show_default=True, help="Size of a pixel."
)
@_out
def manifold(
    checkpoint: Path | None,
    n: int,
    spacing: Literal["quantile", "linear"],
    extent: float | None,
    scale: int,
    out: Path,
) -> None:
    """Write a sheet of decoded positions.

    z1 grows rightwards, z2 upwards. The model is CHECKPOINT, or the bundled one.
    """
    if extent is not None:
        check_latent("--extent", extent)
        if extent <= 0:
            raise UserError(f"--extent is {extent:g}; it must be more than 0.")
        if spacing != "linear":
            raise UserError(
                "--extent makes no difference with quantile spacing; add --spacing linear or leave "
                "it out."
            )
    snapshot = open_snapshot(checkpoint)
    from vae_explorer.export.images import export_manifold
    from vae_explorer.export.requests import ManifoldRequest
    from vae_explorer.training.meaning import origin

    request = ManifoldRequest(n, spacing, extent or 3.0, scale)
    export_manifold(snapshot.model, request, out, origin(snapshot))
    click.echo(f"Wrote {click.format_filename(out)}")
