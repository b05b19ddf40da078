"""How late a 16 ms timer fires in the real window while training runs at full speed."""

import time
from collections.abc import Iterator

from PySide6.QtCore import QObject, Qt, QTimer, Slot

from vae_explorer.bench.application import application
from vae_explorer.bench.measurement import Measurement, percentiles
from vae_explorer.gui.app import open_window
from vae_explorer.gui.main_thread import run_events
from vae_explorer.session.state import Phase

_TICK_MS = 16
_SETTLE_MS = 4_000
_MEASURE_MS = 15_000


class _Ticker(QObject):
    """Notes how late each tick of a precise timer comes, in ms."""

    def __init__(self) -> None:
        super().__init__()
        self.lags: list[float] = []
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)

    def start(self) -> None:
        self._last = time.perf_counter()
        self._timer.start(_TICK_MS)

    def stop(self) -> None:
        self._timer.stop()

    @Slot()
    def _tick(self) -> None:
        now = time.perf_counter()
        self.lags.append(max(0.0, 1e3 * (now - self._last) - _TICK_MS))
        self._last = now


def measure() -> Iterator[Measurement]:
    """Open the window, start training by its form, let both settle, then listen."""
    application(needs_screen=True)
    window = open_window()
    run_events(_SETTLE_MS)
    window.start_training()
    run_events(_SETTLE_MS)
    ticker = _Ticker()
    ticker.start()
    run_events(_MEASURE_MS)
    ticker.stop()
    speed = window.explorer.training.status.images_per_second
    assert window.explorer.training.status.phase is Phase.RUNNING
    window.close()
    yield from percentiles(
        "responsiveness.lag_ms", ticker.lags, "median", "p99", "max", images_per_s=round(speed)
    )
