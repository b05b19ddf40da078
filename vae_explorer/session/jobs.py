"""Work off the main thread, in lanes of one thread each.

*exclusive*: one job at a time, refused while another runs (training). *newest wins*: a job of the
same key replaces an older one, whose answer is then never delivered. Of these lanes "files" is for
what a person waits for (open, encode; files are written there too, but nothing replaces or cancels
that), "layers" for what is drawn on the map, "figures" for what may take minutes, "lessons" for
what the instruments of the lessons compute.

Every job ends exactly once, as done, failed or cancelled, whatever its work raised; after
``shutdown`` nothing is delivered any more. Executors and the hop to the main thread are given from
outside, so tests run inline without a thread.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Literal, TypeVar, get_args

from vae_explorer.errors import UserError
from vae_explorer.training.device import threads_as_here

T = TypeVar("T")

_SELDOM_S = 0.5
"""Between two reports of how far some work is."""

Lane = Literal["files", "layers", "figures", "lessons"]

Post = Callable[[Callable[[], None]], None]
"""Runs a function on the main thread, soon, in order. Called from any thread."""

After = Callable[[float, Callable[[], None]], None]
"""Runs a function on the main thread when this many seconds have passed. Called there."""


class Cancelled(Exception):  # noqa: N818 - an outcome, not an error
    """Raised by ``Control.check`` to leave work that is no longer wanted."""


class BusyError(UserError):
    """The exclusive lane is taken."""


class Control:
    """What running work sees of its job. Its methods are called on the worker's thread."""

    def __init__(self, deliver: Callable[[Callable[[], None]], None]) -> None:
        self._cancelled = threading.Event()
        self._deliver = deliver

    @property
    def cancelled(self) -> bool:
        """True once nobody waits for the answer."""
        return self._cancelled.is_set()

    def check(self) -> None:
        """Leave by an exception if the job was cancelled; call between chunks of work."""
        if self.cancelled:
            raise Cancelled

    def report(self, tell: Callable[[], None]) -> None:
        """Run ``tell`` on the main thread, unless the job is cancelled by then."""
        self._deliver(tell)

    def seldom(self, tell: Callable[[float], None]) -> Callable[[float], None]:
        """What reports the share that is done, as often as a person can read it."""
        last = time.monotonic()

        def told(share: float) -> None:
            nonlocal last
            if time.monotonic() - last > _SELDOM_S:
                last = time.monotonic()
                self.report(partial(tell, share))

        return told


class Job:
    """A piece of work under way. Used on the main thread."""

    def __init__(self, name: str, post: Post) -> None:
        self.name = name
        self.finished = False
        self._post = post
        self.control = Control(self._deliver_if_wanted)

    def cancel(self) -> None:
        """Ask the work to stop; its outcome will be "cancelled" even if it had just finished."""
        self.control._cancelled.set()

    def _deliver_if_wanted(self, tell: Callable[[], None]) -> None:
        def on_main() -> None:
            if not self.control.cancelled and not self.finished:
                tell()

        self._post(on_main)


def ignore() -> None:
    """What is done where nobody asks for more."""


def _thread(lane: str) -> Executor:
    return ThreadPoolExecutor(1, lane, initializer=threads_as_here())


class Jobs:
    """Starts jobs and delivers their outcome on the main thread.

    Args:
        post: the hop to the main thread.
        executor: makes what runs a lane, from its name; a thread each if not given.
    """

    def __init__(self, post: Post, executor: Callable[[str], Executor] = _thread) -> None:
        self._hop = post
        self._closed = False
        self._exclusive = executor("exclusive")
        self._lanes = {lane: executor(lane) for lane in get_args(Lane)}
        self._exclusive_job: Job | None = None
        self._jobs: dict[str, Job] = {}
        self._refused: frozenset[str] = frozenset()
        self._futures: set[Future[None]] = set()
        self._under_way: set[Job] = set()

    def run_exclusive(
        self,
        name: str,
        work: Callable[[Control], T],
        *,
        done: Callable[[T], None],
        failed: Callable[[BaseException], None],
        cancelled: Callable[[], None] = ignore,
    ) -> Job:
        """Start ``work`` in the exclusive lane.

        Raises:
            BusyError: another job is there; the message names it.
        """
        running = self._exclusive_job
        if running and not running.finished:
            raise BusyError(f"{running.name} is still running; stop it first.")
        job = Job(name, self._post)
        self._exclusive_job = job
        self._submit(self._exclusive, job, work, done, failed, cancelled)
        return job

    def run_newest(
        self,
        key: str,
        work: Callable[[Control], T],
        *,
        done: Callable[[T], None],
        failed: Callable[[BaseException], None],
        cancelled: Callable[[], None] = ignore,
        lane: Lane = "files",
    ) -> Job:
        """Start ``work``, cancelling an older job of the same key."""
        self.cancel(key)
        job = self._jobs[key] = Job(key, self._post)
        if key not in self._refused:
            self._submit(self._lanes[lane], job, work, done, failed, cancelled)
        return job

    def refuse(self, *keys: str) -> None:
        """Begin no job of these keys, as nobody will see what they find."""
        self._refused = frozenset(keys)

    def write(
        self,
        work: Callable[[Control], None],
        *,
        done: Callable[[], None],
        failed: Callable[[BaseException], None],
        cancelled: Callable[[], None] = ignore,
    ) -> None:
        """Write a file that somebody asked for: ``work`` alone cancels it, ``shutdown`` waits."""
        job = Job("write", self._post)
        self._submit(self._lanes["files"], job, work, lambda _: done(), failed, cancelled)

    def cancel(self, key: str) -> None:
        """Cancel the newest-wins job of this key, if there is one."""
        if key in self._jobs:
            self._jobs[key].cancel()

    @property
    def idle(self) -> bool:
        """Whether the outcome of all that was asked for has been delivered."""
        return not self._under_way

    def shutdown(self, seconds: float) -> bool:
        """Cancel all but writes and wait for the threads; False if one did not end in time.

        What is asked for later is not begun.
        """
        self._closed = True
        for job in [self._exclusive_job, *self._jobs.values()]:
            if job:
                job.cancel()
        unfinished = wait(tuple(self._futures), timeout=seconds).not_done
        for executor in (self._exclusive, *self._lanes.values()):
            executor.shutdown(wait=not unfinished, cancel_futures=True)
        return not unfinished

    def _post(self, tell: Callable[[], None]) -> None:
        def on_main() -> None:
            if not self._closed:
                tell()

        self._hop(on_main)

    def _submit(
        self,
        executor: Executor,
        job: Job,
        work: Callable[[Control], T],
        done: Callable[[T], None],
        failed: Callable[[BaseException], None],
        cancelled: Callable[[], None],
    ) -> None:
        def end(outcome: Callable[[], None]) -> None:
            job.finished = True
            self._under_way.discard(job)
            (cancelled if job.control.cancelled else outcome)()

        def on_worker() -> None:
            # BaseException: a job must end whatever happens in it, KeyboardInterrupt included.
            try:
                job.control.check()
                result = work(job.control)
            except Cancelled:
                self._post(lambda: end(cancelled))
            except BaseException as error:
                # A closure would keep the error, its traceback and all the work held in a cycle.
                self._post(partial(end, partial(failed, error)))
            else:
                self._post(partial(end, partial(done, result)))

        if self._closed:
            return  # a last frame may still be drawn, and ask
        self._under_way.add(job)
        future = executor.submit(on_worker)
        self._futures.add(future)
        future.add_done_callback(self._futures.discard)
