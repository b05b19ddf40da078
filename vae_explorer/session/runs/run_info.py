"""A training run as a line of the list of all: read from its folder, without its tensors."""

import dataclasses
import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from vae_explorer.errors import CheckpointError, RecipeError
from vae_explorer.session.state import Phase
from vae_explorer.training.history import HistoryPoint, from_csv
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run import RunFolder

SWEEP = "sweep.toml"
"""A folder with this file holds the runs of one sweep, a folder each."""

RECIPE, HISTORY, LABEL = "recipe.toml", "history.csv", "label.toml"
_PARTS = (RECIPE, HISTORY, LABEL, RunFolder.MODEL, "moments")
_MOST_BYTES = 1 << 26  # of a text; our longest history has some megabytes
_GROUPS = ("Objective", "Model", "Training")
_HELD_OUT = 5  # the column of the held-out ELBO

Signature = tuple[tuple[int, int] | None, ...]
"""When each part of a run was last written, and its size; None where it is not there."""


@dataclass(frozen=True)
class RunFigures:
    """How far a run has come; all but the epoch are None where not known.

    ``best_elbo`` is the largest held-out ELBO, ``log_marginal`` (log p(x)), ``kl`` and
    ``active_units`` are the last held-out ones; nats per image. ``seconds`` were spent training.
    """

    epoch: float = 0.0
    best_elbo: float | None = None
    log_marginal: float | None = None
    kl: float | None = None
    active_units: int | None = None
    seconds: float | None = None

    def extended(self, points: Iterable[HistoryPoint]) -> "RunFigures":
        """With later points."""
        found = dataclasses.asdict(self)
        for point in points:
            later = {
                "epoch": point.epoch,
                "log_marginal": point.held_out_log_marginal,
                "kl": point.held_out_kl,
                "active_units": point.active_units,
                "seconds": point.seconds,
            }
            found |= {name: value for name, value in later.items() if value is not None}
            elbo, best = point.held_out_elbo, found["best_elbo"]
            if elbo is not None and (best is None or elbo > best):
                found["best_elbo"] = elbo
        return RunFigures(**found)


@dataclass(frozen=True)
class RunInfo:
    """What a person wants to know of a run.

    ``name`` is the one it was given, or its folder's; ``origin`` says where it came from, such as
    a moment of another run or a sweep. ``size`` is in bytes. ``recipe`` is None if it cannot be
    read, and ``damaged`` says what is wrong with the folder, if anything is. ``phase`` is that of
    the run under way, and "idle" for all others.
    """

    path: Path
    name: str
    note: str
    origin: str
    recipe: Recipe | None
    date: datetime
    figures: RunFigures = RunFigures()
    size: int = 0
    damaged: str = ""
    phase: Phase = Phase.IDLE

    @property
    def active(self) -> bool:
        """Whether it is under way."""
        return self.phase is not Phase.IDLE

    @property
    def finished(self) -> bool:
        """Whether it came to the end of its recipe."""
        return self.recipe is not None and self.figures.epoch >= self.recipe.epochs

    @property
    def model_path(self) -> Path:
        """The checkpoint that opens it."""
        return RunFolder(self.path).model_path


def differences(recipe: Recipe, base: Recipe | None = None) -> tuple[str, ...]:
    """In what a recipe differs from ``base``, the default one if None: "β 4", "seed 2".

    What is maximised comes first, then the model, and how it was trained last.
    """
    values, usual = recipe.to_dict(), (base or Recipe()).to_dict()
    specs = [(name, spec) for name, spec in Recipe.specs().items() if values[name] != usual[name]]
    specs.sort(key=lambda item: _GROUPS.index(item[1].group))
    return tuple(f"{_in_a_sentence(spec.label)} {_plain(values[name])}" for name, spec in specs)


