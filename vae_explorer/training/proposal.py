"""Recipes fitted to the data that they are to be trained on."""

import math

from vae_explorer.data.arrays import spread
from vae_explorer.data.bundled import FINGERPRINTS
from vae_explorer.data.dataset import ImageSet
from vae_explorer.data.plan import SAMPLES
from vae_explorer.data.preview import Preview, suits
from vae_explorer.training.cost import cost
from vae_explorer.training.presets import first_presets
from vae_explorer.training.recipe import Recipe
from vae_explorer.types import BUNDLED_SHAPE, ImageShape

_MADE_FOR = 55_000
"""Images that the presets train on."""
_HELD_OUT = 0.1
_SMALL = 40
"""Pixels of the longer side of images for which dense layers do; of larger ones convolutions."""
_LEAST_STEPS, _MOST_EPOCHS = 300, 60
_LONGER = 2
"""Times the steps of MNIST, for which the presets were tuned."""
_OF_ANY_STEP = 0.01
"""Seconds of a step however small it is, with its part of reports, figures and snapshots."""


def proposed(recipe: Recipe, found: Preview) -> Recipe:
    """A recipe for what a preview shows."""
    return _fitted(
        recipe, found.image_shape, found.counts["train"], found.likelihood, found.treatment
    )


def fitted(recipe: Recipe, data: ImageSet) -> Recipe:
    """A recipe to train on images that were read; on those of MNIST as it is."""
    if data.fingerprint == FINGERPRINTS["train"]:
        return recipe
    likelihood, treatment = suits(data.images[spread(len(data), SAMPLES)])
    return _fitted(recipe, data.image_shape, len(data), likelihood, treatment)


def seconds_of(recipe: Recipe, shape: ImageShape, images: int) -> float:
    """What a recipe takes, about: counted, and held against what was measured of MNIST's."""
    quick = first_presets()[0]
    usual, measured = quick.recipe, quick.seconds
    assert measured is not None
    steps = recipe.epochs * math.ceil((images - recipe.validation_images) / recipe.batch_size)
    usual_steps = usual.epochs * math.ceil(_MADE_FOR / usual.batch_size)
    larger = cost(recipe, shape).seconds / cost(usual, BUNDLED_SHAPE).seconds
    return steps * (_OF_ANY_STEP + (measured / usual_steps - _OF_ANY_STEP) * larger)


def _fitted(
    recipe: Recipe, shape: ImageShape, images: int, likelihood: str, treatment: str
) -> Recipe:
    """For fewer images smaller batches and more epochs, in about twice the time of MNIST."""
    held_out = min(recipe.validation_images, round(_HELD_OUT * images))
    training = images - held_out
    sizes = {}
    if max(shape[:2]) > _SMALL:
        channels = [8 * 2**n for n in range(1, round(math.log2(max(shape[:2]) / 7)))]
        sizes = {
            "network": "conv",
            "encoder_hidden": "-".join(map(str, channels)),
            "decoder_hidden": "-".join(map(str, reversed(channels))),
        }
    changed = recipe.replace(
        likelihood=likelihood,
        treatment=treatment,
        validation_images=held_out,
        batch_size=min(recipe.batch_size, max(20, training // (40 if sizes else 20))),
        **sizes,
    )
    steps = _LONGER * recipe.epochs * math.ceil(_MADE_FOR / recipe.batch_size)
    slower = max(1.0, cost(changed, shape).seconds / cost(recipe, BUNDLED_SHAPE).seconds)
    epochs = max(_LEAST_STEPS, steps / slower) / math.ceil(training / changed.batch_size)
    return changed.replace(epochs=min(max(1, round(epochs)), max(recipe.epochs, _MOST_EPOCHS)))
