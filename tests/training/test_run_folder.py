import csv
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.support.trainers import NewTrainer, finish, same, train_to
from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import CheckpointError, DataError, RecipeError
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.history import from_csv
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run import Recorder
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.tensors import read_tensors, write_tensors
from vae_explorer.training.trainer import Trainer


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
    finish(trainer)
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
    positions = np.zeros((1, 2))
    np.testing.assert_array_equal(again.model.decode(positions), snapshot.model.decode(positions))


# Resuming


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
        folder.save(parts)  # paused again before another step
        parts = folder.resume(mnist_small, "cpu")
    finish(parts)
    assert parts.step == 400
    assert same(parts, finish(Trainer(recipe, mnist_small, "cpu")))


def test_a_steered_run_is_resumed_as_it_was_steered(
    new: NewTrainer, folder: RunFolder, recipe: Recipe, mnist_small: ImageSet
) -> None:
    whole = train_to(new(), 5)
    whole.steer(beta=2.0, samples=3, learning_rate=3e-3)
    folder.save(whole)
    resumed = folder.resume(mnist_small, "cpu")
    assert [change.field for change in resumed.changes] == ["learning_rate", "beta", "samples"]
    for trainer in (whole, resumed):
        train_to(trainer, 9).steer(beta=0.5)
    folder.save(resumed)
    resumed = folder.resume(mnist_small, "cpu")
    assert same(finish(resumed), finish(whole))
    assert len(resumed.changes) == 4
    # What it began with is still there to be read.
    assert Recipe.read(folder.path / "recipe.toml") == recipe


def test_a_branch_never_trained_is_resumed(
    new: NewTrainer, folder: RunFolder, mnist_small: ImageSet
) -> None:
    branch = new()
    branch.branch(train_to(new(), 5).snapshot())
    Recorder(branch, folder).begin()
    assert same(finish(folder.resume(mnist_small, "cpu")), finish(branch))


def test_the_history_of_a_run_says_what_its_figures_are_not(
    folder: RunFolder, mnist_small: ImageSet
) -> None:
    recipe = Recipe.read(folder.path / "recipe.toml").replace(treatment="gray")
    trainer = Trainer(recipe, mnist_small, "cpu")
    while not trainer.history:
        trainer.take_step()
    folder.save(trainer)
    rows = list(csv.DictReader((folder.path / "history.csv").read_text().splitlines()))
    assert {row["remark"] for row in rows} == {"cross-entropy, no likelihood"}
    assert folder.history() == tuple(trainer.history)
    assert folder.history(told=True) == tuple(trainer.history[-1:])


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
    assert same(finish(resumed), finish(trainer))


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


def test_a_finished_run_has_nothing_left_to_do(
    folder: RunFolder, trainer: Trainer, mnist_small: ImageSet
) -> None:
    folder.save(finish(trainer))
    resumed = folder.resume(mnist_small, "cpu")
    assert resumed.finished
    assert list(resumed.events()) == []
    assert same(resumed, trainer)


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
    folder.save(train_to(trainer, 3))
    harm(folder.state_path)
    with pytest.raises(CheckpointError, match="damaged|does not fit") as caught:
        folder.resume(mnist_small, "cpu")
    assert str(folder.state_path) in str(caught.value)
