"""How long a frame of a drag takes in the figure of each lesson, at rest and as samples grow.

The window does not show it faster than this: the main thread hears of a move of the pointer, and
paints all that it changes. The last figure is the wait for the decoder of the second lesson.
"""

import statistics
import time
from collections.abc import Iterator

import numpy as np
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from vae_explorer.bench.application import application
from vae_explorer.bench.measurement import Measurement
from vae_explorer.gui.app import open_window
from vae_explorer.gui.lessons.lesson_view import LessonView
from vae_explorer.gui.lessons.rate_plane import RatePlane
from vae_explorer.gui.main_thread import run_events
from vae_explorer.gui.plot.chart import Chart
from vae_explorer.gui.screenshots.camera import wait
from vae_explorer.gui.window.main_window import MainWindow
from vae_explorer.lessons.sampling import CHUNK
from vae_explorer.session.lessons.course import Learning

_SIZE = 1280, 800
_MOVES = 120
_FRAME_MS = 16.0
_RADIUS = 24.0  # pixels, of the circle that is dragged
_SETTLE_MS = 3_000
_GROWN = 50 * CHUNK


def measure() -> Iterator[Measurement]:
    """Every lesson with a figure, at its first step, in the window on the bundled model."""
    app = application()
    assert isinstance(app, QApplication)
    window = open_window()
    window.resize(*_SIZE)
    wait(lambda: window.app.map.points is not None)
    window.app.pinning.pin(0)
    learning = window.app.learning
    window.actions_["layout_learn"].trigger()
    for lesson in learning.lessons:
        if not lesson.instrument:
            continue
        learning.open(lesson.id)
        run_events(_SETTLE_MS)
        yield _frames("drag", lesson.instrument, _drag(app, window, _MOVES))
        if lesson.instrument in ("sampling", "tighter"):
            yield _frames("growth", lesson.instrument, _grow(app, window, learning))
        if lesson.instrument == "pushforward":
            yield _decoder(learning)
            yield _frames("drag", "decoder", _drag(app, window, _MOVES))
    window.close()
    window.deleteLater()


def _frames(metric: str, name: str, frames: list[tuple[float, float]]) -> Measurement:
    times, works = zip(*frames, strict=True)
    details = {"cpu": statistics.median(works), "p99": float(np.percentile(times, 99))}
    median = statistics.median(times)
    return Measurement(f"lessons.{metric}_ms.{name}", median, "ms", len(times), details)


def _grow(app: QApplication, window: MainWindow, learning: Learning) -> list[tuple[float, float]]:
    """Frames of a drag from the first sample of another seed to the last."""
    experiment = learning.experiment
    assert experiment is not None
    experiment.set(samples=_GROWN, seed=experiment.settings.seed + 1)
    frames: list[tuple[float, float]] = []
    while experiment.result.working and len(frames) < 10 * _MOVES:
        frames += _drag(app, window, _MOVES // 10)
    return frames


def _decoder(learning: Learning) -> Measurement:
    """Seconds from the step about the decoder to its densities."""
    assert learning.lesson is not None
    experiment = learning.experiment
    assert experiment is not None
    before = experiment.result
    begin = time.perf_counter()
    learning.go(len(learning.lesson.steps) - 1)
    wait(lambda: experiment.result.lattice not in (None, before.lattice))
    shown, pushed = time.perf_counter() - begin, experiment.result.pushed
    wait(lambda: experiment.result.pushed is not pushed)
    seconds = time.perf_counter() - begin
    return Measurement("lessons.decoder_s", seconds, "s", 1, {"lattice_s": shown})


def _drag(app: QApplication, window: MainWindow, moves: int) -> list[tuple[float, float]]:
    """Milliseconds of each frame as the pointer goes round in the figure of a lesson.

    Also those that the main thread was at work, which other programs hardly change.
    """
    view = next(v for v in window.findChildren(LessonView) if v.isVisible())
    chart = next(c for c in view.findChildren(Chart) if not isinstance(c, RatePlane))
    at = getattr(view.experiment.settings, "start", None)
    start = chart.to_pixel(*at) if at else chart.frame.center()
    if chart.handles:
        start = chart.to_pixel(*chart.handles[0])
    _mouse(app, chart, QEvent.Type.MouseButtonPress, start)
    frames = []
    for angle in np.linspace(0.0, 2 * np.pi, moves + 1)[1:].tolist():
        way = QPointF(_RADIUS * (np.cos(angle) - 1), _RADIUS * np.sin(angle))
        begin, work = time.perf_counter(), time.thread_time()
        _mouse(app, chart, QEvent.Type.MouseMove, start + way)
        app.processEvents()
        took = 1e3 * (time.perf_counter() - begin)
        frames.append((took, 1e3 * (time.thread_time() - work)))
        time.sleep(max(0.0, _FRAME_MS - took) / 1e3)
    _mouse(app, chart, QEvent.Type.MouseButtonRelease, start)
    app.processEvents()
    return frames


def _mouse(app: QApplication, chart: Chart, kind: QEvent.Type, at: QPointF) -> None:
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    held = none if kind == QEvent.Type.MouseButtonRelease else left
    event = QMouseEvent(
        kind,
        at,
        QPointF(chart.mapToGlobal(at.toPoint())),
        none if kind == QEvent.Type.MouseMove else left,
        held,
        Qt.KeyboardModifier.NoModifier,
    )
    app.sendEvent(chart, event)
