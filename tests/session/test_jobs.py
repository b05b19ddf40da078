import gc
import threading
import time
import weakref
from asyncio import CancelledError
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import suppress
from functools import partial
from typing import Any, NoReturn

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.support.stand_ins import Failures, MainThread
from vae_explorer.errors import DataError
from vae_explorer.session.jobs import BusyError, Cancelled, Control, Job, Jobs, Tasks

Work = Callable[[Control], Any]
Starter = Callable[..., Job]


class Outcomes:
    """Notes how a job ended; it must be once."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.values: list[object] = []
        self.threads: set[threading.Thread] = set()

    def done(self, result: object) -> None:
        self._note("done", result)

    def failed(self, error: BaseException) -> None:
        self._note("failed", error)

    def cancelled(self) -> None:
        self._note("cancelled", None)

    def _note(self, outcome: str, value: object) -> None:
        self.seen.append(outcome)
        self.values.append(value)
        self.threads.add(threading.current_thread())


def start(starter: Starter, name: str, work: Work, outcomes: Outcomes) -> Job:
    return starter(
        name, work, done=outcomes.done, failed=outcomes.failed, cancelled=outcomes.cancelled
    )


@pytest.fixture(params=["run_exclusive", "run_newest"])
def lane(request: pytest.FixtureRequest, jobs: Jobs) -> Starter:
    """Either lane's way to start a job, inline and on threads."""
    starter: Starter = getattr(jobs, request.param)
    return starter


def torch_shape_error(_: Control) -> None:
    torch.zeros(2, 3) @ torch.zeros(2, 3)


def raising(error: BaseException) -> Work:
    def work(_: Control) -> NoReturn:
        raise error

    return work


def noting(notes: list[int], number: int) -> Work:
    return lambda _: notes.append(number)


def exhausted_iterator(_: Control) -> object:
    return next(iter(()))


def keeps_asking(control: Control) -> NoReturn:
    pause = threading.Event()
    while True:
        control.check()
        pause.wait(0.001)


# Every job ends exactly once


# A runner that tells its failure by a RuntimeError of its own loses this one, and only as long as
# warnings are not errors, as they are in this suite.
@pytest.mark.filterwarnings("default")
def test_a_real_torch_shape_error_is_delivered(lane: Starter, main: MainThread) -> None:
    outcomes = Outcomes()
    job = start(lane, "job", torch_shape_error, outcomes)
    main.run_until(lambda: job.finished)
    assert outcomes.seen == ["failed"]
    (error,) = outcomes.values
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
    outcomes = Outcomes()
    job = start(lane, "job", raising(error), outcomes)
    main.run_until(lambda: job.finished)
    main.run()
    assert outcomes.seen == ["failed"]
    assert outcomes.values == [error]

    after = Outcomes()
    job = start(lane, "job", lambda _: "next", after)
    main.run_until(lambda: job.finished)
    assert after.seen == ["done"]
    assert after.values == ["next"]
    assert outcomes.seen == ["failed"]


def test_a_result_is_told_once_on_the_main_thread(lane: Starter, main: MainThread) -> None:
    outcomes = Outcomes()
    job = start(lane, "job", lambda _: 42, outcomes)
    assert not job.finished
    assert outcomes.seen == []
    main.run_until(lambda: job.finished)
    main.run()
    assert outcomes.seen == ["done"]
    assert outcomes.values == [42]
    assert outcomes.threads == {threading.current_thread()}


def test_work_that_leaves_by_itself_is_cancelled(lane: Starter, main: MainThread) -> None:
    outcomes = Outcomes()
    job = start(lane, "job", raising(Cancelled()), outcomes)
    main.run_until(lambda: job.finished)
    assert outcomes.seen == ["cancelled"]


@pytest.mark.parametrize("work", [lambda _: 42, exhausted_iterator], ids=["done", "failed"])
def test_cancel_after_completion_but_before_delivery(
    lane: Starter, main: MainThread, work: Work
) -> None:
    outcomes = Outcomes()
    worked = threading.Event()

    def then_tell(control: Control) -> object:
        try:
            return work(control)
        finally:
            worked.set()

    job = start(lane, "job", then_tell, outcomes)
    assert worked.wait(10)
    job.cancel()
    main.run_until(lambda: job.finished)
    main.run()
    assert outcomes.seen == ["cancelled"]


