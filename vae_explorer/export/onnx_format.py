"""Encoder and decoder as ONNX networks (opset 20), with any number of rows at once.

The few protocol-buffer messages that these networks need are written here, without other packages.
"""

import struct
from collections.abc import Callable, Sequence
from functools import reduce
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from vae_explorer.model import networks
from vae_explorer.model.gaussian import LOG_SCALE_RANGE
from vae_explorer.model.likelihood import SMALL
from vae_explorer.model.vae import VAE

_OPSET, _IR = 20, 9
_FLOAT, _INT64 = 1, 7
_Shape = tuple[int | str, ...]


def encoder_network(vae: VAE, about: str) -> bytes:
    """From "images" (n, h, w[, 3]) to "mean" (n, 2) and "covariance" (n, 2, 2) of q(z|x)."""
    graph = _Graph(vae)
    outputs = graph.layer(vae.encoder, graph("Flatten", "images"))
    size, full = (2, 2, 1), vae.architecture.posterior == "full"
    names = ("mean", "logs", "lower")[: 2 + full]
    graph("Split", outputs, size[: 2 + full], axis=1, to=names)
    graph(
        "Split",
        graph("Exp", graph("Clip", "logs", *LOG_SCALE_RANGE)),
        (1, 1),
        axis=1,
        to=("a", "c"),
    )
    lower = "lower" if full else graph("Mul", "a", 0.0)
    shared = graph("Mul", "a", lower)
    second = graph("Add", graph("Mul", lower, lower), graph("Mul", "c", "c"))
    entries = graph("Concat", graph("Mul", "a", "a"), shared, shared, second, axis=1)
    graph("Reshape", entries, (0, 2, 2), to=("covariance",))
    given = {"images": ("n", *vae.architecture.image_shape)}
    return graph.file("encoder", about, given, {"mean": ("n", 2), "covariance": ("n", 2, 2)})


def decoder_network(vae: VAE, about: str) -> bytes:
    """From "z" (n, 2) to the "image" (n, h, w[, 3]), E[x|z] in [0, 1], and to "parameters".

    These are what parametrises p(x|z): logits, or a Gaussian's mean.
    """
    graph, shape = _Graph(vae), vae.architecture.image_shape
    flat = graph.layer(vae.decoder, "z")
    raw = graph("Reshape", flat, (0, *shape), to=("parameters",))
    match vae.architecture.likelihood:
        case "gaussian":
            graph("Clip", raw, 0.0, 1.0, to=("image",))
        case "bernoulli":
            graph("Sigmoid", raw, to=("image",))
        case _:
            small = graph("Less", graph("Abs", raw), SMALL)
            safe = graph("Where", small, 1.0, raw)
            cube = graph("Mul", graph("Mul", raw, raw), raw)
            series = graph("Sub", graph("Div", raw, 12.0), graph("Div", cube, 720.0))
            half = graph("Div", 0.5, graph("Tanh", graph("Div", safe, 2.0)))
            closed = graph("Sub", half, graph("Div", 1.0, safe))
            graph("Add", graph("Where", small, series, closed), 0.5, to=("image",))
    made: _Shape = ("n", *shape)
    return graph.file("decoder", about, {"z": ("n", 2)}, {"image": made, "parameters": made})


class _Graph:
    """Nodes one after another; called, it adds one, and gives back the name of what it makes.

    An input is the name of an earlier output, a tensor of the model, a number or whole numbers.
    """

    def __init__(self, vae: VAE) -> None:
        tensors = chain(vae.named_parameters(), vae.named_buffers())
        self._names = {id(tensor): name for name, tensor in tensors}
        self._nodes: list[bytes] = []
        self._held: dict[str, bytes] = {}

    def __call__(self, kind: str, *inputs: Any, to: Sequence[str] = (), **attributes: Any) -> str:
        outputs = to or (f"{kind.lower()}_{len(self._nodes)}",)
        self._nodes.append(
            _message(
                *((1, self._name(one)) for one in inputs),
                *((2, name) for name in outputs),
                (4, kind),
                *((5, _attribute(name, value)) for name, value in attributes.items()),
            )
        )
        return outputs[0]

    def layer(self, module: nn.Module, given: str) -> str:
        """What a module makes of an output."""
        return _LAYERS[type(module)](self, module, given)

    def file(
        self, name: str, about: str, inputs: dict[str, _Shape], outputs: dict[str, _Shape]
    ) -> bytes:
        """All of it as the content of a file."""
        graph = _message(
            *((1, node) for node in self._nodes),
            (2, name),
            *((5, held) for held in self._held.values()),
            *((11, _value(*one)) for one in inputs.items()),
            *((12, _value(*one)) for one in outputs.items()),
        )
        opset = _message((1, ""), (2, _OPSET))
        return _message((1, _IR), (2, "VAE Explorer"), (6, about), (7, graph), (8, opset))

    def _name(self, given: Any) -> str:
        if isinstance(given, str):
            return given
        if isinstance(given, Tensor):
            name, array = self._names[id(given)], given.detach().numpy()
        else:
            kind = np.float32 if isinstance(given, float) else np.int64
            name, array = f"constant {given}", np.array(given, kind)
        self._held[name] = _tensor(name, array)
        return name


