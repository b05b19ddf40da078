"""What a run tells of itself, in order: frozen values from its thread to whoever listens."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from vae_explorer.errors import CheckpointError
from vae_explorer.model.trained import Posterior
from vae_explorer.session.training.timeline_entry import TimelineEntry
from vae_explorer.training.anatomy import StepAnatomy
from vae_explorer.training.health import Finding
from vae_explorer.training.history import HistoryPoint
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.snapshot import Snapshot


class Phase(Enum):
    """Where training stands."""

    IDLE = "idle"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"


@dataclass(frozen=True)
class TrainingStatus:
    """Progress of the run: ``epoch`` of ``epochs`` (fractional), ``eta_seconds`` to the end.

    One that is ``opened`` was over before: what is known is how far it had come.
    """

    phase: Phase
    epoch: float = 0.0
    epochs: int = 0
    images_per_second: float = 0.0
    eta_seconds: float | None = None
    device: str = ""
    opened: bool = False


@dataclass(frozen=True)
class Started:
    """A run was asked for; nothing of it is there yet."""


@dataclass(frozen=True)
class Begun:
    """The run has a folder, a name and a device; one that is resumed has moments already.

    ``recipe`` is as it stands, after what was steered.
    """

    folder: RunFolder
    name: str
    device: str
    recipe: Recipe
    resumed: bool

    def __str__(self) -> str:
        return f"Training on {self.device} in {self.folder.path}"


@dataclass(frozen=True)
class Progress:
    """New points of the history; of a resumed run or a branch first those it begins with."""

    points: tuple[HistoryPoint, ...]
    status: TrainingStatus


@dataclass(frozen=True, eq=False)
class Moved:
    """The model as it is now, and q(z|x) of the live images, or of all."""

    snapshot: Snapshot
    posterior: Posterior


@dataclass(frozen=True, eq=False)
class Kept:
    """A model was kept on the way; ``steps`` are those of all that still are."""

    frame: TimelineEntry
    steps: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Dissected:
    """A step was taken in slow motion."""

    anatomy: StepAnatomy


@dataclass(frozen=True)
class Found:
    """What is wrong with the run is something else than before."""

    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class NotSaved:
    """The disk refused a save, or refuses still (``again``); training goes on."""

    error: CheckpointError
    again: bool

    def __str__(self) -> str:
        return f"Not saved: {self.error}"


@dataclass(frozen=True)
class Noted:
    """Something for the log."""

    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, eq=False)
class Rested:
    """The run as it is: saved at ``path``, or None if the disk refused it."""

    snapshot: Snapshot
    path: Path | None

    def __str__(self) -> str:
        saved = f"saved {self.path}" if self.path else "not saved"
        return f"{type(self).__name__} at epoch {self.snapshot.epoch:.2f}; {saved}"


class Paused(Rested):
    """The run waits."""


class Ended(Rested):
    """The run has finished, or was stopped."""


@dataclass(frozen=True)
class Waiting:
    """The run waits after a step that was asked for; it is not saved, and the map moves."""


@dataclass(frozen=True)
class Failed:
    """The run ended by an error."""

    error: BaseException

    def __str__(self) -> str:
        return f"Failed: {self.error}"


TrainingEvent = (
    Started
    | Begun
    | Progress
    | Moved
    | Kept
    | Dissected
    | Found
    | NotSaved
    | Noted
    | Paused
    | Waiting
    | Ended
    | Failed
)

LOGGED = (Begun, NotSaved, Noted, Rested, Failed)
"""Events whose text is a line of the log."""
