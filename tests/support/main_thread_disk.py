"""Notes whoever touches the disk or the network on the main thread."""

import os
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from vae_explorer import paths

_EVENTS = {
    *("open", "os.listdir", "os.scandir", "os.mkdir", "os.rename", "os.remove", "os.rmdir"),
    *("os.chmod", "os.truncate", "os.link", "os.symlink", "socket.connect", "subprocess.Popen"),
}
_ALLOWED = (
    "<frozen importlib",  # an import
    "linecache.py",  # to show where a warning comes from
    "ask_path.py",  # a dialog for files is about to look at the disk
)
"""Files of code that may look at the disk."""

_PLACES = (sys.base_prefix, sys.prefix, str(paths.resources()), "/proc/", "/sys/")
"""Folders of the program itself, which fonts, icons and texts come from, and of no disk."""


class DiskGuard:
    """``seen`` is what was done while ``watching``: the event, its path, and by whom."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._watching = False

    @contextmanager
    def watching(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """Look from here to the end of the block."""
        real = os.stat

        def stat(path: Any, **options: Any) -> os.stat_result:  # which tells no hook
            self.note("os.stat", path)
            return real(path, **options)

        with monkeypatch.context() as context:
            context.setattr(os, "stat", stat)
            self._watching = True
            yield
            self._watching = False

    def note(self, event: str, path: object) -> None:
        """Keep an event, if it is on the main thread and by the program."""
        if not self._watching or threading.current_thread() is not threading.main_thread():
            return
        self._watching = False  # what follows may read files
        files = [(frame.filename, frame.lineno) for frame in traceback.extract_stack()[:-2]]
        inner = [name for name, _ in files if not name.startswith(sys.base_prefix)][-1:]
        ours = [f"{Path(name).name}:{line}" for name, line in files if "/vae_explorer/" in name]
        allowed = any(part in name for name, _ in files for part in _ALLOWED)
        elsewhere = str(path).startswith(_PLACES)
        # What a test waits for may look at the disk while the program runs.
        if ours and not allowed and not elsewhere and "/tests/" not in str(inner):
            self.seen.append(f"{event} {path} by {' < '.join(reversed(ours[-4:]))}")
        self._watching = True


@cache
def _guard() -> DiskGuard:
    """The only one, for a hook of this kind stays."""
    guard = DiskGuard()

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event in _EVENTS and arguments:
            guard.note(event, arguments[0])

    sys.addaudithook(hook)
    return guard


@pytest.fixture
def disk_guard() -> DiskGuard:
    """Has seen nothing yet."""
    guard = _guard()
    guard.seen.clear()
    return guard
