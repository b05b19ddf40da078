"""Encoder and decoder networks, by the name a recipe gives them."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from vae_explorer.model.architecture import LATENT_DIM, Architecture


class FourierFeatures(nn.Module):
    """Append sines and cosines of random projections to z (Tancik et al., arXiv 2006.10739).

    The frequencies are drawn once, from N(0, scale²), and saved with the weights. Without them an
    MLP of two inputs is slow to learn the fine structure of a densely packed latent plane.
    """

    frequencies: Tensor

    def __init__(self, pairs: int, scale: float) -> None:
        super().__init__()
        frequencies = torch.empty(LATENT_DIM, pairs)
        # On the meta device, where checkpoints are checked, there is nothing to draw, and PyTorch
        # would import a second's worth of modules to find that out.
        if not frequencies.is_meta:
            frequencies.normal_(std=scale)
        self.register_buffer("frequencies", frequencies)

    def forward(self, z: Tensor) -> Tensor:
        """Map (n, 2) to (n, 2 + 2 · pairs)."""
        phase = z @ self.frequencies
        return torch.cat([z, phase.sin(), phase.cos()], dim=1)


def _perceptron(inputs: int, width: int, depth: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for _ in range(depth):
        layers += [nn.Linear(inputs, width), nn.GELU()]
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, outputs))


def _mlp(architecture: Architecture, outputs: int) -> tuple[nn.Sequential, nn.Sequential]:
    encoder = _perceptron(
        architecture.pixels, architecture.width, architecture.encoder_depth, outputs
    )
    pairs = architecture.fourier_features
    decoder = _perceptron(
        LATENT_DIM + 2 * pairs, architecture.width, architecture.decoder_depth, architecture.pixels
    )
    if pairs:
        decoder.insert(0, FourierFeatures(pairs, architecture.fourier_scale))
    return encoder, decoder


BUILDERS: dict[str, Callable[[Architecture, int], tuple[nn.Sequential, nn.Sequential]]] = {
    "mlp": _mlp,
}
"""Network family → builder of (encoder: (n, pixels) → (n, outputs), decoder: (n, 2) → logits)."""
