"""Exploring: pointer to picture, idle and while training, a manifold, a geodesic, a posterior."""

import statistics
import time
from collections.abc import Callable, Iterator

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget
from typing_extensions import override

from vae_explorer import paths
from vae_explorer.bench.application import application
from vae_explorer.bench.measurement import Measurement, percentiles
from vae_explorer.data.bundled import mnist
from vae_explorer.gui.app import open_window
from vae_explorer.gui.explore.decode.digit_view import DigitView
from vae_explorer.gui.main_thread import run_events
from vae_explorer.gui.window.main_window import MainWindow
from vae_explorer.latent.figures import own_draws
from vae_explorer.latent.geodesic import geodesic, geodesic_graph, mean_images
from vae_explorer.latent.manifold import grid, linear_axis
from vae_explorer.latent.quadrature import exact_posterior
from vae_explorer.session.explore.decoding import Decoded
from vae_explorer.session.training.events import Phase
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.device import set_threads

_MOVES = 400
_PAUSE_S = 0.018
"""Longer than a frame, so that the wait for a free frame is not counted."""

_SETTLE_MS = 4_000
_PAIRS = 10
_DIGITS = 50
_MANIFOLDS = 5
_SIDE = 64


def measure() -> Iterator[Measurement]:
    """The window first, then the numbers behind it, on the bundled model."""
    app = application(needs_screen=True)
    assert isinstance(app, QApplication)
    window = open_window()
    window.resize(1280, 800)
    window.docks.lay_out("explore")  # where the digit is in sight at any size of the screen
    run_events(_SETTLE_MS)
    yield from percentiles("explore.pointer_ms", _pointer(app, window), "median", "p99")
    window.actions_["start"].trigger()
    run_events(_SETTLE_MS)
    while_training = _pointer(app, window)
    assert window.app.training.status.phase is Phase.RUNNING
    window.close()
    window.deleteLater()
    yield from percentiles("explore.pointer_training_ms", while_training, "p99")
    set_threads()
    yield from _numbers()


def _pointer(app: QApplication, window: MainWindow) -> list[float]:
    """Milliseconds from each move of the pointer over the map until its picture is painted."""
    decoded: list[Decoded] = []
    window.app.decoding.decoded.connect(decoded.append)
    views = window.decode.findChildren(DigitView)
    painted = _Painted(next(view for view in views if view.accessibleName() == "Decoded image"))
    canvas = window.map.canvas
    rect = canvas.plot_rect()
    none, keys = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    latencies = []
    for across, up in np.random.default_rng(0).random((_MOVES, 2)).tolist():
        time.sleep(_PAUSE_S)
        app.processEvents()
        decoded.clear()
        painted.at = 0.0
        at = QPointF(rect.left() + across * rect.width(), rect.top() + up * rect.height())
        begin = time.perf_counter()
        spot = QPointF(canvas.mapToGlobal(at.toPoint()))
        app.sendEvent(canvas, QMouseEvent(QEvent.Type.MouseMove, at, spot, none, none, keys))
        while not (decoded and painted.at):
            app.processEvents()
        latencies.append(1e3 * (painted.at - begin))
    window.app.decoding.decoded.disconnect(decoded.append)
    return latencies


class _Painted(QObject):
    """Notes when a widget was painted, which asks for that at once: then it is on screen."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.at = 0.0
        widget.installEventFilter(self)

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() != QEvent.Type.Paint:
            return False
        watched.event(event)
        self.at = time.perf_counter()
        return True


def _numbers() -> Iterator[Measurement]:
    model = read_checkpoint(paths.bundled_checkpoint()).model
    positions = grid(linear_axis(_SIDE, 3.0))
    yield _median("explore.manifold64_ms", lambda _: model.decode(positions), _MANIFOLDS)
    graph = geodesic_graph(mean_images(model))
    ends = np.random.default_rng(0).standard_normal((_PAIRS + 1, 2))
    yield _median(
        "explore.geodesic_ms", lambda n: geodesic(graph, ends[n], ends[n - 1], 32), _PAIRS
    )
    images = mnist("test").images
    draws = own_draws(model, images[: _DIGITS + 1], np.arange(_DIGITS + 1))
    yield _median(
        "explore.posterior_ms", lambda n: exact_posterior(model, draws[n : n + 1]), _DIGITS
    )


def _median(metric: str, work: Callable[[int], object], rounds: int) -> Measurement:
    """Of ``rounds`` rounds after one that fills caches."""
    work(0)
    times = []
    for number in range(1, rounds + 1):
        begin = time.perf_counter()
        work(number)
        times.append(1e3 * (time.perf_counter() - begin))
    return Measurement(metric, statistics.median(times), "ms", rounds, {"max": max(times)})
