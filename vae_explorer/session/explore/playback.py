"""The latent path that is shown, and the frame of it that the cursor is on."""

from functools import partial

from psygnal import Signal

from vae_explorer.latent.geodesic import GeodesicGraph
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.session.explore.cursor import Cursor, clamped
from vae_explorer.session.explore.data_support import SupportGauge
from vae_explorer.session.explore.latent_paths import (
    LEAST,
    MOST,
    LatentPath,
    PathRequest,
    find_path,
    waypoints_of,
)
from vae_explorer.session.explore.pins import Pin, Pins
from vae_explorer.session.map.freshness import Freshness
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.map.state import MapState
from vae_explorer.session.tasks import Tasks

_PINNED = ("straight", "spherical", "geodesic")
_AT_CURSOR = ("row", "column", "circle")


class Playback:
    """The path that is shown and the frame of it. All methods belong to the main thread.

    What a person chooses is answered at once, and only the newest. But a path under way when the
    model or the cursor moves is finished first: while they move none ever would be.

    Args:
        tasks: where paths are found and decoded.
        latent_map: has the model, and the points whose classes have means.
        cursor: leads rows, columns and circles, and follows the frames.
        pins: the waypoints, and the image whose log p(x|z) is given.
        gauge: ranks q(z) along the path.
    """

    chosen = Signal(str, int, bool)
    """The kind, frames and closing of the path that is asked for, whoever chose them."""
    path_changed = Signal(object)
    """A ``LatentPath``, or None; ``frame`` may be another than before."""
    frame_changed = Signal(int)
    progress = Signal(str)
    """What is being computed, or "" when nothing is."""

    def __init__(
        self, tasks: Tasks, latent_map: LatentMap, cursor: Cursor, pins: Pins, gauge: SupportGauge
    ) -> None:
        self.freshness = Freshness(latent_map)
        self._work = tasks.patient("path", "The path could not be found")
        self._map = latent_map
        self._cursor = cursor
        self._pins = pins
        self._gauge = gauge
        self._choice = ("", 16, False)
        self._seed = 0
        self._graph: list[GeodesicGraph] = []  # of the model, once found
        self._images = self._pinned()
        self._said = ""
        self.path: LatentPath | None = None
        self.frame = 0
        """The frame that is shown; 0 if there is none."""
        latent_map.changed.connect(self._on_map)
        cursor.changed.connect(self._on_cursor)
        pins.changed.connect(self._on_pins)
        gauge.support_changed.connect(self._on_support)

    @property
    def busy(self) -> bool:
        """True until the path that is asked for is shown."""
        return self._work.busy

    def choose(self, kind: str, n: int, closed: bool) -> None:
        """Take another path; the same once more takes another random walk.

        Args:
            kind: of ``KINDS``, or "" for no path.
            n: frames; of "grid" the largest square within, of "classes" for each pair.
            closed: come back to the first waypoint, if the kind is closable.
        """
        choice = kind, min(max(n, LEAST), MOST), closed
        self._seed += choice == self._choice
        if kind != self._choice[0]:
            self.frame = 0
        self._choice = choice
        self.chosen.emit(*choice)
        self._find()

    def set_frame(self, frame: int) -> None:
        """Show a frame, of those there are the nearest, and put the cursor on it."""
        path = self.path
        if path is not None and len(path.positions):
            self.frame = min(max(frame, 0), len(path.positions) - 1)
            self._cursor.scrub(*path.positions[self.frame].tolist())
            self.frame_changed.emit(self.frame)

    def _on_map(self, new: MapState, old: MapState | None) -> None:
        if old is None or new.model is not old.model:
            self._graph = []
            self._find(patient=True)
        elif (new.moving != old.moving and self._choice[0] == "geodesic") or (
            new.points is not old.points and self._choice[0] == "classes"
        ):
            self._find(patient=True)

    def _on_cursor(self, z1: float, z2: float) -> None:
        path = self.path
        if self._choice[0] not in _AT_CURSOR:
            return
        if path is not None and len(path.positions):
            frame = clamped(*path.positions[self.frame].tolist())
            if frame == (z1, z2):
                return
        self._find(patient=True)

    def _on_pins(self) -> None:
        (tray, current), self._images = self._images, self._pinned()
        others = self._images[0] != tray and self._choice[0] in _PINNED
        if others or self._images[1] != current:
            self._find()

    def _pinned(self) -> tuple[list[Pin], Pin | None]:
        """All pinned images, and the one looked at."""
        current = self._pins.current
        tray = [(pin.split, pin.index) for pin in self._pins.tray]
        return tray, (current.split, current.index) if current else None

    def _on_support(self) -> None:
        self._find(patient=True)

    def _find(self, *, patient: bool = False) -> None:
        state, (kind, n, closed) = self._map.state, self._choice
        if not patient or not kind:
            self._work.cancel()
        if not kind:
            self._report("")
            if self.path is not None:
                self._show(None)
        elif state is not None:
            request = PathRequest(
                waypoints_of(self._pins.tray),
                state.points,
                self._cursor.position,
                self._pins.current,
                self._gauge.support,
                kind,
                n,
                closed,
                self._seed,
                self._graph,
                state.moving,
            )
            self._work.run(
                partial(find_path, state.model, request, self._report),
                partial(self._show, model=state.model),
                failed=lambda _: self._show(None),  # the last one was of something else
            )

    def _show(self, path: LatentPath | None, model: TrainedVAE | None = None) -> None:
        self._report("")
        self.path = path
        self.frame = min(self.frame, max(0, len(path.positions) - 1)) if path else 0
        self.path_changed.emit(path)
        self.freshness.show(model)

    def _report(self, text: str) -> None:
        if text != self._said:
            self._said = text
            self.progress.emit(text)