def _in_a_sentence(label: str) -> str:
    return label[0].lower() + label[1:] if label[1:2].islower() else label


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def find_runs(folder: Path) -> Iterator[tuple[Path, str]]:
    """The run folders in ``folder`` and in the sweeps there, each with its sweep's name or ""."""
    for path in _folders(folder):
        if (path / SWEEP).is_file():
            yield from ((inner, path.name) for inner in _folders(path) if _is_run(inner))
        elif _is_run(path):
            yield path, ""


def _folders(folder: Path) -> list[Path]:
    with suppress(OSError):  # not there yet, or no longer
        return sorted(
            path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")
        )
    return []


def _is_run(folder: Path) -> bool:
    own = (RECIPE, HISTORY, RunFolder.MODEL, "state.safetensors")
    return any((folder / name).is_file() for name in own)


def signature(run: Path) -> Signature:
    """Changes whenever something of a run is written."""
    return tuple(_touched(run / name) for name in _PARTS)


def _touched(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def read_run(run: Path, sweep: str = "") -> RunInfo:
    """What a run's folder tells; one that is damaged tells so.

    Args:
        run: the folder.
        sweep: the name of the sweep that it is a part of.
    """
    label = RunFolder(run).label
    recipe, figures, problems = None, RunFigures(), []
    try:
        recipe = _recipe(run)
    except RecipeError as error:
        problems.append(str(error))
    try:
        figures = RunFigures().extended(_told_points(run / HISTORY))
    except CheckpointError as error:
        problems.append(str(error))
    touched = _touched(RunFolder(run).model_path)
    if touched is None or not touched[1]:
        problems.append(f"{RunFolder.MODEL} is missing: the run was never saved.")
    return RunInfo(
        path=run,
        name=label.name or run.name,
        note=label.note,
        origin=label.origin or (f"sweep {sweep}" if sweep else ""),
        recipe=recipe,
        date=_date(run),
        figures=figures,
        size=_size(run),
        damaged=" ".join(problems),
    )


def read_history(run: Path) -> tuple[HistoryPoint, ...]:
    """All points of a run, for its curves.

    Raises:
        CheckpointError: the history cannot be read.
    """
    return from_csv(_history(run / HISTORY))


def _told_points(path: Path) -> tuple[HistoryPoint, ...]:
    """The points with held-out figures and the last: a twentieth of the work for a long history."""
    header, *rows = _history(path).splitlines() or [""]
    told = [row for row in rows[:-1] if _has_held_out(row)]
    return from_csv("\n".join([header, *told, *rows[-1:]]))


def _has_held_out(row: str) -> bool:
    cells = row.split(",", _HELD_OUT + 1)
    return len(cells) <= _HELD_OUT or cells[_HELD_OUT] != ""  # a short one will be refused


def _recipe(run: Path) -> Recipe:
    try:
        text = _text(run / RECIPE)
    except (OSError, ValueError) as error:
        raise RecipeError(_unreadable(RECIPE, error)) from error
    return Recipe.parse(text, RECIPE)


def _history(path: Path) -> str:
    try:
        return _text(path)
    except (OSError, ValueError) as error:
        raise CheckpointError(_unreadable(HISTORY, error)) from error


def _unreadable(name: str, error: Exception) -> str:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else error
    return f"{name} cannot be read: {reason}."


def _text(path: Path) -> str:
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):  # a pipe would be waited for, for ever
        raise ValueError("it is no file")
    if found.st_size > _MOST_BYTES:
        raise ValueError(f"it has {found.st_size:,} bytes")
    return path.read_text(encoding="utf-8")


def _date(run: Path) -> datetime:
    """When it began: its folder's name tells, or else when its recipe was written."""
    match = re.match(r"\d{8}-\d{6}", run.name)
    if match:
        with suppress(ValueError):
            return datetime.strptime(match[0], "%Y%m%d-%H%M%S")
    touched = _touched(run / RECIPE) or _touched(run) or (0, 0)
    return datetime.fromtimestamp(touched[0] / 1e9)


def _size(run: Path) -> int:
    total = 0
    for folder, _, names in os.walk(run):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(folder, name)).st_size
    return total
