"""``vae-explorer sweep``."""

import dataclasses
import json
import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vae_explorer.cli.parameters import read_option
from vae_explorer.cli.progress import Stop, figures
from vae_explorer.cli.recipes import (
    data_option,
    device_option,
    images_option,
    option_words,
    preset_option,
    read_recipe,
    recipe_option,
    scheduler_option,
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
from vae_explorer.training.sweep import Axis, Cell, Sweep

if TYPE_CHECKING:
    from vae_explorer.training.sweep_folder import Result
    from vae_explorer.training.sweep_jobs import Told


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
    "--jobs",
    type=click.IntRange(1, 256),
    default=1,
    metavar="N",
    help="Train N runs at a time, each on its share of the CPU threads [default: 1].",
)
@scheduler_option
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
    jobs: int,
    scheduler: str | None,
    as_json: bool,
) -> None:
    """Train a recipe over and over, with one or two of its fields varied.

    Runs one after another, or several at a time, and writes DIR/results.csv after each. Ctrl-C
    ends the steps under way, saves and says how to go on. The recipe's fields are listed by:
    vae-explorer train --help
    """
    if resume and (recipe_file or preset or changes or vary or out or images):
        raise click.UsageError(
            "--resume takes recipes, folder and images from the sweep; leave out --recipe, "
            "--preset, --set, --vary, --out and --images."
        )
    if scheduler and jobs > 1:
        raise click.UsageError(
            "As many runs train at a time as --scheduler has workers; no --jobs."
        )
    if "TORCHELASTIC_RUN_ID" in os.environ:
        raise click.UsageError("Start a sweep without torchrun; its runs come one after another.")
    if not (resume or out):
        raise click.UsageError("Name a new folder for the sweep with --out, or --resume one.")
    planned = None
    if not resume:  # refused before anything large is loaded
        axes = tuple(Axis.parse(text) for text in vary)
        planned = Sweep(read_recipe(recipe_file, changes, preset), axes)
    from vae_explorer.training.cluster import cluster
    from vae_explorer.training.device import choose_device, set_threads
    from vae_explorer.training.sweep_folder import SweepFolder
    from vae_explorer.training.sweep_jobs import in_processes

    set_threads(threads)
    if scheduler:
        train = ctx.with_resource(cluster(scheduler)).sweep
    else:
        choose_device(device)
        train = partial(in_processes, jobs=jobs)
    if planned and out:
        data = training_images(images, data_path, choices)
        if data_path:
            recipe = read_recipe(recipe_file, changes, preset, data)
            planned = Sweep(recipe, planned.axes)
        warn_of(planned.recipe, data.image_shape)
        folder = SweepFolder.create(out, planned, data)
    else:
        assert resume
        folder = SweepFolder.open(resume)
        data = training_images(None, data_path, choices, folder.data)
    options = {
        "--resume": folder.path,
        "--data": data_path,
        "--read": choices,
        "--threads": threads,
        "--jobs": jobs if jobs > 1 else None,
        "--scheduler": scheduler,
    }
    go_on = command_line("vae-explorer", "sweep", *option_words(options))

    of = len(folder.sweep.cells)

    def record(cell: Cell, error: Exception | None) -> None:
        if error:
            click.echo(f"run {cell.number} of {of}: {error}", err=True)
        result = folder.record(cell, diverged=isinstance(error, DivergedError))
        if as_json:
            click.echo(json.dumps({"event": "run", "number": cell.number} | result.to_dict()))

    with Stop() as stop:
        if scheduler or jobs > 1:
            _beside(train(folder, data, stop.asked, device, threads), of, record, as_json)
        else:
            for cell in folder.pending():
                trainer, run_folder = folder.begin(
                    cell, data, device, partial(click.echo, err=True)
                )
                click.echo(f"run {cell.number} of {of}: {cell.name}", err=True)
                error = None
                try:
                    run(trainer, run_folder, stop, go_on, as_json)
                except DivergedError as diverged:
                    error = diverged
                record(cell, error)
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
        ctx.exit(stop.status if stop.asked() else 2)
    if not as_json:
        click.echo(f"Results  {click.format_filename(folder.results_path)}")


def _beside(
    news: "Iterable[tuple[Cell, Told]]",
    of: int,
    record: Callable[[Cell, Exception | None], None],
    as_json: bool,
) -> None:
    """Say what runs tell that are trained at the same time, each line with the run's number."""
    from vae_explorer.training.sweep_jobs import Ended

    for cell, told in news:
        if isinstance(told, Ended):
            record(cell, told.error)
            continue
        if isinstance(told, str):
            text = told
        else:
            epoch, *known = figures(cell.recipe, told, told.held_out_elbo)
            text = f"{epoch}: {', '.join(filter(None, known))}"
            if as_json:
                fields = {"event": "epoch", "number": cell.number}
                click.echo(json.dumps(fields | dataclasses.asdict(told)))
        click.echo(f"run {cell.number} of {of}: {text}", err=True)


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
