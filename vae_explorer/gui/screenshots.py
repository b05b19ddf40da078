"""Pictures of the real window, for the README and for looking at.

``python -m vae_explorer.gui.screenshots FOLDER`` writes the explore and the train view, light and
dark, at two sizes.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from vae_explorer.gui.app import start
from vae_explorer.gui.main_thread import run_events
from vae_explorer.gui.main_window import MainWindow
from vae_explorer.gui.theme import SchemeChoice, apply_scheme
from vae_explorer.session import Recipe
from vae_explorer.session.state import MapPoints, Phase

_SIZES = ((1280, 800), (1920, 1080))
_PINNED_ROW = 7
_TIMEOUT_S = 120


def take(folder: Path) -> list[Path]:
    """Drive the window through both views and save what it shows; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    _, window = start()
    shown: list[MapPoints] = []
    window.explorer.map.points_changed.connect(shown.append)
    _wait(lambda: bool(shown))
    window.explorer.pin(_PINNED_ROW)
    files = _both_schemes(window, folder, "explore")

    window.training.set_recipe(Recipe(epochs=3))
    window.start_training()
    _wait(lambda: window.explorer.training.status.epoch > 1.2)
    window.explorer.training.pause()
    _wait(lambda: window.explorer.training.status.phase is Phase.PAUSED)
    # After the moving sample of the images, all of them.
    _wait(lambda: len(shown[-1].positions) == shown[-1].total)
    files += _both_schemes(window, folder, "train")
    window.close()
    return files


def _both_schemes(window: MainWindow, folder: Path, view: str) -> list[Path]:
    files = []
    for width, height in _SIZES:
        window.resize(width, height)
        for choice in (SchemeChoice.LIGHT, SchemeChoice.DARK):
            apply_scheme(choice)
            run_events(500)
            window.map.fit()
            run_events(500)
            file = folder / f"{view}-{choice.value}-{width}x{height}.png"
            window.grab().save(str(file))
            files.append(file)
    return files


def _wait(condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + _TIMEOUT_S
    while not condition():
        if time.monotonic() > limit:
            raise TimeoutError("the window did not get there in two minutes")
        run_events(20)


if __name__ == "__main__":
    for written in take(Path(sys.argv[1])):
        print(written)  # noqa: T201
