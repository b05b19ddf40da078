"""A real step of a tiny network, taken apart."""

import pytest

from vae_explorer.data.dataset import ImageSet
from vae_explorer.training.anatomy import StepAnatomy, dissect
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.trainer import Trainer


@pytest.fixture(scope="session")
def trainer(recipe: Recipe, mnist_small: ImageSet) -> Trainer:
    """Of ten steps an epoch."""
    return Trainer(recipe, mnist_small.subset(slice(0, 600)), "cpu")


@pytest.fixture(scope="session")
def anatomy(trainer: Trainer) -> StepAnatomy:
    """A step of eight images seen of a batch of fifty."""
    return dissect(trainer)
