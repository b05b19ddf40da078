"""The training lab: starting, branching and resuming runs, and what of them is on the map."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Protocol

from psygnal import Signal

from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import UserError
from vae_explorer.model.trained import Posterior
from vae_explorer.session.jobs import After, Jobs
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
from vae_explorer.session.training.timeline import TimeMachine
from vae_explorer.session.training.timeline_frames import FilmFrame
from vae_explorer.session.training.worker import Until
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.checks import check_branch
from vae_explorer.training.estimate import Estimate, estimate
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run_folder import RunFolder, RunLabel
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.training.trainer import Trainer
from vae_explorer.types import Int64, UInt8

Indices = Int64

_UNNAMED = "training"
"""What a model is called that is in memory alone."""


class Stage(Protocol):
    """Where models are shown."""

    @property
    def snapshot(self) -> Snapshot | None:
        """The model on the map."""

    def training_images(self) -> ImageSet:
        """What is trained on."""

    def probes(self, most: int) -> tuple[Indices, UInt8]:
        """Some images of the split that is shown, and their indices in it."""

    def show_moving(
        self, snapshot: Snapshot, posterior: Posterior, indices: Indices, name: str
    ) -> None:
        """Show where a model, of this name, puts the probes."""

    def show_whole(self, snapshot: Snapshot, path: Path | None, name: str) -> None:
        """Show where a model of this name, saved at ``path``, puts all images."""

    def fail(self, title: str, error: BaseException) -> None:
        """Tell what went wrong."""


class Lab:
    """Runs, and which moment of one is shown. All methods belong to the main thread.

    Args:
        jobs: the lanes of work.
        after: runs a function on the main thread when some seconds have passed.
        stage: where models are shown.
        runs: the folder of runs.
        device: what is trained on.
    """

    estimated = Signal(Estimate)
    not_estimated = Signal(BaseException)
    left = Signal(object)
    """The run is over, and what comes of it is shown; with the error that ended it, or None."""

    def __init__(self, jobs: Jobs, after: After, stage: Stage, runs: Path, device: str) -> None:
        self._jobs = jobs
        self._stage = stage
        self.training = TrainingSession(jobs, runs, device)
        self.time = TimeMachine(jobs, stage.fail, after)
        self._device = device
        self._probes: tuple[Indices, UInt8] | None = None
        self._latest: Callable[[], None] | None = None
        """Shows the run as it is now."""
        self._name = _UNNAMED
        """Of the run that was begun last."""
        self._moved: Snapshot | None = None
        """Of the newest run, as it moved last."""
        self.training.events.connect(self._on_event)
        self.time.arrived.connect(self._on_arrived)
        self.time.returned.connect(self._on_returned)

    @property
    def moving(self) -> bool:
        """True while the map follows the run, and figures of its points would be stale at once."""
        return self.training.moving and self.time.shown is None

    # Runs

    def train(self, recipe: Recipe, until: Until = "end", *, paused: bool = False) -> None:
        """Start a run on the training images; the map follows it."""
        self._start(recipe, partial(self.training.start, until=until, paused=paused))

    def branch(self, recipe: Recipe) -> None:
        """Start a run that goes on from the model on the map, by a recipe of its own."""
        snapshot = self._stage.snapshot
        if snapshot is None:
            return

        def start(recipe: Recipe, data: ImageSet, live_images: UInt8) -> None:
            check_branch(recipe, data.image_shape, len(data), snapshot)
            name = self.time.name or "a model"
            label = RunLabel(origin=f"{name}, epoch {snapshot.epoch:.2f}")
            self.training.start(recipe, data, live_images, branch=snapshot, label=label)

        self._start(recipe, start)

    def _start(self, recipe: Recipe, start: Callable[..., None]) -> None:
        try:
            probes = self._stage.probes(LIVE_IMAGES)
            start(recipe, self._stage.training_images(), probes[1])
        except UserError as error:
            self._stage.fail("Training did not start", error)
            return
        self._begin(probes)

    def train_by(
        self,
        begin: Callable[[str, Callable[[str], None]], tuple[Trainer, RunFolder]],
        epochs: int,
    ) -> bool:
        """Train a run that somebody else makes, see ``TrainingSession.start_by``.

        Returns:
            False if it cannot be, of which was told.
        """
        try:
            probes = self._stage.probes(LIVE_IMAGES)
            self.training.start_by(begin, epochs, probes[1])
        except UserError as error:
            self._stage.fail("Training did not start", error)
            return False
        self._begin(probes)
        return True

    def resume_run(self, run: RunFolder) -> None:
        """Go on with a run that was left."""

        def begin(snapshot: Snapshot) -> None:
            try:
                probes = self._stage.probes(LIVE_IMAGES)
                data = self._stage.training_images()
                self.training.resume_run(run, snapshot.recipe.epochs, data, probes[1])
            except UserError as error:
                self._stage.fail("The run was not resumed", error)
                return
            self._begin(probes)

        self._jobs.run_newest(
            "resume",
            lambda _: read_checkpoint(run.model_path),
            done=begin,
            failed=partial(self._stage.fail, "The run was not resumed"),
        )

    def _begin(self, probes: tuple[Indices, UInt8]) -> None:
        self._probes, self._moved = probes, None
        for asked_before in ("open", "estimate"):
            self._jobs.cancel(asked_before)

    def _on_event(self, event: TrainingEvent) -> None:
        match event:
            case Begun():
                self._on_begun(event)
            case Moved(snapshot, posterior):
                self._on_moved(snapshot, posterior)
            case Kept(frame, steps):
                self.time.keep(frame, steps)
            case Progress(points):
                self.time.extend(points)
            case Paused(snapshot, path) | Ended(snapshot, path):
                self._show(partial(self._stage.show_whole, snapshot, path, self._name))
                if isinstance(event, Ended):
                    self.left.emit(None)
            case Failed(error):
                self._on_failed(error)
            case NotSaved(error, again=False):
                self._stage.fail("The run was not saved; training goes on", error)

    def _on_begun(self, begun: Begun) -> None:
        """Leave the film of the model before; of a run that cannot begin nothing is changed."""
        self._latest, self._name = None, begun.name
        self.time.begin(begun.folder)
        if begun.resumed:
            assert self._probes is not None
            self.time.develop(self._probes[1])

    def open_film(self, path: Path | None, snapshot: Snapshot, name: str) -> None:
        """Take the moments along if ``path`` is the model of a run, of which this is the end."""
        run = RunFolder(path.parent) if path and path.name == RunFolder.MODEL else None
        self._latest = partial(self._stage.show_whole, snapshot, path, name)
        self.time.begin(run, snapshot.history)
        if run is not None:
            self._develop()

    def probe_anew(self) -> None:
        """Make the film of other images, as the map shows another split; not during a run."""
        self.time.return_live()
        if self.time.name:
            self._develop()

    def _develop(self) -> None:
        try:
            self._probes = self._stage.probes(LIVE_IMAGES)
        except UserError as error:
            self.time.begin(None)
            self._stage.fail("The moments of the run cannot be shown", error)
            return
        self.time.develop(self._probes[1])

    def estimate(self, recipe: Recipe) -> None:
        """Find out how long a run would take; not while there is one, which would distort it."""
        if self.training.active:
            return
        images, device = self._stage.training_images, self._device
        self._jobs.run_newest(
            "estimate",
            lambda control: estimate(recipe, images(), device, control.check),
            done=self.estimated.emit,
            failed=self.not_estimated.emit,
            lane="figures",
        )

    # What is shown

    def _on_moved(self, snapshot: Snapshot, posterior: Posterior) -> None:
        assert self._probes is not None
        indices = self._probes[0]
        self._moved = snapshot
        self._show(partial(self._stage.show_moving, snapshot, posterior, indices, "training"))

    def _on_failed(self, error: BaseException) -> None:
        self._stage.fail("Training ended early", error)
        if self._moved is not None:
            self._show(partial(self._stage.show_whole, self._moved, None, _UNNAMED))
        self.left.emit(error)

    def _show(self, latest: Callable[[], None]) -> None:
        """Show the run as it is now, or remember how while an earlier moment is shown."""
        self._latest = latest
        if self.time.shown is None:
            latest()

    def _on_arrived(self, snapshot: Snapshot, frame: FilmFrame) -> None:
        assert self._probes is not None
        self._stage.show_moving(snapshot, frame.posterior, self._probes[0], self.time.name)

    def _on_returned(self) -> None:
        if self._latest is not None:
            self._latest()
