"""Somebody who trains in the window."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vae_explorer import paths
from vae_explorer.gui.training.training_panel import TrainingPanel
from vae_explorer.gui.widgets.readout import Readout
from vae_explorer.session.training.events import Phase
from vae_explorer.training.recipe import Recipe

if TYPE_CHECKING:
    from tests.support.person import Person

STEPS = 10  # an epoch


class Trainee:
    """A person who trains: what is seen of the run, and where it is on disk."""

    def __init__(self, person: "Person") -> None:
        self.person = person
        self.panel: TrainingPanel = person.window.training
        self.run = person.window.app.training

    def press(self, name: str) -> None:
        """One of the transport's buttons."""
        button = self.panel.transport.buttons[name]
        assert button.isEnabled()
        button.click()

    def wait_paused(self, step: int) -> None:
        """Until the run waits after this many steps."""
        wanted = pytest.approx(step / STEPS)
        self.person.wait(
            lambda: self.run.status.phase is Phase.PAUSED and self.run.status.epoch == wanted
        )

    def end(self) -> None:
        self.run.stop()
        self.person.wait_for_phase(Phase.IDLE)
        assert not self.person.errors

    @property
    def folders(self) -> list[Path]:
        return sorted(paths.runs().iterdir(), key=lambda path: path.stat().st_mtime_ns)

    def text(self, name: str) -> str:
        lines = self.person.window.findChildren(Readout)
        text = next(line.text() for line in lines if line.accessibleName() == name)
        return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.fixture
def trainee(person: "Person", recipe: Recipe) -> Trainee:
    trainee = Trainee(person)
    trainee.panel.set_recipe(recipe.replace(epochs=1_000))
    return trainee
