"""Runs that are killed outright, at any moment: what is on disk is whole, and goes on."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import pytest
import torch

from vae_explorer.data.bundled import mnist
from vae_explorer.errors import CheckpointError
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.history import from_csv
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run import train
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.tensors import read_tensors
from vae_explorer.training.trainer import Trainer

_PARENT = """
import os, random, signal, sys, time
from pathlib import Path

import torch
from vae_explorer.cli import main
from vae_explorer.data.bundled import mnist
from vae_explorer.training import held_out, run

held_out.MARGINAL_POINTS = 100  # only to be quick
mnist("train").subset(slice(500))
position, trials, words = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
delays = random.Random(0)
for trial in range(trials):
    runs = position / str(trial)
    delay = delays.uniform(0, 0.3)
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        main(["train", *words, "--runs", str(runs)])
    while not runs.exists() or not any(runs.iterdir()):
        time.sleep(0.0005)
    time.sleep(delay)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
"""
"""Imports torch once and forks a ``vae-explorer train`` a trial, killed after 0 to 300 ms."""


def _whole(path: Path, never_stopped: RunFolder) -> None:
    """A file of the run is one of that which was never stopped, as it was at some time."""
    if path.suffix == ".csv":
        points = from_csv(path.read_text())
        assert points == from_csv((never_stopped.path / path.name).read_text())[: len(points)]
    elif path.suffix == ".toml":
        assert Recipe.read(path) == Recipe.read(never_stopped.path / path.name)
    elif path.parent.name == "moments":
        ours = read_checkpoint(path)
        theirs = _read_once(never_stopped.moments().path(ours.step))
        assert (ours.step, ours.history) == (theirs.step, theirs.history)
        _same(ours.model.state_dict(), theirs.model.state_dict())
    elif path.name != "run.lock":  # which says who trains it, and nothing of the run
        assert path.name in ("model.safetensors", "state.safetensors")
        read_tensors(path)


_read_once = cache(read_checkpoint)


def _same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> None:
    assert first.keys() == second.keys()
    assert all(torch.equal(value, second[name]) for name, value in first.items())


def _left_over(folder: RunFolder) -> Sequence[Path]:
    return [*folder.path.rglob(".vae-explorer-*.tmp")]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="forks")
@pytest.mark.parametrize("trials", [12, pytest.param(100, marks=pytest.mark.long)])
def test_a_run_killed_at_any_moment_goes_on(
    recipe: Recipe,
    tmp_path: Path,
    trials: int,
    record_property: Callable[[str, object], None],
) -> None:
    record_property("kills", trials)
    data = mnist("train").subset(slice(500))
    recipe = recipe.replace(epochs=12, validation_images=100)  # of 4 steps
    recipe.write(tmp_path / "recipe.toml")
    train(recipe, data, runs=tmp_path / "whole", device="cpu")
    never_stopped = RunFolder(*(tmp_path / "whole").iterdir())
    end = never_stopped.resume(data, "cpu")
    words = ["--recipe", str(tmp_path / "recipe.toml"), "--images", "500", "--threads", "1"]
    subprocess.run(
        [sys.executable, "-c", _PARENT, str(tmp_path), str(trials), *words],
        check=True,
        timeout=300,
    )
    resumed = []
    for trial in range(trials):
        folder = RunFolder(*(tmp_path / str(trial)).iterdir())
        left_over = _left_over(folder)
        for path in folder.path.rglob("*"):
            if path.is_file() and path not in left_over:
                _whole(path, never_stopped)
        if not (folder.path / "recipe.toml").exists():  # nothing at all was written yet
            with pytest.raises(CheckpointError, match="does not exist"):
                folder.resume(data, "cpu")
            continue
        trainer = folder.resume(data, "cpu", _refuse_to_warn)
        assert _left_over(folder) == []
        if folder.model_path.exists():
            # Written after the state; at most that one save behind it.
            assert 0 <= trainer.step - read_checkpoint(folder.model_path).step <= 4
        resumed.append(trainer)
    resumed.sort(key=lambda trainer: trainer.step)
    for trainer in resumed[::4]:
        _finish(trainer)
        state, expected = trainer.state(), end.state()
        del state["seconds"], expected["seconds"]
        _same(state, expected)
        assert trainer.history == end.history


def _refuse_to_warn(message: str) -> None:
    raise AssertionError(message)


def _finish(trainer: Trainer) -> None:
    for _ in trainer.events():
        pass
