"""The runs of a sweep beside each other, each in a process of this machine."""

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import UserError
from vae_explorer.training.device import set_threads
from vae_explorer.training.history import HistoryPoint
from vae_explorer.training.run import Recorder
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.sweep import Cell
from vae_explorer.training.sweep_folder import SweepFolder
from vae_explorer.training.trainer import EpochMetrics

_LOOK_SECONDS = 0.2
_JOIN_SECONDS = 10.0


@dataclass(frozen=True)
class Ended:
    """A run has ended, by an error or not; stopped or finished, its folder tells."""

    error: UserError | None = None


Told = str | HistoryPoint | Ended
"""Of a run: a remark, the figures of an epoch, or its end, after which it is in its folder."""


def in_processes(
    folder: SweepFolder,
    data: ImageSet,
    stopped: Callable[[], bool],
    device: str = "auto",
    threads: int | None = None,
    *,
    jobs: int,
) -> Iterator[tuple[Cell, Told]]:
    """Train what is pending, ``jobs`` runs at a time, and tell of each as it goes.

    Once ``stopped``, all that are under way are saved and end. A run whose process dies ends by an
    error, and the others go on.

    Args:
        folder: of the sweep; new runs are made in it.
        data: what it was begun on; goes to each process once.
        stopped: asked a few times a second.
        device: as for ``Trainer``.
        threads: of each process; its share of the processors if None.
        jobs: processes.

    Raises:
        DataError, CheckpointError: as ``SweepFolder.begin``.
    """
    folder.check(data)
    waiting = deque(folder.pending())
    idle = [_Process(device, threads, jobs) for _ in range(min(jobs, len(waiting)))]
    busy: dict[Connection, tuple[_Process, Cell]] = {}
    asked = False
    try:
        while True:
            while waiting and len(busy) < jobs and not stopped():
                process = idle.pop() if idle else _Process(device, threads, jobs)
                cell = waiting.popleft()
                process.train(folder.place(cell), data)
                busy[process.connection] = process, cell
                yield cell, cell.name
            if not busy:
                return
            if stopped() and not asked:
                asked = True
                for process, _ in busy.values():
                    process.stop()
            for connection in wait([*busy], _LOOK_SECONDS):
                assert isinstance(connection, Connection)
                process, cell = busy[connection]
                told = process.told()
                if isinstance(told, Ended):
                    del busy[connection]
                    if process.alive:
                        idle.append(process)
                yield cell, told
    finally:
        for process in [*idle, *(process for process, _ in busy.values())]:
            process.close()


class _Process:
    """Trains one run after another, until its connection is closed or the parent is no more."""

    def __init__(self, device: str, threads: int | None, jobs: int) -> None:
        spawn = multiprocessing.get_context("spawn")
        self.connection, theirs = spawn.Pipe()
        self._process: BaseProcess = spawn.Process(
            target=_serve, args=(theirs, device, threads, jobs), daemon=True
        )
        with _deaf():
            self._process.start()
        theirs.close()
        self._fed = False
        self.alive = True

    def train(self, run: RunFolder, data: ImageSet) -> None:
        with suppress(OSError):  # it died, as ``told`` will say
            if not self._fed:
                self.connection.send(data)
                self._fed = True
            self.connection.send(run)

    def stop(self) -> None:
        with suppress(OSError):
            self.connection.send(None)

    def told(self) -> Told:
        try:
            told: Told = self.connection.recv()
        except (EOFError, OSError):
            self.alive = False
            self.close()
            return Ended(UserError(f"its process died with status {self._process.exitcode}."))
        return told

    def close(self) -> None:
        self.connection.close()
        self._process.join(_JOIN_SECONDS)


@contextmanager
def _deaf() -> Iterator[None]:
    """Processes that are started now do not hear Ctrl-C, which their parent does."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(connection: Connection, device: str, threads: int | None, jobs: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    set_threads(threads, processes=jobs)
    with suppress(EOFError):
        data = connection.recv()
        while (run := connection.recv()) is not None:
            # Whatever comes while it trains is the wish to stop, and so is a parent that is gone.
            ended = train_run(run, data, connection.send, connection.poll, device)
            connection.send(ended)


def train_run(
    run: RunFolder,
    data: ImageSet,
    tell: Callable[[str | HistoryPoint], None],
    stopped: Callable[[], bool],
    device: str = "auto",
) -> Ended:
    """Train a run on from where it is, until its end or until it is stopped; then it is saved."""
    try:
        trainer = run.resume(data, device, tell)
        trainer.given_up = stopped
        with Recorder(trainer, run) as recorder:
            recorder.begin()
            for event in recorder.follow(stopped):
                if isinstance(event, EpochMetrics):
                    tell(event.point)
                if stopped():
                    break
            if not trainer.finished:
                recorder.save()
    except UserError as error:
        return Ended(error)
    return Ended()
