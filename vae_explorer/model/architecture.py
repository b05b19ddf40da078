"""The shape of a VAE: what has to be known to build it empty."""

from dataclasses import dataclass

NETWORKS = ("mlp", "residual", "conv")
ACTIVATIONS = ("gelu", "relu", "tanh")
POSTERIORS = ("diagonal", "full")
LIKELIHOODS = ("bernoulli", "continuous-bernoulli", "gaussian")
LATENT_DIM = 2


@dataclass(frozen=True)
class Architecture:
    """Sizes of encoder and decoder.

    ``image_shape`` is ``(height, width)`` in pixels. The hidden sizes run in the order the data
    takes, from the image to z and from z to the image: units of a layer, or channels of a
    convolution. ``fourier_features`` pairs of sine and cosine of z, with normal frequencies of
    standard deviation ``fourier_scale`` (radians per latent unit), join z at the decoder's input.
    """

    image_shape: tuple[int, int]
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
        """Pixels of one image."""
        return self.image_shape[0] * self.image_shape[1]
