"""A test of widgets leaves nothing behind."""

import gc
import threading
import weakref
from collections.abc import Generator

import pytest
import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent, QThread, QTimer
from PySide6.QtWidgets import QApplication, QMenu, QWidget

_PASSED = pytest.StashKey[bool]()


class QtLeftovers:
    """Sees which timers, threads and windows were started from now on and are still alive."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._windows = set(QApplication.topLevelWidgets())
        self._python_threads = set(threading.enumerate())
        self._started: list[weakref.ref[QTimer] | weakref.ref[QThread]] = []
        start_timer, start_thread = QTimer.start, QThread.start

        def track_timer(timer: QTimer, *arguments: int) -> None:
            self._started.append(weakref.ref(timer))
            start_timer(timer, *arguments)

        def track_thread(thread: QThread, *arguments: QThread.Priority) -> None:
            self._started.append(weakref.ref(thread))
            start_thread(thread, *arguments)

        monkeypatch.setattr(QTimer, "start", track_timer)
        monkeypatch.setattr(QThread, "start", track_thread)

    def find(self) -> list[str]:
        """Name what is left, after everything that was told to go had its chance to."""
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QCoreApplication.processEvents()
        if self._alive():
            gc.collect()  # a window in a reference cycle is garbage, not left over
        return self._alive()

    def _alive(self) -> list[str]:
        found = [
            f"window {type(widget).__name__} '{widget.objectName()}'"
            for widget in QApplication.topLevelWidgets()
            if widget not in self._windows and not _is_kept_by_a_library(widget)
        ]
        for reference in self._started:
            started = reference()
            if started is None or not shiboken6.isValid(started):
                continue
            if isinstance(started, QTimer):
                if started.isActive():
                    found.append(f"timer of {started.interval()} ms in {started.parent()}")
            elif not started.wait(200):
                found.append(f"QThread '{started.objectName()}'")
        for thread in set(threading.enumerate()) - self._python_threads:
            if isinstance(thread, threading._DummyThread):  # Qt's threads, as Python sees them
                continue
            thread.join(0.2)
            if thread.is_alive():
                found.append(f"thread '{thread.name}'")
        return found


def _is_kept_by_a_library(widget: QWidget) -> bool:
    """Qt keeps one tooltip for all, pyqtgraph context menus without a parent for each plot."""
    if isinstance(widget, QMenu):
        return widget.isHidden()
    return widget.metaObject().className() == "QTipLabel"


@pytest.fixture
def qt_leftovers(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> QtLeftovers:
    """Watches what a test of widgets leaves behind."""
    return QtLeftovers(monkeypatch)


@pytest.fixture(autouse=True)
def _nothing_left(request: pytest.FixtureRequest) -> Generator[None]:
    if "qapp" not in request.fixturenames:
        yield
        return
    leftovers: QtLeftovers = request.getfixturevalue("qt_leftovers")
    yield
    # A failed test's traceback keeps its widgets alive; that is no second failure.
    if request.node.stash.get(_PASSED, False) and (found := leftovers.find()):
        pytest.fail("left behind: " + "; ".join(found))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let ``_nothing_left`` know how the test went."""
    report = yield
    if report.when == "call":
        item.stash[_PASSED] = report.passed
    return report
