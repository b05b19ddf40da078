"""The runs: starting, branching and resuming runs, and what of them is on the map."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from psygnal import Signal

from vae_explorer.data.dataset import Dataset, ImageSet
from vae_explorer.errors import UserError
from vae_explorer.model.trained import Posterior
from vae_explorer.session.files.open_data import OpenData
from vae_explorer.session.jobs import After
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.tasks import Tasks
from vae_explorer.session.training.control import LIVE_IMAGES, TrainingSession
from vae_explorer.session.training.events import (
    Begun,
    Ended,
    Failed,
    Kept,
    Moved,
    NotSaved,
    Paused,
    Progress,
    TrainingEvent,
)
from vae_explorer.session.training.timeline import Timeline
from vae_explorer.session.training.timeline_entry import TimelineEntry
from vae_explorer.session.training.worker import Until
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.checks import check_branch
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run_folder import RunFolder, RunLabel
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.training.trainer import Trainer
from vae_explorer.types import Int64, UInt8

_UNNAMED = "training"
"""What a model is called that is in memory alone."""


@dataclass(frozen=True, eq=False)
class _Shown:
    """What a run is shown on: ``images`` (m, h, w) are those at ``indices`` of the split shown.

    A run that goes on is shown on ``whole``, the indices and images of all, if it can be.
    """

    data: Dataset
    indices: Int64
    images: UInt8
    whole: tuple[Int64, UInt8]


class Runs:
    """Runs, and which moment of one is shown. All methods belong to the main thread.

    Args:
        tasks: the lanes of work.
        after: runs a function on the main thread when some seconds have passed.
        latent_map: where models are shown.
        data: what is trained on.
        runs: the folder of runs.
        device: what is trained on.
        threads: see ``TrainingSession``.
    """

    left = Signal(object)
    """The run is over, and what comes of it is shown; with the error that ended it, or None."""

    def __init__(
        self,
        tasks: Tasks,
        after: After,
        latent_map: LatentMap,
        data: OpenData,
        runs: Path,
        device: str,
        threads: int | None = None,
    ) -> None:
        self._fail = tasks.fail
        self._resuming = tasks.newest("resume", "The run was not resumed")
        self._jobs = tasks.jobs
        self._map = latent_map
        self._data = data
        self.training = TrainingSession(tasks.jobs, runs, device, threads)
        self.timeline = Timeline(tasks, after)
        self._coming: _Shown | None = None
        """What the run that begins is shown on."""
        self._shown: _Shown | None = None
        """What the run, or the model that was opened, is shown on."""
        self._latest: Callable[[], None] | None = None
        """Shows the run as it is now."""
        self._name = _UNNAMED
        """Of the run that was begun last."""
        self._moved: Snapshot | None = None
        """Of the newest run, as it moved last."""
        self.training.events.connect(self._on_event)
        self.timeline.arrived.connect(self._on_arrived)
        self.timeline.returned.connect(self._on_returned)

    @property
    def moving(self) -> bool:
        """True while the map follows the run, and figures of its points would be stale at once."""
        return self.training.moving and self.timeline.shown is None

    # Runs

    def train(self, recipe: Recipe, until: Until = "end", *, paused: bool = False) -> None:
        """Start a run on the training images; the map follows it."""
        self._start(recipe, partial(self.training.start, until=until, paused=paused))

    def branch(self, recipe: Recipe) -> None:
        """Start a run that goes on from the model on the map, by a recipe of its own."""
        if self._map.state is None:
            return
        snapshot = self._map.state.snapshot

        def start(recipe: Recipe, data: ImageSet, live_images: UInt8, everything: UInt8) -> None:
            check_branch(recipe, data.image_shape, len(data), snapshot)
            name = self.timeline.name or "a model"
            label = RunLabel(origin=f"{name}, epoch {snapshot.epoch:.2f}")
            self.training.start(recipe, data, live_images, everything, branch=snapshot, label=label)

        self._start(recipe, start)

    def _start(self, recipe: Recipe, start: Callable[..., None]) -> None:
        try:
            shown = self._look_at(self._data.now)
            start(recipe, shown.data.train, shown.images, shown.whole[1])
        except UserError as error:
            self._fail("Training did not start", error)
            return
        self._begin(shown)

    def train_by(
        self,
        begin: Callable[[str, Callable[[str], None]], tuple[Trainer, RunFolder]],
        epochs: int,
        data: Dataset,
    ) -> bool:
        """Train a run of ``data`` that somebody else makes, see ``TrainingSession.start_by``.

        Returns:
            False if it cannot be, of which was told.
        """
        try:
            shown = self._look_at(data)
            self.training.start_by(begin, epochs, shown.images, shown.whole[1])
        except UserError as error:
            self._fail("Training did not start", error)
            return False
        self._begin(shown)
        return True

    def resume_run(self, run: RunFolder) -> None:
        """Resume an interrupted run."""

        def begin(snapshot: Snapshot, data: Dataset) -> None:
            try:
                shown = self._look_at(data)
                epochs = snapshot.recipe.epochs
                images = data.train.first(snapshot.data.images)
                everything = shown.whole[1]
                self.training.resume_run(run, epochs, images, shown.images, everything)
            except UserError as error:
                self._fail("The run was not resumed", error)
                return
            self._data.use(data)
            self._begin(shown)

        self._resuming.run(
            lambda _: read_checkpoint(run.model_path),
            lambda found: self._data.seek(self._resuming, found.data, partial(begin, found)),
        )

    def _look_at(self, data: Dataset) -> "_Shown":
        """Images of data, to be shown while a model moves.

        Raises:
            DataError: they cannot be read.
        """
        some, everything = (self._map.live_images(n, data) for n in (LIVE_IMAGES, sys.maxsize))
        return _Shown(data, *some, everything)

    def _begin(self, shown: "_Shown") -> None:
        self._coming, self._moved = shown, None
        for asked_before in ("open", "estimate"):
            self._jobs.cancel(asked_before)

    def _on_event(self, event: TrainingEvent) -> None:
        match event:
            case Begun():
                self._on_begun(event)
            case Moved(snapshot, posterior):
                self._on_moved(snapshot, posterior)
            case Kept(frame, steps):
                self.timeline.keep(frame, steps)
            case Progress(points):
                self.timeline.extend(points)
            case Paused(snapshot, path) | Ended(snapshot, path):
                self._show(self._whole(snapshot, self._name, path))
                if isinstance(event, Ended):
                    self.left.emit(None)
            case Failed(error):
                self._on_failed(error)
            case NotSaved(error, again=False):
                self._fail("The run was not saved; training goes on", error)

    def _on_begun(self, begun: Begun) -> None:
        """Leave the film of the model before; of a run that cannot begin nothing is changed."""
        self._latest, self._name, self._shown = None, begun.name, self._coming
        self._map.begin_run()
        self.timeline.begin(begun.folder)
        if begun.resumed:
            assert self._shown is not None
            self.timeline.develop(self._shown.images)

    def open_run(self, path: Path | None, snapshot: Snapshot, name: str, data: Dataset) -> None:
        """Take the moments along if ``path`` is the model of a run, of which this is the end.

        They are shown on ``data``.
        """
        run = RunFolder(path.parent) if path and path.name == RunFolder.MODEL else None
        self.training.show_over(snapshot.epoch, snapshot.recipe.epochs)
        self._latest = partial(self._map.show, snapshot, name, path, data=data)
        self.timeline.begin(run, snapshot.history)
        self._shown = None
        if run is not None:
            self._develop(data)

    def reload(self) -> None:
        """Make the film of other images, as the map shows another split; not during a run."""
        self.timeline.return_live()
        if self.timeline.name and self._shown is not None:
            self._develop(self._shown.data)

    def _develop(self, data: Dataset) -> None:
        try:
            self._shown = self._look_at(data)
        except UserError as error:
            self.timeline.begin(None, self.timeline.history.points)
            self._fail("The snapshots of the run cannot be shown", error)
            return
        self.timeline.develop(self._shown.images)

    # What is shown

    def _whole(self, snapshot: Snapshot, name: str, path: Path | None) -> Callable[[], None]:
        data = self._shown.data if self._shown else None
        return partial(self._map.show, snapshot, name, path, data=data)

    def _on_moved(self, snapshot: Snapshot, posterior: Posterior) -> None:
        assert self._shown is not None
        few, (all_, _) = self._shown.indices, self._shown.whole
        indices = all_ if len(posterior.mean) == len(all_) else few
        self._moved = snapshot
        self._show(partial(self._show_moving, snapshot, _UNNAMED, posterior, indices))

    def _on_failed(self, error: BaseException) -> None:
        self._fail("Training ended early", error)
        if self._moved is not None:
            self._show(self._whole(self._moved, _UNNAMED, None))
        self.left.emit(error)

    def _show(self, latest: Callable[[], None]) -> None:
        """Show the run as it is now, or remember how while an earlier moment is shown."""
        self._latest = latest
        if self.timeline.shown is None:
            latest()

    def _show_moving(
        self, snapshot: Snapshot, name: str, posterior: Posterior, indices: Int64
    ) -> None:
        assert self._shown is not None
        moving, data = self.moving, self._shown.data
        self._map.move(snapshot, name, posterior, indices, moving=moving, data=data)

    def _on_arrived(self, snapshot: Snapshot, frame: TimelineEntry) -> None:
        assert self._shown is not None
        self._show_moving(snapshot, self.timeline.name, frame.posterior, self._shown.indices)

    def _on_returned(self) -> None:
        if self._latest is not None:
            self._latest()
