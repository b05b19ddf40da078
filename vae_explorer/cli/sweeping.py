"""``vae-explorer sweep``."""

import json
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vae_explorer.cli.parameters import read_option
from vae_explorer.cli.progress import Stop
from vae_explorer.cli.recipes import (
    data_option,
    device_option,
    images_option,
    preset_option,
    read_recipe,
    recipe_option,
    set_option,
    threads_option,
    training_images,
    warn_of,
)
from vae_explorer.cli.training import run
from vae_explorer.data.reading import Reading
from vae_explorer.errors import DivergedError
from vae_explorer.shell import command_line
from vae_explorer.training.meaning import named, no_likelihood
from vae_explorer.training.sweep import Axis, Sweep

if TYPE_CHECKING:
    from vae_explorer.training.sweep_folder import Result


@click.command()
@recipe_option
@preset_option
@set_option
@click.option(
    "--vary",
    multiple=True,
    metavar="FIELD=VALUES",
    help="A field and its values, beta=0.5,1,2 or seed=0:4 (0 to 3); once more for a second field.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="A new folder for the sweep."
)
@click.option(
    "--resume",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Resume an interrupted sweep: finished runs stay, an unfinished one is resumed.",
)
@data_option
@read_option
@images_option
@device_option
@threads_option
@click.option(
    "--json", "as_json", is_flag=True, help="Print a JSON object per epoch, per run and at the end."
)
@click.pass_context
def sweep(
    ctx: click.Context,
    recipe_file: Path | None,
    preset: str | None,
    changes: tuple[str, ...],
    vary: tuple[str, ...],
    out: Path | None,
    resume: Path | None,
    data_path: Path | None,
    choices: Reading,
    images: int | None,
    device: str,
    threads: int | None,
    as_json: bool,
) -> None:
    """Train a recipe over and over, with one or two of its fields varied.

    Runs one after another and writes DIR/results.csv after each. Ctrl-C ends the step under way,
    saves and says how to go on. The recipe's fields are listed by: vae-explorer train --help
    """
    if resume and (recipe_file or preset or changes or vary or out or images):
        raise click.UsageError(
            "--resume takes recipes, folder and images from the sweep; leave out --recipe, "
            "--preset, --set, --vary, --out and --images."
        )
    if "TORCHELASTIC_RUN_ID" in os.environ:
        raise click.UsageError("Start a sweep without torchrun; its runs come one after another.")
    if not (resume or out):
        raise click.UsageError("Name a new folder for the sweep with --out, or --resume one.")
    planned = None
    if not resume:  # refused before anything large is loaded
        axes = tuple(Axis.parse(text) for text in vary)
        planned = Sweep(read_recipe(recipe_file, changes, preset), axes)
    from vae_explorer.training.device import set_threads
    from vae_explorer.training.sweep_folder import SweepFolder

    set_threads(threads)
    if planned and out:
        data = training_images(images, data_path, choices)
        warn_of(planned.recipe, data.image_shape)
        folder = SweepFolder.create(out, planned, data)
    else:
        assert resume
        folder = SweepFolder.open(resume)
        data = training_images(folder.data.images, data_path, choices)
    words = ["vae-explorer", "sweep", "--resume", str(folder.path)]
    words += ["--data", str(data_path)] if data_path else []
    go_on = command_line(*words, *(["--threads", str(threads)] if threads else []))

    of = len(folder.sweep.cells)
    with Stop() as stop:
        for cell in folder.pending():
            trainer, run_folder = folder.begin(cell, data, device, partial(click.echo, err=True))
            click.echo(f"run {cell.number} of {of}: {cell.name}", err=True)
            diverged = False
            try:
                run(trainer, run_folder, stop, go_on, as_json)
            except DivergedError as error:
                click.echo(str(error), err=True)
                diverged = True
            result = folder.record(cell, diverged=diverged)
            if as_json:
                click.echo(json.dumps({"event": "run", "number": cell.number} | result.to_dict()))
            if stop.asked():
                break
    left = len(folder.pending())
    if as_json:
        end = {"event": "end", "finished": not left, "runs": of, "left": left}
        click.echo(json.dumps(end | {"results": str(folder.results_path)}))
    else:
        click.echo(_table(folder.results()))
    if left:
        click.echo(f"Stopped with {left} of {of} runs to go; go on with\n  {go_on}", err=True)
        ctx.exit(stop.status)
    if not as_json:
        click.echo(f"Results  {click.format_filename(folder.results_path)}")


def _table(results: "Sequence[Result]") -> str:
    """The results in columns under their names."""
    fields = [field for field, _ in results[0].values]
    figures = ["epochs", "ELBO", "log p(x)", "KL", "units", "seconds", "run"]
    lines = [[*fields, "outcome", *figures], *map(_line, results)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _line(result: "Result") -> list[str]:
    return [
        *(str(value) for _, value in result.values),
        result.outcome,
        f"{result.epoch:g}",
        *(
            named(
                _figure(value, ".2f"), no_likelihood(result.measure) if value is not None else None
            )
            for value in (result.held_out_elbo, result.held_out_log_marginal)
        ),
        _figure(result.held_out_kl, ".2f"),
        _figure(result.active_units, "d"),
        _figure(result.seconds, ".0f"),
        result.run,
    ]


def _figure(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
