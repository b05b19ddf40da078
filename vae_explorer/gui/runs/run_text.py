"""What a run says in each column, aloud and in its tip, and what it is sorted and found by."""

import textwrap
from enum import IntEnum
from functools import lru_cache
from typing import Any

from vae_explorer.number_format import NONE, figure
from vae_explorer.session.runs.run_info import RunInfo, differences
from vae_explorer.session.training.events import Phase
from vae_explorer.training.meaning import MARK, explained, named, no_likelihood
from vae_explorer.training.presets import nearest_preset
from vae_explorer.training.recipe import Recipe

_LETTERS = 88


class Column(IntEnum):
    """What a run is told by, from left to right."""

    CURVE = 0
    NAME = 1
    RECIPE = 2
    ELBO = 3
    LOG_MARGINAL = 4
    EPOCHS = 5
    SECONDS = 6
    DATE = 7
    NOTE = 8


def describe(run: RunInfo) -> str:
    """All of a run, with its full recipe, line by line."""
    told = run.figures
    lines = [run.name, str(run.path), run.origin and f"From {run.origin}", run.note]
    if run.active:
        lines.append("Paused" if run.phase is Phase.PAUSED else "Running")
    lines.append(run.damaged)
    seconds = figure(told.seconds, ",.0f", "s", none="")
    parts = (f"{cell(run, Column.EPOCHS)} epochs", seconds, size_text(run.size))
    lines.append(" · ".join(filter(None, parts)))
    remark = no_likelihood(run.recipe) if run.recipe else None
    figures = (
        (named("best held-out ELBO", remark), told.best_elbo, " nats"),
        (named("log p(x)", remark), told.log_marginal, " nats"),
        ("KL", told.kl, " nats"),
    )
    known = [f"{name} {figure(x, 2)}{unit}" for name, x, unit in figures if x is not None]
    if told.active_units is not None:
        known.append(f"{told.active_units} of 2 units active")
    lines.append(" · ".join(known))
    if run.recipe is not None:
        lines.append(explained("", remark))
        lines += _recipe_lines(run.recipe)
    wrapped = (textwrap.fill(line, _LETTERS, subsequent_indent="    ") for line in lines)
    return "\n".join(filter(None, wrapped))


def size_text(size: int) -> str:
    """Bytes as a person reads them."""
    megabytes = size / 1e6
    return f"{megabytes / 1000:.1f} GB" if megabytes >= 1000 else f"{megabytes:.1f} MB"


def _recipe_lines(recipe: Recipe) -> list[str]:
    """One line a group of fields."""
    groups: dict[str, list[str]] = {}
    for name, spec in recipe.specs().items():
        groups.setdefault(spec.group, []).append(f"{name} {getattr(recipe, name)}")
    return [f"{group}: {', '.join(fields)}" for group, fields in groups.items()]


def has_curve(run: RunInfo) -> bool:
    """Whether it has figures to draw."""
    return run.figures.epoch > 0


def cell(run: RunInfo, column: Column) -> str:
    """What a column says of a run."""
    told = run.figures
    match column:
        case Column.NAME:
            mark = "▶ " if run.active else "⚠ " if run.damaged else ""
            return mark + run.name
        case Column.RECIPE:
            return run.damaged or (_recipe_text(run.recipe) if run.recipe else "")
        case Column.ELBO:
            return _nats(run, told.best_elbo)
        case Column.LOG_MARGINAL:
            return _nats(run, told.log_marginal)
        case Column.EPOCHS:
            done = f"{told.epoch:.1f}".removesuffix(".0")
            return f"{done} of {run.recipe.epochs:,}" if run.recipe else done
        case Column.SECONDS:
            return figure(told.seconds, ",.0f")
        case Column.DATE:
            return f"{run.date:%Y-%m-%d %H:%M}"
        case Column.NOTE:
            return run.note
    return ""


@lru_cache(256)  # a run under way is told twenty times a second
def _recipe_text(recipe: Recipe) -> str:
    if preset := nearest_preset(recipe):
        return " · ".join((preset.name, *differences(recipe, preset.recipe)))
    # Epochs have a column of their own.
    return " · ".join(differences(recipe, Recipe(epochs=recipe.epochs))) or "default"


def _nats(run: RunInfo, value: float | None) -> str:
    if value is None:
        return NONE
    mark = ""
    if run.recipe and _measure(run.recipe) != _USUAL:
        mark = f" {MARK}" if no_likelihood(run.recipe) else " †"
    return figure(value, 2) + mark


def _measure(recipe: Recipe) -> tuple[str, str]:
    """Likelihoods of runs that differ in this do not compare."""
    return recipe.treatment, recipe.likelihood


_USUAL = _measure(Recipe())


def spoken(run: RunInfo, column: Column) -> str:
    """What a cell says to who cannot see it."""
    match column:
        case Column.CURVE:
            return f"Curve of {run.name}"
        case Column.NAME if run.active:
            return f"{run.name}, {'paused' if run.phase is Phase.PAUSED else 'running'}"
        case Column.NAME if run.damaged:
            return f"{run.name}, damaged"
    return cell(run, column)


def searched(run: RunInfo) -> str:
    """The text that a filter looks in."""
    texts = (run.name, run.path.name, run.note, run.origin, cell(run, Column.RECIPE))
    return "\n".join(texts).casefold()


def sort_key(run: RunInfo, column: Column) -> Any:
    """What a column is sorted by; None comes last."""
    told = run.figures
    match column:
        case Column.CURVE | Column.NAME:
            return run.name.casefold()
        case Column.ELBO | Column.LOG_MARGINAL:
            value = told.best_elbo if column is Column.ELBO else told.log_marginal
            if value is None or run.recipe is None:
                return None
            return _measure(run.recipe), value
        case Column.EPOCHS:
            return told.epoch
        case Column.SECONDS:
            return told.seconds
        case Column.DATE:
            return run.date
        case Column.NOTE:
            return run.note.casefold() or None
    return cell(run, column).casefold()
