"""What is asked of the jobs is written, and nothing outlives them."""

import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.support.outcomes import (
    Endless,
    Outcome,
    keeps_asking,
    noting,
    raising,
    torch_shape_error,
    writer,
)
from tests.support.stand_ins import MainThread
from vae_explorer.session.jobs import Cancelled, Control, Jobs

# Writing files


def test_every_write_is_done_and_told(jobs: Jobs, main: MainThread) -> None:
    written: list[int] = []
    outcomes = [Outcome(writer(jobs), noting(written, number)) for number in range(5)]
    for outcome in outcomes:
        assert outcome.wait(main).seen == ["done"]
    assert written == [0, 1, 2, 3, 4]


def test_a_failed_write_is_told(jobs: Jobs, main: MainThread) -> None:
    error = OSError(28, "No space left on device")
    assert Outcome(writer(jobs), raising(error)).wait(main).ends == [("failed", error)]


def test_shutdown_finishes_writes_that_still_wait(open_jobs: Jobs, main: MainThread) -> None:
    written: list[str] = []
    work = Endless()
    endless = Outcome(open_jobs.run_newest, work)
    work.wait()
    write = Outcome(writer(open_jobs), lambda _: written.append("model"))
    assert written == []
    assert open_jobs.shutdown(10)
    assert written == ["model"]
    main.run()
    assert endless.seen == write.seen == []


# Shutdown


@pytest.fixture
def open_jobs(main: MainThread) -> Jobs:
    """Jobs on threads that the test itself shuts down."""
    return Jobs(main.post)


@pytest.fixture
def no_thread_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
        assert not thread.is_alive()


@pytest.mark.usefixtures("no_thread_left")
def test_shutdown_cancels_and_joins(open_jobs: Jobs, main: MainThread) -> None:
    told: list[str] = []

    def reports_at_the_end(control: Control) -> str:
        with suppress(Cancelled):
            keeps_asking(control)
        control.report(lambda: told.append("report"))
        return "saved"

    ends = [
        Outcome(open_jobs.run_exclusive, reports_at_the_end, "Training"),
        Outcome(open_jobs.run_newest, keeps_asking, "map"),
        Outcome(open_jobs.run_newest, lambda _: 1, "open"),
    ]
    assert open_jobs.shutdown(10)
    assert not [t for t in threading.enumerate() if t.name.startswith(("exclusive", "newest"))]
    main.run()
    assert [outcome.seen for outcome in ends] == [[], [], []]
    assert told == []


def test_nothing_is_delivered_after_shutdown(inline_jobs: Jobs, main: MainThread) -> None:
    told: list[str] = []

    def work(control: Control) -> None:
        control.report(lambda: told.append("report"))

    ends = [
        Outcome(inline_jobs.run_exclusive, work),
        Outcome(inline_jobs.run_newest, torch_shape_error),
        Outcome(writer(inline_jobs), lambda _: None),
    ]
    assert main.waiting == 4
    assert inline_jobs.shutdown(1)
    main.run()
    assert told == []
    assert [outcome.seen for outcome in ends] == [[], [], []]


@pytest.mark.usefixtures("no_thread_left")
def test_shutdown_says_when_work_does_not_listen(open_jobs: Jobs, main: MainThread) -> None:
    go_on = threading.Event()
    outcome = Outcome(open_jobs.run_exclusive, lambda _: go_on.wait(20))
    begun = time.monotonic()
    assert not open_jobs.shutdown(0.05)
    assert time.monotonic() - begun < 5
    go_on.set()
    assert open_jobs.shutdown(10)
    main.run()
    assert outcome.seen == []


@pytest.mark.usefixtures("no_thread_left")
def test_shutdown_with_nothing_to_do_and_twice(open_jobs: Jobs) -> None:
    assert open_jobs.shutdown(0)
    assert open_jobs.shutdown(0)


def test_after_the_shutdown_nothing_is_begun(open_jobs: Jobs, main: MainThread) -> None:
    assert open_jobs.shutdown(5)
    begun: list[object] = []
    starters = open_jobs.run_newest, open_jobs.run_exclusive, writer(open_jobs)
    outcomes = [Outcome(starter, begun.append) for starter in starters]
    main.run()
    assert begun == []
    assert [outcome.seen for outcome in outcomes] == [[], [], []]
