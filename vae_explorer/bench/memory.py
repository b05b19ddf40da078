"""The memory of the window and the disk of a run.

A window in a process of its own is measured after its start, after a run, and after use that has
what a person does in an hour; beside it, what the same process has when all is imported and nothing
is open. Of the run the snapshots on the way count; what may be at most is what the form says.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import torch

from vae_explorer.bench.application import application
from vae_explorer.bench.measurement import Measurement
from vae_explorer.bench.responsiveness import acts, wait
from vae_explorer.errors import UserError
from vae_explorer.gui.app import open_window
from vae_explorer.gui.main_thread import run_events
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.moments import bytes_kept
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run_folder import RunFolder

_RECIPE = Recipe(epochs=20)
_ACTS = 1_000
_ACT_MS = 30
_SETTLE_MS = 4_000


def measure() -> Iterator[Measurement]:
    """The stages of the window, then the run that it made.

    Raises:
        UserError: it does not start here, or the system does not tell.
    """
    with tempfile.TemporaryDirectory() as folder:
        _RECIPE.write(Path(folder) / "recipe.toml")
        command = [sys.executable, "-m", "vae_explorer.bench.memory", folder, str(_ACTS)]
        child = subprocess.run(command, capture_output=True, text=True, check=False)
        if child.returncode:
            raise UserError(f"The explorer did not run: {child.stderr.strip()[-500:]}")
        imported, *resident = map(float, child.stdout.split())
        for after, megabytes in zip(("start", "run", "use"), resident, strict=True):
            yield Measurement(
                "memory.resident_mb", megabytes, "MB", 1, {"after": after, "imported_mb": imported}
            )
        (path,) = Path(folder).glob("*/recipe.toml")
        yield _of_run(RunFolder(path.parent))


def _of_run(run: RunFolder) -> Measurement:
    moments, last = run.moments(), read_checkpoint(run.model_path)
    snapshots = sum(moments.path(step).stat().st_size for step in moments.steps)
    at_most = bytes_kept(last.model.parameters, last.step) / 1e6
    details = {"at_most_mb": round(at_most, 1), "whole_run_mb": round(run.size / 1e6, 1)}
    return Measurement("memory.run_mb", snapshots / 1e6, "MB", len(moments.steps), details)


def _use_once(folder: Path, times: int) -> None:
    torch.zeros(1)
    application()
    _tell()
    window = open_window()
    training = window.app.training
    training.runs = folder
    run_events(_SETTLE_MS)
    _tell()
    window.app.runs.train(Recipe.read(folder / "recipe.toml"))
    wait(lambda: training.active)
    wait(lambda: not training.active)
    run_events(_SETTLE_MS)
    _tell()
    for act in islice(acts(window), times):
        act()
        run_events(_ACT_MS)
    run_events(_SETTLE_MS)
    _tell()
    window.close()


def _tell() -> None:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError as error:
        raise UserError("This system does not tell what a process has in memory.") from error
    print(pages * os.sysconf("SC_PAGE_SIZE") / 1e6)  # noqa: T201 - read by the parent process


if __name__ == "__main__":
    _use_once(Path(sys.argv[1]), int(sys.argv[2]))
