"""What a person is asked when the data of a model, a run or a sweep are not found."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QFileDialog, QMessageBox

from tests.gui.window.test_own_data import write_data
from tests.support.person import Person
from vae_explorer.data.opening import open_images
from vae_explorer.session.runs.sweeps import CellMap
from vae_explorer.session.training.events import Phase
from vae_explorer.training.checkpoint import read_checkpoint, write_checkpoint
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run import Recorder, train
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.sweep import Axis, Sweep
from vae_explorer.training.sweep_folder import SweepFolder
from vae_explorer.training.trainer import Trainer

FILE, FOLDER, ANYWAY, WITHOUT = "Locate File…", "Locate Folder…", "Use Anyway", "Go On Without"
GONE = "shapes.npz is not there any more."


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return write_data(tmp_path / "shapes.npz")


@pytest.fixture
def small(recipe: Recipe) -> Recipe:
    return recipe.replace(epochs=1, batch_size=10, validation_images=10)


@pytest.fixture
def model(own: Path, small: Recipe, tmp_path: Path) -> Path:
    """A model, and the file of its data has another name now."""
    path = tmp_path / "shapes.safetensors"
    write_checkpoint(train(small, open_images(own).train, device="cpu"), path)
    own.rename(tmp_path / "moved.npz")
    return path


def asked(person: Person) -> tuple[str, list[str]]:
    """What the message says, when it is there, and what can be answered."""
    person.wait(lambda: any(box.isVisible() for box in person.window.findChildren(QMessageBox)))
    (box,) = (box for box in person.window.findChildren(QMessageBox) if box.isVisible())
    buttons = [button.text().replace("&", "") for button in box.buttons()]
    buttons.remove("Cancel")
    return f"{box.text()}\n{box.informativeText()}", buttons


def answer(person: Person, text: str) -> None:
    asked(person)
    (box,) = (box for box in person.window.findChildren(QMessageBox) if box.isVisible())
    next(one for one in box.buttons() if one.text().replace("&", "") == text).click()


def locate(person: Person, path: Path | str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
        answer(person, FILE)


def test_the_data_of_a_model_are_located_by_hand(
    person: Person, model: Path, tmp_path: Path
) -> None:
    app, line = person.window.app, person.model_line
    app.model.open(model)
    text, buttons = asked(person)
    for part in ("“shapes”", "60 images of 12×9", str(tmp_path / "shapes.npz"), GONE):
        assert part in text
    assert buttons == [FILE, FOLDER, WITHOUT]
    answer(person, "Cancel")
    assert (person.model_line, len(person.positions), app.data.now.name) == (line, 600, "MNIST")

    app.model.open(model)
    locate(person, "")
    assert GONE in asked(person)[0], "no file was chosen"
    (tmp_path / "notes.npz").write_text("no images")
    locate(person, tmp_path / "notes.npz")
    person.wait(lambda: GONE not in asked(person)[0])
    assert "notes.npz" in asked(person)[0]
    assert asked(person)[1] == [FILE, FOLDER, WITHOUT]
    np.savez(tmp_path / "large.npz", train_images=np.zeros((9, 20, 20), np.uint8))
    locate(person, tmp_path / "large.npz")
    person.wait(lambda: "large.npz has other content" in asked(person)[0])
    assert asked(person)[1] == [FILE, FOLDER, ANYWAY, WITHOUT], "read in the model's size"

    locate(person, tmp_path / "moved.npz")
    person.wait(lambda: len(person.positions) == 60)
    wanted = read_checkpoint(model).model.encode(open_images(tmp_path / "moved.npz").train.images)
    np.testing.assert_allclose(person.positions, wanted.mean, atol=1e-5)
    assert "trained on" not in person.status

    person.trigger("reset")
    person.wait(lambda: len(person.positions) == 600)
    app.model.open(model)
    person.wait(lambda: len(person.positions) == 60)
    assert not person.errors, "where it is now is known"


def test_a_model_goes_on_without_its_data_or_with_others(
    person: Person, model: Path, tmp_path: Path
) -> None:
    app = person.window.app
    app.model.open(model)
    answer(person, WITHOUT)
    person.wait(lambda: app.map.state.path == model)
    assert "images of digits: the model was trained on shapes" in person.status
    said = "shapes was not found; digits is shown instead"
    assert said in person.window.log.toPlainText()

    app.model.open(model)
    locate(person, write_data(tmp_path / "others.npz", seed=1))
    person.wait(lambda: ANYWAY in asked(person)[1])
    assert "others.npz has other content: 60 training images of 12×9." in asked(person)[0]
    answer(person, ANYWAY)
    person.wait(lambda: app.data.now.name == "others")
    assert "images of others: the model was trained on shapes" in person.status


def test_a_run_is_resumed_with_its_own_data_alone(
    person: Person, own: Path, small: Recipe, tmp_path: Path
) -> None:
    app, images = person.window.app, open_images(own).train
    run = RunFolder.create(app.training.runs, small)
    with Recorder(Trainer(small, images, "cpu"), run) as recorder:
        recorder.begin()
    own.rename(tmp_path / "moved.npz")
    app.catalogue.resume(run.path)
    assert asked(person)[1] == [FILE, FOLDER]
    locate(person, write_data(tmp_path / "others.npz", seed=1))
    person.wait(lambda: "other content" in asked(person)[0])
    assert asked(person)[1] == [FILE, FOLDER]
    locate(person, tmp_path / "moved.npz")
    person.wait(lambda: app.model.path == run.model_path)
    person.wait_for_phase(Phase.IDLE)
    assert read_checkpoint(run.model_path).epoch == 1
    assert not person.errors


def test_a_sweep_shows_maps_without_its_data_and_goes_on_with_them(
    person: Person, own: Path, small: Recipe, tmp_path: Path
) -> None:
    app, images = person.window.app, open_images(own).train
    sweep = SweepFolder.create(tmp_path / "sweep", Sweep(small, (Axis("seed", (0, 1)),)), images)
    trainer, run = sweep.begin(sweep.sweep.cells[0], images, "cpu")
    with Recorder(trainer, run) as recorder:
        recorder.begin()
        assert list(recorder.follow())
    own.rename(tmp_path / "moved.npz")
    maps: list[CellMap] = []
    app.sweeps.map_made.connect(maps.append)
    app.sweeps.open(sweep.path)
    answer(person, "Cancel")
    assert app.sweeps.path is None
    app.sweeps.open(sweep.path)
    answer(person, WITHOUT)
    person.wait(lambda: maps)
    assert len(maps[-1].codes) > 60
    app.sweeps.go_on()
    assert asked(person)[1] == [FILE, FOLDER]
    locate(person, tmp_path / "moved.npz")
    person.wait(lambda: {made.number for made in maps if len(made.codes) == 60} == {1, 2})
    assert not person.errors
