"""A training run as a folder a person can read, and the loop that fills it."""

import dataclasses
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

import tomli_w
import torch

from vae_explorer import schema
from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import CheckpointError, DataError, DivergedError, UserError
from vae_explorer.files import atomic_write, read_text, sweep
from vae_explorer.training.checkpoint import header, parse_snapshot, write_checkpoint
from vae_explorer.training.distributed import ALONE, Team
from vae_explorer.training.history import to_csv
from vae_explorer.training.moments import Moments, first_stride
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.training.tensors import read_tensors, write_tensors
from vae_explorer.training.trainer import EpochMetrics, StepMetrics, Trainer, Turn

_SAVE_SECONDS = 30.0
"""Longest time between two saves of a run."""


@dataclass(frozen=True)
class RunLabel:
    """What a person wrote on a run, and where it came from: a moment of another, a sweep."""

    name: str = ""
    note: str = ""
    origin: str = ""


@dataclass(frozen=True)
class RunFolder:
    """One folder a run.

    It holds ``recipe.toml``, ``history.csv``, ``model.safetensors`` (opens in the explorer),
    ``state.safetensors`` (resumes the run), ``moments`` (whole models at some of its steps) and,
    if somebody wrote on it, ``label.toml``.
    """

    MODEL: ClassVar = "model.safetensors"

    path: Path

    @property
    def model_path(self) -> Path:
        """The checkpoint of the last saved moment."""
        return self.path / self.MODEL

    @property
    def state_path(self) -> Path:
        """The trainer's state at the same moment."""
        return self.path / "state.safetensors"

    @property
    def label(self) -> RunLabel:
        """What is written on the run; what cannot be read is empty."""
        path = self.path / "label.toml"
        try:
            values = schema.parse_toml(read_text(path, "a label"), str(path))
        except UserError:
            return RunLabel()
        return schema.build_leniently(RunLabel, values, str(path))[0]

    @property
    def name(self) -> str:
        """What it is called: as a person named it, or as its folder, by date, time and seed."""
        return self.label.name or self.path.name

    def write_label(self, label: RunLabel) -> None:
        """Write on the run.

        Raises:
            CheckpointError: the folder cannot be written; an older label is intact.
        """
        write_text(self.path / "label.toml", tomli_w.dumps(dataclasses.asdict(label)))

    def moments(self, stride: int = 1) -> Moments:
        """The models kept on the way."""
        return Moments(self.path / "moments", stride)

    @classmethod
    def create(cls, parent: Path, recipe: Recipe) -> "RunFolder":
        """A new folder under ``parent`` named by date, time and seed.

        Raises:
            CheckpointError: the folder cannot be made.
        """
        stem = f"{time.strftime('%Y%m%d-%H%M%S')}-seed{recipe.seed}"
        try:
            parent.mkdir(parents=True, exist_ok=True)
            path = _first_free(parent, stem)
            path.mkdir()
            recipe.write(path / "recipe.toml")
        except OSError as error:
            raise CheckpointError(
                f"Cannot start a run in {parent}: {error.strerror or error}. Choose another folder."
            ) from error
        return cls(path)

    def save(self, trainer: Trainer) -> Snapshot:
        """Write the trainer's present moment: model, state and history.

        Raises:
            CheckpointError: the disk is full or the folder cannot be written; older files are
                intact.
        """
        snapshot = trainer.snapshot()
        fields = header(snapshot) | {"machine": machine(trainer)}
        write_tensors(self.state_path, trainer.state(), fields)
        write_checkpoint(snapshot, self.model_path)
        write_text(self.path / "history.csv", to_csv(snapshot.history))
        return snapshot

    def resume(
        self,
        data: ImageSet,
        device: str = "auto",
        warn: Callable[[str], None] = lambda _: None,
        team: Team = ALONE,
    ) -> Trainer:
        """A trainer that goes on from the last saved moment, to the same numbers bit for bit.

        One that ended before its first save begins anew. ``warn`` is told why the numbers may not
        be the same after all: on another device, processor, version or number of threads or
        processes. Files that were half written when the run was killed are deleted.

        Raises:
            CheckpointError: there is no run, or its state cannot be read.
            RecipeError: the recipe of a run that was never saved cannot be read.
            DataError: ``data`` is not what the run was trained on.
        """
        for folder in (self.path, self.moments().folder):
            sweep(folder)
        recipe_path = self.path / "recipe.toml"
        if recipe_path.exists() and not self.state_path.exists():
            return Trainer(Recipe.read(recipe_path), data, device, team)
        tensors, fields = read_tensors(self.state_path)
        prefix = "model."
        weights = {
            name.removeprefix(prefix): value
            for name, value in tensors.items()
            if name.startswith(prefix)
        }
        snapshot = parse_snapshot(self.state_path, weights, fields)
        if snapshot.data.fingerprint != data.fingerprint:
            trained = snapshot.data
            raise DataError(
                f"The run in {self.path} was trained on {trained.images:,} images of "
                f"{trained.name} (fingerprint {trained.fingerprint[:12]}), not on these "
                f"{len(data.images):,} of {data.name} ({data.fingerprint[:12]}); "
                "give it the same images."
            )
        trainer = Trainer(snapshot.recipe, data, device, team)
        try:
            trainer.restore(snapshot, tensors)
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            raise CheckpointError(f"{self.state_path} is damaged: {error}.") from error
        before, now = fields.get("machine", "an unknown machine"), machine(trainer)
        if before != now:
            warn(f"Trained so far with {before}, from here with {now}: last digits may differ.")
        return trainer


