"""Work handed to an engine on other machines: a scheduler of dask.distributed and its workers.

Scheduler and workers have this program installed, and need no disk in common with this machine.
Needs the package distributed; ``cluster`` without it raises UserError.
"""

import dataclasses
import queue
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import UserError
from vae_explorer.files import atomic_write
from vae_explorer.shell import install_line
from vae_explorer.training.device import set_threads
from vae_explorer.training.history import HistoryPoint
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.sweep import Cell
from vae_explorer.training.sweep_folder import SweepFolder
from vae_explorer.training.sweep_jobs import Ended, Told, train_run

_LOOK_SECONDS = 0.5
_ASK_SECONDS = 2.0
"""From question to question of a worker whether it is to stop."""

T = TypeVar("T")
Files = dict[str, bytes]
"""A folder's, by their paths in it."""
_News = queue.SimpleQueue[tuple[int, str | dict[str, Any]]]


class Cluster:
    """A scheduler that was reached."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def share(self, data: T) -> T:
        """Something that many pieces of work take, to be given to them in its stead.

        It travels to a worker once, and again to one that takes the place of another.
        """
        shared: T = self._client.submit(_same, data, pure=False)
        return shared

    def map(self, work: Callable[..., T], items: Iterable[object], *others: object) -> Iterator[T]:
        """What ``work`` gives of each item and the ``others``, in order, done by the workers.

        Raises:
            UserError: as ``work``, or no worker could do it.
        """
        shared = [*map(self.share, others)]
        futures = [self._client.submit(work, item, *shared, pure=False) for item in items]
        yield from map(self._result, futures)

    def _result(self, future: Any) -> Any:
        from distributed import CancelledError, KilledWorker

        try:
            return future.result()
        except (CancelledError, KilledWorker, ImportError, RuntimeError) as error:
            raise UserError(f"no worker could do it: {error}") from error

    def sweep(
        self,
        folder: SweepFolder,
        data: ImageSet,
        stopped: Callable[[], bool],
        device: str = "auto",
        threads: int | None = None,
    ) -> Iterator[tuple[Cell, Told]]:
        """As ``in_processes``, with a worker for a run, as many at a time as there are.

        A run begins on a worker with the files that it has here, and its files come back when it
        ends. If the worker dies another begins with the same files.
        """
        from distributed import Event

        folder.check(data)
        client, topic = self._client, f"vae-explorer-{uuid.uuid4().hex}"
        news: _News = queue.SimpleQueue()
        client.subscribe_topic(topic, lambda event: news.put(event[1]))
        stop = Event(topic, client=client)
        shared = self.share(data)
        with ExitStack() as held:
            cells = {}
            for cell in folder.pending():
                files = {"recipe.toml": cell.recipe.to_toml().encode()}
                if run := folder.found(cell):
                    held.enter_context(run.held())
                    files = _packed(run.path)
                order = (topic, cell.number, files, shared, device, threads)
                cells[client.submit(_train, *order, pure=False, priority=-cell.number)] = cell
            yield from self._followed(folder, cells, news, stopped, stop.set)

    def _followed(
        self,
        folder: SweepFolder,
        cells: dict[Any, Cell],
        news: _News,
        stopped: Callable[[], bool],
        stop: Callable[[], object],
    ) -> Iterator[tuple[Cell, Told]]:
        by_number = {cell.number: cell for cell in cells.values()}
        asked = False
        while cells:
            if stopped() and not asked:
                stop()
                asked = True
            time.sleep(_LOOK_SECONDS)
            done = [future for future in cells if future.done()]
            while not news.empty():
                number, told = news.get()
                yield by_number[number], told if isinstance(told, str) else HistoryPoint(**told)
            for future in done:
                cell = cells.pop(future)
                try:
                    files, end = self._result(future)
                    if files:
                        _bring(files, folder.place(cell))
                except UserError as error:
                    end = Ended(error)
                yield cell, end


@contextmanager
def cluster(address: str) -> Iterator[Cluster]:
    """The scheduler at an address such as "tcp://10.0.0.5:8786".

    Raises:
        UserError: none answers there, or the package distributed is not installed.
    """
    try:
        import dask
        from distributed import Client
        from distributed.comm import get_address_host
    except ImportError as error:
        raise UserError(
            "A scheduler needs the package distributed; install it with\n"
            f"  {install_line('cluster')}"
        ) from error
    quiet = {"distributed.admin.large-graph-warning-threshold": "1 TB"}
    with dask.config.set(quiet):
        try:
            get_address_host(address)  # of one that is none a client does not end
            client = Client(address, timeout=10, set_as_default=False)
        except (OSError, ValueError) as error:
            raise UserError(
                f"No scheduler answers at {address}: {error}. Start one by 'dask scheduler', and "
                f"workers by 'dask worker {address} --nthreads 1'."
            ) from error
        with client:
            yield Cluster(client)


def map_on(
    address: str | None, work: Callable[..., T], items: Iterable[object], *others: object
) -> Iterator[T]:
    """As ``Cluster.map`` of the scheduler at an address; done here, one by one, if it is None."""
    if address is None:
        yield from (work(item, *others) for item in items)
        return
    with cluster(address) as found:
        yield from found.map(work, items, *others)


def _same(data: T) -> T:
    return data


def _train(
    topic: str, number: int, files: Files, data: ImageSet, device: str, threads: int | None
) -> tuple[Files, Ended]:
    """On a worker: the files of the run and how it ended; none if it was stopped before."""
    from distributed import Event, get_worker

    worker, stop = get_worker(), Event(topic)
    asked, wished = time.monotonic(), bool(stop.is_set())
    if wished:
        return {}, Ended()

    def stopped() -> bool:
        nonlocal asked, wished
        if not wished and time.monotonic() - asked > _ASK_SECONDS:
            asked, wished = time.monotonic(), bool(stop.is_set())
        return wished

    def tell(told: str | HistoryPoint) -> None:
        text = told if isinstance(told, str) else dataclasses.asdict(told)
        worker.log_event(topic, (number, text))

    set_threads(threads, processes=worker.state.nthreads)
    with TemporaryDirectory(dir=worker.local_directory) as folder:
        path = Path(folder)
        _unpack(files, path)
        tell(f"begun by {worker.address}")
        ended = train_run(RunFolder(path), data, tell, stopped, device)
        return _packed(path), ended


def _bring(files: Files, run: RunFolder) -> None:
    """The run as it came back, without moments that were dropped there."""
    _unpack(files, run.path)
    for path in run.moments().folder.glob("*"):
        if path.relative_to(run.path).as_posix() not in files:
            path.unlink()


def _packed(folder: Path) -> Files:
    found = (path for path in folder.rglob("*") if path.is_file() and path.name != RunFolder.LOCK)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def _unpack(files: Files, folder: Path) -> None:
    try:
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(path, content)
    except OSError as error:
        raise UserError(f"Cannot write {folder}: {error.strerror or error}.") from error
