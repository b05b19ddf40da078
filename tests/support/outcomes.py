"""Jobs that were started, and how they ended."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

import torch

from tests.support.stand_ins import MainThread
from vae_explorer.session.jobs import Control, Jobs

Work = Callable[[Control], Any]
Starter = Callable[..., Any]
"""``Jobs.run_exclusive`` or ``Jobs.run_newest``."""


class Outcome:
    """Starts a job and notes how it ends; it must be once."""

    def __init__(self, starter: Starter, work: Work, name: str = "job") -> None:
        self.ends: list[tuple[str, object]] = []
        self.threads: set[threading.Thread] = set()
        self.job = starter(
            name,
            work,
            done=partial(self._note, "done"),
            failed=partial(self._note, "failed"),
            cancelled=partial(self._note, "cancelled", None),
        )

    @property
    def seen(self) -> list[str]:
        """How it ended, without results and errors."""
        return [end for end, _ in self.ends]

    def wait(self, main: MainThread) -> "Outcome":
        """Until it has ended, and whatever else was told."""
        main.run_until(lambda: self.ends)
        main.run()
        return self

    def _note(self, end: str, value: object) -> None:
        self.ends.append((end, value))
        self.threads.add(threading.current_thread())


def writer(jobs: Jobs) -> Starter:
    """A way to start what writes a file."""

    def start(_: str, work: Starter, done: Starter, failed: Starter, cancelled: Starter) -> None:
        jobs.write(work, done=partial(done, None), failed=failed)

    return start


def torch_shape_error(*_: object) -> None:
    torch.zeros(2, 3) @ torch.zeros(2, 3)


def raising(error: BaseException) -> Callable[..., NoReturn]:
    def work(*_: object) -> NoReturn:
        raise error

    return work


def noting(notes: list[int], number: int) -> Work:
    return lambda _: notes.append(number)


def keeps_asking(control: Control) -> NoReturn:
    """Works until it is cancelled."""
    pause = threading.Event()
    while True:
        control.check()
        pause.wait(0.001)


class Endless:
    """Works until it is cancelled, and says when it has begun."""

    def __init__(self) -> None:
        self._running = threading.Event()

    def __call__(self, control: Control) -> NoReturn:
        self._running.set()
        keeps_asking(control)

    def wait(self) -> None:
        assert self._running.wait(10)
