"""The canary of conftest's check for what a GUI test leaves behind."""

import threading
from typing import Protocol

from PySide6.QtCore import QThread, QTimer
from PySide6.QtWidgets import QWidget


class Leftovers(Protocol):
    def find(self) -> list[str]: ...


def test_a_clean_test_leaves_nothing(qt_leftovers: Leftovers) -> None:
    widget = QWidget()
    widget.show()
    widget.deleteLater()
    timer = QTimer()
    timer.start(5)
    timer.stop()
    assert qt_leftovers.find() == []


def test_windows_timers_and_threads_are_found(qt_leftovers: Leftovers) -> None:
    window = QWidget()
    window.setObjectName("forgotten")
    timer = QTimer(window)
    timer.start(60_000)
    qt_thread = QThread()
    qt_thread.setObjectName("busy")
    qt_thread.start()
    release = threading.Event()
    thread = threading.Thread(target=release.wait, name="waiting")
    thread.start()

    found = "; ".join(qt_leftovers.find())
    assert "window QWidget 'forgotten'" in found
    assert "timer of 60000 ms" in found
    assert "QThread 'busy'" in found
    assert "thread 'waiting'" in found

    release.set()
    thread.join()
    qt_thread.quit()
    qt_thread.wait()
    window.deleteLater()
    assert qt_leftovers.find() == []
