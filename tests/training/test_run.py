import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from vae_explorer.data import bundled
from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import CheckpointError, DataError, DivergedError
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.history import from_csv
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run import RunFolder, train
from vae_explorer.training.tensors import read_tensors, write_tensors
from vae_explorer.training.trainer import EpochMetrics, StepMetrics, Trainer


@pytest.fixture
def folder(tmp_path: Path, recipe: Recipe) -> RunFolder:
    return RunFolder.create(tmp_path / "runs", recipe)


def _finish(trainer: Trainer) -> Trainer:
    for _ in trainer.events():
        pass
    return trainer


def _train_to(trainer: Trainer, step: int) -> Trainer:
    for event in trainer.events(interrupted=lambda: trainer.step == step):
        if event.step == step:
            break
    return trainer


def _same(first: Trainer, second: Trainer) -> bool:
    """Equal to the last bit: weights, both moments of the optimizer, and the random stream."""
    ours, theirs = first.state(), second.state()
    return ours.keys() == theirs.keys() and all(
        torch.equal(value, theirs[name]) for name, value in ours.items()
    )


# The folder


def test_a_new_run_is_a_folder_named_by_date_and_seed_with_its_recipe(
    tmp_path: Path, recipe: Recipe
) -> None:
    folder = RunFolder.create(tmp_path / "deep" / "runs", recipe.replace(seed=42))
    assert folder.path.parent == tmp_path / "deep" / "runs"
    assert folder.path.name.endswith("-seed42")
    assert [item.name for item in folder.path.iterdir()] == ["recipe.toml"]
    assert Recipe.read(folder.path / "recipe.toml") == recipe.replace(seed=42)


def test_runs_of_the_same_second_do_not_share_a_folder(
    tmp_path: Path, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.strftime", lambda _: "20300101-000000")
    names = [RunFolder.create(tmp_path, recipe).path.name for _ in range(3)]
    assert names == [f"20300101-000000-seed0{suffix}" for suffix in ("", "-2", "-3")]


def test_a_run_that_cannot_be_kept_is_refused_at_once(tmp_path: Path, recipe: Recipe) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match="Cannot start a run.*another folder") as caught:
        RunFolder.create(tmp_path / "file", recipe)
    assert str(tmp_path / "file") in str(caught.value)


def test_a_saved_run_can_be_read_by_a_person_and_by_the_program(
    folder: RunFolder, trainer: Trainer, recipe: Recipe
) -> None:
    _finish(trainer)
    snapshot = folder.save(trainer)
    assert sorted(item.name for item in folder.path.iterdir()) == [
        "history.csv",
        "model.safetensors",
        "recipe.toml",
        "state.safetensors",
    ]
    again = read_checkpoint(folder.model_path)
    assert again.recipe == recipe == Recipe.read(folder.path / "recipe.toml")
    assert again.history == snapshot.history == tuple(trainer.history)
    assert from_csv((folder.path / "history.csv").read_text()) == again.history
    assert (again.epoch, again.step) == (2, 16)
    places = np.zeros((1, 2))
    np.testing.assert_array_equal(again.model.decode(places), snapshot.model.decode(places))


# Resuming


def test_two_and_two_epochs_are_four(
    folder: RunFolder, recipe: Recipe, mnist_small: ImageSet
) -> None:
    recipe = recipe.replace(epochs=4)
    first = _train_to(Trainer(recipe, mnist_small, "cpu"), 16)
    folder.save(first)
    del first
    torch.randn(5)
    second = folder.resume(mnist_small, "cpu")
    assert second.epoch == 2
    _finish(second)
    whole = _finish(Trainer(recipe, mnist_small, "cpu"))
    assert _same(second, whole)
    assert second.history == whole.history


@pytest.mark.parametrize("step", [1, 3, 11])
def test_a_run_stopped_inside_an_epoch_goes_on_to_the_same_numbers(
    folder: RunFolder, recipe: Recipe, mnist_small: ImageSet, step: int
) -> None:
    folder.save(_train_to(Trainer(recipe, mnist_small, "cpu"), step))
    resumed = folder.resume(mnist_small, "cpu")
    assert resumed.step == step
    folder.save(resumed)  # paused again before another step
    resumed = _finish(folder.resume(mnist_small, "cpu"))
    whole = _finish(Trainer(recipe, mnist_small, "cpu"))
    assert _same(resumed, whole)
    assert resumed.history[-1].held_out_elbo == whole.history[-1].held_out_elbo


