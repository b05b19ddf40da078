"""Encoder and decoder networks, by the name a recipe gives them."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional

from vae_explorer.model.architecture import LATENT_DIM, Architecture
from vae_explorer.types import ImageShape

_ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "gelu": nn.GELU,
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
}


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
        with torch.autocast(z.device.type, enabled=False):  # positions need all their digits
            phase = z @ self.frequencies
        return torch.cat([z, phase.sin(), phase.cos()], dim=1)


class ResidualBlock(nn.Module):
    """h + W₂ act(W₁ norm(h)), both maps of one width (He et al., arXiv 1603.05027)."""

    def __init__(self, width: int, activation: nn.Module) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, width), activation, nn.Linear(width, width)
        )

    def forward(self, h: Tensor) -> Tensor:
        """Map (n, width) to (n, width)."""
        output: Tensor = h + self.branch(h)
        return output


class Resize(nn.Module):
    """Stretch feature maps to (height, width), each pixel to the nearest."""

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        self.size = (height, width)

    def forward(self, h: Tensor) -> Tensor:
        """Map (n, channels, *, *) to (n, channels, height, width)."""
        # The channels of a pixel beside each other: convolutions on a CPU are twice as fast then.
        beside = h.movedim(1, 3).contiguous().movedim(3, 1)
        return functional.interpolate(beside, self.size)


class ChannelsFirst(nn.Module):
    """Images (n, height · width · channels), a pixel after the other, as maps of channels."""

    def __init__(self, shape: ImageShape) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, pixels) to (n, channels, height, width)."""
        maps = x.reshape(-1, *self.shape)
        return maps.movedim(3, 1) if len(self.shape) == 3 else maps.unsqueeze(1)


class PixelBias(nn.Module):
    """Flatten an image, a pixel after the other, and add a bias of its own to each number."""

    def __init__(self, pixels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(pixels))

    def forward(self, h: Tensor) -> Tensor:
        """Map (n, channels, height, width) to (n, pixels)."""
        return h.movedim(1, 3).flatten(1) + self.bias


def _mlp(architecture: Architecture, hidden: Iterable[int], inputs: int) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Linear(inputs, width), _ACTIVATIONS[architecture.activation]()]
        inputs = width
    return layers


def _residual(architecture: Architecture, hidden: Iterable[int], inputs: int) -> list[nn.Module]:
    """A block for every hidden size; a plain linear map wherever the width changes."""
    activation = _ACTIVATIONS[architecture.activation]
    layers: list[nn.Module] = []
    for width in hidden:
        if width != inputs:
            layers.append(nn.Linear(inputs, width))
        layers.append(ResidualBlock(width, activation()))
        inputs = width
    return [*layers, activation()]


def _dense(
    stack: Callable[[Architecture, Iterable[int], int], list[nn.Module]],
) -> Callable[[Architecture, int, int], tuple[nn.Sequential, nn.Sequential]]:
    """Encoder and decoder of fully connected layers, with ``stack`` as what is hidden."""

    def build(
        architecture: Architecture, inputs: int, outputs: int
    ) -> tuple[nn.Sequential, nn.Sequential]:
        pixels, encoder, decoder = (
            architecture.pixels,
            architecture.encoder_hidden,
            architecture.decoder_hidden,
        )
        return (
            nn.Sequential(*stack(architecture, encoder, pixels), nn.Linear(encoder[-1], outputs)),
            nn.Sequential(*stack(architecture, decoder, inputs), nn.Linear(decoder[-1], pixels)),
        )

    return build


def _conv(
    architecture: Architecture, inputs: int, outputs: int
) -> tuple[nn.Sequential, nn.Sequential]:
    """Each hidden size halves the image's sides on the way in and doubles them on the way out."""
    activation = _ACTIVATIONS[architecture.activation]

    def sides(stages: int) -> list[tuple[int, int]]:
        sizes = [architecture.image_shape[:2]]
        for _ in range(stages):
            height, width = sizes[-1]
            sizes.append((-(-height // 2), -(-width // 2)))
        return sizes

    encoder: list[nn.Module] = [ChannelsFirst(architecture.image_shape)]
    channels = architecture.channels
    for width in architecture.encoder_hidden:
        encoder += [nn.Conv2d(channels, width, 3, stride=2, padding=1), activation()]
        channels = width
    rows, columns = sides(len(architecture.encoder_hidden))[-1]
    encoder += [nn.Flatten(), nn.Linear(channels * rows * columns, outputs)]

    hidden = architecture.decoder_hidden
    *larger, (rows, columns) = sides(len(hidden))
    channels = hidden[0]
    decoder: list[nn.Module] = [
        nn.Linear(inputs, channels * rows * columns),
        activation(),
        nn.Unflatten(1, (channels, rows, columns)),
    ]
    for width, (rows, columns) in zip((*hidden[1:], hidden[-1]), reversed(larger), strict=True):
        decoder += [
            Resize(rows, columns),
            nn.Conv2d(channels, width, 3, padding=1),
            activation(),
        ]
        channels = width
    last = nn.Conv2d(channels, architecture.channels, 3, padding=1, bias=False)
    decoder += [last, PixelBias(architecture.pixels)]
    return nn.Sequential(*encoder), nn.Sequential(*decoder)


FAMILIES: dict[str, Callable[[Architecture, int, int], tuple[nn.Sequential, nn.Sequential]]] = {
    "mlp": _dense(_mlp),
    "residual": _dense(_residual),
    "conv": _conv,
}
"""A recipe's name of a network → its builder: (architecture, numbers that stand for z at the
decoder's input, numbers the encoder gives) → (encoder, decoder), both on flat images."""


def build(architecture: Architecture, outputs: int) -> tuple[nn.Sequential, nn.Sequential]:
    """Encoder (n, pixels) → (n, outputs) and decoder (n, 2) → (n, pixels), freshly drawn.

    The decoder's last module has a ``bias`` (pixels,).
    """
    pairs = architecture.fourier_features
    encoder, decoder = FAMILIES[architecture.network](architecture, LATENT_DIM + 2 * pairs, outputs)
    if pairs:
        decoder.insert(0, FourierFeatures(pairs, architecture.fourier_scale))
    return encoder, decoder