def _plain(kind: str) -> Callable[[_Graph, Any, str], str]:
    return lambda graph, _, x: graph(kind, x)


def _resize(graph: _Graph, module: Any, x: str) -> str:
    how = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    return graph("Resize", x, "", "", module.size, axes=(2, 3), mode="nearest", **how)


def _conv(graph: _Graph, module: Any, x: str) -> str:
    bias = () if module.bias is None else (module.bias,)
    pads, strides = module.padding * 2, module.stride
    return graph("Conv", x, module.weight, *bias, pads=pads, strides=strides)


def _fourier(graph: _Graph, module: Any, z: str) -> str:
    phase = graph("MatMul", z, module.frequencies)
    return graph("Concat", z, graph("Sin", phase), graph("Cos", phase), axis=1)


def _channels_first(graph: _Graph, module: Any, x: str) -> str:
    height, width, *color = module.shape
    maps = graph("Reshape", x, (0, height, width, *(color or (1,))))
    return graph("Transpose", maps, perm=(0, 3, 1, 2))


_LAYERS: dict[type[nn.Module], Callable[[_Graph, Any, str], str]] = {
    nn.Sequential: lambda graph, m, x: reduce(lambda h, one: graph.layer(one, h), m, x),
    nn.Linear: lambda graph, m, x: graph("Gemm", x, m.weight, m.bias, transB=1),
    nn.Conv2d: _conv,
    nn.LayerNorm: lambda graph, m, x: graph(
        "LayerNormalization", x, m.weight, m.bias, epsilon=m.eps
    ),
    nn.GELU: _plain("Gelu"),
    nn.ReLU: _plain("Relu"),
    nn.Tanh: _plain("Tanh"),
    nn.Flatten: _plain("Flatten"),
    nn.Unflatten: lambda graph, m, x: graph("Reshape", x, (0, *m.unflattened_size)),
    networks.FourierFeatures: _fourier,
    networks.ResidualBlock: lambda graph, m, x: graph("Add", x, graph.layer(m.branch, x)),
    networks.Resize: _resize,
    networks.ChannelsFirst: _channels_first,
    networks.PixelBias: lambda graph, m, x: graph(
        "Add", graph("Flatten", graph("Transpose", x, perm=(0, 2, 3, 1))), m.bias
    ),
}


def _attribute(name: str, value: Any) -> bytes:
    match value:
        case int():
            return _message((1, name), (3, value), (20, 2))
        case float():
            return _message((1, name), (2, value), (20, 1))
        case str():
            return _message((1, name), (4, value), (20, 3))
    return _message((1, name), *((8, one) for one in value), (20, 7))


def _tensor(name: str, array: NDArray[Any]) -> bytes:
    kind = _FLOAT if array.dtype == np.float32 else _INT64
    little = array.astype(array.dtype.newbyteorder("<"), "C", copy=False)
    dims = ((1, size) for size in array.shape)
    return _message(*dims, (2, kind), (8, name), (9, little.tobytes()))


def _value(name: str, shape: _Shape) -> bytes:
    sides = (_message((1 if isinstance(side, int) else 2, side)) for side in shape)
    tensor = _message((1, _FLOAT), (2, _message(*((1, side) for side in sides))))
    return _message((1, name), (2, _message((1, tensor))))


def _message(*fields: tuple[int, int | float | str | bytes]) -> bytes:
    """A message of protocol buffers, of its fields by their numbers."""
    written = bytearray()
    for number, value in fields:
        if isinstance(value, int):
            written += _varint(number << 3) + _varint(value)
        elif isinstance(value, float):
            written += _varint(number << 3 | 5) + struct.pack("<f", value)
        else:
            content = value.encode() if isinstance(value, str) else value
            written += _varint(number << 3 | 2) + _varint(len(content)) + content
    return bytes(written)


def _varint(value: int) -> bytes:
    groups = bytearray()
    while value > 127:
        groups.append(value & 127 | 128)
        value >>= 7
    return bytes([*groups, value])
