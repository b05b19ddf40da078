"""Pointer to picture: the one decode road."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from psygnal import Signal

from vae_explorer.number_format import AXES
from vae_explorer.session.map.latent_map import LatentMap
from vae_explorer.session.map.state import MapState
from vae_explorer.types import Float32


@dataclass(frozen=True)
class Decoded:
    """One decoded position: ``image`` is (h, w) float32 Bernoulli means, ``milliseconds`` its cost.

    ``preview`` is True while the pointer merely hovers and the cursor stays where it was; ``axes``
    are the names of the coordinates.
    """

    z: tuple[float, float]
    image: Float32
    milliseconds: float
    preview: bool
    axes: tuple[str, str] = AXES


class Decoding:
    """Decodes the newest position asked for, at most once per turn that ``defer`` grants.

    A single decode costs about a tenth of a millisecond, less than a trip to a worker and back, so
    it happens on the main thread; a position replaced before its turn is never decoded. By another
    model the one asked for last is decoded again, unless that was a preview.

    Args:
        latent_map: has the model.
        defer: runs a function on the main thread, soon and at most once a frame.
    """

    decoded = Signal(Decoded)

    def __init__(self, latent_map: LatentMap, defer: Callable[[Callable[[], None]], None]) -> None:
        self._map = latent_map
        self._defer = defer
        self._last = (0.0, 0.0)  # that was no preview
        self._next: tuple[tuple[float, float], bool] | None = None
        latent_map.changed.connect(self._on_map)

    def request(self, z: tuple[float, float], *, preview: bool = False) -> None:
        """Ask for the picture at ``z``; it replaces whatever was asked before and not yet done.

        Without a model nothing is decoded until there is one.
        """
        if not preview:
            self._last = z
        if self._map.state is None:
            return
        pending = self._next is not None
        self._next = z, preview
        if not pending:
            self._defer(self.flush)

    def flush(self) -> None:
        """Decode now what is asked for, if anything."""
        if self._next is None or self._map.state is None:
            return
        (z, preview), self._next = self._next, None
        start = time.perf_counter()
        model = self._map.state.model
        image = model.decode(np.array([z], np.float32))[0]
        milliseconds = 1e3 * (time.perf_counter() - start)
        self.decoded.emit(Decoded(z, image, milliseconds, preview, model.axes))

    def _on_map(self, new: MapState, old: MapState | None) -> None:
        if old is None or new.model is not old.model:
            self.request(self._last)
