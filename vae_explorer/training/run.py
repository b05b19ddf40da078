"""A training run as a folder a person can read, and the loop that fills it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import CheckpointError, DataError
from vae_explorer.files import atomic_write
from vae_explorer.training.checkpoint import header, parse_snapshot, write_checkpoint
from vae_explorer.training.history import to_csv
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.training.tensors import read_tensors, write_tensors
from vae_explorer.training.trainer import EpochMetrics, StepMetrics, Trainer


@dataclass(frozen=True)
class RunFolder:
    """One folder a run.

    It holds ``recipe.toml``, ``history.csv``, ``model.safetensors`` (opens in the explorer) and
    ``state.safetensors`` (resumes the run).
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
        write_tensors(self.state_path, trainer.state(), header(snapshot))
        write_checkpoint(snapshot, self.model_path)
        try:
            atomic_write(self.path / "history.csv", to_csv(snapshot.history).encode())
        except OSError as error:
            raise CheckpointError(
                f"Cannot write {self.path}: {error.strerror or error}."
            ) from error
        return snapshot

    def resume(self, data: ImageSet, device: str = "auto") -> Trainer:
        """A trainer that goes on from the last saved moment, to the same numbers bit for bit.

        Raises:
            CheckpointError: there is no readable state.
            DataError: ``data`` is not what the run was trained on.
        """
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
        trainer = Trainer(snapshot.recipe, data, device)
        try:
            trainer.restore(snapshot, tensors)
        except (KeyError, RuntimeError, TypeError) as error:
            raise CheckpointError(f"{self.state_path} is damaged: {error}.") from error
        return trainer


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
    """
    if data is None:
        from vae_explorer.data.bundled import mnist

        data = mnist("train")
    trainer = Trainer(recipe, data, device)
    run = RunFolder.create(runs, recipe) if runs else None
    for event in trainer.events():
        if run and isinstance(event, EpochMetrics):
            run.save(trainer)
        if report:
            report(event)
    return trainer.snapshot()