def test_an_answer_that_cannot_be_shown_leaves_the_lane_free(
    lane: Starter, main: MainThread
) -> None:
    def shows(_: object) -> NoReturn:
        raise LookupError("the window is gone")

    job = lane("job", lambda _: 42, done=shows, failed=shows)
    with pytest.raises(LookupError):
        main.run_until(lambda: job.finished)
    outcomes = Outcomes()
    job = start(lane, "job", lambda _: 43, outcomes)
    main.run_until(lambda: job.finished)
    assert outcomes.seen == ["done"]


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
        job = lane("job", lambda _: None, done=lambda _: None, failed=failures.append)
        main.run_until(lambda: job.finished)
        assert failures == ["MemoryError"]
        assert kept[0]() is None
    finally:
        gc.enable()


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

    outcomes = Outcomes()
    start(inline_jobs.run_newest, "a", work, outcomes).cancel()
    main.run()
    assert told == []
    assert outcomes.seen == ["cancelled"]

    start(inline_jobs.run_newest, "a", work, outcomes)
    main.run()
    controls[-1].report(lambda: told.append("too late"))
    main.run()
    assert told == ["in time"]


# Newest wins


def test_an_older_answer_is_dropped_even_if_already_posted(
    inline_jobs: Jobs, main: MainThread
) -> None:
    old, new = Outcomes(), Outcomes()
    start(inline_jobs.run_newest, "map", lambda _: "old", old)
    assert main.waiting == 1
    start(inline_jobs.run_newest, "map", lambda _: "new", new)
    main.run()
    assert old.seen == ["cancelled"]
    assert new.values == ["new"]


def test_an_older_failure_is_dropped_too(inline_jobs: Jobs, main: MainThread) -> None:
    old, new = Outcomes(), Outcomes()
    start(inline_jobs.run_newest, "map", torch_shape_error, old)
    start(inline_jobs.run_newest, "map", lambda _: "new", new)
    main.run()
    assert old.seen == ["cancelled"]
    assert new.seen == ["done"]


def test_other_keys_are_left_alone(inline_jobs: Jobs, main: MainThread) -> None:
    first, second = Outcomes(), Outcomes()
    start(inline_jobs.run_newest, "map", lambda _: 1, first)
    start(inline_jobs.run_newest, "open", lambda _: 2, second)
    inline_jobs.cancel("save")
    main.run()
    assert first.seen == second.seen == ["done"]


def test_running_work_sees_that_it_was_replaced(threaded_jobs: Jobs, main: MainThread) -> None:
    old, new = Outcomes(), Outcomes()
    running = threading.Event()

    def work(control: Control) -> NoReturn:
        running.set()
        keeps_asking(control)

    start(threaded_jobs.run_newest, "map", work, old)
    assert running.wait(10)
    job = start(threaded_jobs.run_newest, "map", lambda _: "new", new)
    main.run_until(lambda: job.finished)
    assert old.seen == ["cancelled"]
    assert new.values == ["new"]


def test_replaced_while_waiting_for_the_lane_it_never_starts(
    threaded_jobs: Jobs, main: MainThread
) -> None:
    running, go_on = threading.Event(), threading.Event()
    worked: list[int] = []
    jobs, outcomes = [], [Outcomes() for _ in range(100)]

    def occupy(_: Control) -> bool:
        running.set()
        return go_on.wait(10)

    threaded_jobs.run_newest("other", occupy, done=lambda _: None, failed=lambda _: None)
    assert running.wait(10)
    for number, outcome in enumerate(outcomes):
        jobs.append(start(threaded_jobs.run_newest, "map", noting(worked, number), outcome))
    go_on.set()
    main.run_until(lambda: jobs[-1].finished)
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
            st.tuples(st.just("start"), st.sampled_from("ab")),
            st.tuples(st.just("fail"), st.sampled_from("ab")),
            st.tuples(st.just("cancel"), st.sampled_from("ab")),
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
    started: dict[str, list[Outcomes]] = {"a": [], "b": []}
    unwanted: list[tuple[Outcomes, bool]] = []  # and whether it had ended by then

    def abandon(key: str) -> None:
        if started[key]:
            unwanted.append((started[key][-1], bool(started[key][-1].seen)))

    for step, key in steps:
        if step in ("start", "fail"):
            abandon(key)
            started[key].append(Outcomes())
            work = torch_shape_error if step == "fail" else lambda _: "result"
            start(jobs.run_newest, key, work, started[key][-1])
        elif step == "cancel":
            abandon(key)
            jobs.cancel(key)
        elif step == "work" and executor.queue:
            executor.queue.pop(0)()
        elif step == "deliver" and posted:
            posted.pop(0)()
    while executor.queue:
        executor.queue.pop(0)()
    while posted:
        posted.pop(0)()

    dropped = [outcomes for outcomes, had_ended in unwanted if not had_ended]
    for outcomes in started["a"] + started["b"]:
        assert len(outcomes.seen) == 1
        assert (outcomes.seen == ["cancelled"]) == (outcomes in dropped)


