"""How long a recipe will take here and how much memory, before it is trained."""

import math
import platform
import time
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from vae_explorer.data.dataset import ImageSet
from vae_explorer.errors import RecipeError
from vae_explorer.model.trained import Check, unchecked
from vae_explorer.training.checks import check_fits
from vae_explorer.training.cost import cost, warning
from vae_explorer.training.device import choose_device
from vae_explorer.training.moments import bytes_kept
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.trainer import EpochMetrics, Trainer
from vae_explorer.types import ImageShape

_STEPS, _LEAST_STEPS = 12, 3
_ENOUGH = 2.0  # seconds of steps, after which no more are taken
_LONG = 1.0  # seconds of one of them, by the count: nothing ends it within
_LONGEST = 5.0
_BYTES = 4  # of a number


@dataclass(frozen=True)
class Estimate:
    """Of one recipe on this computer as it is now.

    ``epoch_seconds`` of steps and held-out figures; ``run_seconds`` of all its epochs;
    ``memory_bytes`` of images, weights, gradients, AdamW's two averages and, within a half or so,
    the activations of a step or of the held-out figures; ``parameters``, ``steps_per_epoch``;
    ``snapshot_bytes`` of the models that are kept on the disk on the way.
    """

    epoch_seconds: float
    run_seconds: float
    memory_bytes: int
    parameters: int
    steps_per_epoch: int
    snapshot_bytes: int = 0

    @property
    def disk_bytes(self) -> int:
        """Of the whole run at its end: the model and what resumes it, beside the snapshots."""
        return self.snapshot_bytes + 4 * _BYTES * self.parameters

    def of_epochs(self, epochs: int) -> "Estimate":
        """Of the same recipe over another number of epochs."""
        kept = bytes_kept(self.parameters, epochs * self.steps_per_epoch)
        return replace(self, run_seconds=epochs * self.epoch_seconds, snapshot_bytes=kept)


def estimate(
    recipe: Recipe,
    data: ImageSet,
    device: str = "auto",
    check: Check = unchecked,
) -> Estimate:
    """Take a few steps of a trainer that is thrown away.

    Where one takes long they are of fewer images, and as many times longer by the count.

    Args:
        recipe: what would be computed.
        data: what it would be trained on.
        device: as for ``Trainer``.
        check: called between steps; what it raises ends the work.

    Raises:
        DataError, DivergedError: as ``Trainer``.
        RecipeError: it does not fit this machine, or a step takes too long to be tried.
    """
    steps = math.ceil(check_fits(recipe, data) / recipe.batch_size)
    tried, times_longer = recipe, 1.0
    if choose_device(device).type == "cpu":
        tried, times_longer = _short(recipe, data.image_shape)
    trainer = Trainer(tried, data, device)
    kept = times_longer * _bytes_kept(trainer)
    # What else the computer does just now is no part of what the recipe costs: on the CPU the time
    # of this thread, which waits for the others of a step, and of several steps the fastest.
    clock = time.thread_time if trainer.device.type == "cpu" else time.perf_counter
    begin = clock()
    trainer.held_out_figures(check, exact=False)
    brief = clock() - begin
    trainer.held_out_figures(check, exact=True)
    held_out = clock() - begin - brief
    times = []
    for _ in range(_STEPS):
        check()
        begin = clock()
        event = trainer.take_step()
        took = clock() - begin
        if isinstance(event, EpochMetrics):
            took -= held_out if trainer.exact_due else brief
        times.append(max(0.0, took))
        if len(times) >= _LEAST_STEPS and sum(times) > _ENOUGH:
            break
    parameters = sum(parameter.numel() for parameter in trainer.vae.parameters())
    figures = brief + (held_out - brief) / trainer.exact_every
    epoch = times_longer * min(times) * steps + figures
    return Estimate(
        epoch,
        epoch * recipe.epochs,
        # Half of the activations again, for the gradients that are there with them.
        data.images.nbytes + 16 * parameters + max(round(1.5 * kept), _bytes_held_out(trainer)),
        parameters,
        steps,
        bytes_kept(parameters, recipe.epochs * steps),
    )


def _short(recipe: Recipe, shape: ImageShape) -> tuple[Recipe, float]:
    """What may be tried in a recipe's place, and how many times longer one of its own steps takes.

    Raises:
        RecipeError: a step of a single image takes too long.
    """
    seconds = cost(recipe, shape).seconds
    if seconds <= _LONG:
        return recipe, 1.0
    short = recipe.replace(batch_size=max(1, int(recipe.batch_size * _LONG / seconds)))
    taken = cost(short, shape).seconds
    if taken > _LONGEST:
        raise RecipeError(warning(recipe, shape))
    return short, seconds / taken


def computer(device: str, threads: int) -> str:
    """What an estimate depends on beside the recipe, for those of other computers in one home."""
    return f"{platform.node()} {platform.machine()} {device} {threads} {torch.__version__}"


def _bytes_held_out(trainer: Trainer) -> int:
    """What the held-out figures need at once."""
    return trainer.vae.need("decoder").held * trainer.vae.at_once(trainer.recipe.validation_images)


def _bytes_kept(trainer: Trainer) -> int:
    """What a step keeps for its backward pass beside the weights."""
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    weights = {parameter.data_ptr() for parameter in trainer.vae.parameters()}
    with saved_tensors_hooks(keep, lambda tensor: tensor):
        trainer.take_step()
    return sum(size for position, size in kept.items() if position not in weights)
