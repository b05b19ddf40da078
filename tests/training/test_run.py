import os
import shutil
from collections.abc import Callable, Iterator
from itertools import count, cycle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vae_explorer.data import bundled
from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import CheckpointError, DataError, DivergedError, RecipeError
from vae_explorer.model.vae import VAE
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.history import from_csv
from vae_explorer.training.objective import Objective, objective
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run import Recorder, train
from vae_explorer.training.run_folder import RunFolder, RunLabel
from vae_explorer.training.tensors import read_tensors, write_tensors
from vae_explorer.training.trainer import EpochMetrics, StepMetrics, Trainer, Turn


@pytest.fixture
def folder(tmp_path: Path, recipe: Recipe) -> RunFolder:
    return RunFolder.create(tmp_path / "runs", recipe)


def _finish(trainer: Trainer) -> Trainer:
    for _ in trainer.events():
        pass
    return trainer


def _train_to(trainer: Trainer, step: int) -> Trainer:
    while trainer.step < step:
        trainer.take_step()
    return trainer


def _same(first: Trainer, second: Trainer) -> bool:
    """Equal to the last bit: weights, both moments of the optimizer, random stream and sums.

    The history point for point too; but not the seconds, which tell of the machine.
    """
    ours, theirs = first.state(), second.state()
    del ours["seconds"], theirs["seconds"]
    return (
        ours.keys() == theirs.keys()
        and all(torch.equal(value, theirs[name]) for name, value in ours.items())
        and first.history == second.history
        and first.changes == second.changes
        and first.recipe == second.recipe
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


def _click(trainer: Trainer, images: np.ndarray, clicks: Iterator[int]) -> None:
    """What a person does meanwhile: look at the model in all ways, draw from everybody's stream."""
    model = trainer.snapshot().model
    for _ in range(next(clicks)):
        torch.randn(3)
        np.random.default_rng().normal(size=3)
        model.elbo(images[:20], seed=int(torch.randint(1_000, ())))
        model.decode(torch.randn(5, 2).numpy())
        model.encode(images[:5])


_MOVING = {"schedule": "one-cycle", "kl_warmup": 5.5, "precision": "bfloat16", "samples": 2}
_MANY = [1, 19, 20, 21, 39, 41, 173, 399]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stops", "changes"),
    [([160], {}), ([157], {}), (_MANY, {}), (_MANY, _MOVING)],
    ids=["at an epoch", "inside an epoch", "often", "often, with all that moves"],
)
def test_four_and_six_epochs_are_ten_whatever_is_looked_at_meanwhile(
    folder: RunFolder,
    recipe: Recipe,
    mnist_small: ImageSet,
    stops: list[int],
    changes: dict[str, object],
) -> None:
    """40 steps an epoch: stopped at its end, in its middle, and at and beside reports."""
    recipe = recipe.replace(epochs=10, batch_size=20, **changes)
    clicks = cycle([0, 1, 2])
    parts = Trainer(recipe, mnist_small, "cpu")
    for stop in stops:
        for event in parts.events(lambda: True):
            if event.step == stop:
                break
            if event.step % 37 == 0:
                _click(parts, mnist_small.images, clicks)
        assert parts.step == stop
        folder.save(parts)
        _click(parts, mnist_small.images, clicks)
        parts = folder.resume(mnist_small, "cpu")
        assert parts.step == stop
    _finish(parts)
    assert parts.step == 400
    assert _same(parts, _finish(Trainer(recipe, mnist_small, "cpu")))


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


def test_a_steered_run_is_resumed_as_it_was_steered(
    folder: RunFolder, recipe: Recipe, mnist_small: ImageSet
) -> None:
    whole = _train_to(Trainer(recipe, mnist_small, "cpu"), 5)
    whole.steer(beta=2.0, samples=3, learning_rate=3e-3)
    folder.save(whole)
    resumed = folder.resume(mnist_small, "cpu")
    assert [change.field for change in resumed.changes] == ["learning_rate", "beta", "samples"]
    for trainer in (whole, resumed):
        _train_to(trainer, 9).steer(beta=0.5)
    folder.save(resumed)
    resumed = folder.resume(mnist_small, "cpu")
    assert _same(_finish(resumed), _finish(whole))
    assert len(resumed.changes) == 4
    # What it began with is still there to be read.
    assert Recipe.read(folder.path / "recipe.toml") == recipe


def test_a_branch_never_trained_is_resumed(
    folder: RunFolder, recipe: Recipe, mnist_small: ImageSet
) -> None:
    branch = Trainer(recipe, mnist_small, "cpu")
    branch.branch(_train_to(Trainer(recipe, mnist_small, "cpu"), 5).snapshot())
    Recorder(branch, folder).begin()
    assert _same(_finish(folder.resume(mnist_small, "cpu")), _finish(branch))


