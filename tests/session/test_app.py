import csv
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from tests.support.desk import Desk, at_once, expected_point
from vae_explorer import paths
from vae_explorer.data import bundled
from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import DataError
from vae_explorer.export.requests import Digit, Manifold
from vae_explorer.session.app import build_app
from vae_explorer.session.edits import Edit
from vae_explorer.session.files.settings import Settings
from vae_explorer.session.jobs import Jobs
from vae_explorer.session.map.state import PointColors
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.types import OneSplit

pytestmark = pytest.mark.usefixtures("small_mnist")


def test_without_a_model_every_request_is_harmless(desk: Desk, tmp_path: Path) -> None:
    app = desk.app
    app.cursor.move(1.0, 1.0)
    app.cursor.preview((0.0, 0.0))
    app.pinning.pin(0)
    app.pins.clear()
    app.map_settings.set_split("test")
    app.model.save(tmp_path / "a.safetensors")
    app.exports.export(Digit(), tmp_path / "a.png")
    app.exports.export(Manifold(), tmp_path / "b.png")
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
    assert opened.app.cursor.position == (float(z1), float(z2))
    assert opened.pictures[-1].z == (float(z1), float(z2))
    assert opened.app.map.row(point.split, point.index) == 17

    opened.app.pins.clear()
    assert opened.pins[-1] is None
    assert opened.app.cursor.position == (float(z1), float(z2))


@pytest.mark.parametrize("row", [-1, 600, 10**9])
def test_a_row_that_is_not_there_is_not_pinned(opened: Desk, row: int) -> None:
    said = len(opened.pins)
    opened.app.pinning.pin(row)
    assert len(opened.pins) == said
    assert opened.app.cursor.position == (0.0, 0.0)


def test_the_pin_stays_on_its_image_under_another_model(
    opened: Desk, another: Path, digits: ImageSet
) -> None:
    opened.app.pinning.pin(17)
    opened.app.model.open(another)
    opened.settle()
    assert opened.pin.index == 17
    for name, value in expected_point(read_checkpoint(another), digits, 17).items():
        assert getattr(opened.pin, name) == pytest.approx(value)


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
    found: tuple[tuple[OneSplit, int], ...] = ("train", 5), ("test", 605)
    for split, row in found:
        opened.app.pinning.find(split, 5)
        assert opened.pinned_row == row
        assert opened.app.cursor.position == tuple(opened.points[-1].positions[row].tolist())
        np.testing.assert_array_equal(opened.pin.original, small_mnist[split].images[5])
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
    exports = opened.app.exports
    exports.export(exports.offers()["points"], tmp_path / "worst.csv")
    opened.settle()
    with (tmp_path / "worst.csv").open(newline="") as file:
        header, *lines = csv.reader(file)
    moments = ["z1", "z2", "var1", "cov12", "var2"]
    assert header == ["split", "index", "label", *moments, "elbo", "log_likelihood"]
    assert (tmp_path / "worst.csv.json").is_file()
    points, elbo = opened.points[-1], opened.app.scores.known["elbo"]
    for line, row in zip(lines, rows.tolist(), strict=True):
        assert line[:3] == ["train", str(row), str(points.labels[row])]
        np.testing.assert_allclose(np.array(line[3:5], float), points.positions[row], 1e-5)
        assert np.float32(line[8]) == elbo[row]


def test_the_columns_of_a_table_are_told_and_a_bad_one_is(opened: Desk, tmp_path: Path) -> None:
    told: list[PointColors | None] = []
    opened.app.coloring.changed.connect(told.append)
    opened.app.coloring.drafted.connect(
        lambda draft: opened.app.coloring.read_table(draft.path, draft.layout)
    )
    path = tmp_path / "table.csv"
    path.write_text("\n".join(["x", *map(str, range(600))]))
    opened.app.coloring.open_table(path)
    opened.settle()
    assert told[-1] is not None
    np.testing.assert_array_equal(told[-1].values, np.arange(600))
    path.write_text("x\n1\n")
    opened.app.coloring.open_table(path)
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
    opened.app.runs.train(recipe)
    opened.settle()
    assert opened.failures == [
        ("The images could not be encoded", "The test images are damaged."),
        ("Training did not start", "The test images are damaged."),
    ]
    assert not opened.app.training.active
