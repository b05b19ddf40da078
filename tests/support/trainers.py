"""Trainers begun, taken some way and compared."""

from collections.abc import Callable

import torch
from torch import Tensor

from vae_explorer.training.trainer import StepMetrics, Trainer

NewTrainer = Callable[..., Trainer]


def reports(trainer: Trainer) -> list[StepMetrics]:
    """Train to the end."""
    return [event for event in trainer.events() if isinstance(event, StepMetrics)]


def finish(trainer: Trainer) -> Trainer:
    reports(trainer)
    return trainer


def train_to(trainer: Trainer, step: int) -> Trainer:
    while trainer.step < step:
        trainer.take_step()
    return trainer


def weights(trainer: Trainer) -> list[Tensor]:
    return [value.clone() for value in trainer.vae.state_dict().values()]


def equal(first: list[Tensor], second: list[Tensor]) -> bool:
    """To the last bit."""
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def same(first: Trainer, second: Trainer) -> bool:
    """Equal to the last bit: weights, both moments of the optimizer, random stream and sums.

    The history point for point too; but not the seconds, which tell of the machine.
    """
    ours, theirs = first.state(), second.state()
    del ours["seconds"], theirs["seconds"]
    return (
        ours.keys() == theirs.keys()
        and all(torch.equal(value, theirs[name]) for name, value in ours.items())
        and first.history == second.history
        and first.changes == second.changes
        and first.recipe == second.recipe
    )
