"""Ten minutes at the window while it trains."""

import ctypes
import gc
import os
import random
import threading
import time
from collections.abc import Callable
from operator import itemgetter

import psutil
import pytest

from tests.support.person import Person
from vae_explorer.gui.main_thread import run_events
from vae_explorer.session.training.events import Phase
from vae_explorer.training.recipe import Recipe

_SECONDS = float(os.environ.get("SOAK_SECONDS", "600"))
_MOST = 2.0  # MB a minute
_SPELLS = 12


class _Mallinfo(ctypes.Structure):
    """Of the C library: bytes that were asked for lie in blocks of the heap, or mapped alone."""

    _names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_ = [(name, ctypes.c_size_t) for name in _names.split()]


def held() -> float:
    """MB in use: not what is free and the allocator keeps, which jumps by a hundred."""
    gc.collect()
    try:
        mallinfo = ctypes.CDLL(None).mallinfo2
    except (AttributeError, TypeError):  # another C library
        return float(psutil.Process().memory_info().rss / 1e6)
    mallinfo.restype = _Mallinfo
    info = mallinfo()
    return float((info.uordblks + info.hblkhd) / 1e6)


@pytest.mark.long
def test_memory_does_not_grow(
    person: Person, recipe: Recipe, record_property: Callable[[str, object], None]
) -> None:
    window, chance = person.window, random.Random(0)

    def set_layers(*, on: bool) -> None:
        for layer in ("density", "flow"):
            window.app.layers.set_on(layer, on)

    set_layers(on=True)
    window.training.set_recipe(recipe.replace(epochs=10_000, learning_rate=1e-4))
    begun, seen, threads = time.monotonic(), [], 0
    for spell in range(1, _SPELLS + 1):
        while time.monotonic() - begun < _SECONDS * spell / _SPELLS:
            if window.app.training.status.phase is Phase.IDLE:
                window.actions_["start"].trigger()
            for _ in range(50):
                x, y = chance.uniform(-3, 3), chance.uniform(-3, 3)
                (person.hover if chance.random() < 0.8 else person.click)((x, y))
                run_events(10)
            threads = max(threads, threading.active_count())
        # At rest and without layers, which hold tens of megabytes more or less.
        window.app.training.pause()
        person.wait_for_phase(Phase.PAUSED)
        set_layers(on=False)
        person.wait(lambda: not window.app.layers.busy, 60)
        seen.append((time.monotonic() - begun, held()))
        set_layers(on=True)
        window.app.training.resume()
    # Caches fill in the first third; the least of the next and of the last, for something or other
    # is on its way at any time.
    middle, last = (
        min(seen[n * _SPELLS // 3 :][: _SPELLS // 3], key=itemgetter(1)) for n in (1, 2)
    )
    slope = 60 * (last[1] - middle[1]) / (_SECONDS / 3)
    record_property("memory", f"{slope:+.2f} MB/min over {_SECONDS:.0f} s, {threads} threads")
    window.app.training.stop()
    person.wait_for_phase(Phase.IDLE)
    assert slope < _MOST, seen
    assert threads < 20
    assert not person.errors
