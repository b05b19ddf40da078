"""How long a window is held up."""

import time

from PySide6.QtCore import QObject, QTimer

_PULSE_MS = 20


class Pulse:
    """Beats in every event loop, also in one that an act runs, as a figure for a file may."""

    def __init__(self, parent: QObject) -> None:
        self._timer = QTimer(parent, interval=_PULSE_MS)
        self._timer.timeout.connect(self._beat)
        self._timer.start()
        self.begin()

    def begin(self) -> None:
        """Forget what was."""
        self._last, self._longest = time.perf_counter(), 0.0

    def longest(self) -> float:
        """Seconds that the window was held up at a time, since the beginning."""
        self._beat()
        return self._longest

    def _beat(self) -> None:
        now = time.perf_counter()
        self._last, self._longest = now, max(self._longest, now - self._last)
