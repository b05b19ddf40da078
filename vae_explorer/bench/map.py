"""Time of one frame of the map while it pans or zooms, of replacing all positions, of a pick.

pyqtgraph's own scatter plot, one item a class, is measured in the same run.
"""

import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pyqtgraph as pg
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from vae_explorer.bench.application import application
from vae_explorer.bench.measurement import Measurement
from vae_explorer.data.bundled import mnist_dataset
from vae_explorer.gui.main_thread import run_events
from vae_explorer.gui.map.cloud import PointCloud
from vae_explorer.gui.map.hover import PICK_RADIUS
from vae_explorer.gui.map.map_view import MapView
from vae_explorer.gui.map.picking import Picker
from vae_explorer.gui.theme import CLASS_COLORS
from vae_explorer.session.map.point_index import PointIndex
from vae_explorer.session.map.state import MapPoints
from vae_explorer.types import Float32, UInt8

_COUNTS = (10_000, 70_000, 1_000_000)
_WIDTH, _HEIGHT = 900, 700
_ROUNDS = 31
_PEER_ROUNDS = 3
_PICKS = 200
_BUILDS = 7
_SHOW_MS = 300
"""Time for a window to come onto the screen."""

_STEP = 0.02
"""Latent units the view moves from frame to frame."""

_ZOOM = 1.02


def measure() -> Iterator[Measurement]:
    """Medians at 10,000, 70,000 and 1,000,000 points in a window of 900 × 700 pixels."""
    application(needs_screen=True)
    for count in _COUNTS:
        points = _points(count)
        view = MapView()
        yield from _measure_window(
            "map.",
            view,
            view.canvas.view_box,
            partial(view.set_points, points),
            view.set_positions,
            points,
            _ROUNDS,
        )
        yield from _measure_picks(points, view.canvas.pixels_per_unit())
        peer = pg.PlotWidget(background="w")
        items = [_peer_item(color) for color in CLASS_COLORS.tolist()]
        replace = partial(_replace_peer, items, points.labels)
        yield from _measure_window(
            "map.peer_",
            peer,
            peer.getViewBox(),
            partial(_fill_peer, peer, items, partial(replace, points.positions)),
            replace,
            points,
            _PEER_ROUNDS,
        )


def _measure_window(
    prefix: str,
    window: QWidget,
    box: pg.ViewBox,
    fill: Callable[[], None],
    replace: Callable[[Float32], None],
    points: MapPoints,
    rounds: int,
) -> Iterator[Measurement]:
    window.resize(_WIDTH, _HEIGHT)
    window.show()
    run_events(_SHOW_MS)
    surface = box.getViewWidget().viewport()
    # What Python and NumPy hold; the given arrays are not counted, and Qt's pictures neither.
    tracemalloc.start()
    fill()
    surface.repaint()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    moved = points.positions + np.float32(0.01)

    def pan(number: int) -> None:
        box.translateBy(x=_STEP if number % 2 else -_STEP)

    def zoom(number: int) -> None:
        factor = _ZOOM if number % 2 else 1 / _ZOOM
        box.scaleBy((factor, factor))

    def move(number: int) -> None:
        replace(moved if number % 2 else points.positions)

    times = {
        "frame_ms": _times(pan, surface, rounds),
        "zoom_ms": _times(zoom, surface, rounds),
        "replace_ms": _times(move, surface, rounds),
    }
    window.close()
    window.deleteLater()
    count = len(points.positions)
    details: dict[str, int | float | str] = {
        "points": count,
        "platform": QGuiApplication.platformName(),
    }
    for name, milliseconds in times.items():
        value = statistics.median(milliseconds)
        yield Measurement(prefix + name, value, "ms", rounds, details)
    yield Measurement(prefix + "bytes_per_point", held / count, "B", 1, details)


def _times(change: Callable[[int], None], surface: QWidget, rounds: int) -> list[float]:
    """Milliseconds of each change with the paint that follows; two unmeasured ones fill caches."""

    def step(number: int) -> None:
        change(number)
        surface.repaint()

    return _durations([partial(step, number) for number in range(rounds + 2)])[2:]


def _measure_picks(points: MapPoints, scale: tuple[float, float]) -> Iterator[Measurement]:
    """The nearest point by an index and by trying all, at positions among the points."""
    positions, count = points.positions, len(points.positions)
    cloud, picker = PointCloud(), Picker()
    cloud.set_points(points, frozenset(range(10)))
    generator = np.random.default_rng(1)
    noise = generator.standard_normal((_PICKS, 2)) * 0.1
    places = [(x, y) for x, y in (positions[generator.choice(count, _PICKS)] + noise).tolist()]

    radius, index = PICK_RADIUS / scale[0], PointIndex(positions)
    times = {
        "index_build_ms": _durations([partial(PointIndex, positions)] * _BUILDS),
        "pick_index_ms": _durations([partial(index.nearest, at, radius) for at in places]),
        "pick_all_ms": _durations(
            [partial(picker.pick, cloud, at, scale, PICK_RADIUS) for at in places]
        ),
    }
    details: dict[str, int | float | str] = {
        "points": count,
        "index_bytes_per_point": index.nbytes / count,
    }
    for name, values in times.items():
        yield Measurement(
            f"map.{name}",
            statistics.median(values),
            "ms",
            len(values),
            details | {"max": max(values)},
        )


def _durations(tasks: list[Callable[[], object]]) -> list[float]:
    """Milliseconds of each."""
    times = []
    for task in tasks:
        begin = time.perf_counter()
        task()
        times.append(1e3 * (time.perf_counter() - begin))
    return times


def _points(count: int) -> MapPoints:
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 10, count).astype(np.uint8)
    centers = generator.standard_normal((10, 2))
    noise = generator.standard_normal((count, 2)) * 0.4
    positions = (centers[labels] + noise).astype(np.float32)
    return MapPoints(positions, labels, np.arange(count), count, "train", mnist_dataset())


def _peer_item(color: list[int]) -> pg.ScatterPlotItem:
    return pg.ScatterPlotItem(size=5, pen=None, brush=pg.mkBrush(*color), pxMode=True)


def _fill_peer(
    plot: pg.PlotWidget, items: list[pg.ScatterPlotItem], place: Callable[[], None]
) -> None:
    place()
    for item in items:
        plot.addItem(item)
    plot.disableAutoRange()


def _replace_peer(items: list[pg.ScatterPlotItem], labels: UInt8, positions: Float32) -> None:
    for label, item in enumerate(items):
        chosen = positions[labels == label]
        item.setData(chosen[:, 0], chosen[:, 1])
