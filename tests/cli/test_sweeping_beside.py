"""Runs of a sweep at the same time, in processes here or on the workers of a scheduler."""

import csv
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest
from click.testing import Result

import vae_explorer as vx
from tests.support.models import MARGINAL_POINTS
from vae_explorer.training import held_out
from vae_explorer.training.run_folder import RunFolder

Cli = Callable[..., Result]
Refused = Callable[..., str]

ENDLESS = ["--set", "epochs=10000"]
needs_signals = pytest.mark.skipif(os.name == "nt", reason="Windows ends a process without asking")


@pytest.fixture
def quick(tiny_recipe: vx.Recipe, tmp_path: Path) -> list[object]:
    """Options of a sweep of four short runs, but for its folder."""
    path = tmp_path / "tiny.toml"
    tiny_recipe.replace(validation_images=10).write(path)
    return ["--recipe", path, "--images", 500, "--threads", 1, "--vary", "seed=0:4"]


class Sweep:
    """A sweep in a process of its own; ``lines`` are what it has said."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []

    def wait_for(self, text: str, times: int = 1) -> str:
        """Wait until it has said it so often; gives the last of the lines."""
        assert self.process.stderr is not None
        found = [line for line in self.lines if text in line]
        while len(found) < times:
            line = self.process.stderr.readline()
            assert line, "\n".join(self.lines)
            self.lines.append(line.rstrip())
            found += [line] if text in line else []
        return found[-1]

    def end(self) -> int:
        printed, said = self.process.communicate(timeout=120)
        self.lines += [*said.splitlines(), *printed.splitlines()]
        return self.process.returncode


@contextmanager
def _sweep(*options: object) -> Iterator[Sweep]:
    command = [sys.executable, "-m", "vae_explorer", "sweep", *map(str, options)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:  # type: ignore[call-overload]
        yield Sweep(process)
        process.kill()


def _rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "results.csv").open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def _same_runs(first: Path, second: Path) -> None:
    """Both tables, and what is in the folders, but for names and seconds."""
    for one, other in zip(_rows(first), _rows(second), strict=True):
        files = [
            sorted(path.relative_to(top / row["run"]) for path in (top / row["run"]).rglob("*"))
            for top, row in ((first, one), (second, other))
        ]
        assert files[0] == files[1]
        runs = [RunFolder(top / row["run"]) for top, row in ((first, one), (second, other))]
        assert runs[0].history() == runs[1].history()
        assert runs[0].label.name == runs[1].label.name
        for row in (one, other):
            del row["run"], row["seconds"]
        assert one == other


@pytest.mark.slow
def test_two_at_a_time_are_as_one_after_another(
    cli: Cli, quick: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_out, "MARGINAL_POINTS", MARGINAL_POINTS)  # as in other processes
    assert cli("sweep", *quick, "--out", tmp_path / "one").exit_code == 0
    beside = cli("sweep", *quick, "--out", tmp_path / "two", "--jobs", 2)
    assert beside.exit_code == 0
    _, _, said = beside.stderr.partition("run 4 of 4: seed=3")
    assert "run 4 of 4: epoch 1/1: ELBO" in said
    _same_runs(tmp_path / "one", tmp_path / "two")


@pytest.mark.long
@needs_signals
def test_a_run_that_dies_is_told_and_ctrl_c_ends_all_others(
    quick: list[object], tmp_path: Path
) -> None:
    folder = tmp_path / "sweep"
    with _sweep(*quick, *ENDLESS, "--out", folder, "--jobs", 2) as sweep:
        for number in (1, 2):
            sweep.wait_for(f"run {number} of 4: epoch 1/10000")
        workers = [
            child
            for child in psutil.Process(sweep.process.pid).children()
            if "spawn_main" in " ".join(child.cmdline())
        ]
        workers[0].kill()
        sweep.wait_for("of 4: its process died with status -9.")
        sweep.wait_for("run 3 of 4: epoch 1/10000")
        sweep.process.send_signal(signal.SIGINT)
        assert sweep.end() == 130
        psutil.wait_procs(workers, timeout=10)
        assert not any(worker.is_running() for worker in workers)
    assert "Stopped with 4 of 4 runs to go; go on with" in sweep.lines
    command = f"  vae-explorer sweep --resume {folder} --threads 1 --jobs 2"
    assert command in sweep.lines
    outcomes = [row["outcome"] for row in _rows(folder)]
    assert outcomes == ["begun", "begun", "begun", "waiting"]
    assert all(float(row["epoch"]) >= 1 for row in _rows(folder)[:3])
    assert not [*folder.glob("*/run.lock")][1:], "but for that of the one that was killed"
    with _sweep(*shlex.split(command)[2:]) as sweep:
        for number in (1, 2):
            reached = float(_rows(folder)[number - 1]["epoch"])
            line = sweep.wait_for(f"run {number} of 4: epoch")
            assert int(line.split("epoch ")[1].split("/")[0]) > reached
        sweep.process.send_signal(signal.SIGINT)
        assert sweep.end() == 130


def test_what_cannot_be_together(refused: Refused, quick: list[object], tmp_path: Path) -> None:
    out = ["--out", tmp_path / "sweep"]
    text = refused("sweep", *quick, *out, "--jobs", 2, "--scheduler", "tcp://127.0.0.1:9")
    assert "--scheduler has workers" in text
    assert not (tmp_path / "sweep").exists()
    assert "Device 'cuda:9'" in refused("sweep", *quick, *out, "--jobs", 2, "--device", "cuda:9")


def test_without_the_package_it_is_said_how_to_get_it(
    refused: Refused, quick: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    out = ["--out", tmp_path / "sweep", "--scheduler", "tcp://127.0.0.1:9"]
    assert "\n  pip install 'vae-explorer[cluster]'" in refused("sweep", *quick, *out)
    assert not (tmp_path / "sweep").exists()


def test_an_address_that_is_none(refused: Refused, quick: list[object], tmp_path: Path) -> None:
    out = ["--out", tmp_path / "sweep"]
    for address in ("nonsense://x", "tcp://"):
        text = refused("sweep", *quick, *out, "--scheduler", address)
        assert f"No scheduler answers at {address}: " in text
        assert "Start one by 'dask scheduler'" in text
    assert not (tmp_path / "sweep").exists()


@contextmanager
def _dask(*words: object) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "dask", *map(str, words), "--no-dashboard"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, **quiet) as process:  # type: ignore[call-overload]
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.long
@needs_signals
def test_a_worker_that_dies_loses_no_run(cli: Cli, quick: list[object], tmp_path: Path) -> None:
    """A real scheduler and two workers, on the loopback address."""
    with closing(socket.socket()) as any_port:
        any_port.bind(("127.0.0.1", 0))
        port = any_port.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    elsewhere = ["--scheduler", address]
    longer = ["--set", "epochs=100"]  # none ends before it is known to have begun
    with ExitStack() as stack:
        stack.enter_context(_dask("scheduler", "--host", "tcp://127.0.0.1", "--port", port))
        workers = [
            stack.enter_context(
                _dask(
                    *("worker", address, "--nthreads", 1, "--no-nanny"),
                    *("--local-directory", tmp_path / f"worker{number}"),
                )
            )
            for number in range(2)
        ]
        time.sleep(5)  # both are there
        beside = tmp_path / "beside"
        with _sweep(*quick, *longer, "--out", beside, *elsewhere) as sweep:
            sweep.wait_for("begun by", 2)
            sweep.wait_for("epoch 2/100", 2)
            workers[0].kill()
            assert sweep.end() == 0
        assert sum("begun by" in line for line in sweep.lines) == 5  # one of them twice
        with _sweep(*quick, *longer, "--out", tmp_path / "here") as sweep:
            assert sweep.end() == 0
        _same_runs(tmp_path / "here", beside)

        stopped = tmp_path / "stopped"
        with _sweep(*quick, *ENDLESS, "--out", stopped, *elsewhere) as sweep:
            sweep.wait_for("epoch 3/10000")
            sweep.process.send_signal(signal.SIGINT)
            assert sweep.end() == 130
        assert f"  vae-explorer sweep --resume {stopped} --threads 1 {' '.join(elsewhere)}" in (
            sweep.lines
        )
        first, *others = _rows(stopped)
        assert first["outcome"] == "begun"
        assert [row["outcome"] for row in others] == ["waiting"] * 3
        with _sweep("--resume", stopped, *elsewhere) as sweep:
            line = sweep.wait_for("run 1 of 4: epoch")
            assert int(line.split("epoch ")[1].split("/")[0]) > float(first["epoch"]) >= 3
            sweep.process.send_signal(signal.SIGINT)
            assert sweep.end() == 130

        here, there = tmp_path / "here.npz", tmp_path / "there.npz"
        assert cli("encode", "mnist-elbo", "--out", here).exit_code == 0
        assert cli("encode", "mnist-elbo", "--out", there, *elsewhere).exit_code == 0
        with np.load(here) as one, np.load(there) as other:
            for name in ("mean", "covariance"):
                np.testing.assert_allclose(one[name], other[name], atol=1e-4)
        model = beside / _rows(beside)[0]["run"] / "model.safetensors"
        few = tmp_path / "few.npz"
        np.savez(few, images=vx.mnist("test").images[:40])
        score = ["evaluate", model, "mnist-elbo", "--data", few, "--subset", 2, "--json"]
        rows, expected = (json.loads(cli(*line).stdout) for line in ([*score, *elsewhere], score))
        for row, other in zip(rows["models"], expected["models"], strict=True):
            assert row["checkpoint"] == other["checkpoint"]
            for name in ("elbo", "iwae_5000", "log_marginal", "amortisation_gap"):
                assert row[name] == pytest.approx(other[name], abs=0.01)
