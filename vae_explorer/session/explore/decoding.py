"""Pointer to picture: the one decode road."""

import time
from collections.abc import Callable
from typing import Protocol

import numpy as np
from psygnal import Signal

from vae_explorer.session.state import Decoded
from vae_explorer.types import Float32, Floats


class Decoder(Protocol):
    """What the road needs of a model."""

    def decode(self, z: Floats) -> Float32:
        """(n, 2) to (n, h, w) Bernoulli means."""
        ...


class Decoding:
    """Decodes the newest wanted place, at most once per turn that ``defer`` grants.

    A single decode costs about a tenth of a millisecond, less than a trip to a worker and back, so
    it happens on the main thread; a place replaced before its turn is never decoded.

    Args:
        defer: runs a function on the main thread, soon and at most once a frame.
    """

    decoded = Signal(Decoded)

    def __init__(self, defer: Callable[[Callable[[], None]], None]) -> None:
        self._defer = defer
        self._decoder: Decoder | None = None
        self._wanted: tuple[tuple[float, float], bool] | None = None

    def set_decoder(self, decoder: Decoder) -> None:
        """Use another model from now on."""
        self._decoder = decoder

    def request(self, z: tuple[float, float], *, preview: bool = False) -> None:
        """Ask for the picture at ``z``; it replaces whatever was asked before and not yet done.

        Without a decoder there is nothing to ask.
        """
        if self._decoder is None:
            return
        pending = self._wanted is not None
        self._wanted = z, preview
        if not pending:
            self._defer(self.flush)

    def flush(self) -> None:
        """Decode what is wanted now, if anything."""
        if self._wanted is None or self._decoder is None:
            return
        (z, preview), self._wanted = self._wanted, None
        start = time.perf_counter()
        image = self._decoder.decode(np.array([z], np.float32))[0]
        milliseconds = 1e3 * (time.perf_counter() - start)
        self.decoded.emit(Decoded(z, image, milliseconds, preview))
