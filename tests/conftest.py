"""Every test starts clean; what tests share is in ``tests/support``."""

import gc
import os
import select
import shutil
import subprocess
from collections.abc import Generator

import hypothesis
import pytest
from PySide6.QtCore import QStandardPaths

# In this order, for a module imported by another before it is registered is not rewritten.
pytest_plugins = [
    "tests.support.fault_table",
    "tests.support.main_thread_disk",
    "tests.support.leftovers",
    "tests.support.stand_ins",
    "tests.support.parts",
    "tests.support.models",
    "tests.support.linear_gaussian",
    "tests.support.lessons",
    "tests.support.training_runs",
    "tests.support.bench",
    "tests.support.desk",
    "tests.support.person",
    "tests.support.trainee",
]

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# Small networks on a busy machine: two threads that wait for each other are far slower than one.
# PyTorch reads it as it is imported, for all threads but the main one.
os.environ.setdefault("OMP_NUM_THREADS", "1")
QStandardPaths.setTestModeEnabled(True)
# The first call of anything in torch takes longer than hypothesis likes.
hypothesis.settings.register_profile("patient", hypothesis.settings(), deadline=None)
hypothesis.settings.load_profile("patient")


@pytest.fixture(autouse=True)
def _own_home(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Settings, runs and caches of a test go to a folder of its own."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for name in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
    runtime = home / "runtime"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))


@pytest.fixture(autouse=True)
def _one_torch_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """As beside a window; more threads only wait for each other on networks this small."""
    import torch

    torch.set_num_threads(1)
    monkeypatch.setattr("vae_explorer.training.device.processors", lambda: 1)


@pytest.fixture(autouse=True)
def _hasty_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting for the disk is proved where files are; hundreds of saves elsewhere need not."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture(scope="session")
def xvfb_display() -> Generator[str]:
    """A virtual screen of 1920 × 1200 for a program in a process of its own: the DISPLAY to set."""
    if shutil.which("Xvfb") is None:
        message = "Xvfb is not installed (Debian package xvfb)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    reader, writer = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1920x1200x24", "-nolisten", "tcp"],
        pass_fds=[writer],
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    try:
        ready, _, _ = select.select([reader], [], [], 30)
        number = os.read(reader, 16).decode().strip() if ready else ""
        assert number, "Xvfb did not start within 30 s"
        yield f":{number}"
    finally:
        os.close(reader)
        server.terminate()
        server.wait(10)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with something slow come first, so that no worker ends alone with one of them."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_collection_finish() -> None:
    """What is there before the first test is no garbage: the collector need not look at it."""
    gc.collect()
    gc.freeze()
