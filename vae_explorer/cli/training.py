"""``vae-explorer train``."""

import dataclasses
import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vae_explorer import paths
from vae_explorer.cli.parameters import output_option, read_option
from vae_explorer.cli.progress import Stop, progress
from vae_explorer.cli.recipes import (
    data_option,
    device_option,
    images_option,
    option_words,
    preset_option,
    read_recipe,
    recipe_fields,
    recipe_option,
    set_option,
    threads_option,
    training_images,
    warn_of,
)
from vae_explorer.data.reading import Reading
from vae_explorer.errors import CheckpointError, RecipeError, UserError
from vae_explorer.export.content import export_content
from vae_explorer.shell import command_line
from vae_explorer.training.meaning import named, no_likelihood
from vae_explorer.training.recipe import Recipe

if TYPE_CHECKING:
    from vae_explorer.training.distributed import Team
    from vae_explorer.training.run_folder import RunFolder
    from vae_explorer.training.snapshot import Snapshot
    from vae_explorer.training.tensorboard import EventFile
    from vae_explorer.training.trainer import Trainer

_OF_A_NEW_RUN = ("recipe_file", "preset", "changes", "runs")


@click.command(epilog=recipe_fields())
@recipe_option
@preset_option
@set_option
@output_option(
    ".safetensors",
    required=False,
    about="Write the trained model here too, and its recipe beside it as FILE.toml.",
)
@click.option(
    "--runs",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Keep the run in a new folder in DIR instead of the user's data folder.",
)
@click.option(
    "--resume",
    type=click.Path(path_type=Path),
    metavar="RUN_DIR",
    help="Resume an interrupted run; the numbers are those of an uninterrupted one.",
)
@data_option
@read_option
@images_option
@device_option
@threads_option
@click.option(
    "--tensorboard", is_flag=True, help="Write event files for TensorBoard to the run's folder too."
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print a JSON object per epoch and at the end."
)
@click.pass_context
def train(ctx: click.Context, /, **options: Any) -> None:
    """Train a model on the training images of MNIST, or of your own data.

    Ctrl-C ends the step under way, saves the run and says how to go on.

    Started by torchrun, several processes train one model, each on its part of every batch:
    torchrun --nproc-per-node 2 -m vae_explorer train ...
    """
    if options["resume"] and any(options[name] for name in _OF_A_NEW_RUN):
        raise click.UsageError(
            "--resume takes recipe and folder from the run; leave out --recipe, --preset, --set "
            "and --runs."
        )
    ctx.exit(_together(partial(_train, **options)))


