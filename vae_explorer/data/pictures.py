"""Pictures of any format and mode as gray or RGB of one size."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from vae_explorer.data.arrays import scaled
from vae_explorer.data.reading import Fit
from vae_explorer.errors import DataError
from vae_explorer.types import UInt8

MOST_PIXELS = 1 << 24
"""A larger picture is a bomb, or of no use as one of many; a JPEG is read smaller."""

_WIDE = ("I", "I;16", "I;16B", "I;16L", "I;16N", "F")
_COLOR = ("RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "RGBX", "RGBa")

warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


@dataclass(frozen=True)
class Header:
    """What a picture says of itself before its pixels are read; the size is upright."""

    size: tuple[int, int]
    color: bool
    sixteen: bool
    notes: tuple[str, ...]


@contextmanager
def pillow_trouble() -> Iterator[None]:
    """Whatever Pillow raises of a bad file as a DataError that says why."""
    try:
        yield
    except DataError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DataError(f"more than {MOST_PIXELS:,} pixels") from None
    except UnidentifiedImageError:
        raise DataError("no picture that can be read") from None
    except FileNotFoundError:
        raise DataError("it is gone") from None
    except PermissionError:
        raise DataError("it may not be read") from None
    except MemoryError:
        raise
    except Exception as error:  # Pillow's readers raise anything of broken files
        raise DataError(f"damaged: {error}"[:120]) from error


def header(picture: Image.Image) -> Header:
    """What a picture says of itself.

    Raises:
        DataError: it is too large.
    """
    with pillow_trouble():
        width, height = picture.size
        if width * height > MOST_PIXELS and picture.format != "JPEG":
            raise DataError(f"{width:,} × {height:,} pixels, more than {MOST_PIXELS:,}")
        notes = []
        if getattr(picture, "is_animated", False) and picture.format != "TIFF":
            notes.append("animated: the first frame is read")
        if picture.getexif().get(0x0112, 1) not in (0, 1):
            notes.append("turned upright as EXIF says")
            if picture.getexif().get(0x0112) in (5, 6, 7, 8):
                width, height = height, width
        if picture.mode in ("LA", "PA", "La", "RGBA", "RGBa") or "transparency" in picture.info:
            notes.append("transparency: laid on white")
        if picture.mode == "CMYK":
            notes.append("CMYK made RGB")
        if picture.mode in _WIDE:
            notes.append("more than 8 bits: made 8 bits")
        color = picture.mode in _COLOR or (
            picture.mode in ("P", "PA") and picture.palette is not None and _colored(picture)
        )
        return Header((height, width), color, picture.mode.startswith("I;16"), tuple(notes))


def _colored(picture: Image.Image) -> bool:
    palette = np.array(picture.palette.getdata()[1][: 3 * 256] if picture.palette else b"")
    values = np.frombuffer(palette.tobytes(), np.uint8)
    values = values[: len(values) // 3 * 3].reshape(-1, 3)
    return bool((values != values[:, :1]).any())


def pixels(
    picture: Image.Image, *, color: bool, span: tuple[float, float] | None = None, near: int = 0
) -> UInt8:
    """The pixels (h, w) or (h, w, 3) of a picture, upright and opaque.

    Args:
        picture: as Pillow opened it.
        color: give RGB.
        span: the values of black and white; None: the whole type's.
        near: a JPEG that is much larger than this many pixels a side is read smaller.

    Raises:
        DataError: it is damaged or too large.
    """
    with pillow_trouble():
        if near and picture.format == "JPEG":
            picture.draft(picture.mode, (2 * near, 2 * near))
        if picture.width * picture.height > MOST_PIXELS:
            raise DataError(
                f"{picture.width:,} × {picture.height:,} pixels, more than {MOST_PIXELS:,}"
            )
        picture = ImageOps.exif_transpose(picture)
        if picture.mode in _WIDE:
            picture, span = _eight_bits(picture, span), None
        if picture.mode in ("LA", "PA", "La", "RGBA", "RGBa") or "transparency" in picture.info:
            picture = picture.convert("RGBA")
            ground = Image.new("RGBA", picture.size, "white")
            picture = Image.alpha_composite(ground, picture).convert("RGB")
        values = np.array(picture.convert("RGB" if color else "L"))
        return values if span is None else scaled(values, *span)


def _eight_bits(picture: Image.Image, span: tuple[float, float] | None) -> Image.Image:
    values = np.asarray(picture).astype(np.float64)
    if not np.isfinite(values).all():
        raise DataError("pixels that are no numbers")
    if span is None:
        largest = float(values.max(initial=0))
        span = (0, 65535.0)
        if picture.mode == "F" or (picture.mode == "I" and largest <= 255):
            span = (0, 1.0 if largest <= 1 else 255.0 if largest <= 255 else 65535.0)
    return Image.fromarray(scaled(values, *span))


def resized(image: UInt8, size: tuple[int, int], fit: Fit) -> UInt8:
    """An image (h, w) or (h, w, 3) of another size.

    ``fit`` keeps all of it and fills up with the level of its border, ``crop`` cuts its middle out,
    ``stretch`` changes its proportions.
    """
    if image.shape[:2] == size:
        return image
    picture = Image.fromarray(image)
    height, width = size
    if fit == "stretch":
        return np.array(picture.resize((width, height), Image.Resampling.BICUBIC))
    if fit == "crop":
        return np.array(ImageOps.fit(picture, (width, height), Image.Resampling.BICUBIC))
    scale = min(height / image.shape[0], width / image.shape[1])
    within = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    small = np.array(picture.resize(within, Image.Resampling.BICUBIC))
    whole = np.empty((height, width, *image.shape[2:]), np.uint8)
    whole[:] = np.median(border(image[None])[0], axis=0).astype(np.uint8)
    top, left = (height - small.shape[0]) // 2, (width - small.shape[1]) // 2
    whole[top : top + small.shape[0], left : left + small.shape[1]] = small
    return whole


def border(images: UInt8) -> UInt8:
    """The outermost pixels (n, m) or (n, m, 3) of images."""
    return np.concatenate(
        [images[:, 0], images[:, -1], images[:, 1:-1, 0], images[:, 1:-1, -1]], axis=1
    )
