"""A recipe that trains in a blink, and what comes of it."""

import pytest

from tests.support.models import TINY
from vae_explorer.data.dataset import ImageSet
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.training.trainer import Trainer


@pytest.fixture(scope="session")
def recipe() -> Recipe:
    """Two epochs of eight steps on 800 images, 200 held out."""
    return TINY.replace(batch_size=100, validation_images=200)


@pytest.fixture
def trainer(recipe: Recipe, mnist_small: ImageSet) -> Trainer:
    """One that has not begun."""
    return Trainer(recipe, mnist_small, "cpu")


@pytest.fixture(scope="session")
def snapshot(recipe: Recipe, mnist_small: ImageSet) -> Snapshot:
    """The end of a run."""
    trainer = Trainer(recipe, mnist_small, "cpu")
    for _ in trainer.events():
        pass
    return trainer.snapshot()
