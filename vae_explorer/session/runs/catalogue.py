"""All training runs there are: what is on disk, and the one under way as it goes on."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from psygnal import Signal

from vae_explorer.errors import UserError
from vae_explorer.session.jobs import Control
from vae_explorer.session.runs.run_info import (
    RunFigures,
    RunInfo,
    find_runs,
    read_run,
)
from vae_explorer.session.runs.runs import Runs
from vae_explorer.session.tasks import Tasks
from vae_explorer.session.training.events import (
    Begun,
    Ended,
    Failed,
    Paused,
    Phase,
    Progress,
    Started,
    TrainingEvent,
    TrainingStatus,
)
from vae_explorer.session.training.run_history import RunHistory
from vae_explorer.training.run_folder import RunFolder, Signature

Known = Mapping[Path, tuple[Signature, RunInfo]]


class RunCatalogue:
    """The catalogue of runs. All methods belong to the main thread.

    Folders are read beside it, and again only when something in them was written.

    Args:
        tasks: the lanes of work.
        runs: whose runs they are.
        open_model: opens a run's model, with its film and curves.
    """

    listed = Signal(tuple)
    """All ``RunInfo``s, the newest first."""
    updated = Signal(RunInfo)
    """One of them is another; for the run under way many times a second."""
    histories_changed = Signal()
    """There is another of the ``histories``, or a later one."""

    interrupted = Signal(RunInfo)
    """The newest run whose process died while it trained it, and was not at its end."""

    def __init__(self, tasks: Tasks, runs: Runs, open_model: Callable[[Path], None]) -> None:
        self._tasks = tasks
        self._listing = tasks.newest("runs", "The runs cannot be listed")
        self._runs = runs
        self._open_model = open_model
        self._known: dict[Path, tuple[Signature, RunInfo]] = {}
        self._histories: dict[Path, RunHistory] = {}
        self._active: Path | None = None
        self._figures = RunFigures()  # of the run under way
        training = runs.training
        training.events.connect(self._on_event)
        training.status_changed.connect(self._on_status)

    # What there is

    @property
    def all(self) -> tuple[RunInfo, ...]:
        """What was listed last, the newest first."""
        infos = (self._as_it_stands(info) for _, info in self._known.values())
        return tuple(sorted(infos, key=lambda info: (info.date, info.path.name), reverse=True))

    def refresh(self) -> None:
        """Look at the folders again."""
        survey = partial(_survey, self._runs.training.runs, self._known)
        self._listing.run(survey, self._on_surveyed)

    def look_for_interrupted(self) -> None:
        """Find out whether a run was interrupted; and so at each start till it is dismissed."""
        look = partial(_abandoned, self._runs.training.runs)
        task = self._tasks.newest("interrupted", "Interrupted runs cannot be looked for")
        task.run(look, self._on_abandoned)

    def dismiss_interrupted(self) -> None:
        """Tell no more of the runs that were interrupted so far."""
        take = partial(_take_abandoned, self._runs.training.runs)
        self._tasks.write(take, lambda: None, "The interrupted run will be offered again")

    def _on_abandoned(self, found: RunInfo | None) -> None:
        if found is not None:
            self.interrupted.emit(found)

    @property
    def histories(self) -> Mapping[Path, RunHistory]:
        """All points of the runs of which they are wanted, as far as they are read."""
        return self._histories

    def want_histories(self, runs: Sequence[Path]) -> None:
        """Read the points of these runs alone, where they are not known or the run has gone on."""
        self._histories = {run: self._histories[run] for run in runs if run in self._histories}
        for run in runs:
            history = self._histories.get(run)
            info = self._as_it_stands(self._known[run][1]) if run in self._known else None
            if not history or (info and history.points[-1].epoch != info.figures.epoch):
                title = "The curves of the run cannot be shown"
                reading = self._tasks.newest(f"history of {run}", title)
                reading.run(partial(_read_history, run), partial(self._on_history, run))

    # What a person does with a run

    def open(self, run: Path) -> None:
        """Show a run as it is at its end; the one under way as it is now."""
        if run == self._active:
            self._runs.timeline.return_live()
        else:
            self._open_model(RunFolder(run).model_path)

    def resume(self, run: Path) -> None:
        """Resume an interrupted or paused run."""
        if run == self._active:
            self._runs.training.resume()
        else:
            self._runs.resume_run(RunFolder(run))

    def rename(self, run: Path, name: str) -> None:
        """Give a run a name; an empty one, or its folder's, is none."""
        given = "" if name.strip() == run.name else name.strip()
        if run in self._known:
            info = dataclasses.replace(self._known[run][1], name=given or run.name)
            self._relabel(info, name=given)

    def note(self, run: Path, note: str) -> None:
        """Write a note on a run."""
        if run in self._known:
            info = dataclasses.replace(self._known[run][1], note=note.strip())
            self._relabel(info, note=info.note)

    def trash(self, runs: Sequence[Path], move: Callable[[Path], bool]) -> None:
        """Move runs to the system's trash; not the one under way.

        Args:
            runs: their folders.
            move: moves one, and says whether it could; called on a worker's thread.
        """
        if self._active in runs:
            text = "It is running; stop it first, then move it to the trash."
            self._tasks.fail("The run was not moved", UserError(text))
            return
        self._runs.timeline.forget(runs)
        title = "The run was not moved to the trash"
        self._write(partial(_discard, runs, move), title)

    def _relabel(self, info: RunInfo, **written: str) -> None:
        """Show a run as it will be at once, and write the change off the main thread."""
        self._known[info.path] = self._known[info.path][0], info
        self._tell(info.path)
        self._write(
            partial(_write_label, RunFolder(info.path), written), "The run was not labelled"
        )

    def _write(self, work: Callable[[], None], title: str) -> None:
        self._tasks.write(work, self.refresh, title, failed=self._start_over)

    def _start_over(self, _: BaseException) -> None:
        self._known = {}  # what was shown is not what is there
        self.refresh()

    # What comes

    def _on_surveyed(self, known: dict[Path, tuple[Signature, RunInfo]]) -> None:
        self._known = known
        self.listed.emit(self.all)

    def _on_history(self, run: Path, history: RunHistory) -> None:
        self._histories[run] = history
        self.histories_changed.emit()

    def _on_event(self, event: TrainingEvent) -> None:
        match event:
            case Started():
                self._active, self._figures = None, RunFigures()
            case Begun(run):
                self._active = run.path
                self.refresh()
            case Progress(points):
                self._figures = self._figures.extended(points)
            case Paused() | Ended() | Failed():
                self.refresh()

    def _on_status(self, status: TrainingStatus) -> None:
        if self._active is not None:
            self._tell(self._active)
        if status.phase is Phase.IDLE:
            self._active = None

    def _tell(self, run: Path) -> None:
        if run in self._known:
            self.updated.emit(self._as_it_stands(self._known[run][1]))

    def _as_it_stands(self, info: RunInfo) -> RunInfo:
        """What the disk tells, and of the run under way what it has told since."""
        if info.path != self._active:
            return info
        figures = self._figures if self._figures.epoch else info.figures
        phase = self._runs.training.status.phase
        # Its files come one after the other.
        return dataclasses.replace(info, figures=figures, phase=phase, damaged="")


