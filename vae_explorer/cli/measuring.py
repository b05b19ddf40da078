"""``vae-explorer bench``."""

from itertools import chain

import click

from vae_explorer.bench import NAMES, run


@click.command()
@click.argument("names", nargs=-1, required=True, type=click.Choice(NAMES))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
def bench(names: tuple[str, ...], as_json: bool) -> None:
    """Measure the speed of this program on this machine."""
    for measurement in chain.from_iterable(map(run, names)):
        if as_json:
            click.echo(measurement.to_json())
            continue
        details = "  ".join(f"{key}={value}" for key, value in measurement.details.items())
        value = f"{measurement.value:>12,.4g} {measurement.unit:<10}"
        click.echo(f"{measurement.metric:<28}{value} n={measurement.n}  {details}".rstrip())
