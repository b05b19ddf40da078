"""Figures without a person: a window that nobody sees opens a workspace and is painted."""

import json
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

from PySide6.QtCore import QEvent, Qt, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from vae_explorer import paths
from vae_explorer.errors import ExportError
from vae_explorer.export.figure import FigureStyle
from vae_explorer.gui.app import build_window, prepare
from vae_explorer.gui.main_thread import run_events
from vae_explorer.gui.painting_turns import busy
from vae_explorer.gui.plot.export import region_shown
from vae_explorer.gui.plot.menu import Export
from vae_explorer.gui.window.main_window import MainWindow
from vae_explorer.session.files.settings import Settings
from vae_explorer.session.files.workspace import Workspace, as_values
from vae_explorer.session.map.layer_contents import View
from vae_explorer.types import Region

logger = logging.getLogger(__name__)

_TICK_MS = 10
_QUIET = 20  # ticks without work, after which nothing more is to come
_WIDTH = 600  # pixels of the map of a workspace that does not say
_UNSEEN = ("film", "survey", "estimate")
"""Jobs of seconds to minutes, for what a window shows and no figure does."""


def render_figure(
    name: str,
    workspace: Workspace,
    kind: str = "png",
    style: FigureStyle | None = None,
    check: Callable[[], object] = lambda: None,
    arrange: Callable[[MainWindow], object] | None = None,
    *,
    fits: bool = False,
) -> bytes:
    """A figure of a workspace, the same to the byte as the window would make it in this state.

    Args:
        name: such as "map", "curves", "curves.elbo", "lesson" or "lesson.q"; see ``figures_of``.
        workspace: what is seen.
        kind: "png", "svg", "pdf" or "csv".
        style: of the figure.
        check: called now and then; what it raises ends the work.
        arrange: what is to be done once the workspace is there; ``style`` is then the request.
        fits: show all points, and as much around them as the figure has room for, whatever the view
            of the workspace is.

    Raises:
        ExportError: there is no figure of this name, or something failed; the message tells.
    """
    seen = _seen(workspace)
    if seen and not fits and (arrange is None or seen.shows(style)):
        return _figure(seen, name, workspace.view)(kind, style)
    with _window() as window:
        failures: list[str] = []
        window.app.messages.failed.disconnect(window.show_error)
        window.app.messages.failed.connect(lambda title, text: failures.append(f"{title}: {text}"))
        window.map.view_rested.disconnect()
        window.resize(1280, 800)
        window.show()
        opened: list[object] = []
        window.workspaces.restored.connect(opened.append)
        window.workspaces.restore(lambda: workspace, workspace.path)
        while not (opened or failures):
            check()
            run_events(_TICK_MS)
        view = workspace.view
        if fits and not failures:
            view = window.map.all_of_it() or view
            if (picture := window.map.picture(view)) and (state := window.app.map.state):
                view = region_shown(picture.plot(state.name), style or FigureStyle())
        left, right, bottom, top = view
        usual = _WIDTH, max(round(_WIDTH * (top - bottom) / (right - left)), 1)
        window.app.layers.set_view(View(view, workspace.pixels or usual))
        if name.split(".")[0] == "curves":
            window.docks.show("curves")
        if arrange is not None and not failures:
            arrange(window)
        quiet = 0
        while quiet < _QUIET and not failures:
            check()
            run_events(_TICK_MS)
            quiet = 0 if busy(window.app) else quiet + 1
        if failures:
            raise ExportError(failures[0])
        return _figure(window, name, view)(kind, style)


def _figure(window: MainWindow, name: str, view: Region) -> Export:
    figures = window.figures(view)
    if name not in figures:
        known = ", ".join(sorted(figures))
        raise ExportError(f"There is no figure “{name}” here; choose one of {known}.")
    return figures[name]


def _seen(workspace: Workspace) -> MainWindow | None:
    """A window that shows just this, or will in a moment."""
    for window in QApplication.topLevelWidgets() if QApplication.instance() else []:
        if isinstance(window, MainWindow) and window.isVisible():
            now = window.workspace()
            if now and _plain(now) == _plain(workspace):
                return window
    return None


def _plain(workspace: Workspace) -> str:
    return json.dumps(as_values(workspace) | {"model": "", "path": str(workspace.path.resolve())})


@cache
def _application() -> QApplication:
    """One for the whole process, as Qt wants it."""
    # Qt says on the terminal that windows which nobody sees have no size.
    qInstallMessageHandler(lambda _kind, _context, text: logger.info("Qt: %s", text))
    return QApplication(["vae-explorer"])


@contextmanager
def _window() -> Iterator[MainWindow]:
    """A window of its own, with settings that are not kept."""
    if QApplication.instance() is None:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        prepare(_application())
    kept = Settings.read(paths.settings_file())
    settings = Settings(
        recent=kept.recent, data=kept.data, threads=kept.threads, ease=False, toured=True
    )
    window = build_window(settings, keep_settings=False)
    window.app.tasks.jobs.refuse(*_UNSEEN)
    window.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
    try:
        yield window
    finally:
        window.close()
        window.deleteLater()
        QApplication.sendPostedEvents(window, QEvent.Type.DeferredDelete)
