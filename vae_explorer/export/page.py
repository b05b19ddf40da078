"""A model as one HTML page that works from a file, without a network.

Its text, style and scripts are the files of ``resources/page``; what is of the model is put into
them here: the decoder layer by layer, as ``decoder.js`` runs it, and encoded test images.
"""

import base64
import html
import json
from collections.abc import Iterator
from copy import deepcopy
from string import Template
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor, nn

from vae_explorer import paths
from vae_explorer.data.arrays import spread
from vae_explorer.errors import ExportError
from vae_explorer.export.about import model_reference
from vae_explorer.export.requests import Page
from vae_explorer.export.source import Progress, Source
from vae_explorer.latent.manifold import grid, linear_axis
from vae_explorer.model.networks import FourierFeatures, PixelBias, ResidualBlock, Resize
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.number_format import figure
from vae_explorer.training.meaning import named, no_likelihood, of_model
from vae_explorer.training.snapshot import Snapshot, reference

_LEAST, _MOST = 2.0, 6.0
"""Latent units from the origin to the edges of the map."""
_INSIDE = 99.5
"""Percent of the points that the map holds, where they are not too far."""
_ROUNDING = 0.5 / 255
"""How far a pixel may be from what it is, for weights of 16 bits."""
_CHECKED = 41
"""Latent points a side at which that is measured."""
_CREDITS = {
    "MNIST": "MNIST by Yann LeCun, Corinna Cortes and Christopher J. C. Burges, CC BY-SA 3.0 "
    "(creativecommons.org/licenses/by-sa/3.0).",
    "digits": "Digits by E. Alpaydin and C. Kaynak, UCI Machine Learning Repository, CC BY 4.0 "
    "(creativecommons.org/licenses/by/4.0).",
    "Fashion-MNIST": "Fashion-MNIST by Zalando SE, MIT licence (opensource.org/license/mit).",
    "KMNIST": "KMNIST Dataset, created by CODH, adapted from Kuzushiji Dataset, created by NIJL "
    "and others, doi:10.20676/00000341, CC BY-SA 4.0 "
    "(creativecommons.org/licenses/by-sa/4.0).",
}


def page(request: Page, source: Source, suffix: str, progress: Progress) -> bytes:
    """The page of a model, with test images of its data on the map.

    Raises:
        ExportError: the decoder has a layer that a page cannot compute.
        DataError: the images have another size than the model's.
    """
    model, snapshot, data = source.model, source.snapshot, source.data
    name = model_reference(source).name or ""
    images = data.test.subset(spread(len(data.test), request.points))
    points = model.encode(images.images).mean
    reach = np.percentile(np.abs(points).max(1), _INSIDE)
    extent = float(np.clip(np.ceil(2 * reach) / 2, _LEAST, _MOST))
    content = {
        "decoder": _decoder(model, extent),
        "shape": [*model.image_shape, 1][:3],
        "extent": extent,
        "sheet": request.n,
        "points": _packed(np.clip(np.rint(1_000 * points), -32_000, 32_000), "<i2"),
        "labels": None if images.labels is None else _packed(images.labels, "<u2"),
        "classes": () if images.labels is None else images.classes,
    }
    credits_ = (_CREDITS.get(known) for known in dict.fromkeys((data.name, snapshot.data.name)))
    words = {
        "title": request.title or f"The latent plane of {name or data.name}",
        "lead": "Each position decodes to an image, by a variational autoencoder. The points are "
        f"{len(images):,} encoded test images of {data.name}.",
        "figures": _figures(snapshot, name),
        "remarks": " ".join(remark.text for remark in of_model(snapshot, reference(data))),
        "credit": request.credit or " ".join(filter(None, credits_)),
    }
    template, style, decoder, script = (
        (paths.resources() / "page" / file).read_text("utf-8")
        for file in ("page.html", "page.css", "decoder.js", "page.js")
    )
    icon = (paths.resources() / "icons" / "vae-explorer.svg").read_bytes()
    return (
        Template(template)
        .substitute(
            {place: html.escape(text) for place, text in words.items()},
            icon=base64.b64encode(icon).decode(),
            data=json.dumps(content, separators=(",", ":")).replace("<", "\\u003c"),
            style=style,
            decoder=decoder,
            script=script,
        )
        .encode()
    )


