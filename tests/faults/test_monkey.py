"""Anything at all is done in the window while it trains."""

import random
import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QMessageBox

from tests.support.monkey import Monkey
from tests.support.person import Person
from vae_explorer import paths
from vae_explorer.gui.window.exceptions import ExceptionReporter
from vae_explorer.session.training.events import Phase
from vae_explorer.training.recipe import Recipe


@pytest.fixture
def answers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, checkpoint: Path
) -> Callable[[int], None]:
    """Dialogs for files are answered at random: not at all, with good files and with bad ones."""
    monkeypatch.chdir(tmp_path)  # names typed without a folder are there
    copy = shutil.copy(paths.bundled_models()["mnist-paper"], tmp_path)  # it may be written over
    names = ["", "", str(shutil.copy(checkpoint, tmp_path)), str(copy)]
    names += [str(tmp_path / name) for name in ("a.safetensors", "b.png", "c", "gone/d.csv")]
    chance = random.Random(0)

    def answer(*_: object) -> tuple[str, str]:
        return chance.choice(names), ""

    for name in ("getOpenFileName", "getSaveFileName"):
        monkeypatch.setattr(QFileDialog, name, answer)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: answer()[0])
    buttons = (QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No)
    monkeypatch.setattr(QMessageBox, "question", lambda *_, **__: chance.choice(buttons))
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda _: True)
    return chance.seed


@pytest.fixture
def reporter(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is raised becomes a dialog, as in the program."""
    for module in (sys, threading):  # put back afterwards
        monkeypatch.setattr(module, "excepthook", module.excepthook)
    ExceptionReporter(person.window).install()


@pytest.mark.qt_no_exception_capture
@pytest.mark.usefixtures("reporter")
@pytest.mark.parametrize(
    ("seed", "acts"),
    [(0, 60), *(pytest.param(seed, 2_000, marks=pytest.mark.long) for seed in range(1, 21))],
)
def test_whatever_is_done_nothing_breaks(
    person: Person,
    recipe: Recipe,
    answers: Callable[[int], None],
    seed: int,
    acts: int,
    record_property: Callable[[str, object], None],
) -> None:
    answers(seed)
    small = recipe.replace(epochs=10_000)
    person.window.training.set_recipe(small)
    person.trigger("start")
    person.wait_for_phase(Phase.RUNNING)
    monkey = Monkey(person, seed, small)
    for _ in range(acts):
        monkey.act()
        if person.window.app.training.status.phase is Phase.IDLE and not monkey.blocked:
            person.window.actions_["start"].trigger()
    record_property("actions", acts)
    person.window.app.training.stop()
    person.wait_for_phase(Phase.IDLE)
    record_property("slowest", "{:.2f} s, {}".format(*monkey.slowest))
