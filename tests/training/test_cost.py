import time

import pytest

from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import RecipeError
from vae_explorer.model.vae import VAE
from vae_explorer.training import cost as module
from vae_explorer.training.cost import cost, warning
from vae_explorer.training.estimate import estimate
from vae_explorer.training.meaning import judge
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.trainer import Trainer
from vae_explorer.types import BUNDLED_SHAPE

HUGE = Recipe(
    encoder_hidden="4096-4096", decoder_hidden="4096-4096", samples=5_000, validation_images=0
)
"""Some seconds a step for a single image."""
WIDE = Recipe(batch_size=50_000, samples=10_000)
"""Terabytes of decoded pixels."""


@pytest.mark.parametrize("posterior", ["diagonal", "full"])
@pytest.mark.parametrize("shape", [(28, 28), (9, 14)])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"fourier_features": 0, "encoder_hidden": "7", "decoder_hidden": "9-8"},
        {"network": "residual", "encoder_hidden": "16-16-8", "decoder_hidden": "8-16-16"},
        {"network": "conv"},
        {"network": "conv", "encoder_hidden": "4-6-8", "decoder_hidden": "8-3"},
    ],
)
def test_weights_are_those_of_the_networks(
    changes: dict[str, object], shape: tuple[int, int], posterior: str
) -> None:
    recipe = Recipe.from_dict({"posterior": posterior} | changes)
    vae = VAE(recipe.architecture(shape))
    networks = (*vae.encoder.parameters(), *vae.decoder.parameters())
    assert cost(recipe, shape).weights == sum(weights.numel() for weights in networks)


def test_a_step_takes_longer_with_all_that_makes_it_larger() -> None:
    usual = cost(Recipe(), BUNDLED_SHAPE)
    assert warning(Recipe(), BUNDLED_SHAPE) == ""
    assert usual.seconds < 0.5
    for changes in (
        {"batch_size": 400},
        {"samples": 2},
        {"objective": "exact"},
        {"network": "conv"},
        {"decoder_hidden": "1024-1024"},
    ):
        assert cost(Recipe().replace(**changes), BUNDLED_SHAPE).seconds > 1.2 * usual.seconds


def test_a_step_that_nothing_can_stop_is_told_and_not_tried(mnist_small: ImageSet) -> None:
    assert "One step takes some" in warning(HUGE, BUNDLED_SHAPE)
    assert "Stop waits for it" in warning(HUGE, BUNDLED_SHAPE)
    assert warning(HUGE, BUNDLED_SHAPE) in judge(HUGE, BUNDLED_SHAPE)
    begin = time.perf_counter()
    with pytest.raises(RecipeError, match="One step takes some"):
        estimate(HUGE, mnist_small, "cpu")
    assert time.perf_counter() - begin < 1


@pytest.mark.parametrize("begin", [Trainer, estimate])
def test_a_step_larger_than_the_memory_is_refused_before_anything_is_built(
    mnist_small: ImageSet, begin: type[Trainer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "memory", lambda: 16e9)
    recipe = WIDE.replace(
        validation_images=0, objective="iwae", encoder_hidden="1", decoder_hidden="1"
    )
    monkeypatch.setattr(module, "_SPEED", 1e30)
    start = time.perf_counter()
    with pytest.raises(RecipeError, match=r"at least [\d,.]+ GB.* has 16\.0 GB"):
        begin(recipe, mnist_small, "cpu")
    assert time.perf_counter() - start < 1
    assert "this machine has 16.0 GB" in warning(WIDE, BUNDLED_SHAPE)
