"""``vae-explorer train``."""

import dataclasses
import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vae_explorer import paths
from vae_explorer.cli.parameters import output_option, write_output
from vae_explorer.cli.progress import Stop, progress
from vae_explorer.errors import CheckpointError, DataError, DivergedError, RecipeError, UserError
from vae_explorer.training.recipe import Recipe

if TYPE_CHECKING:
    from vae_explorer.data.dataset import ImageSet
    from vae_explorer.training.run import RunFolder
    from vae_explorer.training.snapshot import Snapshot
    from vae_explorer.training.trainer import Trainer


def _recipe_fields() -> str:
    """All recipe fields with default and range, for the help."""
    lines = ["\b", "Recipe fields (default; range):"]
    for name, default in Recipe().to_dict().items():
        spec = Recipe.specs()[name]
        allowed = ", ".join(spec.choices) or f"{spec.low:,g} to {spec.high:,.10g} {spec.unit}"
        lines.append(f"  {name:<18} {default}; {allowed}".rstrip())
    return "\n".join(lines)


@click.command(epilog=_recipe_fields())
@click.option(
    "--recipe",
    "recipe_file",
    type=click.Path(path_type=Path),
    metavar="FILE.toml",
    help="What to compute; fields it leaves out have their defaults.",
)
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Change one field of the recipe; may be given again.",
)
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
    help="Go on with a run that was interrupted, to the same numbers as if it had not been.",
)
@click.option("--images", type=click.IntRange(min=1), help="Use only the first so many images.")
@click.option(
    "--device",
    default="auto",
    show_default=True,
    metavar="auto|cpu|cuda|mps",
    help="Where to compute.",
)
@click.option("--threads", type=click.IntRange(1, 1024), help="CPU threads [default: all cores].")
@click.option(
    "--json", "as_json", is_flag=True, help="Print a JSON object an epoch and at the end."
)
@click.pass_context
def train(
    ctx: click.Context,
    recipe_file: Path | None,
    changes: tuple[str, ...],
    out: Path | None,
    runs: Path | None,
    resume: Path | None,
    images: int | None,
    device: str,
    threads: int | None,
    as_json: bool,
) -> None:
    """Train a model on the MNIST training images.

    Ctrl-C ends the step under way, saves the run and says how to go on.
    """
    if resume and (recipe_file or changes or runs):
        raise click.UsageError(
            "--resume takes recipe and folder from the run; leave out --recipe, --set and --runs."
        )
    recipe = _recipe(recipe_file, changes)  # refused before anything large is loaded
    data = _training_images(images)
    from vae_explorer.training.device import set_threads
    from vae_explorer.training.run import RunFolder
    from vae_explorer.training.trainer import Trainer

    set_threads(threads)
    if resume:
        folder = RunFolder(resume)
        trainer = folder.resume(data, device, partial(click.echo, err=True))
    else:
        trainer = Trainer(recipe, data, device)
        folder = RunFolder.create(runs or paths.runs(), recipe)
    go_on = _go_on(folder, {"--images": images, "--threads": threads, "--out": out})

    with Stop() as stop:
        _run(trainer, folder, stop, go_on, as_json)
    snapshot = trainer.snapshot()
    model = folder.model_path
    if out and trainer.finished:
        _write_out(snapshot, out, folder)
        model = out
    if as_json:
        click.echo(json.dumps(_end(trainer, folder, model)))
    if not trainer.finished:
        click.echo(f"Stopped at epoch {trainer.epoch:.2f}; go on with\n  {go_on}", err=True)
        ctx.exit(128 + stop.signal)
    if not as_json:
        click.echo(_summary(snapshot, folder, model))


def _recipe(path: Path | None, changes: tuple[str, ...]) -> Recipe:
    recipe = Recipe.read(path) if path else Recipe()
    values: dict[str, int | float | str] = {}
    for change in changes:
        name, equals, text = change.partition("=")
        if not equals:
            raise RecipeError(f"'{change}' does not change a field; write --set FIELD=VALUE.")
        values[name.strip()] = _value(text.strip())
    return recipe.replace(**values)


def _value(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _training_images(count: int | None) -> "ImageSet":
    from vae_explorer.data.bundled import mnist

    data = mnist("train")
    if count is None:
        return data
    if count > len(data):
        raise DataError(f"--images is {count:,}; {data.name} has {len(data):,} training images.")
    return data.subset(slice(count))


def _go_on(folder: "RunFolder", options: dict[str, object]) -> str:
    words = ["vae-explorer", "train", "--resume", str(folder.path)]
    for option, value in options.items():
        if value is not None:
            words += [option, str(value)]
    return shlex.join(words)


def _run(trainer: "Trainer", folder: "RunFolder", stop: Stop, go_on: str, as_json: bool) -> None:
    """Train until the end or until ``stop`` is asked, saving each epoch and where it ends."""
    from vae_explorer.training.run import Recorder
    from vae_explorer.training.trainer import EpochMetrics, StepMetrics

    recorder = Recorder(trainer, folder)
    with progress(trainer) as shown, _kept(folder, go_on):
        if not trainer.step:
            recorder.begin()
        try:
            for event in trainer.events(lambda: stop.asked() or recorder.moment_due):
                recorder.hear(event)
                if isinstance(event, StepMetrics):
                    shown.hear(event)
                if as_json and isinstance(event, EpochMetrics):
                    figures = dataclasses.asdict(event.point)
                    speed = {"images_per_s": round(shown.images_per_s, 1)}
                    click.echo(json.dumps({"event": "epoch"} | figures | speed))
                if stop.asked():
                    break
        except DivergedError:
            recorder.save()
            raise
        if not trainer.finished:
            recorder.save()


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
            write_output(recipe_path, snapshot.recipe.to_toml().encode())
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
    figure = "" if held_out is None else f", held-out ELBO {held_out:.3f} nats per image"
    return (
        f"Trained {snapshot.recipe.epochs} epochs{figure} ({snapshot.recipe.treatment})\n"
        f"Model  {click.format_filename(model)}\n"
        f"Run    {click.format_filename(folder.path)}"
    )
