"""A sweep in the window: a queue of runs, its table, and the map of each."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from psygnal import Signal

from vae_explorer.data.bundled import mnist_dataset
from vae_explorer.data.dataset import Dataset, labels_of
from vae_explorer.errors import DivergedError, UserError
from vae_explorer.session.files.open_data import OpenData
from vae_explorer.session.jobs import Control
from vae_explorer.session.runs.runs import Runs
from vae_explorer.session.tasks import Newest, Tasks
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.sweep import Axis, Cell, Sweep
from vae_explorer.training.sweep_folder import Result, SweepFolder, left_over
from vae_explorer.types import Float32, ImageShape, Labels

T = TypeVar("T")

_PROBES = 2_000
"""Images on a small map."""
_UNWRITTEN = "The results of the sweep were not written"


Varied = Sequence[tuple[str, str]]
"""Fields of a recipe, each with its values as a person writes them: "0.5, 1" or "0:4"."""


def planned(recipe: Recipe, varied: Varied) -> tuple[bool, str]:
    """Whether there can be such a sweep, and how long it is or what is wrong, in words."""
    try:
        cells = _sweep(recipe, varied).cells
    except UserError as error:
        return False, str(error)
    epochs = sum(cell.recipe.epochs for cell in cells)
    return True, f"{len(cells)} runs, {epochs:,} epochs in all, one after another."


def _sweep(recipe: Recipe, varied: Varied) -> Sweep:
    return Sweep(recipe, tuple(Axis.parse(f"{field}={values}") for field, values in varied))


@dataclass(frozen=True, eq=False)
class CellMap:
    """Where a run of the sweep puts some images: ``codes`` (n, 2), ``labels`` (n,)."""

    number: int
    codes: Float32
    labels: Labels


class Sweeps:
    """One sweep at a time, run after run in the runs. All methods belong to the main thread.

    Args:
        tasks: the lanes of work.
        runs: trains the runs.
        data: what they are trained on.
        open_model: opens the model of a run.
    """

    opened = Signal(Sweep)
    """Another sweep; its results and maps follow."""
    results_changed = Signal(tuple)
    """A ``Result`` for each cell."""
    map_made = Signal(CellMap)
    running_changed = Signal(int)
    """The number of the cell that is trained, or 0."""

    def __init__(
        self,
        tasks: Tasks,
        runs: Runs,
        data: OpenData,
        open_model: Callable[[Path], None],
    ) -> None:
        self._fail = partial(tasks.fail, _UNWRITTEN)
        # One at a time: whatever is asked of the folder replaces what was.
        of_folder = partial(tasks.newest, "sweep")
        self._starting = of_folder("The sweep did not start")
        self._opening = of_folder("The sweep was not opened")
        self._reading = of_folder("The results of the sweep cannot be read")
        self._writing = of_folder(_UNWRITTEN)
        self._mapping = tasks.newest(
            "sweep-maps", "A small map of the sweep was not made", "figures"
        )
        self._runs = runs
        self._data = data
        self._of = data.now  # what the sweep is trained on, and its maps show
        self._open_model = open_model
        self._folder: SweepFolder | None = None
        self._cell: Cell | None = None
        self._preparing = False
        self._stopped = False
        self._results: tuple[Result, ...] = ()
        self._mapped: set[int] = set()
        runs.left.connect(self._on_left)

    @property
    def running(self) -> bool:
        """True while the sweep trains, or is between two of its runs."""
        return self._cell is not None or self._preparing

    @property
    def path(self) -> Path | None:
        """The folder of the sweep."""
        return self._folder.path if self._folder else None

    def start(self, recipe: Recipe, varied: Varied) -> None:
        """Begin a sweep in a folder of its own among the runs."""
        name = "-".join((time.strftime("%Y%m%d-%H%M%S"), "sweep", *(field for field, _ in varied)))
        path, data = self._runs.training.runs / name, self._data.now
        if not self.running:
            self._prepare(
                self._starting,
                lambda: SweepFolder.create(path, _sweep(recipe, varied), data.train),
                partial(self._show_and_go_on, data),
            )

    def open(self, path: Path) -> None:
        """Show a sweep that was begun in a folder."""
        if not self.running:
            self._prepare(self._opening, lambda: SweepFolder.open(path), self._seek_and_show)

    def go_on(self) -> None:
        """Train the remaining runs of the sweep, unless something is trained already."""
        folder = self._folder
        if folder is not None and not self.running and not self._runs.training.active:

            def begin(data: Dataset) -> None:
                self._prepare(self._reading, folder.results, partial(self._begin, folder, data))

            self._prepare(
                self._reading,
                lambda: self._data.look(folder.data, begin),
                partial(self._data.answer, begin),
            )

    def _prepare(self, task: Newest, work: Callable[[], T], done: Callable[[T], None]) -> None:
        """Read or write the folder of a sweep; ``running`` until it is done."""

        def prepared(found: T | None = None) -> None:
            self._preparing = False
            if found is not None:
                done(found)

        self._preparing = True
        task.run(
            lambda _: work(), prepared, failed=lambda _: prepared(), cancelled=lambda: prepared()
        )

    def stop(self) -> None:
        """Stop the current run and keep it; ``go_on`` takes it up again."""
        self._stopped = True
        if self.running:
            self._runs.training.stop()

    def open_cell(self, number: int) -> None:
        """Open the model of a cell, which has been trained, on the map."""
        result = self._results[number - 1] if number <= len(self._results) else None
        if self._folder and result and result.run and not self._runs.training.active:
            self._open_model(RunFolder(self._folder.path / result.run).model_path)

    # Run after run

    def _show_and_go_on(self, data: Dataset, folder: SweepFolder) -> None:
        self._show(folder, data)
        if not self._runs.training.active:
            self._begin(folder, data, None)

    def _begin(self, folder: SweepFolder, data: Dataset, results: Sequence[Result] | None) -> None:
        self._stopped = False
        if data is not self._of:  # it went on without when it was opened
            self._of = data
            self._mapped.clear()
        self._next(folder, results)

    def _next(self, folder: SweepFolder, results: Sequence[Result] | None) -> None:
        """Train the first cell of which there is not all; None of a new sweep."""
        cells = folder.sweep.cells if results is None else left_over(folder.sweep, results)
        self._set_cell(cells[0] if cells else None)
        if cells:
            cell, data = cells[0], self._of
            images = data.train.first(folder.data.images)
            if not self._runs.train_by(
                lambda device, warn: folder.begin(cell, images, device, warn),
                cell.recipe.epochs,
                data,
            ):
                self._set_cell(None)

    def _set_cell(self, cell: Cell | None) -> None:
        self._cell = cell
        self.running_changed.emit(cell.number if cell else 0)

    def _on_left(self, error: BaseException | None) -> None:
        cell, folder = self._cell, self._folder
        if cell is None or folder is None:
            return
        diverged = isinstance(error, DivergedError)

        def record() -> tuple[tuple[Result, ...], UserError | None]:
            try:
                folder.record(cell, diverged=diverged)
            except UserError as refused:
                return folder.results(), refused
            return folder.results(), None

        self._writing.run(
            lambda _: record(),
            lambda found: self._on_recorded(folder, cell, *found),
            failed=lambda _: self._set_cell(None),
        )

    def _on_recorded(
        self,
        folder: SweepFolder,
        cell: Cell,
        results: tuple[Result, ...],
        refused: UserError | None,
    ) -> None:
        self._on_results(folder, results)
        ended = results[cell.number - 1].outcome in ("finished", "diverged")
        if refused:
            self._fail(refused)
        if ended and not refused and not self._stopped:
            self._next(folder, results)
        else:  # stopped by hand, or by something that would meet the next run too
            self._set_cell(None)

    # What there is to see

    def _seek_and_show(self, folder: SweepFolder) -> None:
        show, shape = partial(self._show, folder), partial(_image_shape, folder)
        self._data.seek(self._opening, folder.data, show, shape)

    def _show(self, folder: SweepFolder, data: Dataset) -> None:
        self._mapping.cancel()  # of the sweep before
        self._folder, self._of = folder, data
        self._mapped.clear()
        self._results = ()
        self.opened.emit(folder.sweep)
        self._read()

    def _read(self) -> None:
        folder = self._folder
        if folder is not None:
            self._reading.run(lambda _: folder.results(), partial(self._on_results, folder))

    def _on_results(self, folder: SweepFolder, results: tuple[Result, ...]) -> None:
        if folder is not self._folder:
            return
        self._results = results
        self.results_changed.emit(results)
        missing = tuple(
            (number, folder.path / result.run)
            for number, result in enumerate(results, 1)
            if result.outcome == "finished" and number not in self._mapped
        )
        if missing:
            self._mapping.run(partial(self._make_maps, self._of, missing), lambda _: None)

    def _make_maps(self, of: Dataset, runs: tuple[tuple[int, Path], ...], control: Control) -> None:
        """On the worker's thread."""
        data = of.train
        few = data.subset(np.arange(0, len(data), max(1, len(data) // _PROBES)))
        labels = labels_of(few)
        for number, path in runs:
            model = read_checkpoint(RunFolder(path).model_path).model
            codes = model.encode(few.images, control.check).mean
            control.report(partial(self._on_map, CellMap(number, codes, labels)))

    def _on_map(self, made: CellMap) -> None:
        self._mapped.add(made.number)
        self.map_made.emit(made)


def _image_shape(folder: SweepFolder) -> ImageShape:
    """What its first model reads; that of MNIST while there is none."""
    for result in folder.results():
        if result.outcome == "finished":
            return read_checkpoint(RunFolder(folder.path / result.run).model_path).model.image_shape
    return mnist_dataset().image_shape
