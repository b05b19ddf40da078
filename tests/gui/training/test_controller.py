from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from tests.support.trainee import STEPS, Trainee
from tests.support.widgets import type_over
from vae_explorer import paths
from vae_explorer.gui.main_thread import run_events
from vae_explorer.gui.training import controller
from vae_explorer.gui.widgets.number_box import NumberBox
from vae_explorer.session.training.events import Found, Phase
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.health import Finding
from vae_explorer.training.history import from_csv
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.stopping import StopRule

if TYPE_CHECKING:
    pass


def test_steps_and_epochs_from_idle_and_from_a_pause(trainee: Trainee) -> None:
    person = trainee.person
    person.press(".", person.window.map.canvas)
    trainee.wait_paused(1)
    assert trainee.text("Epoch") == "0.10 / 1,000"
    trainee.press("step")
    trainee.wait_paused(2)
    person.press("Alt+.", person.window.map.canvas)
    trainee.wait_paused(10)
    trainee.press("epoch")
    trainee.wait_paused(20)
    trainee.end()
    assert read_checkpoint(trainee.folders[-1] / "model.safetensors").step == 20


def test_a_step_of_a_run_that_runs_pauses_it(trainee: Trainee) -> None:
    person = trainee.person
    person.trigger("start")
    person.wait(lambda: trainee.run.status.epoch > 0.5)
    trainee.press("step")
    person.wait_for_phase(Phase.PAUSED)
    before = trainee.run.status.epoch
    trainee.press("epoch")
    trainee.wait_paused(STEPS * (int(before) + 1))
    trainee.end()


def test_restart_waits_before_the_first_step(trainee: Trainee, recipe: Recipe) -> None:
    trainee.press("restart")
    trainee.wait_paused(0)
    trainee.press("step")
    trainee.wait_paused(1)
    trainee.press("restart")  # of the run that is under way
    trainee.person.wait(lambda: len(trainee.folders) == 2)
    trainee.wait_paused(0)
    trainee.press("step")
    trainee.wait_paused(1)
    trainee.end()
    first, second = (from_csv((f / "history.csv").read_text()) for f in trainee.folders)
    assert [point.elbo for point in first] == [point.elbo for point in second], "the same seed"
    recipes = {Recipe.read(folder / "recipe.toml") for folder in trainee.folders}
    assert recipes == {recipe.replace(epochs=1_000)}


def test_another_seed_goes_into_the_form(trainee: Trainee) -> None:
    before = trainee.panel.form.recipe()
    trainee.press("new_seed")
    after = trainee.panel.form.recipe()
    assert after.seed != before.seed
    assert after == before.replace(seed=after.seed)
    assert not trainee.run.active


def test_a_branch_goes_on_from_the_moment_on_the_map(trainee: Trainee) -> None:
    trainee.press("epoch")
    trainee.wait_paused(10)
    (origin,) = trainee.folders
    trainee.press("branch")
    trainee.person.wait(lambda: len(trainee.folders) == 2)
    trainee.person.wait(lambda: trainee.run.status.epoch > 1.5)
    trainee.end()
    branch = read_checkpoint(trainee.folders[-1] / "model.safetensors")
    parent = read_checkpoint(origin / "model.safetensors")
    assert parent.step == 10
    assert branch.step > 15
    shared = [point for point in branch.history if point.epoch <= 1.0]
    assert [point.elbo for point in shared] == [point.elbo for point in parent.history]
    assert origin.name in (trainee.folders[-1] / "label.toml").read_text()


def test_a_branch_of_other_networks_is_refused_before_anything_is_lost(
    trainee: Trainee, recipe: Recipe
) -> None:
    shown = len(trainee.person.window.curves.history)
    trainee.press("branch")
    trainee.person.wait(lambda: trainee.person.errors)
    assert "A branch keeps the networks of its run" in trainee.person.errors[0]
    assert not trainee.run.active
    assert not paths.runs().exists()
    assert len(trainee.person.window.curves.history) == shown


def test_steering_reaches_the_run(qtbot: QtBot, trainee: Trainee) -> None:
    trainee.press("step")
    trainee.wait_paused(1)
    trainee.panel.change.click()
    labels = trainee.panel.findChildren(QLabel)
    editor = next(label.buddy() for label in labels if label.text() == "β")
    assert isinstance(editor, NumberBox)
    type_over(qtbot, editor, "4")
    with qtbot.waitSignal(trainee.panel.form.steered) as told:
        qtbot.keyClick(editor, Qt.Key.Key_Return)
    assert told.args == ["beta", 4.0]
    trainee.press("epoch")
    trainee.wait_paused(10)
    trainee.end()
    snapshot = read_checkpoint(trainee.folders[-1] / "model.safetensors")
    assert [(change.step, change.field, change.value) for change in snapshot.changes] == [
        (1, "beta", 4.0)
    ]
    assert trainee.panel.form.recipe().beta == 4.0


def test_a_stop_rule_ends_the_run(trainee: Trainee) -> None:
    trainee.panel.stop_rule.rule_changed.emit(StopRule(epoch=1.0))
    trainee.person.trigger("start")
    trainee.person.wait_for_phase(Phase.RUNNING)
    trainee.person.wait_for_phase(Phase.IDLE)
    assert 1.0 <= trainee.run.status.epoch < 3.0
    assert "Stopping: epoch 1 is reached" in trainee.person.window.log.toPlainText()


