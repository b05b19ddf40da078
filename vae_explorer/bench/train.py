"""Images per second of training, beside what the matrix products alone would allow."""

import statistics
import time
from collections.abc import Iterator

import torch

from vae_explorer.bench.measurement import Measurement
from vae_explorer.data.bundled import mnist
from vae_explorer.training.device import set_threads
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.trainer import Trainer

_REPORTS = 12
_ROUNDS = 20


def measure() -> Iterator[Measurement]:
    """Train the default recipe for some reports; measure the bare products before and after."""
    threads = set_threads()
    trainer = Trainer(Recipe(), mnist("train"))
    events = trainer.events()
    next(events)  # the first steps import the optimizer's machinery
    product_seconds = [_product_seconds(trainer)]
    seconds, images = [], 0
    for _ in range(_REPORTS):
        begin = time.perf_counter()
        images = next(events).images
        seconds.append(time.perf_counter() - begin)
    product_seconds.append(_product_seconds(trainer))
    speed = images / statistics.median(seconds)
    ceiling = trainer.recipe.batch_size / statistics.mean(product_seconds)
    details: dict[str, int | float | str] = {"device": trainer.device.type, "threads": threads}
    yield Measurement("train.images_per_s", speed, "images/s", _REPORTS, details)
    yield Measurement("train.ceiling_share", speed / ceiling, "1", _REPORTS, details)


def _product_seconds(trainer: Trainer) -> float:
    """The median time of one step's matrix products: forward, and two each backward."""
    batch = trainer.recipe.batch_size
    layers = [layer for layer in trainer.vae.modules() if isinstance(layer, torch.nn.Linear)]
    operands = [
        (
            torch.randn(batch, layer.in_features, device=trainer.device),
            layer.weight.detach(),
            torch.randn(batch, layer.out_features, device=trainer.device),
        )
        for layer in layers
    ]
    times = []
    for _ in range(_ROUNDS):
        begin = time.perf_counter()
        for inputs, weight, outputs in operands:
            inputs @ weight.T
            outputs @ weight
            outputs.T @ inputs
        if trainer.device.type == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)