class Recorder:
    """Keeps a run in its folder as it trains: models on the way, and all of it now and then.

    Used by whoever runs the trainer, on the same thread. What the disk refuses is raised, unless
    ``refused`` takes it: training can go on all the same.

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
        self.moments = folder.moments(first_stride(trainer.total_steps))
        self.moments.drop_after(trainer.step)
        self._trainer = trainer
        self._kept = kept
        self._refused = refused
        self._failing: set[str] = set()
        self._saved = time.monotonic()

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


def write_text(path: Path, text: str) -> None:
    """Write a text of a run or a sweep.

    Raises:
        CheckpointError: it cannot be written; an older file is intact.
    """
    try:
        atomic_write(path, text.encode())
    except OSError as error:
        raise CheckpointError(f"Cannot write {path}: {error.strerror or error}.") from error


def machine(trainer: Trainer) -> str:
    """What the last bits of a run depend on beside its recipe and its images."""
    kind = trainer.device.type
    device = torch.cuda.get_device_name(trainer.device) if kind == "cuda" else kind
    size = trainer.team.size
    return (
        f"PyTorch {torch.__version__} on {device}, "
        f"{torch.backends.cpu.get_cpu_capability()}, {torch.get_num_threads()} threads"
    ) + (f" in each of {size} processes" if size > 1 else "")


def _first_free(parent: Path, stem: str) -> Path:
    path, number = parent / stem, 2
    while path.exists():
        path, number = parent / f"{stem}-{number}", number + 1
    return path


def train(
    recipe: Recipe,
    data: ImageSet | None = None,
    *,
    runs: Path | None = None,
    device: str = "auto",
    report: Callable[[StepMetrics], None] | None = None,
) -> Snapshot:
    """Train to the end of the recipe.

    Args:
        recipe: what to compute.
        data: images to train on; the bundled MNIST training set if None.
        runs: where to keep the run, in a new folder of its own; nowhere if None.
        device: "auto", "cpu", "cuda" or "mps".
        report: called with each event.

    Returns:
        The final snapshot: ``.model``, ``.history``, ``.recipe``.

    Raises:
        DivergedError: the run is kept as it was before the step that failed.
        CheckpointError: the run cannot be kept.
    """
    if data is None:
        from vae_explorer.data.bundled import mnist

        data = mnist("train")
    trainer = Trainer(recipe, data, device)
    events = trainer.events()
    if runs:
        recorder = Recorder(trainer, RunFolder.create(runs, recipe))
        recorder.begin()
        events = recorder.follow()
    for event in events:
        if report and isinstance(event, StepMetrics):
            report(event)
    return trainer.snapshot()
