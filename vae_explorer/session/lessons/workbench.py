"""What the instruments of the lessons work with: the model, a digit, the lanes and the cursor."""

from collections.abc import Callable
from typing import TypeVar

from psygnal import Signal

from vae_explorer.model.trained import TrainedVAE
from vae_explorer.session.explore.cursor import Cursor
from vae_explorer.session.jobs import After, Control, Newest, Tasks
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.map.layer_contents import Subject
from vae_explorer.session.map.state import MapState
from vae_explorer.session.state import MapPoints

T = TypeVar("T")


class Workbench:
    """Shared by all instruments. All methods belong to the main thread.

    Args:
        tasks: where instruments compute.
        latent_map: the map, whose state is what they compute with.
        after: runs a function on the main thread when some seconds have passed; for animations.
        cursor: the one cursor of the window.
    """

    model_changed = Signal(object)
    """The ``TrainedVAE`` on the map, as it is rotated."""
    subject_changed = Signal(object)
    """The ``Subject`` that lessons are about: the drawn digit, else the pinned one, or None."""
    points_changed = Signal(MapPoints)
    """The codes on the map, when they have come to rest."""

    def __init__(self, tasks: Tasks, latent_map: LatentMap, after: After, cursor: Cursor) -> None:
        self._tasks = tasks.prefixed("lesson-")
        self._work: dict[str, Newest] = {}
        self.map = latent_map
        self.after = after
        self.cursor = cursor
        self.subject: Subject | None = None
        latent_map.changed.connect(self._on_map)

    @property
    def model(self) -> TrainedVAE | None:
        """The model on the map, as it is rotated."""
        return self.map.state.model if self.map.state else None

    @property
    def points(self) -> MapPoints | None:
        """The codes on the map."""
        return self.map.points

    def set_subject(self, subject: Subject | None) -> None:
        """Let them look at another digit."""
        self.subject = subject
        self.subject_changed.emit(subject)

    def compute(self, key: str, work: Callable[[Control], T], done: Callable[[T], None]) -> None:
        """Do some work off the main thread; of the same ``key`` the newest wins."""
        if key not in self._work:
            failure = "The lesson could not compute this"
            self._work[key] = self._tasks.newest(key, failure, "lessons")
        self._work[key].run(work, done)

    def cancel(self, key: str) -> None:
        """Leave what is computed under ``key``."""
        if key in self._work:
            self._work[key].cancel()

    def _on_map(self, new: MapState, old: MapState | None) -> None:
        if old is None or new.model is not old.model:
            self.model_changed.emit(new.model)
        at_rest = new.points is not None and not new.moving
        if at_rest and (old is None or new.points is not old.points or old.moving):
            self.points_changed.emit(new.points)
