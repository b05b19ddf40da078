"""Decoded images, sheets and strips as PNG, TIFF and SVG.

Labels are set in the type that Pillow brings along, so that they are the same on every machine.
"""

import base64
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vae_explorer.errors import ExportError
from vae_explorer.export.requests import LARGEST_SIDE, Digit, Images, Manifold, Strip, Tiled
from vae_explorer.export.source import Progress, Source
from vae_explorer.latent.manifold import grid, linear_axis, quantile_axis
from vae_explorer.model.trained import TrainedVAE
from vae_explorer.types import Float32, Float64, Floats, ImageShape, UInt8

_GROUNDS = {"white": (255, 255, 255, 255), "black": (0, 0, 0, 255), "transparent": (0, 0, 0, 0)}
_INKS = {"white": "black", "black": "white", "transparent": "gray"}
_ROOM = 1.6  # heights of a label from the edge to the images
_LONGEST = 9  # sign, digits and what parts two labels


@dataclass(frozen=True)
class _Labels:
    """Texts under the columns, left of the rows, or one under each image."""

    columns: Sequence[str] = ()
    rows: Sequence[str] = ()
    each: Sequence[str] = ()


def digit(request: Digit, source: Source, suffix: str, progress: Progress) -> bytes:
    """The picture at ``request.z``, gray or RGB as the model is."""
    _check(request, source.model.image_shape)
    return _written(source.model.decode([request.z]), request, _Labels(), suffix)


def manifold(request: Manifold, source: Source, suffix: str, progress: Progress) -> bytes:
    """A sheet of decoded positions."""
    _check(request, source.model.image_shape)
    axis = _axis(request.n, request.spacing, request.extent)
    names = [f"{value:.2f}" for value in axis]
    labels = _Labels(names, names[::-1])
    return _written(source.model.decode(grid(axis)), request, labels, suffix)


def strip(request: Strip, source: Source, suffix: str, progress: Progress) -> bytes:
    """Decoded positions side by side."""
    places = request.places
    _check(request, source.model.image_shape)
    names = [f"{z1:.2f}, {z2:.2f}" for z1, z2 in places]
    return _written(source.model.decode(places), request, _Labels(each=names), suffix)


def images(request: Images, source: Source, suffix: str, progress: Progress) -> bytes:
    """Images of the data and what the model makes of them, a row each."""
    data = source.data
    shown = data.train if request.split == "train" else data.test
    if max(request.rows) >= len(shown):
        raise ExportError(
            f"“{request.split}” of {data.name} has {len(shown):,} images; there is no "
            f"{max(request.rows):,}."
        )
    _check(request, data.image_shape)
    chosen = shown.images[request.rows]
    rows: list[Float32] = []
    if request.show != "reconstructions":
        rows.append(chosen.astype(np.float32) / np.float32(255))
    if request.show != "images":
        rows.append(source.model.reconstruct(chosen))
    names = [f"{row}" for row in request.rows]
    return _written(np.concatenate(rows), request, _Labels(names), suffix)


def _axis(n: int, spacing: str, extent: float) -> Float64:
    return quantile_axis(n) if spacing == "quantile" else linear_axis(n, extent)


def _tiled(tiles: Float32, n: int) -> Float32:
    _, height, width, *color = tiles.shape
    table = tiles.reshape(n, n, height, width, *color).swapaxes(1, 2)
    return table.reshape(n * height, n * width, *color)


def _check(request: Tiled, shape: ImageShape) -> None:
    _check_side(max(request.sides(shape)))


def _check_side(side: int) -> None:
    if side > LARGEST_SIDE:
        raise ExportError(
            f"The picture would be {side:,} pixels wide; choose fewer images or a smaller scale "
            f"that keep it within {LARGEST_SIDE:,}."
        )


def _written(tiles: Floats, request: Tiled, labels: _Labels, suffix: str) -> bytes:
    levels = np.rint(tiles * 255).astype(np.uint8)
    picture = _Picture(levels, request, labels)
    return picture.svg() if suffix == ".svg" else picture.pixels(suffix)