# The exclusive lane


def test_a_second_exclusive_job_is_refused_by_the_name_of_the_first(
    inline_jobs: Jobs, main: MainThread
) -> None:
    first, second = Outcomes(), Outcomes()
    start(inline_jobs.run_exclusive, "Training", lambda _: 1, first)
    with pytest.raises(BusyError, match="Training is still running"):
        start(inline_jobs.run_exclusive, "Loading", lambda _: 2, second)
    main.run()
    assert first.seen == ["done"]
    assert second.seen == []


@pytest.mark.parametrize(
    "work",
    [lambda _: 1, torch_shape_error, raising(KeyboardInterrupt()), raising(Cancelled())],
    ids=["done", "RuntimeError", "KeyboardInterrupt", "cancelled"],
)
def test_the_exclusive_lane_is_free_again_after_any_end(
    jobs: Jobs, main: MainThread, work: Work
) -> None:
    first, second = Outcomes(), Outcomes()
    job = start(jobs.run_exclusive, "Training", work, first)
    main.run_until(lambda: job.finished)
    job = start(jobs.run_exclusive, "Loading", lambda _: 2, second)
    main.run_until(lambda: job.finished)
    assert second.values == [2]


def test_the_lanes_do_not_wait_for_each_other(threaded_jobs: Jobs, main: MainThread) -> None:
    outcomes, trained = Outcomes(), Outcomes()
    training = start(threaded_jobs.run_exclusive, "Training", keeps_asking, trained)
    job = start(threaded_jobs.run_newest, "map", lambda _: 1, outcomes)
    main.run_until(lambda: job.finished)
    assert outcomes.seen == ["done"]
    assert not training.finished
    training.cancel()
    main.run_until(lambda: training.finished)
    assert trained.seen == ["cancelled"]


# Writing files


def test_every_write_is_done_and_told(jobs: Jobs, main: MainThread) -> None:
    written: list[int] = []
    outcomes = [Outcomes() for _ in range(5)]
    for number, outcome in enumerate(outcomes):
        jobs.write(
            partial(written.append, number), done=partial(outcome.done, None), failed=outcome.failed
        )
    main.run_until(lambda: all(outcome.seen for outcome in outcomes))
    assert written == [0, 1, 2, 3, 4]
    assert [outcome.seen for outcome in outcomes] == [["done"]] * 5


def test_a_failed_write_is_told(jobs: Jobs, main: MainThread) -> None:
    def work() -> NoReturn:
        raise OSError(28, "No space left on device")

    outcomes = Outcomes()
    jobs.write(work, done=lambda: outcomes.done(None), failed=outcomes.failed)
    main.run_until(lambda: outcomes.seen)
    assert outcomes.seen == ["failed"]


def test_shutdown_finishes_writes_that_still_wait(main: MainThread) -> None:
    jobs = Jobs(main.post)
    running = threading.Event()
    written: list[str] = []
    outcomes, write = Outcomes(), Outcomes()

    def work(control: Control) -> NoReturn:
        running.set()
        keeps_asking(control)

    start(jobs.run_newest, "map", work, outcomes)
    assert running.wait(10)
    jobs.write(lambda: written.append("model"), done=lambda: write.done(None), failed=write.failed)
    assert written == []
    assert jobs.shutdown(10)
    assert written == ["model"]
    main.run()
    assert outcomes.seen == write.seen == []


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
    ends = [Outcomes() for _ in range(3)]
    told: list[str] = []

    def reports_at_the_end(control: Control) -> str:
        with suppress(Cancelled):
            keeps_asking(control)
        control.report(lambda: told.append("report"))
        return "saved"

    start(open_jobs.run_exclusive, "Training", reports_at_the_end, ends[0])
    start(open_jobs.run_newest, "map", keeps_asking, ends[1])
    start(open_jobs.run_newest, "open", lambda _: 1, ends[2])
    assert open_jobs.shutdown(10)
    assert not [t for t in threading.enumerate() if t.name.startswith(("exclusive", "newest"))]
    main.run()
    assert [outcomes.seen for outcomes in ends] == [[], [], []]
    assert told == []


