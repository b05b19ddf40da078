"""What a step of a recipe takes, counted before anything of it is built."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from vae_explorer.errors import RecipeError
from vae_explorer.model.architecture import LATENT_DIM, Architecture
from vae_explorer.processors import memory, processors
from vae_explorer.training.recipe import Recipe
from vae_explorer.types import ImageShape

_SPEED = 1.5e10
"""Multiplications a second of one processor, within a factor of three or so."""
_CONVOLUTION = 2.0
"""How much longer one of a convolution takes."""
_LONG = 5.0
"""Seconds of a step that are worth a warning: nothing stops it within."""


@dataclass(frozen=True)
class Cost:
    """Of one step: ``seconds`` on the processors of this machine, about, and ``bytes`` at least.

    ``weights`` are of both networks.
    """

    seconds: float
    bytes: int
    weights: int


@dataclass(frozen=True)
class _Layer:
    """``weights``, each of which one row meets ``times`` times."""

    weights: int
    times: int = 1


def cost(recipe: Recipe, shape: ImageShape) -> Cost:
    """Count a step on images of this shape."""
    architecture = recipe.architecture(shape)
    encoder, decoder = ([*layers] for layers in _networks(architecture))
    lattice = recipe.lattice_points if recipe.objective == "exact" else 0
    rows = recipe.batch_size * recipe.samples + lattice
    products: float = recipe.batch_size * _products(encoder) + rows * _products(decoder)
    products += recipe.batch_size * lattice * architecture.pixels
    products *= _CONVOLUTION if recipe.network == "conv" else 1
    weights = sum(layer.weights for layer in (*encoder, *decoder))
    return Cost(
        3 * products / (_SPEED * processors()),  # the gradient takes twice as much again
        # Weights, gradients and AdamW's averages; and what is decoded, with its gradient.
        16 * weights + 8 * rows * architecture.pixels,
        weights,
    )


def warning(recipe: Recipe, shape: ImageShape) -> str:
    """What somebody should know of a step that takes too much; "" of others."""
    found = cost(recipe, shape)
    if found.bytes > memory():
        return _too_large(found)
    if found.seconds > _LONG:
        return (
            f"One step takes some {found.seconds:,.0f} s on {processors()} processors, and Stop "
            "waits for it. Choose smaller layers, a smaller batch, or fewer samples."
        )
    return ""


def check_size(recipe: Recipe, shape: ImageShape) -> None:
    """Refuse what does not fit this machine.

    Raises:
        RecipeError: a step takes more memory than there is.
    """
    found = cost(recipe, shape)
    if found.bytes > memory():
        raise RecipeError(_too_large(found))


def decoder_products(architecture: Architecture) -> int:
    """Multiplications that decoding one z takes."""
    return _products(_networks(architecture)[1])


def _too_large(found: Cost) -> str:
    return (
        f"A step takes at least {found.bytes / 1e9:,.1f} GB, for {found.weights:,} weights and "
        f"what is decoded at once; this machine has {memory() / 1e9:,.1f} GB. Choose smaller "
        "layers, a smaller batch, or fewer samples."
    )


def _products(layers: Iterable[_Layer]) -> int:
    return sum(layer.weights * layer.times for layer in layers)


def _networks(architecture: Architecture) -> tuple[Iterator[_Layer], Iterator[_Layer]]:
    """The layers that ``networks.build`` makes of an encoder and a decoder."""
    inputs = LATENT_DIM + 2 * architecture.fourier_features
    outputs = 2 * LATENT_DIM + (architecture.posterior == "full")
    if architecture.network == "conv":
        return _conv_encoder(architecture, outputs), _conv_decoder(architecture, inputs)
    dense = _residual if architecture.network == "residual" else _mlp
    pixels = architecture.pixels
    return (
        dense((pixels, *architecture.encoder_hidden), outputs),
        dense((inputs, *architecture.decoder_hidden), pixels),
    )


def _linear(inputs: int, outputs: int) -> _Layer:
    return _Layer((inputs + 1) * outputs)


def _mlp(widths: tuple[int, ...], outputs: int) -> Iterator[_Layer]:
    yield from (_linear(one, other) for one, other in pairwise((*widths, outputs)))


def _residual(widths: tuple[int, ...], outputs: int) -> Iterator[_Layer]:
    for inputs, width in pairwise(widths):
        if inputs != width:
            yield _linear(inputs, width)
        yield from (_Layer(2 * width), _linear(width, width), _linear(width, width))
    yield _linear(widths[-1], outputs)


def _sides(architecture: Architecture, stages: int) -> list[int]:
    """The pixels of the image, halved this many times along either side."""
    height, width = architecture.image_shape[:2]
    areas = [height * width]
    for _ in range(stages):
        height, width = -(-height // 2), -(-width // 2)
        areas.append(height * width)
    return areas


def _conv_encoder(architecture: Architecture, outputs: int) -> Iterator[_Layer]:
    hidden = architecture.encoder_hidden
    areas = _sides(architecture, len(hidden))
    for (inputs, width), area in zip(
        pairwise((architecture.channels, *hidden)), areas[1:], strict=True
    ):
        yield _Layer((9 * inputs + 1) * width, area)
    yield _linear(hidden[-1] * areas[-1], outputs)


def _conv_decoder(architecture: Architecture, inputs: int) -> Iterator[_Layer]:
    hidden = architecture.decoder_hidden
    *larger, smallest = _sides(architecture, len(hidden))
    yield _linear(inputs, hidden[0] * smallest)
    widths = (*hidden, hidden[-1])
    for (before, width), area in zip(pairwise(widths), reversed(larger), strict=True):
        yield _Layer((9 * before + 1) * width, area)
    yield _Layer(9 * hidden[-1] * architecture.channels, larger[0])
    yield _Layer(architecture.pixels)  # a bias of each number