class _Picture:
    """Where images and labels go, pixels."""

    def __init__(self, levels: UInt8, request: Tiled, labels: _Labels) -> None:
        self._rows, self._columns = request.grid()
        scale: int = getattr(request, "scale")  # noqa: B009
        self._tiles = levels.repeat(scale, 1).repeat(scale, 2)
        self._height, self._width = self._tiles.shape[1:3]
        self._gap = request.between
        self._ground: str = getattr(request, "ground", "white")
        size: int = getattr(request, "labels", 0)
        self._size = size
        room = round(_ROOM * size)
        self._left = round(_LONGEST * size / 2) if labels.rows and size else 0
        self._under = room if labels.each else 0
        across, up = self._width + self._gap, self._height + self._gap + self._under
        self._across, self._up = across, up
        self.width = self._left + self._columns * across - self._gap
        self.height = self._rows * up - self._gap + (room if labels.columns else 0)
        self._texts = self._placed(labels, room) if size else []

    def _placed(self, labels: _Labels, room: int) -> list[tuple[float, float, str, str]]:
        """Middle of each label that has room beside its neighbours, or its right end."""
        font = self._font
        widest = max((font.getlength(text) for text in (*labels.columns, *labels.each)), default=0)
        step = max(1, -(-round(widest + self._size / 2) // self._across))
        down = max(1, -(-round(1.2 * self._size) // self._up))
        middle = [self._left + n * self._across + self._width / 2 for n in range(self._columns)]
        found = [
            (middle[n], self.height - room / 2, "mm", text)
            for n, text in [*enumerate(labels.columns)][::step]
        ]
        found += [
            (self._left - self._size / 2, n * self._up + self._height / 2, "rm", text)
            for n, text in [*enumerate(labels.rows)][::down]
        ]
        for number, text in enumerate(labels.each):
            row, column = divmod(number, self._columns)
            if column % step == 0:
                under = row * self._up + self._height + room / 2
                found.append((middle[column], under, "mm", text))
        return found

    @property
    def _font(self) -> ImageFont.FreeTypeFont:
        font = ImageFont.load_default(max(self._size, 1))
        assert isinstance(font, ImageFont.FreeTypeFont)
        return font

    def _at(self, number: int) -> tuple[int, int]:
        row, column = divmod(number, self._columns)
        return self._left + column * self._across, row * self._up

    def _raster(self) -> Image.Image:
        """Images and ground, without labels."""
        gray = self._tiles.ndim == 3
        mode = "RGBA" if self._ground == "transparent" else "L" if gray else "RGB"
        ground = _GROUNDS[self._ground]
        whole = Image.new(mode, (self.width, self.height), ground[0] if mode == "L" else ground)
        for number, tile in enumerate(self._tiles):
            whole.paste(Image.fromarray(tile).convert(mode), self._at(number))
        return whole

    def pixels(self, suffix: str) -> bytes:
        """As PNG or TIFF."""
        whole = self._raster()
        draw = ImageDraw.Draw(whole)
        for x, y, anchor, text in self._texts:
            draw.text((x, y), text, _INKS[self._ground], self._font, anchor)
        return encoded(whole, suffix)

    def svg(self) -> bytes:
        """The images as one picture in it, the labels as texts."""
        inner = base64.b64encode(encoded(self._raster(), ".png")).decode()
        size = f'width="{self.width}" height="{self.height}"'
        ink, anchors = _INKS[self._ground], {"mm": "middle", "rm": "end"}
        texts = "".join(
            f'<text x="{x:g}" y="{y:g}" text-anchor="{anchors[anchor]}" dy="0.35em">'
            f"{escape(text)}</text>\n"
            for x, y, anchor, text in self._texts
        )
        style = f'font-family="sans-serif" font-size="{self._size}" fill="{ink}"'
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} '
            f'viewBox="0 0 {self.width} {self.height}">\n'
            f'<image {size} style="image-rendering:pixelated" '
            f'href="data:image/png;base64,{inner}"/>\n<g {style}>\n{texts}</g>\n</svg>\n'
        ).encode()


def encoded(picture: Image.Image, suffix: str) -> bytes:
    """A picture as PNG or TIFF."""
    content = io.BytesIO()
    if suffix == ".png":
        picture.save(content, "PNG")
    else:
        picture.save(content, "TIFF", compression="tiff_lzw")
    return content.getvalue()


def manifold_sheet(
    model: TrainedVAE, n: int = 20, spacing: str = "quantile", extent: float = 3.0
) -> Float32:
    """The sheet before scaling, (n·h, n·w[, 3]) float32 in [0, 1].

    Raises:
        ExportError: the sheet would be empty, without an extent or too large, or its spacing is
            unknown.
    """
    if n < 1:
        raise ExportError(f"A manifold sheet needs at least one image a side, not {n}.")
    if spacing not in ("quantile", "linear"):
        raise ExportError(f"A manifold sheet has quantile or linear spacing, not {spacing}.")
    if not 0 < extent < math.inf:
        raise ExportError(f"The extent of a manifold sheet is {extent:g}; it must be more than 0.")
    _check_side(n * max(model.image_shape[:2]))
    return _tiled(model.decode(grid(_axis(n, spacing, extent))), n)
