import csv
import dataclasses
import json
import logging
import math
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vae_explorer import paths
from vae_explorer.data import bundled
from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import CheckpointError, DataError
from vae_explorer.export.requests import ManifoldRequest
from vae_explorer.latent.figures import image_figures
from vae_explorer.model.trained import Images, Posterior, TrainedVAE
from vae_explorer.paths import bundled_checkpoint
from vae_explorer.session import app as app_module
from vae_explorer.session.app import build_app
from vae_explorer.session.edits import Edit
from vae_explorer.session.files import open_model as open_model_module
from vae_explorer.session.files.settings import Settings
from vae_explorer.session.jobs import Jobs
from vae_explorer.session.map.state import MapState
from vae_explorer.session.runs import lab as lab_module
from vae_explorer.session.state import (
    LATENT_LIMIT,
    DataPoint,
    Decoded,
    MapPoints,
    ModelInfo,
    Phase,
    PointColors,
)
from vae_explorer.session.training import worker as worker_module
from vae_explorer.training.checkpoint import read_checkpoint, write_checkpoint
from vae_explorer.training.history import HistoryPoint
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run import train
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.training.trainer import Trainer
from vae_explorer.types import Float32

if TYPE_CHECKING:
    from tests.support.stand_ins import Frames, MainThread


pytestmark = pytest.mark.usefixtures("small_mnist")


def at_once(_: float, function: Callable[[], None]) -> None:
    """In place of a clock."""
    function()


class Desk:
    """An app and all it said, in place of the window."""

    def __init__(
        self,
        jobs: Jobs,
        main: "MainThread",
        frames: "Frames",
        settings: Settings | None = None,
    ) -> None:
        self.app = app = build_app(jobs, frames.defer, at_once, settings)
        self.main = main
        self.frames = frames
        self.models: list[ModelInfo] = []
        self.points: list[MapPoints] = []
        self.positions: list[Float32] = []
        self.cursors: list[tuple[float, float]] = []
        self.pins: list[DataPoint | None] = []
        self.histories: list[tuple[HistoryPoint, ...]] = []
        self.messages: list[str] = []
        self.failures: list[tuple[str, str]] = []
        self.pictures: list[Decoded] = []
        self.heard = [
            app.model.changed.connect(self.models.append),
            app.map.changed.connect(self._on_map),
            app.cursor.changed.connect(lambda z1, z2: self.cursors.append((z1, z2))),
            app.pins.changed.connect(lambda: self.pins.append(app.pins.current)),
            app.model.opened.connect(lambda snapshot: self.histories.append(snapshot.history)),
            app.messages.published.connect(self.messages.append),
            app.messages.failed.connect(lambda title, text: self.failures.append((title, text))),
            app.decoding.decoded.connect(self.pictures.append),
        ]

    def _on_map(self, new: MapState, old: MapState | None) -> None:
        points, before = new.points, old.points if old else None
        if points is None or points is before:
            return
        if before and before.indices is points.indices and before.kind == points.kind:
            self.positions.append(points.positions)
        else:
            self.points.append(points)

    def settle(self) -> None:
        """Deliver what inline jobs have to say, then draw a frame."""
        self.main.run()
        self.frames.next()

    def wait_for(self, phase: Phase) -> None:
        self.main.run_until(lambda: self.app.training.status.phase is phase)

    def wait_for_progress(self) -> None:
        self.main.run_until(lambda: self.app.training.status.images_per_second > 0)

    @property
    def pin(self) -> DataPoint:
        assert self.pins[-1] is not None
        return self.pins[-1]

    @property
    def pinned_row(self) -> int:
        """Where the pin is among the points."""
        return self.app.map.row(self.pin.split, self.pin.index)

    @property
    def recent(self) -> list[Path]:
        return [Path(name) for name in self.app.settings.now.recent]


@pytest.fixture
def desk(inline_jobs: Jobs, main: "MainThread", frames: "Frames") -> Desk:
    """Nothing is open; jobs run inline."""
    return Desk(inline_jobs, main, frames)


@pytest.fixture
def opened(desk: Desk, checkpoint: Path) -> Desk:
    """A model and its 600 points are on the map."""
    desk.app.model.open_now(checkpoint)
    desk.settle()
    return desk


@pytest.fixture
def threaded(threaded_jobs: Jobs, main: "MainThread", frames: "Frames", checkpoint: Path) -> Desk:
    """As ``opened``, with jobs on threads."""
    desk = Desk(threaded_jobs, main, frames, Settings(device="cpu"))
    desk.app.model.open_now(checkpoint)
    main.run_until(lambda: desk.points)
    return desk


@pytest.fixture
def unending(recipe: Recipe) -> Recipe:
    return recipe.replace(epochs=10_000)


@pytest.fixture
def another(tmp_path: Path, other: Snapshot) -> Path:
    """A checkpoint of other weights."""
    path = tmp_path / "another.safetensors"
    write_checkpoint(other, path)
    return path


def expected_point(snapshot: Snapshot, data: ImageSet, index: int) -> dict[str, float]:
    """Of a training image, which is drawn with its index for a seed."""
    figures = image_figures(snapshot.model, data.images[index : index + 1], np.array([index]))
    return {name: float(getattr(figures, name)[0]) for name in ("elbo", "log_likelihood", "kl")}


