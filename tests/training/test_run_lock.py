import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import CheckpointError
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run import Recorder, train
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.trainer import Trainer

HOLDER = """
import sys, time
from pathlib import Path
from vae_explorer.training.run_folder import RunFolder
with RunFolder(Path(sys.argv[1])).held():
    print("held", flush=True)
    time.sleep(10)
"""


def test_a_run_that_another_process_trains_is_left_alone(
    mnist_small: ImageSet, recipe: Recipe, tmp_path: Path
) -> None:
    folder = RunFolder.create(tmp_path, recipe)
    half_written = folder.path / f".vae-explorer-{'0' * 16}.tmp"
    half_written.write_bytes(b"it is being written")
    command = [sys.executable, "-c", HOLDER, str(folder.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout
        assert other.stdout.readline() == "held\n"
        assert not folder.take_abandoned()
        with pytest.raises(CheckpointError, match=f"trained by process {other.pid} on"):
            folder.resume(mnist_small, "cpu")
        with pytest.raises(CheckpointError, match=f"trained by process {other.pid} on"):
            Recorder(Trainer(recipe, mnist_small, "cpu"), folder).__enter__()
        assert half_written.exists()
        other.kill()
    # The lock of a process that was killed is no lock.
    assert (folder.path / RunFolder.LOCK).exists()
    assert folder.is_abandoned()
    assert folder.is_abandoned()
    assert folder.take_abandoned()
    assert not folder.is_abandoned()
    assert not folder.take_abandoned()
    folder.resume(mnist_small, "cpu")
    assert not (folder.path / RunFolder.LOCK).exists()


def test_a_lock_without_a_name_soon_is_none(
    mnist_small: ImageSet, recipe: Recipe, tmp_path: Path
) -> None:
    folder = RunFolder.create(tmp_path, recipe)
    lock = folder.path / RunFolder.LOCK
    lock.touch()
    with pytest.raises(CheckpointError, match="is being trained by"):
        folder.resume(mnist_small, "cpu")
    os.utime(lock, (lock.stat().st_mtime - 5,) * 2)
    folder.resume(mnist_small, "cpu")
    assert not lock.exists()


def test_a_folder_that_is_deleted_meanwhile_is_made_again_whole(
    mnist_small: ImageSet, recipe: Recipe, tmp_path: Path
) -> None:
    folder = RunFolder.create(tmp_path / "runs", recipe)
    trainer = Trainer(recipe, mnist_small, "cpu")
    with Recorder(trainer, folder) as recorder:
        recorder.begin()
        trainer.take_step()
        shutil.rmtree(tmp_path / "runs")
        recorder.save()
    assert folder.recipe() == recipe
    again = folder.resume(mnist_small, "cpu")
    assert again.step == 1
    with Recorder(again, folder) as recorder:
        for _ in recorder.follow():
            pass
    assert folder.moments().steps


def test_a_run_that_cannot_begin_lets_its_folder_go(
    mnist_small: ImageSet, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Recorder) -> None:
        raise CheckpointError("the disk is full")

    monkeypatch.setattr(Recorder, "begin", refuse)
    with pytest.raises(CheckpointError, match="the disk is full"):
        train(recipe, mnist_small, runs=tmp_path, device="cpu")
    (folder,) = tmp_path.iterdir()
    assert not (folder / RunFolder.LOCK).exists()
