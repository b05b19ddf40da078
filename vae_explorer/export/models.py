"""A model for other programs: two ONNX networks, or PyTorch in plain Python with its weights.

Either is of the checkpoint, however the plane is turned on the map.
"""

import io
from textwrap import fill, indent
from typing import Any
from zipfile import ZipFile, ZipInfo

import numpy as np
import torch
from torch import nn

from vae_explorer.errors import ExportError
from vae_explorer.export.numeric_requests import Model
from vae_explorer.export.onnx_format import decoder_network, encoder_network
from vae_explorer.export.source import Progress, Source
from vae_explorer.latent.manifold import grid, quantile_axis
from vae_explorer.model import networks
from vae_explorer.model.gaussian import LOG_SCALE_RANGE
from vae_explorer.model.likelihood import SMALL
from vae_explorer.model.vae import VAE
from vae_explorer.shell import install_line
from vae_explorer.training.checkpoint import header
from vae_explorer.training.snapshot import Snapshot
from vae_explorer.training.tensors import tensor_file

_AGREEMENT = 1e-3
"""Largest difference from our own figures that an ONNX network may have."""
_CHECKED = 12
"""Latent points a side, at which it is looked for."""


def model(request: Model, source: Source, suffix: str, _: Progress) -> bytes:
    """The content of a checkpoint, of ONNX or of a ZIP, by the suffix.

    Raises:
        ExportError: the model is from elsewhere.
    """
    snapshot = source.snapshot
    vae = _own(snapshot)
    match suffix:
        case ".onnx":
            return onnx_network(snapshot, request.network)
        case ".zip":
            return pytorch_archive(snapshot)
    return tensor_file(vae.state_dict(), header(snapshot))


def checked(request: Model, source: Source, suffix: str, content: bytes) -> str:
    """How near an ONNX network's figures are to ours; errors as ``onnx_difference``."""
    if suffix != ".onnx":
        return ""
    difference = onnx_difference(source.snapshot, request.network, content)
    if difference is None:
        return f"not compared with ours, as onnxruntime is not installed: {install_line('onnx')}"
    return f"its figures differ from ours by at most {difference:.1g}"


def onnx_network(snapshot: Snapshot, network: str) -> bytes:
    """The encoder, from images to mean and covariance, or the decoder, from z to images.

    Raises:
        ExportError: the model is from elsewhere.
    """
    vae = _own(snapshot)
    return (encoder_network if network == "encoder" else decoder_network)(vae, _about(snapshot))


def onnx_difference(snapshot: Snapshot, network: str, content: bytes) -> float | None:
    """The largest difference of an ONNX network's figures from ours, or None without onnxruntime.

    Over latent points of equal prior mass, and the images that stand for them.

    Raises:
        ExportError: it cannot be run, or the difference is no matter of rounding.
    """
    try:
        import onnxruntime
    except ImportError:
        return None
    model = snapshot.model
    z = model.in_checkpoint(grid(quantile_axis(_CHECKED)))
    images = model.decode(z)
    try:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        session = onnxruntime.InferenceSession(content, options, ["CPUExecutionProvider"])
        if network == "encoder":
            posterior = model.encode(images)
            ours = [posterior.mean, posterior.covariance]
            theirs = session.run(["mean", "covariance"], {"images": images})
        else:
            ours, theirs = [images], session.run(["image"], {"z": z})
    except Exception as error:
        raise ExportError(f"onnxruntime cannot run the {network} it was given: {error}") from error
    pairs = zip(ours, theirs, strict=True)
    difference = max(float(np.abs(one - other).max()) for one, other in pairs)
    if not difference < _AGREEMENT:
        raise ExportError(
            f"The {network} as ONNX gives figures that differ from ours by {difference:.2g}; it "
            "was not written. Please report this model."
        )
    return difference


def pytorch_archive(snapshot: Snapshot) -> bytes:
    """A ZIP of ``model.py``, which needs PyTorch alone, and the ``weights.pt`` that it loads.

    Raises:
        ExportError: the model is from elsewhere.
    """
    vae, weights, archive = _own(snapshot), io.BytesIO(), io.BytesIO()
    named = {name.removeprefix("likelihood."): t for name, t in vae.state_dict().items()}
    torch.save(named, weights)
    files = {"model.py": _program(snapshot).encode(), "weights.pt": weights.getvalue()}
    with ZipFile(archive, "w") as target:
        for name, content in files.items():
            entry = ZipInfo(name)  # of 1980, on whatever system
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            target.writestr(entry, content)
    return archive.getvalue()


def _own(snapshot: Snapshot) -> VAE:
    vae = snapshot.model.vae
    if vae.architecture.network not in networks.FAMILIES:
        raise ExportError(
            "A model from elsewhere has no networks that could be exported here; keep the files "
            "that it comes from."
        )
    return vae


