"""A model from elsewhere as two ONNX files, run by onnxruntime (the extra ``[onnx]``)."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vae_explorer.errors import CheckpointError, DataError
from vae_explorer.shell import install_line
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
_KINDS: Mapping[str, type[np.floating[Any]]] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
}
"""Of inputs."""
_SIDES = ("encoder", "decoder"), ("enc", "dec")
_PICTURE = re.compile(r"recon|logit|prob|image|x_?hat|out")


@dataclass(frozen=True)
class PairOutputs:
    """What two networks give, by name, and which of it is what; "" where that is left open.

    ``means`` and ``pictures`` are those whose shape would do for mean and spread, and for an image.
    """

    means: tuple[str, ...]
    pictures: tuple[str, ...]
    mean: str = ""
    spread: str = ""
    spread_is: str = ""
    picture: str = ""

    @property
    def open(self) -> bool:
        """Whether something has to be said."""
        return not (self.mean and self.spread and self.spread_is and self.picture)

    def guessed(self) -> "PairOutputs":
        """With what is usual where it is open: the mean first, and then a log-variance."""
        mean = self.mean or next((name for name in self.means if name != self.spread), "")
        spread = self.spread or next((name for name in self.means if name != mean), "")
        return replace(
            self,
            mean=mean,
            spread=spread,
            spread_is=self.spread_is or "log-variance",
            picture=self.picture or self.pictures[0],
        )


@dataclass(frozen=True)
class PairChoices:
    """What two networks do not say of themselves; see ``OnnxPair`` and ``outside_model``."""

    mean: str
    spread: str
    spread_is: str
    picture: str
    logits: bool = False
    likelihood: str | None = None
    variance: float | None = None
    treatment: str = "gray"


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
        self._images = _input(self._encoder, encoder)
        _input(self._decoder, decoder)
        found = _found(self._encoder, self._decoder, mean, spread, spread_is, picture)
        outputs = [output.name for output in self._encoder.get_outputs()]
        if not {found.mean, found.spread} <= {*outputs} or found.spread_is not in SPREADS:
            raise CheckpointError(
                f"{encoder} has the outputs {', '.join(outputs)}, which do not tell which is the "
                "mean and which the spread of q(z|x): "
                "pass OnnxPair(…, mean=…, spread=…, spread_is=…), "
                f"one of {', '.join(SPREADS)}."
            )
        pictures = [output.name for output in self._decoder.get_outputs()]
        if found.picture not in pictures:
            raise CheckpointError(
                f"{decoder} has the outputs {', '.join(pictures)}; pass picture=…, the image."
            )
        self._mean, self._spread, self._picture = found.mean, found.spread, found.picture
        self._variance = SPREADS[found.spread_is]

    def encode(self, images: Float32) -> tuple[Floats, Floats]:
        """Means (n, d), and variances or covariances, of images (n, h, w[, 3])."""
        given = _shaped(images, self._images.shape)
        mean, spread = _run(self._encoder, [self._mean, self._spread], given)
        return _flat(mean), self._variance(_flat(spread).astype(np.float64))

    def decode(self, z: Float32) -> Floats:
        """What the decoder gives at z (n, d); integers are levels from 0 to 255."""
        (found,) = _run(self._decoder, [self._picture], z)
        return found / np.float32(255) if np.issubdtype(found.dtype, np.integer) else found


def pair_outputs(encoder: str | Path, decoder: str | Path) -> PairOutputs:
    """What is found in two files by names and shapes.

    Raises:
        CheckpointError: onnxruntime is not there, or a file is none of its.
    """
    return _found(_session(encoder), _session(decoder))


def in_order(first: Path, second: Path) -> tuple[Path, Path]:
    """Encoder and decoder, by their names, or else by their inputs, of which z is the smaller.

    Raises:
        CheckpointError: as ``pair_outputs``.
    """
    sides = [_side(path) for path in (first, second)]
    if sides[0] == sides[1]:
        sizes = [_size(_input(_session(path), path).shape) or 0 for path in (first, second)]
        return (first, second) if sizes[0] >= sizes[1] else (second, first)
    return (second, first) if 1 in (sides[0], -sides[1]) else (first, second)


def other_of(path: Path) -> Path | None:
    """The network that lies beside one and has its name, with decoder for encoder or dec for enc.

    Or the other way round; None if there is none, or its folder cannot be read.
    """
    name = path.name.lower()
    wanted = {
        name[:at] + other + name[at + len(one) :]
        for one, other in (*_SIDES, *(pair[::-1] for pair in _SIDES))
        if (at := name.rfind(one)) >= 0
    }
    try:
        beside = sorted(path.parent.iterdir())
    except OSError:
        return None
    return next((one for one in beside if one.name.lower() in wanted), None)


def _side(path: Path) -> int:
    """Negative of an encoder, positive of a decoder, by its name; 0 if that does not tell."""
    name = path.stem.lower()
    return ("dec" in name) - ("enc" in name)


def _session(path: str | Path) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise CheckpointError(
            f"{path} is an ONNX network; what runs it is not installed: {install_line('onnx')}."
        ) from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise CheckpointError(f"{path} cannot be read as an ONNX network: {error}") from error


def _input(session: Any, path: str | Path) -> Any:
    inputs = session.get_inputs()
    if len(inputs) != 1 or inputs[0].type not in _KINDS:
        told = ", ".join(f"{one.name}: {one.type}" for one in inputs)
        raise CheckpointError(
            f"{path} has the inputs {told}; export it with a single one of floats, without noise."
        )
    return inputs[0]


def _run(session: Any, names: list[str], rows: Float32) -> list[NDArray[Any]]:
    """Outputs for all rows, which go in as many at once as the file says, if it fixes them."""
    given, count = session.get_inputs()[0], len(rows)
    most = given.shape[0] if isinstance(given.shape[0], int) else count
    padded = np.concatenate([rows, np.repeat(rows[-1:], -count % most, 0)])
    parts = np.split(padded.astype(_KINDS[given.type]), len(padded) // most)
    found = [session.run(names, {given.name: part}) for part in parts]
    return [np.concatenate(each)[:count] for each in zip(*found, strict=True)]


def _found(
    encoder: Any,
    decoder: Any,
    mean: str = "",
    spread: str = "",
    spread_is: str = "",
    picture: str = "",
) -> PairOutputs:
    size, pixels = (_size(session.get_inputs()[0].shape) for session in (decoder, encoder))
    means = _names(encoder, (size, size and size * size))
    mean = mean or _one(means, lambda name: bool(_MEAN.search(name.lower())))
    if not spread:
        spread = _one(means, lambda name: name != mean and bool(_spread_of(name)))
    pictures = _names(decoder, (pixels,))
    picture = picture or _one(pictures, lambda name: bool(_PICTURE.search(name.lower())))
    return PairOutputs(means, pictures, mean, spread, spread_is or _spread_of(spread), picture)


def _size(shape: Sequence[Any]) -> int | None:
    """How many numbers there are to a row, if the file tells."""
    sides = shape[1:]
    return math.prod(sides) if sides and all(isinstance(side, int) for side in sides) else None


def _names(session: Any, sizes: Sequence[int | None]) -> tuple[str, ...]:
    """The outputs of one of these sizes, as far as sizes are told; all if there is none."""
    outputs = {output.name: _size(output.shape) for output in session.get_outputs()}
    told = None not in sizes
    fit = tuple(name for name, size in outputs.items() if size is None or not told or size in sizes)
    return fit or tuple(outputs)


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
        f"pixels ({pixels:,} numbers) do not go; open images of its size first."
    )
