"""Images as tensors to train on, of which memory holds one copy."""

import warnings

import torch
from torch import Tensor

from vae_explorer.types import UInt8

_AT_ONCE = 1 << 14


def rows_of(images: UInt8) -> Tensor:
    """(n, pixels) as they lie in memory, which nobody may write to though a tensor cannot say."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return torch.from_numpy(images.reshape(len(images), -1))


def mean_of(rows: Tensor) -> Tensor:
    """(pixels,) float32, from 0 to 255; all as floats would take four times their memory."""
    sums = [some.float().sum(0) for some in torch.split(rows, _AT_ONCE)]
    return torch.stack(sums).sum(0) / len(rows)
