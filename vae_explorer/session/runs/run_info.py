"""A training run as a line of the list of all: read from its folder, without its tensors."""

import dataclasses
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from vae_explorer.errors import CheckpointError, RecipeError
from vae_explorer.session.training.events import Phase
from vae_explorer.training.history import HistoryPoint
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.sweep_folder import SweepFolder

_GROUPS = ("Objective", "Model", "Training")


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


def find_runs(folder: Path) -> Iterator[tuple[RunFolder, str]]:
    """The runs in ``folder`` and in the sweeps there, each with its sweep's name or ""."""
    for path in _folders(folder):
        if (path / SweepFolder.TOML).is_file():
            inside = map(RunFolder, _folders(path))
            yield from ((run, path.name) for run in inside if run.exists)
        elif RunFolder(path).exists:
            yield RunFolder(path), ""


def _folders(folder: Path) -> list[Path]:
    with suppress(OSError):  # not there yet, or no longer
        return sorted(
            path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")
        )
    return []


def read_run(run: RunFolder, sweep: str = "") -> RunInfo:
    """What a run's folder tells; one that is damaged tells so.

    Args:
        run: the folder.
        sweep: the name of the sweep that it is a part of.
    """
    label = run.label
    recipe, figures, problems = None, RunFigures(), []
    try:
        recipe = run.recipe()
    except RecipeError as error:
        problems.append(str(error))
    try:
        figures = RunFigures().extended(run.history(told=True))
    except CheckpointError as error:
        problems.append(str(error))
    if not (run.model_path.is_file() and run.model_path.stat().st_size):
        problems.append(f"{RunFolder.MODEL} is missing: the run was never saved.")
    return RunInfo(
        path=run.path,
        name=label.name or run.path.name,
        note=label.note,
        origin=label.origin or (f"sweep {sweep}" if sweep else ""),
        recipe=recipe,
        date=run.date,
        figures=figures,
        size=run.size,
        damaged=" ".join(problems),
    )
