"""Arrays into images: as they are, gray or in colour; a diverging map for errors."""

from functools import cache

import numpy as np
from PySide6.QtGui import QColor, QImage

from vae_explorer.gui.theme import CLASS_COLORS, Theme
from vae_explorer.types import Float32, UInt8, UInt32

_HALF = 255
"""Colours on each side of zero in the diverging table."""


def qimage_of(image: Float32 | UInt8) -> QImage:
    """The picture of (h, w) grey levels or of (h, w, 3) red, green and blue.

    0 is black, 1 (or 255 of uint8) is white.

    Floats outside [0, 1] are clamped and NaN is black. The result owns its pixels.
    """
    # fmax and fmin, unlike clip, turn NaN into a number, which a cast to uint8 needs.
    levels = image if image.dtype == np.uint8 else np.fmin(np.fmax(image * 255 + 0.5, 0), 255)
    gray = image.ndim == 2
    return _owned(
        levels.astype(np.uint8),
        QImage.Format.Format_Grayscale8 if gray else QImage.Format.Format_RGB888,
    )


def signed(image: Float32, theme: Theme) -> QImage:
    """A colour image of signed (h, w) values: −1 is blue, 0 the canvas, 1 red (orange in dark).

    Values outside [−1, 1] are clamped and NaN is drawn as 0. The result owns its pixels.
    """
    steps = np.rint(np.clip(np.nan_to_num(image), -1.0, 1.0) * _HALF).astype(np.intp)
    return _owned(_diverging(theme)[steps + _HALF], QImage.Format.Format_RGB32)


def _owned(pixels: UInt8 | UInt32, pixel_format: QImage.Format) -> QImage:
    height, width = pixels.shape[:2]
    # QImage only borrows the buffer; its copy does not.
    buffer = np.ascontiguousarray(pixels).data
    return QImage(buffer, width, height, pixels[0].nbytes, pixel_format).copy()


@cache
def _diverging(theme: Theme) -> UInt32:
    """(2 · _HALF + 1,) 0xffRRGGBB, from negative over the canvas to positive."""
    # Against a dark canvas the red is hard to see; the orange is as light as the blue.
    negative, positive = CLASS_COLORS[[0, 6 if theme.dark else 2]].astype(np.float64)
    color = QColor(theme.canvas)
    canvas = np.array([color.red(), color.green(), color.blue()], dtype=np.float64)
    weight = np.linspace(-1.0, 1.0, 2 * _HALF + 1)[:, None]
    rgb = canvas + np.abs(weight) * (np.where(weight < 0, negative, positive) - canvas)
    red, green, blue = np.rint(rgb).astype(np.uint32).T
    packed: UInt32 = 0xFF000000 + (red << 16) + (green << 8) + blue
    return packed
