import threading
from functools import partial
from itertools import pairwise
from time import perf_counter

import pytest
from PySide6.QtCore import QThread
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from vae_explorer.gui.main_thread import FrameClock, MainThread


def test_what_a_thread_posts_runs_on_the_main_thread_in_order(qtbot: QtBot) -> None:
    main = MainThread()
    ran: list[tuple[int, bool]] = []

    def note(number: int) -> None:
        ran.append((number, QThread.isMainThread()))

    def post_all() -> None:
        for number in range(100):
            main.post(partial(note, number))

    worker = threading.Thread(target=post_all)
    worker.start()
    worker.join()
    assert ran == [], "nothing runs before the event loop does"
    qtbot.waitUntil(lambda: len(ran) == 100)
    assert ran == [(number, True) for number in range(100)]


def test_posting_from_the_main_thread_waits_its_turn(qtbot: QtBot) -> None:
    main = MainThread()
    ran: list[str] = []

    def first() -> None:
        main.post(lambda: ran.append("third"))
        ran.append("first")

    main.post(first)
    main.post(lambda: ran.append("second"))
    assert ran == []
    qtbot.waitUntil(lambda: len(ran) == 3)
    assert ran == ["first", "second", "third"]


def test_one_that_raises_does_not_hold_up_the_next(qtbot: QtBot) -> None:
    main = MainThread()
    ran: list[str] = []

    def fail() -> None:
        raise ValueError("broken")

    with qtbot.captureExceptions() as exceptions:
        main.post(fail)
        main.post(lambda: ran.append("next"))
        qtbot.waitUntil(lambda: bool(ran))
    assert [kind for kind, _, _ in exceptions] == [ValueError]


def test_the_newest_function_wins_the_frame(qtbot: QtBot) -> None:
    clock = FrameClock()
    ran: list[int] = []
    for number in range(50):
        clock.defer(partial(ran.append, number))
    assert ran == [0], "the frame was free"
    qtbot.waitUntil(lambda: len(ran) > 1)
    QApplication.processEvents()
    assert ran == [0, 49]


def test_a_function_may_ask_for_the_next_frame(qtbot: QtBot) -> None:
    clock = FrameClock()
    times: list[float] = []

    def again() -> None:
        times.append(perf_counter())
        if len(times) < 20:
            clock.defer(again)

    clock.defer(again)
    qtbot.waitUntil(lambda: len(times) == 20)
    frames = [1e3 * (later - earlier) for earlier, later in pairwise(times)]
    assert min(frames) > 5, "never more often than about once in 8 ms"


def test_after_a_rest_there_is_no_wait(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("vae_explorer.gui.main_thread.perf_counter", lambda: now)
    clock = FrameClock()
    ran: list[str] = []
    clock.defer(lambda: ran.append("first"))
    now += 0.009
    clock.defer(lambda: ran.append("second"))
    assert ran == ["first", "second"]
    now += 0.001
    clock.defer(lambda: ran.append("third"))
    assert ran == ["first", "second"], "a frame is not over"