def test_nothing_is_delivered_after_shutdown(inline_jobs: Jobs, main: MainThread) -> None:
    outcomes = Outcomes()
    told: list[str] = []

    def work(control: Control) -> None:
        control.report(lambda: told.append("report"))

    start(inline_jobs.run_exclusive, "Training", work, outcomes)
    start(inline_jobs.run_newest, "map", torch_shape_error, outcomes)
    inline_jobs.write(lambda: None, done=lambda: outcomes.done(None), failed=outcomes.failed)
    assert main.waiting == 4
    assert inline_jobs.shutdown(1)
    main.run()
    assert told == []
    assert outcomes.seen == []


@pytest.mark.usefixtures("no_thread_left")
def test_shutdown_says_when_work_does_not_listen(open_jobs: Jobs, main: MainThread) -> None:
    go_on = threading.Event()
    outcomes = Outcomes()
    start(open_jobs.run_exclusive, "Training", lambda _: go_on.wait(20), outcomes)
    begun = time.monotonic()
    assert not open_jobs.shutdown(0.05)
    assert time.monotonic() - begun < 5
    go_on.set()
    assert open_jobs.shutdown(10)
    main.run()
    assert outcomes.seen == []


@pytest.mark.usefixtures("no_thread_left")
def test_shutdown_with_nothing_to_do_and_twice(open_jobs: Jobs) -> None:
    assert open_jobs.shutdown(0)
    assert open_jobs.shutdown(0)


def test_after_the_shutdown_nothing_is_begun(main: MainThread) -> None:
    jobs = Jobs(main.post)
    assert jobs.shutdown(5)
    begun: list[object] = []

    def begin(_: Control) -> None:
        begun.append("work")

    jobs.run_newest("late", begin, done=begun.append, failed=begun.append)
    jobs.run_exclusive("late", begin, done=begun.append, failed=begun.append)
    jobs.write(lambda: begun.append("file"), done=lambda: None, failed=begun.append)
    main.run()
    assert begun == []


# The two policies


def answers(tasks: Tasks, policy: str, main: MainThread) -> list[int]:
    """What is answered of 1, 2 and 3, asked for while nothing was answered yet."""
    answered: list[int] = []
    requests = getattr(tasks, policy)("key", "It failed")
    for number in (1, 2, 3):
        requests.run(lambda _, number=number: number, answered.append)
    main.run()
    assert not requests.busy
    return answered


def test_the_newest_request_replaces_the_others(
    inline_jobs: Jobs, main: MainThread, failures: Failures
) -> None:
    assert answers(Tasks(inline_jobs, failures), "newest", main) == [3]


def test_a_patient_one_finishes_the_first_then_takes_the_newest(
    inline_jobs: Jobs, main: MainThread, failures: Failures
) -> None:
    assert answers(Tasks(inline_jobs, failures), "patient", main) == [1, 3]


@pytest.mark.parametrize("policy", ["newest", "patient"])
def test_a_failure_is_shown_once_and_the_next_request_is_answered(
    policy: str, inline_jobs: Jobs, main: MainThread, failures: Failures
) -> None:
    answered: list[object] = []
    requests = getattr(Tasks(inline_jobs, failures), policy)("key", "It failed")
    requests.run(lambda _: torch.zeros(2) @ torch.zeros(3), answered.append, failed=answered.append)
    main.run()
    requests.run(lambda _: 2, answered.append)
    main.run()
    ((title, error),) = failures
    assert title == "It failed"
    assert answered == [error, 2]
    failures.clear()


@pytest.mark.parametrize("policy", ["newest", "patient"])
def test_what_was_cancelled_is_not_answered_nor_what_waited(
    policy: str, inline_jobs: Jobs, main: MainThread, failures: Failures
) -> None:
    answered: list[int] = []
    requests = getattr(Tasks(inline_jobs, failures), policy)("key", "It failed")
    for number in (1, 2):
        requests.run(lambda _, number=number: number, answered.append)
    requests.cancel()
    requests.run(lambda _: 3, answered.append)
    main.run()
    assert answered == [3]


def test_owners_under_a_prefix_do_not_replace_each_other(
    inline_jobs: Jobs, main: MainThread, failures: Failures
) -> None:
    answered: list[int] = []
    tasks = Tasks(inline_jobs, failures)
    tasks.newest("key", "It failed").run(lambda _: 1, answered.append)
    tasks.prefixed("B ").newest("key", "It failed").run(lambda _: 2, answered.append)
    main.run()
    assert answered == [1, 2]
