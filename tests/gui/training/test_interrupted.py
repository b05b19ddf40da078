"""A run whose process was killed is offered by the next window."""

from collections.abc import Callable

import pytest
from PySide6.QtWidgets import QLabel, QPushButton, QToolButton

from tests.support.person import Person
from vae_explorer import paths
from vae_explorer.data.dataset import ImageSet
from vae_explorer.session.training.events import Phase
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run import Recorder
from vae_explorer.training.run_folder import RunFolder
from vae_explorer.training.trainer import Trainer

DEAD = f"{2**22 + 1}"
"""A process that cannot be."""


@pytest.fixture
def left(recipe: Recipe, small_mnist: dict[str, ImageSet]) -> RunFolder:
    """A run stopped after an epoch of three, and the lock of who trained it."""
    folder = RunFolder.create(paths.runs(), recipe.replace(epochs=3))
    trainer = Trainer(folder.recipe(), small_mnist["train"], "cpu")
    with Recorder(trainer, folder) as recorder:
        recorder.begin()
        lock = (folder.path / RunFolder.LOCK).read_text()
        for _ in range(trainer.steps_per_epoch):
            trainer.take_step()
        recorder.save()
    _, *rest = lock.split("\n")
    (folder.path / RunFolder.LOCK).write_text("\n".join([DEAD, *rest]))
    return folder


def offer(person: Person) -> str:
    return person.window.training.interrupted.findChild(QLabel).text()


def test_it_is_offered_and_goes_on(left: RunFolder, person: Person) -> None:
    banner = person.window.training.interrupted
    person.wait(banner.isVisible)
    assert left.path.name in offer(person)
    assert "epoch 1.00 of 3" in offer(person)
    banner.findChild(QPushButton).click()
    assert not banner.isVisible()
    person.wait_for_phase(Phase.RUNNING)
    person.wait_for_phase(Phase.IDLE)
    assert left.history()[-1].epoch == 3
    assert not person.errors


def test_it_is_offered_until_somebody_answers(
    left: RunFolder, person: Person, open_person: Callable[..., Person]
) -> None:
    person.wait(person.window.training.interrupted.isVisible)
    person.close()
    person = open_person()
    banner = person.window.training.interrupted
    person.wait(banner.isVisible)
    banner.findChild(QToolButton).click()
    assert not banner.isVisible()
    person.wait(lambda: not (left.path / RunFolder.LOCK).exists())
    person.close()
    again = open_person()
    again.trigger("runs")
    again.wait(lambda: again.window.runs.runs)
    assert not again.window.training.interrupted.isVisible()
    assert left.exists


def test_what_ended_by_itself_is_not_offered(
    left: RunFolder, open_person: Callable[..., Person]
) -> None:
    (left.path / RunFolder.LOCK).unlink()
    person = open_person()
    person.trigger("runs")
    person.wait(lambda: person.window.runs.runs)
    assert not person.window.training.interrupted.isVisible()
