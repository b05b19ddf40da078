"""Starting and ending the window's process."""

import gc
import logging
import os
import signal
import socket
import sys
import threading
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

from vae_explorer import paths
from vae_explorer.errors import UserError
from vae_explorer.gui import preflight
from vae_explorer.gui.logs import keep_log, log_qt
from vae_explorer.session.files.settings import Settings

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from vae_explorer.gui.window.main_window import MainWindow
    from vae_explorer.session.files.open_model import SavedModel

logger = logging.getLogger(__name__)

_SWITCH_S = 0.0005

_PAINTED_MS = 200
"""When the window has been painted, which what is done beside it would delay."""


def main(checkpoint: "Path | SavedModel | None" = None, data: Path | None = None) -> int:
    """Open the window on ``checkpoint``, or on the bundled model, and run until it closes.

    It asks whether and how to open ``data``. In a program that has a QApplication it is that one.

    Raises:
        UserError: no window can open here; the message says why.
    """
    keep_log()
    app, window = start(checkpoint)
    log_qt()

    from vae_explorer.gui.window.exceptions import ExceptionReporter

    ExceptionReporter(window).install()
    close_on_signals(window)
    if data:
        window.app.data.open(data)
    else:
        window.tour.greet()
    status = app.exec()
    if window.job_left:
        # Python would wait for its thread for ever.
        logger.error("a job did not end in time; leaving without it")
        os._exit(1)
    return status


def start(checkpoint: "Path | SavedModel | None" = None) -> "tuple[QApplication, MainWindow]":
    """The application with its window on screen, its event loop not yet running.

    Raises:
        UserError: see ``main``.
    """
    preflight.check()
    # Of what is imported nothing is garbage; looking for it would be a tenth of the whole start.
    gc.disable()
    # Painting drops and retakes Python's lock at many calls; by default each retaking may wait 5 ms
    # for the thread that trains, or imports, to let go.
    sys.setswitchinterval(_SWITCH_S)
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from vae_explorer.gui.theme import SchemeChoice, apply_scheme
    from vae_explorer.gui.window.splash import MapAlone, Splash
    from vae_explorer.session.map.kept_codes import kept_points

    app = cast(QApplication | None, QApplication.instance()) or QApplication(sys.argv[:1])
    prepare(app)
    settings, path = Settings.read(paths.settings_file()), checkpoint or paths.bundled_checkpoint()
    points = None
    if settings.kind == "mean" and isinstance(path, Path):
        points = kept_points(path, settings.split)
    if points is None:
        front: Splash | MapAlone = Splash()
    else:
        apply_scheme(SchemeChoice(settings.scheme))
        front = MapAlone(points, settings.geometry, settings.around_map)
    front.show()
    app.processEvents()
    _import_beside()
    window = open_window(checkpoint)
    if isinstance(front, MapAlone):
        if front.region:
            window.show_exactly(front.region)
        if front.closed:
            QTimer.singleShot(0, window.close)
    front.finish(window)
    gc.freeze()
    gc.enable()
    return app, window


def _import_beside() -> None:
    """Import PyTorch, which takes a second or more, while the person may look at the map."""
    from PySide6.QtCore import QEventLoop

    from vae_explorer.gui.main_thread import MainThread

    loop, main_thread = QEventLoop(), MainThread()

    def work() -> None:
        try:
            import_module("vae_explorer.gui.window.main_window")
        except Exception:
            logger.exception("the import that fails will be tried again, and tell why")
        finally:
            main_thread.post(loop.quit)

    threading.Thread(target=work, daemon=True).start()
    loop.exec()


def close_on_signals(window: "MainWindow") -> None:
    """Close the window, which saves its run, when the system or a terminal ends the program."""
    from PySide6.QtCore import QSocketNotifier, QTimer

    # A handler runs only when Python does, and of a window that nobody touches nothing does: the
    # signal is written into a socket, which wakes Qt, which calls Python.
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        end.setblocking(False)
    signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    notifier = QSocketNotifier(ours.fileno(), QSocketNotifier.Type.Read, window)
    notifier.activated.connect(lambda: (ours.recv(64), theirs))
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
        if number := getattr(signal, name, None):
            # Later, for Python may take the signal amid a paint event.
            signal.signal(number, lambda *_: QTimer.singleShot(0, window.close))


def prepare(app: "QApplication") -> None:
    """Give the application its name, style and icon."""
    from PySide6.QtGui import QIcon

    from vae_explorer.gui.style import Style

    app.setApplicationName("vae-explorer")
    app.setApplicationDisplayName("VAE Explorer")
    # By which Wayland finds the entry of a menu, and with it the icon.
    app.setDesktopFileName("vae-explorer")
    app.setStyle(Style())
    app.setWindowIcon(QIcon(str(paths.resources() / "icons" / "vae-explorer.svg")))


def build_window(settings: Settings, *, keep_settings: bool = True) -> "MainWindow":
    """A window that is not shown yet, on which nothing is open."""
    # These bring PyTorch.
    from vae_explorer.gui.main_thread import FrameClock, MainThread, run_after
    from vae_explorer.gui.window.main_window import MainWindow
    from vae_explorer.session.app import build_app
    from vae_explorer.session.jobs import Jobs
    from vae_explorer.training.device import set_threads

    set_threads(settings.threads or None, beside_window=True)
    main_thread, clock = MainThread(), FrameClock()
    jobs = Jobs(main_thread.post)
    app = build_app(jobs, clock.defer, run_after, settings, keep_settings=keep_settings)
    window = MainWindow(app)
    main_thread.setParent(window)
    clock.setParent(window)
    return window


def open_window(checkpoint: "Path | SavedModel | None" = None) -> "MainWindow":
    """Build and show the window; its map fills in beside it.

    A checkpoint that cannot be opened gives a dialog over the bundled model.
    """
    from PySide6.QtCore import QTimer

    sys.setswitchinterval(_SWITCH_S)
    window = build_window(Settings.read(paths.settings_file()))
    app = window.app
    try:
        if checkpoint is None or isinstance(checkpoint, Path):
            app.model.open_now(checkpoint or paths.bundled_checkpoint())
        else:
            app.model.open_read(checkpoint)
    except UserError as error:
        window.show_error("The model was not opened", str(error))
        if checkpoint:
            try:
                app.model.open_now(paths.bundled_checkpoint())
            except UserError:
                window.deleteLater()  # not by the garbage collector, part by part
                raise
    window.show()
    # What has been imported stays: a full collection that visits it stops a drag for 0.3 s.
    QTimer.singleShot(_PAINTED_MS, window, lambda: _warm_up(window))
    return window


def _warm_up(window: "MainWindow") -> None:
    if window.isVisible():
        window.app.warm_up()
        gc.freeze()
