"""Seconds for the exact log p(x) of the test images, and how far off it is estimated to be."""

import statistics
import time
from collections.abc import Iterator

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from vae_explorer import paths
from vae_explorer.bench.measurement import Measurement
from vae_explorer.data.bundled import mnist
from vae_explorer.latent.quadrature import exact_posterior
from vae_explorer.training.checkpoint import read_checkpoint
from vae_explorer.training.device import set_threads

_IMAGES = 10_000
_RUNS = 3
_PRODUCTS = 5
"""Large products measured after each run."""
_ROWS, _INNER = 4_096, 784


def measure() -> Iterator[Measurement]:
    """Integrate for the bundled model a few times; medians.

    ``exact.ceiling_share`` is the share of the time that the matrix products of the work would
    take at the speed of one large float32 product.
    """
    threads = set_threads()
    model = read_checkpoint(paths.bundled_checkpoint()).model
    x = model.treated(mnist("test").images[:_IMAGES], seed=0)
    with FlopCounterMode(display=False) as counter:  # slow, and a warm-up at the same time
        exact_posterior(model, x)
    operations = counter.get_total_flops()
    seconds, shares = [], []
    for _ in range(_RUNS):
        begin = time.perf_counter()
        posterior = exact_posterior(model, x)
        seconds.append(time.perf_counter() - begin)
        shares.append(operations / _operations_per_second() / seconds[-1])
    details: dict[str, int | float | str] = {"device": model.device.type, "threads": threads}
    errors = {"p99": float(np.quantile(posterior.error, 0.99)), "max": posterior.error.max().item()}
    yield Measurement("exact.seconds_10k", statistics.median(seconds), "s", _RUNS, details)
    mean = posterior.error.mean().item()
    yield Measurement("exact.error_nats", mean, "nats", len(x), details | errors)
    yield Measurement("exact.ceiling_share", statistics.median(shares), "1", _RUNS, details)


def _operations_per_second() -> float:
    """The rate of float32 additions and multiplications in one large matrix product; a median."""
    left, right = torch.randn(_ROWS, _INNER), torch.randn(_INNER, _ROWS)
    product = torch.empty(_ROWS, _ROWS)
    times = []
    for _ in range(1 + _PRODUCTS):
        begin = time.perf_counter()
        torch.mm(left, right, out=product)
        times.append(time.perf_counter() - begin)
    return 2 * _ROWS * _INNER * _ROWS / statistics.median(times[1:])