def _figures(snapshot: Snapshot, name: str) -> str:
    recipe, remark = snapshot.recipe, no_likelihood(snapshot.recipe)
    last = [point for point in snapshot.history if point.held_out_elbo is not None][-1:]
    held_out = [
        f"{named(what, remark)} {figure(value, 2)}"
        for point in last
        for what, value in (
            ("ELBO", point.held_out_elbo),
            ("log p(x)", point.held_out_log_marginal),
        )
        if value is not None
    ]
    pixels = recipe.treatment
    if len(snapshot.model.image_shape) == 3:
        pixels = "RGB" if pixels == "gray" else f"{pixels} RGB"
    likelihood = recipe.likelihood.replace("-", " ").replace("bern", "Bern").replace("gau", "Gau")
    figures = f"held-out {', '.join(held_out)} nats per image" if held_out else ""
    trained = f"trained on {snapshot.data.images:,} images of {snapshot.data.name}"
    kind = f"{pixels} pixels, {likelihood} likelihood"
    return " · ".join(filter(None, (name, figures, trained, kind)))


def _decoder(model: TrainedVAE, extent: float) -> dict[str, Any]:
    """The decoder with weights of 16 bits, or as they are where that would show."""
    rounded = deepcopy(model.vae)
    for weight in rounded.decoder.parameters():
        if weight.dim() > 1:
            scale = _scale(weight)
            weight.copy_((weight / scale).round() * scale)
    z = grid(linear_axis(_CHECKED, extent))
    change = np.abs(TrainedVAE(rounded, model.treatment).decode(z) - model.decode(z)).max()
    whole = bool(change < _ROUNDING)
    layers = [*_layers(model.vae.decoder, whole, model.vae.architecture.channels)]
    if model.vae.rotation is not None:
        turn = {"weight": _packed(model.vae.rotation.T), "bias": _packed(np.zeros(2))}
        layers.insert(0, {"kind": "linear", **turn})
    return {"layers": layers, "likelihood": model.vae.architecture.likelihood}


def _scale(weight: Tensor) -> Tensor:
    """What 1 stands for in each row of weights that are whole numbers of 16 bits."""
    largest = weight.abs().flatten(1).amax(1).clamp(min=1e-30) / 32_767
    return largest.reshape(-1, *[1] * (weight.dim() - 1))


def _layers(network: nn.Module, whole: bool, channels: int) -> Iterator[dict[str, Any]]:
    """Each layer of a decoder as ``decoder.js`` has it."""
    size: tuple[int, ...] = ()
    for layer in network.children():
        match layer:
            case nn.GELU() | nn.ReLU() | nn.Tanh():
                yield {"kind": type(layer).__name__.lower()}
            case nn.Linear():
                yield {"kind": "linear", **_parameters(layer, whole)}
            case nn.LayerNorm():
                yield {"kind": "norm", **_parameters(layer), "eps": layer.eps}
            case FourierFeatures():
                yield {"kind": "fourier", "frequencies": _packed(layer.frequencies)}
            case ResidualBlock():
                yield {"kind": "residual", "branch": [*_layers(layer.branch, whole, channels)]}
            case nn.Unflatten():
                size = tuple(layer.unflattened_size[1:])
            case Resize():
                yield {"kind": "resize", "from": size, "to": layer.size}
                size = layer.size
            case nn.Conv2d():
                none = {"bias": _packed(np.zeros(layer.out_channels))}
                yield {"kind": "conv", "size": size, **none, **_parameters(layer, whole)}
            case PixelBias():
                yield {"kind": "pixels", "channels": channels, **_parameters(layer)}
            case _:
                raise ExportError(
                    "A page can hold the decoders that this program trains (mlp, residual and "
                    f"conv), and this model's has a layer of another kind, {type(layer).__name__}: "
                    "export a manifold sheet or a film of it instead."
                )


def _parameters(layer: nn.Module, whole: bool = False) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in layer.named_parameters(recurse=False):
        if whole and value.dim() > 1:
            scale = _scale(value)
            found[name] = _packed((value / scale).round(), "<i2") | {"scale": _packed(scale)}
        else:
            found[name] = _packed(value)
    return found


def _packed(values: ArrayLike, kind: str = "<f4") -> dict[str, Any]:
    numbers = np.asarray(values).astype(kind)
    return {"type": kind, "base64": base64.b64encode(numbers.tobytes()).decode()}
