"""The loop that trains a run and keeps it in its folder."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Self

from numpy.typing import ArrayLike

from vae_explorer.data.dataset import Dataset, ImageSet
from vae_explorer.errors import CheckpointError, DivergedError
from vae_explorer.training.history import HistoryPoint
from vae_explorer.training.meaning import named, no_likelihood
from vae_explorer.training.moments import first_stride, most_kept
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.training.trainer import EpochMetrics, StepMetrics, Trainer, Turn

_SAVE_SECONDS = 30.0
"""Longest time between two saves of a run."""


class Recorder:
    """Keeps a run in its folder as it trains: models on the way, and all of it now and then.

    Used by whoever runs the trainer, on the same thread, as a context that holds the folder. What
    the disk refuses is raised, unless ``refused`` takes it: training can go on all the same.

    Args:
        trainer: takes the steps.
        folder: of the run.
        kept: called with each model that was kept on the way.
        refused: called with the error when the disk refuses, and whether it did so before.
    """

    def __init__(
        self,
        trainer: Trainer,
        folder: RunFolder,
        *,
        kept: Callable[[Snapshot], None] = lambda _: None,
        refused: Callable[[CheckpointError, bool], None] | None = None,
    ) -> None:
        self.folder = folder
        parameters = sum(parameter.numel() for parameter in trainer.vae.parameters())
        most = most_kept(parameters)
        self.moments = folder.moments(first_stride(trainer.total_steps, most), most)
        self._trainer = trainer
        self._kept = kept
        self._refused = refused
        self._failing: set[str] = set()
        self._saved = time.monotonic()
        self._hold = ExitStack()

    def __enter__(self) -> Self:
        self._hold.enter_context(self.folder.held())
        self.moments.drop_after(self._trainer.step)
        return self

    def __exit__(self, *_: object) -> None:
        self._hold.close()

    def begin(self) -> None:
        """Save a new run before its first step, so that it can be resumed whatever happens."""
        if not self.folder.state_path.exists():
            self.save()
        self._keep_if_due()

    def follow(self, interrupted: Callable[[], bool] = bool) -> Iterator[Turn]:
        """Train on as ``Trainer.events`` does, keeping and saving before each event what is due.

        Raises:
            DivergedError: see ``Trainer.take_step``; the run was saved as it was before that step.
            CheckpointError: the disk refuses, and there is no ``refused``.
        """
        try:
            for event in self._trainer.events(lambda: interrupted() or self._due):
                self.record(event)
                yield event
        except DivergedError:
            self.save()
            raise

    def record(self, event: Turn) -> None:
        """Keep and save what is due after an event: at an epoch's end, and now and then."""
        self._keep_if_due()
        if isinstance(event, EpochMetrics) or time.monotonic() - self._saved > _SAVE_SECONDS:
            self.save()

    def save(self) -> tuple[Snapshot, Path | None]:
        """Save the run as it is, for ``RunFolder.resume``.

        Returns:
            The model, and where it was saved: None if the disk refused.
        """
        self._saved = time.monotonic()
        saved = self._guarded("save", partial(self.folder.save, self._trainer))
        return (saved, self.folder.model_path) if saved else (self._trainer.snapshot(), None)

    @property
    def _due(self) -> bool:
        return self.moments.due(self._trainer.step)

    def _keep_if_due(self) -> None:
        if self._due and (snapshot := self._guarded("keep", self._keep)):
            self._kept(snapshot)

    def _keep(self) -> Snapshot:
        snapshot = self._trainer.snapshot()
        self.moments.keep(snapshot)
        return snapshot

    def _guarded(self, what: str, write: Callable[[], Snapshot]) -> Snapshot | None:
        try:
            written = write()
        except CheckpointError as error:
            if self._refused is None:
                raise
            # Models on the way are many, and where one is refused the rest mostly are: told once.
            again = what in self._failing or (what == "keep" and bool(self._failing))
            if what == "save" or not again:
                self._refused(error, again)
            self._failing.add(what)
            return None
        self._failing.discard(what)
        return written


def train(
    recipe: Recipe,
    data: Dataset | ImageSet | ArrayLike | None = None,
    *,
    runs: str | Path | None = None,
    device: str = "auto",
    report: Callable[[StepMetrics], None] | None = None,
    progress: bool = False,
) -> Snapshot:
    """Train to the end of the recipe.

    Args:
        recipe: what to compute.
        data: images to train on, (n, h, w) or (n, h, w, 3) as ``ImageSet.from_arrays`` takes them,
            an ``ImageSet``, or a ``Dataset``, whose training images are taken; the bundled MNIST
            training set if None.
        runs: where to keep the run, in a new folder of its own; nowhere if None.
        device: see ``choose_device``.
        report: called with each event.
        progress: say a line an epoch on stderr: the ELBO, nats per image.

    Returns:
        The final snapshot: ``.model``, ``.history``, ``.recipe``.

    Raises:
        DataError: the data are no images, or fewer than the recipe holds out.
        DivergedError: the run is kept as it was before the step that failed.
        CheckpointError: the run cannot be kept.
    """
    if data is None:
        from vae_explorer.data.bundled import mnist

        data = mnist("train")
    images = data.train if isinstance(data, Dataset) else ImageSet.of(data)
    trainer = Trainer(recipe, images, device)
    events = trainer.events()
    with ExitStack() as hold:
        if runs:
            recorder = hold.enter_context(Recorder(trainer, RunFolder.create(Path(runs), recipe)))
            recorder.begin()
            events = recorder.follow()
        for event in events:
            if report and isinstance(event, StepMetrics):
                report(event)
            if (
                progress
                and isinstance(event, StepMetrics)
                and event.point.held_out_elbo is not None
            ):
                sys.stderr.write(f"{_line(recipe, event.point)}\n")
    return trainer.snapshot()


def _line(recipe: Recipe, point: HistoryPoint) -> str:
    remark = no_likelihood(recipe)
    figures = {"ELBO": point.elbo, "held-out ELBO": point.held_out_elbo}
    told = (f"{named(name, remark)} {x:.2f}" for name, x in figures.items() if x is not None)
    return f"epoch {point.epoch:.0f}/{recipe.epochs}: {', '.join(told)}"
