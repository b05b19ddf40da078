"""What the instruments of the lessons work with: the model, a digit, the lanes and the cursor."""

from collections.abc import Callable

from psygnal import Signal

from vae_explorer.model.trained import TrainedVAE
from vae_explorer.session.explore.cursor import Cursor
from vae_explorer.session.jobs import After, Jobs, Tasks
from vae_explorer.session.map.layer_contents import Subject
from vae_explorer.session.state import MapPoints


class Workbench:
    """Shared by all instruments. All methods belong to the main thread.

    Args:
        jobs: where instruments compute.
        fail: told what went wrong, with a title.
        after: runs a function on the main thread when some seconds have passed; for animations.
        cursor: the one cursor of the window.
    """

    model_changed = Signal(object)
    """The ``TrainedVAE`` on the map, as it is turned."""
    subject_changed = Signal(object)
    """The ``Subject`` that lessons are about: the drawn digit, else the pinned one, or None."""
    points_changed = Signal(MapPoints)
    """The codes on the map, when they have come to rest."""

    def __init__(
        self,
        jobs: Jobs,
        fail: Callable[[str, BaseException], None],
        after: After,
        cursor: Cursor,
    ) -> None:
        self.tasks = Tasks(jobs, fail)
        self.after = after
        self.cursor = cursor
        self.model: TrainedVAE | None = None
        self.subject: Subject | None = None
        self.points: MapPoints | None = None

    def set_model(self, model: TrainedVAE) -> None:
        """Let the instruments work on another model."""
        self.model = model
        self.model_changed.emit(model)

    def set_subject(self, subject: Subject | None) -> None:
        """Let them look at another digit."""
        self.subject = subject
        self.subject_changed.emit(subject)

    def set_points(self, points: MapPoints) -> None:
        """Let them know other codes."""
        self.points = points
        self.points_changed.emit(points)
