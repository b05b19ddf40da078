"""AdamW (Loshchilov & Hutter, arXiv 1711.05101), by PyTorch's function.

PyTorch's class imports its compiler at the first step: a second, and 70 MB.
"""

from collections.abc import Mapping

import torch
from torch.nn import Parameter
from torch.optim.adamw import adamw


class AdamW:
    """Moves weights against their gradients.

    ``averages`` are of each weight, by its name: the steps so far, the mean gradient and the mean
    square. They are there from the start, so that any moment can be saved and restored.
    """

    def __init__(self, weights: Mapping[str, Parameter]) -> None:
        self._weights = weights
        self.averages = {
            name: {
                "step": torch.zeros((), device=weight.device),
                "exp_avg": torch.zeros_like(weight, requires_grad=False),
                "exp_avg_sq": torch.zeros_like(weight, requires_grad=False),
            }
            for name, weight in weights.items()
        }

    @torch.no_grad()
    def step(self, rate: float, weight_decay: float) -> None:
        """Take one step with the weights that have a gradient."""
        moved = {
            name: (weight, weight.grad)
            for name, weight in self._weights.items()
            if weight.grad is not None
        }
        weights, gradients = map(list, zip(*moved.values(), strict=True))
        steps, means, squares = (
            [self.averages[name][key] for name in moved]
            for key in ("step", "exp_avg", "exp_avg_sq")
        )
        adamw(
            weights, gradients, means, squares, [], steps, fused=True, amsgrad=False, beta1=0.9,
            beta2=0.999, lr=rate, weight_decay=weight_decay, eps=1e-8, maximize=False,
        )  # fmt: skip
