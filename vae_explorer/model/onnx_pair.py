"""A model from elsewhere as two ONNX files, run by onnxruntime (the extra ``[onnx]``)."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vae_explorer.errors import CheckpointError, DataError
from vae_explorer.shell import command_line
from vae_explorer.types import Float32, Floats

SPREADS: Mapping[str, Callable[[Floats], Floats]] = {
    "log-variance": np.exp,
    "variance": lambda spread: spread,
    "log-deviation": lambda spread: np.exp(2 * spread),
    "deviation": np.square,
    "covariance": lambda spread: spread.reshape(len(spread), math.isqrt(spread[:1].size), -1),
}
"""What the second output of an encoder, flat, may be, and its variances or covariance."""
_MEAN = re.compile(r"(^|[^a-z])(z_?)?(mean|mu|loc)($|[^a-z])")
_SPREADS = {
    "log-variance": re.compile(r"log_?(var|variance|sigma_?2|sigma_sq)"),
    "log-deviation": re.compile(r"log_?(std|scale|sigma|deviation)"),
    "variance": re.compile(r"(^|[^a-z])(var|variance)"),
    "deviation": re.compile(r"(^|[^a-z])(std|scale|sigma|deviation)"),
    "covariance": re.compile(r"(^|[^a-z])cov"),
}
_PICTURE = re.compile(r"recon|logit|prob|image|x_?hat|out")


class OnnxPair:
    """An encoder and a decoder, each with one input.

    Inputs and outputs are found by their names and shapes; what these leave open has to be said.
    Images are given as the encoder's input wants them: flat, channels first or last, or without.

    Args:
        encoder: a file whose outputs are the mean of q(z|x) and its spread.
        decoder: a file from z to an image.
        mean: the name of the encoder's output that is the mean.
        spread: that of its spread.
        spread_is: one of ``SPREADS``.
        picture: the name of the decoder's output.

    Raises:
        CheckpointError: onnxruntime is not there, a file is none of its, or something is left open.
    """

    def __init__(
        self,
        encoder: str | Path,
        decoder: str | Path,
        *,
        mean: str = "",
        spread: str = "",
        spread_is: str = "",
        picture: str = "",
    ) -> None:
        self._encoder, self._decoder = _session(encoder), _session(decoder)
        (self._images,), (self._z,) = (
            _inputs(session, path)
            for session, path in ((self._encoder, encoder), (self._decoder, decoder))
        )
        outputs = [output.name for output in self._encoder.get_outputs()]
        mean = mean or _one(outputs, lambda name: bool(_MEAN.search(name.lower())))
        if not spread:
            spread = _one(outputs, lambda name: name != mean and bool(_spread_of(name)))
        if not spread_is:
            spread_is = _spread_of(spread)
        if not {mean, spread} <= {*outputs} or spread_is not in SPREADS:
            raise CheckpointError(
                f"{encoder} has the outputs {', '.join(outputs)}, which do not tell which is the "
                "mean and which the spread of q(z|x): "
                "pass OnnxPair(…, mean=…, spread=…, spread_is=…), "
                f"one of {', '.join(SPREADS)}."
            )
        pictures = [output.name for output in self._decoder.get_outputs()]
        self._picture = picture or _one(pictures, lambda name: bool(_PICTURE.search(name.lower())))
        if self._picture not in pictures:
            raise CheckpointError(
                f"{decoder} has the outputs {', '.join(pictures)}; pass picture=…, the image."
            )
        self._mean, self._spread, self._variance = mean, spread, SPREADS[spread_is]

    def encode(self, images: Float32) -> tuple[Floats, Floats]:
        """Means (n, d), and variances or covariances, of images (n, h, w[, 3])."""
        given = _shaped(images, self._images.shape)
        mean, spread = self._encoder.run([self._mean, self._spread], {self._images.name: given})
        return _flat(mean), self._variance(_flat(spread))

    def decode(self, z: Float32) -> Floats:
        """What the decoder gives at z (n, d)."""
        found: Floats = self._decoder.run([self._picture], {self._z.name: z})[0]
        return found


def _session(path: str | Path) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        install = command_line("pip", "install", "vae-explorer[onnx]")
        raise CheckpointError(
            f"{path} is an ONNX network; what runs it is not installed: {install}."
        ) from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise CheckpointError(f"{path} cannot be read as an ONNX network: {error}") from error


def _inputs(session: Any, path: str | Path) -> Sequence[Any]:
    inputs: Sequence[Any] = session.get_inputs()
    if len(inputs) != 1 or inputs[0].type != "tensor(float)":
        told = ", ".join(f"{one.name}: {one.type}" for one in inputs)
        raise CheckpointError(
            f"{path} has the inputs {told}; export it with a single one of float32, without noise."
        )
    return inputs


def _one(names: Sequence[str], wanted: Callable[[str], bool]) -> str:
    """The only name, or the only one that is wanted; "" if that is none."""
    found = names if len(names) == 1 else [name for name in names if wanted(name)]
    return found[0] if len(found) == 1 else ""


def _spread_of(name: str) -> str:
    return next((kind for kind, form in _SPREADS.items() if form.search(name.lower())), "")


def _flat(values: Floats) -> Floats:
    return values.reshape(len(values), -1)


def _shaped(images: Float32, shape: Sequence[Any]) -> Float32:
    """Images (n, h, w[, 3]) as an input of ``shape``, whose free axes are names or None."""
    height, width, *color = images.shape[1:]
    channels = color[0] if color else 1
    whole = images.reshape(len(images), height, width, channels)
    first = np.ascontiguousarray(np.moveaxis(whole, 3, 1))
    for made in (images, first, whole, first.reshape(len(images), -1)):
        fits = len(made.shape) == len(shape) and all(
            not isinstance(wanted, int) or wanted == side
            for wanted, side in zip(shape[1:], made.shape[1:], strict=True)
        )
        if fits:
            return np.ascontiguousarray(made)
    pixels = math.prod(images.shape[1:])
    raise DataError(
        f"The encoder's input has shape {tuple(shape)}, into which images of {height}×{width} "
        f"pixels ({pixels:,} numbers) do not go; open images of its size."
    )
