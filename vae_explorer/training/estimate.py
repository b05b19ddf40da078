"""How long a recipe will take here and how much memory, before it is trained."""

import math
import statistics
import time
from dataclasses import dataclass

from vae_explorer.data.dataset import ImageSet
from vae_explorer.model.trained import Check, unchecked
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.trainer import Trainer

_STEPS = 12
_WARM = 3


@dataclass(frozen=True)
class Estimate:
    """Of one recipe on this machine as it is now.

    ``epoch_seconds`` of steps, held-out figures left out; ``run_seconds`` of all its epochs;
    ``memory_bytes`` of images, weights, gradients, AdamW's two averages and the largest
    activations of a step; ``parameters``, ``steps_per_epoch``.
    """

    epoch_seconds: float
    run_seconds: float
    memory_bytes: int
    parameters: int
    steps_per_epoch: int


def estimate(
    recipe: Recipe, data: ImageSet, device: str = "auto", check: Check = unchecked
) -> Estimate:
    """Take a few steps of a trainer that is thrown away.

    Args:
        recipe: what would be computed.
        data: what it would be trained on.
        device: as for ``Trainer``.
        check: called between steps; what it raises ends the work.

    Raises:
        DataError, DivergedError: as ``Trainer``.
    """
    trainer = Trainer(recipe, data, device)
    times = []
    for _ in range(min(_STEPS, trainer.total_steps)):
        check()
        begin = time.perf_counter()
        trainer.take_step()
        times.append(time.perf_counter() - begin)
    step = statistics.median(times[_WARM:] or times)
    parameters = sum(parameter.numel() for parameter in trainer.vae.parameters())
    epoch = step * trainer.steps_per_epoch
    activations = _activations(recipe, math.prod(data.image_shape))
    return Estimate(
        epoch,
        epoch * recipe.epochs,
        data.images.nbytes + 16 * parameters + 8 * activations,
        parameters,
        trainer.steps_per_epoch,
    )


def _activations(recipe: Recipe, pixels: int) -> int:
    """Numbers that a forward pass leaves for the backward one; there are as many gradients."""
    encoded, decoded = (
        2 * sum(map(int, text.split("-"))) + pixels
        for text in (recipe.encoder_hidden, recipe.decoder_hidden)
    )
    draws = recipe.batch_size * recipe.samples
    places = recipe.lattice_points if recipe.objective == "exact" else 0
    return recipe.batch_size * encoded + (draws + places) * decoded
