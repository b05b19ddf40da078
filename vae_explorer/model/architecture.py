"""The shape of a VAE: what has to be known to build it empty."""

import math
from dataclasses import dataclass

from vae_explorer.types import ImageShape

NETWORKS = ("mlp", "residual", "conv")
ACTIVATIONS = ("gelu", "relu", "tanh")
POSTERIORS = ("diagonal", "full")
LIKELIHOODS = ("bernoulli", "continuous-bernoulli", "gaussian")
LATENT_DIM = 2


@dataclass(frozen=True)
class Architecture:
    """Sizes of encoder and decoder.

    ``image_shape`` is ``(height, width)`` in pixels, and in colour ``(height, width, 3)``. The
    hidden sizes run in the order the data takes, from the image to z and from z to the image: units
    of a layer, or channels of a convolution. ``fourier_features`` pairs of sine and cosine of z,
    with normal frequencies of standard deviation ``fourier_scale`` (radians per latent unit), join
    z at the decoder's input.
    """

    image_shape: ImageShape
    network: str = "mlp"
    encoder_hidden: tuple[int, ...] = (512, 512, 512)
    decoder_hidden: tuple[int, ...] = (512, 512)
    activation: str = "gelu"
    likelihood: str = "bernoulli"
    posterior: str = "full"
    fourier_features: int = 16
    fourier_scale: float = 1.0

    @property
    def pixels(self) -> int:
        """Numbers that make one image: its pixels, and in colour three of each."""
        return math.prod(self.image_shape)

    @property
    def channels(self) -> int:
        """Numbers of each pixel: 1 is gray, 3 are red, green and blue."""
        return self.image_shape[2] if len(self.image_shape) == 3 else 1
