"""Pictures of the real window, for the README and for looking at.

``python -m vae_explorer.gui.screenshots FOLDER`` writes the explore and the train view at two sizes
and each layer of the map at two zooms, all of them light and dark.
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
from vae_explorer.session.layers import LAYERS
from vae_explorer.session.state import MapPoints, Phase

_SIZES = ((1280, 800), (1920, 1080))
_PINNED_ROWS = (7, 2_001)
_ALWAYS_ON = frozenset({"points", "ellipses"})
_NEAR = 0.45  # latent units around the pinned digit, in the nearer of two zooms
_TIMEOUT_S = 120


def take(folder: Path) -> list[Path]:
    """Drive the window through its views and save what it shows; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    _, window = start()
    explorer = window.explorer
    shown: list[MapPoints] = []
    explorer.map.points_changed.connect(shown.append)
    _wait(lambda: bool(shown))
    for row in _PINNED_ROWS:
        explorer.pin(row, add=True)
    files = _both_sizes(window, folder, "explore")
    for spec in LAYERS:
        if spec.id not in ("points", "flow"):
            files += _layer(window, folder, spec.id)

    _show_layers(window, _ALWAYS_ON)
    window.show_dock("training")
    window.training.set_recipe(Recipe(epochs=3))
    window.start_training()
    _wait(lambda: explorer.training.status.epoch > 1.2)
    explorer.training.pause()
    _wait(lambda: explorer.training.status.phase is Phase.PAUSED)
    # After the moving sample of the images, all of them.
    _wait(lambda: len(shown[-1].positions) == shown[-1].total)
    files += _both_sizes(window, folder, "train")
    explorer.layers.choose("flow", "since", "start")
    files += _layer(window, folder, "flow")
    window.close()
    return files


def _layer(window: MainWindow, folder: Path, layer: str) -> list[Path]:
    """The whole plane and a part of it, with one layer besides those that are always on."""
    window.resize(*_SIZES[0])
    window.show_dock("layers")
    _show_layers(window, _ALWAYS_ON | {layer})
    pinned = window.explorer.pins.current
    assert pinned is not None
    z1, z2 = pinned.mean.tolist()
    near = (z1 - _NEAR, z1 + _NEAR, z2 - _NEAR, z2 + _NEAR)
    zooms = {
        "whole": window.map.fit,
        "near": lambda: window.map.canvas.show_region(*near),
    }
    files = []
    for zoom, show in zooms.items():
        files += _both_schemes(window, folder, f"layer-{layer}-{zoom}", show)
    return files


def _show_layers(window: MainWindow, on: frozenset[str]) -> None:
    for spec in LAYERS:
        window.explorer.layers.set_on(spec.id, spec.id in on)


def _both_sizes(window: MainWindow, folder: Path, view: str) -> list[Path]:
    files = []
    for size in _SIZES:
        window.resize(*size)
        files += _both_schemes(window, folder, view, window.map.fit)
    return files


def _both_schemes(
    window: MainWindow, folder: Path, view: str, show: Callable[[], None]
) -> list[Path]:
    files = []
    for choice in (SchemeChoice.LIGHT, SchemeChoice.DARK):
        apply_scheme(choice)
        run_events(200)
        show()
        run_events(300)
        _wait(lambda: not window.explorer.layers.busy)
        run_events(200)
        file = folder / f"{view}-{choice.value}-{window.width()}x{window.height()}.png"
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
