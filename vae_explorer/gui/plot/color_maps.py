"""Fields into pictures: a sequential map for scalars, the class colours for classes."""

from functools import cache

import numpy as np
import pyqtgraph as pg
from PySide6.QtGui import QImage

from vae_explorer.gui.theme import CLASS_PALETTE, Theme, class_rows
from vae_explorer.session.map.marks import ClassField, Field
from vae_explorer.types import UInt8, UInt32

COLORS = 256
"""How many colours a sequential map has."""

_OPAQUE_FROM = 0.5  # share of the map from which a fading one hides what is below


def opaque(rgb: UInt8) -> UInt32:
    """(n,) uint32 ARGB pixels of full alpha from (n, 3) uint8 colours."""
    pixels = np.empty((len(rgb), 4), np.uint8)
    pixels[:, :3], pixels[:, 3] = rgb[:, ::-1], 255
    return pixels.view(np.uint32)[:, 0]


@cache
def sequential(theme: Theme, fading: bool = False) -> UInt32:
    """(256,) ARGB, not premultiplied: viridis, from the colour nearest to the canvas to the other.

    Viridis is the map of S. van der Walt and N. Smith (matplotlib, 2015). With ``fading`` its
    alpha grows from 0 at the low end to 255 in the middle.
    """
    rgb = pg.colormap.get("viridis").getLookupTable(nPts=COLORS, alpha=False)
    table = opaque(rgb if theme.dark else rgb[::-1])
    if fading:
        alpha = np.minimum(np.linspace(0.0, 1.0 / _OPAQUE_FROM, COLORS), 1.0)
        table = table & 0xFFFFFF | np.rint(255 * alpha).astype(np.uint32) << 24
    table.flags.writeable = False
    return table


def field_image(field: Field, theme: Theme) -> QImage:
    """One pixel a cell, row 0 first; NaN is transparent. The result owns its pixels."""
    span = field.high - field.low or 1.0
    share = np.clip((field.values - field.low) / span, 0.0, 1.0)
    steps = np.rint(np.nan_to_num(share) * (COLORS - 1)).astype(np.intp)
    pixels = sequential(theme, field.fading)[steps]
    pixels[np.isnan(field.values)] = 0
    return argb_image(pixels)


def class_image(field: ClassField) -> QImage:
    """One pixel a cell, row 0 first, as opaque as it is strong. The result owns its pixels."""
    alpha = np.rint(255 * np.clip(np.nan_to_num(field.strength), 0.0, 1.0)).astype(np.uint32)
    colors = opaque(CLASS_PALETTE)[class_rows(field.labels)]
    return argb_image((colors & 0xFFFFFF | alpha << 24).astype(np.uint32))


def argb_image(pixels: UInt32) -> QImage:
    """A premultiplied image, fast to draw, of (h, w) ARGB that is not; it owns its pixels."""
    height, width = pixels.shape
    borrowed = QImage(
        np.ascontiguousarray(pixels).data, width, height, 4 * width, QImage.Format.Format_ARGB32
    )
    return borrowed.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
