"""Seconds from the start of the process to a usable window and to the first decoded digit."""

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

from vae_explorer.bench.measurement import Measurement
from vae_explorer.errors import UserError

_RUNS = 5


def measure() -> Iterator[Measurement]:
    """Start the explorer a few times in processes of its own; medians.

    Raises:
        UserError: it does not start here.
    """
    windows, decodes = [], []
    for _ in range(_RUNS):
        begin = time.time()
        command = [sys.executable, "-m", "vae_explorer.bench.startup"]
        child = subprocess.run(command, capture_output=True, text=True, check=False)
        if child.returncode:
            raise UserError(f"The explorer did not start: {child.stderr.strip()[-500:]}")
        window, decode = map(float, child.stdout.split())
        windows.append(window - begin)
        decodes.append(decode - begin)
    yield Measurement("startup.window_s", statistics.median(windows), "s", _RUNS)
    yield Measurement("startup.first_decode_s", statistics.median(decodes), "s", _RUNS)


def _start_once() -> None:
    from vae_explorer.gui.app import start
    from vae_explorer.gui.explore.decode.digit_view import DigitView

    app, window = start()
    views = window.decode.findChildren(DigitView)
    digit = next(view for view in views if view.accessibleName() == "Decoded image")
    # The window is usable once it has answered its first events, which also paint it.
    app.processEvents()
    shown = time.time()
    while digit.empty:
        app.processEvents()
    print(shown, time.time())  # noqa: T201 - read by the parent process
    window.close()


if __name__ == "__main__":
    _start_once()
