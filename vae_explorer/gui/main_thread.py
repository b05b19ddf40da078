"""The hop to the main thread and the frame clock, which the session is given from outside."""

from collections.abc import Callable
from time import perf_counter

from PySide6.QtCore import QEventLoop, QObject, Qt, QTimer, Signal, Slot

_FRAME_MS = 8.0


class MainThread(QObject):
    """Runs functions on the thread it was made on."""

    _posted = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        # Queued even when posted from the main thread, so that order is kept.
        self._posted.connect(self._run, Qt.ConnectionType.QueuedConnection)

    def post(self, function: Callable[[], None]) -> None:
        """Run ``function`` on the main thread, soon and in order. Called from any thread."""
        self._posted.emit(function)

    @Slot(object)
    def _run(self, function: Callable[[], None]) -> None:
        function()


class FrameClock(QObject):
    """Runs the last given function at most once a frame, at once if the last was long ago."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._timer = QTimer(self, singleShot=True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._run)
        self._function: Callable[[], None] | None = None
        self._last = 0.0

    def defer(self, function: Callable[[], None]) -> None:
        """Run ``function`` in the next free frame; it replaces one still waiting.

        In a free frame it runs before this returns: a timer, even of no time, would let all that
        waits to be painted go first.
        """
        self._function = function
        if self._timer.isActive():
            return
        left = round(_FRAME_MS - 1e3 * (perf_counter() - self._last))
        if left > 0:
            self._timer.start(left)
        else:
            self._run()

    @Slot()
    def _run(self) -> None:
        function, self._function = self._function, None
        self._last = perf_counter()
        if function:
            function()


def run_after(seconds: float, function: Callable[[], None]) -> None:
    """Run ``function`` on the main thread when this many seconds have passed."""
    QTimer.singleShot(round(1e3 * seconds), function)


def run_events(milliseconds: int) -> None:
    """Let the window live for a while, for scripts that drive it.

    ``QTest.qWait`` would keep Python's lock all the while and starve every worker.
    """
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()
