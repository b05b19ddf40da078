import numpy as np

from vae_explorer.data.bundled import mnist_dataset
from vae_explorer.data.dataset import Dataset, ImageSet
from vae_explorer.data.opening import inspect, open_images
from vae_explorer.training.presets import recipe_of
from vae_explorer.training.proposal import fitted, proposed, seconds_of

QUICK = recipe_of("quick")


def test_recipes_of_mnist_stay_as_they_are() -> None:
    assert fitted(QUICK, mnist_dataset().train) == QUICK


def test_few_images_have_few_held_out_in_small_batches() -> None:
    recipe = fitted(QUICK, open_images("digits").train)
    assert recipe == proposed(QUICK, inspect("digits"))
    assert recipe.validation_images == 154
    assert recipe.batch_size < 100
    assert QUICK.epochs < recipe.epochs <= 60
    assert recipe.likelihood == "continuous-bernoulli"
    assert 10 < seconds_of(recipe, (8, 8), 1_540) < 60


def test_large_images_in_colour_have_convolutions() -> None:
    images = np.random.default_rng(0).integers(0, 256, (40, 64, 64, 3), np.uint8)
    recipe = fitted(QUICK, Dataset.cut(ImageSet(images), 30).train)
    assert (recipe.network, recipe.likelihood) == ("conv", "gaussian")
    assert recipe.validation_images == 3
    recipe = fitted(QUICK, Dataset.cut(ImageSet(images.repeat(50, axis=0)), 1_715).train)
    assert 500 < recipe.epochs * 1_543 / recipe.batch_size < 1_200, "more steps are worth more"
    assert 40 < seconds_of(recipe, (64, 64, 3), 1_715) < 70
