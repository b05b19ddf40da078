"""What the commands that train share: the recipe and the images."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vae_explorer.data.reading import Reading, as_changes
from vae_explorer.errors import DataError, RecipeError
from vae_explorer.number_format import field_value
from vae_explorer.paths import bundled_models
from vae_explorer.training.meaning import check_heeded, judge
from vae_explorer.training.presets import NAMES, recipe_of
from vae_explorer.training.recipe import Recipe, Value
from vae_explorer.types import ImageShape

if TYPE_CHECKING:
    from vae_explorer.data.dataset import ImageSet
    from vae_explorer.training.snapshot import DataReference


def recipe_fields() -> str:
    """All recipe fields with default and range, for the help."""
    lines = ["\b", "Recipe fields (default; range):"]
    for name, default in Recipe().to_dict().items():
        spec = Recipe.specs()[name]
        allowed = ", ".join(spec.names) or f"{spec.low:,g} to {spec.high:,.10g} {spec.unit}"
        lines.append(f"  {name:<18} {default}; {allowed}".rstrip())
    return "\n".join(lines)


recipe_option = click.option(
    "--recipe",
    "recipe_file",
    type=click.Path(path_type=Path),
    metavar="FILE.toml",
    help="What to compute; fields it leaves out have their defaults. A bundled model's name is the "
    "recipe that made it.",
)
preset_option = click.option(
    "--preset",
    type=click.Choice(NAMES, case_sensitive=False),
    help="Take a recipe of the program instead, of half a minute, ten minutes or the bundled "
    "model; in float32 where the processor is no faster with bfloat16.",
)
set_option = click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Change one field of the recipe; repeatable.",
)
images_option = click.option(
    "--images", type=click.IntRange(min=1), help="Use only this many images, the first ones."
)
data_option = click.option(
    "--data",
    "data_path",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Train on the images of a file or folder of your own [default: MNIST].",
)
device_option = click.option(
    "--device",
    default="auto",
    show_default=True,
    metavar="auto|cpu|cuda[:N]|mps",
    help="Where to compute.",
)
threads_option = click.option(
    "--threads", type=click.IntRange(1, 1024), help="CPU threads [default: all cores]."
)
scheduler_option = click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="Hand the work to the workers of a dask.distributed scheduler, such as "
    "tcp://10.0.0.5:8786; they have this program installed.",
)


def read_recipe(
    path: Path | None,
    changes: Iterable[str],
    preset: str | None = None,
    images: "ImageSet | None" = None,
) -> Recipe:
    """A recipe file, a bundled model's, a preset or the default recipe, with some fields changed.

    A preset is fitted to the images, if given, as it is in the window.

    Raises:
        RecipeError: the file cannot be read, or a change is no FIELD=VALUE of a recipe, or makes no
            difference.
    """
    if path and preset:
        raise click.UsageError("--recipe and --preset both say what to compute; leave one out.")
    if preset:
        recipe = recipe_of(preset)
        if images is not None:
            from vae_explorer.training.proposal import fitted

            recipe = fitted(recipe, images)
    else:
        bundled = bundled_models().get(str(path))
        path = bundled.with_suffix(".toml") if bundled else path
        recipe = Recipe.read(path) if path else Recipe()
    values: dict[str, Value] = {}
    for change in changes:
        name, equals, text = change.partition("=")
        if not equals:
            raise RecipeError(f"'{change}' does not change a field; write --set FIELD=VALUE.")
        values[name.strip()] = field_value(text)
    changed = recipe.replace(**values)
    check_heeded(changed, values)
    return changed


def option_words(options: Mapping[str, object]) -> list[str]:
    """Options for a command line, without those of None; a reading is one for each choice."""
    words: list[str] = []
    for option, value in options.items():
        if isinstance(value, Reading):
            words += [word for change in as_changes(value) for word in (option, change)]
        elif value is not None:
            words += [option] if value is True else [option, str(value)]
    return words


def warn_of(recipe: Recipe, shape: ImageShape) -> None:
    """Say on standard error what somebody should know of a recipe."""
    for text in judge(recipe, shape):
        click.echo(f"Warning: {text}", err=True)


def training_images(
    count: int | None,
    path: Path | None,
    choices: Reading,
    wanted: "DataReference | None" = None,
) -> "ImageSet":
    """The first ``count`` training images of a data set, all if None; of MNIST without a path.

    What is not given is as for the images that a run says it was trained on, the ``wanted``.

    Raises:
        DataError: there are not so many, or none can be read.
    """
    from vae_explorer.data.bundled import mnist
    from vae_explorer.data.opening import open_images

    source = wanted.source if wanted else None
    if source and choices == Reading():
        choices = source.reading
    try:
        found = path or (source.path if source else None)
        data = open_images(found, choices).train if found else mnist("train")
    except DataError as error:
        if wanted is None or path:
            raise
        raise DataError(
            f"{error} It was trained on this; if it has moved, name it by --data."
        ) from error
    if count is None:
        return data.first(wanted.images) if wanted else data
    if count > len(data):
        raise DataError(f"--images is {count:,}; {data.name} has {len(data):,} training images.")
    return data.subset(slice(count))
