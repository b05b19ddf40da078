"""Which moment of a run is on the map, and what goes on meanwhile."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.bench import Bench
from tests.support.models import same_weights
from vae_explorer.errors import DivergedError
from vae_explorer.session.training.events import Phase
from vae_explorer.training import moments
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run import train
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.training.trainer import Trainer

if TYPE_CHECKING:
    from tests.support.stand_ins import Later


@pytest.mark.usefixtures("restless")
def test_while_an_earlier_moment_is_shown_the_run_goes_on_unseen(
    live: Bench, unending: Recipe
) -> None:
    live.runs.train(unending)
    live.wait_for_moments(4)
    assert live.runs.moving
    live.show(2)
    assert not live.runs.moving
    shown = len(live.names)
    live.wait_for_moments(2)
    assert len(live.names) == shown
    live.timeline.return_live()
    assert live.runs.moving
    assert live.names[-1] == "training"  # at once
    assert live.stage.step is not None
    assert live.stage.step > 4
    live.main.run_until(lambda: len(live.names) > shown + 3)
    assert set(live.names[shown:]) == {"training"}
    live.training.stop()
    live.finish()


@pytest.mark.parametrize("how", ["end", "stop", "pause", "step"])
def test_a_run_that_ends_or_pauses_unseen_is_there_on_the_return(
    live: Bench, recipe: Recipe, how: str
) -> None:
    live.runs.train(recipe.replace(epochs=2 if how == "end" else 10_000), until="step")
    live.wait_for(Phase.PAUSED)
    live.show(0)
    live.training.resume("step" if how == "step" else "end")
    if how == "stop":
        live.training.stop()
    elif how == "pause":
        live.training.pause()
    live.wait_for(Phase.PAUSED if how in ("pause", "step") else Phase.IDLE)
    if how == "step":
        live.main.run_until(lambda: live.steps == [0, 1, 2])
    assert live.stage.whole == []
    assert live.stage.step == 0
    live.timeline.return_live()
    if how == "step":
        assert live.stage.step == 2
    else:
        assert live.stage.whole == [live.ends[-1]]
    live.training.stop()
    live.finish()


def test_a_run_that_fails_unseen_is_there_whole_on_the_return(
    bench: Bench, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Trainer.take_step

    def breaks(trainer: Trainer) -> object:
        if trainer.step == 12:
            raise DivergedError("Diverged.")
        return step(trainer)

    monkeypatch.setattr(Trainer, "take_step", breaks)
    bench.runs.train(recipe)
    while len(bench.steps) < 3:
        bench.main.step()
    bench.timeline.show(1)
    bench.main.run()
    ((title, error),) = bench.failures.take()
    assert title == "Training ended early"
    assert bench.stage.whole == []
    assert bench.stage.step == 1
    bench.timeline.return_live()
    ((last, path),) = bench.stage.whole
    assert (last.step, path) == (12, None)
    assert read_checkpoint(bench.run.model_path).step == 12
    assert bench.steps == list(range(13))  # the way there can still be seen
    assert bench.left == [error]


def test_after_opening_live_is_the_model_that_was_opened(
    bench: Bench, trained: Snapshot, run_folder: RunFolder, tmp_path: Path
) -> None:
    bench.open(run_folder.model_path, trained)
    assert bench.steps == list(range(21))
    bench.show(3)
    assert bench.names[-1] == run_folder.path.name
    bench.timeline.return_live()
    assert bench.stage.whole == [(trained, run_folder.model_path)]
    bench.open(Path(shutil.copy(run_folder.model_path, tmp_path / "copy.safetensors")), trained)
    assert bench.steps == [], "a copy of a run's model has no film"


def test_a_model_that_is_no_run_needs_no_images_for_a_film(
    bench: Bench, trained: Snapshot, checkpoint: Path
) -> None:
    bench.stage.unreadable = True
    bench.open(checkpoint, trained)
    bench.open(None, trained)
    bench.runs.reload()
    bench.main.run()
    assert (bench.failures, bench.steps, bench.timeline.name) == ([], [], "")


@pytest.mark.parametrize("shown", [True, False])
def test_on_another_split_the_film_is_of_its_images(
    bench: Bench, trained: Snapshot, run_folder: RunFolder, shown: bool
) -> None:
    """Whether it was there before or was still being made."""
    bench.runs.open_run(run_folder.model_path, trained, "a model", bench.data)
    if shown:
        bench.main.run()
        bench.show(3)
    bench.stage.every = 7
    bench.runs.reload()
    assert bench.stage.whole == [(trained, run_folder.model_path)][:shown]
    assert bench.steps == []
    bench.main.run()
    assert bench.steps == list(range(21))
    bench.show(3)  # ``Screen`` compares with what the model makes of the images
    assert len(bench.stage.moving[-1][2]) == 86


@pytest.mark.usefixtures("restless")
def test_going_back_and_forth_does_not_disturb_a_run(
    live: Bench, recipe: Recipe, later: "Later", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does thinning what is looked at, nor looking at what a person clicks meanwhile."""
    monkeypatch.setattr(moments, "MOST", 6)  # many are dropped
    monkeypatch.setattr(moments, "_LONGEST_FIRST_STRIDE", 2)
    recipe = recipe.replace(epochs=12)
    undisturbed = train(recipe, live.stage.data, device="cpu")
    dice = np.random.default_rng(0)
    live.runs.train(recipe)
    while live.training.active:
        live.main.run_until(lambda: live.main.waiting or not live.training.active)
        live.main.run()
        choice = dice.integers(6)
        if choice == 0:
            live.timeline.return_live()
        elif choice == 1:
            live.timeline.play()
        elif choice == 2:
            later.pass_time()
        else:
            live.timeline.show(float(dice.integers(120)))
        if live.stage.state is not None:
            model = live.stage.state.snapshot.model
            model.elbo(live.stage.data.images[:20], seed=int(choice))
            model.decode(dice.normal(size=(5, 2)))
    final = live.finish()
    assert same_weights(final, undisturbed)
    assert final.history == undisturbed.history
    assert live.steps == live.run.moments().steps
    assert len(live.steps) < 13
    assert set(live.names) == {"training", live.run.path.name}
