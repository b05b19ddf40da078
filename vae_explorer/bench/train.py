"""Images per second of training, beside loops as they are usually written and the bare products.

All train the same network on the same images in batches of the same size, in turn and round by
round, so that whatever else the machine does meets them alike. The loops run in a process of their
own, as they would elsewhere: what training sets for all of its process is none of theirs.
"""

import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import islice

import torch

from vae_explorer.bench.measurement import Measurement
from vae_explorer.bench.reference import indexed_batches, loaded_batches, training_losses
from vae_explorer.data.bundled import mnist
from vae_explorer.model.vae import VAE
from vae_explorer.training.device import set_threads
from vae_explorer.training.recipe import Recipe
from vae_explorer.training.trainer import REPORT_STEPS, Trainer

_BATCH = Recipe().batch_size
_ROUNDS = 6
"""With one more to warm up; few enough that no epoch ends."""
_REPORTS = 2
"""Of the trainer, in a round; the other loops take as many steps."""
_PRODUCTS = 20
"""Times that the products of one step are measured in a round."""


def measure() -> Iterator[Measurement]:
    """Medians over rounds: of the speed, and of its ratio to the others' of the same round."""
    threads = set_threads()
    data = mnist("train")
    recipe = Recipe(batch_size=_BATCH, validation_images=0)
    trainer = Trainer(recipe, data)
    device = trainer.device

    low = Trainer(recipe.replace(precision="bfloat16"), data)
    steps = _REPORTS * REPORT_STEPS
    images = steps * _BATCH
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawn, _begin, (recipe, device, threads)) as peers:
        speeds = _rounds(
            {
                "dataloader": lambda: peers.submit(_peer, "dataloader", steps, images).result(),
                "tensors": lambda: peers.submit(_peer, "tensors", steps, images).result(),
                "ours": partial(_speed, trainer.events(), _REPORTS, images),
                "bfloat16": partial(_speed, low.events(), _REPORTS, images),
                "ceiling": lambda: _BATCH / _product_seconds(trainer),
            }
        )
    ours = speeds["ours"]
    details: dict[str, int | float | str] = {
        "device": device.type,
        "threads": threads,
        "batch": _BATCH,
    }
    yield Measurement("train.images_per_s", statistics.median(ours), "images/s", _ROUNDS, details)
    for metric, name in (
        ("vs_dataloader", "dataloader"),
        ("vs_tensors", "tensors"),
        ("ceiling_share", "ceiling"),
    ):
        yield Measurement(f"train.{metric}", _ratio(ours, speeds[name]), "1", _ROUNDS, details)
    gain = _ratio(speeds["bfloat16"], ours)
    yield Measurement("train.bfloat16_gain", gain, "1", _ROUNDS, details)


_losses: dict[str, Iterator[float]] = {}
"""Of the loops, in their process."""


def _begin(recipe: Recipe, device: torch.device, threads: int) -> None:
    set_threads(threads)
    data = mnist("train")
    size, seed = recipe.batch_size, recipe.seed
    batches = {
        "dataloader": loaded_batches(data, size, seed),
        "tensors": indexed_batches(data, size, seed, device),
    }
    for name in batches:
        vae = VAE(recipe.architecture(data.image_shape)).to(device)
        _losses[name] = training_losses(vae, batches[name], seed)


def _peer(name: str, steps: int, images: int) -> float:
    return _speed(_losses[name], steps, images)


def _rounds(runs: dict[str, Callable[[], float]]) -> dict[str, list[float]]:
    """What each of ``runs`` returns in every round but the first."""
    results: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(1 + _ROUNDS):
        for name, run in runs.items():
            results[name].append(run())
    return {name: values[1:] for name, values in results.items()}


def _ratio(values: list[float], others: list[float]) -> float:
    return statistics.median(value / other for value, other in zip(values, others, strict=True))


def _speed(training: Iterator[object], items: int, images: int) -> float:
    """Images per second of the steps of one round, which come as this many items."""
    begin = time.perf_counter()
    for _ in islice(training, items):
        pass
    return images / (time.perf_counter() - begin)


def _product_seconds(trainer: Trainer) -> float:
    """The median time of one step's matrix products: forward, and two each backward.

    Only the first layer has but one backward: nothing needs a gradient of the images.
    """
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
    for _ in range(_PRODUCTS):
        begin = time.perf_counter()
        for number, (inputs, weight, outputs) in enumerate(operands):
            inputs @ weight.T
            if number:
                outputs @ weight
            outputs.T @ inputs
        if trainer.device.type == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)
