"""Unexpected exceptions become one dialog instead of a lost line on a terminal."""

import logging
import sys
import threading
from types import TracebackType

from psygnal import EmitLoopError
from PySide6.QtCore import QObject, Qt, Signal, Slot

from vae_explorer.errors import UserError
from vae_explorer.gui.logs import where
from vae_explorer.gui.window.main_window import MainWindow

logger = logging.getLogger(__name__)

_REFUSED = "That cannot be done"
_UNEXPECTED = "Something unexpected happened. VAE Explorer keeps running."


class ExceptionReporter(QObject):
    """Replaces ``sys.excepthook`` and ``threading.excepthook``; dialogs open on the main thread."""

    _caught = Signal(str, str)

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        # Queued: the hooks run on whatever thread raised, where no widget may be touched.
        self._caught.connect(self._show, Qt.ConnectionType.QueuedConnection)

    def install(self) -> None:
        """Take over both hooks."""
        sys.excepthook = self._report
        threading.excepthook = self._report_thread

    def _report(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        # What a listener raised reaches us wrapped in a page on who called whom.
        cause = error.__cause__ if isinstance(error, EmitLoopError) else None
        shown = cause or error
        if isinstance(shown, UserError):  # written for people, and expected
            self._caught.emit(_REFUSED, str(shown))
            return
        logger.error("unexpected exception", exc_info=(kind, error, trace))
        self._caught.emit(_UNEXPECTED, f"{type(shown).__name__}: {shown}\n\n{where()}")

    def _report_thread(self, arguments: threading.ExceptHookArgs) -> None:
        if arguments.exc_value is not None:
            self._report(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)

    @Slot(str, str)
    def _show(self, title: str, text: str) -> None:
        self._window.show_error(title, text)
