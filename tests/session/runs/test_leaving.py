"""Pausing a run, and leaving it for another model."""

from pathlib import Path

import numpy as np
import pytest

from tests.support.desk import Desk
from vae_explorer import paths
from vae_explorer.data.dataset import ImageSet
from vae_explorer.session.training.events import Phase
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run_folder import RunFolder

pytestmark = pytest.mark.usefixtures("small_mnist")


def test_a_pause_shows_every_point_and_saves(
    threaded: Desk, unending: Recipe, digits: ImageSet
) -> None:
    app = threaded.app
    app.runs.train(unending)
    threaded.wait_for_progress()
    app.training.pause()
    threaded.wait_for(Phase.PAUSED)
    path = app.training.checkpoint
    assert path is not None
    threaded.main.run_until(lambda: threaded.models[-1].path == path)
    np.testing.assert_array_equal(
        threaded.points[-1].positions, read_checkpoint(path).model.encode(digits.images).mean
    )
    app.training.stop()
    threaded.wait_for(Phase.IDLE)


@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.PAUSED])
def test_opening_stops_and_saves_a_run_first(
    threaded: Desk, unending: Recipe, another: Path, phase: Phase
) -> None:
    app = threaded.app
    app.runs.train(unending)
    threaded.wait_for_progress()
    if phase is Phase.PAUSED:
        app.training.pause()
        threaded.wait_for(Phase.PAUSED)
    app.model.open(another)
    threaded.main.run_until(lambda: threaded.models[-1].path == another)
    assert not app.training.active
    (folder,) = paths.runs().iterdir()
    run = RunFolder(folder)
    assert threaded.recent[:2] == [another.resolve(), run.model_path.resolve()]
    assert read_checkpoint(run.model_path).epoch > 0
    assert threaded.histories[-1] == read_checkpoint(another).history
    assert threaded.models[-1].path == another
    assert threaded.failures == []


def test_a_bad_file_does_not_stop_a_run(threaded: Desk, unending: Recipe, tmp_path: Path) -> None:
    app = threaded.app
    app.runs.train(unending)
    threaded.wait_for_progress()
    app.model.open(tmp_path / "missing.safetensors")
    threaded.main.run_until(lambda: threaded.failures)
    assert app.training.status.phase is Phase.RUNNING
    app.training.stop()
    threaded.wait_for(Phase.IDLE)
    assert len(threaded.histories) == 1


def test_a_run_started_after_opening_is_what_counts(
    opened: Desk, recipe: Recipe, another: Path
) -> None:
    opened.app.model.open(another)  # read, but not yet shown
    opened.app.runs.train(recipe)
    opened.settle()
    assert opened.models[-1].epoch == recipe.epochs
    assert another not in [model.path for model in opened.models]
    assert len(opened.histories) == 1