# Opening


def test_open_now_shows_the_model_before_it_returns(
    desk: Desk, checkpoint: Path, trained: Snapshot, digits: ImageSet
) -> None:
    desk.app.model.open_now(checkpoint)
    (model,) = desk.models
    assert model == ModelInfo(
        name="tiny.safetensors",
        path=checkpoint,
        epoch=2.0,
        held_out_elbo=trained.held_out_elbo,
        image_shape=(28, 28),
        parameters=trained.model.parameters,
    )
    assert desk.histories == [trained.history]
    assert desk.app.model.recipe == trained.recipe

    desk.settle()
    (points,) = desk.points
    np.testing.assert_array_equal(points.positions, trained.model.encode(digits.images).mean)
    np.testing.assert_array_equal(points.labels, digits.labels)
    np.testing.assert_array_equal(points.indices, np.arange(600))
    assert (points.total, points.split, points.kind) == (600, "train", "encoder mean")
    assert desk.pictures[-1].z == (0.0, 0.0)
    np.testing.assert_array_equal(
        desk.pictures[-1].image, trained.model.decode(np.zeros((1, 2)))[0]
    )
    assert desk.recent == [checkpoint.resolve()]
    assert desk.failures == []


def test_open_now_refuses_what_is_no_checkpoint(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="does not exist"):
        desk.app.model.open_now(tmp_path / "missing.safetensors")
    desk.settle()
    assert (len(desk.models), len(desk.points), len(desk.histories)) == (0, 0, 0)
    assert desk.app.model.recipe == Recipe()


def test_open_checkpoint_replaces_model_points_and_history(opened: Desk, another: Path) -> None:
    opened.app.cursor.move(0.5, 0.5)
    opened.app.model.open(another)
    opened.settle()
    snapshot = read_checkpoint(another)
    assert opened.models[-1].path == another
    assert opened.histories[-1] == snapshot.history
    assert opened.app.model.recipe == snapshot.recipe
    assert not np.array_equal(opened.points[-1].positions, opened.points[0].positions)
    assert opened.app.cursor.place == (0.5, 0.5)
    np.testing.assert_array_equal(
        opened.pictures[-1].image, snapshot.model.decode(np.array([[0.5, 0.5]]))[0]
    )
    assert opened.recent[0] == another.resolve()


def _missing(path: Path) -> None:
    assert not path.exists()


def _text(path: Path) -> None:
    path.write_text("not a model")