def _about(snapshot: Snapshot) -> str:
    shape = snapshot.model.vae.architecture
    sizes = ", ".join(map(str, ("n", *shape.image_shape)))
    return (
        f"A variational autoencoder of images ({sizes}) in [0, 1], with a standard normal prior on "
        f"z (n, 2), a {shape.posterior} Gaussian q(z|x) and a {shape.likelihood} p(x|z). Trained "
        f"on {snapshot.data.name} by VAE Explorer."
    )


def _program(snapshot: Snapshot) -> str:
    vae = snapshot.model.vae
    shape = vae.architecture
    own = {type(module): module for module in vae.modules() if type(module) in _CLASSES}
    sizes = ", ".join(map(str, shape.image_shape))
    full = shape.posterior == "full"
    return _PROGRAM.format(
        about=fill(_about(snapshot), 88),
        sizes=sizes,
        classes="".join(f"\n\n{_CLASSES[kind]}" for kind in own),
        encoder=indent(_code(vae.encoder), " " * 8).lstrip(),
        decoder=indent(_code(vae.decoder), " " * 8).lstrip(),
        variance=_VARIANCE if shape.likelihood == "gaussian" else "",
        range=", ".join(map(str, LOG_SCALE_RANGE)),
        lower=_LOWER if full else "",
        mean=_MEANS[shape.likelihood],
    )


def _code(module: Any) -> str:
    """What makes a module in Python, without its weights."""
    match module:
        case nn.Sequential():
            layers = "".join(f"{_code(layer)},\n" for layer in module)
            return f"nn.Sequential(\n{indent(layers, ' ' * 4)})"
        case networks.FourierFeatures():
            return f"FourierFeatures({module.frequencies.shape[1]})"
        case networks.ResidualBlock():
            width = module.branch[1].in_features
            return f"ResidualBlock({width}, {_code(module.branch[2])})"
        case networks.Resize():
            return f"Resize{module.size}"
        case networks.ChannelsFirst():
            return f"ChannelsFirst{(*module.shape, 1)[:3]}"
        case networks.PixelBias():
            return f"PixelBias({len(module.bias)})"
    return f"nn.{module!r}"


_PROGRAM = '''\
"""{about}

    from model import load
    vae = load()  # with the weights beside this file
    mean, covariance = vae.encode(images)  # of q(z|x), (n, 2) and (n, 2, 2)
    images = vae.decode(z)  # E[x|z]
"""

from pathlib import Path

import torch
from torch import nn
{classes}

class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = {encoder}
        self.decoder = {decoder}{variance}

    def encode(self, images):
        outputs = self.encoder(images.flatten(1))
        scale = torch.diag_embed(outputs[:, 2:4].clamp({range}).exp()){lower}
        return outputs[:, :2], scale @ scale.mT

    def decode(self, z):
        outputs = self.decoder(z).reshape(-1, {sizes})
{mean}


def load(weights=Path(__file__).with_name("weights.pt")):
    vae = VAE()
    vae.load_state_dict(torch.load(weights, weights_only=True))
    return vae.eval()
'''
_VARIANCE = """
        self.log_variance = nn.Parameter(torch.zeros(()))  # of every pixel in p(x|z)"""
_LOWER = """
        scale[:, 1, 0] = outputs[:, 4]"""
_MEANS = {
    "bernoulli": """\
        return outputs.sigmoid()""",
    "gaussian": """\
        return outputs.clamp(0, 1)""",
    "continuous-bernoulli": f"""\
        small = outputs.abs() < {SMALL}
        safe = torch.where(small, 1, outputs)
        series = 0.5 + outputs / 12 - outputs**3 / 720
        return torch.where(small, series, 0.5 + 0.5 / torch.tanh(safe / 2) - 1 / safe)""",
}
_CLASSES: dict[type[nn.Module], str] = {
    networks.FourierFeatures: """\
class FourierFeatures(nn.Module):
    def __init__(self, pairs):
        super().__init__()
        self.register_buffer("frequencies", torch.zeros(2, pairs))

    def forward(self, z):
        phase = z @ self.frequencies
        return torch.cat([z, phase.sin(), phase.cos()], dim=1)
""",
    networks.ResidualBlock: """\
class ResidualBlock(nn.Module):
    def __init__(self, width, activation):
        super().__init__()
        first, second = nn.Linear(width, width), nn.Linear(width, width)
        self.branch = nn.Sequential(nn.LayerNorm(width), first, activation, second)

    def forward(self, h):
        return h + self.branch(h)
""",
    networks.Resize: """\
class Resize(nn.Module):
    def __init__(self, height, width):
        super().__init__()
        self.size = (height, width)

    def forward(self, h):
        return nn.functional.interpolate(h, self.size)
""",
    networks.ChannelsFirst: """\
class ChannelsFirst(nn.Module):
    def __init__(self, *shape):
        super().__init__()
        self.shape = shape

    def forward(self, x):
        return x.reshape(-1, *self.shape).movedim(3, 1)
""",
    networks.PixelBias: """\
class PixelBias(nn.Module):
    def __init__(self, pixels):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(pixels))

    def forward(self, h):
        return h.movedim(1, 3).flatten(1) + self.bias
""",
}
