import ctypes
import gc
import sys
import threading
import weakref
from asyncio import CancelledError
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.support.outcomes import (
    Endless,
    Outcome,
    Starter,
    Work,
    keeps_asking,
    noting,
    raising,
    torch_shape_error,
)
from tests.support.stand_ins import MainThread
from vae_explorer.errors import DataError
from vae_explorer.session.jobs import BusyError, Cancelled, Control, Jobs


@pytest.fixture(params=["run_exclusive", "run_newest"])
def lane(request: pytest.FixtureRequest, jobs: Jobs) -> Starter:
    """Either lane's way to start a job, inline and on threads."""
    starter: Starter = getattr(jobs, request.param)
    return starter


# Every job ends exactly once


# A runner that tells its failure by a RuntimeError of its own loses this one, and only as long as
# warnings are not errors, as they are in this suite.
@pytest.mark.filterwarnings("default")
def test_a_real_torch_shape_error_is_delivered(lane: Starter, main: MainThread) -> None:
    ((end, error),) = Outcome(lane, torch_shape_error).wait(main).ends
    assert end == "failed"
    assert isinstance(error, RuntimeError)
    assert "mat1 and mat2" in str(error)


@pytest.mark.parametrize(
    "error",
    [
        DataError("told"),
        ValueError("bad"),
        MemoryError(),
        RuntimeError("generator raised StopIteration"),
        torch.OutOfMemoryError("device"),
        StopIteration(),
        GeneratorExit(),
        KeyboardInterrupt(),
        SystemExit(3),
        CancelledError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_is_raised_is_told_once(
    lane: Starter, main: MainThread, error: BaseException
) -> None:
    outcome = Outcome(lane, raising(error)).wait(main)
    assert outcome.ends == [("failed", error)]
    assert Outcome(lane, lambda _: "next").wait(main).ends == [("done", "next")]
    assert outcome.ends == [("failed", error)]


def test_a_result_is_told_once_on_the_main_thread(lane: Starter, main: MainThread) -> None:
    outcome = Outcome(lane, lambda _: 42)
    assert not outcome.job.finished
    assert outcome.ends == []
    assert outcome.wait(main).ends == [("done", 42)]
    assert outcome.job.finished
    assert outcome.threads == {threading.current_thread()}


def test_work_that_leaves_by_itself_is_cancelled(lane: Starter, main: MainThread) -> None:
    assert Outcome(lane, raising(Cancelled())).wait(main).seen == ["cancelled"]


@pytest.mark.parametrize(
    "work", [lambda _: 42, lambda _: next(iter(()))], ids=["done", "StopIteration"]
)
def test_cancel_after_completion_but_before_delivery(
    lane: Starter, main: MainThread, work: Work
) -> None:
    worked = threading.Event()

    def then_tell(control: Control) -> object:
        try:
            return work(control)
        finally:
            worked.set()

    outcome = Outcome(lane, then_tell)
    assert worked.wait(10)
    outcome.job.cancel()
    assert outcome.wait(main).seen == ["cancelled"]


def test_an_answer_that_cannot_be_shown_leaves_the_lane_free(
    lane: Starter, main: MainThread
) -> None:
    def shows(_: object) -> NoReturn:
        raise LookupError("the window is gone")

    job = lane("job", lambda _: 42, done=shows, failed=shows)
    with pytest.raises(LookupError):
        main.run_until(lambda: job.finished)
    assert Outcome(lane, lambda _: 43).wait(main).seen == ["done"]


def test_a_failed_job_keeps_nothing_alive(lane: Starter, main: MainThread) -> None:
    class Trainer:
        pass

    kept: list[weakref.ref[Trainer]] = []

    def work(_: Control) -> NoReturn:
        trainer = Trainer()
        kept.append(weakref.ref(trainer))
        raise MemoryError

    failures: list[str] = []
    gc.disable()
    try:
        job = lane(
            "job", work, done=print, failed=lambda error: failures.append(type(error).__name__)
        )
        main.run_until(lambda: job.finished)
        # The worker lets go of its last frame when it next takes work.
        Outcome(lane, lambda _: None).wait(main)
        assert failures == ["MemoryError"]
        assert kept[0]() is None
    finally:
        gc.enable()


def test_a_key_that_is_refused_is_never_begun(inline_jobs: Jobs, main: MainThread) -> None:
    inline_jobs.refuse("film")
    film, other = (Outcome(inline_jobs.run_newest, lambda _: 42, key) for key in ("film", "map"))
    assert other.wait(main).seen == ["done"]
    assert film.seen == []
    assert inline_jobs.idle


# Reports


def test_reports_come_in_order_before_the_end(lane: Starter, main: MainThread) -> None:
    told: list[object] = []

    def work(control: Control) -> str:
        for number in range(5):
            control.report(partial(told.append, number))
        return "end"

    job = lane("job", work, done=told.append, failed=told.append)
    assert told == []
    main.run_until(lambda: job.finished)
    assert told == [0, 1, 2, 3, 4, "end"]


def test_no_report_after_a_cancel_or_after_the_end(inline_jobs: Jobs, main: MainThread) -> None:
    told: list[str] = []
    controls: list[Control] = []

    def work(control: Control) -> None:
        controls.append(control)
        control.report(lambda: told.append("in time"))

    outcome = Outcome(inline_jobs.run_newest, work)
    outcome.job.cancel()
    assert outcome.wait(main).seen == ["cancelled"]
    assert told == []
    Outcome(inline_jobs.run_newest, work).wait(main)
    controls[-1].report(lambda: told.append("too late"))
    main.run()
    assert told == ["in time"]


# Newest wins


@pytest.mark.parametrize("work", [lambda _: "old", torch_shape_error], ids=["done", "failed"])
def test_an_older_answer_is_dropped_even_if_already_posted(
    inline_jobs: Jobs, main: MainThread, work: Work
) -> None:
    old = Outcome(inline_jobs.run_newest, work)
    assert main.waiting == 1
    new = Outcome(inline_jobs.run_newest, lambda _: "new").wait(main)
    assert old.seen == ["cancelled"]
    assert new.ends == [("done", "new")]


def test_other_keys_are_left_alone(inline_jobs: Jobs, main: MainThread) -> None:
    first, second = (Outcome(inline_jobs.run_newest, lambda _: 1, key) for key in ("map", "open"))
    inline_jobs.cancel("save")
    main.run()
    assert first.seen == second.seen == ["done"]


def test_running_work_sees_that_it_was_replaced(threaded_jobs: Jobs, main: MainThread) -> None:
    work = Endless()
    old = Outcome(threaded_jobs.run_newest, work)
    work.wait()
    new = Outcome(threaded_jobs.run_newest, lambda _: "new").wait(main)
    assert old.seen == ["cancelled"]
    assert new.ends == [("done", "new")]


def test_replaced_while_waiting_for_the_lane_it_never_starts(
    threaded_jobs: Jobs, main: MainThread
) -> None:
    running, go_on = threading.Event(), threading.Event()
    worked: list[int] = []

    def occupy(_: Control) -> bool:
        running.set()
        return go_on.wait(10)

    Outcome(threaded_jobs.run_newest, occupy, "other")
    assert running.wait(10)
    outcomes = [Outcome(threaded_jobs.run_newest, noting(worked, n)) for n in range(100)]
    go_on.set()
    outcomes[-1].wait(main)
    assert worked == [99]
    assert [outcome.seen for outcome in outcomes] == [["cancelled"]] * 99 + [["done"]]


class SteppedExecutor(Executor):
    """Does one piece of work each time it is told to."""

    def __init__(self) -> None:
        self.queue: list[Callable[[], None]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.queue.append(lambda: future.set_result(fn(*args, **kwargs)))
        return future


@given(
    st.lists(
        st.one_of(
            st.tuples(st.sampled_from(["start", "fail", "cancel"]), st.sampled_from("ab")),
            st.tuples(st.sampled_from(["work", "deliver"]), st.just("")),
        ),
        max_size=40,
    )
)
def test_in_any_order_each_ends_once_and_only_the_newest_is_shown(
    steps: list[tuple[str, str]],
) -> None:
    posted: list[Callable[[], None]] = []
    executor = SteppedExecutor()
    jobs = Jobs(posted.append, lambda _: executor)
    started: dict[str, list[Outcome]] = {"a": [], "b": []}
    unwanted: list[tuple[Outcome, bool]] = []  # and whether it had ended by then
    for step, key in steps:
        if key and started[key]:
            unwanted.append((started[key][-1], bool(started[key][-1].seen)))
        if step in ("start", "fail"):
            work = torch_shape_error if step == "fail" else lambda _: "result"
            started[key].append(Outcome(jobs.run_newest, work, key))
        elif step == "cancel":
            jobs.cancel(key)
        elif step == "work" and executor.queue:
            executor.queue.pop(0)()
        elif step == "deliver" and posted:
            posted.pop(0)()
    while executor.queue:
        executor.queue.pop(0)()
    while posted:
        posted.pop(0)()

    dropped = [outcome for outcome, had_ended in unwanted if not had_ended]
    for outcome in started["a"] + started["b"]:
        assert len(outcome.seen) == 1
        assert (outcome.seen == ["cancelled"]) == (outcome in dropped)


# The exclusive lane


def test_a_second_exclusive_job_is_refused_by_the_name_of_the_first(
    inline_jobs: Jobs, main: MainThread
) -> None:
    begun: list[object] = []
    first = Outcome(inline_jobs.run_exclusive, lambda _: 1, "Training")
    with pytest.raises(BusyError, match="Training is still running"):
        Outcome(inline_jobs.run_exclusive, begun.append, "Loading")
    assert first.wait(main).seen == ["done"]
    assert begun == []


@pytest.mark.parametrize(
    "work",
    [lambda _: 1, torch_shape_error, raising(KeyboardInterrupt()), raising(Cancelled())],
    ids=["done", "RuntimeError", "KeyboardInterrupt", "cancelled"],
)
def test_the_exclusive_lane_is_free_again_after_any_end(
    jobs: Jobs, main: MainThread, work: Work
) -> None:
    Outcome(jobs.run_exclusive, work, "Training").wait(main)
    second = Outcome(jobs.run_exclusive, lambda _: 2, "Loading").wait(main)
    assert second.ends == [("done", 2)]


def test_the_lanes_do_not_wait_for_each_other(threaded_jobs: Jobs, main: MainThread) -> None:
    training = Outcome(threaded_jobs.run_exclusive, keeps_asking, "Training")
    assert Outcome(threaded_jobs.run_newest, lambda _: 1).wait(main).seen == ["done"]
    assert not training.job.finished
    training.job.cancel()
    assert training.wait(main).seen == ["cancelled"]


@pytest.mark.skipif(sys.platform != "linux", reason="asks the OpenMP that PyTorch has there")
def test_a_lane_computes_with_the_threads_set_from_its_first_product_on(main: MainThread) -> None:
    openmp = ctypes.CDLL(str(Path(torch.__file__).with_name("lib") / "libgomp.so.1"))
    torch.set_num_threads(3)
    jobs = Jobs(main.post)
    threads = Outcome(jobs.run_newest, lambda _: openmp.omp_get_max_threads())
    assert threads.wait(main).ends == [("done", 3)]
    assert jobs.shutdown(2)
