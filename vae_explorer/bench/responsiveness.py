"""How late a 16 ms timer fires in the real window while it trains and is used, and at what cost.

One run of the default recipe in the window, while somebody scrubs through its past, moves the
cursor, switches layers and resizes; then the same recipe by ``vae-explorer train`` in a process of
its own. The ratio of their speeds is what the window takes from training.
"""

import itertools
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer, Slot

from vae_explorer.bench.application import application
from vae_explorer.bench.measurement import Measurement, percentiles
from vae_explorer.data.bundled import TRAINING_IMAGES
from vae_explorer.gui.app import open_window
from vae_explorer.gui.main_thread import run_events
from vae_explorer.gui.window.main_window import MainWindow
from vae_explorer.session.training.events import Phase
from vae_explorer.training.recipe import Recipe

_TICK_MS = 16
_SETTLE_MS = 4_000
_EPOCHS = 20
_HEADLESS_EPOCHS = 5
"""Enough for a steady speed; start-up does not count."""
_HEADLESS_THREADS = (None, 1)
_RECIPE = Recipe()
_ACT_MS = 150
_SIZES = ((1280, 800), (1500, 900), (1100, 700))
_LAYERS = ("density", "manifold", "prior", "metric")


class _Ticker(QObject):
    """Notes how late each tick of a precise timer comes, in ms."""

    def __init__(self) -> None:
        super().__init__()
        self.lags: list[float] = []
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)

    def start(self) -> None:
        self._last = time.perf_counter()
        self._timer.start(_TICK_MS)

    def stop(self) -> None:
        self._timer.stop()

    @Slot()
    def _tick(self) -> None:
        now = time.perf_counter()
        self.lags.append(max(0.0, 1e3 * (now - self._last) - _TICK_MS))
        self._last = now


def measure() -> Iterator[Measurement]:
    """Train in the window, using it all the while, then without one."""
    application(needs_screen=True)
    recipe = _RECIPE.replace(epochs=_EPOCHS)
    with tempfile.TemporaryDirectory() as folder:
        window = open_window()
        training = window.app.training
        training.runs = Path(folder)
        run_events(_SETTLE_MS)
        window.app.runs.train(recipe)
        wait(lambda: training.status.epoch > 0)
        ticker = _Ticker()
        ticker.start()
        begin, first = time.perf_counter(), training.status.epoch
        hand = acts(window)
        while training.status.phase is Phase.RUNNING and training.status.epoch < _EPOCHS - 0.1:
            next(hand)()
            run_events(_ACT_MS)
        epochs = training.status.epoch - first
        seconds = time.perf_counter() - begin
        ticker.stop()
        training.stop()
        wait(lambda: not training.active)
        window.close()
        window.deleteLater()
    images = TRAINING_IMAGES - recipe.validation_images
    in_window = epochs * images / seconds
    yield from percentiles(
        "responsiveness.lag_ms", ticker.lags, "median", "p99", "max", images_per_s=round(in_window)
    )
    for threads in _HEADLESS_THREADS:
        headless = _headless_speed(threads)
        yield Measurement(
            "responsiveness.throughput_ratio",
            in_window / headless,
            "1",
            1,
            {"threads": threads or "all", "headless_images_per_s": round(headless)},
        )


def acts(window: MainWindow) -> Iterator[Callable[[], object]]:
    """What a person does, over and over; the same in every run of the bench."""
    draw = random.Random(0)
    app, time_machine = window.app, window.app.runs.timeline
    for number in itertools.count():
        for _ in range(6):
            yield partial(app.cursor.scrub, draw.gauss(0, 1), draw.gauss(0, 1))
        last = time_machine.frames[-1].step if time_machine.frames else 0
        for _ in range(6):
            yield partial(time_machine.show, draw.uniform(0, last))
        yield time_machine.return_live
        layer = _LAYERS[number % len(_LAYERS)]
        yield partial(app.layers.set_on, layer, on=True)
        yield partial(window.resize, *_SIZES[number % len(_SIZES)])
        yield partial(app.layers.set_on, layer, on=False)


def _headless_speed(threads: int | None) -> float:
    """Images a second of the command line, start-up left out."""
    with tempfile.TemporaryDirectory() as folder:
        recipe = Path(folder) / "recipe.toml"
        _RECIPE.replace(epochs=_HEADLESS_EPOCHS).write(recipe)
        command = [sys.executable, "-m", "vae_explorer", "train", "--json", "--runs", folder]
        command += ["--recipe", str(recipe)]
        command += ["--threads", str(threads)] if threads else []
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    events = [json.loads(line) for line in output.splitlines()]
    speeds = [event["images_per_s"] for event in events if event["event"] == "epoch"]
    return float(speeds[-1])


def wait(condition: Callable[[], bool]) -> None:
    """Let the window live until it holds."""
    while not condition():
        run_events(50)
