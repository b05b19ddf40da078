"""Pictures of the real window, for the README and for looking at.

``python -m vae_explorer.gui.screenshots FOLDER`` writes the views to explore, learn and train,
paths, a drawing, a refinement and a comparison at two sizes, the palette, and each layer of the map
at two zooms, all of them light and dark.
"""

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from vae_explorer.gui.app import start
from vae_explorer.gui.compare_window import CompareWindow
from vae_explorer.gui.main_thread import run_events
from vae_explorer.gui.main_window import MainWindow
from vae_explorer.gui.palette import CommandPalette
from vae_explorer.gui.theme import SchemeChoice, apply_scheme
from vae_explorer.paths import bundled_checkpoint
from vae_explorer.session import Recipe
from vae_explorer.session.layers import LAYERS
from vae_explorer.session.refinement import RefinementStep
from vae_explorer.session.state import MapPoints, Phase

_SIZES = ((1280, 800), (1920, 1080))
_PINNED_ROWS = (7, 2_001)
_ALWAYS_ON = frozenset({"points", "ellipses"})
_NEAR = 0.45  # latent units around the pinned digit, in the nearer of two zooms
_TIMEOUT_S = 120
_SETTLE_MS = 1_000
_FRAMES = 24
_DRAWN_ROW = 15


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
    window.actions_["layout_explore"].trigger()
    files = _both_sizes(window, folder, "explore")
    window.actions_["layout_learn"].trigger()
    files += _both_sizes(window, folder, "learn", partial(_show_near, window))
    for spec in LAYERS:
        if spec.id not in ("points", "flow", "path", "refined"):
            files += _layer(window, folder, spec.id)

    _show_layers(window, _ALWAYS_ON | {"path", "refined"})
    files += _paths(window, folder) + _drawing(window, folder) + _refinement(window, folder)
    files += _palette(window, folder) + _comparison(window, folder)

    _show_layers(window, _ALWAYS_ON)
    window.docks.show("training")
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


def _paths(window: MainWindow, folder: Path) -> list[Path]:
    """The shortest way between the pinned digits, and the straight one."""
    travel = window.explorer.exploration.travel
    window.actions_["layout_travel"].trigger()
    files = []
    for kind in ("geodesic", "straight"):
        came: list[object] = []
        travel.path_changed.connect(came.append)
        travel.choose(kind, _FRAMES, False)
        _wait(partial(bool, came))
        travel.path_changed.disconnect(came.append)
        files += _both_sizes(window, folder, f"path-{kind}")
    travel.choose("", _FRAMES, False)
    return files


def _drawing(window: MainWindow, folder: Path) -> list[Path]:
    """A digit on the pad, which is one of the data, enlarged."""
    window.actions_["layout_explore"].trigger()
    window.docks.show("draw")
    ink = window.explorer.map.thumbnail(_DRAWN_ROW).image.repeat(10, 0).repeat(10, 1)
    window.draw.set_ink(ink)
    window.draw.drawn.emit(ink)
    run_events(_SETTLE_MS)
    files = _both_sizes(window, folder, "draw")
    window.draw.cleared.emit()
    return files


def _refinement(window: MainWindow, folder: Path) -> list[Path]:
    """The encoder's guess, on the way, and the best there is."""
    refining = window.explorer.exploration.refining
    window.docks.show("refine")
    window.explorer.layers.set_on("posterior", on=True)
    files = []
    for name, share in (("start", 0.0), ("middle", 0.08), ("end", 1.0)):
        steps: list[RefinementStep] = []
        refining.stepped.connect(steps.append)
        window.explorer.exploration.refine()
        _wait(partial(_reached, steps, share))
        refining.stop()
        refining.stepped.disconnect(steps.append)
        files += _both_sizes(window, folder, f"refine-{name}", partial(_show_near, window))
    return files


def _reached(steps: list[RefinementStep], share: float) -> bool:
    return bool(steps) and steps[-1].step >= share * steps[-1].steps


def _palette(window: MainWindow, folder: Path) -> list[Path]:
    window.docks.show("decode")
    files = []
    for choice in (SchemeChoice.LIGHT, SchemeChoice.DARK):
        apply_scheme(choice)
        window.actions_["palette"].trigger()
        run_events(_SETTLE_MS // 2)
        files.append(folder / f"palette-{choice.value}.png")
        palette = window.findChild(CommandPalette)
        assert palette is not None
        palette.grab().save(str(files[-1]))
        palette.close()
    return files


def _comparison(window: MainWindow, folder: Path) -> list[Path]:
    """The model on the map beside another."""
    window.actions_["compare"].trigger()
    compare = window.findChild(CompareWindow)
    assert compare is not None
    compare.model_chosen.emit("B", bundled_checkpoint().with_name("mnist-iwae.safetensors"))
    run_events(4 * _SETTLE_MS)
    files = []
    for width, height in _SIZES:
        compare.resize(width, height)
        for choice in (SchemeChoice.LIGHT, SchemeChoice.DARK):
            apply_scheme(choice)
            run_events(_SETTLE_MS // 2)
            files.append(folder / f"compare-{choice.value}-{width}x{height}.png")
            compare.grab().save(str(files[-1]))
    compare.close()
    return files


def _layer(window: MainWindow, folder: Path, layer: str) -> list[Path]:
    """The whole plane and a part of it, with one layer besides those that are always on."""
    window.resize(*_SIZES[0])
    window.docks.show("layers")
    _show_layers(window, _ALWAYS_ON | {layer})
    zooms: dict[str, Callable[[], None]] = {
        "whole": window.map.fit,
        "near": partial(_show_near, window),
    }
    files = []
    for zoom, show in zooms.items():
        files += _both_schemes(window, folder, f"layer-{layer}-{zoom}", show)
    return files


def _show_near(window: MainWindow) -> None:
    """Zoom to the pinned digit."""
    pinned = window.explorer.pins.current
    assert pinned is not None
    z1, z2 = pinned.mean.tolist()
    window.map.canvas.show_region(z1 - _NEAR, z1 + _NEAR, z2 - _NEAR, z2 + _NEAR)


def _show_layers(window: MainWindow, on: frozenset[str]) -> None:
    for spec in LAYERS:
        window.explorer.layers.set_on(spec.id, spec.id in on)


def _both_sizes(
    window: MainWindow, folder: Path, view: str, show: Callable[[], None] | None = None
) -> list[Path]:
    files = []
    for size in _SIZES:
        window.resize(*size)
        files += _both_schemes(window, folder, view, show or window.map.fit)
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