def test_a_run_saved_before_its_first_step_can_be_resumed(
    folder: RunFolder, trainer: Trainer, mnist_small: ImageSet
) -> None:
    folder.save(trainer)
    assert _same(_finish(folder.resume(mnist_small, "cpu")), _finish(trainer))


def test_a_finished_run_has_nothing_left_to_do(
    folder: RunFolder, trainer: Trainer, mnist_small: ImageSet
) -> None:
    folder.save(_finish(trainer))
    resumed = folder.resume(mnist_small, "cpu")
    assert resumed.finished
    assert list(resumed.events()) == []
    assert _same(resumed, trainer)


def test_other_images_are_refused(
    folder: RunFolder, trainer: Trainer, mnist_small: ImageSet
) -> None:
    folder.save(trainer)
    with pytest.raises(DataError, match=mnist_small.fingerprint[:12]) as caught:
        folder.resume(mnist_small.subset(slice(0, 999)), "cpu")
    assert str(folder.path) in str(caught.value)


def test_a_run_never_saved_cannot_be_resumed(folder: RunFolder, mnist_small: ImageSet) -> None:
    with pytest.raises(CheckpointError, match="does not exist"):
        folder.resume(mnist_small)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def _replace(name: str, value: torch.Tensor | None) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        tensors, header = read_tensors(path)
        del tensors[name]
        write_tensors(path, tensors | ({} if value is None else {name: value}), header)

    return change


@pytest.mark.parametrize(
    "harm",
    [
        pytest.param(_cut, id="cut"),
        pytest.param(_replace("noise", None), id="no noise"),
        pytest.param(_replace("noise", torch.zeros(3, dtype=torch.uint8)), id="short noise"),
        pytest.param(_replace("noise", torch.zeros(5_056)), id="noise of another type"),
        pytest.param(_replace("optimizer.encoder.0.weight.exp_avg", None), id="no moment"),
        pytest.param(
            _replace("optimizer.encoder.0.weight.exp_avg", torch.zeros(3, 3)), id="moment's shape"
        ),
        pytest.param(
            _replace("optimizer.encoder.0.bias.step", torch.zeros(2)), id="shape of the step"
        ),
        pytest.param(_replace("model.encoder.0.weight", None), id="no weights"),
        pytest.param(_replace("model.encoder.0.weight", torch.zeros(2)), id="weights' shape"),
    ],
)
def test_a_damaged_state_is_refused(
    folder: RunFolder, trainer: Trainer, mnist_small: ImageSet, harm: Callable[[Path], None]
) -> None:
    folder.save(_train_to(trainer, 3))
    harm(folder.state_path)
    with pytest.raises(CheckpointError, match="damaged|does not fit") as caught:
        folder.resume(mnist_small, "cpu")
    assert str(folder.state_path) in str(caught.value)


# When saving fails


def test_a_disk_that_refuses_leaves_the_last_good_files(
    folder: RunFolder, recipe: Recipe, mnist_small: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = _train_to(Trainer(recipe, mnist_small, "cpu"), 8)
    folder.save(trainer)
    good = {item.name: item.read_bytes() for item in folder.path.iterdir()}

    def full(_: int) -> None:
        raise OSError(28, os.strerror(28))

    _finish(trainer)
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
    folder.save(_finish(trainer))
    assert read_checkpoint(folder.model_path).step == 16


def test_divergence_keeps_the_last_good_files(
    folder: RunFolder, recipe: Recipe, mnist_small: ImageSet
) -> None:
    trainer = Trainer(recipe, mnist_small, "cpu")
    events = trainer.events()
    assert isinstance(next(events), EpochMetrics)
    folder.save(trainer)
    with torch.no_grad():
        next(trainer.vae.decoder.parameters()).fill_(torch.nan)
    with pytest.raises(DivergedError):
        next(events)
    assert read_checkpoint(folder.model_path).step == 8
    assert folder.resume(mnist_small, "cpu").step == 8


# The loop


def test_train_keeps_a_run_and_reports_it(
    recipe: Recipe, mnist_small: ImageSet, tmp_path: Path
) -> None:
    events: list[StepMetrics] = []
    snapshot = train(recipe, mnist_small, runs=tmp_path, device="cpu", report=events.append)
    (path,) = tmp_path.iterdir()
    kept = read_checkpoint(path / "model.safetensors")
    assert kept.history == snapshot.history == tuple(event.point for event in events)
    assert kept.step == snapshot.step == 16
    assert RunFolder(path).resume(mnist_small, "cpu").finished
    assert _same(
        RunFolder(path).resume(mnist_small, "cpu"), _finish(Trainer(recipe, mnist_small, "cpu"))
    )


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
