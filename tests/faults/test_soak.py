"""Ten minutes at the window while it trains."""

import ctypes
import gc
import os
import random
import sys
import threading
import time
from collections.abc import Callable

import numpy as np
import psutil
import pytest
from PySide6.QtTest import QTest

from tests.support.person import Person
from vae_explorer.session.training.events import Phase
from vae_explorer.training.recipe import Recipe

_SECONDS = float(os.environ.get("SOAK_SECONDS", "600"))
_MOST = 1.0  # MB a minute


def held() -> float:
    """MB of memory in use, without what is free and the allocator keeps for the next request."""
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)
    return float(psutil.Process().memory_info().rss / 1e6)


@pytest.mark.long
def test_memory_does_not_grow(
    person: Person, recipe: Recipe, record_property: Callable[[str, object], None]
) -> None:
    window, chance = person.window, random.Random(0)
    for layer in ("density", "flow"):
        window.app.layers.set_on(layer, True)
    window.training.set_recipe(recipe.replace(epochs=10_000, learning_rate=1e-4))
    begun, seen, threads = time.monotonic(), [], 0
    while time.monotonic() - begun < _SECONDS:
        if window.app.training.status.phase is Phase.IDLE:
            window.actions_["start"].trigger()
        for _ in range(50):
            x, y = chance.uniform(-3, 3), chance.uniform(-3, 3)
            (person.hover if chance.random() < 0.8 else person.click)((x, y))
            QTest.qWait(10)
        seen.append((time.monotonic() - begun, held()))
        threads = max(threads, threading.active_count())
    # The least of each of ten spells, for a layer takes much for a moment; caches fill first.
    spells = [spell[spell[:, 1].argmin()] for spell in np.array_split(np.array(seen), 10)][3:]
    minutes, megabytes = np.array(spells).T / ((60,), (1,))
    slope = np.polyfit(minutes, megabytes, 1)[0]
    record_property("memory", f"{slope:+.2f} MB/min over {_SECONDS:.0f} s, {threads} threads")
    window.app.training.stop()
    person.wait_for_phase(Phase.IDLE)
    assert slope < _MOST
    assert threads < 20
    assert not person.errors
