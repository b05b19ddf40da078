"""A sweep on the disk: what is done, what is to be run, and the results as a table."""

import csv
import dataclasses
import io
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import tomli_w

from vae_explorer import schema
from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import CheckpointError, DataError, RecipeError, UserError
from vae_explorer.files import read_text
from vae_explorer.training.checks import check_fits
from vae_explorer.training.meaning import measure
from vae_explorer.training.recipe import Recipe, Value
from vae_explorer.training.run_folder import RunFolder, RunLabel, write_text
from vae_explorer.training.snapshot import DataReference
from vae_explorer.training.sweep import Cell, Sweep
from vae_explorer.training.trainer import Trainer


@dataclass(frozen=True)
class Result:
    """What became of one cell, nats per image.

    ``outcome`` is "waiting", "begun", "finished" or "diverged"; ``epoch`` how far it is.
    ``held_out_elbo`` is the best of its epochs; ``held_out_log_marginal``, ``held_out_kl`` and
    ``active_units`` are the last ones, see ``HistoryPoint``. ``seconds`` were spent training;
    ``run`` is the name of its folder, "" if there is none. None for what is not known. ``measure``
    says what the figures are, as ``meaning.measure``.
    """

    values: tuple[tuple[str, Value], ...]
    outcome: str
    epoch: float = 0.0
    held_out_elbo: float | None = None
    held_out_log_marginal: float | None = None
    held_out_kl: float | None = None
    active_units: int | None = None
    seconds: float | None = None
    run: str = ""
    measure: str = ""

    def to_dict(self) -> dict[str, Any]:
        """All of it under its names, the varied fields first."""
        figures = dataclasses.asdict(self)
        return dict(figures.pop("values")) | figures


