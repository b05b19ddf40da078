"""A network on many rows at once, in as much memory as there may be."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.checkpoint import checkpoint
from typing_extensions import override

HELD, KEPT = 1 << 29, 1 << 30
"""Bytes of activations that may be there at once, and that may be kept for a gradient."""
_FEW = 32
"""Rows that are not worth a measurement."""


class Need(NamedTuple):
    """Bytes of what becomes of one row: ``held`` at once, ``kept`` for a gradient."""

    held: int
    kept: int

    def rows(self, kept: bool = False) -> int:
        """How many rows there may be at once."""
        return max(1, KEPT // self.kept if kept else HELD // self.held)


class _Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Takes down the sizes of what is computed of one row, on this thread alone."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.sizes = [0]

    @classmethod
    @override
    def _should_skip_dynamo(cls) -> bool:
        """Otherwise the first use imports PyTorch's compiler: seconds of a start."""
        return False

    @override
    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        found = func(*args, **(kwargs or {}))
        if isinstance(found, Tensor) and found.shape[:1] == (1,):  # and no weights, turned
            self.sizes.append(found.nbytes)
        return found


def measured(network: nn.Module, inputs: int) -> Need:
    """What one row of ``inputs`` numbers needs in a network."""
    first = next(network.parameters(), torch.zeros(0))
    with torch.no_grad(), _Watch() as watch:
        network(torch.zeros(1, inputs, device=first.device, dtype=first.dtype))
    sizes = watch.sizes
    held = max((before + after for before, after in pairwise(sizes)), default=1)
    return Need(max(held, 1), max(sum(sizes), 1))


def apply(network: nn.Module, rows: Tensor, need: Callable[[], Need]) -> Tensor:
    """The outputs (n, *) of rows (n, *), by parts where all at once would take too much memory.

    In training the activations of a part are then computed a second time for its gradient.
    """
    if len(rows) <= _FEW:
        return _full_precision(network(rows))
    grad = torch.is_grad_enabled()
    trained = grad and any(weight.requires_grad for weight in network.parameters())
    most = need().rows(kept=trained)
    if len(rows) <= most or (grad and not trained):
        return _full_precision(network(rows))
    parts = torch.split(rows, most)
    if not trained:
        return torch.cat([_full_precision(network(part)) for part in parts])
    outputs = [
        checkpoint(network, part, use_reentrant=False, preserve_rng_state=False) for part in parts
    ]
    return _full_precision(torch.cat(outputs))


def _full_precision(tensor: Tensor) -> Tensor:
    """What autocast left in bfloat16 as float32; float64 stays."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))
