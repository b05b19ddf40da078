"""Lessons that are about MNIST say so to a model of other images."""

import numpy as np
import pytest

from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import DataError
from vae_explorer.lessons import trade, views
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.run import train


def test_a_model_of_other_images_is_refused_with_what_to_do() -> None:
    images = np.random.default_rng(0).integers(0, 256, (40, 12, 9), np.uint8)
    recipe = Recipe(epochs=1, batch_size=10, validation_images=10).replace(
        encoder_hidden="8", decoder_hidden="8"
    )
    model = train(recipe, ImageSet(images), device="cpu").model
    wanted = "about MNIST, whose images are 28×28 .* reads images of 12×9. Open one of File"
    with pytest.raises(DataError, match=wanted):
        trade.study(1.0, model)
    with pytest.raises(DataError, match=wanted):
        views.encoded(model, None)  # type: ignore[arg-type]  # is not looked at
