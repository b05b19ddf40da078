"""Small untrained VAEs, fixed by a seed."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from vae_explorer.model.architecture import Architecture
from vae_explorer.model.vae import VAE

Build = Callable[..., VAE]


@pytest.fixture
def build() -> Build:
    """``build(image_shape, seed=0, **architecture)``: a VAE of 16 units a layer."""

    def make(image_shape: tuple[int, int] = (28, 28), seed: int = 0, **changes: Any) -> VAE:
        sizes = {"encoder_hidden": (16,), "decoder_hidden": (16,)} | changes
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return VAE(Architecture(image_shape, **sizes))

    return make
