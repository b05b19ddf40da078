"""Decoded images and manifold sheets as PNG files that say how to make them again.

What they say holds for the model's checkpoint, however the plane is turned on the map: a latent
point is the checkpoint's, and a sheet tells the rotation R; its z is R times the checkpoint's.
``about`` are further texts, by the keywords of PNG.
"""

import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import get_args

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from vae_explorer.errors import ExportError
from vae_explorer.export.content import export_content
from vae_explorer.export.requests import DigitRequest, ManifoldRequest, Spacing
from vae_explorer.latent.manifold import grid, linear_axis, quantile_axis
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.types import Float32, LatentPoint

LARGEST_SIDE = 8_192
"""Most pixels along one side of an exported picture."""

_STRIP_SCALE = 4
_NOTHING: Mapping[str, str] = MappingProxyType({})


def export_digit(
    model: TrainedVAE, request: DigitRequest, path: Path, about: Mapping[str, str] = _NOTHING
) -> None:
    """Write the picture at ``request.z`` as a PNG, gray or RGB as the model is.

    Raises:
        ExportError: the picture would be too large, or the file cannot be written.
        DataError: z is not finite.
    """
    image = model.decode(np.array([request.z], np.float32))[0]
    _write_png(path, image, request.scale, {"z": _own(model, [request.z])[0]}, about)


def export_manifold(
    model: TrainedVAE, request: ManifoldRequest, path: Path, about: Mapping[str, str] = _NOTHING
) -> None:
    """Write a sheet of decoded positions as a PNG: z₁ grows rightwards, z₂ upwards.

    Raises:
        ExportError: as ``manifold_sheet``, or the file cannot be written.
    """
    made_from = asdict(request)
    if request.spacing == "quantile":
        del made_from["extent"]
    if model.rotation is not None:
        made_from["rotation"] = model.rotation.tolist()
    _write_png(path, manifold_sheet(model, request), request.scale, made_from, about)


def export_digits(
    model: TrainedVAE,
    positions: Sequence[LatentPoint],
    scale: int,
    path: Path,
    about: Mapping[str, str] = _NOTHING,
) -> None:
    """Write the pictures at several positions side by side as a PNG; errors as export_digit.

    One position gives what ``export_digit`` does.
    """
    if len(positions) == 1:
        export_digit(model, DigitRequest(positions[0], scale), path, about)
        return
    _check_side(max(len(positions) * model.image_shape[1], model.image_shape[0]) * scale, scale)
    strip = np.concatenate(list(model.decode(positions)), axis=1)
    _write_png(path, strip, scale, {"z": _own(model, positions)}, about)


def export_strip(
    images: Float32, z: Float32, path: Path, about: Mapping[str, str] = _NOTHING
) -> None:
    """Write pictures (n, h, w[, 3]) in [0, 1] side by side as a PNG, enlarged as far as it may be.

    ``z`` (n, 2) is where the checkpoint has them.

    Raises:
        ExportError: the strip would be too large, or the file cannot be written.
    """
    strip = np.concatenate(list(images), axis=1)
    scale = min(_STRIP_SCALE, LARGEST_SIDE // strip.shape[1])
    _write_png(path, strip, scale, {"frames": len(images), "z": z.tolist()}, about)


def manifold_sheet(model: TrainedVAE, request: ManifoldRequest) -> Float32:
    """The sheet before scaling, (n·h, n·w[, 3]) float32 in [0, 1].

    Raises:
        ExportError: the sheet would be empty, without an extent or too large, or its spacing is
            unknown.
    """
    if request.n < 1:
        raise ExportError(f"A manifold sheet needs at least one image a side, not {request.n}.")
    if request.spacing not in get_args(Spacing):
        choices = " or ".join(get_args(Spacing))
        raise ExportError(f"A manifold sheet has {choices} spacing, not {request.spacing}.")
    if not 0 < request.extent < math.inf:
        raise ExportError(
            f"The extent of a manifold sheet is {request.extent:g}; it must be more than 0."
        )
    _check_side(request.n * max(model.image_shape[:2]) * request.scale, request.scale)
    quantile = request.spacing == "quantile"
    axis = quantile_axis(request.n) if quantile else linear_axis(request.n, request.extent)
    tiles = model.decode(grid(axis))
    rows = tiles.reshape(request.n, request.n, *model.image_shape).swapaxes(1, 2)
    height, width, *color = model.image_shape
    return rows.reshape(request.n * height, request.n * width, *color)


def _own(model: TrainedVAE, positions: Sequence[LatentPoint]) -> list[list[float]]:
    found: list[list[float]] = model.in_checkpoint(np.array(positions, np.float64)).tolist()
    return found


def _check_side(side: int, scale: int) -> None:
    if scale < 1 or side > LARGEST_SIDE:
        raise ExportError(
            f"The picture would be {side:,} pixels wide at scale {scale}; "
            f"choose a scale of at least 1 that keeps it within {LARGEST_SIDE:,}."
        )


def _write_png(
    path: Path,
    image: Float32,
    scale: int,
    made_from: dict[str, object],
    about: Mapping[str, str],
) -> None:
    _check_side(max(image.shape[:2]) * scale, scale)
    levels = np.rint(image * 255).astype(np.uint8).repeat(scale, 0).repeat(scale, 1)
    text = PngInfo()
    text.add_text("Software", "VAE Explorer")
    text.add_text("vae-explorer", json.dumps(made_from))
    for keyword, words in about.items():
        text.add_text(keyword, words)
    content = io.BytesIO()
    Image.fromarray(levels).save(content, "PNG", pnginfo=text)
    export_content(path, content.getvalue())
