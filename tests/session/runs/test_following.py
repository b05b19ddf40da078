"""The map follows a run."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from tests.support.desk import Desk, expected_point
from vae_explorer.data import bundled
from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import CheckpointError, DataError
from vae_explorer.model.trained import Images, Posterior, TrainedVAE
from vae_explorer.session.jobs import Jobs
from vae_explorer.session.map.state import MapState
from vae_explorer.session.runs import runs as runs_module
from vae_explorer.session.training import worker as worker_module
from vae_explorer.session.training.events import Phase
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.training.trainer import Trainer

pytestmark = pytest.mark.usefixtures("small_mnist")


@pytest.mark.usefixtures("restless")
def test_the_map_follows_a_run_and_ends_on_its_checkpoint(
    opened: Desk, recipe: Recipe, monkeypatch: pytest.MonkeyPatch, digits: ImageSet
) -> None:
    monkeypatch.setattr(runs_module, "LIVE_IMAGES", 250)
    monkeypatch.setattr(worker_module, "ALL_SECONDS", 0.0)
    opened.app.pinning.pin(17)
    said = len(opened.points)
    opened.app.runs.train(recipe.replace(seed=3))
    opened.settle()

    live, full = opened.points[said:]
    assert (len(live.positions), live.total, live.split) == (200, 600, "train")
    np.testing.assert_array_equal(live.indices, np.arange(0, 600, 3))
    assert digits.labels is not None
    np.testing.assert_array_equal(live.labels, digits.labels[::3])
    assert opened.positions
    assert {positions.shape for positions in opened.positions} == {(200, 2)}
    assert "training" in {model.name for model in opened.models if model.path is None}

    last = opened.models[-1]
    assert last.path is not None
    assert last.epoch == recipe.epochs
    saved = read_checkpoint(last.path)
    np.testing.assert_array_equal(full.positions, saved.model.encode(digits.images).mean)
    assert opened.app.model.recipe.seed == 3
    assert opened.recent[0] == last.path.resolve()
    for name, value in expected_point(saved, digits, 17).items():
        assert getattr(opened.pin, name) == pytest.approx(value)
    assert opened.failures == []


@pytest.mark.usefixtures("restless")
@pytest.mark.parametrize(
    ("images", "limit", "shown"), [(600, 600, 600), (600, 599, 300), (600, 10_000, 600)]
)
def test_where_all_take_too_long_never_more_live_images_than_said(
    opened: Desk,
    recipe: Recipe,
    monkeypatch: pytest.MonkeyPatch,
    images: int,
    limit: int,
    shown: int,
) -> None:
    monkeypatch.setattr(runs_module, "LIVE_IMAGES", limit)
    monkeypatch.setattr(worker_module, "ALL_SECONDS", 0.0)
    said = len(opened.points)
    opened.app.runs.train(recipe)
    opened.settle()
    assert opened.points[said].total == images
    assert len(opened.points[said].positions) == shown


@pytest.mark.usefixtures("restless")
def test_all_images_move_and_each_move_is_of_one_model(
    threaded: Desk, unending: Recipe, monkeypatch: pytest.MonkeyPatch, digits: ImageSet
) -> None:
    monkeypatch.setattr(runs_module, "LIVE_IMAGES", 60)
    seen: list[MapState] = []
    app = threaded.app
    app.map.changed.connect(lambda new, _: seen.append(new) if new.moving else None)
    app.runs.train(unending)
    threaded.main.run_until(lambda: len({state.snapshot.step for state in seen}) > 3)
    app.runs.timeline.show(0)  # is of fewer images, as it was kept
    threaded.main.run_until(lambda: app.map.state is not None and not app.map.state.moving)
    assert len(threaded.points[-1].positions) == 60
    app.runs.timeline.return_live()
    assert len(threaded.points[-1].positions) == 600
    app.training.stop()
    threaded.wait_for(Phase.IDLE)
    threaded.main.run_until(lambda: threaded.models[-1].path is not None)
    for state in seen[-3:]:
        assert state.points is not None
        expected = state.snapshot.model.encode(digits.images).mean
        np.testing.assert_array_equal(state.points.positions, expected)
        np.testing.assert_array_equal(state.points.indices, np.arange(600))
    assert threaded.failures == []


@pytest.mark.usefixtures("restless")
def test_points_of_the_model_before_do_not_come_back_while_training(
    threaded: Desk,
    threaded_jobs: Jobs,
    unending: Recipe,
    another: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runs_module, "LIVE_IMAGES", 60)
    monkeypatch.setattr(worker_module, "ALL_SECONDS", 0.0)
    moving = threading.Event()
    encode = TrainedVAE.encode

    def slow(model: TrainedVAE, images: Images, *check: Callable[[], None]) -> Posterior:
        if len(images) == 600:
            assert moving.wait(10)
        return encode(model, images, *check)

    monkeypatch.setattr(TrainedVAE, "encode", slow)
    said = len(threaded.points)
    threaded.app.model.open_now(another)
    threaded.app.runs.train(unending)
    threaded.main.run_until(lambda: threaded.positions)
    moving.set()
    behind = threaded_jobs.run_newest(
        "behind", lambda _: None, done=lambda _: None, failed=lambda _: None
    )
    threaded.main.run_until(lambda: behind.finished)
    assert {len(points.positions) for points in threaded.points[said:]} == {60}
    threaded.app.training.stop()
    threaded.wait_for(Phase.IDLE)


@pytest.mark.usefixtures("restless")
def test_pins_and_thumbnails_work_on_the_moving_map(
    opened: Desk, recipe: Recipe, monkeypatch: pytest.MonkeyPatch, digits: ImageSet
) -> None:
    monkeypatch.setattr(runs_module, "LIVE_IMAGES", 60)
    monkeypatch.setattr(worker_module, "ALL_SECONDS", 0.0)
    opened.app.runs.train(recipe)
    opened.main.run_until(lambda: opened.positions)
    opened.app.pinning.pin(7)
    assert opened.pin.index == 70
    assert opened.pinned_row == 7
    assert opened.app.map.thumbnail(7).index == 70
    np.testing.assert_array_equal(opened.app.map.thumbnail(7).image, digits.images[70])
    opened.settle()
    assert opened.pin.index == 70
    assert opened.pinned_row == 70


def test_a_run_begins_where_its_first_move_puts_the_points(
    opened: Desk, recipe: Recipe, digits: ImageSet
) -> None:
    """Trails are drawn from there, for every run again."""
    for seed in (3, 4):
        opened.app.runs.train(recipe.replace(seed=seed))
        opened.settle()
        assert opened.app.map.state is not None
        start = opened.app.map.state.start
        assert start is not None
        untrained = Trainer(recipe.replace(seed=seed), digits, "cpu").snapshot()
        expected = untrained.model.encode(digits.images[start.indices]).mean
        np.testing.assert_array_equal(start.positions, expected)


def test_a_run_that_was_opened_can_be_gone_through(
    opened: Desk, run_folder: RunFolder, trained: Snapshot, digits: ImageSet
) -> None:
    app = opened.app
    app.model.open(run_folder.model_path)
    opened.settle()
    moments = run_folder.moments()
    assert [frame.step for frame in app.runs.timeline.frames] == moments.steps
    app.runs.timeline.show(4)
    opened.settle()
    model = opened.models[-1]
    assert (model.name, model.path, model.epoch) == (run_folder.path.name, None, 0.4)
    positions = opened.app.map.points
    assert positions is not None
    expected = moments.read(4).model.encode(digits.images[positions.indices]).mean
    np.testing.assert_array_equal(positions.positions, expected)
    app.runs.timeline.return_live()
    opened.settle()
    assert opened.models[-1].path == run_folder.model_path
    np.testing.assert_allclose(
        opened.points[-1].positions, trained.model.encode(digits.images).mean, rtol=0, atol=1e-6
    )
    assert opened.failures == []


def test_a_moment_of_another_split_is_of_its_images(
    opened: Desk, run_folder: RunFolder, small_mnist: dict[str, ImageSet]
) -> None:
    app = opened.app
    app.model.open(run_folder.model_path)
    opened.settle()
    app.runs.timeline.show(4)
    opened.settle()
    app.map_settings.set_split("test")
    opened.settle()
    assert opened.models[-1].path == run_folder.model_path
    app.runs.timeline.show(4)
    opened.settle()
    points = opened.points[-1]
    assert points.split == "test"
    expected = run_folder.moments().read(4).model.encode(small_mnist["test"].images[points.indices])
    np.testing.assert_array_equal(points.positions, expected.mean)
    assert opened.failures == []


def test_a_moment_can_be_saved_as_a_model_of_its_own(
    opened: Desk, run_folder: RunFolder, tmp_path: Path
) -> None:
    app = opened.app
    app.model.open(run_folder.model_path)
    opened.settle()
    app.runs.timeline.show(15)
    opened.settle()
    app.model.save(tmp_path / "moment.safetensors")
    opened.settle()
    saved = read_checkpoint(tmp_path / "moment.safetensors")
    assert (saved.step, len(saved.history)) == (15, 1)
    assert opened.models[-1].name == "moment.safetensors"


def test_a_run_that_cannot_begin_leaves_the_model_that_is_open(
    opened: Desk, recipe: Recipe, checkpoint: Path
) -> None:
    opened.app.runs.train(recipe.replace(validation_images=600))
    opened.settle()
    assert len(opened.failures) == 1
    assert opened.app.model.path == checkpoint
    assert opened.models[-1].path == checkpoint
    assert opened.recent == [checkpoint.resolve()]


def test_images_that_cannot_be_read_do_not_keep_a_run_from_opening(
    desk: Desk, run_folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(split: str) -> NoReturn:
        raise DataError(f"The {split} images are missing.")

    monkeypatch.setattr(bundled, "mnist", missing)
    desk.app.data.missing.connect(lambda missing: missing.take(missing.own))
    desk.app.model.open_now(run_folder.model_path)
    desk.settle()
    assert desk.models[-1].path == run_folder.model_path
    assert "The snapshots of the run cannot be shown" in [title for title, _ in desk.failures]


def test_a_second_run_is_refused_by_name(opened: Desk, recipe: Recipe) -> None:
    opened.app.runs.train(recipe)
    opened.app.runs.train(recipe)
    assert opened.failures == [
        ("Training did not start", "Training is still running; stop it first.")
    ]
    opened.settle()
    assert len(opened.failures) == 1


def test_the_split_stays_while_training(opened: Desk, recipe: Recipe) -> None:
    opened.app.runs.train(recipe)
    opened.app.map_settings.set_split("test")
    before = opened.app.settings.now.split
    opened.settle()
    opened.app.map_settings.set_split("test")
    assert (before, opened.app.settings.now.split) == ("train", "test")


def test_a_run_that_fails_is_told_and_the_next_one_works(opened: Desk, recipe: Recipe) -> None:
    opened.app.runs.train(recipe.replace(validation_images=600))
    opened.settle()
    ((title, text),) = opened.failures
    assert title == "Training ended early"
    assert "validation_images" in text
    opened.app.runs.train(recipe)
    opened.settle()
    assert opened.models[-1].epoch == recipe.epochs


@pytest.mark.usefixtures("restless")
def test_what_moved_before_a_run_failed_is_shown_whole(
    opened: Desk, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs_module, "LIVE_IMAGES", 60)
    monkeypatch.setattr(worker_module, "ALL_SECONDS", 0.0)
    saves: list[object] = []

    save = RunFolder.save

    def breaks(folder: RunFolder, trainer: Trainer) -> Snapshot:
        saves.append(trainer)
        if len(saves) == 1:  # before the first step
            return save(folder, trainer)
        raise RuntimeError("out of memory")

    monkeypatch.setattr(RunFolder, "save", breaks)
    opened.app.runs.train(recipe)
    opened.settle()
    assert saves
    assert any(len(points.positions) == 60 for points in opened.points)
    assert len(opened.points[-1].positions) == 600


def test_a_run_the_disk_refuses_is_on_the_map_and_can_be_saved_elsewhere(
    opened: Desk,
    recipe: Recipe,
    monkeypatch: pytest.MonkeyPatch,
    checkpoint: Path,
    tmp_path: Path,
) -> None:
    def full(*_: object) -> NoReturn:
        raise CheckpointError("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "save", full)
        opened.app.runs.train(recipe)
        opened.settle()
    assert [title for title, _ in opened.failures] == ["The run was not saved; training goes on"]
    assert opened.models[-1].epoch == recipe.epochs
    assert opened.models[-1].path is None
    assert opened.recent == [checkpoint.resolve()]
    opened.app.model.save(tmp_path / "rescued.safetensors")
    opened.settle()
    assert read_checkpoint(tmp_path / "rescued.safetensors").epoch == recipe.epochs
