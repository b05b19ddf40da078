"""Takes pictures of a window, light and dark, at two sizes."""

import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QWidget

from vae_explorer.gui.main_thread import run_events
from vae_explorer.gui.theme import SchemeChoice, apply_scheme
from vae_explorer.gui.window.main_window import MainWindow
from vae_explorer.session.map.layers import LAYERS

SIZES = ((1280, 800), (1920, 1080))
ALWAYS_ON = frozenset({"points", "ellipses"})
SETTLE_MS = 1_000

_NEAR = 0.45  # latent units around the pinned digit, in the nearer of two zooms
_TIMEOUT_S = 120


class Camera:
    """Where the pictures go, and what all topics do with the window.

    Args:
        window: shown, on the bundled model.
        folder: of the pictures.
    """

    def __init__(self, window: MainWindow, folder: Path) -> None:
        self.window = window
        self.folder = folder
        self.files: list[Path] = []
        wait(lambda: window.app.map.points is not None)

    def both_sizes(
        self, view: str, show: Callable[[], None] | None = None, *, moving: bool = False
    ) -> None:
        """Take a view at each size, set up by ``show``, or with the whole map.

        Of a ``moving`` one layers are never all drawn.
        """
        for size in SIZES:
            self.window.resize(*size)
            self.both_schemes(view, show or self.window.map.fit, moving=moving)

    def both_schemes(self, view: str, show: Callable[[], None], *, moving: bool = False) -> None:
        """Take a view at the present size."""
        window = self.window
        for choice in (SchemeChoice.LIGHT, SchemeChoice.DARK):
            apply_scheme(choice)
            run_events(200)
            show()
            run_events(300)
            wait(lambda: moving or not window.app.layers.busy)
            run_events(200)
            self._save(window, f"{view}-{choice.value}-{window.width()}x{window.height()}")

    def widget(self, view: str, find: Callable[[], QWidget]) -> None:
        """Take a part or a dialog, which ``find`` opens, as large as it is."""
        for choice in (SchemeChoice.LIGHT, SchemeChoice.DARK):
            apply_scheme(choice)
            part = find()
            run_events(SETTLE_MS // 2)
            self._save(part, f"{view}-{choice.value}")

    def layer(self, layer: str) -> None:
        """The whole plane and a part of it, with one layer besides those that are always on."""
        self.window.resize(*SIZES[0])
        self.window.docks.show("layers")
        self.show_layers(ALWAYS_ON | {layer})
        self.both_schemes(f"layer-{layer}-whole", self.window.map.fit)
        self.both_schemes(f"layer-{layer}-near", self.show_near)

    def show_layers(self, on: frozenset[str]) -> None:
        """Have just these layers on."""
        for spec in LAYERS:
            self.window.app.layers.set_on(spec.id, spec.id in on)

    def show_near(self) -> None:
        """Zoom to the pinned digit."""
        pinned = self.window.app.pins.current
        assert pinned is not None
        z1, z2 = pinned.mean.tolist()
        self.window.map.canvas.show_region(z1 - _NEAR, z1 + _NEAR, z2 - _NEAR, z2 + _NEAR)

    def _save(self, widget: QWidget, name: str) -> None:
        self.files.append(self.folder / f"{name}.png")
        widget.grab().save(str(self.files[-1]))


def wait(condition: Callable[[], bool]) -> None:
    """Let the window live until a condition holds.

    Raises:
        TimeoutError: it does not within two minutes.
    """
    limit = time.monotonic() + _TIMEOUT_S
    while not condition():
        if time.monotonic() > limit:
            raise TimeoutError("the window did not get there in two minutes")
        run_events(20)