@dataclass(frozen=True)
class SweepFolder:
    """A folder with ``sweep.toml``, ``results.csv`` and a ``RunFolder`` for each run begun.

    It trains nothing. Whoever does takes one of ``pending`` after another, lets ``begin`` give the
    trainer, keeps the run by a ``Recorder`` and lets ``record`` know how it ended. Runs are found
    by their recipes, so that what one process left half done another goes on with.
    """

    TOML: ClassVar = "sweep.toml"

    path: Path
    sweep: Sweep
    data: DataReference

    @classmethod
    def create(cls, path: Path, sweep: Sweep, data: ImageSet) -> "SweepFolder":
        """A new sweep on ``data`` in a new or empty folder.

        Raises:
            CheckpointError: the folder has something in it, or cannot be written.
            DataError: a run would have nothing to train on.
        """
        for cell in sweep.cells:
            check_fits(cell.recipe, data)
        reference = DataReference.of(data)
        folder = cls(path, sweep, reference)
        text = tomli_w.dumps({"data": schema.storable(reference)}) + "\n" + sweep.to_toml()
        try:
            path.mkdir(parents=True, exist_ok=True)
            if folder._toml.exists():
                raise CheckpointError(
                    f"{path} has a sweep already; go on with it by --resume or name another folder."
                )
            if any(path.iterdir()):
                raise CheckpointError(f"{path} is not empty; name a new folder for the sweep.")
        except OSError as error:
            raise CheckpointError(
                f"Cannot begin a sweep in {path}: {error.strerror or error}. Choose another folder."
            ) from error
        write_text(folder._toml, text)
        return folder

    @classmethod
    def open(cls, path: Path) -> "SweepFolder":
        """The sweep that was begun in ``path``.

        Raises:
            RecipeError: there is none, or its ``sweep.toml`` cannot be read.
        """
        source = path / cls.TOML
        text = read_text(source, "the folder of a sweep", RecipeError)
        values = schema.parse_toml(text, str(source), RecipeError)
        data = values.pop("data", {})
        return cls(
            path,
            Sweep.from_dict(values, str(source)),
            schema.build(DataReference, data, f"{source}: data", RecipeError),
        )

    @property
    def results_path(self) -> Path:
        """The table of results."""
        return self.path / "results.csv"

    @property
    def _toml(self) -> Path:
        return self.path / self.TOML

    def pending(self) -> tuple[Cell, ...]:
        """What is still to be run, in order: neither finished nor diverged."""
        return left_over(self.sweep, self.results())

    def begin(
        self,
        cell: Cell,
        data: ImageSet,
        device: str = "auto",
        warn: Callable[[str], None] = lambda _: None,
    ) -> tuple[Trainer, RunFolder]:
        """The trainer and the folder of a cell: new, or where it was left, as ``RunFolder.resume``.

        Raises:
            DataError: ``data`` is not what the sweep was begun on, or the device is not there.
            CheckpointError: the folder cannot be made, or what it holds cannot be read.
        """
        self.check(data)
        run = self.found(cell)
        if run:
            return run.resume(data, device, warn), run
        return Trainer(cell.recipe, data, device), self.place(cell)

    def check(self, data: ImageSet) -> None:
        """Refuse other images.

        Raises:
            DataError: ``data`` is not what the sweep was begun on.
        """
        if data.fingerprint != self.data.fingerprint:
            raise DataError(
                f"The sweep in {self.path} was begun on {self.data.images:,} images of "
                f"{self.data.name}, not on these {len(data):,} of {data.name}; give it the same."
            )

    def found(self, cell: Cell) -> RunFolder | None:
        """The folder of a cell that was begun."""
        return self._runs().get(cell.recipe)

    def place(self, cell: Cell) -> RunFolder:
        """The folder of a cell, a new one if it was not begun; ``RunFolder.resume`` trains either.

        Raises:
            CheckpointError: it cannot be made.
        """
        if run := self.found(cell):
            return run
        run = RunFolder.create(self.path, cell.recipe)
        origin = f"sweep {self.path.name}, run {cell.number} of {len(self.sweep.cells)}"
        run.write_label(RunLabel(cell.name, origin=origin))
        return run

    def record(self, cell: Cell, *, diverged: bool = False) -> Result:
        """Write the table again after a run of ``cell`` has ended, in whatever way.

        Raises:
            CheckpointError: it cannot be written; the table of before is intact.
        """
        results = list(self.results())
        position = cell.number - 1
        if diverged:
            results[position] = dataclasses.replace(results[position], outcome="diverged")
        write_text(self.results_path, to_csv(results))
        return results[position]

    def results(self) -> tuple[Result, ...]:
        """One for every cell, in order, from what the folders hold now."""
        runs, diverged = self._runs(), self._diverged()
        return tuple(_result(cell, runs.get(cell.recipe), diverged) for cell in self.sweep.cells)

    def _runs(self) -> dict[Recipe, RunFolder]:
        """The first run of each recipe."""
        runs: dict[Recipe, RunFolder] = {}
        for path in sorted(self.path.glob("*/recipe.toml")):
            try:
                runs.setdefault(Recipe.read(path), RunFolder(path.parent))
            except RecipeError:  # of no use to go on with
                continue
        return runs

    def _diverged(self) -> set[str]:
        """The folders of the runs that the table says have diverged."""
        try:
            text = read_text(self.results_path, "a table of results (.csv)")
            rows = list(csv.DictReader(text.splitlines()))
        except (UserError, csv.Error):  # they will diverge again
            return set()
        return {row.get("run", "") for row in rows if row.get("outcome") == "diverged"}


def left_over(sweep: Sweep, results: Iterable[Result]) -> tuple[Cell, ...]:
    """The cells that ``results`` say are neither finished nor diverged."""
    pairs = zip(sweep.cells, results, strict=True)
    return tuple(cell for cell, result in pairs if result.outcome in ("waiting", "begun"))


def to_csv(results: Iterable[Result]) -> str:
    """A line for each result under a header; what is not known is an empty cell."""
    rows = [result.to_dict() for result in results]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _result(cell: Cell, run: RunFolder | None, diverged: set[str]) -> Result:
    if run is None:
        return Result(cell.values, "waiting", measure=measure(cell.recipe))
    try:
        history = run.history()
    except UserError:  # of no use
        history = ()
    result = Result(cell.values, "begun", run=run.path.name, measure=measure(cell.recipe))
    if history:
        epoch, seconds = history[-1].epoch, history[-1].seconds
        outcome = "finished" if epoch >= cell.recipe.epochs else "begun"
        result = dataclasses.replace(result, outcome=outcome, epoch=epoch, seconds=seconds)
    scored = [point for point in history if point.held_out_elbo is not None]
    if scored:
        last = scored[-1]
        result = dataclasses.replace(
            result,
            held_out_elbo=max(point.held_out_elbo or -math.inf for point in scored),
            held_out_log_marginal=last.held_out_log_marginal,
            held_out_kl=last.held_out_kl,
            active_units=last.active_units,
        )
    return dataclasses.replace(result, outcome="diverged") if run.path.name in diverged else result
