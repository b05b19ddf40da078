"""Stand-ins for what session is given from outside: the main thread, its frames and the workers."""

import queue
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any

import pytest

from vae_explorer.session.jobs import Jobs

Call = Callable[[], None]


class Failures(list[tuple[str, BaseException]]):
    """What went wrong, with its title; told by a call."""

    def __call__(self, title: str, error: BaseException) -> None:
        self.append((title, error))

    def take(self) -> list[tuple[str, BaseException]]:
        """What was told so far, which is then no longer held against the test."""
        told = self.copy()
        self.clear()
        return told


class InlineExecutor(Executor):
    """Does the work before ``submit`` returns."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future


class MainThread:
    """What is posted waits until the test, which is the main thread, lets it run."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Call] = queue.SimpleQueue()

    def post(self, call: Call) -> None:
        self._calls.put(call)

    @property
    def waiting(self) -> int:
        return self._calls.qsize()

    def step(self) -> None:
        self._calls.get_nowait()()

    def run(self) -> None:
        """Run what waits, and what that posts in its turn."""
        while self.waiting:
            self.step()

    def run_until(self, condition: Callable[[], object], seconds: float = 20.0) -> None:
        """Run what comes until ``condition`` holds."""
        deadline = time.monotonic() + seconds
        while not condition():
            try:
                call = self._calls.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                pytest.fail(f"nothing more came within {seconds} s")
            call()


class Frames:
    """What is deferred waits for the next frame."""

    def __init__(self) -> None:
        self._calls: list[Call] = []

    def defer(self, call: Call) -> None:
        self._calls.append(call)

    @property
    def waiting(self) -> int:
        return len(self._calls)

    def next(self) -> None:
        calls, self._calls = self._calls, []
        for call in calls:
            call()


@dataclass
class Clock:
    """A module's ``time``, in which every look takes ``tick`` seconds."""

    tick: float
    now: float = 1_000.0

    def monotonic(self) -> float:
        self.now += self.tick
        return self.now


class Later:
    """What is to be done after some seconds is done when the test says so."""

    def __init__(self) -> None:
        self._calls: list[Call] = []

    def after(self, seconds: float, call: Call) -> None:
        assert seconds > 0
        self._calls.append(call)

    @property
    def waiting(self) -> int:
        return len(self._calls)

    def pass_time(self) -> None:
        calls, self._calls = self._calls, []
        for call in calls:
            call()


@pytest.fixture
def main() -> MainThread:
    return MainThread()


@pytest.fixture
def frames() -> Frames:
    return Frames()


@pytest.fixture
def later() -> Later:
    return Later()


@pytest.fixture
def inline_jobs(main: MainThread) -> Jobs:
    """Jobs that are done as soon as they start; their outcome waits for ``main``."""
    return Jobs(main.post, lambda _: InlineExecutor())


@pytest.fixture
def threaded_jobs(main: MainThread) -> Iterator[Jobs]:
    """Jobs on real threads, which must all end with the test."""
    jobs = Jobs(main.post)
    yield jobs
    assert jobs.shutdown(20)


@pytest.fixture(params=["inline", "threads"])
def jobs(request: pytest.FixtureRequest) -> Jobs:
    name = "inline_jobs" if request.param == "inline" else "threaded_jobs"
    found: Jobs = request.getfixturevalue(name)
    return found


@pytest.fixture
def failures() -> Iterator[Failures]:
    """Takes what goes wrong; a test that expects it clears it."""
    told = Failures()
    yield told
    assert not told
