"""``torchrun -m vae_explorer train``: two processes that speak with one voice."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
import torch

import vae_explorer as vx
from vae_explorer.data.dataset import ImageSet
from vae_explorer.training.trainer import Trainer

TORCHRUN = [
    *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"),
    *("-m", "vae_explorer", "train", "--images", "500"),
]


@pytest.fixture
def recipe_file(tiny_recipe: vx.Recipe, tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    tiny_recipe.replace(epochs=10_000, batch_size=150).write(path)  # 150, 150 and 100 images
    return path


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows ends a process without asking it")
def test_ctrl_c_ends_both_after_the_same_step_and_one_can_go_on(
    recipe_file: Path, mnist_small: ImageSet, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    options = ["--recipe", str(recipe_file), "--runs", str(runs)]
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(
            [*TORCHRUN, *options, "--json"], stdout=subprocess.PIPE, stderr=errors
        ) as process,
    ):
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b'{"event": "epoch", "epoch": 1.0')
        process.send_signal(signal.SIGINT)
        printed = process.communicate(timeout=240)[0].splitlines()
        errors.seek(0)
        said = errors.read()
    assert process.returncode != 0
    assert printed[-1].startswith(b'{"event": "end", "finished": false')
    assert said.count("Stopped at epoch") == 1
    (run,) = runs.iterdir()
    assert f"\n  torchrun --nproc-per-node 2 -m vae_explorer train --resume {run} --images" in said
    assert "EndedElsewhere" not in said
    assert "RuntimeError" not in said
    stopped = vx.read_checkpoint(run / "model.safetensors")
    alone = Trainer(stopped.recipe, mnist_small.subset(slice(500)), "cpu")
    while alone.step < stopped.step:
        alone.take_step()
    weights = alone.vae.state_dict()
    for name, value in stopped.model.state_dict().items():
        torch.testing.assert_close(value, weights[name], atol=1e-3, rtol=1e-3)


_TWO = """
import os, sys
import vae_explorer.training.trainer
from vae_explorer.cli import main
for rank in range(2):
    if os.fork() == 0:
        os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank))
        main(sys.argv[1:])
sys.exit(1 if all([os.wait()[1] for _ in range(2)]) else 0)
"""
"""As torchrun starts them, but that both come of one that has imported torch."""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="forks")
def test_what_one_cannot_do_ends_both_and_is_said_once(
    recipe_file: Path, locked_folder: Path
) -> None:
    with closing(socket.socket()) as any_port:
        any_port.bind(("127.0.0.1", 0))
        port = any_port.getsockname()[1]
    told = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "TORCHELASTIC_RUN_ID": "none"}
    meet = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    words = ["train", "--images", "500", "--recipe", str(recipe_file)]
    done = subprocess.run(
        [sys.executable, "-c", _TWO, *words, "--runs", str(locked_folder / "runs")],
        capture_output=True,
        text=True,
        timeout=240,
        env=os.environ | told | meet,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("Error: Cannot start a run in") == 1
    assert "Choose another folder." in done.stderr
    assert "RuntimeError" not in done.stderr
