"""Pictures from elsewhere as MNIST's digits look: light ink on black, of one size, centred."""

import numpy as np
from PIL import Image

from vae_explorer.errors import DataError
from vae_explorer.types import Float32, Float64, Floats, UInt8

_FILLED = 5 / 7  # of a side by the ink, as in MNIST's images
_FAINT = 0.1  # of the strongest ink: not looked for when cropping
_WORKING_SIDE = 280
_NOISE = 3.0  # standard deviations of the ground: no ink below
_LEAST_CONTRAST = 16.0  # grey levels of 255
_LEAST_SHARE = 0.02  # of all ink: less is a speck
_CHANNELS = (1, 3, 4)

Pixels = UInt8 | Floats


def centred(image: Pixels, shape: tuple[int, int]) -> UInt8:
    """Ink on an empty ground, scaled and placed as MNIST does it.

    The ink is scaled with its proportions, anti-aliased, to fit a box of 5/7 of ``shape``, and
    its centre of mass goes to the middle (LeCun et al., "Gradient-based learning applied to
    document recognition", 1998; yann.lecun.com/exdb/mnist). As in the MNIST files the move is by
    whole pixels and the middle is pixel ``side // 2``, counted from 0: an image of MNIST comes back
    as it is, but for rows at its edge with hardly any ink. No ink is moved out of the image.

    Args:
        image: (h, w) of any size; uint8, or floats of which 0 is ground and 1 full ink. Floats
            outside [0, 1] are clamped and NaN is ground.
        shape: height and width of the result.

    Returns:
        ``shape`` uint8.

    Raises:
        DataError: there is no ink.
    """
    ink = _levels(image)
    if not ink.any():
        raise DataError("The picture is empty; draw something, or open a picture.")
    strong = ink > _FAINT * ink.max()
    rows, columns = (np.flatnonzero(strong.any(axis)) for axis in (1, 0))
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = min(side * _FILLED / own for side, own in zip(shape, ink.shape, strict=True))
    height, width = (max(1, round(scale * length)) for length in ink.shape)
    picture = Image.fromarray(ink.astype(np.float32))
    scaled = np.asarray(picture.resize((width, height), Image.Resampling.HAMMING))
    # A hairline is averaged nearly away; the strongest ink stays as strong as it was.
    scaled = scaled * (ink.max() / scaled.max())
    top, left = (_start(scaled.sum(1 - axis), shape[axis]) for axis in (0, 1))
    placed = np.zeros(shape, np.uint8)
    placed[top : top + height, left : left + width] = np.rint(scaled)
    return placed


def ink_of(image: UInt8) -> UInt8:
    """The ink in a photograph, scan or drawing: 0 is ground, 255 full ink.

    The ground is a plane through the levels of the border, so that light may fall from one side;
    what is transparent is ground. Ink is what stands out from it on the darker or the lighter
    side, whichever holds more. Noise as strong as the border's and small specks are taken away.

    Args:
        image: (h, w, channels) of grey, RGB, or RGB and opacity.

    Returns:
        (h, w) uint8, reduced to at most 280 pixels a side.

    Raises:
        DataError: it is no such array, or nothing stands out.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] not in _CHANNELS:
        raise DataError(
            f"The picture is {image.dtype} of shape {image.shape}, expected uint8 of shape "
            "(h, w, 1), (h, w, 3) or (h, w, 4); open an ordinary picture, such as a PNG or JPEG."
        )
    if image.size == 0:
        raise DataError("The picture has no pixels; open one that has.")
    gray = _gray(image)
    residual, noise = _above_ground(gray)
    darker, lighter = (np.where(part > noise, part, 0) for part in (-residual, residual))
    ink = max(darker, lighter, key=np.sum)
    if ink.max() < _LEAST_CONTRAST:
        raise DataError(
            "Nothing stands out in the picture; give one of a dark drawing on a light ground, or "
            "the other way round."
        )
    ink = ink / np.median(ink[ink > ink.max() / 2])
    return _without_specks(_levels(ink))


def _levels(image: Pixels) -> UInt8:
    """As uint8, where floats from 0 to 1 become 0 to 255."""
    if image.dtype == np.uint8:
        return image.astype(np.uint8)
    levels: Floats = np.rint(np.fmin(np.fmax(image, 0), 1) * 255)
    return levels.astype(np.uint8)


def _start(mass: Float32, side: int) -> int:
    """Where in ``side`` pixels a row of masses begins whose centre is to be in the middle."""
    middle = mass @ np.arange(len(mass)) / mass.sum()
    return min(max(side // 2 - round(float(middle)), 0), side - len(mass))


def _gray(image: UInt8) -> Float64:
    """Grey levels (h, w) of a reduced picture, whose transparent parts are ground."""
    height, width, channels = image.shape
    picture = Image.fromarray(image if channels > 1 else image[..., 0])
    scale = min(1, _WORKING_SIDE / max(height, width))
    size = max(1, round(scale * width)), max(1, round(scale * height))
    picture = picture.resize(size, Image.Resampling.BOX)
    gray = np.asarray(picture.convert("L"), np.float64)
    if channels < 4:
        return gray
    opacity = np.asarray(picture.getchannel("A"), np.float64) / 255
    # Dark ink shows on white, light ink on black.
    ground = 255.0 if (opacity * gray).sum() < 127.5 * opacity.sum() else 0.0
    return opacity * gray + (1 - opacity) * ground


def _above_ground(gray: Float64) -> tuple[Float64, float]:
    """How far each pixel is above the ground (h, w), and how far the ground itself may be."""
    y, x = np.indices(gray.shape)
    terms = np.stack([np.ones_like(gray), y, x], axis=-1)
    border = np.ones(gray.shape, bool)
    border[1:-1, 1:-1] = False
    # Ink may cross the border: fit again without what is far from the rest.
    fitted = border
    for _ in range(5):
        plane, *_ = np.linalg.lstsq(terms[fitted], gray[fitted])
        residual = gray - terms @ plane
        spread = 1.4826 * float(np.median(np.abs(residual[border])))
        fitted = border & (np.abs(residual) <= max(2 * spread, 1.0))
    return residual, _NOISE * spread


def _without_specks(ink: UInt8) -> UInt8:
    """The ink without pieces that hold a small share of it."""
    # Imported late: it costs the start of the window a sixth of a second.
    from scipy import ndimage

    pieces, count = ndimage.label(ink, np.ones((3, 3)))
    masses = ndimage.sum_labels(ink, pieces, np.arange(count + 1))
    large = masses >= _LEAST_SHARE * masses.sum()
    return np.where(large[pieces], ink, 0).astype(np.uint8)
