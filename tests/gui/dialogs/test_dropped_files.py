"""Files and pictures dropped on the window, by the events that Qt sends for them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QDockWidget, QWidget

import vae_explorer as vx
from tests.support.person import Person
from vae_explorer.data.dataset import ImageSet
from vae_explorer.gui.explore.sketch.drawing_pad import DrawingPad
from vae_explorer.session.files.workspaces import Workspaces
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.types import UInt8

ROW = 7


def files(*paths: Path) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data


def dock(person: Person, name: str) -> QDockWidget:
    docks = person.window.findChildren(QDockWidget)
    return next(dock for dock in docks if dock.objectName() == name)


def pad(person: Person) -> DrawingPad:
    (found,) = person.window.draw.findChildren(DrawingPad)
    return found


def targets(person: Person) -> list[QWidget]:
    """Where a person may let go: the window, the map, a panel."""
    return [person.window, person.window.map.canvas, person.window.decode]


@pytest.fixture
def digit(small_mnist: dict[str, ImageSet]) -> UInt8:
    """A large dark digit on a light ground, (280, 280)."""
    dark: UInt8 = np.uint8(255) - small_mnist["train"].images[ROW].repeat(10, 0).repeat(10, 1)
    return dark


def test_a_checkpoint_is_opened(
    person: Person, checkpoint: Path, small_mnist: dict[str, ImageSet]
) -> None:
    wanted = read_checkpoint(checkpoint).model.encode(small_mnist["train"].images).mean
    for target in targets(person):
        assert person.drop(files(checkpoint), target)
        person.wait(lambda: person.model_line.startswith("tiny.safetensors · epoch 2.0"))
        person.wait(lambda: np.array_equal(person.positions, wanted))
        assert person.window.app.settings.now.recent == (str(checkpoint),)
        person.trigger("reset")
        person.wait(lambda: person.model_line.startswith("mnist-elbo"))


@pytest.mark.parametrize(("name", "where"), [("a.png", 0), ("b.JPEG", 1), ("c.bmp", 2)])
def test_a_picture_goes_to_the_pad(
    person: Person,
    digit: UInt8,
    small_mnist: dict[str, ImageSet],
    tmp_path: Path,
    name: str,
    where: int,
) -> None:
    path = tmp_path / name
    Image.fromarray(digit).save(path)
    person.trigger("layout_train")
    assert dock(person, "draw").visibleRegion().isEmpty()
    seen = person.view("Drawing as the model sees it")
    assert person.drop(files(path), targets(person)[where])
    person.wait(lambda: seen._image is not None)
    assert not dock(person, "draw").visibleRegion().isEmpty()
    image = small_mnist["train"].images[ROW].astype(float)
    given = person.picture("Drawing as the model sees it")
    assert np.corrcoef(given.ravel(), image.ravel())[0, 1] > 0.95
    assert pad(person).ink().any()
    assert person.model_line.startswith("mnist-elbo.safetensors"), "the model stays"
    assert not person.errors


def test_a_picture_without_a_file_goes_there_too(person: Person, digit: UInt8) -> None:
    data = QMimeData()
    data.setUrls([QUrl("https://example.org/seven.png")])
    side = len(digit)
    data.setImageData(QImage(digit.tobytes(), side, side, side, QImage.Format.Format_Grayscale8))
    assert person.drop(data)
    person.wait(lambda: pad(person).ink().any())
    assert not dock(person, "draw").visibleRegion().isEmpty()


def test_a_workspace_is_opened(person: Person, tmp_path: Path) -> None:
    app, path = person.window.app, tmp_path / "mine.vaex"
    app.cursor.move(0.5, -0.25)
    app.pinning.pin(ROW, add=True)
    app.cursor.move(1.0, 2.0)
    Workspaces(app).save(path, person.window.map.region(), "travel")
    person.wait(path.exists)
    app.pins.clear()
    app.cursor.move(0.0, 0.0)
    assert person.drop(files(path))
    person.wait(lambda: app.cursor.position == (1.0, 2.0))
    assert person.pins == [ROW]
    assert not dock(person, "paths").visibleRegion().isEmpty()


def test_a_table_colours_the_points(person: Person, tmp_path: Path) -> None:
    path = tmp_path / "Figures.CSV"
    path.write_text("height\n" + "\n".join(str(row) for row in range(600)))
    assert person.drop(files(path))
    person.agree()
    person.wait(lambda: "height" in str(person.window.app.coloring.choices))
    assert not person.errors


def test_anything_else_is_refused_by_name(person: Person, tmp_path: Path) -> None:
    for name in ("notes.doc", "model.pt", "none", "<b>bold.zip"):
        path = tmp_path / name
        path.write_text("?")
        assert person.drop(files(path))
        person.wait(lambda: bool(person.errors))
        (error,) = person.errors
        title = f"The file was not opened: {path} is nothing that can be dropped here"
        assert error.startswith(title)
        assert ".safetensors" in error
        assert person.model_line.startswith("mnist-elbo.safetensors")
        person.close_errors()


def test_what_cannot_be_read_is_told(person: Person, tmp_path: Path) -> None:
    for name, title in (
        ("broken.safetensors", "The checkpoint was not opened"),
        ("broken.vaex", "The workspace was not opened"),
        ("broken.csv", "The table was not read"),
        ("broken.npz", "The data were not opened"),
        ("broken.png", "The picture was not read"),
        ("drawing.svg", "The picture was not read"),
    ):
        path = tmp_path / name
        path.write_bytes(b"\0not this\xff")
        assert person.drop(files(path))
        person.wait(lambda: person.errors)
        (error,) = person.errors
        assert error.startswith(f"{title}: {path}")
        person.close_errors()


def test_a_picture_that_is_promised_and_not_given_is_told(person: Person) -> None:
    data = QMimeData()
    data.setImageData(QImage())
    assert person.drop(data)
    person.wait(lambda: person.errors)
    assert person.errors == [
        "The picture was not read: The picture has no pixels; open one that has."
    ]


def test_two_files_or_none_are_not_taken(person: Person, checkpoint: Path) -> None:
    assert not person.drop(files(checkpoint, checkpoint))
    assert not person.drop(files())
    elsewhere = QMimeData()
    elsewhere.setUrls([QUrl("https://example.org/model.safetensors")])
    assert not person.drop(elsewhere)


def test_an_export_goes_back_to_the_model_and_the_place_it_names(
    person: Person, checkpoint: Path, tmp_path: Path
) -> None:
    path = tmp_path / "digit.png"
    model = tmp_path / "mine.safetensors"
    model.write_bytes(checkpoint.read_bytes())
    vx.export("digit", path, model, z=(0.5, -1.25))
    assert person.drop(files(path))
    person.wait(lambda: person.model_line.startswith("mine.safetensors"))
    person.wait(lambda: person.window.app.cursor.position == (0.5, -1.25))
    assert not person.errors
    model.rename(tmp_path / "elsewhere.safetensors")
    assert person.drop(files(path))
    person.wait(lambda: person.errors)
    assert "not there any more" in person.errors[0]


def test_a_training_film_goes_back_to_its_run(
    person: Person, run_folder: RunFolder, tmp_path: Path
) -> None:
    path = tmp_path / "training.gif"
    film = {"width": 160, "height": 120, "snapshots": 1, "points": 10, "sheet": 2}
    vx.export("film", path, run_folder.path, data="MNIST", **film)  # type: ignore[arg-type]
    assert person.drop(files(path))
    person.wait(lambda: person.errors or person.model_line.startswith(run_folder.path.name), 5)
    assert not person.errors
    assert person.window.app.model.path == run_folder.model_path
    assert not person.errors


@pytest.mark.parametrize("kind", ["map", "page", "walk"])
def test_exports_of_what_moves_or_shows_the_map_go_back_too(
    kind: str, person: Person, checkpoint: Path, tmp_path: Path
) -> None:
    model = tmp_path / "mine.safetensors"
    model.write_bytes(checkpoint.read_bytes())
    path = tmp_path / {"map": "map.svg", "page": "page.html", "walk": "walk.gif"}[kind]
    app = person.window.app
    app.model.open(model)
    person.wait(lambda: person.model_line.startswith("mine.safetensors"))
    app.cursor.move(0.5, -1.25)
    app.cursor.bookmark("here")
    app.cursor.move(1.0, 1.0)
    app.cursor.bookmark("there")
    app.layers.set_on("prior", on=True)
    person.wait(lambda: not app.layers.busy)
    request = app.exports.offers()[kind]
    if kind == "walk":
        request = request.replace(frames=2, sheet=0)
    app.exports.export(request, path)
    person.wait(path.is_file)
    person.trigger("reset")
    person.wait(lambda: not person.model_line.startswith("mine"))
    app.layers.set_on("prior", on=False)
    app.cursor.move(2.0, 2.0)
    assert person.drop(files(path))
    person.wait(lambda: person.model_line.startswith("mine.safetensors"))
    if kind == "map":
        person.wait(lambda: "prior" in {state.id for state in app.layers.states if state.on})
    if kind == "walk":
        person.wait(lambda: app.cursor.position == (0.5, -1.25))
    assert not person.errors
