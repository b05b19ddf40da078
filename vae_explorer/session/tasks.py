"""Jobs bound to where their failures are shown, and two ways to answer a stream of requests.

``Newest`` replaces what is under way, ``Patient`` finishes it first.
"""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from vae_explorer.session.jobs import Control, Job, Jobs, Lane, ignore

T = TypeVar("T")

Fail = Callable[[str, BaseException], None]
"""Shows what went wrong: a title, and the error. Called on the main thread."""


class Tasks:
    """Starts work off the main thread whose failures are shown. Used on the main thread.

    Args:
        jobs: the lanes.
        fail: shows a failure.
        prefix: put before each key, so that a second owner of the same parts keeps its own jobs.
    """

    def __init__(self, jobs: Jobs, fail: Fail, prefix: str = "") -> None:
        self.jobs = jobs
        self.fail = fail
        self._prefix = prefix

    def prefixed(self, prefix: str) -> "Tasks":
        """The same lanes under keys of their own."""
        return Tasks(self.jobs, self.fail, f"{self._prefix}{prefix}")

    def newest(self, key: str, title: str, lane: Lane = "files") -> "Newest":
        """Requests of which each replaces the one before; ``title`` is that of a failure."""
        return Newest(self, f"{self._prefix}{key}", title, lane)

    def patient(self, key: str, title: str, lane: Lane = "layers") -> "Patient":
        """Requests of which one is finished before the newest of the others is begun."""
        return Patient(self, f"{self._prefix}{key}", title, lane)

    def write(
        self,
        work: Callable[[], None],
        done: Callable[[], None],
        title: str,
        *,
        failed: Callable[[BaseException], None] = lambda _: None,
    ) -> None:
        """Write a file that somebody asked for, see ``Jobs.write``; a failure is shown at last."""
        self.jobs.write(lambda _: work(), done=done, failed=self.showing(title, failed))

    def showing(
        self, title: str, failed: Callable[[BaseException], None]
    ) -> Callable[[BaseException], None]:
        """``failed``, after which the failure is shown under a title."""

        def on_failure(error: BaseException) -> None:
            failed(error)
            self.fail(title, error)

        return on_failure


class Newest:
    """Newest wins: what is asked for cancels what was asked for before."""

    def __init__(self, tasks: Tasks, key: str, title: str, lane: Lane) -> None:
        self._tasks = tasks
        self._key = key
        self._title = title
        self._lane = lane
        self._job: Job | None = None

    @property
    def busy(self) -> bool:
        """True from a request to its end."""
        return self._job is not None and not self._job.finished

    def run(
        self,
        work: Callable[[Control], T],
        done: Callable[[T], None],
        *,
        failed: Callable[[BaseException], None] = lambda _: None,
        cancelled: Callable[[], None] = ignore,
    ) -> None:
        """Begin ``work`` on a worker; one of the three is called on the main thread at its end.

        A failure is shown, after ``failed``.
        """
        self._job = self._tasks.jobs.run_newest(
            self._key,
            work,
            done=done,
            failed=self._tasks.showing(self._title, failed),
            cancelled=cancelled,
            lane=self._lane,
        )

    def cancel(self) -> None:
        """No longer want what was asked for."""
        self._tasks.jobs.cancel(self._key)
        self._job = None


class Patient:
    """Finish the one under way, then take the newest.

    For what is asked at every move of a pointer or at every snapshot of a run: if each request
    replaced the one before, none would ever be answered.
    """

    def __init__(self, tasks: Tasks, key: str, title: str, lane: Lane) -> None:
        self._newest = Newest(tasks, key, title, lane)
        self._next: Callable[[], None] | None = None

    @property
    def busy(self) -> bool:
        """True until the newest request has been answered."""
        return self._next is not None or self._newest.busy

    def run(
        self,
        work: Callable[[Control], T],
        done: Callable[[T], None],
        *,
        failed: Callable[[BaseException], None] = lambda _: None,
    ) -> None:
        """Begin ``work`` once the one under way has ended; it replaces any that waits."""

        def begin() -> None:
            self._next = None
            self._newest.run(
                work,
                lambda result: self._end(partial(done, result)),
                failed=lambda error: self._end(partial(failed, error)),
                cancelled=lambda: self._end(ignore),
            )

        if self.busy:
            self._next = begin
        else:
            begin()

    def cancel(self) -> None:
        """No longer want what was asked for, and what waits."""
        self._next = None
        self._newest.cancel()

    def _end(self, tell: Callable[[], None]) -> None:
        try:
            tell()
        finally:
            if self._next is not None and not self._newest.busy:
                self._next()
