"""A person's own images in the window: 12 × 9 pixels, in three named classes."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCheckBox, QFileDialog, QLabel, QListWidget

from tests.support.person import Person
from vae_explorer.data.dataset import Dataset
from vae_explorer.data.opening import open_images
from vae_explorer.data.reading import Reading, Source
from vae_explorer.gui.dialogs.data import DataDialog
from vae_explorer.gui.explore.sketch.drawing_pad import DrawingPad
from vae_explorer.gui.map.legend import LegendButton
from vae_explorer.gui.training.progress_text import format_duration
from vae_explorer.latent.quadrature import exact_posterior
from vae_explorer.session.files.open_data import Look
from vae_explorer.session.lessons.experiment import make_experiment
from vae_explorer.session.training.events import Phase
from vae_explorer.training import run
from vae_explorer.training.checkpoint import write_checkpoint
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.snapshot import DataReference

NAMES = ("bar", "cross", "дом")


def write_data(path: Path, seed: int = 0) -> Path:
    """Noise, brighter where the class says: 60 images to train on and 30 to test on."""
    rng = np.random.default_rng(seed)
    arrays: dict[str, Any] = {}
    for split, count in (("train", 60), ("test", 30)):
        labels = np.arange(count) % len(NAMES)
        images = rng.integers(0, 60, (count, 12, 9))
        images[np.arange(count), 4 * labels] += 150
        arrays[f"{split}_images"] = images.astype(np.uint8)
        arrays[f"{split}_labels"] = np.array(NAMES)[labels]
    np.savez(path, **arrays)
    return path


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return write_data(tmp_path / "shapes.npz")


@pytest.fixture
def small(recipe: Recipe) -> Recipe:
    return recipe.replace(epochs=2, batch_size=10, validation_images=10)


def agreed(person: Person) -> Dataset:
    """The data that are offered, and opened now."""
    data = person.window.app.data
    before = data.now
    person.agree()
    person.wait(lambda: data.now is not before)
    return data.now


def open_data(person: Person, path: Path) -> Dataset:
    person.window.app.data.open(path)
    return agreed(person)


def train(person: Person, recipe: Recipe, images: int = 60) -> None:
    person.window.app.runs.train(recipe)
    person.wait(lambda: len(person.positions) == images)
    person.wait_for_phase(Phase.IDLE)
    person.wait(lambda: person.window.app.model.path is not None)
    person.wait(lambda: person.window.app.map.state.posterior is not None)


def legend(person: Person) -> list[str]:
    return [button.text() for button in person.window.map.findChildren(LegendButton)]


def test_own_images_are_opened_trained_on_and_explored(
    person: Person, own: Path, small: Recipe, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    window, app = person.window, person.window.app
    line, positions = person.model_line, person.positions
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(own), ""))
    person.trigger("open_data")
    person.wait(lambda: window.findChildren(DataDialog))
    (dialog,) = window.findChildren(DataDialog)
    texts = [label.text() for label in dialog.findChildren(QLabel)]
    assert "90 of 12×9 gray" in texts
    assert "3  " + "  ".join(f"{name}: 30" for name in NAMES) in texts
    assert any("6 images held out" in text for text in texts)
    split = "60 to train on, 30 to test on (its own); none of these among those to train on"
    person.wait(lambda: split in {label.text() for label in dialog.findChildren(QLabel)})
    (invert,) = (
        box for box in dialog.findChildren(QCheckBox) if box.text() == "Exchange dark and light"
    )
    looks: list[Look] = []
    app.data.looked.connect(looks.append)
    for inverted in (True, False):
        invert.click()
        person.wait(lambda: looks)
        assert looks.pop().reading.invert is inverted
    data = agreed(person)
    assert window.training.recipe().validation_images == 6
    assert data.name == "shapes"
    assert person.positions is positions, "the model on the map reads images of another size"
    assert person.model_line == line
    assert "Opened shapes; press Start to train on it" in window.log.toPlainText()

    train(person, small)
    model = app.map.state.model
    assert model.image_shape == (12, 9)
    assert app.map.state.data is data
    np.testing.assert_allclose(person.positions, model.encode(data.train.images).mean, atol=1e-5)
    assert legend(person) == list(NAMES)
    assert "shapes" in window.windowTitle()
    assert "shapes train · 60 of 60" in person.field("Data")
    person.trigger("digit_2")
    assert app.cursor.position == window.map.class_places()[2]
    assert [window.actions_[f"digit_{label}"].isEnabled() for label in (2, 3)] == [True, False]
    assert window.actions_["digit_2"].text() == "Go to Class дом"
    assert not person.errors

    window.map.fit()
    lone = person.lone
    person.hover(person.position(lone))
    (name,) = {NAMES[person.labels[lone]]} & {label.text() for label in window.findChildren(QLabel)}
    person.click(person.position(lone))
    person.wait(lambda: person.pins == [lone])
    pin = app.pins.current
    assert pin.name == f"{name} · #{lone} train"
    np.testing.assert_array_equal(pin.original, data.train.images[lone])
    assert person.picture().shape == (12, 9)

    app.scores.request("test", ("log_marginal",))
    person.wait(lambda: np.isfinite(app.scores.known["log_marginal"]).all(), 60)
    x = model.treated(data.train.images[:1], 0)
    exact = exact_posterior(model, x).log_marginal
    assert app.scores.known["log_marginal"][0] == pytest.approx(exact[0], abs=0.01)

    for layer in ("regions", "ellipses"):
        if layer in {state.id for state in app.layers.states}:
            app.layers.set_on(layer, on=True)
    person.wait(lambda: not app.layers.busy, 60)
    app.exports.export(app.exports.offers()["points"], tmp_path / "points.csv")
    person.wait((tmp_path / "points.csv").exists)
    assert len((tmp_path / "points.csv").read_text().splitlines()) == 61
    assert not person.errors

    person.trigger("split_test")
    person.wait(lambda: len(person.positions) == 30)
    assert app.pins.tray, "of the same data"


def test_a_workspace_and_a_run_find_their_data_again(
    person: Person, own: Path, small: Recipe, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    app, window = person.window.app, person.window
    data = open_data(person, own)
    train(person, small)
    places = person.positions.copy()
    window.map.fit()
    person.click(person.position(person.lone))
    person.wait(lambda: person.pins)
    pins = person.pins
    workspace = tmp_path / "mine.vaex"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(workspace), ""))
    person.trigger("save_workspace")
    person.wait(workspace.exists)

    person.trigger("reset")
    person.wait(lambda: len(person.positions) == 600)
    assert legend(person) == list("0123456789")
    assert person.pins == [], "they were of other data"
    assert app.data.now.name == "MNIST", "what is shown is what is trained on"
    assert "shapes" not in window.windowTitle()

    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(workspace), ""))
    person.trigger("open_workspace")
    person.wait(lambda: len(person.positions) == 60)
    person.wait(lambda: person.pins == pins)
    np.testing.assert_array_equal(person.positions, places)
    assert app.data.now.fingerprint == data.fingerprint
    assert not person.errors


def test_a_model_that_was_trained_elsewhere_finds_its_data(
    person: Person, own: Path, small: Recipe, tmp_path: Path
) -> None:
    """By what its file says: the window has not seen them yet."""
    app, path = person.window.app, tmp_path / "elsewhere.safetensors"
    images = open_images(own).train
    for count in (60, 40):
        write_checkpoint(run.train(small, images.first(count), device="cpu"), path)
        app.model.open(path)
        person.wait(lambda: len(person.positions) == 60)
        assert app.data.now.source == Source(own, images.source.reading)
        assert legend(person) == list(NAMES)
        person.trigger("reset")
        person.wait(lambda: len(person.positions) == 600)
    assert not person.errors


def test_no_model_that_was_sent_leads_into_a_folder(person: Person, tmp_path: Path) -> None:
    app = person.window.app
    wanted = DataReference("photos", "0" * 64, 9, Source(tmp_path))
    asked: list[object] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vae_explorer.session.files.open_data.open_images", asked.append)
        for path in (tmp_path, Path("//server/share/images.npz")):
            assert app.data.find(replace(wanted, source=Source(path))) is None
    assert not asked


def test_data_of_the_models_size_are_shown_by_it_at_once(person: Person, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    path = tmp_path / "noise.npz"
    train, test = rng.integers(0, 256, (2, 20, 28, 28), np.uint8)
    np.savez(path, train_images=train, test_images=test)
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    assert person.drop(mime)
    person.agree()
    person.wait(lambda: len(person.positions) == 20)
    assert legend(person) == [], "the images have no labels"
    assert not person.window.actions_["digit_0"].isEnabled()
    assert person.window.map.canvas.isVisible()
    model = person.window.app.map.state.model
    wanted = model.encode(open_images(path).train.images).mean
    np.testing.assert_allclose(person.positions, wanted, atol=1e-5)
    assert "trained on MNIST" in person.model_line
    shown = person.status
    assert "20" in shown
    assert not person.errors


def test_a_drawing_has_the_size_of_the_model(person: Person, own: Path, small: Recipe) -> None:
    app, pad = person.window.app, person.window.findChild(DrawingPad)
    ink = np.zeros((280, 280), np.uint8)
    ink[60:220, 130:150] = 255
    app.sketch.draw(ink)
    assert app.sketch.image.image.shape == (28, 28)
    open_data(person, own)
    train(person, small)
    assert pad.isEnabled()
    assert app.sketch.image.image.shape == (12, 9)
    assert app.sketch.image.image.max() > 200
    assert not person.errors


def test_a_sheet_of_an_unknown_grid_is_opened_by_the_choice(person: Person, tmp_path: Path) -> None:
    sheet = np.random.default_rng(0).integers(0, 256, (22, 39), np.uint8)
    path = tmp_path / "sheet.png"
    Image.fromarray(sheet).save(path)
    app = person.window.app
    app.data.open(path)
    person.wait(lambda: person.window.findChildren(DataDialog))
    (dialog,) = person.window.findChildren(DataDialog)
    assert any("give the grid" in text for text in notes(dialog))
    app.data.open(path, Reading(grid=(2, 1)))
    person.wait(lambda: "A sheet cut into 2 rows and 1 columns of 11×39." in notes(dialog))
    assert agreed(person).image_shape == (11, 39)
    assert not person.errors


def notes(dialog: DataDialog) -> list[str]:
    (found,) = dialog.findChildren(QListWidget)
    return [found.item(row).text() for row in range(found.count())]


def test_the_proposed_time_is_measured(person: Person, own: Path) -> None:
    timed: list[float] = []
    data = person.window.app.data
    data.timed.connect(timed.append)
    data.open(own)
    person.wait(lambda: timed, 60)
    (dialog,) = person.window.findChildren(DataDialog)
    texts = [label.text() for label in dialog.findChildren(QLabel)]
    assert any(text.endswith(f"about {format_duration(timed[0])}") for text in texts)
    person.agree()


def test_what_is_proposed_is_for_the_images_that_were_read(
    person: Person, tmp_path: Path, qapp: QApplication
) -> None:
    """Copies share a split, which is known once all have been read; Enter opens what is shown."""
    images = np.random.default_rng(0).integers(0, 256, (15, 6, 6), np.uint8)
    np.save(tmp_path / "copies.npy", np.repeat(images, 4, axis=0))
    app = person.window.app
    read: list[Dataset] = []
    app.data.offered.connect(read.append)
    app.data.open(tmp_path / "copies.npy")
    person.wait(lambda: read)
    (dialog,) = person.window.findChildren(DataDialog)
    train, test = (len(images) for images in (read[0].train, read[0].test))
    assert (train, test) != (51, 9), "as without copies"
    texts = " ".join(label.text() for label in dialog.findChildren(QLabel))
    assert f"{train} to train on, {test} to test on" in texts
    assert f"{round(train / 10)} images held out" in texts
    person.wait(dialog.isActiveWindow)
    focused = qapp.focusWidget()
    assert focused is not None
    QTest.keyClick(focused, Qt.Key.Key_Return)
    person.wait(lambda: app.data.now is read[0])


def test_a_folder_of_many_classes_in_colour(
    person: Person, small: Recipe, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Of 24 classes, more than there are colours; what cannot be drawn says so."""
    rng = np.random.default_rng(0)
    for label in range(24):
        for number in range(10):
            path = tmp_path / "many" / f"kind {label + 1}" / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 256, (6, 5, 3), np.uint8)).save(path)
    app, window = person.window.app, person.window
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "many"))
    person.trigger("open_data_folder")
    person.agree()
    person.wait(lambda: app.data.now.name == "many")
    pad = window.findChild(DrawingPad)
    assert pad.isEnabled(), "for the model on the map"
    assert "28×28" in lines(person)
    train(person, small, len(app.data.now.train))
    assert legend(person) == [f"kind {number}" for number in range(1, 25)]
    assert not pad.isEnabled()
    assert "only gray ones can be drawn" in lines(person)
    names = [window.actions_[f"digit_{label}"].text() for label in range(10)]
    assert names == [f"Go to Class kind {number}" for number in range(1, 11)]
    person.trigger("digit_9")
    assert app.cursor.position == window.map.class_places()[9]
    assert not person.errors

    for instrument, said in (("bound", "The figure shows many"), ("trade", "needs MNIST")):
        note = make_experiment(instrument, app.learning.context).note
        assert said in note
    person.trigger("reset")
    person.wait(lambda: len(person.positions) == 600)
    assert pad.isEnabled()
    assert make_experiment("trade", app.learning.context).note == ""


def lines(person: Person) -> str:
    return " ".join(label.text() for label in person.window.draw.findChildren(QLabel))
