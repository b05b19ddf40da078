"""A sweep started, watched and opened in the real window."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QLineEdit, QPushButton, QTableWidget

from vae_explorer.gui.plot.chart import Chart
from vae_explorer.session.training.events import Phase
from vae_explorer.training.recipe import Recipe

if TYPE_CHECKING:
    from tests.support.person import Person


@pytest.fixture
def sweeper(person: "Person", recipe: Recipe) -> "Person":
    """Somebody with a tiny recipe in the form and two values of β in the sweep."""
    person.window.training.set_recipe(recipe)
    person.trigger("sweep")
    panel = person.window.sweep
    assert panel.isVisible()
    values = next(e for e in panel.findChildren(QLineEdit) if e.text() == "0.5, 1, 2, 4")
    values.setText("1, 8")
    return person


def _press(person: "Person", text: str) -> None:
    buttons = person.window.sweep.findChildren(QPushButton)
    next(button for button in buttons if button.text() == text).click()


def test_a_sweep_runs_through_and_its_runs_can_be_opened(sweeper: "Person") -> None:
    window = sweeper.window
    _press(sweeper, "Start")
    sweeper.wait_for_phase(Phase.RUNNING)
    sweeper.wait(lambda: not window.app.sweeps.running, 60)
    table = window.sweep.findChild(QTableWidget)
    sweeper.wait(lambda: table.item(1, 1) is not None and table.item(1, 1).text() == "finished")
    charts = window.sweep.findChildren(Chart)
    sweeper.wait(lambda: [bool(chart.plot.marks) for chart in charts] == [True, True])
    window.sweep.cell_chosen.emit(1)
    sweeper.wait(lambda: window.app.model.snapshot.recipe.beta == 1.0)
    sweeper.wait(lambda: "beta=1.0" in sweeper.model_line)
    assert not sweeper.errors


def test_what_cannot_be_swept_is_told(sweeper: "Person") -> None:
    sweeper.window.training.set_recipe(Recipe(objective="exact"))
    _press(sweeper, "Start")
    sweeper.wait(lambda: sweeper.errors)
    assert "makes no difference" in sweeper.errors[0]
    assert not sweeper.window.app.training.active


def test_the_sweep_follows_whatever_recipe_is_in_the_form(
    sweeper: "Person", checkpoint: Path
) -> None:
    """A person's, an opened model's and that of a run from the list."""
    window = sweeper.window

    def can_start() -> bool:
        buttons = window.sweep.findChildren(QPushButton)
        return next(button for button in buttons if button.text() == "Start").isEnabled()

    window.training.take_recipe(Recipe(objective="exact"))
    assert not can_start(), "β means nothing to it"
    window.app.model.open(checkpoint)
    sweeper.wait(lambda: "tiny" in sweeper.model_line)
    assert can_start()
    window.training.take_recipe(Recipe(objective="exact"))
    window.runs.recipe_requested.emit(Recipe())
    assert can_start()