def test_another_machine_is_warned_of(
    folder: RunFolder, trainer: Trainer, mnist_small: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.save(trainer)
    said: list[str] = []
    folder.resume(mnist_small, "cpu", said.append)
    assert said == []
    monkeypatch.setattr(torch, "__version__", "1.0")
    monkeypatch.setattr(torch, "get_num_threads", lambda: 96)
    folder.resume(mnist_small, "cpu", said.append)
    (warning,) = said
    assert warning.startswith("Trained so far with PyTorch ")
    assert "1 threads, from here with PyTorch 1.0 on cpu, " in warning
    assert warning.endswith("96 threads: last digits may differ.")


def test_a_machine_that_is_not_known_is_warned_of(
    folder: RunFolder, trainer: Trainer, mnist_small: ImageSet
) -> None:
    folder.save(trainer)
    tensors, fields = read_tensors(folder.state_path)
    del fields["machine"]
    write_tensors(folder.state_path, tensors, fields)
    said: list[str] = []
    folder.resume(mnist_small, "cpu", said.append)
    assert said[0].startswith("Trained so far with an unknown machine, from here with PyTorch ")


def test_a_run_that_ended_before_its_first_save_begins_anew(
    folder: RunFolder, trainer: Trainer, mnist_small: ImageSet
) -> None:
    resumed = folder.resume(mnist_small, "cpu")
    assert resumed.step == 0
    assert _same(_finish(resumed), _finish(trainer))


def test_what_a_killed_writer_left_is_deleted_when_the_run_goes_on(
    folder: RunFolder, trainer: Trainer, mnist_small: ImageSet
) -> None:
    Recorder(trainer, folder).begin()
    ours = [".vae-explorer-0123456789abcdef.tmp", "moments/.vae-explorer-fedcba9876543210.tmp"]
    foreign = [".vae-explorer-notes.tmp", "moments/mine.tmp"]
    for name in ours + foreign:
        (folder.path / name).write_bytes(b"half")
    folder.resume(mnist_small, "cpu")
    assert not any((folder.path / name).exists() for name in ours)
    assert all((folder.path / name).exists() for name in foreign)
    assert folder.moments().steps == [0]


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
    (folder.path / "recipe.toml").unlink()
    with pytest.raises(CheckpointError, match="does not exist"):
        folder.resume(mnist_small)


def test_a_run_never_saved_whose_recipe_is_damaged_is_refused(
    folder: RunFolder, mnist_small: ImageSet
) -> None:
    (folder.path / "recipe.toml").write_text("epochs = many")
    with pytest.raises(RecipeError, match=r"recipe\.toml is not TOML"):
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
        pytest.param(
            _replace("optimizer.encoder.0.weight.exp_avg", torch.zeros(1)), id="one for all"
        ),
        pytest.param(
            _replace("optimizer.encoder.0.bias.exp_avg", torch.full((16,), torch.nan)),
            id="NaN moment",
        ),
        pytest.param(_replace("sums", torch.zeros(())), id="shape of the sums"),
        pytest.param(_replace("sums", torch.full((6,), torch.inf)), id="infinite sums"),
        pytest.param(_replace("seconds", torch.zeros(2, dtype=torch.float64)), id="seconds"),
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


def test_a_run_that_diverges_is_kept_as_it_was_before_that_step(
    recipe: Recipe, mnist_small: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
    assert _same(_finish(resumed), _finish(Trainer(recipe, mnist_small, "cpu")))


# The label


def test_what_was_written_on_a_run_is_read_again(folder: RunFolder) -> None:
    assert folder.label == RunLabel()
    label = RunLabel('β = 4, "wide"', "two\nlines — 数字\n", "runs/a, step 128")
    folder.write_label(label)
    assert RunFolder(folder.path).label == label
    folder.write_label(RunLabel(name="other"))
    assert folder.label == RunLabel(name="other")


def test_a_label_that_cannot_be_written_is_said(folder: RunFolder) -> None:
    (folder.path / "label.toml").mkdir()
    assert folder.label == RunLabel()
    with pytest.raises(CheckpointError, match="Cannot write .*label"):
        folder.write_label(RunLabel("x"))


# The recorder


def test_a_recorder_keeps_moments_and_saves_at_epochs(
    folder: RunFolder, recipe: Recipe, mnist_small: ImageSet
) -> None:
    trainer = Trainer(recipe, mnist_small, "cpu")
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
    other = _train_to(Trainer(recipe, mnist_small, "cpu"), 12).snapshot()
    assert (middle.step, middle.history) == (12, other.history)
    np.testing.assert_array_equal(
        middle.model.decode(np.zeros((1, 2))), other.model.decode(np.zeros((1, 2)))
    )


def test_a_recorder_saves_now_and_then(
    folder: RunFolder, recipe: Recipe, mnist_small: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    trainer = _train_to(Trainer(recipe, mnist_small, "cpu"), 3)
    recorder = Recorder(trainer, folder)
    now = 30.0
    recorder.record(Turn(3))
    assert not folder.state_path.exists()
    now = 30.1
    recorder.record(Turn(3))
    assert folder.resume(mnist_small, "cpu").step == 3
    _train_to(trainer, 4)
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
    assert _finish(trainer).finished
    recorder.save()


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
