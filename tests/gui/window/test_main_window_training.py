import random
import time
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QProgressBar

from tests.support.person import Person
from vae_explorer import paths
from vae_explorer.data.dataset import ImageSet
from vae_explorer.gui.widgets.number_box import NumberBox
from vae_explorer.gui.window.main_window import MainWindow
from vae_explorer.session.training.events import Phase, TrainingStatus
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.history import HistoryPoint, from_csv
from vae_explorer.training.recipe import Recipe


@pytest.fixture
def endless(recipe: Recipe) -> Recipe:
    """So many epochs that a run ends only when it is told to."""
    return recipe.replace(epochs=10_000)


@pytest.fixture(autouse=True)
def _few_live_images(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every sixth point moves while a run goes on, as every tenth does with all of MNIST."""
    monkeypatch.setattr("vae_explorer.session.runs.runs.LIVE_IMAGES", 100)
    monkeypatch.setattr("vae_explorer.session.training.worker.LIVE_SECONDS", 0.05)


def button(window: MainWindow, name: str) -> QAbstractButton:
    transport = window.training.transport
    return transport.start if name == "start" else transport.buttons[name]


def offered(window: MainWindow) -> tuple[set[str], set[str]]:
    """The buttons and the actions of training that can be used."""
    names = ("start", *window.training.transport.buttons)
    ids = (*names, "split_train", "split_test")
    buttons = {name for name in names if button(window, name).isEnabled()}
    return buttons, {name for name in ids if window.actions_[name].isEnabled()}


_ALWAYS = {"restart", "step", "epoch", "slow_motion", "branch"}
_IDLE, _ACTIVE = _ALWAYS | {"start", "new_seed"}, _ALWAYS | {"pause", "stop"}
IDLE = (_IDLE, _IDLE | {"split_train", "split_test"})
ACTIVE = (_ACTIVE, _ACTIVE)


def shown_history(window: MainWindow) -> tuple[np.ndarray, np.ndarray]:
    """What the plots draw: (n, 5) of the training images and (m, 5) of the held-out ones."""
    table = window.curves.history
    train = ("epoch", "elbo", "log_likelihood", "kl", "objective")
    held_out = ("epoch", *(f"held_out_{name}" for name in (*train[1:4], "log_marginal")))
    return (
        np.stack([table.column(name) for name in train], axis=1),
        np.stack([table.column(name, "held_out") for name in held_out], axis=1),
    )


def run_folders() -> list[Path]:
    return sorted(paths.runs().iterdir()) if paths.runs().exists() else []


def start(person: Person, recipe: Recipe) -> None:
    person.window.training.set_recipe(recipe)
    button(person.window, "start").click()
    person.wait_for_phase(Phase.RUNNING)


def test_a_run_from_start_to_stop(
    person: Person, endless: Recipe, small_mnist: dict[str, ImageSet]
) -> None:
    window, images = person.window, small_mnist["train"].images
    canvas = window.map.canvas
    phases: list[Phase] = []

    def note(status: TrainingStatus) -> None:
        if phases[-1:] != [status.phase]:
            phases.append(status.phase)

    window.app.training.status_changed.connect(note)
    assert offered(window) == IDLE
    start(person, endless)
    assert offered(window) == ACTIVE
    person.wait(lambda: "as of epoch" in person.status)
    before = person.positions.copy()
    person.wait(lambda: not np.array_equal(person.positions, before))
    labels = small_mnist["train"].labels
    assert labels is not None
    np.testing.assert_array_equal(person.labels, labels)
    assert window.windowTitle() == "training — VAE Explorer"
    person.wait(lambda: len(shown_history(window)[1]) >= 2)

    person.press("Space", canvas)
    person.wait_for_phase(Phase.PAUSED)
    assert offered(window) == ACTIVE
    (folder,) = run_folders()
    paused = read_checkpoint(folder / "model.safetensors")
    assert str(folder) in window.log.toPlainText()
    person.wait(lambda: person.status.startswith("600 · ") and "as of" not in person.status)
    np.testing.assert_array_equal(person.positions, paused.model.encode(images).mean)
    assert len(shown_history(window)[0]) == len(paused.history)

    person.press("Space", canvas)
    assert phases == [Phase.RUNNING, Phase.PAUSED, Phase.RUNNING]
    assert offered(window) == ACTIVE
    person.wait(lambda: window.app.training.status.epoch > paused.epoch + 1)

    person.press("Ctrl+.")
    assert window.app.training.status.phase is Phase.STOPPING
    assert offered(window) == (set(), set())
    person.wait_for_phase(Phase.IDLE)
    assert offered(window) == IDLE
    assert phases[3:] == [Phase.STOPPING, Phase.IDLE]

    stopped = read_checkpoint(folder / "model.safetensors")
    assert run_folders() == [folder]
    person.wait(lambda: person.status.startswith("600 · ") and "as of" not in person.status)
    np.testing.assert_array_equal(person.positions, stopped.model.encode(images).mean)
    assert_same_history(window, from_csv((folder / "history.csv").read_text()))

    # What was on screen is what the file gives back.
    line, positions, history = person.model_line, person.positions.copy(), shown_history(window)
    assert line.startswith(f"{folder.name} · epoch {stopped.epoch:.1f} · held-out ELBO −")
    person.trigger("reset")
    person.wait(lambda: person.model_line.startswith("mnist-elbo"))
    window.app.model.open(folder / "model.safetensors")
    person.wait(lambda: person.model_line == line)
    person.wait(lambda: np.array_equal(person.positions, positions))
    for shown, wanted in zip(shown_history(window), history, strict=True):
        np.testing.assert_array_equal(shown, wanted)
    assert not person.errors


def assert_same_history(window: MainWindow, points: tuple[HistoryPoint, ...]) -> None:
    train, held_out = shown_history(window)
    rows = [(p.epoch, p.elbo, p.log_likelihood, p.kl, p.objective) for p in points]
    np.testing.assert_array_equal(train, rows)
    held_out_rows = [
        (
            p.epoch,
            p.held_out_elbo,
            p.held_out_log_likelihood,
            p.held_out_kl,
            p.held_out_log_marginal,
        )
        for p in points
        if p.held_out_elbo is not None
    ]
    np.testing.assert_array_equal(held_out, np.array(held_out_rows, dtype=float))
    assert len(held_out) >= 1


def test_a_run_ends_by_itself_and_can_be_followed_by_another(
    person: Person, recipe: Recipe
) -> None:
    window = person.window
    for count in (1, 2):
        window.training.set_recipe(recipe)
        person.press("Ctrl+T")
        person.wait(lambda: window.app.training.active)
        person.wait_for_phase(Phase.IDLE)
        folder = max(run_folders(), key=lambda path: path.stat().st_mtime_ns)
        assert len(run_folders()) == count
        points = from_csv((folder / "history.csv").read_text())
        assert points[-1].epoch == 2.0
        assert_same_history(window, points)
        assert window.training.findChild(QProgressBar).value() == 1_000
        lines = [label.text() for label in window.training.findChildren(QLabel)]
        assert {"Finished", "2 / 2"} <= set(lines)
    assert not person.errors


def test_a_pinned_digit_stays_pinned_while_the_map_moves(
    person: Person, endless: Recipe, small_mnist: dict[str, ImageSet]
) -> None:
    person.window.app.pinning.pin(6)
    start(person, endless)
    person.wait(lambda: "as of epoch" in person.status)
    place = person.markers.pin_place
    person.wait(lambda: person.markers.pin_place != place)
    np.testing.assert_array_equal(person.picture("Original image"), small_mnist["train"].images[6])
    person.trigger("stop")
    person.wait_for_phase(Phase.IDLE)
    person.wait(lambda: person.status.startswith("600 · ") and "as of" not in person.status)
    assert person.markers.pin_place == tuple(person.positions[6].tolist())


def test_the_map_can_be_used_while_a_run_goes_on(person: Person, endless: Recipe) -> None:
    start(person, endless)
    person.wait(lambda: "as of epoch" in person.status)
    person.window.map.fit()
    empty = person.empty
    person.click(empty)
    assert person.window.app.cursor.position == pytest.approx(empty, abs=0.05)
    shown = person.picture()
    person.wait(lambda: not np.array_equal(person.picture(), shown))  # the model learns
    assert not person.errors


def test_opening_a_model_ends_and_keeps_the_run(
    person: Person, endless: Recipe, checkpoint: Path
) -> None:
    start(person, endless)
    person.wait(lambda: person.window.app.training.status.epoch > 0)
    person.window.app.model.open(checkpoint)
    person.wait(lambda: person.model_line.startswith("tiny.safetensors"))
    assert person.window.app.training.status.phase is Phase.IDLE
    (folder,) = run_folders()
    assert read_checkpoint(folder / "model.safetensors").step > 0
    assert person.window.app.settings.now.recent[0] == str(checkpoint)


@pytest.mark.parametrize("paused", [False, True])
def test_closing_ends_and_keeps_the_run(person: Person, endless: Recipe, paused: bool) -> None:
    start(person, endless)
    person.wait(lambda: person.window.app.training.status.epoch > 1)
    if paused:
        button(person.window, "pause").click()
        person.wait_for_phase(Phase.PAUSED)
    begun = time.perf_counter()
    assert person.window.close()
    assert time.perf_counter() - begun < 4
    assert not person.window.isVisible()
    (folder,) = run_folders()
    snapshot = read_checkpoint(folder / "model.safetensors")
    assert snapshot.epoch >= 1
    assert from_csv((folder / "history.csv").read_text()) == snapshot.history


def test_what_is_being_typed_counts_when_start_is_pressed(person: Person, recipe: Recipe) -> None:
    window = person.window
    window.training.set_recipe(recipe)
    window.training.change.click()
    epochs = next(
        label.buddy() for label in window.training.findChildren(QLabel) if label.text() == "Epochs"
    )
    assert isinstance(epochs, NumberBox)
    epochs.setFocus()
    epochs.lineEdit().setText("1 epochs")
    person.press("Ctrl+T")
    labels = window.training.transport.findChildren(QLabel)
    person.wait(lambda: "1 / 1" in {label.text() for label in labels})


def test_space_presses_start_and_then_pauses(person: Person, endless: Recipe) -> None:
    window = person.window
    window.training.set_recipe(endless)
    person.press("Space", button(window, "start"))
    person.wait_for_phase(Phase.RUNNING)
    assert QApplication.focusWidget() is button(window, "pause")
    person.press("Space")
    person.wait_for_phase(Phase.PAUSED)
    person.press("Space")
    assert window.app.training.status.phase is Phase.RUNNING


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.long)])
def test_pressing_everything_quickly_leaves_one_run_at_most(
    person: Person, recipe: Recipe, seed: int
) -> None:
    window, generator = person.window, random.Random(seed)
    window.training.set_recipe(recipe.replace(epochs=30))
    for _ in range(150):
        action = window.actions_[generator.choice(("start", "start", "pause", "stop"))]
        if action.isEnabled():
            action.trigger()
        if generator.random() < 0.5:
            QApplication.processEvents()
        assert not (button(window, "start").isEnabled() and button(window, "stop").isEnabled())
    window.app.training.stop()
    person.wait_for_phase(Phase.IDLE)
    assert not person.errors
    folder = max(run_folders(), key=lambda path: path.stat().st_mtime_ns)
    assert_last_run_is_shown(window, folder)


def assert_last_run_is_shown(window: MainWindow, folder: Path) -> None:
    points = from_csv((folder / "history.csv").read_text())
    np.testing.assert_array_equal(shown_history(window)[0][:, 0], [p.epoch for p in points])
