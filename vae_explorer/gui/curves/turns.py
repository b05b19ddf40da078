"""Panels that are drawn one after the other, so that none keeps the window for long."""

import time
from collections.abc import Callable, Iterable

from PySide6.QtCore import QObject, QTimer

from vae_explorer.gui.curves.panel import Panel

_LEAST_PAUSE = 0.12
"""Seconds between two panels."""

_PAUSE_PER_COST = 9  # a very long history takes more, yet no more than a tenth of the time


class Turns(QObject):
    """Those that are behind their run, and when each is drawn."""

    def __init__(self, draw: Callable[[Panel], None], parent: QObject) -> None:
        super().__init__(parent)
        self._draw = draw
        self._stale: list[Panel] = []
        self._pause = _LEAST_PAUSE
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._draw_next)

    @property
    def stale(self) -> list[Panel]:
        """The panels to draw, in their order."""
        return self._stale

    def add(self, panels: Iterable[Panel]) -> None:
        """Know that these are behind."""
        self._stale += [panel for panel in panels if panel not in self._stale]

    def clear(self) -> None:
        """Know that none is."""
        self._stale.clear()

    def start(self) -> None:
        """Draw them from now on."""
        if self._stale and not self._timer.isActive():
            self._timer.start(round(1000 * self._pause))

    def stop(self) -> None:
        """Draw none until the next start."""
        self._timer.stop()

    def _draw_next(self) -> None:
        if not self._stale:  # all were drawn at once while the timer ran
            return
        start = time.perf_counter()
        self._draw(self._stale.pop(0))
        self._pause = max(_LEAST_PAUSE, _PAUSE_PER_COST * (time.perf_counter() - start))
        self.start()