def _survey(folder: Path, known: Known, control: Control) -> dict[Path, tuple[Signature, RunInfo]]:
    """On a worker's thread: all runs in ``folder``, of which ``known`` are read already."""
    found = {}
    for run, sweep in find_runs(folder):
        control.check()
        now = run.signature
        before, info = known.get(run.path, (None, None))
        if info is None or now != before:
            info = read_run(run, sweep)
        found[run.path] = now, info
    return found


def _abandoned(folder: Path, _: Control) -> RunInfo | None:
    """On a worker's thread: the newest run in ``folder`` that can be gone on with."""
    # A sweep goes on with its own.
    runs = [run for run, sweep in find_runs(folder) if not sweep and run.is_abandoned()]
    found = [info for info in map(read_run, runs) if not (info.damaged or info.finished)]
    return max(found, key=lambda info: info.date, default=None)


def _take_abandoned(folder: Path) -> None:
    for run, sweep in find_runs(folder):
        if not sweep:
            run.take_abandoned()


def _read_history(run: Path, _: Control) -> RunHistory:
    return RunHistory(RunFolder(run).history())


def _write_label(run: RunFolder, changes: Mapping[str, str]) -> None:
    run.write_label(dataclasses.replace(run.label, **changes))


def _discard(runs: Sequence[Path], trash: Callable[[Path], bool]) -> None:
    """Move all that can be moved.

    Raises:
        UserError: some cannot, or one is being trained.
    """
    for folder in filter(lambda folder: folder.exists, map(RunFolder, runs)):
        with folder.held():
            pass
    kept = [run for run in runs if not trash(run)]
    if kept:
        raise UserError(
            f"The system refused {', '.join(str(run) for run in kept)}. Check that the folder may "
            "be written to, or delete it in the file manager."
        )
