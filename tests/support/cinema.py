"""The film of a run, and what is told of it."""

from tests.support.stand_ins import Later, MainThread
from vae_explorer.data.dataset import ImageSet
from vae_explorer.session.tasks import Tasks
from vae_explorer.session.training.timeline import Timeline
from vae_explorer.session.training.timeline_entry import TimelineEntry, timeline_entry
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.snapshot import Snapshot


class Cinema:
    """A timeline and all it told, of some images."""

    def __init__(self, tasks: Tasks, main: MainThread, later: Later, data: ImageSet) -> None:
        self.time = Timeline(tasks, later.after)
        self.main = main
        self.later = later
        self.probes = data.images[:50]
        self.films: list[tuple[TimelineEntry, ...]] = []
        self.shown: list[int | None] = []
        self.arrived: list[int] = []
        self.snapshots: list[Snapshot] = []
        self.returns = 0
        self.playing: list[bool] = []
        self.time.entries_changed.connect(self.films.append)
        self.time.shown_changed.connect(self._on_shown)
        self.time.arrived.connect(self._on_arrived)
        self.time.returned.connect(self._on_returned)
        self.time.playing_changed.connect(self.playing.append)

    def begin(self, run: RunFolder | None, snapshot: Snapshot | None = None) -> None:
        """Ask for the film of a run, of which this is the end."""
        self.time.begin(run, snapshot.history if snapshot else ())
        self.time.develop(self.probes)

    def open(self, run: RunFolder, snapshot: Snapshot) -> "Cinema":
        """Wait for the film of a run."""
        self.begin(run, snapshot)
        self.main.run_until(lambda: len(self.time.frames) == len(run.moments().steps))
        return self

    def keep(self, moment: Snapshot, steps: tuple[int, ...]) -> TimelineEntry:
        """As a run that goes on keeps a moment."""
        frame = timeline_entry(moment, moment.model.encode(self.probes))
        self.time.keep(frame, steps)
        return frame

    def show(self, *steps: float) -> None:
        """Ask for these moments at once, and wait for all that comes of it."""
        for step in steps:
            self.time.show(step)
        self.main.run()

    def wait_arrived(self, count: int) -> None:
        self.main.run_until(lambda: len(self.arrived) >= count)

    def pass_time(self) -> None:
        """Until the next moment of what is played."""
        self.later.pass_time()
        self.main.run()

    def play_out(self) -> None:
        """Until nothing more is played."""
        self.main.run()
        for _ in range(100):
            if not self.later.waiting:
                return
            self.pass_time()

    @property
    def steps(self) -> list[int]:
        return [frame.step for frame in self.time.frames]

    def _on_shown(self, frame: TimelineEntry | None) -> None:
        self.shown.append(frame.step if frame else None)

    def _on_arrived(self, snapshot: Snapshot, frame: TimelineEntry) -> None:
        assert snapshot.step == frame.step
        self.arrived.append(frame.step)
        self.snapshots.append(snapshot)

    def _on_returned(self) -> None:
        self.returns += 1