def _folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("spoil", [_missing, _text, _folder])
def test_a_bad_file_is_told_and_changes_nothing(
    opened: Desk, checkpoint: Path, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    bad = tmp_path / "bad.safetensors"
    spoil(bad)
    opened.app.pinning.pin(3)
    opened.settle()
    before = (len(opened.models), len(opened.points), len(opened.histories), len(opened.pins))
    opened.app.model.open(bad)
    opened.settle()
    ((title, text),) = opened.failures
    assert title == "The checkpoint was not opened"
    assert str(bad) in text
    after = (len(opened.models), len(opened.points), len(opened.histories), len(opened.pins))
    assert after == before
    assert opened.recent == [checkpoint.resolve()]
    opened.app.model.open(checkpoint)
    opened.settle()
    assert len(opened.models) == before[0] + 1


def test_a_model_of_other_images_is_refused(
    opened: Desk, tmp_path: Path, recipe: Recipe, digits: ImageSet
) -> None:
    small = ImageSet(digits.images[:, ::4, ::4], None, "small digits", "train")
    path = tmp_path / "small.safetensors"
    write_checkpoint(train(recipe.replace(epochs=1), small, device="cpu"), path)
    opened.app.pinning.pin(3)
    opened.app.model.open(path)
    opened.settle()
    ((_, text),) = opened.failures
    assert "7×7" in text
    assert len(opened.models) == 1
    with pytest.raises(CheckpointError, match="7×7"):
        opened.app.model.open_now(path)


def test_of_two_files_opened_quickly_the_last_is_shown(
    opened: Desk, checkpoint: Path, another: Path
) -> None:
    opened.app.model.open(another)
    opened.app.model.open(checkpoint)
    opened.settle()
    assert [model.path for model in opened.models] == [checkpoint, checkpoint]


def test_reset_goes_back_to_the_bundled_model(
    opened: Desk, another: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "checkpoints", lambda: tmp_path)
    shutil.copy(another, bundled_checkpoint())
    recent = opened.recent
    opened.app.model.reset()
    opened.settle()
    assert opened.models[-1].path == bundled_checkpoint()
    assert opened.recent == recent, "the bundled model has a menu entry of its own"


def test_the_recent_list_is_remembered_newest_first(
    opened: Desk, checkpoint: Path, another: Path, tmp_path: Path
) -> None:
    opened.app.model.open(another)
    opened.settle()
    opened.app.model.save(tmp_path / "saved.safetensors")
    opened.settle()
    names = [tmp_path / "saved.safetensors", another, checkpoint]
    assert opened.recent == [name.resolve() for name in names]
    assert Settings.read(paths.settings_file()).recent == opened.app.settings.now.recent
    opened.app.model.open(checkpoint)
    opened.settle()
    assert opened.recent == [name.resolve() for name in (checkpoint, names[0], another)]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_file_whose_name_is_no_unicode_opens(
    opened: Desk, checkpoint: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9\n.safetensors"))
    shutil.copy(checkpoint, path)
    opened.app.model.open(path)
    opened.settle()
    assert opened.models[-1].path == path
    assert opened.failures == []
    assert Settings.read(paths.settings_file()).recent[0] == str(path)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


# Cursor and picture


@given(st.floats(), st.floats())
def test_the_cursor_stays_within_the_limit(z1: float, z2: float) -> None:
    app = build_app(Jobs(lambda _: None), lambda _: None, at_once)
    app.cursor.move(1.0, -1.0)
    app.cursor.move(z1, z2)
    if math.isfinite(z1) and math.isfinite(z2):
        assert app.cursor.place == (
            min(max(z1, -LATENT_LIMIT), LATENT_LIMIT),
            min(max(z2, -LATENT_LIMIT), LATENT_LIMIT),
        )
    else:
        assert app.cursor.place == (1.0, -1.0)


def test_the_cursor_is_told_when_it_moves_and_drawn_clamped(
    opened: Desk, trained: Snapshot
) -> None:
    app = opened.app
    app.cursor.move(1.5, 100.0)
    app.cursor.move(1.5, 6.0)
    app.cursor.move(math.nan, 0.0)
    app.cursor.move(0.0, -math.inf)
    assert opened.cursors == [(1.5, LATENT_LIMIT)]
    opened.settle()
    assert opened.pictures[-1].z == (1.5, LATENT_LIMIT)
    np.testing.assert_array_equal(
        opened.pictures[-1].image, trained.model.decode(np.array([[1.5, 6.0]]))[0]
    )


def test_nudging_moves_by_a_little_up_to_the_limit(desk: Desk) -> None:
    for _ in range(4):
        desk.app.cursor.nudge(0.25, -2.0)
    assert desk.app.cursor.place == (1.0, -LATENT_LIMIT)
    assert desk.cursors == [(0.25, -2.0), (0.5, -4.0), (0.75, -6.0), (1.0, -6.0)]


def test_ten_thousand_moves_in_a_frame_decode_once(opened: Desk) -> None:
    drawn = len(opened.pictures)
    for step in range(10_000):
        opened.app.cursor.move(step / 5_000, 0.0)
    assert opened.frames.waiting == 1
    opened.settle()
    assert [picture.z for picture in opened.pictures[drawn:]] == [(9_999 / 5_000, 0.0)]


def test_a_preview_leaves_the_cursor_and_goes_back(opened: Desk) -> None:
    opened.app.cursor.move(1.0, 2.0)
    opened.app.cursor.preview((-3.0, 90.0))
    opened.frames.next()
    assert opened.pictures[-1].z == (-3.0, LATENT_LIMIT)
    assert opened.pictures[-1].preview
    assert opened.app.cursor.place == (1.0, 2.0)
    opened.app.cursor.preview(None)
    opened.frames.next()
    assert opened.pictures[-1].z == (1.0, 2.0)
    assert not opened.pictures[-1].preview


@pytest.mark.parametrize("z", [(math.nan, 0.0), (0.0, math.nan), (math.inf, 0.0)])
def test_a_preview_nowhere_is_ignored(opened: Desk, z: tuple[float, float]) -> None:
    drawn = len(opened.pictures)
    opened.app.cursor.preview(z)
    opened.frames.next()
    assert len(opened.pictures) == drawn


def test_without_a_model_every_request_is_harmless(desk: Desk, tmp_path: Path) -> None:
    app = desk.app
    app.cursor.move(1.0, 1.0)
    app.cursor.preview((0.0, 0.0))
    app.pinning.pin(0)
    app.pins.clear()
    app.map_settings.set_split("test")
    app.model.save(tmp_path / "a.safetensors")
    app.exports.digit(tmp_path / "a.png", 1)
    app.exports.manifold(tmp_path / "b.png", ManifoldRequest())
    desk.settle()
    assert (len(desk.pictures), len(desk.points), len(desk.failures)) == (0, 0, 0)
    assert [path for path in tmp_path.iterdir() if path.is_file()] == []


def test_a_cursor_moved_before_the_first_model_is_where_it_opens(
    desk: Desk, checkpoint: Path
) -> None:
    desk.app.cursor.move(1.0, 1.0)
    desk.settle()
    desk.app.model.open_now(checkpoint)
    desk.settle()
    assert [picture.z for picture in desk.pictures] == [(1.0, 1.0)]


# The map and the pin


def test_a_pinned_point_shows_its_image_and_figures(
    opened: Desk, trained: Snapshot, digits: ImageSet
) -> None:
    opened.app.pinning.pin(17)
    opened.settle()
    point = opened.pin
    assert (point.index, point.split) == (17, "train")
    assert digits.labels is not None
    assert point.label == digits.labels[17]
    np.testing.assert_array_equal(point.original, digits.images[17])
    posterior = trained.model.encode(digits.images[17:18])
    np.testing.assert_array_equal(point.mean, posterior.mean[0])
    np.testing.assert_array_equal(point.covariance, posterior.covariance[0])
    np.testing.assert_array_equal(point.reconstruction, trained.model.decode(posterior.mean)[0])
    assert point.elbo == pytest.approx(point.log_likelihood - point.kl, abs=1e-3)
    assert point.kl >= 0
    assert point.log_likelihood < 0
    for name, value in expected_point(trained, digits, 17).items():
        assert getattr(point, name) == pytest.approx(value)
    z1, z2 = opened.points[-1].positions[17]
    assert opened.app.cursor.place == (float(z1), float(z2))
    assert opened.pictures[-1].z == (float(z1), float(z2))
    assert opened.app.map.row(point.split, point.index) == 17

    opened.app.pins.clear()
    assert opened.pins[-1] is None
    assert opened.app.cursor.place == (float(z1), float(z2))


@pytest.mark.parametrize("row", [-1, 600, 10**9])
def test_a_row_that_is_not_there_is_not_pinned(opened: Desk, row: int) -> None:
    said = len(opened.pins)
    opened.app.pinning.pin(row)
    assert len(opened.pins) == said
    assert opened.app.cursor.place == (0.0, 0.0)


def test_the_pin_stays_on_its_image_under_another_model(
    opened: Desk, another: Path, digits: ImageSet
) -> None:
    opened.app.pinning.pin(17)
    opened.app.model.open(another)
    opened.settle()
    assert opened.pin.index == 17
    for name, value in expected_point(read_checkpoint(another), digits, 17).items():
        assert getattr(opened.pin, name) == pytest.approx(value)


def test_a_thumbnail_is_the_image_behind_the_row(opened: Desk, digits: ImageSet) -> None:
    assert digits.labels is not None
    for row in (0, 599):
        thumbnail = opened.app.map.thumbnail(row)
        assert (thumbnail.index, thumbnail.label) == (row, digits.labels[row])
        np.testing.assert_array_equal(thumbnail.image, digits.images[row])


def test_the_other_split_takes_the_map_and_the_pin_stays_in_the_tray(
    opened: Desk, trained: Snapshot, small_mnist: dict[str, ImageSet]
) -> None:
    opened.app.pinning.pin(17)
    opened.app.map_settings.set_split("test")
    opened.settle()
    points = opened.points[-1]
    test = small_mnist["test"]
    assert (points.split, points.total) == ("test", 300)
    np.testing.assert_array_equal(points.positions, trained.model.encode(test.images).mean)
    np.testing.assert_array_equal(points.labels, test.labels)
    assert (opened.pin.split, opened.pin.index) == ("train", 17)
    assert opened.app.pins.tray == (opened.pin,)
    assert opened.pinned_row == -1
    np.testing.assert_array_equal(opened.app.map.thumbnail(5).image, test.images[5])
    assert Settings.read(paths.settings_file()).split == "test"

    opened.app.map_settings.set_split("test")
    opened.settle()
    assert len(opened.points) == 2


def test_a_point_pinned_while_the_other_split_is_encoded_keeps_its_image(
    opened: Desk, digits: ImageSet
) -> None:
    opened.app.map_settings.set_split("test")
    opened.app.pinning.pin(550)  # still a training point, and there are 300 test images
    opened.settle()
    assert opened.points[-1].split == "test"
    assert (opened.pin.split, opened.pin.index) == ("train", 550)
    np.testing.assert_array_equal(opened.pin.original, digits.images[550])
    assert opened.pinned_row == -1


def test_images_of_both_splits_are_found_by_split_and_index(
    opened: Desk, small_mnist: dict[str, ImageSet]
) -> None:
    opened.app.pinning.find("test", 5)
    ((title, text),) = opened.failures
    assert (title, opened.pins) == ("The image was not found", [])
    assert "Image 5 of test" in text

    opened.app.map_settings.set_split("both")
    opened.settle()
    for split, index, row in (("train", 5, 5), ("test", 5, 605)):
        opened.app.pinning.find(split, index)
        assert opened.pinned_row == row
        assert opened.app.cursor.place == tuple(opened.points[-1].positions[row].tolist())
        np.testing.assert_array_equal(opened.pin.original, small_mnist[split].images[index])
    opened.app.pinning.find("test", 300)
    assert len(opened.failures) == 2


def test_pins_and_selections_are_undone_in_turn(opened: Desk) -> None:
    edits: list[Edit] = []
    opened.app.edits.made.connect(edits.append)
    opened.app.pinning.pin(3)
    opened.app.pinning.pin(4, add=True)
    opened.app.selection.replace([7, 8])
    opened.app.pinning.pin(3, add=True)  # no longer
    seen = []
    for edit in reversed(edits):
        edit.undo()
        pinned = [point.index for point in opened.app.pins.tray]
        seen.append((edit.text, pinned, len(opened.app.selection)))
    assert seen == [
        ("Remove Pin", [3, 4], 2),
        ("Select", [3, 4], 0),
        ("Add Pin", [3], 0),
        ("Pin", [], 0),
    ]


def test_a_selection_is_of_its_data(opened: Desk, another: Path) -> None:
    opened.app.selection.replace([7, 8])
    opened.app.model.open(another)
    opened.settle()
    assert len(opened.app.selection) == 2
    opened.app.map_settings.set_split("test")
    opened.settle()
    assert opened.app.selection.summary() == "0 of 300"


def test_the_selection_is_exported_with_what_is_known(opened: Desk, tmp_path: Path) -> None:
    opened.app.search.lowest(3)
    opened.settle()
    rows = opened.app.selection.indices
    assert len(rows) == 3
    opened.app.exports.points(tmp_path / "worst.csv")
    opened.settle()
    with (tmp_path / "worst.csv").open(newline="") as file:
        header, *lines = csv.reader(file)
    assert header == ["split", "index", "label", "z1", "z2", "elbo", "log_likelihood"]
    points, elbo = opened.points[-1], opened.app.scores.known["elbo"]
    for line, row in zip(lines, rows.tolist(), strict=True):
        assert line[:3] == ["train", str(row), str(points.labels[row])]
        values = np.array(line[3:6], np.float32)
        np.testing.assert_array_equal(values, [*points.positions[row], elbo[row]])


def test_the_columns_of_a_table_are_told_and_a_bad_one_is(opened: Desk, tmp_path: Path) -> None:
    told: list[PointColors | None] = []
    opened.app.coloring.changed.connect(told.append)
    path = tmp_path / "table.csv"
    path.write_text("\n".join(["x", *map(str, range(600))]))
    opened.app.coloring.load_table(path)
    opened.settle()
    assert told[-1] is not None
    np.testing.assert_array_equal(told[-1].values, np.arange(600))
    path.write_text("x\n1\n")
    opened.app.coloring.load_table(path)
    opened.settle()
    assert [title for title, _ in opened.failures] == ["The table was not read"]


def test_an_aligned_model_decodes_what_lies_under_its_points(
    opened: Desk, other: Snapshot, another: Path, digits: ImageSet
) -> None:
    app = opened.app
    app.map_settings.set_aligned(True)
    app.pinning.pin(17)
    app.model.open(another)
    opened.settle()
    points = opened.points[-1]
    assert points.orientation.startswith("aligned: ")
    plain = other.model.encode(digits.images).mean
    before = opened.points[0].positions
    assert np.square(points.positions - before).sum() < np.square(plain - before).sum()
    np.testing.assert_allclose(opened.pin.mean, points.positions[17], atol=1e-5)
    app.cursor.move(*points.positions[17].tolist())
    opened.settle()
    np.testing.assert_allclose(
        opened.pictures[-1].image, other.model.decode(plain[17:18])[0], atol=1e-4
    )

    app.map_settings.set_aligned(False)
    opened.settle()
    assert opened.points[-1].orientation == ""
    np.testing.assert_array_equal(opened.points[-1].positions, plain)


def test_points_are_of_the_kind_asked_for(opened: Desk) -> None:
    opened.app.map_settings.set_kind("sample")
    opened.settle()
    opened.app.map_settings.set_kind("sample")
    opened.settle()
    assert [points.kind for points in opened.points] == ["encoder mean", "sample from q(z|x)"]
    assert Settings.read(paths.settings_file()).kind == "sample"


def test_layers_are_remembered_when_the_window_closes(opened: Desk) -> None:
    opened.app.layers.set_on("prior", on=True)
    opened.app.layers.move("prior", 0)
    states = opened.app.layers.states
    assert opened.app.close()
    remembered = Settings.read(paths.settings_file())
    assert remembered.layers == states
    app = build_app(Jobs(lambda _: None), lambda _: None, at_once, remembered)
    assert app.layers.states == states
    assert app.close()


def test_images_that_cannot_be_read_are_told(
    opened: Desk, monkeypatch: pytest.MonkeyPatch, recipe: Recipe
) -> None:
    def mnist(split: str) -> NoReturn:
        raise DataError(f"The {split} images are damaged.")

    monkeypatch.setattr(bundled, "mnist", mnist)
    opened.app.map_settings.set_split("test")
    opened.settle()
    opened.app.lab.train(recipe)
    opened.settle()
    assert opened.failures == [
        ("The images could not be encoded", "The test images are damaged."),
        ("Training did not start", "The test images are damaged."),
    ]
    assert not opened.app.training.active


# Files


def test_a_saved_model_opens_to_the_same_figures(
    opened: Desk, tmp_path: Path, checkpoint: Path
) -> None:
    path = tmp_path / "Größe 100 %.safetensors"
    opened.app.pinning.pin(17)
    before = opened.pin
    opened.app.model.save(path)
    opened.settle()
    assert opened.messages[-1] == f"Saved {path}"
    assert opened.models[-1].path == path
    assert opened.models[-1].name == path.name

    opened.app.model.open(checkpoint)
    opened.app.model.open(path)
    opened.settle()
    assert dataclasses.replace(opened.models[-1], name="", path=None) == dataclasses.replace(
        opened.models[0], name="", path=None
    )
    assert opened.histories[-1] == opened.histories[0]
    np.testing.assert_array_equal(opened.points[-1].positions, opened.points[0].positions)
    assert opened.pin.elbo == before.elbo
    assert opened.failures == []


def test_a_model_saved_too_late_is_not_taken_for_the_one_on_the_map(
    opened: Desk, another: Path, tmp_path: Path
) -> None:
    opened.app.model.save(tmp_path / "saved.safetensors")
    opened.app.model.open_now(another)  # before the outcome of saving is told
    opened.settle()
    assert opened.messages[-1] == f"Saved {tmp_path / 'saved.safetensors'}"
    assert opened.models[-1].path == another


def _in_a_missing_folder(folder: Path) -> Path:
    return folder / "file" / "inside" / "model.bin"


def _onto_a_folder(folder: Path) -> Path:
    return folder / "taken"


def _too_long(folder: Path) -> Path:
    return folder / ("x" * 300)


@pytest.fixture(params=[_in_a_missing_folder, _onto_a_folder, _too_long])
def unwritable(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A place where no file can be written, not even by root."""
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "entry").touch()
    path: Path = request.param(tmp_path)
    return path


def test_an_unwritable_place_is_told_and_the_model_stays(
    opened: Desk, unwritable: Path, checkpoint: Path
) -> None:
    before = sorted(unwritable.parent.parent.rglob("*"))
    app = opened.app
    app.model.save(unwritable)
    app.exports.digit(unwritable, 2)
    app.exports.manifold(unwritable, ManifoldRequest(n=2))
    opened.settle()
    assert [title for title, _ in opened.failures] == [
        "The model was not saved",
        "The picture was not exported",
        "The picture was not exported",
    ]
    assert all(str(unwritable) in text for _, text in opened.failures)
    assert opened.models[-1].path == checkpoint
    assert opened.recent == [checkpoint.resolve()]
    assert [path for path in sorted(unwritable.parent.parent.rglob("*")) if path.is_file()] == [
        path for path in before if path.is_file()
    ]


def test_an_exported_digit_is_what_the_cursor_shows(opened: Desk, tmp_path: Path) -> None:
    path = tmp_path / "digit.png"
    opened.app.cursor.move(0.5, -1.25)
    opened.settle()
    opened.app.exports.digit(path, 3)
    opened.app.cursor.move(5.0, 5.0)  # too late for the export
    opened.main.run()
    assert opened.messages[-1] == f"Exported {path}"
    with Image.open(path) as picture:
        assert picture.size == (84, 84)
        pixels = np.asarray(picture)
        assert json.loads(picture.info["vae-explorer"])["z"] == [0.5, -1.25]
    np.testing.assert_array_equal(pixels[1::3, 1::3], np.rint(opened.pictures[-1].image * 255))


def test_an_exported_manifold_is_a_sheet_of_decoded_places(
    opened: Desk, tmp_path: Path, trained: Snapshot
) -> None:
    path = tmp_path / "manifold.png"
    opened.app.exports.manifold(path, ManifoldRequest(3, "linear", 2.0, scale=1))
    opened.settle()
    with Image.open(path) as picture:
        pixels = np.asarray(picture)
    assert pixels.shape == (84, 84)
    corner = trained.model.decode(np.array([[-2.0, 2.0]]))[0]
    np.testing.assert_array_equal(pixels[:28, :28], np.rint(corner * 255))


def test_a_picture_too_large_is_told(opened: Desk, tmp_path: Path) -> None:
    opened.app.exports.manifold(tmp_path / "a.png", ManifoldRequest(n=1_000_000))
    opened.app.exports.digit(tmp_path / "b.png", 10_000)
    opened.settle()
    assert len(opened.failures) == 2
    assert not list(tmp_path.glob("*.png"))


def test_what_is_unexpected_is_told_by_its_kind(
    opened: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def breaks(*_: object) -> None:
        torch.zeros(2, 3) @ torch.zeros(2, 3)

    monkeypatch.setattr(open_model_module, "write_checkpoint", breaks)
    opened.app.model.save(tmp_path / "a.safetensors")
    opened.settle()
    ((_, text),) = opened.failures
    assert text.startswith("Unexpected RuntimeError: mat1 and mat2")


# Training


def test_the_map_follows_a_run_and_ends_on_its_checkpoint(
    opened: Desk, recipe: Recipe, monkeypatch: pytest.MonkeyPatch, digits: ImageSet
) -> None:
    monkeypatch.setattr(worker_module, "LIVE_SECONDS", 0.0)
    monkeypatch.setattr(worker_module, "LIVE_SHARE", float("inf"))
    monkeypatch.setattr(lab_module, "LIVE_IMAGES", 250)
    opened.app.pinning.pin(17)
    said = len(opened.points)
    opened.app.lab.train(recipe.replace(seed=3))
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


@pytest.mark.parametrize(
    ("images", "limit", "shown"), [(600, 600, 600), (600, 599, 300), (600, 10_000, 600)]
)
def test_never_more_live_images_than_said(
    opened: Desk,
    recipe: Recipe,
    monkeypatch: pytest.MonkeyPatch,
    images: int,
    limit: int,
    shown: int,
) -> None:
    monkeypatch.setattr(worker_module, "LIVE_SECONDS", 0.0)
    monkeypatch.setattr(worker_module, "LIVE_SHARE", float("inf"))
    monkeypatch.setattr(lab_module, "LIVE_IMAGES", limit)
    said = len(opened.points)
    opened.app.lab.train(recipe)
    opened.settle()
    assert opened.points[said].total == images
    assert len(opened.points[said].positions) == shown


def test_points_of_the_model_before_do_not_come_back_while_training(
    threaded: Desk,
    threaded_jobs: Jobs,
    unending: Recipe,
    another: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker_module, "LIVE_SECONDS", 0.0)
    monkeypatch.setattr(worker_module, "LIVE_SHARE", float("inf"))
    monkeypatch.setattr(lab_module, "LIVE_IMAGES", 60)
    moving = threading.Event()
    encode = TrainedVAE.encode

    def slow(model: TrainedVAE, images: Images, *check: Callable[[], None]) -> Posterior:
        if len(images) == 600:
            assert moving.wait(10)
        return encode(model, images, *check)

    monkeypatch.setattr(TrainedVAE, "encode", slow)
    said = len(threaded.points)
    threaded.app.model.open_now(another)
    threaded.app.lab.train(unending)
    threaded.main.run_until(lambda: threaded.positions)
    moving.set()
    behind = threaded_jobs.run_newest(
        "behind", lambda _: None, done=lambda _: None, failed=lambda _: None
    )
    threaded.main.run_until(lambda: behind.finished)
    assert {len(points.positions) for points in threaded.points[said:]} == {60}
    threaded.app.training.stop()
    threaded.wait_for(Phase.IDLE)


def test_pins_and_thumbnails_work_on_the_moving_map(
    opened: Desk, recipe: Recipe, monkeypatch: pytest.MonkeyPatch, digits: ImageSet
) -> None:
    monkeypatch.setattr(worker_module, "LIVE_SECONDS", 0.0)
    monkeypatch.setattr(worker_module, "LIVE_SHARE", float("inf"))
    monkeypatch.setattr(lab_module, "LIVE_IMAGES", 60)
    opened.app.lab.train(recipe)
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
    opened: Desk, recipe: Recipe, monkeypatch: pytest.MonkeyPatch, digits: ImageSet
) -> None:
    """Trails are drawn from there, for every run anew."""
    for seed in (3, 4):
        opened.app.lab.train(recipe.replace(seed=seed))
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
    assert [frame.step for frame in app.lab.time.frames] == moments.steps
    app.lab.time.show(4)
    opened.settle()
    model = opened.models[-1]
    assert (model.name, model.path, model.epoch) == (run_folder.path.name, None, 0.4)
    positions = opened.app.map.points
    assert positions is not None
    expected = moments.read(4).model.encode(digits.images[positions.indices]).mean
    np.testing.assert_array_equal(positions.positions, expected)
    app.lab.time.return_live()
    opened.settle()
    assert opened.models[-1].path == run_folder.model_path
    np.testing.assert_array_equal(
        opened.points[-1].positions, trained.model.encode(digits.images).mean
    )
    assert opened.failures == []


def test_a_moment_of_another_split_is_of_its_images(
    opened: Desk, run_folder: RunFolder, small_mnist: dict[str, ImageSet]
) -> None:
    app = opened.app
    app.model.open(run_folder.model_path)
    opened.settle()
    app.lab.time.show(4)
    opened.settle()
    app.map_settings.set_split("test")
    opened.settle()
    assert opened.models[-1].path == run_folder.model_path
    app.lab.time.show(4)
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
    app.lab.time.show(15)
    opened.settle()
    app.model.save(tmp_path / "moment.safetensors")
    opened.settle()
    saved = read_checkpoint(tmp_path / "moment.safetensors")
    assert (saved.step, len(saved.history)) == (15, 1)
    assert opened.models[-1].name == "moment.safetensors"


def test_a_run_that_cannot_begin_leaves_the_model_that_is_open(
    opened: Desk, recipe: Recipe, checkpoint: Path
) -> None:
    opened.app.lab.train(recipe.replace(validation_images=600))
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
    desk.app.model.open_now(run_folder.model_path)
    desk.settle()
    assert desk.models[-1].path == run_folder.model_path
    assert "The moments of the run cannot be shown" in [title for title, _ in desk.failures]


def test_a_second_run_is_refused_by_name(opened: Desk, recipe: Recipe) -> None:
    opened.app.lab.train(recipe)
    opened.app.lab.train(recipe)
    assert opened.failures == [
        ("Training did not start", "Training is still running; stop it first.")
    ]
    opened.settle()
    assert len(opened.failures) == 1


def test_the_split_stays_while_training(opened: Desk, recipe: Recipe) -> None:
    opened.app.lab.train(recipe)
    opened.app.map_settings.set_split("test")
    assert opened.app.settings.now.split == "train"
    opened.settle()
    opened.app.map_settings.set_split("test")
    assert opened.app.settings.now.split == "test"


def test_a_run_that_fails_is_told_and_the_next_one_works(opened: Desk, recipe: Recipe) -> None:
    opened.app.lab.train(recipe.replace(validation_images=600))
    opened.settle()
    ((title, text),) = opened.failures
    assert title == "Training ended early"
    assert "validation_images" in text
    opened.app.lab.train(recipe)
    opened.settle()
    assert opened.models[-1].epoch == recipe.epochs


def test_what_moved_before_a_run_failed_is_shown_whole(
    opened: Desk, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lab_module, "LIVE_IMAGES", 60)
    monkeypatch.setattr(worker_module, "LIVE_SECONDS", 0.0)
    monkeypatch.setattr(worker_module, "LIVE_SHARE", float("inf"))
    saves: list[object] = []

    save = RunFolder.save

    def breaks(folder: RunFolder, trainer: Trainer) -> Snapshot:
        saves.append(trainer)
        if len(saves) == 1:  # before the first step
            return save(folder, trainer)
        raise RuntimeError("out of memory")

    monkeypatch.setattr(RunFolder, "save", breaks)
    opened.app.lab.train(recipe)
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
        opened.app.lab.train(recipe)
        opened.settle()
    assert [title for title, _ in opened.failures] == ["The run was not saved; training goes on"]
    assert opened.models[-1].epoch == recipe.epochs
    assert opened.models[-1].path is None
    assert opened.recent == [checkpoint.resolve()]
    opened.app.model.save(tmp_path / "rescued.safetensors")
    opened.settle()
    assert read_checkpoint(tmp_path / "rescued.safetensors").epoch == recipe.epochs


def test_a_pause_shows_every_point_and_saves(
    threaded: Desk, unending: Recipe, digits: ImageSet
) -> None:
    app = threaded.app
    app.lab.train(unending)
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
    app.lab.train(unending)
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
    app.lab.train(unending)
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
    opened.app.lab.train(recipe)
    opened.settle()
    assert opened.models[-1].epoch == recipe.epochs
    assert another not in [model.path for model in opened.models]
    assert len(opened.histories) == 1


# The application


def test_settings_are_saved_when_they_change(desk: Desk) -> None:
    heard: list[Settings] = []
    desk.app.settings.changed.connect(heard.append)
    changed = dataclasses.replace(desk.app.settings.now, scheme="dark", folder="/somewhere")
    desk.app.settings.change(changed)
    assert heard == [desk.app.settings.now]
    desk.settle()
    assert Settings.read(paths.settings_file()) == Settings(scheme="dark", folder="/somewhere")


def test_remembered_settings_are_used(
    inline_jobs: Jobs, main: "MainThread", frames: "Frames", checkpoint: Path
) -> None:
    desk = Desk(inline_jobs, main, frames, Settings(split="test"))
    desk.app.model.open_now(checkpoint)
    desk.settle()
    assert desk.points[-1].split == "test"


def test_warming_up_is_silent_unless_it_fails(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.app.warm_up()
    desk.settle()
    assert desk.messages == []
    assert desk.failures == []

    def breaks() -> NoReturn:
        raise RuntimeError("no fused optimizer")

    monkeypatch.setattr(app_module, "warm_up", breaks)
    desk.app.warm_up()
    desk.settle()
    assert [title for title, _ in desk.failures] == ["Training may not work here"]


@pytest.fixture
def closing(main: "MainThread", frames: "Frames", checkpoint: Path) -> Iterator[Desk]:
    """An app on threads that the test closes itself."""
    desk = Desk(Jobs(main.post), main, frames, Settings(device="cpu"))
    desk.app.model.open_now(checkpoint)
    yield desk
    assert desk.app.close()


@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.PAUSED])
def test_closing_while_training_leaves_a_run_that_opens_and_goes_on(
    closing: Desk, unending: Recipe, phase: Phase, digits: ImageSet
) -> None:
    closing.app.lab.train(unending)
    closing.wait_for_progress()
    if phase is Phase.PAUSED:
        closing.app.training.pause()
        closing.wait_for(Phase.PAUSED)
    told = closing.app.training.status.epoch
    begun = time.monotonic()
    assert closing.app.close()
    assert time.monotonic() - begun < 2
    lanes = ("exclusive", "files", "layers", "figures")
    assert not [t for t in threading.enumerate() if t.name.startswith(lanes)]

    said = len(closing.models), len(closing.points), len(closing.messages)
    closing.main.run()
    assert (len(closing.models), len(closing.points), len(closing.messages)) == said
    assert closing.failures == []
    (folder,) = paths.runs().iterdir()
    run = RunFolder(folder)
    saved = read_checkpoint(run.model_path)
    assert saved.epoch >= told
    trainer = run.resume(digits, "cpu")
    assert trainer.step == saved.step
    assert next(trainer.events(lambda: True)).step == saved.step + 1


def test_closing_in_the_first_moments_is_clean(closing: Desk, unending: Recipe) -> None:
    closing.app.warm_up()
    closing.app.lab.train(unending)
    assert closing.app.close()
    closing.main.run()
    assert closing.failures == []


def test_closing_finishes_what_is_being_written(
    closing: Desk, tmp_path: Path, trained: Snapshot
) -> None:
    closing.app.model.save(tmp_path / "model.safetensors")
    closing.app.exports.digit(tmp_path / "digit.png", 1)
    assert closing.app.close()
    assert read_checkpoint(tmp_path / "model.safetensors").history == trained.history
    with Image.open(tmp_path / "digit.png") as picture:
        assert picture.size == (28, 28)
