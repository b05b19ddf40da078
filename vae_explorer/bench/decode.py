"""Latency from a position to a picture, on the road the pointer takes."""

import time
from collections.abc import Iterator

import numpy as np
from PySide6.QtGui import QGuiApplication, QImage

from vae_explorer import paths
from vae_explorer.bench.application import application
from vae_explorer.bench.measurement import Measurement, percentiles
from vae_explorer.data.bundled import mnist_dataset
from vae_explorer.gui.explore.decode.image import qimage_of
from vae_explorer.gui.main_thread import FrameClock, MainThread, run_after
from vae_explorer.session.app import build_app
from vae_explorer.session.explore.decoding import Decoded
from vae_explorer.session.jobs import Jobs
from vae_explorer.session.map.state import MapState
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.device import set_threads

_PLACES = 1_000
_WARM_UP = 50
_PAUSE_S = 0.009
"""Longer than a frame, so that the wait for a free frame is not counted."""


def measure() -> Iterator[Measurement]:
    """Move the cursor position by position: set_cursor → event loop → decode → QImage."""
    qt: QGuiApplication = application()
    set_threads(beside_window=True)
    main_thread, clock = MainThread(), FrameClock()
    app = build_app(Jobs(main_thread.post), clock.defer, run_after)
    snapshot = read_checkpoint(paths.bundled_checkpoint())
    app.map.publish(MapState(snapshot, "bench", None, snapshot.model, mnist_dataset()))
    pictures: list[QImage] = []

    def show(decoded: Decoded) -> None:
        pictures.append(qimage_of(decoded.image))

    app.decoding.decoded.connect(show)
    latencies = []
    positions = np.random.default_rng(0).standard_normal((_WARM_UP + _PLACES, 2))
    for z1, z2 in positions.tolist():
        time.sleep(_PAUSE_S)
        pictures.clear()
        begin = time.perf_counter()
        app.cursor.move(z1, z2)
        while not pictures:
            qt.processEvents()
        latencies.append(1e3 * (time.perf_counter() - begin))
    app.close()
    yield from percentiles("decode.latency_ms", latencies[_WARM_UP:], "median", "p99")
