"""Time of one frame of the map while it pans, and of replacing all positions.

pyqtgraph's own scatter plot, one item a class, is measured in the same run.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pyqtgraph as pg
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from vae_explorer.bench.application import application
from vae_explorer.bench.measurement import Measurement
from vae_explorer.gui.main_thread import run_events
from vae_explorer.gui.map.map_view import MapView
from vae_explorer.gui.theme import CLASS_COLORS, LIGHT
from vae_explorer.session.state import Float32, MapPoints, UInt8

_COUNTS = (10_000, 70_000, 1_000_000)
_WIDTH, _HEIGHT = 900, 700
_ROUNDS = 31
_PEER_ROUNDS = 5
_SHOW_MS = 300
"""Time for a window to come onto the screen."""

_STEP = 0.02
"""Latent units the view moves from frame to frame."""


def measure() -> Iterator[Measurement]:
    """Medians at 10,000, 70,000 and 1,000,000 points in a window of 900 × 700 pixels."""
    application(needs_screen=True)
    for count in _COUNTS:
        points = _points(count)
        view = MapView(LIGHT)
        view.set_points(points)
        yield from _measure_one(
            "map.", view, view.canvas.view_box, view.set_positions, points, _ROUNDS
        )
        peer = pg.PlotWidget(background="w")
        items = _peer_items(peer, points)
        yield from _measure_one(
            "map.peer_",
            peer,
            peer.getViewBox(),
            partial(_replace_peer, items, points.labels),
            points,
            _PEER_ROUNDS,
        )


def _measure_one(
    prefix: str,
    window: QWidget,
    box: pg.ViewBox,
    replace: Callable[[Float32], None],
    points: MapPoints,
    rounds: int,
) -> Iterator[Measurement]:
    window.resize(_WIDTH, _HEIGHT)
    window.show()
    run_events(_SHOW_MS)
    surface = box.getViewWidget().viewport()
    moved = points.positions + np.float32(0.01)

    def pan(number: int) -> None:
        box.translateBy(x=_STEP if number % 2 else -_STEP)

    def move(number: int) -> None:
        replace(moved if number % 2 else points.positions)

    times = {"frame_ms": _times(pan, surface, rounds), "replace_ms": _times(move, surface, rounds)}
    window.close()
    window.deleteLater()
    platform = QGuiApplication.platformName()
    for name, milliseconds in times.items():
        details: dict[str, int | float | str] = {
            "points": len(points.positions),
            "platform": platform,
        }
        value = statistics.median(milliseconds)
        yield Measurement(prefix + name, value, "ms", rounds, details)


def _times(change: Callable[[int], None], surface: QWidget, rounds: int) -> list[float]:
    """Milliseconds of each change with the paint that follows; two unmeasured ones fill caches."""
    times = []
    for number in range(rounds + 2):
        begin = time.perf_counter()
        change(number)
        surface.repaint()
        times.append(1e3 * (time.perf_counter() - begin))
    return times[2:]


def _points(count: int) -> MapPoints:
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 10, count).astype(np.uint8)
    centers = generator.standard_normal((10, 2))
    noise = generator.standard_normal((count, 2)) * 0.4
    positions = (centers[labels] + noise).astype(np.float32)
    return MapPoints(positions, labels, np.arange(count), count, "train")


def _peer_items(plot: pg.PlotWidget, points: MapPoints) -> list[pg.ScatterPlotItem]:
    items = []
    for label, color in enumerate(CLASS_COLORS.tolist()):
        chosen = points.positions[points.labels == label]
        item = pg.ScatterPlotItem(
            chosen[:, 0], chosen[:, 1], size=5, pen=None, brush=pg.mkBrush(*color), pxMode=True
        )
        plot.addItem(item)
        items.append(item)
    plot.disableAutoRange()
    return items


def _replace_peer(items: list[pg.ScatterPlotItem], labels: UInt8, positions: Float32) -> None:
    for label, item in enumerate(items):
        chosen = positions[labels == label]
        item.setData(chosen[:, 0], chosen[:, 1])
