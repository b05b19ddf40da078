"""Notes whoever touches the disk or the network on the main thread."""

import os
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

_EVENTS = frozenset(
    {
        *("open", "os.listdir", "os.scandir", "os.mkdir", "os.rename", "os.remove", "os.rmdir"),
        *("os.chmod", "os.truncate", "os.link", "os.symlink", "socket.connect", "subprocess.Popen"),
    }
)
_ALLOWED = (
    "<frozen importlib",  # an import
    "linecache.py",  # of a traceback
    "warnings.py",
)
_RESOURCES = ("icons", "fonts")
"""Folders of what Qt and formulas read as they draw."""


class DiskGuard:
    """What was done on the main thread while ``watching``: an event, its path, and by whom."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.on = False
        self._real_stat = os.stat

    @contextmanager
    def watching(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """Note it from here to the end of the block."""

        def stat(path: Any, **options: Any) -> os.stat_result:
            self.note("os.stat", path)
            return self._real_stat(path, **options)

        with monkeypatch.context() as context:
            context.setattr(os, "stat", stat)
            self.on = True
            try:
                yield
            finally:
                self.on = False

    def note(self, event: str, path: object) -> None:
        """Keep an event, if it is one that may not be."""
        if not self.on or threading.current_thread() is not threading.main_thread():
            return
        if isinstance(path, int) or any(name in Path(os.fsdecode(path)).parts for name in _RESOURCES):  # type: ignore[call-overload]
            return
        self.on = False  # what follows may open files
        try:
            stack = traceback.extract_stack()[:-2]
            if any(name in frame.filename for frame in stack for name in _ALLOWED):
                return
            ours = [f for f in stack if "vae_explorer" in f.filename and "/tests/" not in f.filename]
            if ours:
                by = " < ".join(f"{Path(f.filename).name}:{f.lineno}" for f in reversed(ours[-5:]))
                self.seen.append(f"{event} {path} by {by}")
        finally:
            self.on = True


_GUARD = DiskGuard()


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _GUARD.on and event in _EVENTS and arguments:
        _GUARD.note(event, arguments[0])


@pytest.fixture
def disk_guard() -> DiskGuard:
    """The one there is, for a hook of this kind stays."""
    if not getattr(sys, "_disk_guard", False):
        sys.addaudithook(_hook)
        sys._disk_guard = True  # type: ignore[attr-defined]
    _GUARD.seen.clear()
    return _GUARD
