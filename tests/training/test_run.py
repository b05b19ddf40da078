import os
import shutil
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.support.trainers import NewTrainer, finish, same, train_to
from vae_explorer.data import bundled
from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import CheckpointError, DivergedError
from vae_explorer.model.vae import VAE
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.objective import Objective, objective
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run import Recorder, train
from vae_explorer.training.run_folder import RunFolder, RunLabel
from vae_explorer.training.trainer import EpochMetrics, StepMetrics, Trainer, Turn


def test_a_disk_that_refuses_leaves_the_last_good_files(
    new: NewTrainer, folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = train_to(new(), 8)
    folder.save(trainer)
    good = {item.name: item.read_bytes() for item in folder.path.iterdir()}

    def full(_: int) -> None:
        raise OSError(28, os.strerror(28))

    finish(trainer)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(CheckpointError, match="No space left on device"):
            folder.save(trainer)
    assert {item.name: item.read_bytes() for item in folder.path.iterdir()} == good
    assert read_checkpoint(folder.model_path).step == 8
    assert folder.save(trainer).step == 16  # there is room again
    assert read_checkpoint(folder.model_path).step == 16


def test_a_history_that_cannot_be_written_is_a_plain_refusal(
    folder: RunFolder, trainer: Trainer
) -> None:
    (folder.path / "history.csv").mkdir()
    with pytest.raises(CheckpointError, match="Cannot write") as caught:
        folder.save(trainer)
    assert str(folder.path) in str(caught.value)


def test_a_folder_deleted_while_training_comes_back(folder: RunFolder, trainer: Trainer) -> None:
    shutil.rmtree(folder.path)
    folder.save(finish(trainer))
    assert read_checkpoint(folder.model_path).step == 16


def test_divergence_keeps_the_last_good_files(
    new: NewTrainer, folder: RunFolder, mnist_small: ImageSet
) -> None:
    trainer = new()
    events = trainer.events()
    assert isinstance(next(events), EpochMetrics)
    folder.save(trainer)
    with torch.no_grad():
        next(trainer.vae.decoder.parameters()).fill_(torch.nan)
    with pytest.raises(DivergedError):
        next(events)
    assert read_checkpoint(folder.model_path).step == 8
    assert folder.resume(mnist_small, "cpu").step == 8


def test_a_run_that_diverges_is_kept_as_it_was_before_that_step(
    new: NewTrainer,
    recipe: Recipe,
    mnist_small: ImageSet,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The images of its twelfth step turn to what is no number, once."""
    real, steps = objective, count(1)

    def poisoned(recipe: Recipe, vae: VAE, x: torch.Tensor, *rest: Any) -> Objective:
        return real(recipe, vae, x * torch.nan if next(steps) == 12 else x, *rest)

    monkeypatch.setattr("vae_explorer.training.distributed.objective", poisoned)
    with pytest.raises(DivergedError, match=r"at step 12 .*: the log-likelihood is not finite"):
        train(recipe, mnist_small, runs=tmp_path, device="cpu")
    folder = RunFolder(*tmp_path.iterdir())
    kept = read_checkpoint(folder.model_path)
    assert (kept.step, kept.epoch) == (11, 11 / 8)
    resumed = folder.resume(mnist_small, "cpu")
    assert resumed.step == 11
    monkeypatch.undo()
    assert same(finish(resumed), finish(new()))


# The label


def test_what_was_written_on_a_run_is_read_again(folder: RunFolder) -> None:
    assert folder.label == RunLabel()
    label = RunLabel('β = 4, "wide"', "two\nlines — 数字\n", "runs/a, step 128")
    folder.write_label(label)
    assert RunFolder(folder.path).label == label
    folder.write_label(RunLabel(name="other"))
    assert folder.label == RunLabel(name="other")
    path = folder.path / RunFolder.LABEL
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert folder.label == RunLabel(name="other")


def test_a_label_that_cannot_be_written_is_said(folder: RunFolder) -> None:
    (folder.path / "label.toml").mkdir()
    assert folder.label == RunLabel()
    with pytest.raises(CheckpointError, match="Cannot write .*label"):
        folder.write_label(RunLabel("x"))


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("name = 'a'\nnote = 1\ncolour = 'red'", RunLabel("a")),
        ("name = ", RunLabel()),
        ("name = 'caf\xe9'", RunLabel("caf\xe9")),
        ("[" * 50_000, RunLabel()),
    ],
    ids=["a bad note", "no TOML", "an accent", "deep"],
)
def test_of_a_label_the_good_part_is_read(text: str, label: RunLabel, tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    assert run.label == RunLabel()
    (tmp_path / "label.toml").write_text(text, encoding="utf-8")
    assert run.label == label
    (tmp_path / "label.toml").write_bytes(b"name = '\xff'")
    assert run.label == RunLabel()


# The recorder


def test_a_recorder_keeps_moments_and_saves_at_epochs(
    new: NewTrainer, folder: RunFolder, mnist_small: ImageSet
) -> None:
    trainer = new()
    recorder = Recorder(trainer, folder)
    recorder.begin()
    assert recorder.moments.steps == [0]
    assert folder.resume(mnist_small, "cpu").step == read_checkpoint(folder.model_path).step == 0
    saved: list[tuple[int, int]] = []
    for event in recorder.follow():
        assert recorder.moments.steps[-1] == event.step
        saved.append((event.step, read_checkpoint(folder.model_path).step))
    # A run of sixteen steps keeps them all; it is saved where its two epochs end.
    assert recorder.moments.steps == folder.moments().steps == list(range(17))
    assert saved == [(step, step // 8 * 8) for step in range(1, 17)]
    middle = folder.moments().read(12, tuple(trainer.history))
    other = train_to(new(), 12).snapshot()
    assert (middle.step, middle.history) == (12, other.history)
    np.testing.assert_allclose(
        middle.model.decode(np.zeros((1, 2))), other.model.decode(np.zeros((1, 2))), atol=0.5 / 255
    )


def test_a_recorder_saves_now_and_then(
    new: NewTrainer, folder: RunFolder, mnist_small: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    trainer = train_to(new(), 3)
    recorder = Recorder(trainer, folder)
    now = 30.0
    recorder.record(Turn(3))
    assert not folder.state_path.exists()
    now = 30.1
    recorder.record(Turn(3))
    assert folder.resume(mnist_small, "cpu").step == 3
    train_to(trainer, 4)
    recorder.record(Turn(4))
    assert folder.resume(mnist_small, "cpu").step == 3


def test_a_resumed_recorder_keeps_the_same_moments(
    folder: RunFolder, recipe: Recipe, mnist_small: ImageSet, tmp_path: Path
) -> None:
    recipe = recipe.replace(batch_size=5)  # 320 steps, every sixth is kept

    def record(trainer: Trainer, folder: RunFolder, stop: int) -> None:
        recorder = Recorder(trainer, folder)
        recorder.begin()
        for event in recorder.follow(lambda: trainer.step == stop):
            if event.step == stop:
                recorder.save()
                break

    whole = RunFolder.create(tmp_path / "whole", recipe)
    record(Trainer(recipe, mnist_small, "cpu"), whole, 320)
    record(Trainer(recipe, mnist_small, "cpu"), folder, 101)
    record(folder.resume(mnist_small, "cpu"), folder, 250)
    record(folder.resume(mnist_small, "cpu"), folder, 320)
    assert folder.moments().steps == whole.moments().steps
    for step in whole.moments().steps:
        first, second = (one.moments().read(step).model.state_dict() for one in (folder, whole))
        assert all(torch.equal(value, second[name]) for name, value in first.items())


def test_training_goes_on_when_the_disk_refuses_a_moment(
    folder: RunFolder, trainer: Trainer
) -> None:
    recorder = Recorder(trainer, folder)
    recorder.begin()
    for path in (folder.path / "moments").iterdir():
        path.unlink()
    (folder.path / "moments").rmdir()
    (folder.path / "moments").touch()
    with pytest.raises(CheckpointError, match="Cannot write"):
        next(recorder.follow())
    assert finish(trainer).finished
    recorder.save()


# The loop


def test_train_keeps_a_run_and_reports_it(
    new: NewTrainer, recipe: Recipe, mnist_small: ImageSet, tmp_path: Path
) -> None:
    events: list[StepMetrics] = []
    snapshot = train(recipe, mnist_small, runs=tmp_path, device="cpu", report=events.append)
    (path,) = tmp_path.iterdir()
    kept = read_checkpoint(path / "model.safetensors")
    assert kept.history == snapshot.history == tuple(event.point for event in events)
    assert kept.step == snapshot.step == 16
    assert RunFolder(path).resume(mnist_small, "cpu").finished
    assert same(RunFolder(path).resume(mnist_small, "cpu"), finish(new()))


def test_each_epoch_is_on_disk_before_it_is_reported(
    recipe: Recipe, mnist_small: ImageSet, tmp_path: Path
) -> None:
    kept = []

    def look(event: StepMetrics) -> None:
        (path,) = tmp_path.iterdir()
        kept.append((event.step, read_checkpoint(path / "model.safetensors").step))

    train(recipe, mnist_small, runs=tmp_path, device="cpu", report=look)
    assert kept == [(8, 8), (16, 16)]


def test_train_writes_nothing_unless_asked(
    recipe: Recipe, mnist_small: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    home = Path(os.environ["HOME"])
    before = sorted(home.rglob("*"))
    assert train(recipe, mnist_small, device="cpu").step == 16
    assert list(tmp_path.iterdir()) == []
    assert sorted(home.rglob("*")) == before


def test_train_takes_mnist_unless_told_otherwise(
    recipe: Recipe, mnist_small: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundled, "mnist", {"train": mnist_small}.__getitem__)
    assert train(recipe, device="cpu").data.fingerprint == mnist_small.fingerprint
