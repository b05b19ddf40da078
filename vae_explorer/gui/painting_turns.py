"""When a figure may be painted for a file."""

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from vae_explorer.session.app import App

_TICK_MS = 10
_PATIENCE_S = 2.0


def busy(app: App) -> bool:
    """Whether something that is asked for is still to come, or moves."""
    experiment = app.learning.experiment
    return not app.tasks.jobs.idle or (experiment is not None and experiment.animated)


class PaintingTurns(QObject):
    """Has figures painted one after another, once the window is at rest. Main thread only.

    To paint another view than the window's takes a window of its own, whose events are run
    meanwhile; so what else is to be painted waits for its turn.
    """

    def __init__(self, app: App, parent: QObject) -> None:
        super().__init__(parent)
        self._app = app
        self._under_way = False

    def run(self, paint: Callable[[], None], until: float | None = None) -> None:
        """Call ``paint`` in its turn; ``until`` then the window may be busy, by the clock."""
        until = until or time.monotonic() + _PATIENCE_S  # while it trains there is no rest
        if self._under_way or (busy(self._app) and time.monotonic() < until):
            QTimer.singleShot(_TICK_MS, self, lambda: self.run(paint, until))
            return
        self._under_way = True
        try:
            paint()
        finally:
            self._under_way = False
