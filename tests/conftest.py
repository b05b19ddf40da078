"""Every test starts clean, and a test of widgets leaves nothing behind."""

import gc
import os
import select
import shutil
import subprocess
import threading
import weakref
from collections.abc import Generator

import hypothesis
import pytest
import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent, QStandardPaths, QThread, QTimer
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from vae_explorer.data.bundled import mnist
from vae_explorer.data.dataset import ImageSet

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# Small networks on a busy machine: two threads that wait for each other are far slower than one.
os.environ.setdefault("OMP_NUM_THREADS", "1")
QStandardPaths.setTestModeEnabled(True)
# The first call of anything in torch takes longer than hypothesis likes.
hypothesis.settings.register_profile("patient", hypothesis.settings(), deadline=None)
hypothesis.settings.load_profile("patient")

_PASSED = pytest.StashKey[bool]()


@pytest.fixture(autouse=True)
def _own_home(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Settings, runs and caches of a test go to a folder of its own."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for name in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
    runtime = home / "runtime"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))


@pytest.fixture(scope="session")
def mnist_small() -> ImageSet:
    """The first 1,000 training images, real ones."""
    return mnist("train").subset(slice(0, 1_000))


@pytest.fixture(scope="session")
def xvfb_display() -> Generator[str]:
    """A virtual screen of 1920 × 1200 for a program in a process of its own: the DISPLAY to set."""
    if shutil.which("Xvfb") is None:
        message = "Xvfb is not installed (Debian package xvfb)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    reader, writer = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1920x1200x24", "-nolisten", "tcp"],
        pass_fds=[writer],
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    try:
        ready, _, _ = select.select([reader], [], [], 30)
        number = os.read(reader, 16).decode().strip() if ready else ""
        assert number, "Xvfb did not start within 30 s"
        yield f":{number}"
    finally:
        os.close(reader)
        server.terminate()
        server.wait(10)


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
