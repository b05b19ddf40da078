"""The disk refuses, a run diverges, a step breaks."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.support.models import same_weights
from tests.support.outcomes import raising, torch_shape_error
from tests.support.training_runs import Run
from vae_explorer.errors import CheckpointError, DivergedError
from vae_explorer.session.training import worker as worker_module
from vae_explorer.session.training.events import Phase
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.moments import Moments
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.training.trainer import Trainer

InStep = Callable[[int, Callable[[], object]], None]

DIVERGING = Recipe(
    epochs=100,
    batch_size=50,
    learning_rate=1.0,
    warmup_steps=0,
    gradient_clip=0.0,
    encoder_hidden="-".join(["32"] * 8),
    validation_images=100,
)
"""The largest step through many layers overflows within a few steps."""


def test_training_goes_on_when_the_disk_refuses(
    inline: Run,
    recipe: Recipe,
    trained: Snapshot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    create = RunFolder.create

    def create_and_lose(parent: Path, recipe: Recipe) -> RunFolder:
        folder = create(parent, recipe)
        shutil.rmtree(folder.path)
        folder.path.write_text("a file where the folder was")
        return folder

    monkeypatch.setattr(RunFolder, "create", create_and_lose)
    inline.train(recipe)
    (refusal,) = inline.refusals  # once, not at every epoch
    assert isinstance(refusal, CheckpointError)
    # At the start, at the end of every epoch and at the end; not of every moment.
    assert inline.said("Not saved") == recipe.epochs + 2
    ((snapshot, path),) = inline.ends
    assert same_weights(snapshot, trained)
    assert path is None
    assert "not saved" in inline.lines[-1]
    assert inline.failures == []


def test_a_disk_that_takes_saves_again_is_told_of_anew(
    inline: Run, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = RunFolder.save
    refused = {0, 1, 3}
    tries = iter(range(100))

    def moody(folder: RunFolder, trainer: Trainer) -> Snapshot:
        if next(tries) in refused:
            raise CheckpointError("The disk is full.")
        return save(folder, trainer)

    monkeypatch.setattr(RunFolder, "save", moody)
    inline.train(recipe.replace(epochs=6))
    assert len(inline.refusals) == 2
    assert len(inline.ends) == 1
    assert inline.saved.epoch == 6


def test_a_removed_run_folder_is_made_again(running: Run) -> None:
    running.pause()
    shutil.rmtree(running.runs)
    running.session.resume()
    assert same_weights(running.stop(), running.saved)
    assert running.refusals == []


def test_a_diverged_run_fails_and_the_next_works(inline: Run, recipe: Recipe) -> None:
    inline.train(DIVERGING)
    (error,) = inline.failures
    assert isinstance(error, DivergedError)
    assert inline.phases == [Phase.RUNNING, Phase.IDLE]
    assert "diverged" in inline.lines[-1]
    inline.train(recipe)
    assert len(inline.ends) == 1


def test_weights_that_are_no_numbers_are_neither_shown_nor_saved(
    inline: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "LIVE_SECONDS", 0.0)
    inline.train(DIVERGING.replace(batch_size=500))  # one step an epoch
    assert isinstance(inline.failures[0], DivergedError)
    assert inline.moves
    for snapshot, _ in inline.moves:
        assert all(weights.isfinite().all() for weights in snapshot.model.state_dict().values())
    assert read_checkpoint(inline.folder.model_path).step == inline.moves[-1][0].step


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(
    ("break_down", "kind"),
    [
        (torch_shape_error, RuntimeError),
        (raising(torch.OutOfMemoryError("CUDA out of memory")), RuntimeError),
        (raising(MemoryError()), MemoryError),
        (raising(KeyboardInterrupt()), KeyboardInterrupt),
        (raising(SystemExit(1)), SystemExit),
    ],
    ids=["shape", "device memory", "memory", "interrupt", "exit"],
)
def test_a_run_that_breaks_in_a_step_is_told_and_the_next_works(
    threaded: Run,
    recipe: Recipe,
    in_step: InStep,
    break_down: Callable[..., object],
    kind: type[BaseException],
) -> None:
    in_step(15, break_down)
    threaded.train(recipe)
    (error,) = threaded.failures
    assert isinstance(error, kind)
    assert threaded.ends == []
    assert read_checkpoint(threaded.folder.model_path).epoch == 1
    threaded.train(recipe)
    assert len(threaded.ends) == 1


def test_a_run_whose_moments_are_refused_is_saved_and_that_is_said_once(
    inline: Run, recipe: Recipe, trained: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Moments, "keep", raising(CheckpointError("No room.")))
    inline.train(recipe)
    assert same_weights(inline.finish(), trained)
    assert len(inline.refusals) == 1
    assert inline.said("Not saved") == 1
    assert inline.kept == []
    assert inline.session.checkpoint == inline.folder.model_path
    assert same_weights(inline.saved, trained)


def test_a_diverged_run_keeps_the_last_good_model_and_all_its_figures(inline: Run) -> None:
    recipe = DIVERGING
    inline.train(recipe)
    (error,) = inline.failures
    assert f"diverged at step {inline.moves[-1][0].step + 1}" in str(error)
    saved = read_checkpoint(inline.folder.model_path)
    assert saved.history == tuple(inline.points)
    again = Trainer(recipe, inline.data, "cpu")
    while again.step < saved.step:
        again.take_step()
    for name, weights in again.snapshot().model.state_dict().items():
        assert torch.equal(weights, saved.model.state_dict()[name])
    with pytest.raises(DivergedError):
        inline.folder.resume(inline.data, "cpu").take_step()


def test_figures_gathered_before_an_error_are_told(
    inline: Run, recipe: Recipe, in_step: InStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "POST_SECONDS", float("inf"))
    in_step(15, raising(MemoryError()))
    inline.train(recipe)
    assert [point.epoch for point in inline.points] == [1.0]
