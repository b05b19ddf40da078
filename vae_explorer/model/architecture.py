"""The shape of a VAE: what has to be known to build it empty."""

from dataclasses import dataclass

NETWORKS = ("mlp",)
POSTERIORS = ("diagonal", "full")
LATENT_DIM = 2


@dataclass(frozen=True)
class Architecture:
    """Sizes of encoder and decoder.

    ``image_shape`` is ``(height, width)`` in pixels; depths count hidden layers of ``width`` units.
    ``fourier_features`` pairs of sine and cosine of z, with normal frequencies of standard
    deviation ``fourier_scale`` (radians per latent unit), join z at the decoder's input.
    """

    image_shape: tuple[int, int]
    network: str = "mlp"
    width: int = 512
    encoder_depth: int = 3
    decoder_depth: int = 2
    posterior: str = "full"
    fourier_features: int = 16
    fourier_scale: float = 1.0

    @property
    def pixels(self) -> int:
        """Pixels of one image."""
        return self.image_shape[0] * self.image_shape[1]