def test_slow_motion_shows_real_steps(trainee: Trainee) -> None:
    slow = trainee.person.window.slow_motion
    trainee.person.window.docks.show("layers")
    trainee.person.press("F9", trainee.person.window.map.canvas)
    trainee.wait_paused(1)
    trainee.person.wait(slow.isVisible)
    assert "Step 1." in trainee.text("What happens")
    slow.step_requested.emit()
    trainee.wait_paused(2)
    trainee.person.wait(lambda: "Step 2." in trainee.text("What happens"))
    trainee.end()


def test_the_header_is_of_the_run_on_the_map(
    trainee: Trainee, recipe: Recipe, checkpoint: Path
) -> None:
    """Whether it was trained or opened, and nothing of the run before stays beside it."""
    person, panel = trainee.person, trainee.panel
    trainee.person.window.slow_motion.step_requested.emit()
    trainee.wait_paused(1)
    trainee.end()
    assert trainee.text("Epoch") == "0.10 / 1,000"
    assert person.window.slow_motion.playing
    panel.health.set_findings((Finding("A", "b.", "c."),))
    person.window.app.model.open(checkpoint)
    person.wait(lambda: "tiny" in person.model_line)
    assert (trainee.text("Epoch"), trainee.text("State of the run")) == ("2 / 2", "Opened model")
    assert not person.window.slow_motion.playing
    assert "Next Step takes one gradient step" in trainee.text("What happens")
    assert not panel.health.isVisible()
    trainee.panel.set_recipe(recipe.replace(validation_images=5_000))
    person.trigger("start")
    person.wait(lambda: person.errors)
    assert "600" in person.errors[0], "there are no more images"
    assert trainee.text("Epoch") == "2 / 2", "what did not begin is not on the map"


def test_an_estimate_comes_by_itself(
    trainee: Trainee, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(controller, "_SETTLE_MS", 1)
    panel, person = trainee.panel, trainee.person
    panel.take_recipe(recipe)
    person.wait(lambda: trainee.text("Estimate").startswith("About"))
    panel.take_recipe(recipe.replace(validation_images=600))
    person.wait(lambda: trainee.text("Estimate").startswith("No estimate"))
    assert "600 images and 600 are held out" in trainee.text("Estimate")
    measured = person.window.app.estimates.known(recipe)
    assert measured
    panel.take_recipe(recipe.replace(epochs=77))
    assert trainee.text("Estimate").startswith("About"), "what is known comes at once"
    panel.hide()
    panel.take_recipe(recipe.replace(batch_size=9))
    run_events(100)
    assert trainee.text("Estimate") == "", "nobody looks"
    assert not person.errors, "it is said where the recipe is"


def test_an_estimate_can_be_asked_for(trainee: Trainee) -> None:
    trainee.person.trigger("estimate")
    assert "Estimating" in trainee.text("Estimate")
    trainee.person.wait(lambda: trainee.text("Estimate").startswith("About"))


def test_no_recipe_is_measured_beside_a_run(
    trainee: Trainee, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: list[Recipe] = []
    monkeypatch.setattr(controller, "_OPENING_MS", 1)
    monkeypatch.setattr(trainee.person.window.app.estimates, "measure", measured.append)
    trainee.press("step")
    trainee.panel.hide()
    trainee.panel.show()
    trainee.wait_paused(1)
    run_events(50)
    assert not measured
    trainee.end()


def test_findings_and_failures_are_on_the_banner(trainee: Trainee, recipe: Recipe) -> None:
    banner = trainee.panel.health
    trainee.run.events.emit(Found((Finding("A dead unit", "1 of 2.", "Another seed."),)))
    assert banner.isVisible()
    trainee.panel.set_recipe(recipe.replace(validation_images=600))
    trainee.person.trigger("start")
    trainee.person.wait(lambda: trainee.person.errors)
    error = "Training ended early: MNIST has 600 images and 600 are held out"
    assert trainee.person.errors[0].startswith(error)
    assert trainee.person.model_line.startswith("mnist-elbo.safetensors"), "the model stays"
    text = banner.findChild(QLabel).text()
    assert "Training ended early" in text
    assert "600 are held out" in text
    trainee.panel.set_recipe(recipe)
    trainee.person.trigger("restart")
    assert not banner.isVisible()
    trainee.run.stop()
    trainee.person.wait_for_phase(Phase.IDLE)


@pytest.mark.parametrize("command", ["branch", "restart", "reset"])
def test_a_run_that_makes_way_is_said_to_be_kept(trainee: Trainee, command: str) -> None:
    person = trainee.person
    person.trigger("start")
    person.wait(lambda: trainee.run.status.epoch > 0.5)
    (folder,) = trainee.folders
    person.trigger(command)
    bar = person.window.statusBar()
    said = f"The run {folder.name} was stopped at epoch "
    person.wait(lambda: bar.currentMessage().startswith(said))
    assert bar.currentMessage().endswith(" and kept")
    assert said in trainee.person.window.log.toPlainText()
    assert read_checkpoint(folder / "model.safetensors").step > 0
    trainee.end()
