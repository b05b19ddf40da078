"""What is known of a failure: a log beside the settings, and a message where nothing else shows."""

import faulthandler
import logging
import sys
from contextlib import suppress
from logging.handlers import RotatingFileHandler

from vae_explorer import __version__, paths
from vae_explorer.errors import UserError
from vae_explorer.gui import preflight

_MOST = 300_000  # bytes of the log, and of the one before it

logger = logging.getLogger(__name__)


def keep_log() -> None:
    """Write what is logged into ``paths.log_file``, and warnings to the console if there is one.

    Where Python itself crashes, ``paths.crash_file`` says where. A disk that refuses costs both.
    """
    plain = logging.getLogger()
    if any(isinstance(handler, RotatingFileHandler) for handler in plain.handlers):
        return
    plain.setLevel(logging.WARNING)
    logging.getLogger("vae_explorer").setLevel(logging.INFO)
    if console := sys.stderr:
        handler = logging.StreamHandler(console)
        handler.setLevel(logging.WARNING)
        plain.addHandler(handler)
    path = paths.log_file()
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        log = RotatingFileHandler(path, maxBytes=_MOST, backupCount=1, encoding="utf-8")
        log.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        plain.addHandler(log)
        crashes = paths.crash_file()
        full = crashes.exists() and crashes.stat().st_size > _MOST
        faulthandler.enable(crashes.open("w" if full else "a", encoding="utf-8"))
    logger.info("VAE Explorer %s, Python %s, %s", __version__, sys.version, sys.platform)


def log_qt() -> None:
    """Log what Qt says too, which it writes to the console otherwise."""
    from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler

    levels = {
        QtMsgType.QtDebugMsg: logging.DEBUG,
        QtMsgType.QtInfoMsg: logging.INFO,
        QtMsgType.QtWarningMsg: logging.WARNING,
    }

    def log(kind: QtMsgType, _: QMessageLogContext, text: str) -> None:
        logging.getLogger("Qt").log(levels.get(kind, logging.ERROR), "%s", text)

    qInstallMessageHandler(log)


def tell(text: str) -> None:
    """Show why the program ends where there is neither a window nor a console to say it in."""
    logger.error("%s", text)
    title, text = "VAE Explorer did not start", f"{text}\n\n{where()}"
    try:
        preflight.check()
        from PySide6.QtWidgets import QApplication, QMessageBox

        app = QApplication.instance() or QApplication([])
        QMessageBox.critical(None, title, text)
        del app
    except (UserError, ImportError):
        if sys.platform == "win32":
            import ctypes

            ctypes.windll.user32.MessageBoxW(None, text, title, 0x10)


def where() -> str:
    """Where the log is, as a sentence."""
    return f"The log has more: {paths.log_file()}"
