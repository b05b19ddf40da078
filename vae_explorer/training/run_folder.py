"""A training run as a folder a person can read."""

import dataclasses
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ClassVar

import tomli_w
import torch
from filelock import SoftFileLock, Timeout

from vae_explorer import schema
from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import CheckpointError, DataError, RecipeError, UserError
from vae_explorer.files import atomic_write, cannot_write, numbered, read_text, sweep
from vae_explorer.training.checkpoint import header, parse_snapshot, write_checkpoint
from vae_explorer.training.distributed import ALONE, Team
from vae_explorer.training.history import HistoryPoint, from_csv, to_csv
from vae_explorer.training.meaning import marks
from vae_explorer.training.moments import MOST, Moments
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.snapshot import DataReference, Snapshot
from vae_explorer.training.tensors import read_tensors, write_tensors
from vae_explorer.training.trainer import Trainer

_MOST_HISTORY = 1 << 26  # bytes; our longest has some megabytes

Signature = tuple[tuple[int, int] | None, ...]
"""When each part of a run was last written, and its size; None where it is not there."""


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
    ``state.safetensors`` (resumes the run), ``moments`` (models at some of its steps) and,
    if somebody wrote on it, ``label.toml``.
    """

    RECIPE: ClassVar = "recipe.toml"
    HISTORY: ClassVar = "history.csv"
    MODEL: ClassVar = "model.safetensors"
    STATE: ClassVar = "state.safetensors"
    LABEL: ClassVar = "label.toml"
    LOCK: ClassVar = "run.lock"

    path: Path

    @classmethod
    def of(cls, checkpoint: Path) -> "RunFolder | None":
        """The run whose model this file is, or None if it lies by itself."""
        run = cls(checkpoint.absolute().parent)
        alone = checkpoint.name != cls.MODEL or not (run.path / cls.RECIPE).is_file()
        return None if alone else run

    @property
    def model_path(self) -> Path:
        """The checkpoint of the last saved moment."""
        return self.path / self.MODEL

    @property
    def state_path(self) -> Path:
        """The trainer's state at the same moment."""
        return self.path / self.STATE

    @property
    def label(self) -> RunLabel:
        """What is written on the run; what cannot be read is empty."""
        path = self.path / self.LABEL
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
        write_text(self.path / self.LABEL, tomli_w.dumps(dataclasses.asdict(label)))

    @property
    def exists(self) -> bool:
        """Whether the folder is that of a run."""
        own = (self.RECIPE, self.HISTORY, self.MODEL, self.STATE)
        return any((self.path / name).is_file() for name in own)

    def recipe(self) -> Recipe:
        """What it was begun with.

        Raises:
            RecipeError: it cannot be read.
        """
        text = read_text(self.path / self.RECIPE, "a run with its recipe", RecipeError)
        return Recipe.parse(text, self.RECIPE)

    def history(self, *, told: bool = False) -> tuple[HistoryPoint, ...]:
        """All points of its curves; with ``told`` those with held-out figures, and the last.

        The latter are a twentieth of the work of a long history.

        Raises:
            CheckpointError: they cannot be read.
        """
        path = self.path / self.HISTORY
        text = read_text(path, "a run with its history", CheckpointError, most=_MOST_HISTORY)
        if told:
            header, *rows = text.splitlines() or [""]
            # The sixth is the held-out ELBO; a shorter row stays, to be refused.
            few = [row for row in rows[:-1] if row.split(",", 6)[5:6] != [""]]
            text = "\n".join([header, *few, *rows[-1:]])
        return from_csv(text)

    @property
    def date(self) -> datetime:
        """When it began: its folder's name tells, or else when its recipe was written."""
        if match := re.match(r"\d{8}-\d{6}", self.path.name):
            with suppress(ValueError):
                return datetime.strptime(match[0], "%Y%m%d-%H%M%S")
        touched = _touched(self.path / self.RECIPE) or _touched(self.path) or (0, 0)
        return datetime.fromtimestamp(touched[0] / 1e9)

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        total = 0
        for folder, _, names in os.walk(self.path):
            for name in names:
                with suppress(OSError):
                    total += os.lstat(os.path.join(folder, name)).st_size
        return total

    @property
    def signature(self) -> Signature:
        """Changes whenever something of the run is written."""
        parts = (self.RECIPE, self.HISTORY, self.LABEL, self.MODEL, "moments")
        return tuple(_touched(self.path / name) for name in parts)

    def moments(self, stride: int = 1, most: int = MOST) -> Moments:
        """The models kept on the way."""
        return Moments(self.path / "moments", stride, most)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep every other process from writing to the run meanwhile.

        A lock whose process is no more is taken over.

        Raises:
            CheckpointError: another process has it.
        """
        lock = SoftFileLock(path := self.path / self.LOCK, timeout=0)
        with suppress(OSError):
            if not (made := path.stat()).st_size and time.time() - made.st_mtime > 2:
                path.unlink()  # its process ended before it wrote its name
        try:
            lock.acquire()
        except Timeout:
            pid, host = [*_lines(path), "?", "?"][:2]
            raise CheckpointError(
                f"The run in {self.path} is being trained by process {pid} on {host}; stop it "
                f"there first. If that process is gone, delete {path}."
            ) from None
        except OSError:  # where nothing can be written nobody else does; saving says why
            pass
        try:
            yield
        finally:
            with suppress(OSError):  # the folder may be gone
                lock.release()

    def is_abandoned(self) -> bool:
        """Whether a process that is no more was training the run; so it stays until it is taken."""
        left = "".join(f"{line}\n" for line in _lines(self.path / self.LOCK))
        found = self.take_abandoned()
        if found:
            with suppress(OSError), (self.path / self.LOCK).open("x") as lock:
                lock.write(left)
        return found

    def take_abandoned(self) -> bool:
        """Whether a process that is no more was training the run; told once: its lock is taken."""
        if not (self.path / self.LOCK).is_file():
            return False
        try:
            with self.held():
                return True
        except CheckpointError:
            return False

    @classmethod
    def create(cls, parent: Path, recipe: Recipe) -> "RunFolder":
        """A new folder under ``parent`` named by date, time and seed.

        Raises:
            CheckpointError: the folder cannot be made.
        """
        stem = f"{time.strftime('%Y%m%d-%H%M%S')}-seed{recipe.seed}"
        try:
            parent.mkdir(parents=True, exist_ok=True)
            path = numbered(parent / stem)
            path.mkdir()
            recipe.write(path / cls.RECIPE)
        except OSError as error:
            raise CheckpointError(
                f"Cannot start a run in {parent}: {error.strerror or error}. Choose another folder."
            ) from error
        return cls(path)

    def save(self, trainer: Trainer) -> Snapshot:
        """Write the trainer's present moment: model, state and history, and all that is missing.

        Raises:
            CheckpointError: the disk is full or the folder cannot be written; older files are
                intact.
        """
        snapshot = trainer.snapshot()
        if not (self.path / self.RECIPE).exists():  # somebody deleted the folder meanwhile
            with suppress(OSError):  # then writing says why
                self.path.mkdir(parents=True)
            write_text(self.path / self.RECIPE, snapshot.recipe.to_toml())
        fields = header(snapshot) | {"machine": machine(trainer)}
        write_tensors(self.state_path, trainer.state(), fields)
        write_checkpoint(snapshot, self.model_path)
        write_text(
            self.path / self.HISTORY, to_csv(snapshot.history, marks(snapshot, snapshot.data))
        )
        return snapshot

    def trained_on(self) -> DataReference | None:
        """The images of the last saved moment; None of a run that was never saved.

        Raises:
            CheckpointError: its state cannot be read.
        """
        if not self.state_path.exists():
            return None
        _, fields = read_tensors(self.state_path)
        source = f"{self.state_path} is damaged: bad header: data"
        data = schema.parse_json(fields.get("data", ""), source, CheckpointError)
        return schema.build(DataReference, data, source, CheckpointError)

    def resume(
        self,
        data: ImageSet,
        device: str = "auto",
        warn: Callable[[str], None] = lambda _: None,
        team: Team = ALONE,
    ) -> Trainer:
        """A trainer that goes on from the last saved moment, to the same numbers bit for bit.

        One that ended before its first save begins again. ``warn`` is told why the numbers may not
        be the same after all: on another device, processor, version or number of threads or
        processes. Files that were half written when the run was killed are deleted.

        Raises:
            CheckpointError: there is no run, its state cannot be read, or another process has it.
            RecipeError: the recipe of a run that was never saved cannot be read.
            DataError: ``data`` is not what the run was trained on.
        """
        with self.held() if team.leads and self.exists else nullcontext():
            for folder in (self.path, self.moments().folder):
                sweep(folder)
            if not self.state_path.exists() and (path := self.path / self.RECIPE).exists():
                return Trainer(Recipe.read(path), data, device, team)
            tensors, fields = read_tensors(self.state_path)
        weights = {name[6:]: value for name, value in tensors.items() if name.startswith("model.")}
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


def model_name(path: Path) -> str:
    """What a model is called: a run's by the run's name."""
    run = RunFolder.of(path)
    return run.name if run else path.stem


def write_text(path: Path, text: str) -> None:
    """Write a text of a run or a sweep.

    Raises:
        CheckpointError: it cannot be written; an older file is intact.
    """
    try:
        atomic_write(path, text.encode())
    except OSError as error:
        raise CheckpointError(cannot_write(path, error)) from error


def machine(trainer: Trainer) -> str:
    """What the last bits of a run depend on beside its recipe and its images."""
    kind = trainer.device.type
    device = torch.cuda.get_device_name(trainer.device) if kind == "cuda" else kind
    size = trainer.team.size
    return (
        f"PyTorch {torch.__version__} on {device}, "
        f"{torch.backends.cpu.get_cpu_capability()}, {torch.get_num_threads()} threads"
    ) + (f" in each of {size} processes" if size > 1 else "")


def _touched(path: Path) -> tuple[int, int] | None:
    with suppress(OSError):
        found = path.stat()
        return found.st_mtime_ns, found.st_size
    return None


def _lines(path: Path) -> list[str]:
    with suppress(UserError):
        return read_text(path, "a lock", most=1 << 12).splitlines()
    return []
