"""Presets and recipe files, by the form's own menu."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QComboBox, QFileDialog, QLineEdit, QMenu

from tests.support.trainee import Trainee
from vae_explorer import paths
from vae_explorer.gui.dialogs.selection import NameDialog
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.presets import recipe_of
from vae_explorer.training.recipe import Recipe

if TYPE_CHECKING:
    from tests.support.person import Person


def menu(trainee: Trainee, text: str) -> None:
    actions = trainee.panel.presets.findChild(QMenu).actions()
    next(action for action in actions if action.text() == text).trigger()


def box_of(trainee: Trainee) -> QComboBox:
    (box,) = trainee.panel.presets.findChildren(QComboBox)
    trainee.person.wait(lambda: box.count() > 2)
    return box


def choose_preset(trainee: Trainee, name: str) -> None:
    box = box_of(trainee)
    row = box.findText(name)
    box.setCurrentIndex(row)
    box.activated.emit(row)


def test_own_presets_are_saved_chosen_and_deleted(trainee: Trainee) -> None:
    box = box_of(trainee)
    assert [box.itemText(row) for row in range(3)] == ["Quick", "Good", "Best"]
    wanted = trainee.panel.form.recipe()
    menu(trainee, "Save as Preset…")
    (dialog,) = trainee.person.window.findChildren(NameDialog)
    dialog.findChild(QLineEdit).setText("mine")
    dialog.accept()
    trainee.person.wait(lambda: box.currentText() == "mine")
    assert Recipe.read(paths.presets() / "mine.toml") == wanted
    trainee.panel.set_recipe(Recipe())
    choose_preset(trainee, "mine")
    assert trainee.panel.form.recipe() == wanted
    menu(trainee, "Delete Preset")
    trainee.person.wait(lambda: box.findText("mine") == -1)
    assert not (paths.presets() / "mine.toml").exists()
    assert trainee.panel.form.recipe() == wanted, "it goes from the list, not from the form"


def test_start_offers_quick_whatever_model_of_the_program_is_open(person: "Person") -> None:
    trainee = Trainee(person)
    assert trainee.panel.form.recipe() == recipe_of("quick")
    assert box_of(trainee).currentText() == "Quick"
    person.window.app.model.open(paths.checkpoints() / "mnist-iwae.safetensors")
    person.wait(lambda: "mnist-iwae" in person.model_line)
    assert box_of(trainee).currentText() == "Quick"
    assert "two cores" in trainee.text("Estimate")
    person.trigger("reset")
    person.wait(lambda: "mnist-elbo" in person.model_line)
    assert trainee.panel.form.recipe() == recipe_of("quick")


def test_a_model_of_ones_own_brings_its_recipe(person: "Person", checkpoint: Path) -> None:
    trainee = Trainee(person)
    box_of(trainee)
    person.window.app.model.open(checkpoint)
    person.wait(lambda: "tiny" in person.model_line)
    assert trainee.panel.form.recipe() == read_checkpoint(checkpoint).recipe
    assert box_of(trainee).currentIndex() == -1
    assert person.window.app.settings.now.preset == "", "it was not chosen"


def test_the_next_window_offers_the_preset_chosen_last(
    open_person: Callable[..., "Person"], checkpoint: Path
) -> None:
    first = Trainee(open_person())
    choose_preset(first, "Good")
    first.person.window.close()
    second = Trainee(open_person())
    assert box_of(second).currentText() == "Good"
    assert second.panel.form.recipe() == recipe_of("good")
    third = Trainee(open_person(checkpoint))
    box_of(third)
    assert third.panel.form.recipe() == read_checkpoint(checkpoint).recipe


def test_a_bad_name_is_said(trainee: Trainee) -> None:
    menu(trainee, "Save as Preset…")
    (dialog,) = trainee.person.window.findChildren(NameDialog)
    dialog.findChild(QLineEdit).setText("Default")
    dialog.accept()
    trainee.person.wait(lambda: trainee.person.errors)
    assert "is a preset of the program" in trainee.person.errors[0]


@pytest.fixture
def choose(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Answers the file dialogs."""

    def answer(path: Path) -> None:
        for name in ("getOpenFileName", "getSaveFileName"):
            monkeypatch.setattr(QFileDialog, name, lambda *_: (str(path), ""))

    return answer


def test_recipes_are_written_and_read(
    trainee: Trainee, choose: Callable[[Path], None], tmp_path: Path
) -> None:
    wanted = trainee.panel.form.recipe()
    choose(tmp_path / "tiny")
    menu(trainee, "Export Recipe…")
    trainee.person.wait((tmp_path / "tiny.toml").exists)
    trainee.panel.set_recipe(Recipe())
    choose(tmp_path / "tiny.toml")
    menu(trainee, "Import Recipe…")
    trainee.person.wait(lambda: trainee.panel.form.recipe() == wanted)
    assert trainee.person.window.app.settings.now.folder == str(tmp_path)
    (tmp_path / "bad.toml").write_text("epochs = 0")
    choose(tmp_path / "bad.toml")
    menu(trainee, "Import Recipe…")
    trainee.person.wait(lambda: trainee.person.errors)
    assert "it must lie between 1 and 10,000 epochs" in trainee.person.errors[0]
    assert trainee.panel.form.recipe() == wanted
    choose(tmp_path / "nowhere" / "tiny.toml")
    menu(trainee, "Export Recipe…")
    trainee.person.wait(lambda: len(trainee.person.errors) == 2)
    assert "The recipe was not exported: Cannot write" in " ".join(trainee.person.errors)
