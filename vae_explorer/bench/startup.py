"""Seconds from the start of the process to the points on the map and to the first digit.

At every start but the first the points are known from before, and are there before PyTorch is.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from vae_explorer.bench.measurement import Measurement
from vae_explorer.errors import UserError

_RUNS = 5


def measure() -> Iterator[Measurement]:
    """Start the explorer once and then a few times in processes of its own; medians of these.

    Raises:
        UserError: it does not start here.
    """
    windows, decodes = [], []
    for number in range(_RUNS + 1):
        begin = time.time()
        command = [sys.executable, "-m", "vae_explorer.bench.startup"]
        child = subprocess.run(command, capture_output=True, text=True, check=False)
        if child.returncode:
            raise UserError(f"The explorer did not start: {child.stderr.strip()[-500:]}")
        window, decode = map(float, child.stdout.split())
        if number:
            windows.append(window - begin)
            decodes.append(decode - begin)
    yield Measurement("startup.window_s", statistics.median(windows), "s", _RUNS)
    yield Measurement("startup.first_decode_s", statistics.median(decodes), "s", _RUNS)


def _start_once() -> None:
    from PySide6.QtCore import QEventLoop

    from vae_explorer.gui.app import start
    from vae_explorer.gui.explore.decode.digit_view import DigitView
    from vae_explorer.gui.map.points_item import PointsItem

    painted: list[float] = []
    paint = PointsItem.paint

    def paint_and_tell(item: PointsItem, *arguments: Any) -> None:
        paint(item, *arguments)
        if item.rasterisations:
            painted.append(time.time())

    PointsItem.paint = paint_and_tell  # type: ignore[method-assign,assignment]
    app, window = start()
    views = window.decode.findChildren(DigitView)
    digit = next(view for view in views if view.accessibleName() == "Decoded image")
    one, brief = QEventLoop.ProcessEventsFlag.AllEvents, 1
    app.processEvents(one, brief)  # which also paints
    while digit.empty:
        app.processEvents(one, brief)
    decoded = time.time()
    while not painted:
        app.processEvents(one, brief)
    print(painted[0], decoded)  # noqa: T201 - read by the parent process
    window.close()


if __name__ == "__main__":
    _start_once()
