"""Positions spread evenly over the prior: what the exact objective sums over."""

import torch
from torch import Generator, Tensor

_GOLDEN = (5**0.5 - 1) / 2
_WITHOUT_DOUBLES = ("mps",)
_EDGE = 1e-6  # |z| ≤ 4.75: quantiles 0 and 1 are infinitely far


def shifted_lattice(points: int, generator: Generator) -> Tensor:
    """A randomly shifted rank-1 lattice (points, 2), mapped through the prior's quantiles.

    Every position has the prior weight 1/points, and each alone is a draw from N(0, I), so that
    the mean of any p(x|z) over the lattice is an unbiased estimate of p(x), far less noisy than
    from independent draws (Cranley & Patterson 1976). The golden ratio spreads any number of
    ``points`` as evenly as Fibonacci lattices spread theirs.

    Args:
        points: how many.
        generator: gives the shift; its device is that of the positions.

    Returns:
        float32, latent units.
    """
    device = generator.device
    coarse = device.type in _WITHOUT_DOUBLES
    kind = torch.float32 if coarse else torch.float64
    shift = torch.empty(2, dtype=kind, device=device).uniform_(generator=generator)
    if coarse:
        shift = shift.cpu().double()
    index = torch.arange(points, dtype=torch.float64).to(shift.device)
    uniform = (torch.stack([index / points, index * _GOLDEN], dim=1) + shift).frac()
    positions: Tensor = torch.special.ndtri(uniform.clamp(_EDGE, 1 - _EDGE))
    return positions.float().to(device)