def _together(work: "Callable[[Team | None], int]") -> int:
    """Do it as one of the processes that torchrun started, or alone; gives the exit status."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return work(None)
    from vae_explorer.training.distributed import EndedElsewhereError, joined

    try:
        with joined() as team, team.united():
            return work(team)
    except EndedElsewhereError:  # and said there
        return 2


def _train(
    team: "Team | None",
    *,
    recipe_file: Path | None,
    preset: str | None,
    changes: tuple[str, ...],
    out: Path | None,
    runs: Path | None,
    resume: Path | None,
    data_path: Path | None,
    choices: Reading,
    images: int | None,
    device: str,
    threads: int | None,
    tensorboard: bool,
    as_json: bool,
) -> int:
    recipe = read_recipe(recipe_file, changes, preset)  # refused before anything large is loaded
    if tensorboard:
        from vae_explorer.training.tensorboard import EventFile
    from vae_explorer.training.device import set_threads
    from vae_explorer.training.distributed import ALONE
    from vae_explorer.training.run_folder import RunFolder
    from vae_explorer.training.trainer import Trainer

    wanted = RunFolder(resume).trained_on() if resume else None
    data = training_images(images, data_path, choices, wanted)
    team = team or ALONE
    set_threads(threads, processes=team.local_size)
    device = team.device(device)
    if resume:
        warn = partial(click.echo, err=True) if team.leads else _silent
        trainer = RunFolder(resume).resume(data, device, warn, team)
    else:
        if data_path:
            recipe = read_recipe(recipe_file, changes, preset, data)
        trainer = Trainer(recipe, data, device, team)
    team.any()  # all have read the run's folder, so that one may write to it
    if not team.leads:
        return _follow(trainer)
    warn_of(trainer.recipe, data.image_shape)
    folder = RunFolder(resume) if resume else RunFolder.create(runs or paths.runs(), recipe)
    options: dict[str, object] = {
        "--data": data_path,
        "--read": choices,
        "--images": images,
        "--threads": threads,
        "--out": out,
    }
    go_on = _go_on(team, folder, options | {"--tensorboard": tensorboard or None})

    with Stop() as stop, ExitStack() as files:
        board = files.enter_context(closing(EventFile(folder, trainer))) if tensorboard else None
        run(trainer, folder, stop, go_on, as_json, board)
    snapshot = trainer.snapshot()
    model = folder.model_path
    if out and trainer.finished:
        _write_out(snapshot, out, folder)
        model = out
    if as_json:
        click.echo(json.dumps(_end(trainer, folder, model)))
    if not trainer.finished:
        click.echo(f"Stopped at epoch {trainer.epoch:.2f}; go on with\n  {go_on}", err=True)
        return stop.status
    if not as_json:
        click.echo(_summary(snapshot, folder, model))
    return 0


def _silent(_: str) -> None:
    """For what the leading process says."""


def _go_on(team: "Team", folder: "RunFolder", options: dict[str, object]) -> str:
    program = ["vae-explorer"]
    if team.size > 1:
        program = ["torchrun", "--nproc-per-node", str(team.local_size), "-m", "vae_explorer"]
    words = option_words({"--resume": folder.path, **options})
    return command_line(*program, "train", *words)


def run(
    trainer: "Trainer",
    folder: "RunFolder",
    stop: Stop,
    go_on: str,
    as_json: bool,
    board: "EventFile | None" = None,
) -> None:
    """Train until the end or until ``stop`` is asked, saving each epoch and where it ends.

    Shows how it goes; ``go_on`` is the command for when the disk refuses.
    """
    from vae_explorer.training.run import Recorder
    from vae_explorer.training.trainer import EpochMetrics, StepMetrics

    recorder, team = Recorder(trainer, folder), trainer.team
    trainer.given_up = stop.asked
    with recorder, progress(trainer) as shown, _kept(folder, go_on):
        recorder.begin()
        team.any()
        for event in recorder.follow(lambda: team.size > 1 or stop.asked()):
            if board:
                board.hear(event)
            if isinstance(event, StepMetrics):
                shown.hear(event)
            if as_json and isinstance(event, EpochMetrics):
                figures = dataclasses.asdict(event.point)
                speed = {"images_per_s": round(shown.images_per_s, 1)}
                click.echo(json.dumps({"event": "epoch"} | figures | speed))
            if team.any(stop.asked()):
                break
        if not trainer.finished:
            recorder.save()


def _follow(trainer: "Trainer") -> int:
    """Take the steps that ``run`` takes in the leading process."""
    with Stop() as stop:
        trainer.team.any()
        for _ in trainer.events(lambda: True):
            if trainer.team.any(stop.asked()):
                break
    return 0 if trainer.finished else stop.status


@contextmanager
def _kept(folder: "RunFolder", go_on: str) -> Iterator[None]:
    """Say of an error how to go on, if the run can."""
    try:
        yield
    except CheckpointError as error:
        if not folder.state_path.exists():
            raise
        raise CheckpointError(f"{error} Then go on with\n  {go_on}") from error


def _write_out(snapshot: "Snapshot", out: Path, folder: "RunFolder") -> None:
    from vae_explorer.training.checkpoint import write_checkpoint

    try:
        write_checkpoint(snapshot, out)
        recipe_path = out.with_suffix(".toml")
        if not _holds(recipe_path, snapshot.recipe):
            export_content(recipe_path, snapshot.recipe.to_toml().encode())
    except UserError as error:
        raise CheckpointError(f"{error} The trained model is safe in {folder.path}.") from error


def _holds(path: Path, recipe: Recipe) -> bool:
    """True if a file says the same already; it may have a person's comments, so leave it."""
    try:
        return Recipe.read(path) == recipe
    except RecipeError:
        return False


def _end(trainer: "Trainer", folder: "RunFolder", model: Path) -> dict[str, object]:
    return {
        "event": "end",
        "finished": trainer.finished,
        "epoch": trainer.epoch,
        "step": trainer.step,
        "run": str(folder.path),
        "checkpoint": str(model),
    }


def _summary(snapshot: "Snapshot", folder: "RunFolder", model: Path) -> str:
    held_out = snapshot.held_out_elbo
    name = named("held-out ELBO", no_likelihood(snapshot.recipe))
    figure = "" if held_out is None else f", {name} {held_out:.3f} nats per image"
    return (
        f"Trained {snapshot.recipe.epochs} epochs{figure} ({snapshot.recipe.treatment})\n"
        f"Model  {click.format_filename(model)}\n"
        f"Run    {click.format_filename(folder.path)}"
    )
