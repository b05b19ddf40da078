import logging
import sys
import threading
from collections.abc import Iterator

import pytest
from psygnal import Signal
from PySide6.QtCore import Qt, QThread, QTimer
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from vae_explorer import paths
from vae_explorer.gui.window.exceptions import ExceptionReporter
from vae_explorer.gui.window.main_window import MainWindow


class Speaker:
    said = Signal(str)


def log() -> str:
    return f"\n\nThe log has more: {paths.log_file()}"


def dialogs(window: MainWindow) -> list[QMessageBox]:
    return [box for box in window.findChildren(QMessageBox) if box.isVisible()]


@pytest.fixture
def reporter(window: MainWindow) -> Iterator[ExceptionReporter]:
    hooks = sys.excepthook, threading.excepthook
    reporter = ExceptionReporter(window)
    reporter.install()
    yield reporter
    sys.excepthook, threading.excepthook = hooks


def test_an_exception_in_a_slot_becomes_a_dialog(
    qtbot: QtBot, window: MainWindow, reporter: ExceptionReporter, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise ValueError("<b>seven</b> is no digit")

    QTimer.singleShot(0, fail)
    qtbot.waitUntil(lambda: bool(dialogs(window)))
    (box,) = dialogs(window)
    assert box.text() == "Something unexpected happened. VAE Explorer keeps running."
    assert box.informativeText() == f"ValueError: <b>seven</b> is no digit{log()}"
    assert box.textFormat() == Qt.TextFormat.PlainText
    assert box.textInteractionFlags() & Qt.TextInteractionFlag.TextSelectableByMouse
    assert not box.isHidden()
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info
    assert "in fail" in caplog.text, "the log has the traceback"


def test_an_error_of_ours_is_said_in_its_own_words(
    qtbot: QtBot, window: MainWindow, reporter: ExceptionReporter, caplog: pytest.LogCaptureFixture
) -> None:
    QTimer.singleShot(0, lambda: window.app.cursor.visit("nowhere"))
    qtbot.waitUntil(lambda: bool(dialogs(window)))
    (box,) = dialogs(window)
    assert box.text() == "That cannot be done"
    assert box.informativeText() == "No bookmark is named “nowhere”; add one first."
    caplog.clear()


def test_an_exception_on_a_thread_is_shown_by_the_main_one(
    qtbot: QtBot, window: MainWindow, reporter: ExceptionReporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[tuple[str, bool]] = []
    monkeypatch.setattr(
        window, "show_error", lambda _, text: shown.append((text, QThread.isMainThread()))
    )

    def fail() -> None:
        raise RuntimeError("lost")

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    assert shown == []
    qtbot.waitUntil(lambda: bool(shown))
    assert shown == [(f"RuntimeError: lost{log()}", True)]


def test_a_listeners_exception_is_told_in_a_line(
    qtbot: QtBot, window: MainWindow, reporter: ExceptionReporter
) -> None:
    speaker = Speaker()

    def listen(_: str) -> None:
        raise KeyError("heard nothing")

    speaker.said.connect(listen)
    QTimer.singleShot(0, lambda: speaker.said.emit("hello"))
    qtbot.waitUntil(lambda: bool(dialogs(window)))
    assert dialogs(window)[0].informativeText() == f"KeyError: 'heard nothing'{log()}"


def test_the_same_thing_over_and_over_is_one_dialog(
    qtbot: QtBot, window: MainWindow, reporter: ExceptionReporter, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(50):
        sys.excepthook(ValueError, ValueError("again"), None)
    qtbot.waitUntil(lambda: bool(dialogs(window)))
    qtbot.wait(20)
    assert len(dialogs(window)) == 1
    assert len(caplog.records) == 50
    dialogs(window)[0].close()
    qtbot.waitUntil(lambda: not window.findChildren(QMessageBox))
    sys.excepthook(ValueError, ValueError("again"), None)
    qtbot.waitUntil(lambda: len(dialogs(window)) == 1)


def test_an_exception_that_is_gone_already_says_nothing(
    window: MainWindow, reporter: ExceptionReporter, caplog: pytest.LogCaptureFixture
) -> None:
    threading.excepthook(
        threading.ExceptHookArgs((SystemExit, None, None, threading.current_thread()))
    )
    assert not caplog.records
