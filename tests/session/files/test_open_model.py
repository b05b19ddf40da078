import dataclasses
import json
import logging
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.support.desk import Desk
from vae_explorer import paths
from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import CheckpointError
from vae_explorer.export import pictures
from vae_explorer.export.requests import Digit, Manifold
from vae_explorer.export.source import Progress
from vae_explorer.paths import bundled_checkpoint
from vae_explorer.session.files import open_model as open_model_module
from vae_explorer.session.files.open_data import Missing
from vae_explorer.session.files.open_model import ModelInfo
from vae_explorer.session.files.settings import Settings
from vae_explorer.training.checkpoint import read_checkpoint, write_checkpoint
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run import train
from vae_explorer.training.snapshot import Snapshot

pytestmark = pytest.mark.usefixtures("small_mnist")


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
        data="MNIST, 600 images",
        shown="MNIST",
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
    assert opened.app.cursor.position == (0.5, 0.5)
    np.testing.assert_array_equal(
        opened.pictures[-1].image, snapshot.model.decode(np.array([[0.5, 0.5]]))[0]
    )
    assert opened.recent[0] == another.resolve()


@pytest.mark.parametrize(
    "spoil",
    [lambda _: None, lambda path: path.write_text("not a model"), Path.mkdir],
    ids=["missing", "text", "folder"],
)
def test_a_bad_file_is_told_and_changes_nothing(
    opened: Desk, checkpoint: Path, tmp_path: Path, spoil: Callable[[Path], object]
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


def test_a_model_of_other_images_asks_for_them_or_goes_on_without(
    opened: Desk, tmp_path: Path, recipe: Recipe, digits: ImageSet
) -> None:
    small = ImageSet(digits.images[:, ::4, ::4], None, "small digits", "train")
    path = tmp_path / "small.safetensors"
    write_checkpoint(train(recipe.replace(epochs=1), small, device="cpu"), path)
    opened.app.pinning.pin(3)
    asked: list[Missing] = []
    opened.app.data.missing.connect(asked.append)
    opened.app.model.open(path)
    opened.settle()
    (missing,) = asked
    assert missing.wanted.name == "small digits"
    assert len(opened.models) == 1, "until there is an answer"
    assert missing.own is not None
    missing.take(missing.own)
    opened.settle()
    assert opened.models[-1].path == path
    assert opened.models[-1].shown == "digits"
    assert opened.points[-1].data.image_shape == (7, 7)
    assert opened.points[-1].foreign == "images of digits: the model was trained on small digits"
    assert opened.app.data.recent == (), "nobody opened them"
    opened.app.model.open_now(path)
    opened.settle()
    assert len(asked) == 2
    assert opened.models[-1].path == bundled_checkpoint()
    assert opened.failures == []


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
    assert f"Saved {tmp_path / 'saved.safetensors'}" in opened.messages
    assert opened.models[-1].path == another


@pytest.fixture(params=["file/inside/model.bin", "taken", "x" * 300])
def unwritable(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A position where no file can be written, not even by root."""
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "entry").touch()
    return tmp_path / str(request.param)


def test_an_unwritable_place_is_told_and_the_model_stays(
    opened: Desk, unwritable: Path, checkpoint: Path
) -> None:
    before = sorted(unwritable.parent.parent.rglob("*"))
    app = opened.app
    app.model.save(unwritable)
    app.exports.export(Digit(), unwritable)
    app.exports.export(Manifold(n=2), unwritable)
    opened.settle()
    assert [title for title, _ in opened.failures] == [
        "The model was not saved",
        "The file was not exported",
        "The file was not exported",
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
    opened.app.exports.export(opened.app.exports.offers()["digit"].replace(scale=3), path)
    opened.app.cursor.move(5.0, 5.0)  # too late for the export
    opened.main.run()
    assert opened.messages[-1] == f"Exported {path}"
    with Image.open(path) as picture:
        assert picture.size == (84, 84)
        pixels = np.asarray(picture)
        assert json.loads(picture.info["vae-explorer"])["request"]["z"] == [0.5, -1.25]
    np.testing.assert_array_equal(pixels[1::3, 1::3], np.rint(opened.pictures[-1].image * 255))


def test_an_exported_manifold_is_a_sheet_of_decoded_places(
    opened: Desk, tmp_path: Path, trained: Snapshot
) -> None:
    path = tmp_path / "manifold.png"
    opened.app.exports.export(Manifold(3, "linear", 2.0, scale=1), path)
    opened.settle()
    with Image.open(path) as picture:
        pixels = np.asarray(picture)
    assert pixels.shape == (84, 84)
    corner = trained.model.decode(np.array([[-2.0, 2.0]]))[0]
    np.testing.assert_array_equal(pixels[:28, :28], np.rint(corner * 255))


def test_a_picture_too_large_is_told(opened: Desk, tmp_path: Path) -> None:
    opened.app.exports.export(Manifold(n=200, scale=4), tmp_path / "a.png")
    opened.app.exports.export(Digit(scale=400), tmp_path / "b.png")
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


def test_a_model_that_comes_with_the_program_is_not_written_over(opened: Desk) -> None:
    bundled = paths.bundled_models()["mnist-paper"]
    before = bundled.read_bytes()
    opened.app.model.save(bundled)
    opened.settle()
    ((title, error),) = opened.failures
    assert title == "The model was not saved"
    assert "mnist-paper.safetensors comes with the program; choose another name." in str(error)
    assert bundled.read_bytes() == before
    opened.failures.clear()


def test_an_export_that_is_left_leaves_nothing(
    opened: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def maker(request: object, source: object, suffix: str, progress: Progress) -> bytes:
        progress(0.5)
        opened.app.exports.cancel()
        progress(0.6)
        raise AssertionError("it went on")

    monkeypatch.setattr(pictures, "manifold", maker)
    ends: list[bool] = []
    opened.app.exports.ended.connect(ends.append)
    path = tmp_path / "sheet.png"
    path.write_bytes(b"old")
    opened.app.exports.export(Manifold(), path)
    opened.settle()
    assert (ends, opened.failures) == ([False], [])
    assert opened.messages[-1] == "sheet.png was not exported"
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
